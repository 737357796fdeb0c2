//! `restore`, and what a warm store saves.

use insta::assert_snapshot;

use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;
use crate::support::sandbox::{host, state};

#[test]
fn a_warm_store_asks_nobody_and_changes_nothing() {
    let project = Project::locked();
    assert_snapshot!(project.xprov("restore").ok(), @r"
    exit 0
    --- stderr
    note: toolchains are kept in [XPROV_HOME] (0 MB to fetch, unpacked about six times that); XPROV_HOME moves it, deleting it undoes everything
       Composing rust
       Composing cc-arm-linux-gnueabihf
       Composing cc-[HOST-PREFIX]
       Composing runner
       Composing tools
    restored 8 objects for armv7-unknown-linux-gnueabihf: 0.0 MB downloaded, 0 reused, in [TIME] s
    ");
    let (requests, store) = (project.requests(), state(&project.xprov_home));
    assert_eq!(requests, 8);
    assert_snapshot!(project.xprov("restore").ok(), @r"
    exit 0
    --- stderr
    restored 8 objects for armv7-unknown-linux-gnueabihf: 0.0 MB downloaded, 8 reused, in [TIME] s
    ");
    for line in ["--locked restore", "--offline restore", "--frozen restore"] {
        project.xprov(line).ok();
    }
    assert_eq!(project.requests(), requests);
    assert_eq!(state(&project.xprov_home), store);
}

#[test]
fn a_warm_store_serves_another_checkout() {
    let mut project = Project::locked();
    project.xprov("-q restore").ok();
    let requests = project.requests();
    let other = project.root().join("other");
    std::fs::rename(&project.project, &other).expect("moved");
    project.sandbox().project = other;
    project.xprov("-q --frozen restore").ok();
    project.xprov(&format!("-q --frozen build --target {TARGET}")).ok();
    assert_eq!(project.requests(), requests);
}

#[test]
fn a_store_that_was_moved_or_copied_serves_from_its_new_place() {
    let mut project = Project::locked();
    let build = format!("-q --frozen build --target {TARGET}");
    project.xprov("-q restore").ok();
    project.xprov(&build).ok();
    let requests = project.requests();
    let (old, new) = (project.xprov_home.clone(), project.root().join("moved"));
    std::fs::rename(&old, &new).expect("moved");
    project.sandbox().xprov_home.clone_from(&new);
    let home = new.to_string_lossy().into_owned();
    project.sandbox().set("XPROV_HOME", &home);
    for _ in 0..2 {
        project.xprov(&build).ok();
    }
    let exec = format!("-q --frozen exec --target {TARGET} rustc -vV");
    project.xprov(&exec).ok();
    assert_eq!(project.requests(), requests);
    assert!(!old.exists());
}

#[test]
fn only_what_one_target_needs() {
    let project = Project::new();
    project.settings(&format!("targets = [\"{TARGET}\", \"{}\"]\n", host()));
    project.xprov("-q lock").ok();
    assert_snapshot!(project.xprov(&format!("restore --target {}", host())).ok(), @r"
    exit 0
    --- stderr
    note: toolchains are kept in [XPROV_HOME] (0 MB to fetch, unpacked about six times that); XPROV_HOME moves it, deleting it undoes everything
       Composing rust
       Composing cc-[HOST-PREFIX]
       Composing tools
    restored 5 objects for [HOST]: 0.0 MB downloaded, 0 reused, in [TIME] s
    ");
    assert_eq!(project.objects().len(), 5, "neither the other compiler and std nor the emulator");
}

#[test]
fn objects_are_read_only_and_named_by_their_trees() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::locked();
    project.xprov("-q restore").ok();
    assert_snapshot!(project.objects().join("\n"), @r"
    cargo-1.96.0
    gcc-12.2.0
    gcc-12.2.0
    qemu-7.2.0
    rust-std-1.96.0
    rust-std-1.96.0
    rustc-1.96.0
    tools-1.0.0
    ");
    for name in project.store_names("objects") {
        let dir = project.xprov_home.join("v1/objects").join(&name);
        let mode = std::fs::metadata(&dir).expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o555, "{name}");
        let tree = xprov::tree::scan(&dir).expect("a tree");
        assert!(name.starts_with(&tree.hash().to_string()), "{name}");
    }
}

#[test]
fn json_for_machines() {
    let project = Project::locked();
    let outcome = project.xprov("--json restore").ok();
    assert_snapshot!(outcome.stdout, @r#"{"schema":"xprov/restore/v1","targets":["armv7-unknown-linux-gnueabihf"],"objects":8,"fetched":8,"fetched-bytes":1590}"#);
    for line in outcome.stderr.lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(event["reason"].is_string(), "{line}");
    }
}
