//! Tools that settings ask for by their names: in the lock, in the environment, and what is said
//! where there is none.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::archive_fixture::{Archive, TARGET, tar_gz};
use crate::support::project::Project;
use crate::support::sandbox::host;

/// The hosts of the release recipes.
const HOSTS: [&str; 4] = [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "x86_64-unknown-linux-gnu",
];

/// A project with recipes for `protoc` and `speller`, and programs on the user's PATH that are
/// called the same.
fn project() -> Project {
    let project = Project::new();
    for (tool, provides) in [
        ("protoc", "PROTOC = \"{bin}/protoc\"\nPROTOC_INCLUDE = \"{tree}/include\"\n"),
        ("speller", ""),
    ] {
        let program = format!("#!/bin/sh\necho pinned {tool} \"$@\"\n");
        let archive = Archive {
            name: tool.to_owned(),
            version: "3.21.12".to_owned(),
            bytes: tar_gz(&[
                (&format!("bin/{tool}"), 0o755, &program),
                ("include/google/protobuf/any.proto", 0o644, "syntax = \"proto3\";\n"),
            ]),
        };
        project.server().serve(&format!("/{}", archive.file()), archive.bytes.clone());
        let (host, artifact) = (host(), project.artifact(&archive, ""));
        project.write(
            &format!("recipes/fake-{tool}.toml"),
            format!(
                "schema = 1\nname = \"fake-{tool}\"\nsummary = \"a script\"\n\
                 slot = \"host-tools\"\ntool = \"{tool}\"\ndefault = true\n\n\
                 [[variant]]\nhosts = [\"{host}\"]\n\n[[variant.component]]\nname = \"{tool}\"\n\
                 runs = \"on-host\"\n\n{artifact}\n[variant.provides]\nlinks = [\"bin/*\"]\n\n\
                 [variant.provides.env]\n{provides}"
            ),
        );
    }
    project
}

fn settings(project: &Project, tools: &str) {
    project.settings(&format!("host-tools = {{ {tools} }}\n"));
}

fn variables(project: &Project) -> Value {
    let json = project.xprov("-q --json env").ok();
    serde_json::from_str(&json.stdout).expect("JSON")
}

/// How many environments there are, after one was made for the settings as they are.
fn environments(project: &Project) -> usize {
    variables(project);
    let names = project.store_names("envs");
    names.iter().filter(|name| !name.contains('.')).count()
}

#[test]
fn a_tool_is_there_where_the_settings_ask_for_it() {
    let project = project();
    project.xprov("-q lock").ok();
    let without = project.read("toolchains.lock");
    assert_eq!(environments(&project), 1);
    assert!(!without.contains("host-tools"), "{without}");
    assert_eq!(project.xprov("-q exec protoc").code, Some(127));

    settings(&project, "protoc = true, speller = \"3.21\"");
    assert_snapshot!(project.xprov("lock"), @r"
    exit 0
    --- stdout
    + protoc 3.21.12 ([HOST])
    + speller 3.21.12 ([HOST])
    --- stderr
       Resolving fake-protoc
       Resolving fake-speller
         Updated toolchains.lock (7 toolchain entries)
    ");
    let with = project.read("toolchains.lock");
    assert!(
        with.contains(
            "{ slot = \"host-tools\", tool = \"protoc\", recipe = \"fake-protoc\", digest"
        ) && with.contains("\nslot = \"host-tools\"\nrecipe = \"fake-speller\"\n"),
        "{with}"
    );
    // Each has a tree of its own: both have a file of one name.
    assert_snapshot!(project.xprov("-q exec protoc a.proto"), @r"
    exit 0
    --- stdout
    pinned protoc a.proto
    ");
    assert_snapshot!(project.xprov("-q exec speller"), @r"
    exit 0
    --- stdout
    pinned speller
    ");
    let variables = variables(&project);
    let value = |name: &str| variables[name].as_str().expect(name).to_owned();
    assert!(value("PROTOC").ends_with(&format!("/{}/bin/protoc", value("XPROV_ENV_ID"))));
    assert!(value("PROTOC_INCLUDE").ends_with("-host-tools-fake-protoc/include"));
    let composed = project.store_names("compositions");
    let tree = composed.iter().find(|name| name.ends_with("-host-tools-fake-protoc"));
    let dir = project.xprov_home.join("v1/compositions").join(tree.expect("a composition"));
    assert!(dir.join("include/google/protobuf/any.proto").is_file());
    let why = project.xprov("-q why protoc").ok();
    assert!(why.stdout.contains("protoc 3.21.12, of protoc 3.21.12"), "{why}");
    assert!(project.xprov("-q why PROTOC").ok().stdout.contains("tool protoc"));

    // Asked for no more, they are gone, and the environment is the one from before.
    assert_eq!(environments(&project), 2);
    settings(&project, "protoc = true");
    assert_eq!(environments(&project), 3);
    project.settings("");
    assert_snapshot!(project.xprov("lock"), @r"
    exit 0
    --- stdout
    - protoc 3.21.12 ([HOST])
    --- stderr
         Updated toolchains.lock (5 toolchain entries)
    ");
    let lock = project.read("toolchains.lock");
    assert!(!lock.contains("host-tools") && !lock.contains("protoc"), "{lock}");
    assert_eq!(environments(&project), 3);
    assert_eq!(project.xprov("-q exec protoc").code, Some(127));
}

#[test]
fn what_is_asked_for_and_not_locked_is_drift_and_the_other_way_round() {
    let project = project();
    settings(&project, "protoc = true");
    project.xprov("-q lock").ok();
    settings(&project, "speller = true");
    assert_snapshot!(project.xprov("-q --locked lock"), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      host tool `speller` is not locked
      host tool `protoc` is locked and not asked for

      help: run `xprov lock` and commit toolchains.lock
    ");
    settings(&project, "protoc = { recipe = \"protoc-release\", version = \"35\" }");
    assert_snapshot!(project.xprov("-q --locked lock"), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      host tool `protoc`: recipe `fake-protoc` is locked, `protoc-release` is asked for

      help: run `xprov lock` and commit toolchains.lock
    ");
}

#[test]
fn what_no_recipe_has_is_an_error_that_says_what_there_is() {
    let project = project();
    for (tools, expected) in [
        (
            "protocc = true",
            "error: there is no host tool `protocc`\n\n  help: did you mean `protoc`?\n  \
             help: there are cmake, ninja, perl, protoc, speller\n",
        ),
        (
            "protoc = { recipe = \"cmake-release\" }",
            "error: recipe `cmake-release` provides no `protoc`\n\n  \
             help: there are fake-protoc, protoc, protoc-release\n",
        ),
        (
            "protoc = { recipe = \"protoc-4\" }",
            "error: no recipe `protoc-4` for host-tools\n\n  \
             help: there are fake-protoc, protoc, protoc-release\n",
        ),
        (
            "protoc = \"4\"",
            "error: recipe `fake-protoc` has no protoc 4 for host [HOST]\n\n  \
             help: see what there is with `xprov recipes show fake-protoc`\n",
        ),
    ] {
        settings(&project, tools);
        let outcome = project.xprov("-q lock");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(2), expected), "{tools}");
    }
    settings(&project, "protoc = 4");
    assert_snapshot!(project.xprov("lock"), @r"
    exit 2
    --- stderr
    error: Cargo.toml:7:25: invalid type: integer `4`, expected `true`, a version, or a table with `recipe` and `version`
    ");
    // What the tool sets, nobody else sets.
    project
        .settings("host-tools = { protoc = true }\nenv.set = { PROTOC = \"/usr/bin/protoc\" }\n");
    assert_snapshot!(project.xprov("-q build"), @r"
    exit 2
    --- stderr
    error: the settings name the variable PROTOC, which xprov sets itself

      help: take it out of `env` in the settings
    ");
}

#[test]
fn a_recipe_says_which_tool_it_is() {
    let project = project();
    let text = project.read("recipes/fake-protoc.toml");
    for (from, to, expected) in [
        ("tool = \"protoc\"\n", "", "`tool` is for the slot `host-tools`, which needs it"),
        (
            "slot = \"host-tools\"\ntool = \"protoc\"\n",
            "slot = \"tools\"\n",
            "`provides.env` is for the slot `host-tools`",
        ),
    ] {
        project.write("recipes/fake-protoc.toml", text.replace(from, to));
        let outcome = project.xprov("lock");
        let first = format!("error: recipes/fake-protoc.toml: {expected}\n");
        assert!(outcome.code == Some(2) && outcome.stderr.starts_with(&first), "{outcome}");
    }
}

/// The pins of the projects' own releases stand in the recipes: all hosts are locked without a
/// network.
#[test]
fn one_lock_has_the_tools_of_all_hosts() {
    let project = Project::new();
    let here = host();
    for recipe in ["rust", "gcc-host", "gcc-arm", "tools", "qemu"] {
        let path = format!("recipes/fake-{recipe}.toml");
        let text = project.read(&path);
        let text = text.replace(&format!("hosts = [\"{here}\"]"), &format!("hosts = {HOSTS:?}"));
        let text = match recipe {
            "rust" | "gcc-host" => {
                let serves = |line: &&str| !line.starts_with("targets = ");
                let text = text.lines().filter(serves).collect::<Vec<_>>().join("\n");
                text.replace(&format!("target = \"{here}\""), "")
            }
            _ => text,
        };
        project.write(&path, text);
    }
    project.settings(&format!(
        "targets = [\"{TARGET}\"]\nhosts = {HOSTS:?}\n[package.metadata.xprov.host-tools]\n\
         protoc = {{ recipe = \"protoc-release\", version = \"28\" }}\n\
         cmake = {{ recipe = \"cmake-release\" }}\n\
         ninja = {{ recipe = \"ninja-release\", version = \"1.12\" }}\n"
    ));
    project.xprov("-q --offline lock").ok();
    let lock: toml::Table = project.read("toolchains.lock").parse().expect("TOML");
    let entries = lock["entry"].as_array().expect("entries");
    let mut pinned: Vec<String> = entries
        .iter()
        .filter(|entry| entry["slot"].as_str() == Some("host-tools"))
        .map(|entry| {
            let text = |value: &toml::Value| value.as_str().expect("text").to_owned();
            let sha256 = &entry["artifacts"][0]["sha256"];
            let [name, version, host] = ["name", "version", "host"].map(|key| text(&entry[key]));
            format!("{name} {version} {host} {}", &text(sha256)[..8])
        })
        .collect();
    pinned.sort();
    assert_snapshot!(pinned.join("\n"), @r"
    cmake 4.4.2 aarch64-apple-darwin 800fc868
    cmake 4.4.2 aarch64-unknown-linux-gnu 9ca1aadb
    cmake 4.4.2 x86_64-apple-darwin 800fc868
    cmake 4.4.2 x86_64-unknown-linux-gnu 3ada9a3f
    ninja 1.12.1 aarch64-apple-darwin 89a28744
    ninja 1.12.1 aarch64-unknown-linux-gnu 5c25c657
    ninja 1.12.1 x86_64-apple-darwin 89a28744
    ninja 1.12.1 x86_64-unknown-linux-gnu 6f988056
    protoc 28.3 aarch64-apple-darwin 92ceefda
    protoc 28.3 aarch64-unknown-linux-gnu 1de52203
    protoc 28.3 x86_64-apple-darwin 97fe5d44
    protoc 28.3 x86_64-unknown-linux-gnu 0ad949f0
    ");
}
