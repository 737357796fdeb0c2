//! Command lines that make no sense: exit code 2.

use insta::assert_snapshot;

use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;
use crate::support::sandbox::{Sandbox, host};

#[test]
fn an_unknown_option_names_the_nearest() {
    assert_snapshot!(Sandbox::new().xprov("restore --manifest-pth Cargo.toml"), @r"
    exit 2
    --- stderr
    error: unexpected argument '--manifest-pth' found

      tip: a similar argument exists: '--manifest-path'

    Usage: xprov restore --manifest-path <PATH>

    For more information, try '--help'.
    ");
}

#[test]
fn an_unknown_verb_names_the_nearest() {
    assert_snapshot!(Sandbox::new().xprov("biuld --release"), @r"
    exit 2
    --- stderr
    error: unrecognized subcommand 'biuld'

      tip: a similar subcommand exists: 'build'

    Usage: xprov [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn without_a_verb_help_is_an_error() {
    let outcome = Sandbox::new().xprov("");
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("Usage: xprov"), "{outcome}");
}

#[test]
fn cargo_needs_a_command() {
    assert_snapshot!(Project::new().xprov("cargo --"), @r"
    exit 2
    --- stderr
    error: there is no cargo command

      help: say for example `xprov cargo -- tree`
    ");
}

#[test]
fn run_takes_one_target() {
    let line = format!("run --target {TARGET} --target {}", host());
    assert_snapshot!(Project::new().xprov(&line), @r"
    exit 2
    --- stderr
    error: `run` takes one target, and there are 2

      help: name one with --target TRIPLE
    ");
}

#[test]
fn a_toolchain_argument_says_what_to_write_instead() {
    let project = Project::new();
    assert_snapshot!(project.xprov("cargo -- +1.90.0 build"), @r#"
    exit 2
    --- stderr
    error: `+1.90.0` cannot choose a toolchain here: the lockfile pins it

      help: say it in the settings: rust = "1.90.0"
    "#);
    assert_snapshot!(project.xprov("cargo -- +nightly build"), @r#"
    exit 2
    --- stderr
    error: `+nightly` cannot choose a toolchain here: the lockfile pins it

      help: say it in the settings: rust = "VERSION"
    "#);
}

#[test]
fn an_option_without_its_value() {
    assert_snapshot!(Project::new().xprov("build --profile"), @r"
    exit 2
    --- stderr
    error: `--profile` needs a value
    ");
}

#[test]
fn there_is_no_project() {
    let sandbox = Sandbox::new();
    for line in ["build", "lock", "restore", "env", "exec true"] {
        assert_eq!(sandbox.xprov(line), sandbox.xprov("build"), "{line}");
    }
    assert_snapshot!(sandbox.xprov("build"), @r"
    exit 2
    --- stderr
    error: no cargo project: no Cargo.toml in `[PROJECT]` or above it

      help: run it in a project, or name one with --manifest-path PATH
    ");
    assert_snapshot!(sandbox.xprov("build --manifest-path elsewhere/Cargo.toml"), @r"
    exit 2
    --- stderr
    error: there is no manifest at `[PROJECT]/elsewhere/Cargo.toml`

      help: name a Cargo.toml with --manifest-path PATH
    ");
    assert!(!sandbox.xprov_home.exists(), "nothing was created");
}

#[test]
fn nothing_has_that_name() {
    let project = Project::new();
    assert_snapshot!(project.xprov("recipes show fake-gcc"), @r"
    exit 2
    --- stderr
    error: no recipe is named `fake-gcc`

      help: there are apple-clang, arm-gnu, bootlin, cmake, cmake-release, fake-gcc-arm, fake-gcc-host, fake-qemu, fake-rust, fake-tools, gcc-aarch64-linux-gnu, gcc-aarch64-linux-musl, gcc-arm-linux-gnueabihf, gcc-arm-linux-musleabihf, gcc-[HOST-PREFIX], gcc-x86_64-linux-musl, lld, macos-cross, macos-tools, musl-cc, musl-cross, ninja, ninja-release, perl, posix-tools, protoc, protoc-release, qemu-user, rust-debian, rust-dist, rust-release, rust-system, zig, zig-release
    ");
    assert_snapshot!(project.xprov("store path fake-gcc"), @r"
    exit 2
    --- stderr
    error: no object in the store is named `fake-gcc`
    ");
}

#[test]
fn what_cannot_be_verified() {
    let sandbox = Sandbox::new();
    sandbox.write("notes.txt", "no program\n");
    assert_snapshot!(sandbox.xprov("verify missing"), @r"
    exit 2
    --- stderr
    error: no file is named `missing`
    ");
    assert_snapshot!(sandbox.xprov("verify notes.txt"), @r"
    exit 2
    --- stderr
    error: cannot inspect `notes.txt`
      caused by: not a program or library

      help: name an executable or a shared library
    ");
    assert_snapshot!(sandbox.xprov("verify --max-glibc new notes.txt"), @r"
    exit 2
    --- stderr
    error: `new` is not a glibc version such as `2.31`

      help: say for example --max-glibc 2.31
    ");
}

#[test]
fn errors_for_machines_are_one_object_a_line() {
    let project = Project::new();
    assert_snapshot!(project.xprov("--json restore"), @r#"
    exit 2
    --- stderr
    {"reason":"error","kind":"input","message":"there is no toolchains.lock","causes":[],"help":["run `xprov lock` and commit toolchains.lock"]}
    "#);
    assert_snapshot!(project.xprov("--json lock --target linux/arm64/v9"), @r#"
    exit 2
    --- stderr
    {"reason":"error","kind":"input","message":"unknown target `linux/arm64/v9`","causes":[],"help":["known targets are aarch64-apple-darwin, aarch64-unknown-linux-gnu, aarch64-unknown-linux-musl, armv7-unknown-linux-gnueabihf, armv7-unknown-linux-musleabihf, i686-unknown-linux-gnu, i686-unknown-linux-musl, x86_64-apple-darwin, x86_64-pc-windows-gnu, [HOST], x86_64-unknown-linux-musl"]}
    "#);
}

#[test]
fn a_directory_that_does_not_exist() {
    assert_snapshot!(Sandbox::new().xprov("-C nowhere build"), @r"
    exit 2
    --- stderr
    error: no cargo project: no Cargo.toml in `[PROJECT]/nowhere` or above it

      help: run it in a project, or name one with --manifest-path PATH
    ");
}

#[test]
fn a_toolchain_as_rustup_takes_it() {
    assert_snapshot!(Sandbox::new().xprov("+nightly build"), @r#"
    exit 2
    --- stderr
    error: `+nightly` cannot choose a toolchain: toolchains.lock pins it

      help: say it in the settings: rust = "VERSION"
    "#);
}
