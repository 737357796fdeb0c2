//! lance-linalg 0.38.2 as it is in the registry. Its build script compiles a kernel with
//! `-march=native`, goes on without it where a compiler does not know the word, and the crate refers
//! to the kernel all the same (`docs/lance.md`).

mod disassembly;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use xprov::shim::ledger;

use super::machine::{Machine, base};
use super::projects::copy;
#[cfg(target_arch = "x86_64")]
use super::{machine::say, projects::remove_tree};

const X86: &str = "x86_64-unknown-linux-gnu";
const ARM: &str = "aarch64-unknown-linux-gnu";
const MUSL: &str = "x86_64-unknown-linux-musl";
const KERNEL: &str = "sum_4bit_dist_table_32bytes_batch_avx512";
const ANSWER: &str = "64 distances, together 67200, with ";

/// Functions that may use more than the baseline, and why none of them runs where it must not.
const DISPATCHED: &[(&str, &str)] = &[
    (KERNEL, "lance asks the processor for AVX-512 first"),
    ("lance_linalg::simd::dist_table::sum_dist_table_32bytes_batch_avx2", "lance asks for AVX2"),
    ("compiler_builtins::math::libm_math::arch::x86::fma::fma_with_fma", "std asks for FMA"),
    ("compiler_builtins::math::libm_math::arch::x86::fma::fma_with_fma4", "std asks for FMA4"),
];

/// The project, locked for all targets, once in a run.
fn lance(machine: &Machine) -> &'static Path {
    static LANCE: OnceLock<PathBuf> = OnceLock::new();
    LANCE.get_or_init(|| {
        let dir = copy("lance", &base().join("projects").join("lance"));
        machine.lock(&dir, &[X86, ARM, MUSL]);
        dir
    })
}

fn program(dir: &Path, target: &str) -> PathBuf {
    dir.join("target").join(target).join("debug/lance")
}

#[test]
fn lance_is_built_for_aarch64_and_runs() {
    let machine = Machine::share();
    let dir = lance(&machine);
    machine.xprov(dir, &["build", "--locked", "--target", ARM]).ok();
    let ran = machine.xprov(dir, &["run", "--quiet", "--target", ARM]).ok();
    assert!(ran.stdout.starts_with(ANSWER), "{}", ran.stdout);
}

#[test]
fn lance_is_built_for_x86_64_and_asks_before_it_uses_avx512() {
    let machine = Machine::share();
    let dir = lance(&machine);
    machine.xprov(dir, &["build", "--locked", "--target", X86]).ok();
    assert!(has_noted_native(dir), "no ledger knows of lance-linalg's -march=native");
    let ran = machine.xprov(dir, &["run", "--quiet", "--target", X86]).ok();
    assert!(ran.stdout.starts_with(ANSWER), "{}", ran.stdout);
    only_dispatched_functions_use_more(&machine, &program(dir, X86));
    if cfg!(target_arch = "x86_64") {
        the_first_x86_64_runs_it(&machine, dir);
    }
}

#[test]
fn lance_is_built_for_musl_and_asks_too() {
    let machine = Machine::share();
    let dir = lance(&machine);
    machine.xprov(dir, &["build", "--locked", "--target", MUSL]).ok();
    let ran = machine.xprov(dir, &["run", "--quiet", "--target", MUSL]).ok();
    assert!(ran.stdout.starts_with(ANSWER), "{}", ran.stdout);
    only_dispatched_functions_use_more(&machine, &program(dir, MUSL));
}

/// Whether a ledger of the project's says what became of the crate's flag. It outlasts the warning,
/// which a build that has nothing to do does not repeat.
fn has_noted_native(dir: &Path) -> bool {
    let builds = fs::read_dir(dir.join("target/xprov")).expect("build directories");
    let texts =
        builds.filter_map(|build| fs::read_to_string(build.ok()?.path().join("ledger.jsonl")).ok());
    texts.flat_map(|text| ledger::parse(&text).collect::<Vec<_>>()).any(|line| {
        line.krate.as_deref() == Some("lance-linalg")
            && line.notices.iter().any(|notice| notice.what == "-march=native")
    })
}

/// The instructions of the whole program, function by function.
fn only_dispatched_functions_use_more(machine: &Machine, program: &Path) {
    let functions = disassembly::functions(machine, lance(machine), X86, program);
    let kernel = functions.get(KERNEL).expect("the kernel is in the program");
    assert!(kernel.iter().any(|line| line.contains("%zmm")), "{kernel:?}");
    let mut more: Vec<(&str, &str)> = Vec::new();
    for (name, lines) in &functions {
        let dispatched = DISPATCHED.iter().any(|(known, _)| known == name);
        let above = lines.iter().find(|line| disassembly::is_above_baseline(line));
        if let (false, Some(line)) = (dispatched, above) {
            more.push((name, line));
        }
    }
    assert!(more.is_empty(), "above the baseline: {more:#?}");
    // The build machine's own instruction set would be more than the crate asks for.
    let beyond = kernel.iter().find(|line| disassembly::is_beyond_avx512bw(line));
    assert_eq!(beyond, None, "the kernel was compiled for the machine that built it");
}

/// Emulated processors without AVX-512, and one without any AVX: an instruction that was not asked
/// for would end the program.
fn the_first_x86_64_runs_it(machine: &Machine, dir: &Path) {
    machine.xprov(dir, &["restore", "--target", ARM]).ok();
    let trees = fs::read_dir(machine.store.join("v1/compositions")).expect("trees");
    let emulator = trees
        .map(|tree| tree.expect("an entry").path().join("usr/bin/qemu-x86_64-static"))
        .find(|path| path.is_file())
        .expect("the emulators of the other target are in the store");
    for (processor, level) in [("qemu64", "None"), ("Haswell", "Avx2")] {
        let mut command = Command::new(&emulator);
        command.args(["-cpu", processor]).arg(program(dir, X86)).env_clear();
        let output = command.output().expect("the emulator starts");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(printed, format!("{ANSWER}{level}\n"), "{output:?}");
    }
}

/// With a compiler for x86-64 as it is on every other kind of machine.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_compiler_without_native_is_enough() {
    let machine = Machine::share();
    let dir = copy("lance", &base().join("projects").join("lance-without-native"));
    let name = "gcc-that-is-a-cross-compiler.toml";
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/lance").join(name);
    fs::create_dir_all(dir.join("recipes")).expect("a folder");
    fs::copy(recipe, dir.join("recipes").join(name)).expect("copied");
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).expect("a manifest");
    let settings = format!("\n[workspace.metadata.xprov]\nhosts = [\"{X86}\"]\n");
    fs::write(dir.join("Cargo.toml"), manifest + &settings).expect("written");
    machine.lock(&dir, &[X86]);

    let compiler = the_compiler_itself(&machine, &dir);
    let source = base().join("native.c");
    fs::write(&source, "int main(void) { return 0; }\n").expect("written");
    let refused = Command::new(&compiler).args(["-march=native", "-E"]).arg(&source).output();
    let refused = String::from_utf8(refused.expect("it starts").stderr).expect("text");
    assert!(refused.contains("bad value 'native' for '-march=' switch"), "{refused}");

    let features = "-avx512f,-avx512bw,-avx512cd,-avx512dq,-avx512vl";
    let remedies = format!(
        "-C target-cpu=generic -C target-feature={features} \
         -C link-arg=-Wl,--allow-multiple-definition"
    );
    let remedies = [("RUSTFLAGS", remedies.as_str()), ("CARGO_CFG_TARGET_FEATURE", "")];
    for variables in [&[][..], &remedies] {
        say(&format!("plain cargo with this compiler and {variables:?}"));
        let said = plain_cargo(&dir, &compiler, variables);
        assert!(said.contains(&format!("undefined reference to `{KERNEL}'")), "{said}");
    }

    machine.xprov(&dir, &["build", "--locked", "--target", X86]).ok();
    let ran = machine.xprov(&dir, &["run", "--quiet", "--target", X86]).ok();
    assert!(ran.stdout.starts_with(ANSWER), "{}", ran.stdout);
    only_dispatched_functions_use_more(&machine, &program(&dir, X86));
}

/// A script that starts the compiler as the recipe says, with nothing changed.
#[cfg(target_arch = "x86_64")]
fn the_compiler_itself(machine: &Machine, dir: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;

    let gcc = |question: &str| {
        let exec = ["exec", "--target", X86, "--", "x86_64-linux-gnu-gcc", question];
        machine.xprov(dir, &exec).ok().stdout.trim_end().to_owned()
    };
    let part = gcc("-print-prog-name=cc1");
    let tree = part.split("/usr/bin/").next().expect("a tree");
    let sysroot = gcc("-print-sysroot");
    let bin = base().join("compilers");
    fs::create_dir_all(&bin).expect("a folder");
    let emulator = format!("{tree}/usr/bin/qemu-aarch64-static");
    // It looks for its linker on PATH.
    let compiler = format!(
        "PATH='{}' LC_ALL=C exec {emulator} -L {tree} {tree}/usr/bin/x86_64-linux-gnu-gcc-12 \
         -wrapper {emulator},-L,{tree} --sysroot={sysroot}",
        bin.display()
    );
    let linker = format!("exec {emulator} -L {tree} {tree}/usr/bin/x86_64-linux-gnu-ld");
    for (name, script) in [("gcc", compiler), ("ld", linker)] {
        let path = bin.join(format!("x86_64-linux-gnu-{name}"));
        fs::write(&path, format!("#!/bin/sh\n{script} \"$@\"\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    }
    bin.join("x86_64-linux-gnu-gcc")
}

/// What the cargo of whoever runs these tests says to the project with this compiler.
#[cfg(target_arch = "x86_64")]
fn plain_cargo(dir: &Path, compiler: &Path, variables: &[(&str, &str)]) -> String {
    let target_dir = base().join("plain-lance");
    remove_tree(&target_dir).expect("removable");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--target", X86, "--manifest-path"]);
    cargo.arg(dir.join("Cargo.toml")).arg("--target-dir").arg(&target_dir);
    // In the user's home, so that a mirror in the user's own cargo configuration is found.
    if let Some(home) = std::env::var_os("HOME").filter(|home| Path::new(home).is_dir()) {
        cargo.current_dir(home);
    }
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "CFLAGS"] {
        cargo.env_remove(name);
    }
    cargo.env("CARGO_HOME", base().join("crates"));
    cargo.env("RUSTC", Path::new(env!("CARGO")).with_file_name("rustc"));
    cargo.env("CC_x86_64_unknown_linux_gnu", compiler);
    cargo.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", compiler);
    let output = cargo.envs(variables.iter().copied()).output().expect("cargo starts");
    assert!(!output.status.success(), "this is expected to fail");
    remove_tree(&target_dir).expect("removable");
    String::from_utf8_lossy(&output.stderr).into_owned()
}
