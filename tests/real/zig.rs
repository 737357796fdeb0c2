//! Zig from the package index that this machine's pip is configured for: Rust with C and C++ in it,
//! linked for an older glibc than any sysroot of the archive has, and run.

mod musl;

use std::fs;
use std::path::{Path, PathBuf};

use super::machine::{Machine, base};
use super::projects::write_project;

const AARCH64: &str = "aarch64-unknown-linux-gnu";
const ARMV7: &str = "armv7-unknown-linux-gnueabihf";

const MANIFEST: &str = r#"
[package]
name = "ferry"
version = "0.1.0"
edition = "2021"
[dependencies]
libz-sys = { version = "1.1", default-features = false, features = ["libc", "static"] }
[build-dependencies]
cc = "1.2"
[workspace]
[package.metadata.xprov]
targets = ["aarch64-unknown-linux-gnu.2.17", "armv7-unknown-linux-gnueabihf"]
[package.metadata.xprov.target.aarch64-unknown-linux-gnu]
toolchain = "zig"
cc = { components = ["loader"] }
[package.metadata.xprov.target.armv7-unknown-linux-gnueabihf]
toolchain = "zig"
glibc = "2.28"
cc = { components = ["loader"] }
"#;

const BUILD: &str = r#"
fn main() {
    cc::Build::new().file("src/one.c").flag_if_supported("-march=native").compile("one");
    cc::Build::new().cpp(true).file("src/two.cc").compile("two");
}
"#;

/// Its second function would be a trap where zig's own default for C stood: it shifts too far.
const C: &str = r"
#include <stdlib.h>
int one(const char *text) { return atoi(text); }
int far(int by) { return (1 << by) != 7; }
";

const CXX: &str = r#"
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
extern "C" void two(void) {
    std::map<std::string, int> berths{{"A", 1}, {"B", 2}};
    try {
        berths.at("C");
    } catch (const std::out_of_range &) {
        std::cout << "c++ " << berths.size() << " caught" << std::endl;
    }
}
"#;

const RUST: &str = r#"
use std::ffi::{c_char, c_int};
extern "C" {
    fn one(text: *const c_char) -> c_int;
    fn far(by: c_int) -> c_int;
    fn two();
}
fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let caught = std::panic::catch_unwind(|| if one_is(41) { panic!() }).is_err();
    let z = unsafe { *libz_sys::zlibVersion() } as u8 as char;
    println!("rust {caught} z {z} c {}", unsafe { far(40) });
    unsafe { two() }
}
fn one_is(number: c_int) -> bool {
    unsafe { one(b"41\0".as_ptr().cast()) == number }
}
"#;

fn project() -> PathBuf {
    let files = [
        ("Cargo.toml", MANIFEST),
        ("build.rs", BUILD),
        ("src/main.rs", RUST),
        ("src/one.c", C),
        ("src/two.cc", CXX),
    ];
    write_project(&base().join("projects").join("ferry"), &files)
}

/// The variables by which pip says what its index is: its own program, and what configures it.
pub fn with_pip() -> Vec<(String, String)> {
    let about_pip = |name: &str| {
        name.starts_with("PIP_") || ["PATH", "VIRTUAL_ENV", "XDG_CONFIG_HOME"].contains(&name)
    };
    let mut found: Vec<_> = std::env::vars().filter(|(name, _)| about_pip(name)).collect();
    // The user's own file lies in a home that tests do not have.
    let home = std::env::var("HOME").unwrap_or_default();
    let files = [".config/pip/pip.conf", ".pip/pip.conf"].map(|file| Path::new(&home).join(file));
    let is_set = found.iter().any(|(name, _)| name == "PIP_CONFIG_FILE");
    if let Some(file) = files.iter().find(|file| !is_set && file.is_file()) {
        found.push(("PIP_CONFIG_FILE".to_owned(), file.to_string_lossy().into_owned()));
    }
    found
}

#[test]
fn programs_of_rust_c_and_cxx_run_on_an_older_glibc_than_any_sysroot_has() {
    let machine = Machine::share();
    let dir = project();
    let pip = with_pip();
    let pip: Vec<(&str, &str)> = pip.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    machine.xprov_with(&dir, &["lock"], &pip).ok();
    machine.xprov_with(&dir, &["restore", "--locked"], &pip).ok();
    let lock = fs::read_to_string(dir.join("toolchains.lock")).expect("a lock");
    assert!(lock.contains("pypi = \"ziglang\""), "{lock}");
    one_composition_for_both(&machine, &dir);
    // With everything there, no index is asked: there is no pip on this PATH.
    machine.xprov(&dir, &["build"]).ok();
    for (target, floor, machine_name) in [(AARCH64, 17, "aarch64"), (ARMV7, 28, "arm")] {
        let named = format!("{target}{}", if floor == 17 { ".2.17" } else { "" });
        machine
            .xprov(&dir, &["run", "--quiet", "--locked", "--target", &named])
            .prints("rust true z 1 c 1\nc++ 2 caught\n");
        let file = format!("target/{target}/debug/ferry");
        let ceiling = format!("2.{floor}");
        let verify = ["verify", "--target", target, "--max-glibc", &ceiling, &file];
        let document = machine.json(&dir, &verify);
        let file = &document["files"][0];
        assert_eq!(file["passed"], true, "{file}");
        assert_eq!(file["facts"]["machine"], machine_name, "{file}");
    }
}

/// What zig unpacks to is there once, whatever it is used for.
fn one_composition_for_both(machine: &Machine, dir: &Path) {
    let tree = |target: &str| {
        let prefix = if target == ARMV7 { "arm-linux-gnueabihf" } else { "aarch64-linux-gnu" };
        let gcc = format!("{prefix}-gcc");
        let said = machine
            .xprov(dir, &["exec", "--target", target, "--", &gcc, "-print-search-dirs"])
            .ok();
        let line =
            said.stdout.lines().find(|line| line.starts_with("programs: =")).map(str::to_owned);
        line.expect("where zig is")
    };
    assert_eq!(tree(AARCH64), tree(ARMV7));
}
