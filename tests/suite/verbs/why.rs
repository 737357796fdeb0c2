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

/// The text without the ledger and the host's compilers, which are another's on another machine.
fn of_target(outcome: &Outcome) -> String {
    let mut lines: Vec<&str> = outcome.stdout.lines().collect();
    while let Some(at) = lines.iter().position(|line| line.contains("the host's compilers")) {
        lines.drain(at..at + 2);
    }
    lines.retain(|line| !line.contains("the ledger"));
    lines.join("\n")
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
      dropped  the project, .cargo/config.toml:2: target-cpu=native
               it means the machine that builds, not the one that runs
      tells    xprov's policy: `target-cpu=native` is left out of the project's flags
               it means the machine that builds, not the one that runs
      tells    the ledger, target/xprov/[ENV-ID]/ledger.jsonl: there is none: no build has written one
    ");
    assert_snapshot!(of_target(&why(&project, "-march=native").ok()), @r#"
    -march=native, a flag of builds for armv7-unknown-linux-gnueabihf
      value    not used
      dropped  your environment, CFLAGS: -O3 -march=native
               comes last and overrides what crates ask for
      tells    the target's compilers: `-march=native` becomes `-march=armv7-a+vfpv3-d16`
               it means the machine that builds, not the one that runs; allow it with `isa.crates.NAME = "native"`
    "#);
    let kept = why(&project, "opt-level").ok();
    assert!(
        kept.stdout.contains("wins     the project, .cargo/config.toml:2: -Copt-level=1"),
        "{kept}"
    );
}

#[test]
fn a_feature_beyond_the_baseline_loses_and_the_line_that_would_allow_it_is_said() {
    let project = ready();
    project.write(
        ".cargo/config.toml",
        "[build]\nrustflags = ['-C', 'target-feature=+neon,+crt-static']\n",
    );
    assert_snapshot!(why(&project, "target-feature").ok(), @r#"
    exit 0
    --- stdout
    target-feature, a flag of builds for armv7-unknown-linux-gnueabihf
      value    -C target-feature=+crt-static
      dropped  the project, .cargo/config.toml:2: target-feature=+neon
               it is beyond the baseline, armv7-a+vfpv3-d16; allow it with `isa.features = ["neon"]`
      wins     the project, .cargo/config.toml:2: -C target-feature=+crt-static
      tells    xprov's policy: the project may ask for what armv7-a+vfpv3-d16 has
      tells    the ledger, target/xprov/[ENV-ID]/ledger.jsonl: there is none: no build has written one
    "#);
    assert_snapshot!(why(&project, "-Ctarget-feature=+d32").ok(), @r#"
    exit 0
    --- stdout
    -Ctarget-feature=+d32, a flag of builds for armv7-unknown-linux-gnueabihf
      value    not used
      tells    xprov's policy: `target-feature=+d32` is left out of the project's flags
               it is beyond the baseline, armv7-a+vfpv3-d16; allow it with `isa.features = ["d32"]`
      tells    the ledger, target/xprov/[ENV-ID]/ledger.jsonl: there is none: no build has written one
    "#);
    project.settings(&format!("targets = [\"{TARGET}\"]\nisa.features = [\"neon\"]\n"));
    let allowed = why(&project, "target-feature=+neon").ok();
    assert!(!allowed.stdout.contains("dropped"), "{allowed}");
    assert!(allowed.stdout.contains("the settings allow neon besides"), "{allowed}");
}

#[test]
fn the_shims_say_what_becomes_of_native_for_each_crate() {
    let project = ready();
    project.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"lance-linalg\"\nversion = \"0.38.2\"\n\n\
         [[package]]\nname = \"simd\"\nversion = \"1.2.3\"\n",
    );
    let isa = "isa.native = \"deny\"\nisa.crates.\"simd@1.2\" = \"native\"\n";
    project.settings(&format!("targets = [\"{TARGET}\"]\n{isa}"));
    assert_snapshot!(of_target(&why(&project, "-march=native").ok()), @r#"
    -march=native, a flag of builds for armv7-unknown-linux-gnueabihf
      value    not used
      tells    the target's compilers: a call with `-march=native` fails
               `isa.native = "deny"`; it means the machine that builds, not the one that runs; allow it with `isa.crates.NAME = "native"`
      tells    settings, isa.crates, Cargo.toml:9: `-march=native` stays for simd
               `isa.crates."simd@1.2" = "native"`
      tells    xprov's list of known crates: `-march=native` becomes `-march=armv7-a+vfpv3-d16` for lance-linalg
               `isa.crates.lance-linalg = "native"` would let it stay
    "#);
    assert_snapshot!(of_target(&why(&project, "simd").ok()), @r#"
    simd, a crate of builds for armv7-unknown-linux-gnueabihf
      value    1.2.3
      wins     locked, Cargo.lock:7: 1.2.3, of this project or beside it
      tells    xprov, baseline: armv7-a+vfpv3-d16
      tells    settings, isa.crates, Cargo.toml:9: `-march=native` stays
               `isa.crates."simd@1.2" = "native"`
    "#);
    assert_snapshot!(of_target(&why(&project, "lance-linalg").ok()), @r#"
    lance-linalg, a crate of builds for armv7-unknown-linux-gnueabihf
      value    0.38.2
      wins     locked, Cargo.lock:3: 0.38.2, of this project or beside it
      tells    xprov, baseline: armv7-a+vfpv3-d16
      tells    xprov's list of known crates: `-march=native` becomes `-march=armv7-a+vfpv3-d16`
               `isa.crates.lance-linalg = "native"` would let it stay
    "#);
    assert_snapshot!(of_target(&why(&project, "-isystem /usr/include").ok()), @r#"
    -isystem /usr/include, a flag of builds for armv7-unknown-linux-gnueabihf
      value    not used
      tells    the target's compilers: `-isystem /usr/include` is left out
               it is a directory of this machine; allow it with `sandbox.read = ["/usr/include"]`
    "#);
}

#[test]
fn the_sandbox_with_who_says_so_and_what_it_lets_a_build_reach() {
    let project = ready();
    let by_default = why(&project, "sandbox").ok();
    assert!(by_default.stdout.contains("  value    on\n  wins     xprov: on\n"), "{by_default}");
    project.settings(&format!(
        "targets = [\"{TARGET}\"]\nsandbox = {{ mode = \"report\", read = [\"shared\"] }}\n"
    ));
    let outcome = why(&project, "XPROV_SANDBOX").ok();
    let (_, sandbox) = outcome.stdout.split_once("\n\n").expect("two answers");
    let kernel = |line: &&str| !line.contains("this machine: ");
    assert_snapshot!(sandbox.lines().filter(kernel).collect::<Vec<_>>().join("\n"), @r"
    XPROV_SANDBOX, a sandbox of builds for armv7-unknown-linux-gnueabihf
      value    report
      wins     settings, sandbox, Cargo.toml:8: report, read shared
      tells    may be read: [XPROV_HOME]/v1
      tells    may be read: [PROJECT]
      tells    may be read: [XPROV_HOME]/cargo
      tells    may be read: [XPROV_HOME]/home
      tells    may be read: [PROJECT]/shared
      tells    may be written: [PROJECT]/target
      tells    network: none but sockets of this machine
      tells    the ledger, target/xprov/[ENV-ID]/ledger.jsonl: there is none: no build has written one
    ");
    assert!(sandbox.contains("  tells    this machine: "), "{outcome}");
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
    assert_snapshot!(why(&project, "zstd-sys").ok(), @r#"
    exit 0
    --- stdout
    zstd-sys, a crate of builds for armv7-unknown-linux-gnueabihf
      value    2.0.16
      wins     locked, Cargo.lock:3: 2.0.16, from registry+https://index.invalid/
      tells    xprov, baseline: armv7-a+vfpv3-d16
      tells    xprov: `-march=native` becomes `-march=armv7-a+vfpv3-d16`
               `isa.crates.zstd-sys = "native"` would let it stay
      tells    the ledger, target/xprov/[ENV-ID]/ledger.jsonl: there is none: no build has written one
    "#);
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
    let outcome = why(&project, "zstd-sys").ok().stdout;
    let (_, ledger) = outcome.split_once("stay\n").expect("the policy");
    assert_snapshot!(ledger, @r"
      tells    the ledger, target/xprov/[ENV-ID]/ledger.jsonl: 2 calls: cc for zstd-sys 2.0.16
      tells    the ledger, target/xprov/[ENV-ID]/ledger.jsonl: 1 call: `-march=native` became `-march=armv7-a` for zstd-sys 2.0.16
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
