//! std for musl, built from its source: programs of it unwind and run, and it is the same in another
//! store.

use std::fs;
use std::path::{Path, PathBuf};

use super::machine::{Machine, base, say};
use super::projects::remove_tree;

const TARGETS: [&str; 3] =
    ["aarch64-unknown-linux-musl", "armv7-unknown-linux-musleabihf", "x86_64-unknown-linux-musl"];

const MANIFEST: &str = r#"
[package]
name = "unwinder"
version = "0.1.0"
edition = "2021"
[workspace]
[profile.release]
lto = true
[package.metadata.xprov]
hosts = ["x86_64-unknown-linux-gnu"]
"#;

/// Panics through frames, in threads, and while another value is dropped.
const MAIN: &str = r#"
use std::panic;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;

static DROPPED: AtomicU32 = AtomicU32::new(0);

struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, SeqCst);
    }
}

#[inline(never)]
fn deep(level: u32) {
    let _counted = Counted;
    if level == 0 {
        panic!("at {level}");
    }
    deep(level - 1);
}

fn main() {
    panic::set_hook(Box::new(|_| ()));
    let caught = panic::catch_unwind(|| deep(8)).unwrap_err();
    println!("{} {}", caught.downcast_ref::<String>().unwrap(), DROPPED.load(SeqCst));
    let threads: Vec<_> = (0..8)
        .map(|number| thread::spawn(move || if number % 2 == 0 { deep(number) }))
        .collect();
    let ended: Vec<bool> = threads.into_iter().map(|thread| thread.join().is_ok()).collect();
    println!("{} {}", ended.iter().filter(|ended| **ended).count(), DROPPED.load(SeqCst));
    println!("{}", std::env::consts::ARCH);
}
"#;

/// A recipe of the C toolchain that links: any gcc of the architecture does, for std brings all
/// that musl needs. The built-in ones for musl have tests of their own.
fn linker(name: &str, text: &str, gnu: &str, target: &str, musl: &str) -> String {
    let named = text.replacen(&format!("name = \"{gnu}\""), &format!("name = \"{name}\""), 1);
    let start = named.find("targets = [").expect("targets");
    let end = start + named[start..].find('\n').expect("a line");
    let of = gnu.trim_start_matches("gcc-");
    format!("{}targets = [\"{target}\"]{}", &named[..start], &named[end..])
        .replace(&format!("\n\"{of}-g"), &format!("\n\"{musl}-g"))
        .replace(", aliases = [\"gcc\", \"cc\"]", "")
        .replace(", aliases = [\"g++\", \"c++\"]", "")
}

fn project(name: &str) -> PathBuf {
    let dir = base().join("projects").join(name);
    remove_tree(&dir).expect("removable");
    fs::create_dir_all(dir.join("src")).expect("a folder");
    fs::create_dir_all(dir.join("recipes")).expect("a folder");
    let write = |name: &str, text: &str| fs::write(dir.join(name), text).expect("written");
    write("Cargo.toml", MANIFEST);
    write("src/main.rs", MAIN);
    let gnu = ["aarch64-linux-gnu", "arm-linux-gnueabihf", "x86_64-linux-gnu"];
    let texts = [
        include_str!("../../recipes/gcc-aarch64-linux-gnu.toml"),
        include_str!("../../recipes/gcc-arm-linux-gnueabihf.toml"),
        include_str!("../../recipes/gcc-x86_64-linux-gnu.toml"),
    ];
    for ((target, gnu), text) in TARGETS.iter().zip(gnu).zip(texts) {
        let recipe = format!("linker-{gnu}");
        let musl = gnu.replace("gnu", "musl");
        let text = linker(&recipe, text, &format!("gcc-{gnu}"), target, &musl);
        write(&format!("recipes/{recipe}.toml"), &text);
    }
    let text = include_str!("../../recipes/qemu-user.toml");
    let start = text.find("targets = [").expect("targets");
    let end = start + text[start..].find('\n').expect("a line");
    write("recipes/qemu-user.toml", &format!("{}{}", &text[..start], &text[end..]));
    dir
}

/// A second store with all that was downloaded, and nothing that was built.
fn second_store(from: &Path, to: &Path) {
    remove_tree(to).expect("removable");
    for name in ["objects", "manifests", "index"] {
        link(&from.join("v1").join(name), &to.join("v1").join(name));
    }
    for entry in fs::read_dir(to.join("v1/index")).expect("an index") {
        let path = entry.expect("an entry").path();
        let object = fs::read_to_string(&path).expect("a store path");
        let object = object.trim_end();
        if object.contains("-rust-std-") {
            fs::remove_file(&path).expect("removable");
            remove_tree(&to.join("v1/objects").join(object)).expect("removable");
        }
    }
}

fn link(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            link(&from, &to);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&from).expect("a target"), &to)
                .expect("linked");
        } else {
            fs::hard_link(&from, &to).expect("linked");
        }
    }
}

/// The tree hashes of the derived entries of a lock, in the order of the targets.
fn trees(lock: &str) -> Vec<String> {
    let lock: toml::Table = lock.parse().expect("TOML");
    let derivations = lock["entry"].as_array().expect("entries").iter();
    let derivations = derivations.filter_map(|entry| entry.get("derivation"));
    derivations.filter_map(|is| Some(is.get("tree")?.as_str()?.to_owned())).collect()
}

#[test]
fn std_for_musl_is_built_unwinds_and_is_the_same_in_another_store() {
    let mut machine = Machine::wait();
    let dir = project("unwinder");
    machine.lock(&dir, &TARGETS);
    for target in TARGETS {
        let arch = target.split('-').next().expect("an architecture");
        let arch = if arch == "armv7" { "arm" } else { arch };
        let expected = format!("at 0 9\n4 25\n{arch}\n");
        machine.xprov(&dir, &["run", "--target", target]).prints(&expected);
        // LTO takes the bitcode of std.
        machine.xprov(&dir, &["run", "--release", "--target", target]).prints(&expected);
        // What was built is not built again, and needs no network.
        let again = machine.xprov(&dir, &["build", "--offline", "--target", target]).ok();
        assert!(!again.stderr.contains("Building"), "{}", again.stderr);
    }

    // Now that they are known, the lock says what they are.
    let lock = machine.lock(&dir, &TARGETS);
    let known = trees(&lock);
    assert_eq!(known.len(), 3, "{lock}");

    say("the same in another store");
    let first = machine.store.clone();
    machine.store = base().join("elsewhere").join("a-deeper").join("store");
    second_store(&first, &machine.store);
    let restored = machine.xprov(&dir, &["restore"]).ok();
    assert_eq!(restored.stderr.matches("    Building rust-std").count(), 3, "{}", restored.stderr);

    // Another hash in the lock is not accepted, neither for what is there nor for what is built.
    let wrong = lock.replace(&known[0], &"0".repeat(known[0].len()));
    fs::write(dir.join("toolchains.lock"), wrong).expect("written");
    let refused = machine.xprov(&dir, &["restore"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.stderr.contains(&known[0]), "{}", refused.stderr);
    remove_tree(&base().join("elsewhere")).expect("removable");
}
