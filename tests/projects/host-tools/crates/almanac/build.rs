//! Has OpenSSL's own perl programs configure it and make its generated headers, which is what a
//! vendored OpenSSL needs perl for. Compiling it would take minutes more and prove nothing of perl.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let source = openssl_src::source_dir();
    let dir = out.join("openssl");
    fs::create_dir_all(&dir).expect("a directory");
    let run = |program: &str, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).current_dir(&dir).status();
        assert!(status.expect(program).success(), "{program} failed");
    };
    let configure = source.join("Configure");
    let configure = configure.to_str().expect("UTF-8");
    run("perl", &[configure, "no-shared", "no-tests", "no-dso", "linux-aarch64"]);
    run("make", &["include/openssl/opensslv.h", "include/openssl/x509.h"]);
    let makefile = fs::read_to_string(dir.join("Makefile")).expect("written by Configure");
    let perl = makefile.lines().find_map(|line| line.strip_prefix("PERL=")).expect("a perl");
    let header = fs::read_to_string(dir.join("include/openssl/opensslv.h")).expect("generated");
    let number = |name: &str| {
        let line = header.lines().find(|line| line.contains(name)).expect(name);
        line.rsplit(' ').next().expect("a number").to_owned()
    };
    let version = format!("{}.{}", number("OPENSSL_VERSION_MAJOR "), number("OPENSSL_VERSION_MINOR "));
    fs::write(out.join("almanac.txt"), format!("{version}\n{perl}\n")).expect("written");
    println!("cargo::rerun-if-changed=build.rs");
}
