//! What a build says of everything that did not reach it, that shims changed, or that a link missed.

mod downloads;

use insta::assert_snapshot;
use serde_json::Value;
use xprov::shim::ledger::{Line, Notice, NoticeKind, Undefined};

use crate::support::archive_fixture::{TARGET, tar_gz};
use crate::support::project::Project;
use crate::support::sandbox::{Outcome, host};
use crate::support::schema::deviations;

/// A cargo that does this in place of a build, after what the fixture's own does for the rest.
fn building(script: &str) -> Project {
    let mut project = Project::locked();
    replace_cargo(&mut project, script);
    project
}

fn replace_cargo(project: &mut Project, script: &str) {
    let cargo = format!(
        "#!/bin/sh\nfor word; do case $word in\n\
         metadata) echo '{{ \"packages\": [] }}'; exit ;;\nfetch) exit ;;\nesac; done\n\
         echo \"cargo runs $1\" >&2\n{script}\n"
    );
    project.replace("cargo", tar_gz(&[("usr/bin/cargo", 0o755, &cargo)]));
    project.xprov("-q restore").ok();
}

/// Shell lines that append to the ledger, as shims do.
fn appending(lines: &[Line]) -> String {
    let append = |line: &Line| {
        let text = serde_json::to_string(line).expect("JSON").replace('\'', "'\\''");
        format!("printf '%s\\n' '{text}' >> \"$XPROV_LEDGER\"\n")
    };
    lines.iter().map(append).collect()
}

fn call(krate: &str, notices: &[(NoticeKind, &str)]) -> Line {
    let notice = |(kind, what): &(NoticeKind, &str)| Notice {
        kind: *kind,
        what: (*what).to_owned(),
        became: (*kind == NoticeKind::Isa).then(|| "-march=armv7-a".to_owned()),
        why: "it isn't the baseline".to_owned(),
        allow: (*kind == NoticeKind::Isa).then(|| format!("isa.crates.{krate} = \"native\"")),
    };
    Line {
        tool: "arm-linux-gnueabihf-gcc".to_owned(),
        krate: Some(krate.to_owned()).filter(|krate| !krate.is_empty()),
        version: Some("1.2.3".to_owned()),
        notices: notices.iter().map(notice).collect(),
        ..Line::default()
    }
}

/// The document of a build, which has to be as its schema says.
#[track_caller]
fn document(outcome: &Outcome) -> Value {
    let document: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/schemas/build.json")).expect("JSON");
    assert_eq!(deviations(&schema, &document), Vec::<String>::new(), "{document:#}");
    document
}

/// A project in surroundings that all want something else.
fn surrounded() -> Project {
    let mut project = building("");
    let config = "[build]\nrustflags = [\"-Cdebuginfo=2\"]\njobs = 2\n\n[net]\nretry = 1\n\n\
                  [target.armv7-unknown-linux-gnueabihf]\nlinker = \"ld\"\n\n[env]\nA = \"b\"\n";
    std::fs::create_dir_all(project.home.join(".cargo")).expect("made");
    std::fs::write(project.home.join(".cargo/config.toml"), config).expect("written");
    let own = "[build]\nrustflags = [\"-C\", \"target-feature=+neon,+crt-static\"]\nrustc-wrapper = \"w\"\n";
    project.write(".cargo/config.toml", own);
    // The settings have the last word on this.
    let settings = "[package.metadata.xprov]\n";
    project.edit("Cargo.toml", settings, &format!("{settings}rust = \"1.96\"\n"));
    project.xprov("-q lock").ok();
    project.write("rust-toolchain.toml", "[toolchain]\nchannel = \"1.80.0\"\n");
    project.write("src/.cargo/config.toml", "profile.dev.opt-level = 1\n");
    for (name, value) in [
        ("CFLAGS", "-O1"),
        ("RUSTFLAGS", "-Ctarget-cpu=native"),
        ("CC_aarch64-unknown-linux-gnu", "clang"),
        ("CXX", ""),
        ("CARGO_TARGET_DIR", "out"),
        ("EDITOR", "vi"),
        ("MAKEFLAGS", " -j4 --jobserver-auth=3,4"),
    ] {
        project.sandbox().set(name, value);
    }
    project
}

#[test]
fn what_did_not_reach_a_build_is_named_with_its_place() {
    let project = surrounded();
    let line = format!("build --target {TARGET}");
    let mut command = project.command(&line.split(' ').collect::<Vec<_>>());
    command.current_dir(project.project.join("src"));
    assert_snapshot!(project.run(command), @r#"
    exit 0
    --- stderr
        Fetching crates for [PROJECT]/Cargo.toml
    cargo runs build
    warning: CC_aarch64-unknown-linux-gnu of your environment is left out: the dashed spelling outranks the plan's
    warning: CFLAGS of your environment is left out: comes last and overrides what crates ask for; allow it with `env.pass = ["CFLAGS"]`
    warning: RUSTFLAGS of your environment is left out: would replace the project's own flags
    warning: [PROJECT]/.cargo/config.toml:3: `build.rustc-wrapper` is left out: xprov sets it itself
    warning: .cargo/config.toml:1: `profile.dev.opt-level` is left out: only the workspace's own configuration reaches a build
    warning: [HOME]/.cargo/config.toml:2: `build.rustflags` is left out: only the workspace's own configuration reaches a build
    warning: [HOME]/.cargo/config.toml:9: `target.armv7-unknown-linux-gnueabihf.linker` is left out: only the workspace's own configuration reaches a build
    warning: [HOME]/.cargo/config.toml:12: `env.A` is left out: only the workspace's own configuration reaches a build
    warning: [PROJECT]/rust-toolchain.toml:2: `1.80.0` becomes `1.96.0`: toolchains.lock pins Rust; allow it with `rust = "1.80.0"`
    warning: [PROJECT]/.cargo/config.toml:2: `target-feature=+neon` is left out: it is beyond the baseline, armv7-a+vfpv3-d16; allow it with `isa.features = ["neon"]`
      help: settings stand in the root Cargo.toml, below `[workspace.metadata.xprov]`, or `[package.metadata.xprov]` where there is no workspace
    "#);
    // Nothing of it is an error, and those who want silence get it.
    assert_snapshot!(project.xprov(&format!("-q {line}")), @r"
    exit 0
    --- stderr
    cargo runs build
    ");
}

#[test]
fn the_document_of_a_build_has_everything() {
    let mut project = surrounded();
    // Any binary of the machine's: this very program.
    let own = std::env::current_exe().expect("a path");
    let message = serde_json::json!({
        "reason": "compiler-artifact",
        "package_id": "a",
        "target": { "kind": ["bin"], "name": "a" },
        "filenames": [own],
        "executable": own,
    });
    let lines = [
        call("zstd-sys", &[(NoticeKind::Isa, "-march=native")]),
        call("", &[(NoticeKind::HostDirectory, "-I/usr/include")]),
    ];
    // The reason is first in cargo's messages.
    let message = message.to_string();
    assert!(message.starts_with("{\"reason\":"), "{message}");
    replace_cargo(&mut project, &format!("{}echo '{message}'", appending(&lines)));
    project.xprov(&format!("-q lock --target {TARGET}")).ok();
    let outcome = project.xprov(&format!("--json build --target {} --target {TARGET}", host()));
    let document = document(&outcome);
    assert_eq!(document["schema"], "xprov/build/v1");
    let targets = document["targets"].as_array().expect("a list");
    assert_eq!(targets.len(), 2, "{outcome}");
    assert_eq!(targets[1]["target"], TARGET);
    assert_eq!(targets[0]["env-id"].as_str().map(str::len), Some("[ENV-ID]".len()));
    assert_eq!(targets[0]["files"].as_array().map(Vec::len), Some(1), "{document:#}");
    let kinds: Vec<&str> = targets[1]["notices"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|notice| notice["kind"].as_str())
        .collect();
    let expected = [
        "isa",
        "configuration",
        "variable",
        "variable",
        "variable",
        "configuration",
        "configuration",
        "configuration",
        "toolchain",
        "isa",
        "host-directory",
    ];
    assert_eq!(kinds, expected, "{document:#}");
}

#[test]
fn what_shims_changed_is_said_once_and_only_of_this_build() {
    let lines = [
        call("zstd-sys", &[(NoticeKind::Isa, "-march=native")]),
        call("zstd-sys", &[(NoticeKind::Isa, "-march=native"), (NoticeKind::Isa, "-mtune=native")]),
        call("ring", &[(NoticeKind::Refused, "read /proc/cpuinfo")]),
        call("ring", &[(NoticeKind::Source, "build.rs:7 asks for the CPU")]),
    ];
    let script = format!("[ ! -f \"$XPROV_LEDGER\" ] || exit 0\n{}", appending(&lines));
    let project = building(&script);
    let line = format!("check --target {TARGET}");
    assert_snapshot!(project.xprov(&line), @r#"
    exit 0
    --- stderr
        Fetching crates for Cargo.toml
    cargo runs check
    warning: zstd-sys 1.2.3: `-march=native` becomes `-march=armv7-a`: it isn't the baseline; allow it with `isa.crates.zstd-sys = "native"`
    warning: zstd-sys 1.2.3: `-mtune=native` becomes `-march=armv7-a`: it isn't the baseline; allow it with `isa.crates.zstd-sys = "native"`
    warning: ring 1.2.3: `read /proc/cpuinfo` is refused: it isn't the baseline
    warning: ring 1.2.3: build.rs:7 asks for the CPU: it isn't the baseline
      help: settings stand in the root Cargo.toml, below `[workspace.metadata.xprov]`, or `[package.metadata.xprov]` where there is no workspace
    "#);
    assert_snapshot!(project.xprov(&line), @r"
    exit 0
    --- stderr
    cargo runs check
    ");
}

#[test]
fn what_a_build_with_nothing_to_do_knows_is_named_and_no_more() {
    let line = call("a", &[]);
    let mut project =
        building(&format!("[ ! -f \"$XPROV_LEDGER\" ] || exit 0\n{}", appending(&[line])));
    for name in ["CC", "CFLAGS"] {
        project.sandbox().set(name, "x");
    }
    let line = format!("check --target {TARGET}");
    let outcome = project.xprov(&line).ok();
    assert_eq!(
        outcome.stderr.matches(" of your environment is left out: ").count(),
        2,
        "{outcome}"
    );
    assert_snapshot!(project.xprov(&line), @r"
    exit 0
    --- stderr
    cargo runs check
    warning: CC, CFLAGS of your environment are left out (`xprov why CC` says why)
    ");
    assert_snapshot!(project.xprov(&format!("run --target {TARGET}")), @r"
    exit 0
    --- stderr
    warning: CC, CFLAGS of your environment are left out (`xprov why CC` says why)
    cargo runs run
    ");
    let outcome = project.xprov(&format!("--json {line}")).ok();
    assert_eq!(outcome.stderr.matches("{\"reason\":\"notice\"").count(), 2, "{outcome}");
}

#[test]
fn a_sandbox_path_that_is_not_there_is_said() {
    let project = building("");
    project.settings("sandbox = { read = [\"../shared\", \"src\"], write = [\"made\"] }\n");
    let outcome = project.xprov(&format!("-q check --target {TARGET}")).ok();
    assert_snapshot!(outcome, @r"
    exit 0
    --- stderr
    warning: `sandbox.read` of the settings names `[ROOT]/shared`, which is not there
    warning: `sandbox.write` of the settings names `made`, which is not there
    cargo runs check
    ");
}

#[test]
fn what_a_target_said_is_not_lost_with_the_next_one() {
    let mut project = building("");
    project.sandbox().set("CC", "clang");
    let line = format!("build --target {TARGET} --target x86_64-pc-windows-gnu");
    let outcome = project.xprov(&line);
    assert_eq!(outcome.code, Some(2), "{outcome}");
    let expected = [
        &format!("      Target {TARGET}\n"),
        "      Target x86_64-pc-windows-gnu\n",
        "warning: CC of your environment is left out: ",
        "error: no recipe provides rust for target",
    ];
    let places = expected.map(|line| outcome.stderr.find(line).expect(line));
    assert!(places.is_sorted(), "{outcome}");
}

#[test]
fn for_other_commands_notices_are_events() {
    let mut project = building("");
    project.sandbox().set("LDFLAGS", "-L/opt");
    let outcome = project.xprov(&format!("--json check --target {TARGET}")).ok();
    let events: Vec<&str> =
        outcome.stderr.lines().filter(|line| line.contains("\"notice\"")).collect();
    assert_eq!(events.len(), 1, "{outcome}");
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/schemas/events.json")).expect("JSON");
    let fresh = Project::new();
    let wrong = fresh.xprov("--json build --target x");
    let more = fresh.xprov(&format!("--json check --target {TARGET}"));
    for line in [&outcome, &wrong, &more].into_iter().flat_map(|outcome| outcome.stderr.lines()) {
        // What cargo says is among them.
        let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
        assert_eq!(deviations(&schema, &event), Vec::<String>::new(), "{line}");
    }
    assert!(more.stderr.contains("\"fetch-finished\""), "{more}");
    assert!(wrong.stderr.contains("\"error\""), "{wrong}");
    let event: Value = serde_json::from_str(events[0]).expect("JSON");
    assert_eq!(
        (&event["reason"], &event["subject"]["variable"]),
        (&"notice".into(), &"LDFLAGS".into())
    );
}

#[test]
fn what_is_known_is_said_before_a_program_runs() {
    let mut project = building("");
    project.sandbox().set("CC", "clang");
    assert_snapshot!(project.xprov(&format!("run --target {TARGET}")), @r"
    exit 0
    --- stderr
        Fetching crates for Cargo.toml
    warning: CC of your environment is left out: would serve host and target alike
    cargo runs run
    ");
}

#[test]
fn an_environment_says_nothing_about_itself() {
    let project = building("");
    let outcome = project.xprov(&format!("exec --target {TARGET} -- cargo check")).ok();
    assert!(outcome.stderr.ends_with("cargo runs check\n"), "{outcome}");
    assert!(!outcome.stderr.contains("warning"), "{outcome}");
}

#[test]
fn arguments_for_rustc_are_held_to_the_baseline() {
    let project = building("printf '<%s>' \"$@\"");
    let line = format!("rustc --target {TARGET} -- -C target-cpu=native -Copt-level=1");
    let outcome = project.xprov(&format!("cargo -- {line}")).ok();
    assert!(outcome.stdout.ends_with("<--><-Copt-level=1>"), "{outcome}");
    let warning = "warning: your arguments: `target-cpu=native` is left out: it means the machine";
    assert!(outcome.stderr.contains(warning), "{outcome}");
}

#[test]
fn which_sandbox_there_is_is_said_once_for_each_store() {
    let project = building("");
    let notes = |arguments: &[&str]| {
        let output = project.command(arguments).output().expect("it starts");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.lines().filter(|line| line.starts_with("note: build scripts run ")).count()
    };
    assert_eq!(notes(&["-q", "check", "--target", TARGET]), 0);
    assert_eq!(notes(&["check", "--target", TARGET, "--quiet"]), 0);
    assert_eq!(notes(&["check", "--target", TARGET]), 1, "silence does not use it up");
    assert_eq!(notes(&["check", "--target", TARGET]), 0);
    assert_eq!(project.store_names("said"), ["sandbox"]);
    let quiet = building("");
    quiet.settings("sandbox = \"off\"\n");
    quiet.xprov(&format!("check --target {TARGET}")).ok();
    assert!(quiet.store_names("said").is_empty(), "there is none to speak of");
}

#[test]
fn a_link_that_misses_a_symbol_is_explained() {
    let symbol = "sum_4bit_dist_table_32bytes_batch_avx512";
    let missed = Undefined { symbol: symbol.to_owned(), by: None };
    let line = Line { undefined: vec![missed], ..call("tiny", &[]) };
    let script = format!(
        "dir=${{XPROV_LEDGER%/*}}/t/debug\n\
         script=$dir/build/lance-linalg-0123456789abcdef\n\
         /bin/mkdir -p \"$script\" \"$dir/deps\"\n\
         echo 'cargo:warning=Skipping build of AVX-512 dist_table. Error: it failed' > \"$script/output\"\n\
         echo 'x{symbol}x' > \"$dir/deps/liblance_linalg-0123.rlib\"\n\
         {}echo 'error: linking failed' >&2\nexit 101",
        appending(&[line])
    );
    let project = building(&script);
    project.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"lance-linalg\"\nversion = \"0.38.2\"\n",
    );
    project.xprov(&format!("-q lock --target {TARGET}")).ok();
    let outcome = project.xprov(&format!("-q build --target {TARGET}"));
    assert_snapshot!(outcome, @r"
    exit 101
    --- stderr
    cargo runs build
    error: linking failed

    note: lance-linalg 0.38.2 refers to `sum_4bit_dist_table_32bytes_batch_avx512`, and its build script left something out. It said:
      Skipping build of AVX-512 dist_table. Error: it failed
      help: use lance-linalg 8.0.0 or later: it names the instruction set, and refers to the kernel only where it was built
    ");
    let outcome = project.xprov(&format!("--json build --target {}", host()));
    assert_eq!(outcome.code, Some(101), "{outcome}");
    let document = document(&outcome);
    let failure = &document["targets"][0]["link-failure"];
    assert_eq!(
        (&failure["crate"], &failure["version"]),
        (&"lance-linalg".into(), &"0.38.2".into())
    );
    let outcome = project.xprov(&format!("--json test --target {}", host()));
    let events: Vec<Value> =
        outcome.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let last = events.last().expect("an event");
    assert_eq!((&last["reason"], &last["crate"]), (&"link-failure".into(), &failure["crate"]));
    let allow = if cfg!(target_arch = "x86_64") {
        Value::from("isa.crates.lance-linalg = \"x86-64-v4\"")
    } else {
        Value::Null
    };
    assert_eq!(failure["allow"], allow);
}
