//! `rust = "system"`: the machine's compiler in the lock, what changes it, and what is refused. The
//! machine's Rust is a directory of scripts on the user's PATH.

use std::fs;
use std::path::PathBuf;

use insta::assert_snapshot;

use super::{DATE, publish, serve};
use crate::support::archive_fixture::{TARGET, VERSIONS};
use crate::support::executable::script;
use crate::support::project::Project;
use crate::support::sandbox::host;

const VERSION: &str = VERSIONS[0];

/// Where the machine's Rust is.
fn sysroot(project: &Project) -> PathBuf {
    project.root().join("machine")
}

/// Installs a compiler that says so of itself.
fn install(project: &Project, says: &str) {
    let sysroot = sysroot(project);
    let std = sysroot.join("lib/rustlib").join(host()).join("lib");
    for dir in [&sysroot.join("bin"), &std] {
        fs::create_dir_all(dir).expect("a directory");
    }
    let host = host();
    let (version, _) = says.split_once(' ').expect("a version and more");
    let text = format!("printf 'rustc {says}\\nhost: {host}\\nrelease: {version}\\n'");
    for name in ["rustc", "rustdoc"] {
        script(&sysroot.join("bin").join(name), &text);
    }
    let metadata = "{ \"packages\": [] }";
    let cargo = format!(
        "for word; do\n[ \"$word\" != metadata ] || exec echo '{metadata}'\ndone\necho \"cargo runs \
         $1\" >&2\n[ \"$1\" != build ] || $RUSTC"
    );
    script(&sysroot.join("bin/cargo"), &cargo);
    fs::write(std.join("libstd.rlib"), says).expect("written");
}

fn commit(version: &str) -> String {
    format!("{version} (0123abcd {DATE})")
}

/// A project that takes the machine's Rust, a release of which is on its server.
fn project() -> Project {
    let mut project = Project::new();
    serve(&project, VERSION, &publish(&project, VERSION));
    install(&project, &commit(VERSION));
    let bin = sysroot(&project).join("bin");
    project.sandbox().set("PATH", &bin.to_string_lossy());
    settings(&project, "rust = \"system\"");
    project
}

fn settings(project: &Project, lines: &str) {
    settings_for(project, &[&host()], lines);
}

fn settings_for(project: &Project, hosts: &[&str], lines: &str) {
    let mirror = project.server().url("/dist");
    project.settings(&format!(
        "targets = [\"{TARGET}\"]\nhosts = {hosts:?}\n{lines}\nmirrors = {{ rust = \
         [\"{mirror}\"] }}\n"
    ));
}

/// How many environments there are.
fn environments(project: &Project) -> usize {
    let envs = project.store_names("envs");
    envs.iter().filter(|name| !name.contains('.')).count()
}

#[test]
fn the_compiler_is_named_in_the_lock_and_only_the_std_is_fetched() {
    let project = project();
    assert_snapshot!(project.xprov("lock"), @r#"
    exit 0
    --- stdout
    + gcc 12.2.0 ([HOST] for armv7-unknown-linux-gnueabihf)
    + gcc 12.2.0 ([HOST] for [HOST])
    + qemu 7.2.0 ([HOST])
    + rust-std 1.95.0 ([HOST] for armv7-unknown-linux-gnueabihf)
    + rustc 1.95.0 ([HOST])
    + tools 1.0.0 ([HOST])
    --- stderr
    note: impure: Rust is this machine's own, rustc 1.95.0 (0123abcd 2026-04-16) in [ROOT]/machine, as `rust = "system"` asks; another machine may have another one
       Resolving std of rustc 1.95.0 (0123abcd 2026-04-16)
    note: rust-system 1.95.0: the server has no signature of the release manifest; its digest, from the same server, is all that attests it
       Resolving fake-gcc-arm for armv7-unknown-linux-gnueabihf
       Resolving fake-gcc-host for [HOST]
       Resolving fake-qemu for armv7-unknown-linux-gnueabihf
       Resolving fake-tools
           Wrote toolchains.lock (6 toolchain entries)
    "#);
    let lock = project.read("toolchains.lock");
    let rust = lock.split("\n\n").filter(|entry| entry.contains("rust-system"));
    let rust: Vec<&str> = rust.filter(|entry| entry.starts_with("[[entry]]")).collect();
    let redacted = project.redactor.apply(&rust.join("\n\n"));
    assert_snapshot!(redacted, @r#"
    [[entry]]
    name = "rust-std"
    version = "1.95.0"
    host = "[HOST]"
    target = "armv7-unknown-linux-gnueabihf"
    slot = "rust"
    recipe = "rust-system"
    authenticated = "published-digest"
    artifacts = [
      { name = "rust-std", version = "1.95.0", rust-dist = "2026-04-16/rust-std-1.95.0-armv7-unknown-linux-gnueabihf.tar.xz", sha256 = "[DIGEST]", unpack = { strip = 1, keep = "rust-std-armv7-unknown-linux-gnueabihf" } },
    ]

    [[entry]]
    name = "rustc"
    version = "1.95.0"
    host = "[HOST]"
    slot = "rust"
    recipe = "rust-system"
    authenticated = "impure"
    identity = { says = "rustc 1.95.0 (0123abcd 2026-04-16)", digest = "[DIGEST]" }
    "#);
    assert!(!lock.contains(&*project.root().to_string_lossy()), "{lock}");
    assert_snapshot!(project.xprov("--locked build"), @r#"
    exit 0
    --- stdout
    rustc 1.95.0 (0123abcd 2026-04-16)
    host: [HOST]
    release: 1.95.0
    --- stderr
    note: toolchains are kept in [XPROV_HOME] (0 MB to fetch, unpacked about six times that); XPROV_HOME moves it, deleting it undoes everything
       Composing rust
       Composing cc-arm-linux-gnueabihf
       Composing cc-[HOST-PREFIX]
       Composing runner
       Composing tools
        Restored 5 objects: 0 MB downloaded, 0 reused
    note: impure: Rust is this machine's own, rustc 1.95.0 (0123abcd 2026-04-16) in [ROOT]/machine, as `rust = "system"` asks; another machine may have another one
        Fetching crates for Cargo.toml
    cargo runs fetch
    cargo runs build
    "#);
    // Nothing of it is asked for again.
    let requests = project.requests();
    project.xprov("lock").ok();
    project.xprov("--frozen build").ok();
    assert_eq!(project.requests(), requests);
    let why = project.xprov("why rustc");
    assert!(why.stdout.contains("impure: rustc 1.95.0 (0123abcd"), "{why:?}");
    let doctor = project.xprov("doctor");
    assert!(doctor.stdout.contains("rust = \"system\""), "{doctor:?}");
}

#[test]
fn another_compiler_is_drift_and_another_environment() {
    let project = project();
    project.xprov("-q build").ok();
    assert_eq!(environments(&project), 1);
    // The same version, and one file that is another.
    let std = sysroot(&project).join("lib/rustlib").join(host()).join("lib/libstd.rlib");
    fs::write(&std, "patched").expect("written");
    assert_snapshot!(project.xprov("--locked build"), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      rustc 1.95.0 ([HOST]): the lock says rustc 1.95.0 (0123abcd 2026-04-16), files [HASH]; this machine has rustc 1.95.0 (0123abcd 2026-04-16), files [HASH]

      help: run `xprov lock` and commit toolchains.lock
    ");
    let refused = project.xprov("restore");
    assert_eq!(refused.code, Some(3), "{refused:?}");
    project.xprov("-q build").ok();
    assert_eq!(environments(&project), 2);
    // Another version, which the server has, too.
    serve(&project, VERSIONS[1], &publish(&project, VERSIONS[1]));
    install(&project, &commit(VERSIONS[1]));
    assert_snapshot!(project.xprov("--locked lock"), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      rustc 1.95.0 ([HOST]): the lock says rustc 1.95.0 (0123abcd 2026-04-16), files [HASH]; this machine has rustc 1.96.0 (0123abcd 2026-04-16), files [HASH]

      help: run `xprov lock` and commit toolchains.lock
    ");
    project.xprov("-q lock").ok();
    assert!(project.read("toolchains.lock").contains("rust-std-1.96.0-"));
    // What was there before is there again.
    install(&project, &commit(VERSION));
    project.xprov("-q build").ok();
    assert_eq!(environments(&project), 2, "the first one is used again");
}

#[test]
fn nothing_else_stands_in_for_the_std_of_the_compiler() {
    let project = project();
    // A distribution's own build of the same version.
    install(&project, &format!("{} (built from a source tarball)", commit(VERSION)));
    assert_snapshot!(project.xprov("lock"), @r#"
    exit 2
    --- stderr
    note: impure: Rust is this machine's own, rustc 1.95.0 (0123abcd 2026-04-16) (built from a source tarball) in [ROOT]/machine, as `rust = "system"` asks; another machine may have another one
       Resolving std of rustc 1.95.0 (0123abcd 2026-04-16) (built from a source tarball)
    error: there is no std for `armv7-unknown-linux-gnueabihf` of exactly this machine's rustc 1.95.0 (0123abcd 2026-04-16) (built from a source tarball); looked for in:
      Rust's releases: 1.95.0 is rustc 1.95.0 (0123abcd 2026-04-16)
      `[ROOT]/machine/lib/rustlib/armv7-unknown-linux-gnueabihf`: is not there

      help: `rustup target add armv7-unknown-linux-gnueabihf` or your system's package brings it, or take `rust = "system"` out of the settings, and xprov brings its own
    "#);
    // One that it has itself is as impure as it is.
    let own = sysroot(&project).join("lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&own).expect("a directory");
    fs::write(own.join("libstd.rlib"), "own").expect("written");
    let locked = project.xprov("lock").ok();
    assert!(locked.stderr.contains("is this machine's own, too"), "{locked:?}");
    assert_eq!(project.read("toolchains.lock").matches("\"impure\"").count(), 2);
    project.xprov("-q --locked build").ok();
    fs::write(own.join("libstd.rlib"), "other").expect("written");
    assert_eq!(project.xprov("--locked build").code, Some(3));
    // No release of that version at all.
    fs::remove_dir_all(own).expect("removed");
    install(&project, "1.94.0 (0123abcd 2026-03-01)");
    assert_snapshot!(project.xprov("-q lock"), @r#"
    exit 2
    --- stderr
    error: there is no std for `armv7-unknown-linux-gnueabihf` of exactly this machine's rustc 1.94.0 (0123abcd 2026-03-01); looked for in:
      Rust's releases: there is no Rust 1.94.0 at http://127.0.0.1:[PORT]/dist
      `[ROOT]/machine/lib/rustlib/armv7-unknown-linux-gnueabihf`: is not there

      help: `rustup target add armv7-unknown-linux-gnueabihf` or your system's package brings it, or take `rust = "system"` out of the settings, and xprov brings its own
    "#);
}

#[test]
fn what_cannot_be_had_is_said() {
    let mut project = project();
    assert_snapshot!(project.xprov("-q lock --require-signed"), @r#"
    exit 5
    --- stderr
    error: these entries are parts of this machine, which nobody can sign, and --require-signed refuses that:
      rustc 1.95.0 ([HOST])

      help: take `rust = "system"` out of the settings: pinned Rust is signed
    "#);
    settings(&project, "rust = { version = \"1.96\", recipe = \"rust-system\" }");
    assert_snapshot!(project.xprov("-q lock"), @r#"
    exit 2
    --- stderr
    error: the settings ask for Rust 1.96, and this machine has rustc 1.95.0 (0123abcd 2026-04-16)

      help: install that version, or correct `rust.version` in the settings, or take `rust = "system"` out of the settings, and xprov brings its own
    "#);
    settings(&project, "rust = { version = \"system\", components = [\"clippy\"] }");
    assert_snapshot!(project.xprov("-q lock"), @r"
    exit 2
    --- stderr
    error: the Rust of this machine has no clippy

      help: `rustup component add clippy` or your system's package brings it
    ");
    settings(&project, "rust = \"system\"");
    fs::remove_file(sysroot(&project).join("bin/rustdoc")).expect("removed");
    assert_snapshot!(project.xprov("-q lock"), @r#"
    exit 6
    --- stderr
    error: the Rust of this machine is incomplete: there is no `[ROOT]/machine/bin/rustdoc`

      help: install Rust with cargo, say with rustup, or take `rust = "system"` out of the settings, and xprov brings its own
    "#);
    let path = project.root().join("path");
    project.sandbox().set("PATH", &path.to_string_lossy());
    assert_snapshot!(project.xprov("-q lock"), @r#"
    exit 6
    --- stderr
    error: `rust = "system"` asks for this machine's Rust, and there is no rustc on your PATH

      help: install Rust with cargo, say with rustup, or take `rust = "system"` out of the settings, and xprov brings its own
    "#);
    script(&path.join("rustc"), "echo 'no toolchain is installed' >&2; exit 1");
    assert_snapshot!(project.xprov("-q lock"), @r#"
    exit 6
    --- stderr
    error: `[ROOT]/path/rustc --print sysroot` failed: no toolchain is installed

      help: see what `rustc --print sysroot` says in the project's directory, or take `rust = "system"` out of the settings, and xprov brings its own
    "#);
}

#[test]
fn a_proxy_is_asked_where_the_compiler_is_and_the_answer_is_remembered() {
    let mut project = project();
    let path = project.root().join("path");
    let count = project.root().join("asked");
    let proxy = format!(
        "echo asked >> {}\n[ \"$1 $2\" = '--print sysroot' ] && echo {}",
        count.display(),
        sysroot(&project).display()
    );
    script(&path.join("rustc"), &proxy);
    project.sandbox().set("PATH", &path.to_string_lossy());
    for _ in 0..2 {
        project.xprov("-q build").ok();
    }
    let asked = || fs::read_to_string(&count).expect("asked").lines().count();
    assert_eq!(asked(), 1);
    // What the proxy decides by.
    project.write("rust-toolchain.toml", "[toolchain]\nchannel = \"1.95.0\"\n");
    project.xprov("-q build").ok();
    assert_eq!(asked(), 2);
    // In an environment the first rustc is a shim.
    let inside = project.xprov("-q exec -- cargo build");
    assert!(inside.stderr.contains("cargo runs build"), "{inside:?}");
}

#[test]
fn other_machines_keep_their_entries() {
    let project = project();
    let other = "aarch64-apple-darwin";
    for recipe in ["gcc-arm", "gcc-host", "tools", "qemu"] {
        let from = format!("hosts = [\"{}\"]", host());
        let to = format!("hosts = [\"{}\", \"{other}\"]", host());
        project.edit(&format!("recipes/fake-{recipe}.toml"), &from, &to);
    }
    let targets = format!("targets = [\"{TARGET}\", \"{other}\"]");
    let from = format!("targets = [\"{}\"]", host());
    project.edit("recipes/fake-gcc-host.toml", &from, &targets.replace(TARGET, &host()));
    let gcc = format!("target = \"{}\"", host());
    project.edit("recipes/fake-gcc-host.toml", &gcc, "");
    settings_for(&project, &[&host(), other], "rust = \"system\"");
    project.xprov("-q lock").ok();
    let lock = project.read("toolchains.lock");
    assert_eq!(lock.matches("\"impure\"").count(), 1, "{lock}");
    // As the other machine writes it.
    let rustc = lock.split("\n\n").find(|entry| entry.contains("name = \"rustc\""));
    let theirs = rustc.expect("an entry").replace(&host(), other);
    project.write("toolchains.lock", format!("{lock}\n{theirs}\n"));
    for command in ["--locked build", "lock", "update"] {
        project.xprov(&format!("-q {command}")).ok();
        let lock = project.read("toolchains.lock");
        assert!(lock.contains(theirs.trim()), "{command}: {lock}");
    }
    project.xprov("-q --locked build").ok();
}
