//! What passes through to cargo and other programs, and what comes back.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::support::archive_fixture::{TARGET, tar_gz};
use crate::support::project::Project;

/// A project whose cargo ends like this.
fn ending(how: &str) -> Project {
    let project = Project::locked();
    project.settings(&format!(
        "targets = [\"{TARGET}\"]\nenv = {{ set = {{ FAKE_EXIT = \"{how}\" }} }}\n"
    ));
    project
}

#[test]
fn the_exit_code_of_cargo_is_ours() {
    for (how, code) in
        [("0", 0), ("101", 101), ("3", 3), ("signal-TERM", 143), ("signal-KILL", 137)]
    {
        let project = ending(how);
        for verb in ["build", "check", "test", "run", "cargo -- doc"] {
            let outcome = project.xprov(&format!("-q {verb}"));
            assert_eq!(outcome.code, Some(code), "{verb}: {outcome}");
        }
    }
    assert_snapshot!(ending("101").xprov("-q build"), @r"
    exit 101
    --- stderr
    cargo runs build for armv7-unknown-linux-gnueabihf
    ");
}

#[test]
fn the_exit_code_of_a_command_is_ours() {
    let project = Project::locked();
    let exec = |command: &[&str]| {
        let line = ["-q", "exec", "--target", TARGET, "--"];
        project.run(project.command(&[&line, command].concat()))
    };
    assert_eq!(exec(&["sh", "-c", "exit 0"]).code, Some(0));
    assert_eq!(exec(&["sh", "-c", "exit 3"]).code, Some(3));
    assert_eq!(exec(&["sh", "-c", "exit 101"]).code, Some(101));
    assert_eq!(exec(&["sh", "-c", "kill -s TERM $$"]).code, Some(143));
    assert_snapshot!(exec(&["sh", "-c", "echo $XPROV_TARGET; echo $0 $1", "a", "--b"]), @r"
    exit 0
    --- stdout
    armv7-unknown-linux-gnueabihf
    a --b
    ");
    // What the shim puts between is not for this test.
    let compiled = exec(&["arm-linux-gnueabihf-gcc", "-c", "x.c"]).ok().stdout;
    assert!(compiled.starts_with("gcc ") && compiled.ends_with(" -c x.c\n"), "{compiled}");
}

#[test]
fn arguments_reach_cargo_unchanged() {
    let project = echoing();
    let line = format!("-q check --target {TARGET} -p a --features=b --release -- -D warnings");
    assert_snapshot!(project.xprov(&line), @r"
    exit 0
    --- stdout
    <check>
    <--manifest-path>
    <[PROJECT]/Cargo.toml>
    <--target>
    <armv7-unknown-linux-gnueabihf>
    <--offline>
    <--config>
    <[PROJECT]/target/xprov/[ENV-ID]/cargo-config.toml>
    <--quiet>
    <-pa>
    <--features=b>
    <--release>
    <-->
    <-D>
    <warnings>
    ");
    assert_snapshot!(project.xprov("-q cargo -- metadata --no-deps"), @r"
    exit 0
    --- stdout
    <metadata>
    <--manifest-path>
    <[PROJECT]/Cargo.toml>
    <--config>
    <[PROJECT]/target/xprov/[ENV-ID]/cargo-config.toml>
    <--quiet>
    <--no-deps>
    ");
}

/// A project whose cargo prints its arguments, each in angle brackets.
fn echoing() -> Project {
    let mut project = Project::locked();
    let cargo =
        "#!/bin/sh\ncase \" $* \" in *' fetch '*) exit 0 ;; esac\nprintf '<%s>\\n' \"$@\"\n";
    project.replace("cargo", tar_gz(&[("usr/bin/cargo", 0o755, cargo)]));
    project
}

#[test]
fn options_before_cargos_command_are_as_those_after_it() {
    let project = echoing();
    let exec = format!("-q exec --target {TARGET} -- cargo");
    for line in ["cargo -- -v check", &format!("{exec} -v check"), &format!("{exec} check -v")] {
        let outcome = project.xprov(line).ok();
        let last = "<--config>\n<[PROJECT]/target/xprov/[ENV-ID]/cargo-config.toml>\n<-v>\n";
        assert!(outcome.stdout.starts_with("<check>\n<--manifest-path>\n"), "{line}: {outcome}");
        assert!(outcome.stdout.ends_with(last), "{line}: {outcome}");
    }
}

#[test]
fn flags_before_the_verb_count_for_cargo_too() {
    let project = echoing();
    project.settings(&format!("targets = [\"{TARGET}\"]\n"));
    project.xprov("-q restore").ok();
    let flags = |line: &str| {
        let outcome = project.xprov(line).ok();
        let flags = outcome.stdout.lines().filter(|l| matches!(*l, "<--offline>" | "<--locked>"));
        flags.collect::<Vec<_>>().join("")
    };
    for line in ["-q --frozen cargo -- update", "-q cargo -- update --frozen"] {
        assert_eq!(flags(line), "<--offline><--locked>", "{line}");
    }
    assert_eq!(flags("-q --offline cargo -- update"), "<--offline>");
    for line in ["-q --locked check", "-q check --locked", "-q --locked check --locked"] {
        assert_eq!(flags(line), "<--offline><--locked>", "{line}");
    }
    assert_eq!(flags("-q check"), "<--offline>");
}

#[test]
fn commands_that_compile_nothing_see_the_users_network() {
    let mut project = Project::locked();
    project
        .settings(&format!("targets = [\"{TARGET}\", \"{}\"]\n", crate::support::sandbox::host()));
    let cargo = "#!/bin/sh\nif [ $1 = metadata ]; then echo '{\"packages\":[]}'; exit; fi\n\
                 echo $1 ${http_proxy-none} ${CARGO_REGISTRY_TOKEN-none} $HOME ${XPROV_USER_HOME-none}\n";
    project.replace("cargo", tar_gz(&[("usr/bin/cargo", 0o755, cargo)]));
    project.write("../home/.cargo/credentials.toml", "registry.token = \"secret\"\n");
    project.xprov("-q restore").ok();
    project.sandbox().set("http_proxy", "http://proxy.invalid");
    let said = |line: &str| project.xprov(line).ok().stdout;
    let with_network = "http://proxy.invalid secret [HOME] none\n";
    for command in ["update", "add x", "vendor", "search x", "generate-lockfile"] {
        let name = command.split(' ').next().expect("a word");
        assert_eq!(said(&format!("-q cargo -- {command}")), format!("{name} {with_network}"));
    }
    let both = said("-q cargo -- publish");
    assert!(
        both.ends_with("publish http://proxy.invalid secret [XPROV_HOME]/home none\n"),
        "{both}"
    );
    let build = said(&format!("-q check --target {TARGET}"));
    assert!(build.ends_with("check none none [XPROV_HOME]/home none\n"), "{build}");
    // Inside an environment the homes are others, and the user's are found all the same.
    let inside = said(&format!("-q exec --target {TARGET} -- cargo update"));
    assert_eq!(inside, "update none secret [HOME] none\n");
    let line = ["-q", "exec", "--target", TARGET, "--", "sh", "-c", "echo $XPROV_USER_HOME"];
    let home = project.run(project.command(&line)).ok().stdout;
    assert_eq!(home, "[HOME]\n");
}

#[test]
fn a_proxy_of_the_users_configuration_is_for_fetching_only() {
    let mut project = Project::locked();
    let cargo = "#!/bin/sh\n[ $1 != metadata ] || exit 1\necho $1 ${CARGO_HTTP_PROXY-none}\n";
    project.replace("cargo", tar_gz(&[("usr/bin/cargo", 0o755, cargo)]));
    let config = "[http]\nproxy = \"http://me:secret@proxy.invalid\"\ntimeout = 9\n";
    project.write("../home/.cargo/config.toml", config);
    let outcome = project.xprov(&format!("-q check --target {TARGET}")).ok();
    assert_snapshot!(outcome.stdout, @r"
    fetch http://me:secret@proxy.invalid
    check none
    ");
    let mut network = 0;
    for entry in std::fs::read_dir(project.xprov_home.join("cargo")).expect("cargo's home") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let mode = path.metadata().expect("there").permissions().mode();
            let text = std::fs::read_to_string(&path).expect("text");
            assert!(!text.contains("secret") && text.contains("timeout"), "{text}");
            assert_eq!(mode & 0o777, 0o600);
            network += 1;
        }
    }
    assert_eq!(network, 1);
}

#[test]
fn a_toolchain_argument_is_refused_with_the_line_that_does_it() {
    assert_snapshot!(Project::locked().xprov("cargo -- +nightly build"), @r#"
    exit 2
    --- stderr
    error: `+nightly` cannot choose a toolchain here: the lockfile pins it

      help: say it in the settings: rust = "1.96.0"
    "#);
}

#[test]
fn a_question_to_cargo_pins_nothing() {
    let project = Project::new();
    let outcome = project.xprov("-q cargo -- -V");
    assert!(outcome.stderr.contains("toolchains.lock"), "{outcome}");
    assert_ne!(outcome.code, Some(0));
    assert!(!project.project.join("toolchains.lock").exists());
    assert_snapshot!(echoing().xprov("-q cargo -- -vV"), @r"
    exit 0
    --- stdout
    <-vV>
    ");
}

#[test]
fn a_config_argument_is_read_before_cargo_gets_it() {
    let project = Project::locked();
    let outcome = project.xprov("check --config build.rustc-wrapper=\"/bin/false\"").ok();
    assert!(
        outcome.stderr.contains("--config: `build.rustc-wrapper` is left out: xprov sets it"),
        "{outcome}"
    );
    let dirs = || {
        let dirs =
            std::fs::read_dir(project.project.join("target/xprov")).expect("build directories");
        dirs.filter(|dir| dir.as_ref().is_ok_and(|dir| dir.file_name() != "tmp")).count()
    };
    project.write("c.toml", "include = \"d.toml\"\n");
    project.write("d.toml", "env.A = \"b\"\n");
    for (arguments, expected) in [
        ("", 1),
        (" --config env.A=\"b\"", 2),
        (" --config c.toml", 2),
        (" --config env.A=\"c\"", 3),
    ] {
        project.xprov(&format!("-q check{arguments}")).ok();
        assert_eq!(dirs(), expected, "{arguments}");
    }
    let outcome = project.xprov("check --config nonsense");
    assert!(outcome.stderr.contains("--config:1: not a cargo configuration"), "{outcome}");
}

#[test]
fn crates_are_fetched_anew_when_anything_that_names_them_changes() {
    let project = Project::locked();
    let outside = project.home.join("outside");
    let write = |path: &str, text: &str| {
        let path = outside.join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    write("Cargo.toml", "[workspace]\n");
    write("dep/Cargo.toml", "[package]\n");
    let packages = [
        (outside.join("dep/Cargo.toml"), "null"),
        (outside.join("from-a-registry/Cargo.toml"), "\"registry\""),
    ];
    let packages = packages.map(|(path, source)| {
        format!("{{ \"manifest_path\": {:?}, \"source\": {source} }}", path.to_str().expect("text"))
    });
    let metadata = format!("{{ \"packages\": [{}] }}", packages.join(", "));
    std::fs::write(project.home.join("metadata.json"), metadata).expect("written");
    let fetches = |arguments: &str| {
        let outcome = project.xprov(&format!("check {arguments}")).ok();
        outcome.stderr.contains("Fetching crates")
    };
    assert!(fetches("") && !fetches(""));
    write("dep/Cargo.toml", "[package]\n[dependencies]\n");
    assert!(fetches("") && !fetches(""), "the manifest of a path dependency");
    write("Cargo.toml", "[workspace]\n[workspace.dependencies]\n");
    assert!(fetches("") && !fetches(""), "what it inherits from");
    project.write(".cargo/config.toml", "[net]\nretry = 1\n");
    assert!(fetches("") && !fetches(""), "the project's configuration");
    let argument = "--config source.a.directory=\"/b\"";
    assert!(fetches(argument) && !fetches(argument) && !fetches(""), "the user's arguments");
    std::fs::write(project.home.join("metadata.json"), "").expect("written");
    project.write("Cargo.lock", "version = 4\n\n");
    assert!(fetches("") && fetches(""), "what cargo did not tell is not remembered");
}

#[test]
fn as_a_subcommand_of_cargo() {
    let project = Project::locked();
    // `cargo xprov restore` starts `cargo-xprov xprov restore`.
    project.xprov("xprov -q restore").ok();
    let outcome = project.xprov("xprov recipes list").ok();
    assert_eq!(outcome, project.xprov("recipes list"));
}

#[test]
fn the_environment_in_every_form() {
    let mut project = Project::locked();
    project.settings("env = { set = { GREETING = \"it's $5\" }, pass = [\"TOKEN\"] }\n");
    project.sandbox().set("TOKEN", "a \"b\" \\ c");
    project.xprov("-q restore").ok();
    let env = |format: &str| {
        let outcome = project.xprov(&format!("-q env --target {TARGET} --format {format}")).ok();
        assert_eq!(outcome.stderr, "");
        let ours = |line: &&str| {
            let mut words = line.split(|c: char| !c.is_ascii_uppercase() && c != '_');
            let name = words.find(|word| word.len() > 1).unwrap_or_default();
            !line.starts_with('[') && ["GREETING", "TOKEN", "XPROV_TARGET", "HOME"].contains(&name)
        };
        outcome.stdout.lines().filter(ours).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(env("sh"), @r#"
    export GREETING='it'\''s $5'
    export XPROV_TARGET=armv7-unknown-linux-gnueabihf
    "#);
    assert_snapshot!(env("fish"), @r#"
    set --global --export GREETING 'it\'s $5'
    set --global --export XPROV_TARGET 'armv7-unknown-linux-gnueabihf'
    "#);
    assert_snapshot!(env("json"), @r#"
    "GREETING": "it's $5",
    "HOME": "[XPROV_HOME]/home",
    "XPROV_TARGET": "armv7-unknown-linux-gnueabihf",
    "#);
    assert_snapshot!(env("dotenv"), @r#"
    GREETING="it's \$5"
    XPROV_TARGET="armv7-unknown-linux-gnueabihf"
    "#);
    assert_snapshot!(env("github"), @r"
    GREETING<<XPROV_END
    XPROV_TARGET<<XPROV_END
    ");
    assert_snapshot!(env("cargo-config"), @r#"
    "GREETING" = { value = "it's $5", force = true }
    "HOME" = { value = "[XPROV_HOME]/home", force = true }
    "XPROV_TARGET" = { value = "armv7-unknown-linux-gnueabihf", force = true }
    "#);
}

#[test]
fn the_environment_is_what_a_shell_evaluates() {
    let mut project = Project::locked();
    project.settings("env = { set = { GREETING = \"it's $5\" } }\n");
    project.sandbox().set("CC", "clang");
    project.xprov("-q restore").ok();
    let mut shell = std::process::Command::new("/bin/sh");
    project.dress(&mut shell);
    let script = format!(
        "eval \"$({} -q env --target {TARGET})\"; echo \"$GREETING ${{CC-unset}} $XPROV_TARGET\"",
        crate::support::sandbox::XPROV
    );
    shell.args(["-euc", &script]);
    assert_snapshot!(project.run(shell), @r"
    exit 0
    --- stdout
    it's $5 unset armv7-unknown-linux-gnueabihf
    ");
}

#[test]
fn the_users_target_directory_is_cargos_too() {
    let mut project = Project::locked();
    let out = project.root().join("elsewhere");
    project.sandbox().set("CARGO_TARGET_DIR", &out.to_string_lossy());
    project.xprov(&format!("-q build --target {TARGET}")).ok();
    let environments = std::fs::read_dir(out.join("xprov")).expect("the build directories");
    let configs: Vec<String> = environments
        .filter_map(|entry| {
            std::fs::read_to_string(entry.expect("an entry").path().join("cargo-config.toml")).ok()
        })
        .collect();
    let line = format!("target-dir = \"{}", out.display());
    assert!(configs.len() == 1 && configs[0].contains(&line), "{configs:?}");
}

/// Only x86-64 has levels above what its target means anyway.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_baseline_reaches_c_and_is_another_environment() {
    let project = Project::new();
    let gcc = |project: &Project| {
        let arguments = ["-q", "exec", "--", "x86_64-linux-gnu-gcc", "-c", "a.c"];
        let outcome = project.run(project.command(&arguments));
        assert_eq!(outcome.code, Some(0), "{outcome}");
        outcome.stdout
    };
    let plain = gcc(&project);
    assert!(plain.starts_with("gcc -march=x86-64 "), "{plain}");
    project.settings("target.x86_64-unknown-linux-gnu.baseline = \"x86-64-v3\"\n");
    let raised = gcc(&project);
    assert!(raised.contains("-march=x86-64-v3") && raised.ends_with("-c a.c\n"), "{raised}");
    assert_eq!(project.store_names("envs").iter().filter(|name| !name.contains('.')).count(), 2);
}
