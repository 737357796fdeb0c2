//! What a build script can find out about the machine through PATH and its environment.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::machine::{Machine, base};
use crate::projects::remove_tree;

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// Reports what it sees as lines of a generated source file.
const BUILD_SCRIPT: &str = r#"
use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    let path = env::var("PATH").unwrap_or_default();
    let mut report = format!("path {path}\n");
    report += &format!("home {}\n", env::var("HOME").unwrap_or_default());
    for (name, _) in env::vars_os() {
        report += &format!("variable {}\n", name.to_string_lossy());
    }
    for program in ["protoc", "cmake", "gcc", "sh"] {
        let found = env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.exists());
        if let Some(found) = found {
            report += &format!("found {program} {}\n", found.display());
        }
        // As crates do it: by name, whatever PATH is.
        if let Ok(output) = Command::new(program).arg("--version").output() {
            let _ = output;
            report += &format!("started {program}\n");
        }
    }
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("report.txt"), report).expect("written");
}
"#;

const PROGRAM: &str =
    r#"fn main() { print!("{}", include_str!(concat!(env!("OUT_DIR"), "/report.txt"))); }"#;

const MANIFEST: &str = r#"
[package]
name = "curious"
version = "0.1.0"
edition = "2021"
[workspace]
[package.metadata.xprov.env]
pass = ["ALLOWED"]
set = { SET_HERE = "1" }
"#;

#[test]
fn a_build_script_finds_nothing_of_the_host() {
    let machine = Machine::wait();
    let dir = base().join("projects").join("curious");
    fs::create_dir_all(dir.join("src")).expect("a folder");
    for (name, text) in
        [("Cargo.toml", MANIFEST), ("build.rs", BUILD_SCRIPT), ("src/main.rs", PROGRAM)]
    {
        fs::write(dir.join(name), text).expect("written");
    }
    let _ = fs::remove_file(dir.join("toolchains.lock"));
    // What an earlier run saw proves nothing about this one.
    remove_tree(&dir.join("target")).expect("removable");
    let decoys = base().join("decoys");
    fs::create_dir_all(&decoys).expect("a folder");
    for name in ["protoc", "cmake", "gcc", "cc", "pkg-config"] {
        let decoy = decoys.join(name);
        fs::write(&decoy, "#!/bin/sh\necho a program of the host\n").expect("written");
        fs::set_permissions(&decoy, fs::Permissions::from_mode(0o755)).expect("executable");
    }
    machine.lock(&dir, &[TARGET]);
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", decoys.display());
    let run = ["run", "--quiet", "--target", TARGET];
    let variables = [
        ("PATH", path.as_str()),
        ("ALLOWED", "1"),
        ("PROTOC", "/usr/bin/protoc"),
        ("DATABASE_URL", "secret"),
        ("OPENSSL_DIR", "/usr"),
        ("LD_LIBRARY_PATH", "/usr/lib"),
        ("CMAKE_PREFIX_PATH", "/usr"),
        ("SSH_AUTH_SOCK", "/nonexistent"),
    ];
    let printed = machine.xprov_with(&dir, &run, &variables).ok().stdout;

    let mut seen: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in printed.lines() {
        let (kind, what) = line.split_once(' ').expect("a kind and what was seen");
        seen.entry(kind).or_default().push(what);
    }
    let in_store = |path: &str| Path::new(path).starts_with(&machine.store);
    assert!(seen["path"][0].split(':').all(in_store), "{printed}");
    assert!(in_store(seen["home"][0]), "{printed}");
    for found in &seen["found"] {
        let (name, path) = found.split_once(' ').expect("a name and a path");
        assert!(["gcc", "sh"].contains(&name) && in_store(path), "{printed}");
    }
    assert_eq!(seen["started"], ["gcc", "sh"], "{printed}");
    let variables = &seen["variable"];
    for name in ["ALLOWED", "SET_HERE", "CC_aarch64_unknown_linux_gnu"] {
        assert!(variables.contains(&name), "{name}: {printed}");
    }
    for name in ["PROTOC", "DATABASE_URL", "OPENSSL_DIR", "CMAKE_PREFIX_PATH", "SSH_AUTH_SOCK"] {
        assert!(!variables.contains(&name), "{name}: {printed}");
    }
}
