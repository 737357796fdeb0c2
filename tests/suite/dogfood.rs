//! The lock of this repository, which xprov's own releases are built with (`docs/dogfood.md`).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use xprov::lockfile::Lockfile;
use xprov::recipe::Slot;

use crate::support::sandbox::Sandbox;

const LOCK: &str = include_str!("../../toolchains.lock");

const HOSTS: [&str; 4] = [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "x86_64-unknown-linux-gnu",
];
const TARGETS: [&str; 4] = [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "x86_64-unknown-linux-musl",
];

#[test]
fn the_lock_is_what_the_settings_ask_for() {
    let sandbox = Sandbox::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A copy: nothing may be written beside the original.
    for (name, text) in [
        ("Cargo.toml", fs::read_to_string(root.join("Cargo.toml")).expect("a manifest")),
        ("toolchains.lock", LOCK.to_owned()),
    ] {
        fs::write(sandbox.project.join(name), text).expect("written");
    }
    let outcome = sandbox.xprov("lock --locked --offline");
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(outcome.stdout.starts_with("toolchains.lock is up to date"), "{outcome}");
}

#[test]
fn the_lock_has_every_host_and_target_and_nothing_that_is_soon_gone() {
    let lock = Lockfile::parse("toolchains.lock", LOCK).expect("a lock");
    assert_eq!(lock.to_text(), LOCK, "it was written by hand");
    let names = |triples: &[xprov::vocab::triple::RustTriple]| -> Vec<String> {
        triples.iter().map(ToString::to_string).collect()
    };
    assert_eq!(names(&lock.request.hosts), HOSTS);
    assert_eq!(names(&lock.request.targets), TARGETS);
    for host in HOSTS {
        let host = host.parse().expect("a triple");
        for target in TARGETS {
            let target = target.parse().expect("a triple");
            let entries: Vec<_> = lock.entries_for(&host, &target).collect();
            for slot in [Slot::Rust, Slot::Cc, Slot::Tools] {
                assert!(entries.iter().any(|entry| entry.slot == slot), "{slot:?} on {host}");
            }
            let std: BTreeSet<_> = entries
                .iter()
                .filter(|entry| entry.key.name.as_str() == "rust-std")
                .filter_map(|entry| entry.key.target.as_ref())
                .collect();
            assert_eq!(std, [&host, &target].into(), "the standard libraries on {host}");
        }
    }
    // The packages of a security suite vanish from the archive when they are superseded.
    assert!(!LOCK.contains("archive = \"debian-security\""));
}
