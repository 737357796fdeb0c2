//! Programs for macOS, linked by zig from the package index and by a std that is built from
//! Debian's source of Rust: nothing of Apple's is at hand. They are read here, and not run.

use std::fs;
use std::path::{Path, PathBuf};

use xprov::inspect::mach_o::{Kind, MachO};
use xprov::inspect::{Facts, facts};
use xprov::vocab::digest::Sha256;

use super::machine::{Machine, base};
use super::projects::remove_tree;
use super::zig::with_pip;

const TARGETS: [(&str, (u16, u16)); 2] =
    [("aarch64-apple-darwin", (11, 0)), ("x86_64-apple-darwin", (10, 12))];

const MANIFEST: &str = r#"
[package]
name = "cove"
version = "0.1.0"
edition = "2021"
[build-dependencies]
cc = "1.2"
[workspace]
[package.metadata.xprov]
targets = ["aarch64-apple-darwin", "x86_64-apple-darwin"]
hosts = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]
rust = { recipe = "rust-debian" }
target.aarch64-apple-darwin.toolchain = "zig"
target.x86_64-apple-darwin.toolchain = "zig"
"#;

const BUILD: &str = r#"
fn main() {
    cc::Build::new().file("src/one.c").compile("one");
    println!("cargo:rustc-link-lib=iconv");
}
"#;

/// Uses a header that only macOS has, and what its oldest version is.
const C: &str = r#"
#include <Availability.h>
#include <TargetConditionals.h>
#include <stdlib.h>
#if !TARGET_OS_OSX
#error "this is not macOS"
#endif
int one(const char *text) { return atoi(text) + __MAC_OS_X_VERSION_MIN_REQUIRED; }
"#;

const RUST: &str = r#"
use std::ffi::{c_char, c_int, c_void};
extern "C" {
    fn one(text: *const c_char) -> c_int;
    fn iconv_open(to: *const c_char, from: *const c_char) -> *mut c_void;
}
fn main() {
    let caught = std::panic::catch_unwind(|| panic!("{}", file!())).is_err();
    let far = std::thread::spawn(|| std::env::current_dir()).join();
    let converter = unsafe { iconv_open(c"UTF-8".as_ptr(), c"ASCII".as_ptr()) };
    println!("{caught} {far:?} {converter:?} {}", unsafe { one(c"41".as_ptr()) });
}
"#;

fn project(name: &str) -> PathBuf {
    let dir = base().join("projects").join(name);
    remove_tree(&dir).expect("removable");
    fs::create_dir_all(dir.join("src")).expect("a folder");
    for (name, text) in
        [("Cargo.toml", MANIFEST), ("build.rs", BUILD), ("src/main.rs", RUST), ("src/one.c", C)]
    {
        fs::write(dir.join(name), text).expect("written");
    }
    dir
}

#[test]
fn programs_for_both_macs_are_linked_and_equal_at_two_places() {
    let machine = Machine::share();
    let [first, second] = ["cove", "cove-again"].map(project);
    let pip = with_pip();
    let pip: Vec<(&str, &str)> = pip.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    machine.xprov_with(&first, &["lock"], &pip).ok();
    machine.xprov_with(&first, &["restore", "--locked"], &pip).ok();
    machine.xprov(&first, &["build", "--release"]).ok();
    for name in ["toolchains.lock", "Cargo.lock"] {
        fs::copy(first.join(name), second.join(name)).expect("a copy");
    }
    machine.xprov(&second, &["--locked", "build", "--release"]).ok();
    for (target, oldest) in TARGETS {
        let file = |dir: &Path| dir.join("target").join(target).join("release/cove");
        let bytes = fs::read(file(&first)).expect("a program");
        assert!(bytes == fs::read(file(&second)).expect("a program"), "{target} differs");
        let Facts::MachO(found) = facts(&bytes).expect("facts") else { panic!("{target}") };
        let libraries = ["/usr/lib/libSystem.B.dylib", "/usr/lib/libiconv.2.dylib"];
        assert!(found.libraries.iter().all(|name| libraries.contains(&name.as_str())), "{found:?}");
        assert_eq!(found.libraries.len(), libraries.len(), "{found:?}");
        let expected = MachO {
            arch: target.split('-').next().unwrap_or_default().to_owned(),
            is_program: true,
            kind: Kind::PieProgram,
            is_macos: Some(true),
            oldest_system: Some(oldest),
            signed: target.starts_with("aarch64"),
            libraries: found.libraries.clone(),
            rpaths: Vec::new(),
        };
        assert_eq!(found, expected);
        if found.signed {
            assert!(pages_are_as_signed(&bytes) > 1);
        }
        no_path_of(&machine.store, &bytes);
        no_path_of(&first, &bytes);
    }
    // Nothing here runs them, and that is said.
    let run = machine.xprov(&first, &["run", "--release", "--target", TARGETS[0].0]);
    assert!(run.code != 0 && run.stderr.contains("run on a Mac"), "{}", run.stderr);
}

fn no_path_of(dir: &Path, bytes: &[u8]) {
    let path = dir.as_os_str().as_encoded_bytes();
    assert!(!bytes.windows(path.len()).any(|window| window == path), "{}", dir.display());
}

/// Compares each page with its hash in the signature (an embedded code directory with SHA-256): how
/// many there are. Numbers of a signature are big-endian, those of the load command little-endian.
fn pages_are_as_signed(bytes: &[u8]) -> usize {
    let big = |at: usize| {
        let word = bytes[at..at + 4].try_into().expect("four bytes");
        usize::try_from(u32::from_be_bytes(word)).expect("a size")
    };
    let little = |at: usize| {
        let word = bytes[at..at + 4].try_into().expect("four bytes");
        usize::try_from(u32::from_le_bytes(word)).expect("a size")
    };
    let mut at = 32;
    while little(at) != 0x1d {
        at += little(at + 4);
    }
    let blob = little(at + 8);
    // The first blob of the index is the code directory.
    let directory = blob + big(blob + 16);
    assert_eq!(big(directory), 0xfade_0c02, "a code directory");
    let (hashes, count, limit) =
        (directory + big(directory + 16), big(directory + 28), big(directory + 32));
    let [size, kind, _, page] = [0, 1, 2, 3].map(|byte| bytes[directory + 36 + byte]);
    assert_eq!((size, kind, limit), (32, 2, blob), "SHA-256 of all that is before the signature");
    for (number, page) in bytes[..limit].chunks(1 << page).enumerate() {
        let at = hashes + 32 * number;
        assert!(Sha256::of(page).as_bytes()[..] == bytes[at..at + 32], "page {number}");
    }
    count
}
