//! `shell` and `env` with the machine's own sh and bash: what a user's startup files cannot undo,
//! and what of the user's stays.

use std::fs::{self, File};
use std::process::Command;

use insta::assert_snapshot;

use crate::support::archive_fixture::TARGET;
use crate::support::executable::copy;
use crate::support::project::Project;
use crate::support::sandbox::{Outcome, XPROV, state};

/// What a user's startup file may do to an environment.
const HOSTILE: &str = "\
export PATH=/tmp/theirs:$PATH
export CC=clang CFLAGS=-O9 RUSTC_WRAPPER=cache CC_armv7_unknown_linux_gnueabihf=theirs
alias cargo='echo their alias'
rustc() { echo their function; }
alias mine='echo my alias'
export MINE=1
";

/// What a session asks, and how it ends.
const QUESTIONS: &str = "\
command -v cargo rustc
echo \"${CC-none} ${CFLAGS-none} ${RUSTC_WRAPPER-none}\"
echo \"$CC_armv7_unknown_linux_gnueabihf\"
echo \"$HOME $MINE $XPROV_TARGET $XPROV_SHLVL\"
mine
exit 7
";

fn restored() -> Project {
    let project = Project::locked();
    project.xprov(&format!("-q restore --target {TARGET}")).ok();
    project
}

/// Runs a session of `xprov shell` that reads `input`.
fn session(project: &Project, arguments: &[&str], input: &str) -> Outcome {
    project.write("../input", input);
    let mut command = project.command(&[&["-q", "shell", "--target", TARGET], arguments].concat());
    command.stdin(File::open(project.root().join("input")).expect("the input"));
    project.run(command)
}

#[test]
fn the_startup_files_of_bash_cannot_undo_it() {
    let mut project = restored();
    project.sandbox().set("SHELL", "/bin/bash");
    project.write("../home/.bashrc", format!("{HOSTILE}PROMPT_COMMAND='PS1=\"$PWD > \"'\n"));
    let outcome = session(&project, &["--", "-i"], QUESTIONS);
    assert!(outcome.stderr.contains("(xprov:armv7-gnueabihf) [PROJECT] > "), "{outcome}");
    assert_eq!(outcome.code, Some(7), "{outcome}");
    assert_snapshot!(outcome.stdout, @r"
    [XPROV_HOME]/v1/envs/[ENV-ID]/bin/cargo
    [XPROV_HOME]/v1/envs/[ENV-ID]/bin/rustc
    none none none
    [XPROV_HOME]/v1/envs/[ENV-ID]/bin/arm-linux-gnueabihf-gcc
    [HOME] 1 armv7-unknown-linux-gnueabihf 1
    my alias
    ");
    let counted = "set -u\nPROMPT_COMMAND='PS1=\"> \"'\n";
    for rc in [counted, "set -u\nPS1='> '\n", "PROMPT_COMMAND=('A=1' 'PS1=\"> \"')\n"] {
        project.write("../home/.bashrc", rc);
        let outcome = session(&project, &["--", "-i"], "exit\n").ok();
        assert!(outcome.stderr.contains("(xprov:armv7-gnueabihf) > "), "{rc}: {outcome}");
        assert!(!outcome.stderr.contains("unbound"), "{rc}: {outcome}");
    }
    project.write("../home/.bashrc", "PS1=\"$PWD > \"\n");
    project.sandbox().set("XPROV_NO_PROMPT", "1");
    let outcome = session(&project, &["--", "-i"], "exit\n").ok();
    assert!(
        outcome.stderr.contains("[PROJECT] > ") && !outcome.stderr.contains("(xprov"),
        "{outcome}"
    );
}

#[test]
fn neither_can_those_of_other_shells_of_the_family() {
    let mut project = restored();
    for (shell, variable, arguments) in [
        ("/bin/sh", "ENV", &["--", "-i"][..]),
        ("/bin/bash", "BASH_ENV", &["--", "-c", "shopt -s expand_aliases; . /dev/stdin"]),
    ] {
        project.sandbox().set("SHELL", shell);
        let file = project.root().join("startup");
        project.sandbox().set(variable, &file.to_string_lossy());
        fs::write(&file, HOSTILE).expect("written");
        let script = QUESTIONS.replace("mine\n", "").replace("exit", "echo ${ENV-$BASH_ENV}; exit");
        let outcome = session(&project, arguments, &script);
        assert_eq!(outcome.code, Some(7), "{outcome}");
        let expected = "[XPROV_HOME]/v1/envs/[ENV-ID]/bin/cargo\n";
        assert!(outcome.stdout.starts_with(expected), "{shell}: {outcome}");
        let expected = "none none none\n[XPROV_HOME]/v1/envs/[ENV-ID]/bin/arm-linux-gnueabihf-gcc\n\
                        [HOME] 1 armv7-unknown-linux-gnueabihf 1\n[ROOT]/startup\n";
        assert!(outcome.stdout.ends_with(expected), "{shell}: {outcome}");
        project.sandbox().unset(variable);
    }
}

#[test]
fn a_shell_keeps_what_is_the_users() {
    let mut project = restored();
    for (name, value) in [
        ("SHELL", "/bin/sh"),
        ("EDITOR", "ed"),
        ("LC_ALL", "C.UTF-8"),
        ("TMPDIR", "/their/tmp"),
        ("CARGO_TARGET_DIR", "/their/target"),
        ("MAKEFLAGS", "-j9"),
        ("PATH", "/their/bin"),
    ] {
        project.sandbox().set(name, value);
    }
    let line = "umask; echo \"$EDITOR $LC_ALL ${TZ-none} $TMPDIR $CARGO_TARGET_DIR\n\
                ${MAKEFLAGS-none} $PATH\"";
    let command = format!("umask 027 && exec {XPROV} -q shell --target {TARGET} -- -c '{line}'");
    let mut shell = Command::new("/bin/sh");
    project.dress(&mut shell);
    shell.args(["-c", &command]);
    // The build directory is below the target directory.
    let target = project.root().join("target");
    shell.env("CARGO_TARGET_DIR", &target);
    assert_snapshot!(project.run(shell).ok(), @r"
    exit 0
    --- stdout
    0027
    ed C.UTF-8 none /their/tmp [ROOT]/target
    none [XPROV_HOME]/v1/envs/[ENV-ID]/bin:/their/bin
    ");
}

#[test]
fn environments_do_not_nest() {
    let mut project = restored();
    project.sandbox().set("SHELL", "/bin/sh");
    let again = format!(
        "{XPROV} shell; echo $?; {XPROV} shell -- -c 'exit 5'; echo $?\n\
         {XPROV} shell --target x86_64-unknown-linux-musl; echo $?\n"
    );
    assert_snapshot!(session(&project, &[], &again), @r"
    exit 0
    --- stdout
    0
    5
    2
    --- stderr
    note: this shell is in environment [ENV-ID] for armv7-unknown-linux-gnueabihf already
    error: this shell is in the environment for armv7-unknown-linux-gnueabihf, and another is asked for: x86_64-unknown-linux-musl

      help: leave this one first: `exit`
    ");
    // The same target, and another environment.
    project.settings("env.set = { GREETING = \"hello\" }\n");
    let other = format!("XPROV_ENV_ID=0123456789abcdee {XPROV} -q shell; exit $?\n");
    assert_snapshot!(session(&project, &[], &other), @r"
    exit 2
    --- stderr
    error: this shell is in the environment for armv7-unknown-linux-gnueabihf ([ENV-ID]), and another is asked for: [ENV-ID]

      help: leave this one first: `exit`
    ");
}

#[test]
fn a_shell_that_is_not_known_or_not_there() {
    let mut project = restored();
    let shell = project.root().join("xonsh");
    copy("/bin/sh".as_ref(), &shell);
    project.sandbox().set("SHELL", &shell.to_string_lossy());
    let run = |project: &Project| project.xprov(&format!("shell --target {TARGET}"));
    assert_snapshot!(run(&project), @r"
    exit 0
    --- stderr
    note: the startup files of `[ROOT]/xonsh` come last: they may undo parts of this
    note: environment [ENV-ID] for armv7-unknown-linux-gnueabihf; `exit` leaves it
    ");
    project.sandbox().set("SHELL", "/nowhere/bash");
    assert_snapshot!(run(&project), @r"
    exit 127
    --- stderr
    note: environment [ENV-ID] for armv7-unknown-linux-gnueabihf; `exit` leaves it
    error: cannot start your shell, `/nowhere/bash`
      caused by: No such file or directory (os error 2)

      help: set SHELL to the shell that you want
    ");
}

#[test]
fn in_a_hook_of_direnv_nothing_is_fetched_or_locked() {
    let mut project = Project::new();
    project.sandbox().set("DIRENV_IN_ENVRC", "1");
    let run = |project: &Project| project.xprov(&format!("env --target {TARGET}"));
    assert_snapshot!(run(&project), @r"
    exit 3
    --- stderr
    error: there is no toolchains.lock, and --locked keeps it from being written

      help: run `xprov lock --target armv7-unknown-linux-gnueabihf` and commit toolchains.lock
    ");
    project.sandbox().unset("DIRENV_IN_ENVRC");
    project.xprov(&format!("lock --target {TARGET}")).ok();
    project.sandbox().set("DIRENV_IN_ENVRC", "1");
    let before = project.requests();
    let outcome = run(&project);
    assert_eq!(outcome.code, Some(4), "{outcome}");
    assert!(outcome.stderr.contains("help: run `xprov restore`"), "{outcome}");
    assert_eq!(project.requests(), before);
    project.xprov(&format!("-q restore --target {TARGET}")).ok();
    assert!(run(&project).ok().stdout.contains("export PATH="));
}

#[test]
fn the_files_of_an_environment() {
    let project = restored();
    let write = || project.xprov(&format!("env --target {TARGET} --write")).ok().stderr;
    assert_snapshot!(write(), @"wrote env.sh, env.fish, env.json, env.dotenv, env.github, env.github-path, cargo-config.toml in .xprov");
    assert_eq!(project.read(".xprov/.gitignore"), "*\n");
    let before = state(&project.project.join(".xprov"));
    assert_eq!(write(), ".xprov is up to date (7 files)\n");
    assert_eq!(state(&project.project.join(".xprov")), before);
    project.write(".xprov/env.sh", "old");
    assert_eq!(write(), "wrote env.sh in .xprov\n");
    let printed = project.xprov(&format!("-q env --target {TARGET}")).ok().stdout;
    assert_eq!(project.redactor.apply(&project.read(".xprov/env.sh")), printed);
    let outcome = project.xprov(&format!("env --target {TARGET} --write --format sh"));
    assert_eq!(outcome.code, Some(2), "{outcome}");
}
