//! Protections of programs, compared with what Debian's `hardening-check` says of them. It comes
//! from the machine's own package archive, and is not installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xprov::inspect::elf::{ElfFacts, Kind};
use xprov::inspect::{Facts, facts};

/// How many files a comparison needs to mean something, and how many it takes.
const FEWEST: usize = 40;
const MOST: usize = 80;

/// The other program disassembles whole files: larger ones take long. In bytes.
const LARGEST: u64 = 200_000;

const SOURCE: &str = "#include <string.h>\n#include <stdio.h>\nint main(int n, char **v) {\n\
                      char a[64]; strcpy(a, v[n - 1]); puts(a); return 0; }\n";

/// `hardening-check`, unpacked into `dir`.
fn hardening_check(dir: &Path) -> PathBuf {
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(dir).output().expect("a Debian system")
    };
    let download = || run("apt-get", &["-q", "download", "devscripts"]);
    let mut output = download();
    if !output.status.success() {
        // A system whose lists of packages were never fetched.
        run("apt-get", &["-q", "update"]);
        output = download();
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let is_package = |path: &PathBuf| path.extension().is_some_and(|end| end == "deb");
    let files = fs::read_dir(dir).expect("listed").map(|entry| entry.expect("an entry").path());
    let package = files.into_iter().find(is_package).expect("the package");
    run("dpkg", &["-x", &package.to_string_lossy(), "unpacked"]);
    dir.join("unpacked/usr/bin/hardening-check")
}

/// Programs and libraries of the machine that are small, each second one a library.
fn files() -> Vec<PathBuf> {
    let of = |dir: &str, named: &str| {
        let entries = fs::read_dir(dir).into_iter().flatten();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.to_string_lossy().contains(named))
            .filter(|path| {
                let metadata = fs::symlink_metadata(path).expect("there");
                metadata.is_file() && metadata.len() <= LARGEST
            })
            .filter(|path| fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF")))
            .collect();
        files.sort();
        files
    };
    let programs = of("/usr/bin", "");
    let mut libraries = of("/usr/lib/x86_64-linux-gnu", ".so");
    libraries.extend(of("/usr/lib/aarch64-linux-gnu", ".so"));
    let longest = programs.len().max(libraries.len());
    let both = (0..longest).flat_map(|at| [programs.get(at), libraries.get(at)]);
    both.flatten().take(MOST).cloned().collect()
}

/// What the machine's gcc links with `flags`.
fn linked(dir: &Path, name: &str, flags: &[&str]) -> PathBuf {
    let source = dir.join("a.c");
    fs::write(&source, SOURCE).expect("written");
    let file = dir.join(name);
    let done = Command::new("gcc").args(flags).arg(&source).arg("-o").arg(&file).output();
    let done = done.expect("gcc");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    file
}

/// What it says after each heading.
fn theirs(script: &Path, file: &Path) -> Vec<String> {
    let output = Command::new("perl").arg(script).arg("--nocfprotection").arg(file).output();
    let text = String::from_utf8(output.expect("perl").stdout).expect("text");
    let headings = [
        " Position Independent Executable: ",
        " Stack protected: ",
        " Fortify Source functions: ",
        " Read-only relocations: ",
        " Immediate binding: ",
    ];
    let after = |heading| {
        let line = text.lines().find_map(|line| line.strip_prefix(heading));
        let line = line.unwrap_or_else(|| panic!("{}: no `{heading}` in {text}", file.display()));
        // A remark follows in brackets.
        line.split(" (").next().unwrap_or_default().to_owned()
    };
    headings.map(after).into()
}

/// What our facts would make it say.
fn ours(elf: &ElfFacts) -> Vec<String> {
    let hardening = &elf.hardening;
    let yes_no = |is: bool| if is { "yes" } else { "no, not found!" };
    let pie = match elf.kind {
        Kind::SharedLibrary => "no, regular shared library",
        Kind::DynamicPie | Kind::StaticPie => "yes",
        _ => "no, normal executable!",
    };
    let stack = match (hardening.stack_protector, elf.imports.as_deref()) {
        (true, _) => "yes",
        (false, Some([])) => "unknown, no symbols found",
        (false, _) => "no, not found!",
    };
    let fortify = match (hardening.fortified.is_empty(), hardening.unfortified.is_empty()) {
        (false, _) => "yes",
        (true, false) => "no, only unprotected functions found!",
        (true, true) => "unknown, no protectable libc functions used",
    };
    [pie, stack, fortify, yes_no(hardening.relro), yes_no(hardening.bind_now)]
        .map(str::to_owned)
        .into()
}

/// The differences that docs/verify.md names.
fn is_documented(at: usize, elf: &ElfFacts, theirs: &str, ours: &str) -> bool {
    match at {
        // A library that can be started, such as the C library, has program headers in it.
        0 => elf.kind == Kind::SharedLibrary && theirs == "yes",
        // It counts functions; a library that wants only data has no symbols for it.
        1 => theirs == "unknown, no symbols found" && ours == "no, not found!",
        _ => false,
    }
}

#[test]
fn protections_are_what_hardening_check_says() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let script = hardening_check(dir.path());
    let mut files = files();
    assert!(files.len() >= FEWEST, "only {} files to compare", files.len());
    // What distributions no longer ship.
    for (name, flags) in [
        ("no-pie", &["-no-pie", "-fno-pie"][..]),
        ("no-relro", &["-Wl,-z,norelro"]),
        ("lazy", &["-Wl,-z,lazy"]),
        ("now", &["-Wl,-z,now"]),
        ("no-protector", &["-fno-stack-protector"]),
        ("protector", &["-fstack-protector-all"]),
        ("fortified", &["-O2", "-D_FORTIFY_SOURCE=2"]),
        ("bare", &["-O2", "-U_FORTIFY_SOURCE", "-fno-stack-protector", "-s"]),
    ] {
        files.push(linked(dir.path(), name, flags));
    }
    let (mut wrong, mut documented) = (Vec::new(), 0);
    let mut answers = std::collections::BTreeSet::new();
    for file in &files {
        let Ok(Facts::Elf(elf)) = facts(&fs::read(file).expect("readable")) else {
            panic!("{}: no facts", file.display());
        };
        let both = theirs(&script, file).into_iter().zip(ours(&elf));
        for (at, (theirs, ours)) in both.enumerate() {
            answers.insert((at, theirs.clone()));
            if theirs == ours {
                continue;
            }
            if is_documented(at, &elf, &theirs, &ours) {
                documented += 1;
            } else {
                wrong.push(format!("{} [{at}]: {theirs}; ours: {ours}", file.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(documented * 10 <= files.len(), "{documented} of {} differ", files.len());
    // Each of the five questions was answered in both ways.
    for at in 0..5 {
        assert!(answers.iter().filter(|answer| answer.0 == at).count() >= 2, "{at}: {answers:?}");
    }
}
