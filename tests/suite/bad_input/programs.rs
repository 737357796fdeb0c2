//! Programs that cannot be put together, do not run, or are not there.

use insta::assert_snapshot;

use crate::support::archive_fixture::{TARGET, tar_gz};
use crate::support::project::Project;
use crate::support::sandbox::Outcome;

/// What `restore` says when one archive has other contents.
fn with(name: &str, files: &[(&str, u32, &str)]) -> Outcome {
    let mut project = Project::locked();
    project.replace(name, tar_gz(files));
    let outcome = project.xprov("-q restore");
    assert_eq!(project.leftovers(), [""; 0]);
    outcome
}

#[test]
fn a_compiler_that_does_not_run_here() {
    let broken = "#!/bin/sh\necho 'not for this machine' >&2\nexit 1\n";
    assert_snapshot!(with("rustc", &[("usr/bin/rustc", 0o755, broken)]), @r#"
    exit 6
    --- stderr
    error: the pinned program `[XPROV_HOME]/v1/compositions/[ID]-rust/usr/bin/rustc` does not run on this machine: not for this machine

      help: choose another version in the settings, say `rust = { version = "1.85" }`
    "#);
    assert_snapshot!(with("rustc", &[("usr/bin/rustc", 0o755, "\x7fELF")]), @r#"
    exit 6
    --- stderr
    error: the pinned program `[XPROV_HOME]/v1/compositions/[ID]-rust/usr/bin/rustc` does not run on this machine: Exec format error (os error 8)

      help: choose another version in the settings, say `rust = { version = "1.85" }`
    "#);
}

#[test]
fn a_compiler_that_is_not_in_its_archive() {
    assert_snapshot!(with("rustc", &[("usr/bin/other", 0o755, "")]), @r#"
    exit 6
    --- stderr
    error: the pinned program `[XPROV_HOME]/v1/compositions/[ID]-rust/usr/bin/rustc` does not run on this machine: No such file or directory (os error 2)

      help: choose another version in the settings, say `rust = { version = "1.85" }`
    "#);
}

#[test]
fn two_archives_with_different_files_of_one_name() {
    assert_snapshot!(with("cargo", &[("usr/bin/rustc", 0o755, "another\n")]), @r"
    exit 5
    --- stderr
    error: a toolchain cannot be composed
      caused by: `usr/bin/rustc` is different in cargo-1.96.0 and in rustc-1.96.0

      help: correct the recipe, or choose another version of it
    ");
}

#[test]
fn a_command_that_does_not_exist() {
    let project = Project::locked();
    project.xprov("-q restore").ok();
    let exec = |command: &str| project.xprov(&format!("-q exec --target {TARGET} {command}"));
    assert_snapshot!(exec("frobnicate"), @r"
    exit 127
    --- stderr
    error: cannot run `frobnicate`
      caused by: No such file or directory (os error 2)

      help: only programs of the environment are found by name; `./NAME` is one that is here
    ");
    // The machine's own programs are not in the environment.
    assert_snapshot!(exec("ls"), @r"
    exit 127
    --- stderr
    error: cannot run `ls`
      caused by: No such file or directory (os error 2)

      help: only programs of the environment are found by name; `./NAME` is one that is here
    ");
    assert_snapshot!(exec("./frobnicate"), @r"
    exit 127
    --- stderr
    error: cannot run `./frobnicate`
      caused by: No such file or directory (os error 2)

      help: there is no such file, or what its first line names is not there
    ");
}

#[test]
fn a_command_that_cannot_be_run() {
    let project = Project::locked();
    project.write("notes.txt", "no program\n");
    let exec = |command: &str| project.xprov(&format!("-q exec --target {TARGET} {command}"));
    assert_snapshot!(exec("data"), @r"
    exit 126
    --- stderr
    error: cannot run `data`
      caused by: Permission denied (os error 13)

      help: name an executable file
    ");
    assert_snapshot!(exec("./notes.txt"), @r"
    exit 126
    --- stderr
    error: cannot run `./notes.txt`
      caused by: Permission denied (os error 13)

      help: name an executable file
    ");
}

#[test]
fn cargo_cannot_fetch() {
    let mut project = Project::locked();
    let cargo = "#!/bin/sh\necho 'no such crate' >&2\nexit 101\n";
    project.replace("cargo", tar_gz(&[("usr/bin/cargo", 0o755, cargo)]));
    assert_snapshot!(project.xprov(&format!("-q build --target {TARGET}")), @r"
    exit 4
    --- stderr
    no such crate
    error: cargo could not fetch the dependencies of this project

      help: see what cargo says above; `xprov cargo -- fetch` repeats it
    ");
    assert_snapshot!(project.xprov(&format!("-q build --offline --target {TARGET}")), @r"
    exit 4
    --- stderr
    no such crate
    error: cargo could not fetch the dependencies of this project

      help: run the command once without --offline, so that cargo's registry is filled
    ");
}
