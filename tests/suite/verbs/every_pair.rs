//! One lock for every host and target of `docs/targets.md`, without asking anybody: where the
//! recipes have their pins in them, those are all that a lock needs.

use std::fmt::Write as _;

use crate::support::project::Project;

const HOSTS: [&str; 4] = [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "x86_64-unknown-linux-gnu",
];

const TARGETS: [&str; 7] = [
    "aarch64-unknown-linux-gnu",
    "aarch64-unknown-linux-musl",
    "armv7-unknown-linux-gnueabihf",
    "armv7-unknown-linux-musleabihf",
    "i686-unknown-linux-musl",
    "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
];

fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("[{}]", quoted.join(", "))
}

/// A recipe of the project's own that has one pin for all: it stands in for what is looked up in an
/// index, or is the machine's.
fn pinned(project: &Project, slot: &str, targets: &[&str]) {
    let archive = project.artifact(project.archive("tools"), "");
    let targets = match targets {
        [] => String::new(),
        targets => format!("targets = {}\n", list(targets)),
    };
    let recipe = format!(
        "schema = 1\nname = \"own-{slot}\"\nsummary = \"one pin for all\"\nslot = \"{slot}\"\n\
         {targets}default = true\n[[variant]]\nhosts = {}\n[[variant.component]]\n\
         name = \"own-{slot}\"\nruns = \"on-host\"\n{archive}",
        list(&HOSTS)
    );
    project.write(&format!("recipes/own-{slot}.toml"), recipe);
}

/// A project that asks for these, and has recipes of its own for all but the compilers of `TARGETS`.
fn project(hosts: &[&str], targets: &[&str], more: &str) -> Project {
    let project = Project::new();
    for name in ["rust", "gcc-arm", "gcc-host", "tools", "qemu"] {
        let path = project.project.join("recipes").join(format!("fake-{name}.toml"));
        std::fs::remove_file(path).expect("removed");
    }
    let every: Vec<&str> = TARGETS.iter().chain(&HOSTS).copied().collect();
    pinned(&project, "rust", &every);
    pinned(&project, "tools", &[]);
    pinned(&project, "runner", &TARGETS);
    pinned(&project, "cc", &["aarch64-apple-darwin", "x86_64-apple-darwin"]);
    project.settings(&format!("hosts = {}\ntargets = {}\n{more}", list(hosts), list(targets)));
    project
}

/// The recipes of the C toolchains in a lock: (host, target, recipe), without those of machines that
/// are hosts only.
fn compilers(lock: &str) -> Vec<(String, String, String)> {
    let lock: toml::Table = lock.parse().expect("TOML");
    let text = |entry: &toml::Value, key: &str| {
        entry.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned()
    };
    let entries = lock["entry"].as_array().expect("entries").iter();
    let of_slot = entries.filter(|entry| text(entry, "slot") == "cc");
    let mut found: Vec<_> = of_slot
        .map(|entry| (text(entry, "host"), text(entry, "target"), text(entry, "recipe")))
        .filter(|(_, target, _)| TARGETS.contains(&target.as_str()))
        .collect();
    found.sort();
    found
}

fn locked(project: &Project) -> Vec<(String, String, String)> {
    let outcome = project.xprov("--offline lock").ok();
    assert_eq!(project.requests(), 0);
    let lock = project.read("toolchains.lock");
    // Of files that zig's key signs no signature is here: the digests stand alone, said in one line.
    assert_eq!(outcome.stderr.matches("zig 0.16.0: without signature").count(), 1, "{outcome}");
    assert!(!lock.contains("minisign"), "{lock}");
    compilers(&lock)
}

#[test]
fn zig_is_locked_for_all_hosts_and_targets_without_network() {
    let mut settings = String::new();
    for target in TARGETS {
        let _ = writeln!(settings, "target.{target}.toolchain = \"zig-release\"");
    }
    let found = locked(&project(&HOSTS, &TARGETS, &settings));
    let pairs = HOSTS.iter().flat_map(|host| TARGETS.iter().map(move |target| (host, target)));
    let expected: Vec<_> = pairs
        .map(|(host, target)| (host.to_string(), target.to_string(), "zig-release".to_owned()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_mac_has_a_default_for_every_target_without_network() {
    let macs = ["aarch64-apple-darwin", "x86_64-apple-darwin"];
    let found = locked(&project(&macs, &TARGETS, ""));
    assert_eq!(found.len(), macs.len() * TARGETS.len(), "{found:?}");
    for (host, target, recipe) in &found {
        let is_confirmed = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];
        let is_confirmed = is_confirmed.contains(&target.as_str());
        let expected = if is_confirmed { "macos-cross" } else { "zig-release" };
        assert_eq!(recipe, expected, "{host} {target}");
    }
}
