//! A release from its manifest to its programs.

use insta::assert_snapshot;

use super::{project, serve, settings};
use crate::support::archive_fixture::TARGET;
use crate::support::server::Fault;

#[test]
fn the_newest_stable_release_is_locked_and_restored_without_naming_the_server() {
    let project = project();
    assert_snapshot!(project.xprov("lock"), @r"
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
       Resolving releases
    note: releases 1.96.0: the server has no signature of the release manifest; its digest, from the same server, is all that attests it
       Resolving fake-gcc-arm for armv7-unknown-linux-gnueabihf
       Resolving fake-gcc-host for [HOST]
       Resolving fake-qemu for armv7-unknown-linux-gnueabihf
       Resolving fake-tools
           Wrote toolchains.lock (8 toolchain entries)
    ");
    let lock = project.read("toolchains.lock");
    assert!(!lock.contains(&project.server().url("/dist")), "{lock}");
    assert!(lock.contains("rust-dist = \"2026-04-16/rustc-1.96.0-"), "{lock}");
    assert!(lock.contains("authenticated = \"published-digest\""), "{lock}");
    // No archive was looked at.
    let asked = project.server().requests();
    assert!(!asked.iter().any(|request| request.path.contains("2026-04-16")), "{asked:?}");

    project.xprov("-q --locked restore").ok();
    let rustc = project.xprov("-q exec rustc").ok();
    assert!(rustc.stdout.contains("release: 1.96.0"), "{rustc}");
    // What is pinned needs no manifest any more.
    project.server().always("/dist/channel-rust-stable.toml", Fault::Hangup);
    project.xprov("-q --locked restore").ok();
}

#[test]
fn a_version_and_a_component_are_drift_and_the_locked_release_stays() {
    let project = project();
    settings(&project, "rust = { recipe = \"releases\", version = \"1.95.0\" }");
    project.xprov("-q lock").ok();
    assert!(project.read("toolchains.lock").contains("rustc-1.95.0-"));
    settings(&project, "rust = { recipe = \"releases\", version = \"1.96.0\" }");
    assert_snapshot!(project.xprov("--locked build"), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      rust: version `1.95.0` is locked, `1.96.0` is asked for

      help: run `xprov lock` and commit toolchains.lock
    ");
    // Without a version, any that is locked answers.
    settings(&project, "rust = { recipe = \"releases\" }");
    project.xprov("-q update").ok();
    settings(&project, "rust = { recipe = \"releases\", version = \"1.95.0\" }");
    project.xprov("-q lock").ok();
    let clippy =
        "rust = { recipe = \"releases\", version = \"1.95.0\", components = [\"clippy\"] }";
    settings(&project, clippy);
    assert_snapshot!(project.xprov("lock"), @r"
    exit 0
    --- stdout
    + clippy 1.95.0 ([HOST])
    --- stderr
       Resolving releases
    note: releases 1.95.0: the server has no signature of the release manifest; its digest, from the same server, is all that attests it
         Updated toolchains.lock (9 toolchain entries)
    ");
    let linter = project.xprov("-q exec cargo-clippy");
    assert_eq!(linter.stdout, "linter\n");
}

#[test]
fn a_mirror_of_the_settings_is_asked_and_nobody_else() {
    let project = project();
    let mirror = project.server().url("/elsewhere");
    project.settings(&format!(
        "targets = [\"{TARGET}\"]\nrust = {{ recipe = \"releases\" }}\nmirrors = {{ rust = \
         [\"{mirror}\"] }}\n"
    ));
    assert_snapshot!(project.xprov("lock"), @r#"
    exit 4
    --- stderr
       Resolving releases
    error: recipe `releases` cannot be resolved
      caused by: there is no Rust stable at http://127.0.0.1:[PORT]/elsewhere

      help: ask for another version in the settings, say `rust.version = "1.95.0"`, or for a dated nightly, `"nightly-2026-05-20"`
    "#);
    let asked = project.server().requests();
    assert!(asked.iter().all(|request| request.path.starts_with("/elsewhere")), "{asked:?}");
}

#[test]
fn versions_that_are_none_or_not_there() {
    let project = project();
    settings(&project, "rust = { recipe = \"releases\", version = \"1.0.1\" }");
    assert_snapshot!(project.xprov("lock"), @r#"
    exit 4
    --- stderr
       Resolving releases
    error: recipe `releases` cannot be resolved
      caused by: there is no Rust 1.0.1 at http://127.0.0.1:[PORT]/dist

      help: ask for another version in the settings, say `rust.version = "1.95.0"`, or for a dated nightly, `"nightly-2026-05-20"`
    "#);
    settings(&project, "rust = { recipe = \"releases\", version = \"newest\" }");
    assert_snapshot!(project.xprov("lock"), @r"
    exit 2
    --- stderr
       Resolving releases
    error: `newest` is no release of Rust such as `1.95.0`, `1.95`, `stable`, `beta` or `nightly-2026-05-20`

      help: correct `rust.version` in the settings, or rust-toolchain.toml
    ");
    settings(&project, "rust = { recipe = \"releases\" }");
    assert_snapshot!(project.xprov("--offline lock"), @r"
    exit 4
    --- stderr
       Resolving releases
    error: toolchains.lock has to be written, which takes the network, and --offline forbids that

      help: run `xprov lock` where there is a network
    ");
    // A release that lacks a part.
    let without = super::publish(&project, "1.96.0").replace("pkg.cargo", "pkg.carton");
    serve(&project, "stable", &without);
    assert_snapshot!(project.xprov("lock"), @r"
    exit 2
    --- stderr
       Resolving releases
    note: releases 1.96.0: the server has no signature of the release manifest; its digest, from the same server, is all that attests it
    error: recipe `releases` has no cargo for host [HOST]

      help: see what there is with `xprov recipes show releases`
    ");
}
