//! `lock` and `update`, and the lock that other verbs write.

use std::collections::BTreeSet;

use insta::assert_snapshot;

use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;
use crate::support::sandbox::host;

#[test]
fn without_configuration_build_writes_the_lock_and_says_so() {
    let project = Project::new();
    assert_snapshot!(project.xprov(&format!("build --target {TARGET}")), @r"
    exit 0
    --- stderr
       Resolving fake-rust
       Resolving fake-gcc-arm for armv7-unknown-linux-gnueabihf
       Resolving fake-gcc-host for [HOST]
       Resolving fake-qemu for armv7-unknown-linux-gnueabihf
       Resolving fake-tools
           Wrote toolchains.lock (8 toolchain entries)
    note: toolchains are kept in [XPROV_HOME] (0 MB to fetch, unpacked about six times that); XPROV_HOME moves it, deleting it undoes everything
       Composing rust
       Composing cc-arm-linux-gnueabihf
       Composing cc-[HOST-PREFIX]
       Composing runner
       Composing tools
        Restored 8 objects: 0 MB downloaded, 0 reused
        Fetching crates for Cargo.toml
    cargo runs build for armv7-unknown-linux-gnueabihf
    ");
    let lock = project.read("toolchains.lock");
    // The second time there is nothing to do.
    assert_snapshot!(project.xprov(&format!("build --target {TARGET}")), @r"
    exit 0
    --- stderr
    cargo runs build for armv7-unknown-linux-gnueabihf
    ");
    assert_eq!(project.read("toolchains.lock"), lock);
}

#[test]
fn without_a_target_the_host_is_meant_and_named() {
    assert_snapshot!(Project::new().xprov("build"), @r"
    exit 0
    --- stderr
    note: no target is named, so this is for the host, [HOST]
       Resolving fake-rust
       Resolving fake-gcc-host for [HOST]
       Resolving fake-tools
           Wrote toolchains.lock (5 toolchain entries)
    note: toolchains are kept in [XPROV_HOME] (0 MB to fetch, unpacked about six times that); XPROV_HOME moves it, deleting it undoes everything
       Composing rust
       Composing cc-[HOST-PREFIX]
       Composing tools
        Restored 5 objects: 0 MB downloaded, 0 reused
        Fetching crates for Cargo.toml
    cargo runs build for [HOST]
    ");
}

#[test]
fn lock_is_idempotent_byte_for_byte_and_takes_no_network() {
    let project = Project::new();
    let line = format!("lock --target {TARGET}");
    assert_snapshot!(project.xprov(&line), @r"
    exit 0
    --- stdout
    + cargo 1.96.0 ([HOST])
    + gcc 12.2.0 ([HOST] for armv7-unknown-linux-gnueabihf)
    + gcc 12.2.0 ([HOST] for [HOST])
    + qemu 7.2.0 ([HOST])
    + rust-std 1.96.0 (armv7-unknown-linux-gnueabihf)
    + rust-std 1.96.0 ([HOST])
    + rustc 1.96.0 ([HOST])
    + tools 1.0.0 ([HOST])
    --- stderr
       Resolving fake-rust
       Resolving fake-gcc-arm for armv7-unknown-linux-gnueabihf
       Resolving fake-gcc-host for [HOST]
       Resolving fake-qemu for armv7-unknown-linux-gnueabihf
       Resolving fake-tools
           Wrote toolchains.lock (8 toolchain entries)
    ");
    let lock = project.read("toolchains.lock");
    let path = project.project.join("toolchains.lock");
    let time =
        || std::fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("a time");
    let written = time();
    for line in [line.as_str(), "lock", "--locked lock", "--offline lock", "update"] {
        let outcome = project.xprov(line).ok();
        assert_eq!(outcome.stdout, "toolchains.lock is up to date (8 entries)\n", "{line}");
        assert_eq!(project.read("toolchains.lock"), lock, "{line}");
    }
    assert_eq!(time(), written, "an unchanged lock is not written");
    std::fs::remove_file(&path).expect("removed");
    project.xprov(&line).ok();
    assert_eq!(project.read("toolchains.lock"), lock, "written anew it is the same");
    assert_eq!(project.requests(), 0, "recipes with pins need no network");
}

#[test]
fn settings_with_several_targets() {
    let project = Project::new();
    project.settings(&format!("targets = [\"linux/arm/v7\", \"{}\"]\n", host()));
    assert_snapshot!(project.xprov("-q lock"), @r"
    exit 0
    --- stdout
    + cargo 1.96.0 ([HOST])
    + gcc 12.2.0 ([HOST] for armv7-unknown-linux-gnueabihf)
    + gcc 12.2.0 ([HOST] for [HOST])
    + qemu 7.2.0 ([HOST])
    + rust-std 1.96.0 (armv7-unknown-linux-gnueabihf)
    + rust-std 1.96.0 ([HOST])
    + rustc 1.96.0 ([HOST])
    + tools 1.0.0 ([HOST])
    ");
    assert_snapshot!(project.xprov("-q build"), @r"
    exit 0
    --- stderr
    cargo runs build for armv7-unknown-linux-gnueabihf
    cargo runs build for [HOST]
    ");
}

#[test]
fn another_target_adds_to_the_lock_and_changes_no_pin() {
    let project = Project::new();
    project.xprov("-q lock").ok();
    let pins = |project: &Project| -> BTreeSet<String> {
        let text = project.read("toolchains.lock");
        text.lines().filter(|line| line.contains("sha256")).map(str::to_owned).collect()
    };
    let before = pins(&project);
    assert_snapshot!(project.xprov(&format!("lock --target {TARGET}")), @r"
    exit 0
    --- stdout
    + gcc 12.2.0 ([HOST] for armv7-unknown-linux-gnueabihf)
    + qemu 7.2.0 ([HOST])
    + rust-std 1.96.0 (armv7-unknown-linux-gnueabihf)
    --- stderr
       Resolving fake-rust
       Resolving fake-gcc-arm for armv7-unknown-linux-gnueabihf
       Resolving fake-qemu for armv7-unknown-linux-gnueabihf
         Updated toolchains.lock (8 toolchain entries)
    ");
    assert!(pins(&project).is_superset(&before));
    // What is locked for others stays when a build asks for one.
    assert_snapshot!(project.xprov(&format!("-q --locked build --target {TARGET}")), @r"
    exit 0
    --- stderr
    cargo runs build for armv7-unknown-linux-gnueabihf
    ");
    assert_snapshot!(project.xprov(&format!("-q --locked build --target {}", host())), @r"
    exit 0
    --- stderr
    cargo runs build for [HOST]
    ");
}

#[test]
fn a_locked_version_stays_until_update() {
    let project = Project::new();
    project.settings("rust = { version = \"1.95\" }\n");
    project.xprov("-q lock").ok();
    assert!(project.read("toolchains.lock").contains("cargo-1.95.0.tar.gz"));
    project.settings("");
    assert_snapshot!(project.xprov("-q --locked lock"), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      rust: version `1.95` is locked, `newest` is asked for

      help: run `xprov lock` and commit toolchains.lock
    ");
    assert_snapshot!(project.xprov("lock"), @r"
    exit 0
    --- stdout
    + cargo 1.96.0 ([HOST])
    + rust-std 1.96.0 ([HOST])
    + rustc 1.96.0 ([HOST])
    - cargo 1.95.0 ([HOST])
    - rust-std 1.95.0 ([HOST])
    - rustc 1.95.0 ([HOST])
    --- stderr
       Resolving fake-rust
         Updated toolchains.lock (5 toolchain entries)
    ");
}

#[test]
fn trees_are_noted_once_they_are_known() {
    let project = Project::locked();
    assert!(!project.read("toolchains.lock").contains("tree ="));
    project.xprov("-q restore").ok();
    assert!(!project.read("toolchains.lock").contains("tree ="), "restore writes no lock");
    project.xprov("-q update").ok();
    assert_eq!(project.read("toolchains.lock").matches("tree =").count(), 8);
}

#[test]
fn json_for_machines() {
    let project = Project::new();
    assert_snapshot!(project.xprov(&format!("--json -q lock --target {TARGET}")), @r#"
    exit 0
    --- stdout
    {"schema":"xprov/lock/v1","path":"[PROJECT]/toolchains.lock","changed":true,"added":["cargo 1.96.0 ([HOST])","gcc 12.2.0 ([HOST] for armv7-unknown-linux-gnueabihf)","gcc 12.2.0 ([HOST] for [HOST])","qemu 7.2.0 ([HOST])","rust-std 1.96.0 (armv7-unknown-linux-gnueabihf)","rust-std 1.96.0 ([HOST])","rustc 1.96.0 ([HOST])","tools 1.0.0 ([HOST])"],"removed":[],"entries":8}
    --- stderr
    {"reason":"step","verb":"resolving","subject":"fake-rust"}
    {"reason":"step","verb":"resolving","subject":"fake-gcc-arm for armv7-unknown-linux-gnueabihf"}
    {"reason":"step","verb":"resolving","subject":"fake-gcc-host for [HOST]"}
    {"reason":"step","verb":"resolving","subject":"fake-qemu for armv7-unknown-linux-gnueabihf"}
    {"reason":"step","verb":"resolving","subject":"fake-tools"}
    {"reason":"step","verb":"wrote","subject":"toolchains.lock (8 toolchain entries)"}
    "#);
}

#[test]
fn two_commands_that_add_a_target_each_lose_none() {
    let project = Project::new();
    let lock = |target: &str| {
        let mut command = project.command(&["lock", "--target", target]);
        command.spawn().expect("a process")
    };
    let host = host();
    let mut both = [lock(TARGET), lock(&host)];
    for child in &mut both {
        assert!(child.wait().expect("it ends").success());
    }
    let text = project.read("toolchains.lock");
    let targets = text.lines().find(|line| line.starts_with("targets")).expect("a line");
    assert!(targets.contains(TARGET) && targets.contains(&host), "{targets}");
}

#[test]
fn under_locked_neither_lock_nor_update_write() {
    let project = Project::locked();
    let path = "toolchains.lock";
    // As if an upstream had moved on since.
    project.edit(path, "version = \"12.2.0\"", "version = \"12.1.0\"");
    let before = project.read(path);
    assert_eq!(project.xprov("--locked lock").code, Some(0));
    assert_eq!(project.read(path), before);
    assert_eq!(project.xprov("--locked update").code, Some(3));
    assert_eq!(project.read(path), before);
}
