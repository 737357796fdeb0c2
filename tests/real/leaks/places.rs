//! Where things lie: the checkout, the home of cargo, the directory that a build starts in.

use super::corpus::{Theme, Verb, check};
use super::row::{Row, row};

/// Compiles a file by its absolute path, as crates do that generate sources.
const BUILD_SCRIPT: &str = r#"
use std::path::Path;
use std::process::Command;
use std::env;

fn main() {
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let out = Path::new(&out);
    let source = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("place.c");
    let object = out.join("place.o");
    let compiled =
        Command::new("cc").args(["-O1", "-fPIC", "-c", "-o"]).arg(&object).arg(source).status();
    assert!(compiled.expect("cc").success());
    let archive = Command::new("ar").arg("rcs").arg(out.join("libplace.a")).arg(&object).status();
    assert!(archive.expect("ar").success());
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=place");
    std::fs::write(out.join("made.rs"), "fn made() { assert!(std::env::args().count() < 9) }")
        .expect("written");
}
"#;

const MAIN: &str = r#"
include!(concat!(env!("OUT_DIR"), "/made.rs"));
extern "C" {
    fn place() -> *const std::ffi::c_char;
}
fn main() {
    made();
    println!("{:?}", unsafe { std::ffi::CStr::from_ptr(place()) });
    println!("{}", itoa::Buffer::new().format(std::env::args().count()));
}
"#;

const MANIFEST: &str = "[dependencies]\nitoa = \"1\"\n[profile.dev.package.itoa]\ndebug = 1\n";

fn theme(rows: Vec<Row>) -> Theme {
    let files = vec![
        ("src/main.rs", MAIN.into()),
        ("build.rs", BUILD_SCRIPT.into()),
        ("place.c", "const char *place(void) { return __FILE__; }\n".into()),
    ];
    Theme { name: "placed", files, manifest: MANIFEST, verb: Verb::Build, rows }
}

#[test]
fn paths_of_the_machine() {
    check(&theme(vec![
        row("place-checkout", |s| s.checkout = s.root.join("elsewhere/an other/checkout")),
        row("place-symlink", |s| {
            let link = s.root.join("link");
            let manifest = link.join("Cargo.toml").to_str().expect("UTF-8").to_owned();
            s.arguments = vec!["--manifest-path".to_owned(), manifest];
            s.cwd = Some(s.root.clone());
            s.link = Some(link);
        }),
        row("place-cargo-home", |s| s.cargo_home = s.root.join("other-cargo-home")),
        row("place-target-dir", |s| s.target_dir = Some(s.root.join("elsewhere/target"))),
    ]));
}
