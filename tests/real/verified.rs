//! What a build says of its binaries with the toolchain's own libraries at hand, and with paths of
//! its directories looked for.

use serde_json::Value;

use super::machine::{Machine, base};
use super::projects::copy;

const TARGETS: [&str; 3] =
    ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "armv7-unknown-linux-gnueabihf"];

#[test]
fn a_build_asks_the_libraries_of_its_own_sysroot() {
    let machine = Machine::wait();
    let dir = copy("tiny", &base().join("projects").join("tiny-verified"));
    for target in TARGETS {
        let document = machine.json(&dir, &["build", "--target", target]);
        let files = document["targets"][0]["files"].as_array().expect("files");
        let [file] = &files[..] else { panic!("{target}: {document:#}") };
        let findings = file["findings"].as_array().expect("findings");
        let finding = |rule: &str| {
            let found = findings.iter().find(|finding| finding["rule"] == rule);
            let found: &Value = found.unwrap_or_else(|| panic!("{target}: no {rule}"));
            assert_eq!(found["verdict"], "pass", "{target}: {found}");
            found["evidence"].as_str().expect("a sentence").to_owned()
        };
        let open = finding("undefined");
        assert!(
            open.contains(" symbols, all in ld-linux-") && open.contains("libc.so.6"),
            "{open}"
        );
        let libgcc = finding("libgcc-ceiling");
        assert!(libgcc.starts_with("needs GCC_") && libgcc.ends_with(" is allowed"), "{libgcc}");
        for rule in ["runpath", "pie", "relro", "bind-now", "nx-stack", "wx-segments", "paths"] {
            finding(rule);
        }
        let attributes = findings.iter().any(|finding| finding["rule"] == "arm-attributes");
        assert_eq!(attributes, target.starts_with("armv7"), "{target}");
    }
}
