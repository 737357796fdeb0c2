//! Zig for musl: Rust with C and C++ in one static file for each target, whose panics and exceptions
//! cross each other's frames.

use std::fmt::Write as _;
use std::fs;

use object::{Object as _, ObjectSymbol as _};

use super::with_pip;
use crate::machine::{Machine, base};
use crate::projects::write_project;

/// A target, the prefix of its tools, what `std::env::consts::ARCH` says, the machine and the bits
/// of its programs.
const TARGETS: [(&str, &str, &str, &str, u64); 1] =
    [("x86_64-unknown-linux-musl", "x86_64-linux-musl", "x86_64", "x86_64", 64)];

const BUILD: &str = r#"
fn main() {
    cc::Build::new().file("src/one.c").compile("one");
    cc::Build::new().cpp(true).file("src/two.cc").compile("two");
}
"#;

const C: &str = r"
#include <math.h>
#include <stdlib.h>
int one(const char *text) { return (int)sqrt(atof(text)); }
";

const CXX: &str = r#"
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

static int destroyed;
struct Counted { ~Counted() { destroyed++; } };

extern "C" void two(void) {
    std::map<std::string, int> berths{{"A", 1}, {"B", 2}};
    try {
        berths.at("C");
    } catch (const std::out_of_range &) {
        std::cout << "c++ " << berths.size() << " caught" << std::endl;
    }
    std::thread([] {
        try { Counted counted; throw 7; } catch (int seven) { destroyed += seven; }
    }).join();
    std::cout << "destroyed " << destroyed << std::endl;
}

// What `f` throws or panics with goes through it.
extern "C" void through(void (*f)(void)) { Counted counted; f(); }
extern "C" void thrower(void) { throw std::runtime_error("thrown"); }
extern "C" int catcher(void (*f)(void)) {
    try { f(); } catch (const std::runtime_error &error) { return error.what()[0]; }
    return 0;
}
extern "C" int count(void) { return destroyed; }
"#;

const RUST: &str = r#"
use std::ffi::{c_char, c_int};
extern "C" {
    fn one(text: *const c_char) -> c_int;
    fn two();
    fn count() -> c_int;
}
extern "C-unwind" {
    fn through(f: extern "C-unwind" fn());
    fn thrower();
    fn catcher(f: extern "C-unwind" fn()) -> c_int;
}
struct Said(&'static str);
impl Drop for Said {
    fn drop(&mut self) {
        println!("dropped by {}", self.0);
    }
}
extern "C-unwind" fn panics() {
    let _said = Said("a panic");
    panic!("over c++")
}
extern "C-unwind" fn rust_between() {
    let _said = Said("an exception");
    unsafe { thrower() }
}
fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    println!("rust {} c {}", std::env::consts::ARCH, unsafe { one(c"1764".as_ptr()) });
    let caught = std::panic::catch_unwind(|| unsafe { through(panics) }).unwrap_err();
    println!("{} {}", caught.downcast_ref::<&str>().unwrap(), unsafe { count() });
    println!("{}", unsafe { catcher(rust_between) } as u8 as char);
    unsafe { two() }
    println!("{}", std::thread::spawn(|| panic!("x")).join().is_err());
}
"#;

const SAID: &str = "\
rust {arch} c 42
dropped by a panic
over c++ 1
dropped by an exception
t
c++ 2 caught
destroyed 9
true
";

/// A program that zig links by itself.
const PROGRAM: &str = r#"
#include <limits.h>
#include <stdio.h>
int main(void) { printf("%d\n", (int)(sizeof(void *) * CHAR_BIT)); return 0; }
"#;

fn manifest() -> String {
    let mut text = "[package]\nname = \"lark\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
                    [build-dependencies]\ncc = \"1.2\"\n[workspace]\n[package.metadata.xprov]\n\
                    hosts = [\"x86_64-unknown-linux-gnu\", \"aarch64-unknown-linux-gnu\"]\n"
        .to_owned();
    let targets: Vec<String> = TARGETS.iter().map(|target| format!("\"{}\"", target.0)).collect();
    let _ = writeln!(text, "targets = [{}]", targets.join(", "));
    for (target, ..) in TARGETS {
        let _ = writeln!(text, "target.{target}.toolchain = \"zig\"");
    }
    text
}

#[test]
fn panics_and_exceptions_cross_in_static_programs() {
    let machine = Machine::share();
    let dir = write_project(
        &base().join("projects").join("lark"),
        &[
            ("Cargo.toml", &manifest()),
            ("build.rs", BUILD),
            ("src/main.rs", RUST),
            ("src/one.c", C),
            ("src/two.cc", CXX),
            ("program.c", PROGRAM),
        ],
    );
    let pip = with_pip();
    let pip: Vec<(&str, &str)> = pip.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    machine.xprov_with(&dir, &["lock"], &pip).ok();
    machine.xprov_with(&dir, &["restore", "--locked"], &pip).ok();
    for (target, prefix, arch, machine_name, bits) in TARGETS {
        machine.xprov(&dir, &["build", "--target", target]).ok();
        let run = ["run", "--quiet", "--locked", "--target", target];
        machine.xprov(&dir, &run).prints(&SAID.replace("{arch}", arch));
        let gcc = format!("{prefix}-gcc");
        let program = dir.join("target").join(format!("program-{prefix}"));
        let program = program.to_str().expect("UTF-8");
        let exec = |command: &[&str]| {
            machine.xprov(&dir, &[&["exec", "--target", target, "--"], command].concat())
        };
        exec(&[&gcc, "-O2", "program.c", "-o", program]).ok();
        exec(&["xprov-runner", program]).prints(&format!("{bits}\n"));
        for file in [program, &format!("target/{target}/debug/lark")] {
            let document = machine.json(&dir, &["verify", "--target", target, file]);
            let file = &document["files"][0];
            assert_eq!(file["passed"], true, "{file}");
            let facts = &file["facts"];
            assert_eq!((&facts["machine"], &facts["bits"]), (&machine_name.into(), &bits.into()));
        }
        // Rust's frames and C++'s have one unwinder: LLVM's, and not the one that std brings.
        let bytes = fs::read(dir.join(format!("target/{target}/debug/lark"))).expect("a program");
        let file = object::File::parse(&*bytes).expect("ELF");
        let names: Vec<&str> = file.symbols().filter_map(|symbol| symbol.name().ok()).collect();
        assert!(names.contains(&"__unw_step"), "{target}");
        assert!(!names.contains(&"_Unwind_Find_FDE"), "{target}");
    }
}
