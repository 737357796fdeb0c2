//! Programs as their authors published them, unchanged, for both ARM targets.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::machine::{Machine, base, say};
use super::projects::{locked_rust, mirror};

const TARGETS: [&str; 2] = ["aarch64-unknown-linux-gnu", "armv7-unknown-linux-gnueabihf"];

/// The sources of a published crate, fetched by this machine's own cargo, in a copy of this name
/// without a lock of toolchains.
pub fn published(name: &str, version: &str, copy: &str) -> PathBuf {
    let crate_name = format!("{name}-{version}");
    let cargo_home = base().join("crates");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["info", "--quiet", "--registry", "crates-io", &format!("{name}@{version}")]);
    // In the user's home, so that a mirror in the user's own cargo configuration is found.
    if let Some(home) = std::env::var_os("HOME").filter(|home| Path::new(home).is_dir()) {
        cargo.current_dir(home);
    }
    say(&format!("fetching the sources of {crate_name}"));
    let output = cargo.env("CARGO_HOME", &cargo_home).output().expect("cargo starts");
    let registries = fs::read_dir(cargo_home.join("registry/src"));
    let found: Vec<PathBuf> = registries
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("an entry").path().join(&crate_name))
        .filter(|path| path.is_dir())
        .collect();
    let [source] = &found[..] else {
        panic!(
            "the sources of {crate_name}: {found:?}, {}",
            String::from_utf8_lossy(&output.stderr)
        )
    };
    let dir = base().join("projects").join(copy);
    mirror(source, &dir);
    dir
}

/// As a newcomer does it: one target first, the other one later.
#[test]
fn ripgrep_searches() {
    let machine = Machine::share();
    let dir = published("ripgrep", "15.2.0", "ripgrep-15.2.0");
    let haystack = base().join("haystack.txt");
    fs::write(&haystack, "hay\nthe needle, at last\nhay\nno need\n").expect("written");
    let haystack = haystack.to_str().expect("UTF-8");
    for target in TARGETS {
        let (major, minor) = locked_rust(&machine.lock(&dir, &[target]));
        say(&format!("ripgrep for {target} with Rust {major}.{minor}"));
        machine.xprov(&dir, &["build", "--locked", "--target", target]).ok();
        let rg = |arguments: &[&str]| {
            let run = ["run", "--quiet", "--target", target, "--"];
            machine.xprov(&dir, &[&run[..], arguments].concat())
        };
        let version = rg(&["--version"]).ok().stdout;
        assert!(version.starts_with("ripgrep 15.2.0\n"), "{version}");
        rg(&["--line-number", "need(le)?,", haystack]).prints("2:the needle, at last\n");
        // Its own exit code: nothing found.
        assert_eq!(rg(&["pitchfork", haystack]).code, 1);
    }
}

#[test]
fn hyperfine_starts() {
    let machine = Machine::share();
    let newest = published("hyperfine", "1.20.0", "hyperfine-1.20.0");
    let lock = machine.lock(&newest, &TARGETS);
    // 1.20 needs Rust 1.88, and the archive may have only 1.85 for all targets.
    let (dir, version) = if locked_rust(&lock) >= (1, 88) {
        (newest, "1.20.0")
    } else {
        let dir = published("hyperfine", "1.19.0", "hyperfine-1.19.0");
        fs::write(dir.join("toolchains.lock"), lock).expect("written");
        (dir, "1.19.0")
    };
    for target in TARGETS {
        machine.xprov(&dir, &["build", "--locked", "--target", target]).ok();
        let run = ["run", "--quiet", "--target", target, "--", "--version"];
        machine.xprov(&dir, &run).prints(&format!("hyperfine {version}\n"));
    }
}
