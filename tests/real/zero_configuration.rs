//! A project without settings: the first build locks, the next ones need nothing. And the same
//! project with the older of the archive's two Rusts.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::machine::{Machine, base};
use super::projects::{copy, locked_rust, remove_tree};

const TARGET: &str = "aarch64-unknown-linux-gnu";

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).expect("a file").modified().expect("a time")
}

#[test]
fn a_project_without_settings_is_locked_by_its_first_build() {
    let machine = Machine::wait();
    let dir = copy("tiny", &base().join("projects").join("tiny"));
    remove_tree(&dir.join("target")).expect("removable");
    let (lock, binary) =
        (dir.join("toolchains.lock"), dir.join("target").join(TARGET).join("debug/tiny"));
    let build = ["build", "--target", TARGET];

    let missing = machine.xprov(&dir, &["build", "--locked", "--target", TARGET]);
    assert_eq!(missing.code, 3, "{missing:?}");
    assert!(!lock.exists());

    let first = machine.xprov(&dir, &build).ok();
    assert!(first.stderr.contains("Wrote toolchains.lock"), "{}", first.stderr);
    assert!(first.stderr.contains("needs glibc"), "{}", first.stderr);
    let text = fs::read(&lock).expect("a lock beside Cargo.lock");
    let times = (modified(&lock), modified(&binary));

    // There is nothing at the proxy: whoever asks for the network fails.
    let proxy = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"]
        .map(|name| (name, "http://127.0.0.1:9"));
    machine.xprov_with(&dir, &build, &proxy).ok();
    let flags = ["--offline", "--locked", "--frozen"];
    for flag in flags {
        machine.xprov_with(&dir, &[&[flag], &build[..]].concat(), &proxy).ok();
        machine.xprov_with(&dir, &[&build[..], &[flag]].concat(), &proxy).ok();
    }
    machine.xprov_with(&dir, &["test", "--target", TARGET, "--frozen"], &proxy).ok();
    let run = ["run", "-q", "--target", TARGET];
    machine.xprov_with(&dir, &run, &proxy).prints("tiny on aarch64\n");
    assert_eq!(times, (modified(&lock), modified(&binary)));

    // Another target is another lock, which --locked forbids.
    let drift = ["--locked", "build", "--target", "armv7-unknown-linux-gnueabihf"];
    let drift = machine.xprov_with(&dir, &drift, &proxy);
    assert_eq!(drift.code, 3, "{drift:?}");
    assert!(drift.stderr.contains("armv7-unknown-linux-gnueabihf"), "{}", drift.stderr);
    assert_eq!(fs::read(&lock).expect("a lock"), text);
}

/// Rust 1.85 has no build directory of its own (cargo 1.91): binaries stand where they are expected
/// all the same.
#[test]
fn the_older_rust_of_the_archive_builds_tests_and_runs() {
    let machine = Machine::wait();
    let dir = copy("tiny", &base().join("projects").join("tiny-1.85"));
    let manifest = dir.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    let settings = format!(
        "{text}\n[workspace.metadata.xprov]\ntargets = [\"{TARGET}\"]\nrust = {{ version = \
         \"1.85\" }}\n"
    );
    fs::write(&manifest, settings).expect("written");
    assert_eq!(locked_rust(&machine.lock(&dir, &[])), (1, 85));
    machine.xprov(&dir, &["build", "--locked"]).ok();
    assert!(dir.join("target").join(TARGET).join("debug/tiny").is_file());
    machine.xprov(&dir, &["run", "--quiet"]).prints("tiny on aarch64\n");
    let tested = machine.xprov(&dir, &["test"]).ok();
    assert!(tested.stdout.contains("it_says_where_it_runs ... ok"), "{}", tested.stdout);
    machine.xprov(&dir, &["build", "--target-dir", "elsewhere"]).ok();
    assert!(dir.join("elsewhere").join(TARGET).join("debug/tiny").is_file());
}
