//! `doctor`: what would have leaked, on a machine full of sins and on one without.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;
use crate::support::sandbox::{Outcome, Sandbox, state};

/// Writes a file and its directories.
fn write(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs::write(path, text).expect("a file");
}

/// The findings of an area: `weight what @ place…`.
fn found(outcome: &Outcome, area: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(document["schema"], "xprov/doctor/v1");
    assert_eq!(document["clean"], outcome.code == Some(0));
    let findings = document["findings"].as_array().expect("a list").iter();
    let line = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().expect(key).to_owned();
        for key in ["effect", "guard", "help"] {
            assert!(!text(key).is_empty(), "{finding}");
        }
        let mut line = format!("{} {}", text("weight"), text("what"));
        for place in finding["places"].as_array().expect("a list") {
            let _ = write!(line, " @ {}", place["path"].as_str().expect("a path"));
            if let Some(number) = place["line"].as_u64() {
                let _ = write!(line, ":{number}");
            }
        }
        line
    };
    findings.filter(|finding| finding["area"] == area).map(line).collect()
}

/// The text without what this machine has.
fn text(outcome: &Outcome) -> String {
    let machine = outcome.stdout.split("Programs and libraries").next().unwrap_or_default();
    format!("exit {}\n{machine}", outcome.code.expect("a code"))
}

#[test]
fn a_clean_machine_has_no_leak_and_nothing_is_touched() {
    let project = Project::locked();
    let requests = project.requests();
    let before = state(&project.root());
    let outcome = project.xprov("--json doctor").ok();
    for area in ["variables", "profiles", "configuration", "toolchains", "earlier-builds"] {
        assert_eq!(found(&outcome, area), [""; 0], "{area}");
    }
    assert_eq!(state(&project.root()), before, "doctor only reads");
    assert_eq!(project.requests(), requests, "doctor uses no network");
    let text = project.xprov("doctor").ok().stdout;
    assert!(text.contains("no leaks") || text.contains("nothing found"), "{text}");
}

#[test]
fn a_home_full_of_sins() {
    let mut project = Project::locked();
    let (home, root) = (project.home.clone(), project.root());
    write(&home, ".profile", "# mine\nexport CFLAGS=\"-O3 -march=native\"\nexport EDITOR=vi\n");
    write(&home, ".zshenv", "export PATH=$HOME/bin:$PATH\nexport CPATH=/opt/include\n");
    write(&home, ".config/fish/config.fish", "set -gx RUSTC_WRAPPER sccache\n");
    write(&home, ".config/environment.d/50-me.conf", "LD_LIBRARY_PATH=/opt/lib\n");
    write(
        &home,
        ".cargo/config.toml",
        "[build]\njobs = 2\nrustflags = [\"-Ctarget-cpu=native\"]\ntarget-dir = \"/big/disk\"\n\
         [http]\ntimeout = 9\n[env]\nCC = \"clang\"\n",
    );
    write(&root, ".cargo/config", "[profile.release]\nlto = true\n");
    write(&root, ".cargo/config.toml", "[profile.release]\nlto = false\n");
    project.write(".cargo/config.toml", "[build]\nrustflags = [\"-Ctarget-feature=+neon\"]\n");
    project.write("rust-toolchain.toml", "[toolchain]\nchannel = \"stable\"\n");
    project.settings(&format!("targets = [\"{TARGET}\"]\n"));
    project.sandbox().set("CFLAGS", "-O3 -march=native");
    project.sandbox().set("RUSTUP_TOOLCHAIN", "nightly");
    project.sandbox().set("CARGO_TARGET_DIR", "/big/disk");
    assert_snapshot!(text(&project.xprov("doctor")), @r#"
    exit 1
    Variables of this shell

      leak CFLAGS=-O3 -march=native
           in [HOME]/.profile:2
           comes last and overrides what crates ask for
           xprov: no build sees it
           help: take it out of that file

      leak RUSTUP_TOOLCHAIN=nightly
           another toolchain
           xprov: no build sees it
           help: unset RUSTUP_TOOLCHAIN where it is set

    Files that your shells read

      leak CPATH
           in [HOME]/.zshenv:2
           headers from elsewhere, in every shell that reads this file
           xprov: no build sees it
           help: take it out of that file

      leak RUSTC_WRAPPER
           in [HOME]/.config/fish/config.fish:1
           another compiler, in every shell that reads this file
           xprov: no build sees it
           help: take it out of that file

      leak LD_LIBRARY_PATH
           in [HOME]/.config/environment.d/50-me.conf:1
           libraries from elsewhere, in every shell that reads this file
           xprov: no build sees it
           help: take it out of that file

    Configuration of cargo

      leak two configurations in one directory
           in [ROOT]/.cargo/config.toml
           cargo reads the one without `.toml`, and not this one
           xprov: no build sees it
           help: join it with [ROOT]/.cargo/config in one file

      leak profile.release.lto = true
           in [ROOT]/.cargo/config:2
           how code is optimised
           xprov: no build sees it
           help: take it out, or move it to the project's own .cargo/config.toml

      leak build.rustflags = ["-Ctarget-cpu=native"]
           in [HOME]/.cargo/config.toml:3
           flags for rustc, beyond the target's baseline
           xprov: no build sees it
           help: take it out; `baseline` in the settings names what the output may assume

      leak build.target-dir = "/big/disk"
           in [HOME]/.cargo/config.toml:4
           another directory for what is built
           xprov: no build sees it
           help: take it out, or move it to the project's own .cargo/config.toml

      leak env.CC = "clang"
           in [HOME]/.cargo/config.toml:8
           a variable that build scripts and `env!` see
           xprov: no build sees it
           help: take it out, or move it to the project's own .cargo/config.toml

      leak target-feature=+neon
           in .cargo/config.toml:2
           for armv7-unknown-linux-gnueabihf it is beyond the baseline, armv7-a+vfpv3-d16
           xprov: builds leave it out and say so
           help: take it out, or write `isa.features = ["neon"]` in the settings

    Choice of Rust

      leak channel = "stable"
           in rust-toolchain.toml:2
           a cargo of rustup's would take another Rust than 1.96.0, which toolchains.lock pins
           xprov: no build sees it
           help: write `channel = "1.96.0"`, or delete the file
    "#);
}

#[test]
fn without_a_project_the_machine_is_examined() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.xprov("doctor").ok();
    assert!(outcome.stdout.contains("(no project here"), "{outcome}");
    write(&sandbox.home, ".cargo/config.toml", "[build]\nrustflags = '-Cx'\n");
    let outcome = sandbox.xprov("--json doctor");
    assert_eq!(outcome.code, Some(1));
    let expected = ["leak build.rustflags = '-Cx' @ [HOME]/.cargo/config.toml:2"];
    assert_eq!(found(&outcome, "configuration"), expected);
    assert_eq!(sandbox.xprov("doctor --manifest-path nowhere/Cargo.toml").code, Some(2));
}

#[test]
fn a_configuration_that_is_none_is_a_finding_and_no_failure() {
    let project = Project::new();
    write(&project.home, ".cargo/config.toml", "[build]\njobs = \n");
    let outcome = project.xprov("--json doctor");
    assert_eq!(outcome.code, Some(1));
    let expected = ["leak not a cargo configuration @ [HOME]/.cargo/config.toml:2"];
    assert_eq!(found(&outcome, "configuration"), expected);
}

#[test]
fn what_a_configuration_includes_counts_and_circles_end() {
    let project = Project::new();
    write(&project.home, ".cargo/config.toml", "include = \"more.toml\"\n");
    write(&project.home, ".cargo/more.toml", "include = \"config.toml\"\nbuild.rustc = \"x\"\n");
    let outcome = project.xprov("--json doctor");
    let found = found(&outcome, "configuration");
    assert!(found.contains(&"leak build.rustc = \"x\" @ [HOME]/.cargo/more.toml:2".to_owned()));
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn only_the_configuration_of_the_root_is_the_projects_own() {
    let project = Project::new();
    project.write(".cargo/config.toml", "[build]\nrustflags = ['-Cx']\n");
    project.write("member/.cargo/config.toml", "[build]\nrustflags = ['-Cy']\n");
    assert_eq!(found(&project.xprov("--json doctor").ok(), "configuration"), [""; 0]);
    // Started below it, plain cargo reads it.
    let outcome = project.xprov("--json -C member doctor");
    let expected = "leak build.rustflags = ['-Cy'] @ [PROJECT]/member/.cargo/config.toml:2";
    assert_eq!(found(&outcome, "configuration"), [expected]);
}

#[test]
fn configuration_for_another_target_does_not_concern_one() {
    let project = Project::new();
    write(
        &project.home,
        ".cargo/config.toml",
        "[target.armv7-unknown-linux-gnueabihf]\nlinker = 'a'\n\
         [target.'cfg(target_arch = \"arm\")']\nlinker = 'b'\n\
         [target.riscv64gc-unknown-linux-gnu]\nlinker = 'c'\n",
    );
    let linkers = |line: &str| found(&project.xprov(line), "configuration").len();
    assert_eq!(linkers("--json doctor"), 3);
    assert_eq!(linkers(&format!("--json doctor --target {TARGET}")), 2);
    assert_eq!(linkers("--json doctor --target aarch64-unknown-linux-musl"), 0);
    assert_eq!(project.xprov("doctor --target nowhere").code, Some(2));
}

#[test]
fn what_the_settings_let_pass_is_a_note() {
    let mut project = Project::new();
    project.sandbox().set("CFLAGS", "-DX");
    for settings in ["pass = [\"CFLAGS\"]", "set = { CFLAGS = \"-DY\" }"] {
        project.settings(&format!("env = {{ {settings} }}\n"));
        let outcome = project.xprov("--json doctor").ok();
        assert_eq!(found(&outcome, "variables"), ["note CFLAGS=-DX"], "{settings}");
    }
}

#[test]
fn what_make_says_of_its_jobs_is_no_leak_and_what_it_changes_is() {
    let mut project = Project::new();
    write(&project.home, ".bashrc", "export MAKEFLAGS=-j8\nexport MFLAGS=\"-j8 CC=clang\"\n");
    project.sandbox().set("MAKELEVEL", "1");
    project.sandbox().set("MAKEFLAGS", "w -j4 --jobserver-auth=3,4");
    let outcome = project.xprov("--json doctor");
    assert_eq!(found(&outcome, "variables"), [""; 0]);
    assert_eq!(found(&outcome, "profiles"), ["leak MFLAGS @ [HOME]/.bashrc:2"]);
    project.sandbox().set("MAKEFLAGS", " -- CFLAGS=-DX");
    let outcome = project.xprov("--json doctor");
    assert_eq!(found(&outcome, "variables"), ["leak MAKEFLAGS=-- CFLAGS=-DX"]);
}

#[test]
fn what_the_settings_allow_of_the_cpu_is_no_leak() {
    let project = Project::new();
    project.write(
        ".cargo/config.toml",
        "[build]\nrustflags = [\"-Ctarget-feature=+neon,+crt-static\"]\n",
    );
    let neon = "leak target-feature=+neon @ [PROJECT]/.cargo/config.toml:2";
    let line = format!("--json doctor --target {TARGET}");
    assert_eq!(found(&project.xprov(&line), "configuration"), [neon]);
    project.settings("isa.features = [\"neon\"]\n");
    assert_eq!(found(&project.xprov(&line).ok(), "configuration"), [""; 0]);
    project.settings(&format!("target.{TARGET}.rustflags = [\"-Ctarget-cpu=native\"]\n"));
    let native = found(&project.xprov(&line), "configuration");
    assert!(
        native
            .iter()
            .any(|leak| leak.starts_with("leak target-cpu=native @ [PROJECT]/Cargo.toml:")),
        "{native:?}"
    );
}

#[test]
fn a_toolchain_file_that_agrees_with_the_lock_is_none() {
    let project = Project::locked();
    for (channel, leaks) in [("1.96.0", 0), ("1.96", 0), ("1.95.0", 1), ("nightly", 1)] {
        project.write("rust-toolchain", format!("{channel}\n"));
        let outcome = project.xprov("--json doctor");
        assert_eq!(found(&outcome, "toolchains").len(), leaks, "{channel}");
    }
}

#[test]
fn a_toolchain_that_rustup_keeps_for_the_directory_is_a_leak() {
    let project = Project::locked();
    let dir = project.project.display();
    let overrides = format!("[overrides]\n\"/elsewhere\" = \"beta\"\n\"{dir}\" = \"nightly\"\n");
    write(&project.home, ".rustup/settings.toml", &overrides);
    let outcome = project.xprov("--json doctor");
    let expected = ["leak override = \"nightly\" @ [HOME]/.rustup/settings.toml:3"];
    assert_eq!(found(&outcome, "toolchains"), expected);
}

#[test]
fn earlier_builds_are_noted() {
    let project = Project::locked();
    for value in ["1", "2"] {
        project.settings(&format!("env = {{ set = {{ VALUE = \"{value}\" }} }}\n"));
        project.xprov(&format!("-q build --target {TARGET}")).ok();
    }
    project.write("target/debug/.fingerprint/a/b", "c");
    let outcome = project.xprov("--json doctor").ok();
    let found = found(&outcome, "earlier-builds");
    let [environments, plain] = found.as_slice() else { panic!("{found:?}") };
    let one = "build directories of earlier environments, 0.0 MB @ [PROJECT]/target/xprov/[ENV-ID]";
    assert_eq!(*environments, format!("note {one}"));
    assert_eq!(*plain, "note builds of plain cargo, 0.0 MB @ [PROJECT]/target/debug");
}

#[test]
fn programs_on_the_path_are_noted_unless_the_environment_has_them() {
    use std::os::unix::fs::PermissionsExt as _;

    let project = Project::locked();
    let dir = project.root().join("path");
    for name in ["protoc", "cmake", "editor"] {
        write(&dir, name, "#!/bin/sh\n");
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o755)).expect("changed");
    }
    let outcome = project.xprov("--json doctor").ok();
    let note = "note programs on PATH that the environment does not have";
    let expected = format!("{note} @ [ROOT]/path/cmake @ [ROOT]/path/protoc");
    assert!(found(&outcome, "machine").contains(&expected), "{outcome}");
}
