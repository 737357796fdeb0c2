//! Recipes that serve some hosts only, recipes that are wrong, and toolchains that are for another
//! machine.

use insta::assert_snapshot;

use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;
use crate::support::sandbox::host;

/// A host that nobody runs these tests on.
const MAC: &str = "aarch64-apple-darwin";

/// A project whose toolchain serves a Mac, too: there with another C compiler.
fn with_a_mac() -> Project {
    let project = Project::new();
    let hosts = format!("hosts = [\"{}\"]", host());
    for name in ["fake-rust", "fake-tools", "fake-qemu"] {
        let both = format!("hosts = [\"{}\", \"{MAC}\"]", host());
        project.edit(&format!("recipes/{name}.toml"), &hosts, &both);
    }
    let targets = format!("targets = [\"{TARGET}\", \"{}\"]", host());
    let more = format!("targets = [\"{TARGET}\", \"{}\", \"{MAC}\"]", host());
    project.edit("recipes/fake-rust.toml", &targets, &more);
    let std = project.archive(&format!("rust-std-{}", host()));
    let std = project.artifact(std, &format!("target = \"{MAC}\""));
    let provides = "\n[variant.provides]\n";
    project.edit("recipes/fake-rust.toml", provides, &format!("\n{std}{provides}"));
    let recipe = project.read("recipes/fake-gcc-arm.toml");
    let mac = recipe.replace("fake-gcc-arm", "fake-gcc-mac").replace(&host(), MAC);
    let mac = mac.replace(
        &format!("targets = [\"{TARGET}\"]"),
        &format!("targets = [\"{TARGET}\", \"{MAC}\"]"),
    );
    let mac = mac.replace(&format!("target = \"{TARGET}\"\n"), "");
    project.write("recipes/fake-gcc-mac.toml", mac.replace("verified-bytes", "single-source"));
    project.settings(&format!("targets = [\"{TARGET}\"]\nhosts = [\"{}\", \"{MAC}\"]\n", host()));
    project
}

#[test]
fn one_lock_has_each_hosts_own_compiler_and_restores_only_this_ones() {
    let project = with_a_mac();
    let outcome = project.xprov("lock").ok();
    let note = "note: fake-gcc-mac: the digest of gcc 12.2.0 (aarch64-apple-darwin for \
                armv7-unknown-linux-gnueabihf) was seen in one place only \
                (`xprov recipes show fake-gcc-mac`)";
    assert!(outcome.stderr.contains(note), "{outcome}");
    let lock = project.read("toolchains.lock");
    let line = |recipe: &str| {
        let recipe = format!("recipe = \"{recipe}\"");
        let line = lock.lines().find(|line| line.starts_with("  {") && line.contains(&recipe));
        line.unwrap_or_default().split(", recipe").next().unwrap_or_default().to_owned()
    };
    assert_eq!(line("fake-rust"), "  { slot = \"rust\"");
    let of_host = format!("  {{ slot = \"cc\", target = \"{TARGET}\", host = \"{}\"", host());
    assert_eq!(line("fake-gcc-arm"), of_host);
    assert!(lock.contains(&of_host.replace(&host(), MAC)), "{lock}");

    project.xprov("restore --locked").ok();
    assert_eq!(project.requests(), 8, "the archives of this host, each once");
    // Now the trees of this host's archives are known, and noted; nothing else changes.
    project.xprov("lock").ok();
    let known = project.read("toolchains.lock");
    let bare = known.lines().map(|line| match line.split_once(", tree = ") {
        Some((before, _)) => format!("{before} }},\n"),
        None => format!("{line}\n"),
    });
    assert_eq!(bare.collect::<String>(), lock);
    let again = project.xprov("lock").ok().stdout;
    assert!(again.starts_with("toolchains.lock is up to date"), "{again}");

    // A host is taken away, and what it alone needed goes; the rest stays as it was.
    project.settings(&format!("targets = [\"{TARGET}\"]\nhosts = [\"{}\"]\n", host()));
    project.xprov("--locked restore").ok();
    let outcome = project.xprov("update").ok();
    assert!(outcome.stdout.contains("- gcc 12.2.0 (aarch64-apple-darwin for"), "{outcome}");
    assert!(!project.read("toolchains.lock").contains(", host = "));
}

#[test]
fn recipes_are_checked() {
    let project = Project::new();
    let outcome = project.xprov("recipes check").ok();
    assert!(outcome.stdout.ends_with("recipes, nothing wrong\n"), "{outcome}");

    let recipe = project.read("recipes/fake-gcc-arm.toml");
    let wrong = recipe.replace("fake-gcc-arm", "wrong").replace("-g++\" =", "-G++\" =");
    project.write("elsewhere/wrong.toml", wrong.replace("http://127.0.0.1", "http://192.0.2.1"));
    project.write("elsewhere/other.toml", &recipe);
    let outcome = project.xprov("recipes check elsewhere/wrong.toml elsewhere/other.toml");
    assert_eq!(outcome.code, Some(1));
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(lines[0].starts_with("FAIL elsewhere/other.toml: "), "{outcome}");
    assert!(lines[0].ends_with("the recipe is named `fake-gcc-arm`, its file `other`"));
    assert!(lines[1].starts_with("FAIL wrong: component `gcc`: http://192.0.2.1"), "{outcome}");
    assert!(lines[1].ends_with(" is not https:"), "{outcome}");
    assert_eq!(lines[2], "2 recipes, 2 findings");

    // In the project it is the second default of its target.
    project.write("recipes/wrong.toml", recipe.replace("fake-gcc-arm", "wrong"));
    let outcome = project.xprov("--json recipes check");
    assert_eq!(outcome.code, Some(1));
    let document: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(document["schema"], "xprov/recipes-check/v1");
    assert_eq!(document["findings"][0]["recipe"], "wrong");
    let what = document["findings"][0]["what"].as_str().expect("a sentence");
    assert!(what.starts_with("it and `fake-gcc-arm` are both the default cc for"), "{what}");
    let missing = project.xprov("recipes check nowhere.toml");
    assert_eq!(missing.code, Some(2), "{missing}");
}

#[test]
fn a_compiler_for_another_machine_is_refused_before_it_is_used() {
    let mut project = Project::locked();
    let mut program = b"\x7fELF\x02\x01\x01".to_vec();
    program.resize(16, 0);
    // An executable for RISC-V.
    program.extend([2, 0, 243, 0]);
    program.resize(128, 0);
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(128);
    header.set_cksum();
    tar.append_data(&mut header, "usr/bin/arm-linux-gnueabihf-gcc", &program[..]).expect("memory");
    project.replace(&Project::gcc(), tar.into_inner().expect("memory"));
    assert_snapshot!(project.xprov("-q restore"), @r"
    exit 6
    --- stderr
    error: `usr/bin/arm-linux-gnueabihf-gcc` is a program for machine 243 Linux, and this machine is `[HOST]`

      help: the recipe's artifact is for another host: correct its `host`, or choose another recipe (`xprov recipes list`)
    ");
    assert_eq!(project.leftovers(), Vec::<String>::new());
    // It is not remembered as good.
    assert_eq!(project.xprov("-q restore").code, Some(6));
}
