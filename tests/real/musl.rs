//! Programs for musl: the fleet and ripgrep, with a C toolchain of the archive's and with a linker
//! alone (`docs/musl.md`).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::machine::{Machine, base};
use super::projects::copy;
use super::published::published;

const X86: &str = "x86_64-unknown-linux-musl";
const ARM64: &str = "aarch64-unknown-linux-musl";
const ARM32: &str = "armv7-unknown-linux-musleabihf";

/// A target, the prefix of its tools, and what its programs are.
struct Target {
    triple: &'static str,
    prefix: &'static str,
    arch: &'static str,
    bits: u64,
    /// What gcc makes of a program by itself.
    kind: &'static str,
}

const TARGETS: [Target; 3] = [
    Target {
        triple: X86,
        prefix: "x86_64-linux-musl",
        arch: "x86_64",
        bits: 64,
        kind: "static-pie",
    },
    Target {
        triple: ARM64,
        prefix: "aarch64-linux-musl",
        arch: "aarch64",
        bits: 64,
        kind: "static-pie",
    },
    Target { triple: ARM32, prefix: "arm-linux-musleabihf", arch: "arm", bits: 32, kind: "static" },
];

/// Uses what C programs need of musl and of the kernel's headers, and tells glibc's apart.
const C: &str = r#"
#include <asm/unistd.h>
#include <limits.h>
#include <linux/fs.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __GLIBC__
#error "these are the headers of glibc"
#endif
static _Atomic long long counter;
static void *count(void *by) { counter += *(int *)by; return 0; }
int main(int argc, char **argv) {
    pthread_t thread;
    pthread_create(&thread, 0, count, &argc);
    pthread_join(thread, 0);
    printf("%zu %.3f %lld %ld\n", sizeof(void *), sqrt(atof(argv[1])), counter, (long)__NR_exit);
}
"#;

/// The harbor workspace, locked for the musl targets, once in a run.
fn fleet(machine: &Machine) -> &'static Path {
    static FLEET: OnceLock<PathBuf> = OnceLock::new();
    FLEET.get_or_init(|| {
        let dir = copy("harbor", &base().join("projects").join("harbor-musl"));
        machine.lock(&dir, &[X86, ARM64, ARM32]);
        dir
    })
}

/// What `xprov verify` says of a file.
fn verified(machine: &Machine, dir: &Path, target: &Target, file: &str) {
    let document = machine.json(dir, &["verify", "--target", target.triple, file]);
    let file = &document["files"][0];
    assert_eq!(file["passed"], true, "{file}");
    let facts = &file["facts"];
    assert_eq!(facts["machine"], target.arch, "{file}");
    assert_eq!(facts["bits"], target.bits, "{file}");
    assert!(facts["interpreter"].is_null(), "{file}");
    assert_eq!(facts["needed"].as_array().map_or(0, Vec::len), 0, "{file}");
}

#[test]
fn the_fleet_is_one_file_each_for_musl() {
    let machine = Machine::share();
    let dir = fleet(&machine);
    for target in &TARGETS {
        machine.xprov(dir, &["build", "--locked", "--target", target.triple]).ok();
        for binary in ["harbor-db", "harbor-info", "harbor-pack", "harbor-sign"] {
            let expected = dir.join("expected").join(format!("{binary}.txt"));
            let expected = fs::read_to_string(expected)
                .expect("an expected output")
                .replace("{arch}", target.arch)
                .replace("{pointer_width}", &target.bits.to_string());
            let run = ["run", "--quiet", "--target", target.triple, "--bin", binary];
            machine.xprov(dir, &run).prints(&expected);
            let file = format!("target/{}/debug/{binary}", target.triple);
            verified(&machine, dir, target, &file);
        }
    }
}

#[test]
fn c_is_compiled_with_musl_alone_and_cxx_is_refused() {
    let machine = Machine::share();
    let dir = fleet(&machine);
    let scratch = base().join("c-musl");
    fs::create_dir_all(&scratch).expect("a folder");
    let path = |name: &str| scratch.join(name).to_str().expect("UTF-8").to_owned();
    fs::write(path("one.c"), C).expect("written");
    fs::write(path("two.cc"), "#include <string>\nint main() {}\n").expect("written");
    let store = machine.store.to_str().expect("UTF-8");
    for target in &TARGETS {
        let gcc = format!("{}-gcc", target.prefix);
        let exec = |command: &[&str]| {
            machine.xprov(dir, &[&["exec", "--target", target.triple, "--"], command].concat())
        };
        for (flag, kind) in [
            ("-O2", target.kind),
            ("-static", "static"),
            ("-no-pie", "static"),
            ("-pie", target.kind),
        ] {
            let program = path(&format!("one-{}{flag}", target.prefix));
            exec(&[&gcc, flag, &path("one.c"), "-o", &program, "-lm", "-lpthread"]).ok();
            verified(&machine, dir, target, &program);
            let document = machine.json(dir, &["verify", "--target", target.triple, &program]);
            assert_eq!(document["files"][0]["facts"]["kind"], kind, "{flag}");
            let (bytes, exit) = (target.bits / 8, exit_call(target.arch));
            let printed = exec(&["xprov-runner", &program, "2"]);
            printed.prints(&format!("{bytes} 1.414 2 {exit}\n"));
        }
        // Nothing but the store is looked into, and in it no directory of glibc's.
        let said = exec(&[&gcc, "-v", "-E", &path("one.c")]).ok().stderr;
        let dirs = said.lines().skip_while(|line| !line.starts_with("#include <...>")).skip(1);
        let dirs: Vec<&str> =
            dirs.take_while(|line| line.starts_with(' ')).map(str::trim).collect();
        assert!(dirs.len() >= 3 && dirs.iter().all(|dir| dir.starts_with(store)), "{said}");
        for dir in dirs {
            assert!(!Path::new(dir).join("gnu/libc-version.h").exists(), "{dir}");
        }
        for part in ["crt1.o", "libc.a"] {
            let file = exec(&[&gcc, &format!("-print-file-name={part}")]).ok().stdout;
            assert!(file.contains(&format!("/usr/lib/{}/", target.prefix)), "{file}");
        }
        let refused = exec(&[&format!("{}-g++", target.prefix), "-c", &path("two.cc")]);
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        assert!(refused.stderr.contains("no C++ standard library for musl"), "{}", refused.stderr);
        for instead in ["`toolchain = \"zig\"`", "`cc = { recipe = \"musl-cc\" }`"] {
            assert!(refused.stderr.contains(instead), "{}", refused.stderr);
        }
    }
}

/// The number of the system call, by the kernel's headers of each architecture.
fn exit_call(arch: &str) -> u32 {
    match arch {
        "x86_64" => 60,
        "aarch64" => 93,
        _ => 1,
    }
}

/// On 64-bit musl ripgrep has an allocator in C, whose build script runs `configure`; on armv7 it
/// is Rust alone.
#[test]
fn ripgrep_searches_with_a_compiler_and_with_a_linker_alone() {
    let machine = Machine::share();
    let dir = published("ripgrep", "15.2.0", "ripgrep-musl");
    let haystack = base().join("haystack-musl.txt");
    fs::write(&haystack, "hay\nthe needle, at last\n").expect("written");
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).expect("a manifest");
    let lld =
        |target: &str| format!("[package.metadata.xprov.target.{target}]\nlinker = \"lld\"\n");
    let settings = format!("{manifest}\n{}", lld(ARM32));
    fs::write(dir.join("Cargo.toml"), settings).expect("written");
    machine.lock(&dir, &[X86, ARM64, ARM32]);
    for target in &TARGETS {
        machine.xprov(&dir, &["build", "--locked", "--target", target.triple]).ok();
        let rg = ["run", "--quiet", "--target", target.triple, "--", "--line-number", "need(le)?,"];
        let rg = machine.xprov(&dir, &[&rg[..], &[haystack.to_str().expect("UTF-8")]].concat());
        rg.prints("2:the needle, at last\n");
        verified(&machine, &dir, target, &format!("target/{}/debug/rg", target.triple));
    }
    let lock = fs::read_to_string(dir.join("toolchains.lock")).expect("a lock");
    assert!(!lock.contains("gcc-arm-linux-musleabihf"), "{lock}");

    // Where a crate wants C after all, it is named with what helps.
    let settings = format!("{manifest}\n{}{}", lld(X86), lld(ARM32));
    fs::write(dir.join("Cargo.toml"), settings).expect("written");
    machine.lock(&dir, &[X86, ARM64, ARM32]);
    let failed = machine.xprov(&dir, &["build", "--target", X86]);
    assert_ne!(failed.code, 0);
    for words in ["tikv-jemalloc-sys", "`linker = \"lld\"`", X86] {
        assert!(failed.stderr.contains(words), "{words}: {}", failed.stderr);
    }
}

/// A project in which no crate asks for C has no C toolchain in its lock, and gets one when a crate
/// does.
#[test]
fn lld_links_by_itself_until_a_crate_asks_for_c() {
    let machine = Machine::share();
    let dir = copy("tiny", &base().join("projects").join("tiny-musl"));
    let file = |name: &str| dir.join(name);
    // What a project may have written for gcc.
    fs::create_dir_all(file(".cargo")).expect("a folder");
    let flags = format!("[target.{X86}]\nrustflags = [\"-Clink-arg=-Wl,-z,now\"]\n");
    fs::write(file(".cargo/config.toml"), flags).expect("written");
    let _ = fs::remove_file(file("toolchains.lock"));

    let said = machine.xprov(&dir, &["lock", "--target", X86, "--target", ARM64]).ok().stderr;
    assert!(said.contains(&format!("no crate asks for C, so lld alone links for {X86}")), "{said}");
    let alone = fs::read_to_string(file("toolchains.lock")).expect("a lock");
    assert!(!alone.contains("linux-musl-gcc") && !alone.contains("gcc-x86_64-linux-musl"));
    for target in &TARGETS[..2] {
        let run = ["run", "--quiet", "--locked", "--target", target.triple];
        machine.xprov(&dir, &run).prints(&format!("tiny on {}\n", target.arch));
        let file = format!("target/{}/debug/tiny", target.triple);
        verified(&machine, &dir, target, &file);
    }

    // A build script that asks no crate that is known for it: it is told what helps.
    fs::write(
        file("build.rs"),
        "fn main() {\n    let cc = std::env::var(\"CC_x86_64_unknown_linux_musl\").unwrap();\n    \
         assert!(std::process::Command::new(cc).args([\"-c\", \"a.c\"]).status().unwrap().success());\n}\n",
    )
    .expect("written");
    let failed = machine.xprov(&dir, &["build", "--target", X86]);
    assert_ne!(failed.code, 0);
    for words in ["there is no C toolchain for", "`linker = \"cc\"`"] {
        assert!(failed.stderr.contains(words), "{words}: {}", failed.stderr);
    }
    fs::remove_file(file("build.rs")).expect("removed");

    // Under --locked the lock stands; else it is written anew, and the build goes on.
    let manifest = fs::read_to_string(file("Cargo.toml")).expect("a manifest");
    let more = format!(
        "{manifest}\n[dependencies]\nlibz-sys = {{ version = \"1\", features = [\"static\"] }}\n"
    );
    fs::write(file("Cargo.toml"), more).expect("written");
    let built = machine.xprov(&dir, &["build", "--target", X86]).ok();
    assert!(built.stderr.contains("`libz-sys` asks for C"), "{}", built.stderr);
    let with_c = fs::read_to_string(file("toolchains.lock")).expect("a lock");
    assert!(with_c.contains("gcc-x86_64-linux-musl") && with_c.contains("gcc-aarch64-linux-musl"));
    machine
        .xprov(&dir, &["run", "--quiet", "--locked", "--target", X86])
        .prints("tiny on x86_64\n");
    fs::write(file("toolchains.lock"), &alone).expect("written");
    let kept = machine.xprov(&dir, &["build", "--locked", "--target", X86]);
    assert_eq!(kept.code, 3, "{}", kept.stderr);
    assert!(kept.stderr.contains("crate `libz-sys` asks for C (`"), "{}", kept.stderr);
    assert!(kept.stderr.contains("run `xprov lock"), "{}", kept.stderr);

    // A lock that has a C toolchain keeps it when nobody asks for C any more.
    fs::write(file("toolchains.lock"), &with_c).expect("written");
    fs::write(file("Cargo.toml"), &manifest).expect("written");
    machine.xprov(&dir, &["build", "--target", X86]).ok();
    assert_eq!(fs::read_to_string(file("toolchains.lock")).expect("a lock"), with_c);
}
