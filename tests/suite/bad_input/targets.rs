//! Targets and hosts that there is nothing for: exit code 2, and what there is instead.

use insta::assert_snapshot;

use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;
use crate::support::sandbox::host;

/// The machine that the tests do not run on.
fn other_host() -> String {
    let arch = if std::env::consts::ARCH == "x86_64" { "aarch64" } else { "x86_64" };
    format!("{arch}-unknown-linux-gnu")
}

#[test]
fn an_unknown_target_names_the_nearest_known() {
    let project = Project::new();
    for line in [
        "build --target armv7-linux-gnueabihf",
        "lock --target armv7-linux-gnueabihf",
        "env --target armv7-linux-gnueabihf",
        "exec --target armv7-linux-gnueabihf true",
        "verify --target armv7-linux-gnueabihf Cargo.toml",
    ] {
        assert_eq!(project.xprov(line), project.xprov("build --target armv7-linux-gnueabihf"));
    }
    assert_snapshot!(project.xprov("build --target armv7-linux-gnueabihf"), @r"
    exit 2
    --- stderr
    error: unknown target `armv7-linux-gnueabihf`

      help: did you mean `armv7-unknown-linux-gnueabihf` or `armv7-unknown-linux-musleabihf`?
    ");
    assert!(!project.project.join("toolchains.lock").exists());
}

#[test]
fn a_target_that_is_like_no_other_lists_the_known() {
    assert_snapshot!(Project::new().xprov("build --target pdp11"), @r"
    exit 2
    --- stderr
    error: unknown target `pdp11`

      help: known targets are aarch64-apple-darwin, aarch64-unknown-linux-gnu, aarch64-unknown-linux-musl, armv7-unknown-linux-gnueabihf, armv7-unknown-linux-musleabihf, i686-unknown-linux-gnu, i686-unknown-linux-musl, x86_64-apple-darwin, x86_64-pc-windows-gnu, [HOST], x86_64-unknown-linux-musl
    ");
}

#[test]
fn a_glibc_suffix_that_is_no_version() {
    let line = format!("build --target {TARGET}.x");
    assert_snapshot!(Project::new().xprov(&line), @r"
    exit 2
    --- stderr
    error: unknown target `armv7-unknown-linux-gnueabihf.x`

      help: did you mean `armv7-unknown-linux-gnueabihf` or `armv7-unknown-linux-musleabihf` or `aarch64-unknown-linux-gnu`?
    ");
}

#[test]
fn a_target_without_a_recipe_lists_those_with_one() {
    let mut project = Project::new();
    project.sandbox().redactor.know(format!("`{}`", other_host()), "`[OTHER-HOST]`");
    assert_snapshot!(project.xprov("build --target i686-unknown-linux-gnu"), @r"
    exit 2
    --- stderr
    error: no recipe provides rust for target `i686-unknown-linux-gnu`

      help: targets with a recipe are aarch64-apple-darwin, aarch64-unknown-linux-gnu, aarch64-unknown-linux-musl, armv7-unknown-linux-gnueabihf, armv7-unknown-linux-musleabihf, i686-unknown-linux-musl, x86_64-apple-darwin, [HOST], x86_64-unknown-linux-musl; `recipes/` beside toolchains.lock can hold more
    ");
}

#[test]
fn a_target_whose_recipe_is_not_for_this_host() {
    let mut project = Project::new();
    project.sandbox().redactor.know(other_host(), "[OTHER-HOST]");
    let hosts = |host: &str| format!("hosts = [\"{host}\"]");
    project.edit("recipes/fake-gcc-arm.toml", &hosts(&host()), &hosts(&other_host()));
    project.settings(&format!("target.{TARGET}.cc = {{ recipe = \"fake-gcc-arm\" }}\n"));
    assert_snapshot!(project.xprov(&format!("build --target {TARGET}")), @r"
    exit 2
    --- stderr
    error: recipe `fake-gcc-arm` does not serve host `[HOST]`

      help: it serves [OTHER-HOST]; choose another recipe or other `hosts` in the settings
    ");
    assert!(!project.project.join("toolchains.lock").exists());
}

#[test]
fn a_host_that_the_recipes_do_not_serve() {
    let mut project = Project::new();
    project.sandbox().redactor.know(other_host(), "[OTHER-HOST]");
    let lines = format!("targets = [\"{TARGET}\"]\nhosts = [\"{}\"]\n", other_host());
    project.settings(&format!("{lines}rust = {{ recipe = \"fake-rust\" }}\n"));
    project.edit(
        "recipes/fake-rust.toml",
        "targets = [",
        &format!("targets = [{:?}, ", other_host()),
    );
    assert_snapshot!(project.xprov("lock"), @r"
    exit 2
    --- stderr
    error: recipe `fake-rust` does not serve host `[OTHER-HOST]`

      help: it serves [HOST]; choose another recipe or other `hosts` in the settings
    ");
}

#[test]
fn a_version_that_does_not_exist() {
    let project = Project::new();
    project.settings("rust = { version = \"1.97\" }\n");
    assert_snapshot!(project.xprov(&format!("-q lock --target {TARGET}")), @r"
    exit 2
    --- stderr
    error: recipe `fake-rust` has no cargo 1.97 for host [HOST]

      help: see what there is with `xprov recipes show fake-rust`
    ");
    assert!(!project.project.join("toolchains.lock").exists());
}

#[test]
fn a_target_that_is_not_locked() {
    let mut project = Project::locked();
    project.sandbox().redactor.know(other_host(), "[OTHER-HOST]");
    assert_snapshot!(project.xprov(&format!("restore --target {}", other_host())), @r"
    exit 2
    --- stderr
    error: the lock has nothing for target `[OTHER-HOST]`

      help: add it with `xprov lock --target [OTHER-HOST]`
    ");
}
