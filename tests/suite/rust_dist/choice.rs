//! `rust-toolchain.toml` as the request, where the settings say nothing.

use insta::assert_snapshot;

use super::{project, settings};
use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;

/// A project whose only Rust is that of the releases.
fn of_releases() -> Project {
    let project = project();
    std::fs::remove_file(project.project.join("recipes/fake-rust.toml")).expect("removed");
    project.edit("recipes/releases.toml", "slot =", "default = true\nslot =");
    project.settings("");
    project
}

#[test]
fn the_file_says_version_components_and_targets() {
    let project = of_releases();
    project.write(
        "rust-toolchain.toml",
        format!(
            "[toolchain]\nchannel = \"1.95.0\"\ncomponents = [\"clippy-preview\", \"cargo\", \
             \"miri\"]\ntargets = [\"{TARGET}\", \"wasm32-unknown-unknown\"]\n"
        ),
    );
    assert_snapshot!(project.xprov("lock"), @r"
    exit 0
    --- stdout
    + cargo 1.95.0 ([HOST])
    + clippy 1.95.0 ([HOST])
    + gcc 12.2.0 ([HOST] for armv7-unknown-linux-gnueabihf)
    + gcc 12.2.0 ([HOST] for [HOST])
    + qemu 7.2.0 ([HOST])
    + rust-std 1.95.0 (armv7-unknown-linux-gnueabihf)
    + rust-std 1.95.0 ([HOST])
    + rustc 1.95.0 ([HOST])
    + tools 1.0.0 ([HOST])
    --- stderr
    note: rust-toolchain.toml asks for Rust 1.95.0
    note: `miri`, `wasm32-unknown-unknown` of rust-toolchain.toml is left out: xprov does not have it
       Resolving releases
    note: releases 1.95.0: the server has no signature of the release manifest; its digest, from the same server, is all that attests it
       Resolving fake-gcc-arm for armv7-unknown-linux-gnueabihf
       Resolving fake-gcc-host for [HOST]
       Resolving fake-qemu for armv7-unknown-linux-gnueabihf
       Resolving fake-tools
           Wrote toolchains.lock (9 toolchain entries)
    ");
    let lock = project.read("toolchains.lock");
    assert!(lock.contains("version = \"1.95.0\", components = [\"clippy\"]"), "{lock}");
    assert!(lock.contains(&format!("targets = [\"{TARGET}\"]")), "{lock}");
    // It says what the lock has, so that nothing is amiss.
    assert_snapshot!(project.xprov("--locked -q exec rustc"), @r"
    exit 0
    --- stdout
    rustc 1.95.0
    host: [HOST]
    release: 1.95.0
    ");
    project.edit("rust-toolchain.toml", "1.95.0", "1.96.0");
    assert_snapshot!(project.xprov("--locked lock"), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      rust: version `1.95.0` is locked, `1.96.0` is asked for

      help: run `xprov lock` and commit toolchains.lock
    ");
}

#[test]
fn settings_go_before_the_file() {
    let project = of_releases();
    project.write("rust-toolchain.toml", "[toolchain]\nchannel = \"1.95.0\"\n");
    settings(&project, "rust = \"1.96.0\"");
    project.xprov("-q lock").ok();
    let lock = project.read("toolchains.lock");
    assert!(lock.contains("rustc-1.96.0-") && !lock.contains("1.95.0"), "{lock}");
}

#[test]
fn stable_and_toolchains_of_rustups_own_ask_for_nothing() {
    for channel in ["stable", "custom"] {
        let project = of_releases();
        project.write("rust-toolchain", channel);
        settings(&project, "");
        project.xprov("-q lock").ok();
        assert!(project.read("toolchains.lock").contains("rustc-1.96.0-"), "{channel}");
    }
}
