//! Clippy and rustfmt of the pinned Rust, and that neither leaves a trace in what is built.

use std::fs;
use std::path::{Path, PathBuf};

use super::machine::{Machine, base};
use super::projects::remove_tree;

const TARGET: &str = "aarch64-unknown-linux-gnu";

const MANIFEST: &str = r#"
[package]
name = "tidy"
version = "0.1.0"
edition = "2021"
[workspace]
[package.metadata.xprov]
targets = ["aarch64-unknown-linux-gnu"]
"#;

const COMPONENTS: &str = "rust = { components = [\"clippy\", \"rustfmt\"] }\n";

/// One lint and one line that rustfmt writes otherwise.
const UNTIDY: &str = "fn main() {\n    let arguments: Vec<String> = std::env::args().collect();\n    if arguments.len() == 0 { println!(\"none\"); }\n    println!(\"{}\", file!());\n}\n";

const TIDY: &str = "fn main() {\n    let arguments: Vec<String> = std::env::args().collect();\n    if arguments.is_empty() {\n        println!(\"none\");\n    }\n    println!(\"{}\", file!());\n}\n";

fn project(machine: &Machine, name: &str, settings: &str) -> PathBuf {
    let dir = base().join("projects").join(name);
    remove_tree(&dir).expect("removable");
    fs::create_dir_all(dir.join("src")).expect("a folder");
    write(&dir, "Cargo.toml", &format!("{MANIFEST}{settings}"));
    write(&dir, "src/main.rs", UNTIDY);
    machine.lock(&dir, &[]);
    dir
}

fn write(dir: &Path, name: &str, text: &str) {
    fs::write(dir.join(name), text).expect("written");
}

fn binary(dir: &Path) -> Vec<u8> {
    fs::read(dir.join("target").join(TARGET).join("debug/tidy")).expect("a binary")
}

#[test]
fn clippy_and_rustfmt_of_the_pinned_rust_leave_the_build_as_it_is() {
    let machine = Machine::wait();
    let dir = project(&machine, "tidy", COMPONENTS);
    let lock = fs::read_to_string(dir.join("toolchains.lock")).expect("a lock");
    // The configuration of a directory above is this machine's, as cargo's is.
    write(&base().join("projects"), ".clippy.toml", "msrv = \"1.0\"\n");
    machine.xprov(&dir, &["build"]).ok();
    let built = binary(&dir);

    let rustc = machine.xprov(&dir, &["exec", "--", "rustc", "-V"]).ok().stdout;
    let pinned = rustc.split(' ').nth(1).expect("a version");
    let driver = machine.xprov(&dir, &["exec", "--", "clippy-driver", "--rustc", "-V"]).ok();
    assert!(driver.stdout.contains(pinned), "{} is not {pinned}", driver.stdout);

    // The lint fires, in cargo's words, and can be an error.
    let linted = machine.xprov(&dir, &["cargo", "--", "clippy"]).ok();
    assert!(linted.stderr.contains("clippy::len_zero"), "{}", linted.stderr);
    assert!(linted.stderr.contains(".clippy.toml` is refused"), "{}", linted.stderr);
    let denied = machine.xprov(&dir, &["cargo", "--", "clippy", "--", "-Dwarnings"]);
    assert_eq!(denied.code, 101, "{denied:?}");
    // The same by the name that a shell finds.
    let inside = machine.xprov(&dir, &["exec", "--", "cargo", "clippy", "--", "-Dwarnings"]);
    assert_eq!(inside.code, 101, "{inside:?}");

    let badly = machine.xprov(&dir, &["cargo", "--", "fmt", "--check"]);
    assert_eq!(badly.code, 1, "{badly:?}");
    assert!(badly.stdout.contains("src/main.rs"), "{}", badly.stdout);
    let inside = machine.xprov(&dir, &["exec", "--", "cargo", "fmt", "--check"]);
    assert_eq!((inside.code, inside.stdout), (1, badly.stdout));

    // Nothing of it is in the build: with nothing to do, and compiled anew beside clippy's files.
    machine.xprov(&dir, &["build"]).ok();
    assert!(binary(&dir) == built, "after clippy");
    remove_tree(&dir.join("target").join(TARGET)).expect("removable");
    write(&dir, "src/main.rs", &format!("{UNTIDY}\n"));
    machine.xprov(&dir, &["cargo", "--", "clippy"]).ok();
    machine.xprov(&dir, &["build"]).ok();
    assert!(binary(&dir) == built, "compiled after clippy");

    // Formatted and mended, both are content.
    machine.xprov(&dir, &["cargo", "--", "fmt"]).ok();
    let formatted = fs::read_to_string(dir.join("src/main.rs")).expect("a source");
    assert_eq!(formatted.replace(".len() == 0", ".is_empty()"), TIDY);
    write(&dir, "src/main.rs", TIDY);
    machine.xprov(&dir, &["cargo", "--", "fmt", "--check"]).ok();
    machine.xprov(&dir, &["cargo", "--", "clippy", "--", "-Dwarnings"]).ok();

    // Without the components the same Rust makes the same bytes.
    let other = project(&machine, "tidy-without", "");
    let version = |lock: &str| super::projects::locked_rust(lock);
    let other_lock = fs::read_to_string(other.join("toolchains.lock")).expect("a lock");
    assert_eq!(version(&other_lock), version(&lock));
    machine.xprov(&other, &["build"]).ok();
    assert!(binary(&other) == built, "without components");
    let missing = machine.xprov(&other, &["cargo", "--", "clippy"]);
    assert_eq!(missing.code, 2, "{missing:?}");
    assert!(missing.stderr.contains("rust.components = [\"clippy\"]"), "{}", missing.stderr);

    // Asked for later, they are added to the Rust that is locked.
    write(&other, "Cargo.toml", &format!("{MANIFEST}{COMPONENTS}"));
    let drifted = machine.xprov(&other, &["--locked", "build"]);
    assert_eq!(drifted.code, 3, "{drifted:?}");
    machine.xprov(&other, &["lock"]).ok();
    let added = fs::read_to_string(other.join("toolchains.lock")).expect("a lock");
    for line in other_lock.lines().filter(|line| line.contains("sha256")) {
        assert!(added.contains(line), "{line}");
    }
}
