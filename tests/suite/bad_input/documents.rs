//! Malformed settings and recipes: exit code 2, with file, line and column; no file is changed and
//! no store is created.

use insta::assert_snapshot;

use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;
use crate::support::sandbox::Outcome;

/// What `lock` says about these settings.
fn settings(lines: &str) -> Outcome {
    let project = Project::new();
    project.settings(lines);
    untouched(&project, "lock")
}

/// What a verb says after one text of a recipe was replaced.
fn recipe(from: &str, to: &str) -> Outcome {
    let project = Project::new();
    project.edit("recipes/fake-gcc-arm.toml", from, to);
    untouched(&project, &format!("lock --target {TARGET}"))
}

/// What the program says, having touched neither lock nor store nor network.
pub fn untouched(project: &Project, line: &str) -> Outcome {
    let lock = project.project.join("toolchains.lock");
    let before = std::fs::read(&lock).ok();
    let outcome = project.xprov(line);
    assert_eq!(std::fs::read(&lock).ok(), before, "the lock is as it was");
    assert_eq!(project.objects(), [""; 0]);
    assert_eq!(project.leftovers(), [""; 0]);
    assert_eq!(project.requests(), 0);
    outcome
}

#[test]
fn settings_with_an_unknown_key() {
    assert_snapshot!(settings("tragets = []\n"), @r"
    exit 2
    --- stderr
    error: Cargo.toml:7:1: unknown key `tragets`

      help: did you mean `targets`?
    ");
    assert_snapshot!(settings("rust = { release = \"1.85\" }\n"), @r"
    exit 2
    --- stderr
    error: Cargo.toml:7:10: unknown key `release`

      help: did you mean `recipe`?
    ");
}

#[test]
fn settings_with_a_wrong_type() {
    assert_snapshot!(settings("targets = \"aarch64-unknown-linux-gnu\"\n"), @r#"
    exit 2
    --- stderr
    error: Cargo.toml:7:11: invalid type: string "aarch64-unknown-linux-gnu", expected a list

      help: write `["aarch64-unknown-linux-gnu"]`
    "#);
    assert_snapshot!(settings("rust = 1.85\n"), @r"
    exit 2
    --- stderr
    error: Cargo.toml:7:8: invalid type: floating point `1.85`, expected a version, or a table with `recipe`, `version` and `components`
    ");
}

#[test]
fn settings_with_an_unknown_target() {
    assert_snapshot!(settings("targets = [\"aarch64-linux-gnu\"]\n"), @r"
    exit 2
    --- stderr
    error: Cargo.toml:7:11: unknown target `aarch64-linux-gnu`

      help: did you mean `aarch64-unknown-linux-gnu` or `aarch64-unknown-linux-musl` or `aarch64-apple-darwin`?
    ");
}

#[test]
fn settings_with_a_glibc_that_is_no_version() {
    let lines = format!("target.{TARGET}.glibc = \"new\"\n");
    assert_snapshot!(settings(&lines), @r"
    exit 2
    --- stderr
    error: Cargo.toml:7:46: `new` is not a glibc version such as `2.31`
    ");
}

#[test]
fn settings_in_two_places() {
    assert_snapshot!(settings("\n[workspace.metadata.xprov]\ntargets = []\n"), @r"
    exit 2
    --- stderr
    error: Cargo.toml:6:1: settings stand in both the workspace and the package of this file

      help: keep the settings in `[workspace.metadata.xprov]`
    ");
}

#[test]
fn settings_that_are_no_toml() {
    assert_snapshot!(settings("targets = [\n\n[dependencies]\n"), @r"
    exit 2
    --- stderr
    error: Cargo.toml:9:15: unclosed array, expected `]`
    ");
}

#[test]
fn settings_that_name_a_recipe_that_does_not_exist() {
    assert_snapshot!(settings("rust = { recipe = \"rust-gentoo\" }\n"), @r"
    exit 2
    --- stderr
    error: no recipe `rust-gentoo` for rust

      help: there are fake-rust, rust-debian, rust-dist, rust-release, rust-system
    ");
}

#[test]
fn settings_with_a_variable_that_is_not_theirs() {
    let project = Project::locked();
    project.settings("env = { set = { CARGO_HOME = \"/elsewhere\" } }\n");
    assert_snapshot!(project.xprov(&format!("-q env --target {TARGET}")), @r"
    exit 2
    --- stderr
    error: the settings name the variable CARGO_HOME, which xprov sets itself

      help: take it out of `env` in the settings
    ");
}

#[test]
fn settings_with_an_unknown_baseline() {
    let project = Project::locked();
    project.settings(&format!("target.{TARGET}.baseline = \"x86-64-v3\"\n"));
    assert_snapshot!(project.xprov(&format!("-q env --target {TARGET}")), @r"
    exit 2
    --- stderr
    error: `x86-64-v3` is no baseline for armv7-unknown-linux-gnueabihf

      help: known ones are `armv7-a+vfpv3-d16`, `armv7-a+neon`, `armv7-a+neon-vfpv4`
    ");
}

#[test]
fn a_recipe_with_an_unknown_key() {
    assert_snapshot!(recipe("summary =", "sumary ="), @r"
    exit 2
    --- stderr
    error: recipes/fake-gcc-arm.toml:3:1: unknown key `sumary`

      help: did you mean `summary`?
    ");
    assert_snapshot!(recipe("sha256 =", "sha512 ="), @r"
    exit 2
    --- stderr
    error: recipes/fake-gcc-arm.toml:18:1: unknown key `sha512`

      help: did you mean `sha256`?
    ");
}

#[test]
fn a_recipe_with_a_wrong_type() {
    assert_snapshot!(recipe("default = true", "default = \"yes\""), @r#"
    exit 2
    --- stderr
    error: recipes/fake-gcc-arm.toml:6:11: invalid type: string "yes", expected `true` or `false`
    "#);
    assert_snapshot!(recipe("slot = \"cc\"", "slot = \"gcc\""), @r"
    exit 2
    --- stderr
    error: recipes/fake-gcc-arm.toml:4:8: unknown value `gcc`

      help: did you mean `cc`?
    ");
}

#[test]
fn a_recipe_with_a_digest_that_is_none() {
    assert_snapshot!(recipe("sha256 = \"", "sha256 = \"tbd\" # \""), @r"
    exit 2
    --- stderr
    error: recipes/fake-gcc-arm.toml:18:10: `tbd` is not a digest: 64 lower-case hexadecimal digits are expected
    ");
}

#[test]
fn a_recipe_with_a_url_that_is_none() {
    assert_snapshot!(recipe("http://", "gopher://"), @r"
    exit 2
    --- stderr
    error: recipes/fake-gcc-arm.toml:17:8: `gopher://127.0.0.1:[PORT]/gcc-armv7-unknown-linux-gnueabihf-12.2.0.tar.gz` is not a URL that xprov reads: https:, http: or file: is expected
    ");
}

#[test]
fn a_recipe_of_another_format_or_name() {
    assert_snapshot!(recipe("schema = 1", "schema = 2"), @r"
    exit 2
    --- stderr
    error: recipes/fake-gcc-arm.toml: schema 2 is not known; this xprov reads schema 1

      help: docs/recipe.md describes the format
    ");
    assert_snapshot!(recipe("name = \"fake-gcc-arm\"", "name = \"fake-gcc\""), @r"
    exit 2
    --- stderr
    error: recipes/fake-gcc-arm.toml: the recipe is named `fake-gcc`, its file `fake-gcc-arm`

      help: docs/recipe.md describes the format
    ");
}

#[test]
fn a_recipe_whose_component_comes_from_nowhere() {
    let from = "runs = \"on-host-for-target\"\n";
    assert_snapshot!(recipe(from, &format!("{from}packages = [\"gcc\"]\n")), @r"
    exit 2
    --- stderr
    error: recipes/fake-gcc-arm.toml: component `gcc` needs either packages or artifacts, or is a wheel

      help: docs/recipe.md describes the format
    ");
}

#[test]
fn a_manifest_that_is_no_toml() {
    let project = Project::new();
    project.write("Cargo.toml", "[package\nname = \"tiny\"\n");
    assert_snapshot!(untouched(&project, "lock"), @r"
    exit 2
    --- stderr
    error: Cargo.toml:1:9: unclosed table, expected `]`
    ");
}

#[test]
fn settings_in_a_member_are_an_error() {
    let project = Project::new();
    project.edit("Cargo.toml", "[package]", "[workspace]\nmembers = [\"member\"]\n\n[package]");
    let member = "[package]\nname = \"member\"\n[package.metadata.xprov]\nbogus = 1\n";
    project.write("member/Cargo.toml", member);
    assert_snapshot!(project.xprov("-C member build"), @r"
    exit 2
    --- stderr
    error: member/Cargo.toml has settings, and is a member of the workspace in Cargo.toml

      help: move them to `[workspace.metadata.xprov]` in Cargo.toml
    ");
}

#[test]
fn a_damaged_root_leaves_no_lock_in_a_member() {
    let project = Project::new();
    project.write("Cargo.toml", "[workspace]\nmembers = [\"member\"\n");
    project.write("member/Cargo.toml", "[package]\nname = \"member\"\n");
    assert_eq!(project.xprov("-C member build").code, Some(2));
    assert!(!project.root().join("member/toolchains.lock").exists());
}
