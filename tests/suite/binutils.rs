//! Facts of the machine's own programs and libraries, compared with what `readelf` reads in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use xprov::inspect::elf::ElfFacts;
use xprov::inspect::{Facts, facts};

/// How many files a comparison needs to mean something, and how many it takes.
const FEWEST: usize = 200;
const MOST: usize = 400;

/// ELF files of the machine, each once: every other one a program, every other one a library, as
/// far as both reach.
fn files() -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let mut of = |dirs: &[&str], is_wanted: &dyn Fn(&Path) -> bool| {
        let mut found = Vec::new();
        for entry in dirs.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten() {
            let path = entry.expect("an entry").path();
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let mut is_new = || seen.insert((metadata.dev(), metadata.ino()));
            let is_elf = || fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF"));
            if metadata.is_file() && is_wanted(&path) && is_elf() && is_new() {
                found.push(path);
            }
        }
        found.sort();
        found
    };
    let programs = of(&["/usr/bin", "/usr/sbin"], &|_| true);
    let is_library = |path: &Path| path.to_string_lossy().contains(".so");
    let dirs =
        ["/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
    let libraries = of(&dirs, &is_library);
    let longest = programs.len().max(libraries.len());
    let both = (0..longest).flat_map(|at| [programs.get(at), libraries.get(at)]);
    both.flatten().take(MOST).cloned().collect()
}

fn readelf(file: &Path, arguments: &[&str]) -> String {
    let output = Command::new("readelf")
        .args(arguments)
        .arg(file)
        .env("LC_ALL", "C")
        .output()
        .expect("readelf comes with the linker");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn elf(file: &Path) -> ElfFacts {
    match facts(&fs::read(file).expect("readable")) {
        Ok(Facts::Elf(elf)) => *elf,
        other => panic!("{}: {other:?}", file.display()),
    }
}

/// (library, version, weak), in file order, of `readelf -V`.
fn needs(text: &str) -> Vec<(String, String, bool)> {
    let Some((_, text)) = text.split_once("Version needs section") else { return Vec::new() };
    let mut library = String::new();
    let mut needs = Vec::new();
    let word = |line: &str, after: &str| {
        let (_, rest) = line.split_once(after)?;
        rest.split_whitespace().next().map(str::to_owned)
    };
    for line in text.lines() {
        if let Some(name) = word(line, "File: ") {
            library = name;
        } else if let Some(version) = word(line, "Name: ") {
            needs.push((library.clone(), version, line.contains("Flags: WEAK")));
        }
    }
    needs
}

/// The undefined symbols by version, of `readelf --dyn-syms`.
fn symbols(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut symbols: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| line.contains(" UND ")) {
        let Some((_, name)) = line.split_once(" UND ") else { continue };
        let Some((name, version)) = name.split_whitespace().next().unwrap_or("").split_once('@')
        else {
            continue;
        };
        symbols.entry(version.to_owned()).or_default().insert(name.to_owned());
    }
    symbols
}

#[test]
fn versions_and_their_symbols_are_what_readelf_sees() {
    let files = files();
    assert!(files.len() >= FEWEST, "only {} files to compare", files.len());
    let (mut with_needs, mut with_libstdcxx) = (0, 0);
    for file in &files {
        let name = file.display();
        let elf = elf(file);
        let ours: Vec<_> = elf
            .version_needs
            .iter()
            .map(|need| (need.library.clone(), need.version.clone(), need.weak))
            .collect();
        assert_eq!(ours, needs(&readelf(file, &["-V", "-W"])), "{name}");
        let mut bound: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for need in elf.version_needs.iter().filter(|need| !need.symbols.is_empty()) {
            bound.entry(need.version.clone()).or_default().extend(need.symbols.iter().cloned());
        }
        assert_eq!(bound, symbols(&readelf(file, &["--dyn-syms", "-W"])), "{name}");
        with_needs += usize::from(!ours.is_empty());
        with_libstdcxx += usize::from(ours.iter().any(|need| need.1.starts_with("GLIBCXX_")));
    }
    // A comparison of files that ask for nothing would show nothing.
    assert!(with_needs >= FEWEST / 2, "only {with_needs} of {} files have needs", files.len());
    assert!(with_libstdcxx > 0, "no file needs libstdc++");
}
