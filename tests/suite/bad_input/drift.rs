//! A lock that does not answer what is asked, under `--locked`: exit code 3, what drifted and why,
//! and the lock as it was.

use insta::assert_snapshot;

use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;
use crate::support::sandbox::{Outcome, host};

/// What every verb says under `--locked`.
fn drifted(project: &Project) -> Outcome {
    let before = project.read("toolchains.lock");
    let outcome = project.xprov("--locked lock");
    for line in [
        "--locked restore",
        "--frozen restore",
        "-q build --locked",
        "--locked env",
        "--locked exec true",
    ] {
        let other = project.xprov(line);
        let what = |outcome: &Outcome| outcome.stderr.split("\n\n").next().map(str::to_owned);
        assert_eq!((other.code, what(&other)), (outcome.code, what(&outcome)), "{line}");
    }
    assert_eq!(project.read("toolchains.lock"), before);
    assert_eq!(project.requests(), 0, "nothing was fetched");
    outcome
}

/// A project that was locked with these settings.
fn locked_with(lines: &str) -> Project {
    let project = Project::new();
    project.settings(lines);
    project.xprov("lock").ok();
    project
}

fn arm() -> String {
    format!("targets = [\"{TARGET}\"]\n")
}

#[test]
fn a_target_was_added() {
    let project = locked_with(&arm());
    project.settings(&format!("targets = [\"{TARGET}\", \"{}\"]\n", host()));
    assert_snapshot!(drifted(&project), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      target `[HOST]` is not in the lock

      help: run `xprov lock` and commit toolchains.lock
    ");
}

#[test]
fn a_host_was_added() {
    let mut project = Project::new();
    let other = if host().starts_with("x86_64") { "aarch64" } else { "x86_64" };
    let other = format!("{other}-unknown-linux-gnu");
    project.sandbox().redactor.know(other.as_str(), "[OTHER-HOST]");
    // Recipes that serve both.
    let here = host();
    for recipe in ["fake-rust", "fake-gcc-arm", "fake-gcc-host", "fake-tools", "fake-qemu"] {
        let path = format!("recipes/{recipe}.toml");
        project.edit(&path, "hosts = [", &format!("hosts = [\"{other}\", "));
        if matches!(recipe, "fake-rust" | "fake-gcc-host") {
            project.edit(&path, "targets = [", &format!("targets = [\"{other}\", "));
        }
    }
    // Named, as it promises more than it has pins for.
    let lines = format!("{}rust = {{ recipe = \"fake-rust\" }}\n", arm());
    project.settings(&format!("{lines}hosts = [\"{here}\"]\n"));
    project.xprov("lock").ok();
    project.settings(&format!("{lines}hosts = [\"{here}\", \"{other}\"]\n"));
    assert_snapshot!(drifted(&project), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      host `[OTHER-HOST]` is not in the lock

      help: run `xprov lock` and commit toolchains.lock
    ");
}

#[test]
fn another_version_is_asked_for() {
    let project = locked_with(&arm());
    project.settings(&format!("{}rust = {{ version = \"1.95\" }}\n", arm()));
    assert_snapshot!(drifted(&project), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      rust: version `newest` is locked, `1.95` is asked for

      help: run `xprov lock` and commit toolchains.lock
    ");
}

#[test]
fn another_recipe_is_asked_for() {
    let project = locked_with(&arm());
    let text = project.read("recipes/fake-gcc-arm.toml");
    let text =
        text.replace("fake-gcc-arm", "other-gcc-arm").replace("default = true", "default = false");
    project.write("recipes/other-gcc-arm.toml", text);
    project.settings(&format!("{}target.{TARGET}.cc = {{ recipe = \"other-gcc-arm\" }}\n", arm()));
    assert_snapshot!(drifted(&project), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      cc for `armv7-unknown-linux-gnueabihf`: recipe `fake-gcc-arm` is locked, `other-gcc-arm` is asked for

      help: run `xprov lock` and commit toolchains.lock
    ");
}

#[test]
fn a_recipe_of_the_project_was_edited() {
    let project = locked_with(&arm());
    project.edit("recipes/fake-tools.toml", "runs = \"on-host\"", "runs = \"on-host-for-target\"");
    assert_snapshot!(drifted(&project), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      tools: recipe `fake-tools` was changed since

      help: run `xprov lock` and commit toolchains.lock
    ");
}

#[test]
fn what_a_recipe_says_about_its_tree_is_no_drift() {
    let project = locked_with(&arm());
    project.edit("recipes/fake-gcc-arm.toml", "glibc = \"2.36\"", "glibc = \"2.35\"");
    assert_eq!(project.xprov("--locked lock").ok().stderr, "");
}

#[test]
fn several_reasons_come_together() {
    let project = locked_with(&arm());
    project.settings(&format!("targets = [\"{}\"]\nrust = {{ version = \"=1.95.0\" }}\n", host()));
    assert_snapshot!(drifted(&project), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      target `[HOST]` is not in the lock
      rust: version `newest` is locked, `=1.95.0` is asked for

      help: run `xprov lock` and commit toolchains.lock
    ");
}

#[test]
fn there_is_no_lock() {
    let project = Project::new();
    project.settings(&arm());
    assert_snapshot!(project.xprov("--locked lock"), @r"
    exit 3
    --- stderr
    error: there is no toolchains.lock, and --locked keeps it from being written

      help: run `xprov lock` and commit toolchains.lock
    ");
    assert_eq!(project.xprov("build --locked"), project.xprov("--locked lock"));
    assert_snapshot!(project.xprov(&format!("--frozen build --target {}", host())), @r"
    exit 3
    --- stderr
    error: there is no toolchains.lock, and --locked keeps it from being written

      help: run `xprov lock --target [HOST]` and commit toolchains.lock
    ");
    assert_snapshot!(project.xprov("restore"), @r"
    exit 2
    --- stderr
    error: there is no toolchains.lock

      help: run `xprov lock` and commit toolchains.lock
    ");
    assert!(!project.project.join("toolchains.lock").exists());
}

#[test]
fn a_lock_that_takes_the_network_is_not_written_offline() {
    let project = Project::new();
    let url = project.server().url("/debian");
    project.settings(&format!(
        "tools = {{ recipe = \"posix-tools\" }}\n\
         mirrors = {{ debian = [\"{url}\"], debian-security = [\"{url}\"] }}\n"
    ));
    let line = format!("build --offline --target {TARGET}");
    assert_snapshot!(project.xprov(&format!("-q {line}")), @r"
    exit 4
    --- stderr
    error: toolchains.lock has to be written, which takes the network, and --offline forbids that

      help: run `xprov lock --target armv7-unknown-linux-gnueabihf` where there is a network
    ");
    assert_eq!(
        project.xprov(&format!("-q --offline lock --target {TARGET}")),
        project.xprov(&format!("-q {line}"))
    );
    assert_eq!(project.requests(), 0);
    assert!(!project.project.join("toolchains.lock").exists());
    // Recipes with pins need none; what is missing then is the artifacts.
    project.settings("");
    let outcome = project.xprov(&format!("-q {line}"));
    assert_eq!(outcome.code, Some(4), "{outcome}");
    assert!(outcome.stderr.contains("the network may not be used (offline)"), "{outcome}");
    assert!(project.project.join("toolchains.lock").exists());
}

#[test]
fn a_recipe_of_the_lock_is_gone() {
    let project = locked_with(&arm());
    std::fs::remove_file(project.project.join("recipes/fake-qemu.toml")).expect("removed");
    assert_snapshot!(project.xprov("-q restore"), @r"
    exit 2
    --- stderr
    error: recipe `fake-qemu` of the locked entry qemu 7.2.0 ([HOST]) does not exist

      help: bring the recipe back, or run `xprov update`
    ");
}

#[test]
fn an_entry_of_the_lock_is_gone() {
    let project = locked_with(&arm());
    let text = project.read("toolchains.lock");
    let last = text.rfind("\n[[entry]]").expect("an entry");
    project.write("toolchains.lock", &text[..last]);
    assert_snapshot!(project.xprov("-q env"), @r"
    exit 2
    --- stderr
    error: the lock has no tools for this host

      help: run `xprov lock`, or add this host to `hosts` in the settings
    ");
}
