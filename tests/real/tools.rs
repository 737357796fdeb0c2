//! The pinned programs themselves: they find their own parts in the store, take no library of the
//! host but the C library, and what the C compilers make runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xprov::compose::relocate::{is_c_library, needs};

use super::machine::{Machine, base};
use super::projects::{TARGETS, harbor};

const C: &str = r#"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) { printf("c %zu %.3f\n", sizeof(void *), sqrt(atof(argv[1]))); }
"#;

const CXX: &str = r#"
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
int main() {
    std::map<std::string, int> berths{{"A", 1}, {"B", 2}};
    try {
        berths.at("C");
    } catch (const std::out_of_range &) {
        std::cout << "c++ " << berths.size() << " caught" << std::endl;
    }
}
"#;

fn prefix(target: &str) -> &'static str {
    match target {
        "aarch64-unknown-linux-gnu" => "aarch64-linux-gnu",
        "armv7-unknown-linux-gnueabihf" => "arm-linux-gnueabihf",
        _ => "x86_64-linux-gnu",
    }
}

#[test]
fn c_and_cxx_programs_compile_and_run() {
    let machine = Machine::wait();
    let dir = harbor(&machine);
    let scratch = base().join("c");
    fs::create_dir_all(&scratch).expect("a folder");
    let path = |name: &str| scratch.join(name).to_str().expect("UTF-8").to_owned();
    fs::write(path("one.c"), C).expect("written");
    fs::write(path("two.cc"), CXX).expect("written");
    for target in TARGETS {
        let prefix = prefix(target);
        let exec = |command: &[&str]| {
            machine.xprov(dir, &[&["exec", "--target", target, "--"], command].concat())
        };
        let variables = machine.json(dir, &["env", "--target", target]);
        let name = format!("CARGO_TARGET_{}_RUNNER", target.to_uppercase().replace('-', "_"));
        let runner = variables[&name].as_str().expect("a runner");
        let bytes = if target.starts_with("armv7") { 4 } else { 8 };

        let (one, two) = (path(&format!("one-{prefix}")), path(&format!("two-{prefix}")));
        exec(&[&format!("{prefix}-gcc"), "-O2", &path("one.c"), "-o", &one, "-lm"]).ok();
        exec(&[runner, &one, "2"]).prints(&format!("c {bytes} 1.414\n"));
        exec(&[&format!("{prefix}-g++"), "-O2", &path("two.cc"), "-o", &two]).ok();
        exec(&[runner, &two]).prints("c++ 2 caught\n");
        machine.xprov(dir, &["verify", "--target", target, &one]).ok();
    }
}

#[test]
fn the_compilers_look_only_into_the_store() {
    let machine = Machine::wait();
    let dir = harbor(&machine);
    let store = machine.store.to_str().expect("UTF-8");
    for target in TARGETS {
        let exec = |command: &[&str]| {
            machine.xprov(dir, &[&["exec", "--target", target, "--"], command].concat()).ok()
        };
        let sysroot = exec(&["rustc", "--print", "sysroot"]).stdout;
        assert!(sysroot.starts_with(store), "{sysroot}");
        let libdir = exec(&["rustc", "--print", "target-libdir", "--target", target]).stdout;
        assert!(libdir.starts_with(sysroot.trim_end()), "{libdir}");
        assert!(Path::new(libdir.trim_end()).is_dir(), "{libdir}");

        let gcc = format!("{}-gcc", prefix(target));
        for part in ["as", "ld", "cc1", "cc1plus", "collect2"] {
            let program = exec(&[&gcc, &format!("-print-prog-name={part}")]).stdout;
            assert!(program.starts_with(store), "{target}: {part} is `{}`", program.trim_end());
        }
        for part in ["crt1.o", "crti.o", "crtbeginS.o", "libgcc.a", "libc.so", "libstdc++.so"] {
            let file = exec(&[&gcc, &format!("-print-file-name={part}")]).stdout;
            assert!(file.starts_with(store), "{target}: {part} is `{}`", file.trim_end());
        }
        let source = base().join("empty.cc");
        fs::write(&source, "").expect("written");
        let source = source.to_str().expect("UTF-8");
        let said = exec(&[&gcc, "-v", "-E", "-x", "c++", source]).stderr;
        let dirs: Vec<&str> = said
            .lines()
            .skip_while(|line| !line.starts_with("#include <...>"))
            .skip(1)
            .take_while(|line| line.starts_with(' '))
            .map(str::trim)
            .collect();
        assert!(dirs.len() >= 3 && dirs.iter().all(|dir| dir.starts_with(store)), "{said}");
    }
}

/// Asks the machine's own loader where each library of each program of the compositions comes from.
#[test]
fn no_library_of_the_host_is_used_but_the_c_library() {
    let machine = Machine::wait();
    let dir = harbor(&machine);
    machine.xprov(dir, &["restore", "--locked"]).ok();
    let (loader, e_machine) = if cfg!(target_arch = "x86_64") {
        ("/lib64/ld-linux-x86-64.so.2", 62)
    } else {
        ("/lib/ld-linux-aarch64.so.1", 183)
    };
    let mut checked: Vec<PathBuf> = Vec::new();
    for composition in fs::read_dir(machine.store.join("v1/compositions")).expect("compositions") {
        let composition = composition.expect("a composition").path();
        // What is in a sysroot apart is the target's; nothing of it runs here.
        if composition.to_string_lossy().ends_with("-sysroot") {
            continue;
        }
        for file in files(&composition) {
            let bytes = fs::read(&file).expect("readable");
            let Ok(Some(needs)) = needs(&bytes) else { continue };
            if needs.machine != e_machine || needs.needed.is_empty() {
                continue;
            }
            let listed = Command::new(loader).arg("--list").arg(&file).env_clear().output();
            let listed = listed.expect("the loader starts");
            let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
            let libraries = listed.lines().filter_map(|line| line.trim().split_once(" => "));
            for (library, place) in libraries {
                assert!(
                    Path::new(place).starts_with(&composition) || is_c_library(library),
                    "{}: {library} => {place}",
                    file.display()
                );
            }
            checked.push(file);
        }
    }
    for name in ["rustc", "cargo", "cc1", "cc1plus", "as", "ld.bfd", "dash", "make", "pkgconf"] {
        let found = checked.iter().any(|file| {
            let file = file.file_name().unwrap_or_default().to_string_lossy();
            file == name || file.ends_with(&format!("-{name}"))
        });
        assert!(found, "{name} was not among the {} checked files", checked.len());
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut todo = vec![dir.to_path_buf()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir).expect("a folder") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() {
                todo.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files
}
