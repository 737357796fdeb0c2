//! The fleet: a workspace with a proc-macro, a build script and C dependencies, for three targets,
//! in debug and in release. Its binaries run, its tests pass, and they are what their target asks.

use std::fs;

use super::machine::Machine;
use super::projects::harbor;

const BINARIES: [&str; 4] = ["harbor-db", "harbor-info", "harbor-pack", "harbor-sign"];

/// What a binary of the target must be.
struct Target {
    triple: &'static str,
    /// `std::env::consts::ARCH` there, and the machine in the file's header.
    arch: &'static str,
    bits: u64,
    interpreter: &'static str,
}

#[test]
fn the_fleet_builds_and_runs_for_aarch64() {
    the_fleet_is_right(&Target {
        triple: "aarch64-unknown-linux-gnu",
        arch: "aarch64",
        bits: 64,
        interpreter: "/lib/ld-linux-aarch64.so.1",
    });
}

#[test]
fn the_fleet_builds_and_runs_for_armv7() {
    the_fleet_is_right(&Target {
        triple: "armv7-unknown-linux-gnueabihf",
        arch: "arm",
        bits: 32,
        interpreter: "/lib/ld-linux-armhf.so.3",
    });
}

/// No gcc is on the PATH of these tests: the linker is the pinned one here too.
#[test]
fn the_fleet_builds_and_runs_for_x86_64() {
    the_fleet_is_right(&Target {
        triple: "x86_64-unknown-linux-gnu",
        arch: "x86_64",
        bits: 64,
        interpreter: "/lib64/ld-linux-x86-64.so.2",
    });
}

fn the_fleet_is_right(target: &Target) {
    let machine = Machine::wait();
    let dir = harbor(&machine);
    let triple = target.triple;
    for profile in ["debug", "release"] {
        let release = (profile == "release").then_some("--release");
        let with = |verb: &[&'static str]| -> Vec<&'static str> {
            verb.iter().copied().chain(["--target", triple]).chain(release).collect()
        };
        machine.xprov(dir, &with(&["build", "--locked"])).ok();
        for binary in BINARIES {
            let expected = dir.join("expected").join(format!("{binary}.txt"));
            let expected = fs::read_to_string(expected)
                .expect("an expected output")
                .replace("{arch}", target.arch)
                .replace("{pointer_width}", &target.bits.to_string());
            machine.xprov(dir, &with(&["run", "--quiet", "--bin", binary])).prints(&expected);
        }
        verify(&machine, target, profile);
    }
    let tested = machine.xprov(dir, &["test", "--target", triple]).ok().stdout;
    // Of the library, of what C and Rust agree on, and of a binary.
    for test in [
        "the_file_is_read_from_the_package_directory ... ok",
        "c_and_rust_were_compiled_for_the_same_target ... ok",
        "the_report_is_the_expected_one ... ok",
    ] {
        assert!(tested.contains(test), "{test}:\n{tested}");
    }
    assert!(!tested.contains("FAILED"), "{tested}");
}

/// What `xprov verify` finds out about the binaries where users expect them.
fn verify(machine: &Machine, target: &Target, profile: &str) {
    let dir = harbor(machine);
    let files = BINARIES.map(|name| format!("target/{}/{profile}/{name}", target.triple));
    let mut arguments = vec!["verify", "--target", target.triple, "--max-glibc", "2.36"];
    arguments.extend(files.iter().map(String::as_str));
    let document = machine.json(dir, &arguments);
    assert_eq!(document["schema"], "xprov/verify/v2");
    let files = document["files"].as_array().expect("files");
    assert_eq!(files.len(), BINARIES.len());
    for file in files {
        let facts = &file["facts"];
        assert_eq!(file["passed"], true, "{file}");
        assert_eq!(facts["machine"], target.arch, "{file}");
        assert_eq!(facts["bits"], target.bits, "{file}");
        assert_eq!(facts["interpreter"], target.interpreter, "{file}");
        assert_eq!(facts["kind"], "dynamic-pie", "{file}");
        let newest = facts["version_needs"]
            .as_array()
            .expect("version needs")
            .iter()
            .filter_map(|need| need["version"].as_str()?.strip_prefix("GLIBC_2.")?.parse().ok())
            .max();
        assert!(newest.is_some_and(|minor: u32| minor <= 36), "{newest:?}: {file}");
    }
    // The rules can fail: the same binary is not one for a glibc that is older, nor for another
    // target.
    let binary = format!("target/{}/{profile}/harbor-info", target.triple);
    let ceiling = ["verify", "--target", target.triple, "--max-glibc", "2.17", &binary];
    assert_eq!(machine.xprov(dir, &ceiling).code, 1);
    let other = ["verify", "--target", "i686-unknown-linux-gnu", &binary];
    assert_eq!(machine.xprov(dir, &other).code, 1);
}
