//! `why`: every layer of a variable, a flag, a tool and a crate.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;
use crate::support::sandbox::Outcome;

/// A project whose toolchain is there already.
fn ready() -> Project {
    let project = Project::locked();
    project.settings(&format!("targets = [\"{TARGET}\"]\n"));
    project.xprov("-q restore").ok();
    project
}

/// `why` with this word.
fn why(project: &Project, word: &str) -> Outcome {
    project.run(project.command(&["-q", "why", word]))
}

#[test]
fn a_variable_of_the_plan_and_what_would_have_outranked_it() {
    let mut project = ready();
    project.sandbox().set("CC_armv7_unknown_linux_gnueabihf", "clang");
    assert_snapshot!(why(&project, "CC_armv7_unknown_linux_gnueabihf").ok(), @r"
    exit 0
    --- stdout
    CC_armv7_unknown_linux_gnueabihf, a variable of builds for armv7-unknown-linux-gnueabihf
      value    [XPROV_HOME]/v1/envs/[ENV-ID]/bin/arm-linux-gnueabihf-gcc
      dropped  your environment: clang
               the dashed spelling outranks the plan's
      tells    the catalogue: CC_*: never passes
      wins     tool arm-linux-gnueabihf-gcc: [XPROV_HOME]/v1/envs/[ENV-ID]/bin/arm-linux-gnueabihf-gcc
    ");
    assert_snapshot!(why(&project, "PATH").ok(), @r"
    exit 0
    --- stdout
    PATH, a variable of builds for armv7-unknown-linux-gnueabihf
      value    [XPROV_HOME]/v1/envs/[ENV-ID]/bin
      dropped  your environment: [ROOT]/path
               only fetching sees it
      tells    the catalogue: PATH: only for fetching
               git and ssh; a build has the environment's bin instead
      wins     xprov: [XPROV_HOME]/v1/envs/[ENV-ID]/bin
    ");
}

#[test]
fn a_variable_that_never_passes_and_every_configuration_that_says_the_same() {
    let mut project = ready();
    project.sandbox().set("RUSTFLAGS", "-Cdebuginfo=2");
    let home = project.home.join(".cargo");
    fs::create_dir_all(&home).expect("a directory");
    fs::write(home.join("config.toml"), "[build]\nrustflags = '-Cx'\n").expect("written");
    project.write(
        ".cargo/config.toml",
        format!("[target.{TARGET}]\nrustflags = ['-Copt-level=1']\n[target.x]\nlinker = 'y'\n"),
    );
    let outcome = why(&project, "RUSTFLAGS").ok();
    let text: Vec<&str> = outcome.stdout.lines().filter(|l| !l.contains("--remap")).collect();
    assert_snapshot!(text.join("\n"), @r"
    RUSTFLAGS, a variable of builds for armv7-unknown-linux-gnueabihf
      value    not set
      dropped  your environment: -Cdebuginfo=2
               would replace the project's own flags
      dropped  your cargo configuration, [HOME]/.cargo/config.toml:2: build.rustflags = '-Cx'
               only its network settings count
      wins     the project, .cargo/config.toml:2: target.armv7-unknown-linux-gnueabihf.rustflags = ['-Copt-level=1']
               as far as it is for this target; ask for a flag to see it alone
      tells    the catalogue: RUSTFLAGS: never passes
               cargo reads no other source of flags where it is set
    ");
}

#[test]
fn the_settings_doors() {
    let mut project = ready();
    let pass = "env = { pass = [\"DATABASE_URL\", \"ABSENT\"], set = { MODE = \"ci\" } }";
    project.settings(&format!("targets = [\"{TARGET}\"]\n{pass}\n"));
    project.write(".cargo/config.toml", "[env]\nMODE = 'x'\nOWN = 'y'\n");
    project.sandbox().set("DATABASE_URL", "sqlite:db");
    project.sandbox().set("MODE", "mine");
    let all = ["DATABASE_URL", "ABSENT", "MODE", "OWN"].map(|name| why(&project, name).ok().stdout);
    assert_snapshot!(all.join("\n"), @r"
    DATABASE_URL, a variable of builds for armv7-unknown-linux-gnueabihf
      value    sqlite:db
      wins     your environment: sqlite:db
               `env.pass` of the settings names it
      tells    settings, env.pass: lets it in

    ABSENT, a variable of builds for armv7-unknown-linux-gnueabihf
      value    not set
      tells    settings, env.pass: would let it in; your environment has none

    MODE, a variable of builds for armv7-unknown-linux-gnueabihf
      value    ci
      loses    your environment: mine
               the settings outrank it
      loses    the project, .cargo/config.toml:2: env.MODE = 'x'
               the environment has it
      wins     settings, env.set: ci

    OWN, a variable of builds for armv7-unknown-linux-gnueabihf
      value    y
      wins     the project, .cargo/config.toml:3: env.OWN = 'y'
               cargo sets it for rustc and build scripts
    ");
}

#[test]
fn a_flag_that_loses_everywhere() {
    let mut project = ready();
    project.sandbox().set("CFLAGS", "-O3 -march=native");
    project.write(
        ".cargo/config.toml",
        "[build]\nrustflags = ['-C', 'target-cpu=native', '-Copt-level=1']\n",
    );
    assert_snapshot!(why(&project, "-Ctarget-cpu=native").ok(), @r"
    exit 0
    --- stdout
    -Ctarget-cpu=native, a flag of builds for armv7-unknown-linux-gnueabihf
      value    not used
      dropped  the project, .cargo/config.toml:2: -C target-cpu=native
               it would build for this machine's CPU
      tells    xprov's policy: is left out of the flags
               it would build for this machine's CPU
      tells    the ledger, target/xprov/[ENV-ID]/ledger.jsonl: there is none: no build has written one
    ");
    assert_snapshot!(why(&project, "-march=native").ok(), @r"
    exit 0
    --- stdout
    -march=native, a flag of builds for armv7-unknown-linux-gnueabihf
      value    not used
      dropped  your environment, CFLAGS: -O3 -march=native
               comes last and overrides what crates ask for
      tells    xprov's policy: becomes the baseline, unless the settings say otherwise for the crate
               the machine that builds is not the one that runs
      tells    the ledger, target/xprov/[ENV-ID]/ledger.jsonl: there is none: no build has written one
    ");
    let kept = why(&project, "opt-level").ok();
    assert!(
        kept.stdout.contains("wins     the project, .cargo/config.toml:2: -Copt-level=1"),
        "{kept}"
    );
}

#[test]
fn a_flag_of_the_settings_wins() {
    let project = ready();
    project.settings(&format!(
        "targets = [\"{TARGET}\"]\ntarget.{TARGET}.rustflags = [\"-Cdebuginfo=1\"]\n"
    ));
    let outcome = why(&project, "-Cdebuginfo").ok();
    assert!(outcome.stdout.contains("wins     settings, rustflags: -Cdebuginfo=1"), "{outcome}");
}

#[test]
fn tools_of_the_environment_and_of_the_machine() {
    use std::os::unix::fs::PermissionsExt as _;

    let project = ready();
    for name in ["arm-linux-gnueabihf-gcc", "protoc"] {
        let path = project.root().join("path").join(name);
        fs::write(&path, "#!/bin/sh\n").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("changed");
    }
    assert_snapshot!(why(&project, "arm-linux-gnueabihf-gcc").ok(), @r"
    exit 0
    --- stdout
    arm-linux-gnueabihf-gcc, a tool of builds for armv7-unknown-linux-gnueabihf
      value    [XPROV_HOME]/v1/compositions/[ID]-cc-arm-linux-gnueabihf/usr/bin/arm-linux-gnueabihf-gcc
      dropped  your PATH: [ROOT]/path/arm-linux-gnueabihf-gcc
               builds have the environment's bin alone on their PATH
      wins     the environment: [XPROV_HOME]/v1/envs/[ENV-ID]/bin/arm-linux-gnueabihf-gcc
               a shim, which starts [XPROV_HOME]/v1/compositions/[ID]-cc-arm-linux-gnueabihf/usr/bin/arm-linux-gnueabihf-gcc
      tells    toolchains.lock: gcc 12.2.0, of gcc 12.2.0 ([HOST] for armv7-unknown-linux-gnueabihf)
               unpacked in [XPROV_HOME]/v1/objects/[DIGEST]-gcc-12.2.0
    ");
    assert_snapshot!(why(&project, "protoc").ok(), @r"
    exit 0
    --- stdout
    protoc, a tool of builds for armv7-unknown-linux-gnueabihf
      value    none
      dropped  your PATH: [ROOT]/path/protoc
               builds have the environment's bin alone on their PATH
      tells    the environment: has no `protoc`
    ");
}

#[test]
fn a_crate_with_the_calls_that_were_made_for_it() {
    let project = ready();
    project.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"zstd-sys\"\nversion = \"2.0.16\"\n\
         source = \"registry+https://index.invalid/\"\n",
    );
    assert_snapshot!(why(&project, "zstd-sys").ok(), @r"
    exit 0
    --- stdout
    zstd-sys, a crate of builds for armv7-unknown-linux-gnueabihf
      value    2.0.16
      wins     locked, Cargo.lock:3: 2.0.16, from registry+https://index.invalid/
      tells    xprov: the target's own baseline
      tells    the ledger, target/xprov/[ENV-ID]/ledger.jsonl: there is none: no build has written one
    ");
    let build_dir = fs::read_dir(project.project.join("target/xprov"))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| !path.ends_with("tmp"))
        .expect("a build directory");
    let call = r#"{"tool":"cc","crate":"zstd-sys","version":"2.0.16","args":["-march=native"]"#;
    let notice = r#""notices":[{"kind":"isa","what":"-march=native","became":"-march=armv7-a","why":"it means this machine"}]"#;
    let other = r#"{"tool":"ar","crate":"other","args":[]}"#;
    let ledger = format!("{call}}}\n{call},{notice}}}\n{other}\ntorn");
    fs::write(build_dir.join("ledger.jsonl"), ledger).expect("written");
    assert_snapshot!(why(&project, "zstd-sys").ok(), @r"
    exit 0
    --- stdout
    zstd-sys, a crate of builds for armv7-unknown-linux-gnueabihf
      value    2.0.16
      wins     locked, Cargo.lock:3: 2.0.16, from registry+https://index.invalid/
      tells    xprov: the target's own baseline
      tells    the ledger, target/xprov/[ENV-ID]/ledger.jsonl: 2 calls: cc for zstd-sys 2.0.16
      tells    the ledger, target/xprov/[ENV-ID]/ledger.jsonl: 1 call: -march=native became -march=armv7-a for zstd-sys 2.0.16
               it means this machine
    ");
    let flag = why(&project, "-march=native").ok();
    assert!(flag.stdout.contains("2 calls: cc for zstd-sys 2.0.16"), "{flag}");
}

#[test]
fn what_nothing_knows_is_said_with_what_is_like_it() {
    let project = ready();
    assert_snapshot!(why(&project, "RUSTFLAG"), @r"
    exit 1
    --- stdout
    nothing knows `RUSTFLAG` in the environment of armv7-unknown-linux-gnueabihf
      help: there is RUSTFLAGS, RUSTDOCFLAGS, RUST_LOG
    ");
    assert_snapshot!(why(&project, "--no-such-flag"), @r"
    exit 1
    --- stdout
    nothing knows `--no-such-flag` in the environment of armv7-unknown-linux-gnueabihf
    ");
}

#[test]
fn json_for_machines_and_no_project() {
    let project = ready();
    let json = project.xprov("--json -q why CFLAGS").ok();
    let document: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(document["schema"], "xprov/why/v1");
    assert_eq!(document["target"], TARGET);
    let answer = &document["answers"][0];
    assert_eq!((&answer["sort"], &answer["value"]), (&"variable".into(), &Value::Null));
    let layer = &answer["layers"][0];
    for key in ["who", "says", "standing", "why"] {
        assert!(layer[key].is_string(), "{key} is documented");
    }
    assert!(layer["place"].is_null());
    let outside = crate::support::sandbox::Sandbox::new().xprov("why CFLAGS");
    assert_eq!(outside.code, Some(2), "{outside}");
}
