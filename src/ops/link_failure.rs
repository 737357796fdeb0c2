//! Why a link missed a symbol: which crate refers to it, and what that crate's build script said it
//! left out. Reads what cargo and the shims wrote down; guesses nothing that is not written there.

mod scan;

use std::path::Path;

use serde::{Deserialize, Serialize};

use self::scan::Found;
use super::project::Project;
use crate::shim::ledger::{Line, Undefined};
use crate::sys::fs::{FsError, read_text};
use crate::vocab::triple::RustTriple;

/// The explanation of a failed link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LinkFailure {
    /// The symbols that are explained by it.
    pub symbols: Vec<String>,
    /// The crate that refers to them.
    #[serde(rename = "crate")]
    pub name: String,
    /// Its version, where Cargo.lock has but one.
    pub version: Option<String>,
    /// What its build script said.
    pub warning: String,
    /// The line of settings that may help.
    pub allow: Option<String>,
    /// The version from which on the crate is known to do better, and how.
    pub fixed: Option<Fixed>,
}

/// A version of a crate that does not leave the object out unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fixed {
    /// The crate.
    #[serde(skip)]
    name: &'static str,
    /// The first version with the mistake.
    #[serde(skip)]
    since: (u32, u32, u32),
    /// The first version without it.
    pub version: &'static str,
    /// What that one does.
    pub how: &'static str,
}

/// Crates whose published build scripts were compared.
///
/// `lance-linalg`: in 0.38.0 to 7.1.0 build.rs compiles `dist_table.c` with `-march=native` and sets
/// the cfg `kernel_support="avx512"` for two kernels at once, so that code refers to one although
/// only the other was built; in 8.0.0 and later each kernel has a cfg of its own
/// (`avx512_dist_table`) and is compiled with `-march=sapphirerapids`.
const FIXED: &[Fixed] = &[Fixed {
    name: "lance-linalg",
    since: (0, 38, 0),
    version: "8.0.0",
    how: "it names the instruction set, and refers to the kernel only where it was built",
}];

/// Explains the symbols that links of this run missed; `None` where no build script said anything
/// that has to do with them.
pub fn explain(
    project: &Project,
    build_dir: &Path,
    target: &RustTriple,
    lines: &[Line],
) -> Result<Option<LinkFailure>, FsError> {
    let missing: Vec<&Undefined> = lines.iter().flat_map(|line| &line.undefined).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let found = Found::below(build_dir);
    for skipped in &found.skipped {
        let libraries = found.contents(&skipped.name);
        let refers = |missing: &&Undefined| {
            missing.by.as_deref().is_some_and(|by| names_crate(by, &skipped.name))
                || libraries.iter().any(|bytes| contains(bytes, missing.symbol.as_bytes()))
        };
        let mut symbols: Vec<String> =
            missing.iter().copied().filter(refers).map(|missing| missing.symbol.clone()).collect();
        symbols.sort();
        symbols.dedup();
        let Some(first) = symbols.first() else { continue };
        let Some(warning) = nearest(&skipped.warnings, first) else { continue };
        let lock = read_text(&project.root.join("Cargo.lock"))?.unwrap_or_default();
        let version = locked_version(&lock, &skipped.name);
        return Ok(Some(LinkFailure {
            allow: level(target, &format!("{first} {warning}"))
                .map(|level| format!("isa.crates.{} = \"{level}\"", skipped.name)),
            fixed: version.as_deref().and_then(|version| fixed(&skipped.name, version)),
            name: skipped.name.clone(),
            version,
            warning: warning.clone(),
            symbols,
        }));
    }
    Ok(None)
}

/// The warning that shares most words with the symbol; the first where none does.
fn nearest<'a>(warnings: &'a [String], symbol: &str) -> Option<&'a String> {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2);
        words.map(str::to_lowercase).collect()
    };
    let of_symbol = words(symbol);
    let shared = |warning: &String| {
        let said = words(warning);
        of_symbol.iter().filter(|word| said.contains(word)).count()
    };
    // `max_by_key` would give the last of several.
    warnings.iter().rev().max_by_key(|warning| shared(warning))
}

fn contains(bytes: &[u8], symbol: &[u8]) -> bool {
    !symbol.is_empty() && bytes.windows(symbol.len()).any(|window| window == symbol)
}

/// Whether what refers to a symbol is of the package: its library, or a function whose mangled
/// name has the crate's.
fn names_crate(by: &str, package: &str) -> bool {
    let name = package.replace('-', "_");
    // Both manglings write a name after its length.
    let mangled = format!("{}{name}", name.len());
    let library = format!("lib{name}-");
    let stands_alone = |text: &str, part_of_it: fn(char) -> bool| {
        by.match_indices(text).any(|(at, _)| !by[..at].ends_with(part_of_it))
    };
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    stands_alone(&mangled, |c| c.is_ascii_digit())
        || stands_alone(&library, is_word)
        || stands_alone(&format!("{name}-"), is_word)
        || by.starts_with(&format!("{name}::"))
}

/// The version of the package, if Cargo.lock has one only.
fn locked_version(lock: &str, name: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Lock {
        #[serde(default)]
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    let lock: Lock = toml::from_str(lock).ok()?;
    let mut packages = lock.package.into_iter().filter(|package| package.name == name);
    let first = packages.next()?;
    packages.next().is_none().then_some(first.version)
}

/// The level that has what a text speaks of.
fn level(target: &RustTriple, text: &str) -> Option<&'static str> {
    let text = text.to_lowercase().replace('-', "");
    let levels = [("avx512", "x86-64-v4"), ("avx", "x86-64-v3"), ("sse4", "x86-64-v2")];
    let found = levels.into_iter().find(|(word, _)| text.contains(word));
    found.filter(|_| target.arch() == "x86_64").map(|(_, level)| level)
}

fn fixed(name: &str, version: &str) -> Option<Fixed> {
    let version = numbers(version)?;
    let applies = |fixed: &&Fixed| {
        let until = numbers(fixed.version);
        fixed.name == name && fixed.since <= version && until.is_some_and(|until| version < until)
    };
    FIXED.iter().find(applies).copied()
}

fn numbers(version: &str) -> Option<(u32, u32, u32)> {
    let release = version.split(['-', '+']).next()?;
    let mut numbers = release.split('.').map(str::parse);
    match (numbers.next()?, numbers.next()?, numbers.next()?) {
        (Ok(major), Ok(minor), Ok(patch)) => Some((major, minor, patch)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What the build script of lance-linalg 0.38.2 prints where the compiler rejects `native`.
    const OUTPUT: &str = "cargo::rustc-check-cfg=cfg(kernel_support, values(\"avx512\"))\n\
        cargo:rerun-if-changed=src/simd/f16.c\n\
        cargo:warning=fp16kernels feature is not enabled, skipping build of fp16 kernels\n\
        cargo:rustc-cfg=kernel_support=\"avx512\"\n\
        cargo:warning=Skipping build of AVX-512 dist_table. Error: ToolExecError: command did not execute successfully\n\
        cargo:warning=fp16kernels feature is not enabled, skipping build of fp16 kernels\n";
    const SYMBOL: &str = "sum_4bit_dist_table_32bytes_batch_avx512";

    fn project(root: &Path) -> Project {
        Project {
            manifest: root.join("Cargo.toml"),
            root: root.to_path_buf(),
            settings: crate::settings::Settings::default(),
            root_text: String::new(),
            toolchain: crate::ops::toolchain_file::Honoured::default(),
        }
    }

    fn lines(by: Option<&str>) -> Vec<Line> {
        let missing = Undefined { symbol: SYMBOL.to_owned(), by: by.map(str::to_owned) };
        vec![Line::default(), Line { undefined: vec![missing], ..Line::default() }]
    }

    fn write(path: &Path, text: impl AsRef<[u8]>) {
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn explained(output: &str, library: Option<&str>, by: Option<&str>) -> Option<LinkFailure> {
        let dir = tempfile::tempdir().expect("a directory");
        let build_dir = dir.path().join("build");
        write(&build_dir.join(output), OUTPUT);
        write(
            &build_dir.join("t/debug/build/other-0123456789abcdef/output"),
            "cargo:warning=Skipping everything\n",
        );
        let lock = "version = 4\n[[package]]\nname = \"lance-linalg\"\nversion = \"0.38.2\"\n";
        write(&dir.path().join("Cargo.lock"), lock);
        if let Some(library) = library {
            write(&build_dir.join(library), format!("!<arch>\nxx{SYMBOL}\0"));
        }
        let target = "x86_64-unknown-linux-gnu".parse().expect("known");
        explain(&project(dir.path()), &build_dir, &target, &lines(by)).expect("readable")
    }

    #[test]
    fn the_crate_that_left_the_object_out_is_named_in_both_layouts() {
        for (output, library) in [
            (
                "t/debug/build/lance-linalg-dfac324ea89bb0af/output",
                "t/debug/deps/liblance_linalg-0f3a.rlib",
            ),
            (
                "t/debug/build/lance-linalg/b2ba8cb3bc26fa42/run/stdout",
                "t/debug/build/lance-linalg/ed271b9c6d23071e/out/liblance_linalg-ed27.rlib",
            ),
        ] {
            let failure = explained(output, Some(library), None).expect("an explanation");
            assert_eq!(failure.symbols, [SYMBOL]);
            assert_eq!(
                (failure.name.as_str(), failure.version.as_deref()),
                ("lance-linalg", Some("0.38.2"))
            );
            assert!(failure.warning.starts_with("Skipping build of AVX-512 dist_table."));
            assert_eq!(failure.allow.as_deref(), Some("isa.crates.lance-linalg = \"x86-64-v4\""));
            assert_eq!(failure.fixed.map(|fixed| fixed.version), Some("8.0.0"));
        }
    }

    #[test]
    fn a_linker_that_names_the_object_is_believed_and_nothing_is_guessed() {
        let output = "t/debug/build/lance-linalg-dfac324ea89bb0af/output";
        for by in [
            "/t/deps/liblance_linalg-f00d.rlib(lance_linalg-f00d.lance_linalg.9a8b-cgu.0.rcgu.o)",
            "_ZN12lance_linalg4simd10dist_table26sum_4bit_dist_table_avx51217h0123456789abcdefE",
            "lance_linalg::simd::dist_table::sum_4bit_dist_table",
        ] {
            assert!(explained(output, None, Some(by)).is_some(), "{by}");
        }
        for by in [
            "/t/deps/libother_linalg-f00d.rlib(x.o)",
            "/t/libmy_lance_linalg-f00d.rlib(x.o)",
            "_ZN112lance_linalg1fE",
        ] {
            assert_eq!(explained(output, None, Some(by)), None, "{by}");
        }
        assert_eq!(explained(output, None, None), None);
    }

    #[test]
    fn a_version_is_claimed_to_be_better_only_for_those_that_have_the_mistake() {
        for (version, known) in
            [("0.37.0", false), ("0.38.0", true), ("7.1.0", true), ("8.0.0", false)]
        {
            assert_eq!(fixed("lance-linalg", version).is_some(), known, "{version}");
        }
        assert!(fixed("lance-core", "0.38.2").is_none());
    }
}
