//! The instruction sets of real programs: what compilers make of the same sources with one setting
//! changed, and the fleet's libraries, which ask the CPU first. `docs/isa.md` has the table.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xprov::inspect::isa::{IsaOptions, IsaReport, IsaVerdict, audit};

use super::machine::{Machine, base};
use super::projects::{harbor, remove_tree};

/// Sums in three ways: as the compiler likes, behind a question, and in C.
const PROGRAM: &str = r#"
unsafe extern "C" {
    fn c_sum(values: *const f32, count: usize) -> f32;
}

#[target_feature(enable = "avx2,fma")]
fn sum_fast(values: &[f32]) -> f32 {
    values.iter().map(|value| value.mul_add(*value, 1.0)).sum()
}

fn sum(values: &[f32]) -> f32 {
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        return unsafe { sum_fast(values) };
    }
    values.iter().map(|value| value * value + 1.0).sum()
}

fn main() {
    let values: Vec<f32> = std::env::args().map(|word| word.len() as f32).collect();
    let bits: u32 = values.iter().map(|value| value.to_bits().count_ones()).sum();
    let c = unsafe { c_sum(values.as_ptr(), values.len()) };
    println!("{} {c} {bits} {values:?}", sum(&values));
}
"#;

const PLAIN_C: &str = "
#include <stddef.h>
float c_sum(const float *a, size_t n) { float s = 0; for (size_t i = 0; i < n; i++) s += a[i] * a[i]; return s; }
";

/// The same behind gcc's own question, and behind a resolver of the loader's.
const ASKING_C: &str = r#"
#include <stddef.h>
__attribute__((target("avx2,fma"))) static float wide(const float *a, size_t n) { float s = 0; for (size_t i = 0; i < n; i++) s += a[i] * a[i]; return s; }
__attribute__((target_clones("avx512f", "avx2", "default"))) float chosen(const float *a, size_t n) { float s = 1; for (size_t i = 0; i < n; i++) s += a[i] + a[i]; return s; }
float c_sum(const float *a, size_t n) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? wide(a, n) : chosen(a, n); }
"#;

fn run(command: &mut Command) {
    let output = command.output().expect("a compiler");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Compiles the program with the C file and the flags.
fn build(dir: &Path, name: &str, c: &str, c_flags: &[&str], rust_flags: &[&str]) -> PathBuf {
    let file = |ending: &str| dir.join(format!("{name}{ending}"));
    fs::write(file(".c"), c).expect("written");
    fs::write(file(".rs"), PROGRAM).expect("written");
    let mut cc = Command::new("cc");
    run(cc.args(["-O3", "-c", "-o"]).args([file(".o"), file(".c")]).args(c_flags));
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "--crate-name=program", "-o"]).args([file(""), file(".rs")]);
    rustc.arg(format!("-Clink-arg={}", file(".o").display()));
    let level = ["-Copt-level=3"];
    let level = if rust_flags.contains(&"-Copt-level=0") { &[][..] } else { &level[..] };
    run(rustc.args(level).args(rust_flags));
    file("")
}

fn report(file: &Path) -> IsaReport {
    let bytes = fs::read(file).expect("a program");
    audit(&bytes, IsaOptions { baseline: None, threads: 2 }).expect("readable")
}

fn leaks(report: &IsaReport) -> Vec<&str> {
    report.of(IsaVerdict::Leak).filter_map(|function| function.name.as_deref()).collect()
}

#[test]
fn what_asks_is_no_leak_and_what_does_not_is_one() {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return;
    }
    let dir = base().join("isa");
    remove_tree(&dir).expect("removable");
    fs::create_dir_all(&dir).expect("a folder");
    let asking: [(&str, &[&str]); 5] = [
        ("asking", &[]),
        ("asking-lto", &["-Clto=fat", "-Ccodegen-units=1"]),
        ("asking-o0", &["-Copt-level=0"]),
        ("asking-static", &["-Ctarget-feature=+crt-static"]),
        ("asking-split", &["-Cdebuginfo=2", "-Csplit-debuginfo=packed"]),
    ];
    for (name, flags) in asking {
        let report = report(&build(&dir, name, ASKING_C, &[], flags));
        let unproven: Vec<_> = report.of(IsaVerdict::Unproven).collect();
        assert_eq!(report.verdict(), Some(IsaVerdict::Dispatched), "{name}: {unproven:#?}");
        assert!(report.above.iter().any(|function| function.name.as_deref() == Some("wide")));
    }
    let leaking: [(&str, &[&str], &[&str], &str); 6] = [
        ("c-v3", &["-march=x86-64-v3"], &[], "c_sum"),
        ("c-v3-lto", &["-march=x86-64-v3"], &["-Clto=fat"], "c_sum"),
        ("c-v3-o0", &["-march=x86-64-v3"], &["-Copt-level=0"], "c_sum"),
        ("rust-v2", &[], &["-Ctarget-cpu=x86-64-v2"], "program::main"),
        ("rust-v3", &[], &["-Ctarget-cpu=x86-64-v3"], "program::main"),
        ("rust-v4", &[], &["-Ctarget-cpu=x86-64-v4"], "program::main"),
    ];
    for (name, c_flags, rust_flags, culprit) in leaking {
        let report = report(&build(&dir, name, PLAIN_C, c_flags, rust_flags));
        assert!(leaks(&report).contains(&culprit), "{name}: {:#?}", report.above);
    }
    // Without names, and with nothing but the questions of Rust, it is still seen that they ask;
    // what does not ask is not proven to be a leak, and does not pass.
    let stripped =
        report(&build(&dir, "stripped", PLAIN_C, &["-march=x86-64-v3"], &["-Cstrip=symbols"]));
    assert_eq!(stripped.verdict(), Some(IsaVerdict::Unproven), "{:#?}", stripped.above);
    let plain = report(&build(&dir, "plain", PLAIN_C, &[], &[]));
    assert_eq!(leaks(&plain), [""; 0]);
    remove_tree(&dir).expect("removable");
}

/// ring, zstd and `SQLite` for three architectures.
#[test]
fn the_fleet_asks_first() {
    let machine = Machine::wait();
    let dir = harbor(&machine);
    for triple in
        ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "armv7-unknown-linux-gnueabihf"]
    {
        machine.xprov(dir, &["build", "--locked", "--target", triple, "--release"]).ok();
        for binary in ["harbor-db", "harbor-info", "harbor-pack", "harbor-sign"] {
            let report = report(&dir.join("target").join(triple).join("release").join(binary));
            assert_eq!(leaks(&report), [""; 0], "{triple} {binary}: {:#?}", report.above);
        }
    }
}
