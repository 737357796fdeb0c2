//! Components on request: in settings and lock, in the environment, and what is said where there
//! is none.

use std::fmt::Write as _;

use insta::assert_snapshot;

use crate::support::archive_fixture::{Archive, TARGET, VERSIONS, tar_gz};
use crate::support::project::Project;

/// Shows what a cargo subcommand gets, and that it is the one in the environment.
const LINTER: &str = "#!/bin/sh\necho linter \"$@\"\n";

/// A project whose Rust has a linter and a formatter on request, in both of its versions.
fn project() -> Project {
    let project = Project::new();
    let mut lines = String::new();
    for (component, program) in [("clippy", "cargo-clippy"), ("rustfmt", "cargo-fmt")] {
        let _ = write!(
            lines,
            "[[variant.component]]\nname = \"{component}\"\nruns = \"on-host\"\noptional = true\n\n"
        );
        for version in VERSIONS {
            let archive = Archive {
                name: component.to_owned(),
                version: version.to_owned(),
                bytes: tar_gz(&[(&format!("usr/bin/{program}"), 0o755, LINTER)]),
            };
            project.server().serve(&format!("/{}", archive.file()), archive.bytes.clone());
            lines += &project.artifact(&archive, "");
        }
    }
    lines += "[variant.provides]\nlinks = [\"usr/bin/cargo-clippy\", \"usr/bin/cargo-fmt\"]\n";
    project.edit("recipes/fake-rust.toml", "[variant.provides]\n", &lines);
    project
}

fn settings(components: &str) -> String {
    format!("targets = [\"{TARGET}\"]\nrust = {{ components = [{components}] }}\n")
}

#[test]
fn a_component_is_there_where_the_settings_ask_for_it() {
    let project = project();
    project.settings(&settings(""));
    project.xprov("-q lock").ok();
    let without = project.read("toolchains.lock");
    assert!(!without.contains("clippy") && !without.contains("components"), "{without}");
    assert_eq!(project.xprov("-q exec cargo-clippy x").code, Some(127));

    project.settings(&settings("\"clippy\""));
    assert_snapshot!(project.xprov("lock"), @r"
    exit 0
    --- stdout
    + clippy 1.96.0 ([HOST])
    --- stderr
       Resolving fake-rust
         Updated toolchains.lock (9 toolchain entries)
    ");
    assert_snapshot!(project.xprov("-q exec cargo-clippy x"), @r"
    exit 0
    --- stdout
    linter x
    ");
    assert_eq!(project.xprov("-q exec cargo-fmt").code, Some(127));
    let with = project.read("toolchains.lock");
    assert!(with.contains("components = [\"clippy\"]"), "{with}");

    // Asked for no more, it is gone.
    project.settings(&settings(""));
    assert_snapshot!(project.xprov("-q lock"), @r"
    exit 0
    --- stdout
    - clippy 1.96.0 ([HOST])
    ");
    assert_eq!(project.xprov("-q exec cargo-clippy x").code, Some(127));
}

#[test]
fn a_component_that_is_not_locked_is_drift() {
    let project = project();
    project.settings(&settings("\"clippy\""));
    project.xprov("-q lock").ok();
    project.settings(&settings("\"clippy\", \"rustfmt\""));
    assert_snapshot!(project.xprov("--locked build"), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      rust: component `rustfmt` is asked for and not locked

      help: run `xprov lock` and commit toolchains.lock
    ");
    project.settings(&settings(""));
    assert_snapshot!(project.xprov("--locked build"), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      rust: component `clippy` is locked and not asked for

      help: run `xprov lock` and commit toolchains.lock
    ");
}

#[test]
fn a_component_that_no_recipe_has_is_an_error_that_says_what_there_is() {
    let project = project();
    project.settings(&settings("\"clipy\""));
    assert_snapshot!(project.xprov("lock"), @r"
    exit 2
    --- stderr
    error: recipe `fake-rust` has no component `clipy`

      help: fake-rust has on request: clippy, rustfmt
    ");
    project.settings(&settings("\"rust-analyzer\""));
    assert_snapshot!(project.xprov("lock"), @r"
    exit 2
    --- stderr
    error: recipe `fake-rust` has no component `rust-analyzer`

      help: fake-rust has on request: clippy, rustfmt
      help: recipes that have it: rust-debian, rust-dist, rust-release, rust-system
    ");
    project
        .settings(&format!("targets = [\"{TARGET}\"]\ntools = {{ components = [\"clippy\"] }}\n"));
    assert_snapshot!(project.xprov("lock"), @r"
    exit 2
    --- stderr
    error: recipe `fake-tools` has no component `clippy`

      help: fake-tools has none on request
    ");
    project.settings("rust = { components = \"clippy\" }\n");
    assert_snapshot!(project.xprov("lock"), @r#"
    exit 2
    --- stderr
    error: Cargo.toml:7:23: invalid type: string "clippy", expected a list

      help: write `["clippy"]`
    "#);
}

#[test]
fn a_command_without_its_component_says_what_to_write() {
    let project = project();
    project.settings(&settings("\"clippy\""));
    assert_snapshot!(project.xprov("-q cargo -- clippy"), @r"
    exit 0
    --- stderr
    cargo runs clippy for armv7-unknown-linux-gnueabihf
    ");
    assert_snapshot!(project.xprov("-q cargo -- fmt --check"), @r#"
    exit 2
    --- stderr
    error: `cargo fmt` needs Rust's component `rustfmt`

      help: add `rust.components = ["rustfmt"]` to the settings
    "#);
}
