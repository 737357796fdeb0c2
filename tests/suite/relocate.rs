//! Relocation against programs that the machine's own gcc links and the machine's loader runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use xprov::compose::relocate::{Needs, RelocateError, needs, set_runpath, set_runpath_and_loader};

const LIBRARY: &str = r"
static char zeros[100000];
int answer_of_library(void) { return 42 + zeros[99999]; }
";
const PROGRAM: &str = r#"
#include <stdio.h>
#include <string.h>
int answer_of_library(void);
static char zeros[3000000];
static int initialised = 7;
static _Thread_local int per_thread = 5;
__attribute__((constructor)) static void start(void) { initialised += 1; }
int main(void) {
    for (size_t i = 0; i < sizeof zeros; i++) if (zeros[i]) return 9;
    memset(zeros, 1, sizeof zeros);
    printf("%d %d %d\n", answer_of_library(), initialised, per_thread);
    return 0;
}
"#;

/// A folder with `libanswer.so` in `private/` and the program, linked with `flags`, in `bin/`.
struct Built {
    dir: tempfile::TempDir,
}

impl Built {
    fn with(flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for part in ["bin", "private"] {
            std::fs::create_dir(dir.path().join(part)).expect("a folder");
        }
        std::fs::write(dir.path().join("library.c"), LIBRARY).expect("written");
        std::fs::write(dir.path().join("program.c"), PROGRAM).expect("written");
        let library = ["-shared", "-fPIC", "-Wl,-soname,libanswer.so", "library.c"];
        gcc(dir.path(), &[&library[..], &["-o", "private/libanswer.so"]].concat());
        let program = ["program.c", "-o", "bin/program", "-Lprivate", "-lanswer"];
        gcc(dir.path(), &[&program[..], flags].concat());
        Self { dir }
    }

    fn program(&self) -> PathBuf {
        self.dir.path().join("bin/program")
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.program()).expect("a program")
    }

    /// Standard output of the program, or nothing where it did not start.
    fn run(&self) -> String {
        // A test on another thread that forks while a program is written keeps it "busy" until its
        // own exec, some milliseconds.
        let busy = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ExecutableFileBusy;
        for _ in 0..100 {
            match Command::new(self.program()).env_clear().output() {
                Err(error) if busy(&error) => {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                output => {
                    let output = output.expect("started");
                    return String::from_utf8_lossy(&output.stdout).into_owned();
                }
            }
        }
        panic!("the program stays busy")
    }

    fn relocate(&self) -> Vec<u8> {
        let bytes = self.bytes();
        let relocated = set_runpath(&bytes, "$ORIGIN/../private").expect("relocatable");
        let relocated = relocated.expect("something to do");
        // Not over the old file: it may be mapped.
        std::fs::write(self.program().with_extension("new"), &relocated).expect("written");
        let mode = std::fs::metadata(self.program()).expect("a program").permissions();
        std::fs::set_permissions(self.program().with_extension("new"), mode).expect("executable");
        std::fs::rename(self.program().with_extension("new"), self.program()).expect("renamed");
        relocated
    }

    /// What `readelf` complains about; empty where the machine has no `readelf`.
    fn complaints(&self) -> String {
        let arguments = ["-W", "-h", "-l", "-S", "-d", "-V", "-n", "-s", "-r"];
        Command::new("readelf")
            .args(arguments)
            .arg(self.program())
            .env("LC_ALL", "C")
            .output()
            .map(|output| String::from_utf8_lossy(&output.stderr).into_owned())
            .unwrap_or_default()
    }
}

fn gcc(dir: &Path, arguments: &[&str]) {
    let output = Command::new("gcc").args(arguments).current_dir(dir).output().expect("gcc");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn needs_of(bytes: &[u8]) -> Needs {
    needs(bytes).expect("right").expect("dynamic")
}

#[test]
fn a_program_finds_its_library_after_relocation() {
    for flags in [
        &[][..],
        &["-no-pie"],
        &["-g", "-Wl,-z,now"],
        &["-s"],
        // No free dynamic entry, so that the section has to move.
        &["-Wl,--spare-dynamic-tags=1"],
        &["-no-pie", "-Wl,--spare-dynamic-tags=1", "-Wl,-z,norelro"],
        &["-Wl,-z,max-page-size=65536", "-Wl,-z,noseparate-code"],
        &["-Wl,--hash-style=sysv", "-Wl,-z,norelro"],
    ] {
        let built = Built::with(flags);
        assert_eq!(built.run(), "", "{flags:?}: without a path it cannot start");
        let old = built.bytes();
        let new = built.relocate();
        assert_eq!(built.run(), "42 8 5\n", "{flags:?}");
        assert_eq!(built.complaints(), "", "{flags:?}");
        let expected = Needs { runpath: Some("$ORIGIN/../private".into()), ..needs_of(&old) };
        assert_eq!(needs_of(&new), expected, "{flags:?}: nothing else changed");
    }
}

#[test]
fn a_path_that_is_there_is_replaced() {
    for tags in ["--disable-new-dtags", "--enable-new-dtags"] {
        let built = Built::with(&["-Wl,-rpath,/nowhere/at/all", &format!("-Wl,{tags}")]);
        assert_eq!(needs_of(&built.bytes()).runpath.as_deref(), Some("/nowhere/at/all"));
        built.relocate();
        assert_eq!(needs_of(&built.bytes()).runpath.as_deref(), Some("$ORIGIN/../private"));
        assert_eq!(built.run(), "42 8 5\n");
        assert_eq!(built.complaints(), "");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_and_a_second_time_nothing() {
    let built = Built::with(&[]);
    let bytes = built.bytes();
    let once = built.relocate();
    assert_eq!(set_runpath(&bytes, "$ORIGIN/../private"), Ok(Some(once.clone())));
    assert_eq!(set_runpath(&once, "$ORIGIN/../private"), Ok(None));
    let other = set_runpath(&once, "$ORIGIN/elsewhere").expect("relocatable").expect("new path");
    assert_eq!(needs_of(&other).runpath.as_deref(), Some("$ORIGIN/elsewhere"));
    let back = set_runpath(&other, "$ORIGIN/../private").expect("relocatable").expect("new path");
    std::fs::write(built.program(), back).expect("written");
    assert_eq!(built.run(), "42 8 5\n", "three edits later it still runs");
}

/// The machine's loader and C library, copied to a place where no loader looks by itself.
#[test]
fn a_program_is_started_by_another_loader() {
    let system = Path::new(if cfg!(target_arch = "x86_64") {
        "/lib64/ld-linux-x86-64.so.2"
    } else {
        "/lib/ld-linux-aarch64.so.1"
    });
    let real = system.canonicalize().expect("a loader");
    for flags in [&[][..], &["-no-pie"], &["-Wl,--spare-dynamic-tags=1"], &["-g"]] {
        let built = Built::with(flags);
        let place = built.program().with_file_name("c library");
        std::fs::create_dir(&place).expect("a folder");
        let loader = place.join("ld.so");
        std::fs::copy(&real, &loader).expect("copied");
        std::fs::copy(real.with_file_name("libc.so.6"), place.join("libc.so.6")).expect("copied");
        let path = format!("$ORIGIN/../private:{}", place.display());
        let loader = loader.to_str().expect("UTF-8");
        let bytes = set_runpath_and_loader(&built.bytes(), &path, loader).expect("relocatable");
        let bytes = bytes.expect("something to do");
        assert_eq!(needs_of(&bytes).runpath.as_deref(), Some(path.as_str()));
        let facts = match xprov::inspect::facts(&bytes).expect("facts") {
            xprov::inspect::Facts::Elf(elf) => elf,
            other => panic!("{other:?}"),
        };
        assert_eq!(facts.interpreter.as_deref(), Some(loader), "{flags:?}");
        std::fs::write(built.program(), bytes).expect("written");
        assert_eq!(built.run(), "42 8 5\n", "{flags:?}");
        assert_eq!(built.complaints(), "", "{flags:?}");
        // Without its loader it does not start: no other one is asked.
        std::fs::remove_file(loader).expect("removed");
        assert!(Command::new(built.program()).output().is_err(), "{flags:?}");
    }
}

#[test]
fn debug_information_survives() {
    let built = Built::with(&["-g"]);
    built.relocate();
    let dump = Command::new("readelf").args(["--debug-dump=info"]).arg(built.program()).output();
    if let Ok(dump) = dump {
        assert_eq!(String::from_utf8_lossy(&dump.stderr), "");
        assert!(String::from_utf8_lossy(&dump.stdout).contains("program.c"));
    }
}

#[test]
fn what_asks_for_no_library_is_left_alone() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("a.c"), "int main(void) { return 0; }").expect("written");
    for flags in [&["-static"][..], &["-static-pie"], &["-c"], &["-shared", "-nostdlib"]] {
        gcc(dir.path(), &[flags, &["a.c", "-o", "a"]].concat());
        let bytes = std::fs::read(dir.path().join("a")).expect("a file");
        assert_eq!(set_runpath(&bytes, "$ORIGIN"), Ok(None), "{flags:?}");
    }
    assert_eq!(set_runpath(b"#!/bin/sh\n", "$ORIGIN"), Ok(None));
    assert_eq!(set_runpath(b"", "$ORIGIN"), Ok(None));
}

#[test]
fn a_damaged_file_is_an_error() {
    let bytes = Built::with(&[]).bytes();
    for len in [5, 20, 63, 64, 200, 1000, bytes.len() / 4] {
        let error = set_runpath(&bytes[..len], "$ORIGIN").expect_err("cut short");
        assert!(matches!(error, RelocateError::Damaged { .. }), "{len}: {error}");
    }
    let error = set_runpath(&bytes, "a\0b").expect_err("the loader would stop at the NUL");
    assert_eq!(error, RelocateError::Runpath { runpath: "a\0b".into() });
}

#[test]
fn no_change_of_bytes_makes_it_panic() {
    let bytes = Built::with(&[]).bytes();
    let len = bytes.len();
    // Half of the changes hit the headers, where every byte means something.
    let place = prop_oneof![0..900_usize, len - 2500..len, 0..len];
    let change = (place, prop_oneof![Just(0_u8), Just(0xff), any::<u8>()]);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let changes = proptest::collection::vec(change, 1..6);
    runner
        .run(&(changes, 0..=len), |(changes, cut)| {
            let mut bytes = bytes.clone();
            for (place, byte) in changes {
                bytes[place] = byte;
            }
            let _ = needs(&bytes);
            let _ = set_runpath(&bytes, "$ORIGIN/../lib");
            let _ = set_runpath(&bytes[..cut], "$ORIGIN/../lib");
            Ok(())
        })
        .expect("no panic");
}
