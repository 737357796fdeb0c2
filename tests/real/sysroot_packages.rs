//! Libraries of the Debian archive in a target's sysroot: found by pkg-config, linked, accepted by
//! the verification, and found again by the program that runs.

use std::fs;
use std::path::{Path, PathBuf};

use super::machine::{Machine, base};
use super::projects::remove_tree;

const ARM64: &str = "aarch64-unknown-linux-gnu";
const ARMHF: &str = "armv7-unknown-linux-gnueabihf";

/// `openssl-sys` is a build dependency, too: build scripts are linked with the host's packages.
const SEAL: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        r#"
[package]
name = "seal"
version = "0.1.0"
edition = "2021"
[dependencies]
openssl-sys = "=0.9.118"
[build-dependencies]
openssl-sys = "=0.9.118"
[workspace]
[package.metadata.xprov]
targets = ["aarch64-unknown-linux-gnu", "armv7-unknown-linux-gnueabihf", "{host}"]
hosts = ["{host}"]
[package.metadata.xprov.target]
aarch64-unknown-linux-gnu = { packages = ["libssl-dev"] }
armv7-unknown-linux-gnueabihf = { packages = ["libssl-dev"] }
x86_64-unknown-linux-gnu = { packages = ["libssl-dev"] }
"#,
    ),
    (
        "build.rs",
        r#"
fn main() {
    let text = unsafe { std::ffi::CStr::from_ptr(openssl_sys::OpenSSL_version(0)) };
    println!("cargo::rustc-env=BUILT_WITH={}", text.to_str().unwrap());
    println!("cargo::rerun-if-changed=build.rs");
}
"#,
    ),
    (
        "src/main.rs",
        r#"
fn main() {
    let text = unsafe { std::ffi::CStr::from_ptr(openssl_sys::OpenSSL_version(0)) };
    println!("{} {}", std::env::consts::ARCH, text.to_str().unwrap());
    println!("built with {}", env!("BUILT_WITH"));
}
"#,
    ),
];

/// `git2` as it comes: libgit2 and libssh2 are compiled from the crates' own sources, against the
/// sysroot's OpenSSL and zlib.
const GROVE: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        r#"
[package]
name = "grove"
version = "0.1.0"
edition = "2021"
[dependencies]
git2 = "=0.20.4"
# Without the tables of ICU, which need a newer Rust.
idna_adapter = "=1.1.0"
[workspace]
[package.metadata.xprov]
targets = ["aarch64-unknown-linux-gnu", "armv7-unknown-linux-gnueabihf"]
hosts = ["{host}"]
[package.metadata.xprov.target]
aarch64-unknown-linux-gnu = { packages = ["libssl-dev", "zlib1g-dev"] }
armv7-unknown-linux-gnueabihf = { packages = ["zlib1g-dev", "libssl-dev"] }
"#,
    ),
    (
        "src/main.rs",
        r#"
fn main() {
    let dir = std::env::args().nth(1).expect("a directory");
    git2::Repository::init(&dir).expect("a repository");
    let repository = git2::Repository::open(&dir).expect("the same");
    let version = git2::Version::get();
    println!("empty {}", repository.is_empty().unwrap());
    println!("https {}, ssh {}", version.https(), version.ssh());
}
"#,
    ),
];

/// A library that needs two dozen others.
const QUAY: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        r#"
[package]
name = "quay"
version = "0.1.0"
edition = "2021"
[dependencies]
pq-sys = { version = "=0.7.8", default-features = false }
[workspace]
[package.metadata.xprov]
targets = ["aarch64-unknown-linux-gnu"]
hosts = ["{host}"]
[package.metadata.xprov.target]
aarch64-unknown-linux-gnu = { packages = ["libpq-dev"] }
"#,
    ),
    (
        "src/main.rs",
        "fn main() {\n    println!(\"{}\", unsafe { pq_sys::PQlibVersion() } / 10000);\n}\n",
    ),
];

fn host() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

fn project(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let dir = base().join("projects").join(name);
    fs::create_dir_all(dir.join("src")).expect("a folder");
    for (file, text) in files {
        fs::write(dir.join(file), text.replace("{host}", &host())).expect("written");
    }
    dir
}

/// The library of `target` that a finding of `xprov verify` names with its package.
fn verified(machine: &Machine, dir: &Path, target: &str, name: &str) -> String {
    let file = format!("target/{target}/debug/{name}");
    let report = machine.json(dir, &["verify", &file]);
    report.to_string()
}

#[test]
fn openssl_is_linked_from_packages_and_found_at_run_time() {
    let machine = Machine::share();
    let dir = project("seal", SEAL);
    let lock = machine.lock(&dir, &[]);
    let packages: Vec<&str> = lock
        .split("[[entry]]\n")
        .filter(|entry| entry.starts_with("name = \"packages\""))
        .collect();
    let pinned = packages[0].lines().find(|line| line.contains("name = \"libssl3\""));
    let version = pinned.and_then(|line| line.split("version = \"").nth(1)?.split('-').next());
    let version = format!("OpenSSL {}", version.expect("a version"));
    // The C library comes with the compiler, and what installs packages is of no use here.
    for left_out in ["\"libc6\"", "\"debconf\""] {
        assert!(packages.iter().all(|entry| !entry.contains(left_out)), "{left_out}");
    }
    for (target, arch) in [(ARM64, "aarch64"), (ARMHF, "arm"), (&host(), std::env::consts::ARCH)] {
        machine.xprov(&dir, &["build", "--target", target]).ok();
        let said = machine.xprov(&dir, &["run", "-q", "--target", target]).ok().stdout;
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].starts_with(&format!("{arch} {version} ")), "{said}");
        assert!(lines[1].starts_with(&format!("built with {version} ")), "{said}");
        let found = verified(&machine, &dir, target, "seal");
        assert!(found.contains("libcrypto.so.3 (of libssl3 "), "{found}");
        // A C compiler needs no flags for the headers, nor for the libraries.
        let prefix = if target == ARMHF { "arm-linux-gnueabihf" } else { arch };
        let gcc = match prefix {
            "arm-linux-gnueabihf" => "arm-linux-gnueabihf-gcc".to_owned(),
            arch => format!("{arch}-linux-gnu-gcc"),
        };
        let source = base().join("seal.c");
        let program = "#include <openssl/ssl.h>\nint main(void) { return !SSL_CTX_new; }\n";
        fs::write(&source, program).expect("written");
        let (source, out) = (source.to_str().expect("UTF-8"), base().join("seal-c"));
        let out = out.to_str().expect("UTF-8");
        let compile = [&gcc, source, "-o", out, "-lssl", "-lcrypto"];
        machine.xprov(&dir, &[&["exec", "--target", target, "--"], &compile[..]].concat()).ok();
    }
    for (package, words) in [
        ("libssl-dev", &["settings, target.", "packages, Cargo.toml:", "in the sysroot of"][..]),
        ("libssl3", &["a package of the settings needs it", "libcrypto.so.3, at usr/lib/"]),
    ] {
        let said = machine.xprov(&dir, &["why", "--target", ARM64, package]).ok().stdout;
        for words in words {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
    // No flag of the machine's own packages, by any name.
    let probe = ["pkg-config", "--cflags", "--libs", "openssl"];
    let host_probe = machine.xprov(&dir, &[&["exec", "--"], &probe[..]].concat()).ok().stdout;
    let outside = host_probe.split_whitespace().filter(|word| {
        word.strip_prefix("-I")
            .or(word.strip_prefix("-L"))
            .is_some_and(|path| !Path::new(path).starts_with(&machine.store))
    });
    assert_eq!(outside.count(), 0, "{host_probe}");
}

#[test]
fn git2_builds_against_packages_and_opens_a_repository() {
    let machine = Machine::share();
    let dir = project("grove", GROVE);
    machine.lock(&dir, &[]);
    machine.xprov(&dir, &["build"]).ok();
    let repository = base().join("grove-repository");
    for target in [ARM64, ARMHF] {
        remove_tree(&repository).expect("removable");
        let path = repository.to_str().expect("UTF-8");
        machine
            .xprov(&dir, &["run", "-q", "--target", target, "--", path])
            .prints("empty true\nhttps true, ssh true\n");
        assert!(repository.join(".git/HEAD").is_file());
        let found = verified(&machine, &dir, target, "grove");
        assert!(found.contains("libssl.so.3 (of libssl3 "), "{found}");
        assert!(found.contains("libz.so.1 (of zlib1g "), "{found}");
    }
}

#[test]
fn a_library_comes_with_all_that_it_needs() {
    let machine = Machine::share();
    let dir = project("quay", QUAY);
    machine.lock(&dir, &[]);
    machine.xprov(&dir, &["build"]).ok();
    machine.xprov(&dir, &["run", "-q"]).prints("15\n");
    let found = verified(&machine, &dir, ARM64, "quay");
    assert!(found.contains("libpq.so.5 (of libpq5 "), "{found}");
}
