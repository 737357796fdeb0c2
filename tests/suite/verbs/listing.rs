//! `recipes` and `store`: what there is.

use insta::assert_snapshot;

use crate::support::project::Project;
use crate::support::sandbox::{Outcome, Sandbox};
use crate::support::schema::deviations;

/// The lines about recipes of the fixture.
fn fake(outcome: &Outcome) -> String {
    outcome.stdout.lines().filter(|line| line.starts_with("fake-")).collect::<Vec<_>>().join("\n")
}

#[test]
fn recipes_of_the_project_and_built_in_ones() {
    let project = Project::new();
    let outcome = project.xprov("recipes list").ok();
    assert_snapshot!(fake(&outcome), @r"
    fake-gcc-arm              cc          scripts in place of cc  [recipes/fake-gcc-arm.toml]
    fake-gcc-host             cc          scripts in place of cc  [recipes/fake-gcc-host.toml]
    fake-qemu                 runner      scripts in place of runner  [recipes/fake-qemu.toml]
    fake-rust                 rust        scripts in place of rust  [recipes/fake-rust.toml]
    fake-tools                tools       scripts in place of tools  [recipes/fake-tools.toml]
    ");
    assert!(outcome.stdout.contains("[built-in]"), "{outcome}");
    let outside = Sandbox::new().xprov("recipes list").ok();
    assert!(!outside.stdout.contains("fake-") && outside.stdout.contains("[built-in]"));
}

#[test]
fn one_recipe() {
    let project = Project::new();
    assert_snapshot!(project.xprov("recipes show fake-rust").ok(), @r"
    exit 0
    --- stdout
    fake-rust (recipes/fake-rust.toml)
    scripts in place of rust
    slot: rust
    targets: armv7-unknown-linux-gnueabihf, [HOST]
    default: yes
    hosts: [HOST]
      rustc: 1.95.0 (verified bytes), 1.96.0 (verified bytes)
      cargo: 1.95.0 (verified bytes), 1.96.0 (verified bytes)
      rust-std: 1.95.0 (verified bytes), 1.96.0 (verified bytes)
      tools: cargo, rustc, rustdoc
    ");
    let json = project.xprov("--json recipes show fake-tools").ok();
    let value: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(value["schema"], "xprov/recipe/v1");
    assert_eq!(value["path"], "recipes/fake-tools.toml");
    assert_eq!(value["recipe"]["slot"], "tools");
    let json = project.xprov("--json recipes list").ok();
    let value: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(value["schema"], "xprov/recipes/v1");
}

#[test]
fn what_hides_a_built_in_recipe_is_said() {
    let project = Project::new();
    let text = project.read("recipes/fake-tools.toml").replace("fake-tools", "posix-tools");
    project.write("recipes/posix-tools.toml", text);
    std::fs::remove_file(project.project.join("recipes/fake-tools.toml")).expect("removed");
    assert_snapshot!(project.xprov("lock"), @r"
    exit 0
    --- stdout
    + cargo 1.96.0 ([HOST])
    + gcc 12.2.0 ([HOST] for [HOST])
    + rust-std 1.96.0 ([HOST])
    + rustc 1.96.0 ([HOST])
    + tools 1.0.0 ([HOST])
    --- stderr
    note: recipe `posix-tools` is the project's own, from recipes/posix-tools.toml
       Resolving fake-rust
       Resolving fake-gcc-host for [HOST]
       Resolving posix-tools
           Wrote toolchains.lock (5 toolchain entries)
    ");
    let outcome = project.xprov("recipes list").ok();
    let lines: Vec<&str> =
        outcome.stdout.lines().filter(|line| line.starts_with("posix-")).collect();
    assert_snapshot!(lines.join("\n"), @"posix-tools               tools       scripts in place of tools  [recipes/posix-tools.toml, hides the built-in one]");
}

#[test]
fn the_store_before_and_after_a_restore() {
    let project = Project::locked();
    assert_snapshot!(project.xprov("store size").ok(), @r"
    exit 0
    --- stdout
    0.0 MB in 0 objects at [XPROV_HOME]/v1
    ");
    assert_snapshot!(project.xprov("store list").ok(), @"exit 0");
    assert_snapshot!(project.xprov("store path").ok(), @r"
    exit 0
    --- stdout
    [XPROV_HOME]/v1
    ");
    project.xprov("-q restore").ok();
    assert_snapshot!(project.xprov("store list").ok(), @r"
    exit 0
    --- stdout
        0.0 MB  [HASH]  cargo-1.96.0
        0.0 MB  [HASH]  gcc-12.2.0
        0.0 MB  [HASH]  gcc-12.2.0
        0.0 MB  [HASH]  qemu-7.2.0
        0.0 MB  [HASH]  rust-std-1.96.0
        0.0 MB  [HASH]  rust-std-1.96.0
        0.0 MB  [HASH]  rustc-1.96.0
        0.0 MB  [HASH]  tools-1.0.0
    ");
    assert_snapshot!(project.xprov("store path cargo").ok(), @r"
    exit 0
    --- stdout
    [XPROV_HOME]/v1/objects/[DIGEST]-cargo-1.96.0
    ");
    assert!(project.xprov("store size").ok().stdout.contains(" in 8 objects at [XPROV_HOME]/v1"));
    let json = project.xprov("--json store list").ok();
    let value: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(value["schema"], "xprov/store-list/v1");
    assert_eq!(value["objects"].as_array().map(Vec::len), Some(8));
}

#[test]
fn a_binary_is_verified_by_itself_and_what_was_found_is_not_lost() {
    let project = Project::new();
    // This very program is a binary of the host.
    let own = std::env::current_exe().expect("a path");
    project.write("not-a-binary", "#!/bin/sh\n");
    let outcome = project.run(project.command(&["verify", &own.to_string_lossy(), "not-a-binary"]));
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stdout.starts_with("pass "), "{outcome}");
    assert!(outcome.stderr.contains("not a program or library"), "{outcome}");
}

#[test]
fn verify_writes_the_documented_json() {
    let project = Project::new();
    let own = std::env::current_exe().expect("a path");
    let command = project.command(&["--json", "verify", &own.to_string_lossy()]);
    let outcome = project.run(command);
    let document: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(document["schema"], "xprov/verify/v2");
    let schema = include_str!("../../../docs/schemas/verify.json");
    let schema: serde_json::Value = serde_json::from_str(schema).expect("JSON");
    assert_eq!(deviations(&schema, &document), Vec::<String>::new());
    // A schema that asks for nothing would agree with everything.
    let mut other = document.clone();
    other["files"][0]["findings"][0]["verdict"] = "perhaps".into();
    assert_eq!(deviations(&schema, &other).len(), 1);
}

#[test]
fn what_did_not_pass_is_an_annotation() {
    let project = Project::new();
    let own = std::env::current_exe().expect("a path");
    let target = "armv7-unknown-linux-gnueabihf";
    let arguments = ["verify", "--format", "github", "--target", target, &own.to_string_lossy()];
    let outcome = project.run(project.command(&arguments));
    assert_eq!(outcome.code, Some(1));
    let first = outcome.stdout.lines().next().unwrap_or_default();
    assert!(first.starts_with("::error file=/"), "{outcome}");
    assert!(first.contains(",title=xprov verify%3A arch::"), "{outcome}");
    assert!(first.contains("expected arm, 32 bits%0Ahelp: build it with"), "{outcome}");
    assert!(!outcome.stdout.contains("title=xprov verify%3A linkage"), "{outcome}");
}
