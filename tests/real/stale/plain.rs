//! Plain cargo: the cargo, rustc and C compiler of whoever runs these tests, behind scripts at
//! paths that stay while what they do changes.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use xprov::vocab::triple::RustTriple;

use crate::machine::base;
use crate::projects::{copy, remove_tree};

/// A sentence of the core library that every program which unwraps an option contains.
pub const SENTENCE: &str = "called `Option::unwrap()` on a `None` value";
/// As long, and not in any release.
pub const OTHER_SENTENCE: &str = "CALLED `Option::unwrap()` ON A `None` VALUE";

/// The project `stale` and everything that builds it.
pub struct Plain {
    dir: PathBuf,
    host: RustTriple,
    variables: Vec<(String, String)>,
}

/// What a build said and made.
pub struct Built {
    /// Whether cargo compiled anything at all.
    pub compiled: bool,
    /// The program.
    pub bytes: Vec<u8>,
}

impl Plain {
    /// The project with its tools in their first state, and nothing built.
    pub fn new(name: &str) -> Self {
        let dir = base().join("plain").join(name);
        remove_tree(&dir).expect("removable");
        copy("stale", &dir.join("project"));
        fs::create_dir_all(dir.join("tools")).expect("a folder");
        let host = RustTriple::of_this_program();
        let mut plain = Self { dir, host, variables: Vec::new() };
        let suffix = plain.host.as_str().replace('-', "_");
        for (tool, variable) in [
            ("cc", format!("CC_{suffix}")),
            ("host-cc", "HOST_CC".to_owned()),
            ("linker-gcc", format!("CARGO_TARGET_{}_LINKER", suffix.to_uppercase())),
        ] {
            plain.tool(tool, "exec cc \"$@\"");
            let path = plain.tool_path(tool);
            plain.set(&variable, &path);
        }
        plain
    }

    /// Sets a variable for all builds from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Makes the tool with this name run `script`.
    pub fn tool(&self, name: &str, script: &str) {
        let path = self.tool_path(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    }

    /// Where a tool is.
    pub fn tool_path(&self, name: &str) -> String {
        self.dir.join("tools").join(name).to_str().expect("UTF-8").to_owned()
    }

    /// Writes a file of the project.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.dir.join("project").join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }

    /// Builds the project for this machine.
    pub fn build(&self) -> Built {
        self.build_in("target")
    }

    /// Builds it where nothing was built before: what a build that is not stale makes.
    pub fn build_anew(&self) -> Built {
        remove_tree(&self.dir.join("anew")).expect("removable");
        let built = self.build_in("anew");
        assert!(built.compiled);
        built
    }

    fn build_in(&self, target_dir: &str) -> Built {
        let target_dir = self.dir.join(target_dir);
        let output = Command::new(env!("CARGO"))
            .args(["build", "--offline", "--target", self.host.as_str(), "--target-dir"])
            .arg(&target_dir)
            .current_dir(self.dir.join("project"))
            .env_clear()
            .env("HOME", base().join("home"))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("RUSTC", rustc())
            .envs(self.variables.iter().cloned())
            .output()
            .expect("cargo starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let program = target_dir.join(self.host.as_str()).join("debug/stale");
        Built { compiled: said.contains("Compiling"), bytes: fs::read(program).expect("a program") }
    }

    /// Lets rustc use a standard library that can be changed; returns the core library's file.
    pub fn own_std(&mut self) -> PathBuf {
        let output = Command::new(rustc()).args(["--print", "sysroot"]).output().expect("rustc");
        let of_rustc = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
            .join("lib/rustlib")
            .join(self.host.as_str());
        let own = self.dir.join("sysroot/lib/rustlib").join(self.host.as_str());
        fs::create_dir_all(own.join("lib")).expect("a folder");
        let mut core = None;
        for dir in ["", "lib"] {
            for entry in fs::read_dir(of_rustc.join(dir)).expect("a folder") {
                let entry = entry.expect("an entry");
                let name = entry.file_name();
                let to = own.join(dir).join(&name);
                if is_core(&name.to_string_lossy()) {
                    fs::copy(entry.path(), &to).expect("copied");
                    core = Some(to);
                } else if name != "lib" {
                    symlink(entry.path(), to).expect("a link");
                }
            }
        }
        let sysroot = self.dir.join("sysroot");
        let script =
            format!("exec '{}' --sysroot '{}' \"$@\"", rustc().display(), sysroot.display());
        self.tool("rustc", &script);
        let path = self.tool_path("rustc");
        self.set("RUSTC", &path);
        core.expect("a core library")
    }
}

/// The compiler beside the cargo that builds these tests.
fn rustc() -> PathBuf {
    Path::new(env!("CARGO")).with_file_name("rustc")
}

/// Whether this is the name of the core library's file.
pub fn is_core(name: &str) -> bool {
    name.starts_with("libcore-") && Path::new(name).extension().is_some_and(|it| it == "rlib")
}

/// A core library that says another sentence: other bytes of the same length, so that it remains
/// what it was for everyone who does not read it whole.
pub fn changed_core(bytes: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let (from, to) = (SENTENCE.as_bytes(), OTHER_SENTENCE.as_bytes());
    let places: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, w)| *w == from)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty(), "the core library does not contain the sentence");
    for at in places {
        changed[at..at + to.len()].copy_from_slice(to);
    }
    changed
}
