//! What cargo leaves in a build directory: what build scripts printed, and libraries. Reads; knows
//! no linker.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sys::fs::read_optional;

/// What a build script said it left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The package.
    pub name: String,
    /// What was said, in order.
    pub warnings: Vec<String>,
}

/// What is found below a build directory.
#[derive(Debug, Default)]
pub struct Found {
    /// The build scripts that left something out.
    pub skipped: Vec<Skipped>,
    libraries: Vec<PathBuf>,
}

impl Found {
    /// Looks through a build directory.
    pub fn below(build_dir: &Path) -> Self {
        let mut found = Self::default();
        walk(build_dir, DEPTH, &mut found);
        found
    }

    /// The bytes of the libraries of a package, which are named for it unless its manifest says
    /// otherwise.
    pub fn contents(&self, package: &str) -> Vec<Vec<u8>> {
        let stem = format!("lib{}", package.replace('-', "_"));
        let of_package = self.libraries.iter().filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.strip_prefix(&stem).is_some_and(|rest| rest.starts_with(['-', '.']))
        });
        of_package.filter_map(|path| read_optional(path).ok().flatten()).collect()
    }
}

/// `<triple>/<profile>/build/<package>/<hash>/run/stdout`, and one to spare.
const DEPTH: usize = 7;

fn walk(dir: &Path, depth: usize, found: &mut Found) {
    // What cannot be read explains nothing.
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // OUT_DIR is the crate's own.
        let is_out_dir = name == "out" && dir.join("output").is_file();
        if path.is_dir() && !path.is_symlink() {
            if depth > 0 && !is_out_dir && !matches!(name, "incremental" | ".fingerprint") {
                walk(&path, depth - 1, found);
            }
        } else if name.starts_with("lib") && path.extension().is_some_and(|end| end == "rlib") {
            found.libraries.push(path);
        } else if let Some(package) = ran(&path) {
            let text = read_optional(&path).ok().flatten().unwrap_or_default();
            let warnings = left_out(&String::from_utf8_lossy(&text));
            if !warnings.is_empty() {
                found.skipped.push(Skipped { name: package, warnings });
            }
        }
    }
}

/// The package whose build script's output `path` is: `build/<package>-<hash>/output`, or, since
/// cargo gives each package a directory, `build/<package>/<hash>/run/stdout`.
fn ran(path: &Path) -> Option<String> {
    let mut parts = path.iter().rev().map(|part| part.to_str().unwrap_or_default());
    let package = match parts.next()? {
        "output" => {
            let (package, hash) = parts.next()?.rsplit_once('-')?;
            is_hash(hash).then_some(package)?
        }
        "stdout" if parts.next()? == "run" => {
            parts.next().filter(|hash| is_hash(hash))?;
            parts.next()?
        }
        _ => return None,
    };
    (parts.next()? == "build").then(|| package.to_owned())
}

fn is_hash(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The warnings that say that something was not built.
fn left_out(output: &str) -> Vec<String> {
    const WORDS: &[&str] = &[
        "skip",
        "fail",
        "not compil",
        "not be compil",
        "not build",
        "not built",
        "not be built",
        "could not",
        "cannot",
        "unable",
        "disabl",
        "unsupported",
        "not support",
    ];
    let warning = |line: &str| {
        let text = line
            .strip_prefix("cargo:warning=")
            .or_else(|| line.strip_prefix("cargo::warning="))?
            .trim();
        let lower = text.to_lowercase();
        WORDS.iter().any(|word| lower.contains(word)).then(|| text.to_owned())
    };
    output.lines().filter_map(warning).collect()
}
