//! The same workspace, wherever it lies, whoever builds it and whatever surrounds it: the same bytes.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use super::hostile::{World, launcher};
use super::machine::{Machine, base, say};
use super::projects::{copy, remove_tree};

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// The whole workspace with debug information, which is full of paths, and one binary as it would
/// be shipped.
const BUILDS: [&[&str]; 2] = [
    &["build", "--target", TARGET],
    &["build", "--target", TARGET, "--release", "-p", "harbor-info"],
];

/// What they make.
const BINARIES: [&str; 5] = [
    "debug/harbor-db",
    "debug/harbor-info",
    "debug/harbor-pack",
    "debug/harbor-sign",
    "release/harbor-info",
];

/// Somebody who owns nothing: `nobody` on most machines.
const SOMEBODY_ELSE: u32 = 65534;

/// A checkout without anything built, with this lock.
fn checkout(dir: &Path, lock: Option<&str>) -> PathBuf {
    remove_tree(dir).expect("removable");
    copy("harbor", dir);
    if let Some(lock) = lock {
        fs::write(dir.join("toolchains.lock"), lock).expect("written");
    }
    dir.to_path_buf()
}

/// The bytes of [`BINARIES`].
type Built = [Vec<u8>; 5];

fn binaries(target_dir: &Path) -> Built {
    let dir = target_dir.join(TARGET);
    BINARIES.map(|name| fs::read(dir.join(name)).expect("a binary"))
}

/// Fails unless what was built in `target_dir` is what was built before.
#[track_caller]
fn same(expected: &Built, target_dir: &Path, what: &str) {
    for (name, (ours, theirs)) in BINARIES.iter().zip(expected.iter().zip(binaries(target_dir))) {
        let lengths = (ours.len(), theirs.len());
        assert!(*ours == theirs, "{what}: {name} differs, {lengths:?} bytes");
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn equal_inputs_make_equal_bytes() {
    let machine = Machine::wait();
    let base = base().join("equal");
    let one = checkout(&base.join("one"), None);
    let lock = machine.lock(&one, &[TARGET]);
    for build in BUILDS {
        machine.xprov(&one, build).ok();
    }
    let expected = binaries(&one.join("target"));

    in_a_hostile_world(&machine, &base.join("hostile"), &lock, &expected);

    say("with cargo inside of the environment");
    let inside = base.join("inside");
    remove_tree(&inside).expect("removable");
    for build in BUILDS {
        let mut exec = vec!["exec", "--target", TARGET, "--", "cargo"];
        exec.extend(build);
        exec.extend(["--target-dir", inside.to_str().expect("UTF-8")]);
        machine.xprov(&one, &exec).ok();
    }
    same(&expected, &inside, "cargo inside of the environment");

    let tester = std::env::var("HOME").ok().filter(|home| home.len() > 1);
    for path in [
        base.to_str().expect("UTF-8"),
        machine.store.to_str().expect("UTF-8"),
        env!("CARGO_MANIFEST_DIR"),
        "zwei Wörter",
        tester.as_deref().unwrap_or("/home/"),
        "/.cargo/",
    ] {
        for (name, bytes) in BINARIES.iter().zip(&expected) {
            assert!(!contains(bytes, path), "`{path}` is in {name}");
        }
    }
    a_new_store_makes_them_too(machine, &one, &expected);
}

/// Another checkout through a link, from elsewhere, with one job, another umask and user, and
/// everything else wrong as well.
fn in_a_hostile_world(machine: &Machine, dir: &Path, lock: &str, expected: &Built) {
    say("in another checkout, by another user, in a hostile world, with one job");
    remove_tree(dir).expect("removable");
    let world = World::new(dir);
    checkout(&world.project, Some(lock));
    let manifest = world.link.join("Cargo.toml");
    for build in BUILDS {
        let mut build = build.to_vec();
        build.extend(["-j1", "--manifest-path", manifest.to_str().expect("UTF-8")]);
        machine.xprov_through(&launcher(), &world.cwd, &build, &world.variables()).ok();
    }
    same(expected, &world.target_dir, "a hostile world");
}

/// A store that was deleted comes back from the lock alone, at another path and for somebody else.
fn a_new_store_makes_them_too(mut machine: Machine, project: &Path, expected: &Built) {
    machine.store = base().join("another-store");
    remove_tree(&machine.store).expect("removable");
    remove_tree(&project.join("target")).expect("removable");
    fs::create_dir_all(&machine.store).expect("a folder");
    match somebody_else(&mut machine, project) {
        Ok(user) => say(&format!("with a new store, as the user {user}")),
        Err(reason) => say(&format!("with a new store, but not as another user: {reason}")),
    }
    let missing = machine.xprov(project, &["--offline", "restore", "--locked"]);
    assert_eq!(missing.code, 4, "{missing:?}");
    let restore = ["restore", "--locked", "--target", TARGET];
    let restored = machine.xprov(project, &restore).ok();
    assert!(restored.stderr.contains("MB downloaded"), "{}", restored.stderr);
    for build in BUILDS {
        machine.xprov(project, build).ok();
    }
    same(expected, &project.join("target"), "another store");
    let again = machine.xprov(project, &["restore", "--frozen"]).ok();
    assert!(again.stderr.contains(" 0.0 MB downloaded"), "{}", again.stderr);
    remove_tree(&machine.store).expect("removable");
    remove_tree(project).expect("removable");
}

/// Makes xprov run as somebody else, who owns the store and the project; or says why that cannot be.
fn somebody_else(machine: &mut Machine, project: &Path) -> Result<u32, &'static str> {
    if fs::metadata("/proc/self").map_or(1, |process| process.uid()) != 0 {
        return Err("these tests do not run as root");
    }
    machine.user = Some(SOMEBODY_ELSE);
    if !machine.reaches(project) {
        machine.user = None;
        return Err("others may not read the target directory");
    }
    for dir in [machine.store.as_path(), project] {
        give_away(dir).expect("root gives away");
    }
    Ok(SOMEBODY_ELSE)
}

fn give_away(path: &Path) -> std::io::Result<()> {
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path)? {
            give_away(&entry?.path())?;
        }
    }
    if path.is_symlink() { Ok(()) } else { chown(path, Some(SOMEBODY_ELSE), Some(SOMEBODY_ELSE)) }
}
