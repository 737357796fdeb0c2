//! The files that a Rust of the machine's consists of, as far as they decide what it makes, and
//! their digest. What was read once is remembered under sizes and times, so that a warm command
//! reads none of them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SystemRustError;
use crate::inspect::{Facts, facts};
use crate::ops::context::Context;
use crate::ops::error::Error;
use crate::shim::access::{library, normal};
use crate::sys::fs::{Describe as _, FsError, read_optional};
use crate::vocab::digest::{Blake3, FileHasher, KeyHasher};
use crate::vocab::triple::RustTriple;

/// What the compiler's own libraries are called. They may lie among all others of the system.
const OWN_LIBRARIES: [&str; 2] = ["librustc_driver-", "libLLVM"];

/// Compiler, rustdoc, their own libraries and the std of the host.
pub fn of_compiler(sysroot: &Path, host: &RustTriple) -> Result<Vec<PathBuf>, Error> {
    let mut files: Vec<PathBuf> =
        ["rustc", "rustdoc"].iter().map(|name| sysroot.join("bin").join(name)).collect();
    if let Some(file) = files.iter().find(|file| !file.is_file()) {
        return Err(SystemRustError::Incomplete { file: file.clone() }.into());
    }
    let multiarch = format!("lib/{}-linux-gnu", host.arch());
    for dir in ["lib", "lib64", multiarch.as_str()].map(|dir| sysroot.join(dir)) {
        let is_own = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            OWN_LIBRARIES.iter().any(|own| name.starts_with(own)) && path.is_file()
        };
        files.extend(entries(&dir)?.into_iter().filter(is_own));
    }
    let std = sysroot.join("lib/rustlib").join(host.as_str());
    let before = files.len();
    below(&std, &mut files)?;
    if files.len() == before {
        return Err(SystemRustError::Incomplete { file: std }.into());
    }
    Ok(files)
}

/// The std of a target; empty where there is none.
pub fn of_std(sysroot: &Path, target: &RustTriple) -> Result<Vec<PathBuf>, FsError> {
    let mut files = Vec::new();
    below(&sysroot.join("lib/rustlib").join(target.as_str()), &mut files)?;
    Ok(files)
}

/// What is in a directory, sorted; nothing where there is none.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, FsError> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).describe("read", dir)? {
        paths.push(entry.describe("read", dir)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn below(dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), FsError> {
    for path in entries(dir)? {
        if path.is_dir() {
            below(&path, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// What tells a file from a later one at its place without reading it.
pub fn stamp(path: &Path) -> Result<String, FsError> {
    let file = fs::metadata(path).describe("read", path)?;
    let (modified, changed) =
        ((file.mtime(), file.mtime_nsec()), (file.ctime(), file.ctime_nsec()));
    Ok(format!("{} {} {} {modified:?} {changed:?}", path.display(), file.size(), file.ino()))
}

fn stamps(domain: &str, files: &[PathBuf]) -> Result<Blake3, FsError> {
    let mut key = KeyHasher::new(domain);
    for file in files {
        key.part(stamp(file)?);
    }
    Ok(key.finish())
}

/// What is remembered of a compiler.
#[derive(Serialize, Deserialize)]
struct About {
    version_verbose: String,
    libraries: Vec<PathBuf>,
}

/// What the compiler that consists of `own` says of itself, by `ask`, and the machine's libraries
/// that it loads: its own, and those that are not the C library or part of it.
pub fn about(
    context: &Context<'_>,
    own: &[PathBuf],
    ask: impl FnOnce() -> Result<String, Error>,
) -> Result<(String, Vec<PathBuf>), Error> {
    let note = context.store.layout().machine(&stamps("system-rust/1", own)?.to_string());
    let known = read_optional(&note)?.and_then(|text| serde_json::from_slice::<About>(&text).ok());
    if let Some(About { version_verbose, libraries }) = known
        && libraries.iter().all(|library| library.is_file())
    {
        return Ok((version_verbose, libraries));
    }
    let about = About { version_verbose: ask()?, libraries: loaded(own)? };
    context.store.write(&note, &serde_json::to_vec(&about).unwrap_or_default())?;
    Ok((about.version_verbose, about.libraries))
}

/// The shared libraries that the compiler loads, whatever loads them: found beside it, as it says
/// itself, else among the machine's.
fn loaded(own: &[PathBuf]) -> Result<Vec<PathBuf>, FsError> {
    let is_loaded = |path: &&PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        name == "rustc" || OWN_LIBRARIES.iter().any(|own| name.starts_with(own))
    };
    let mut found: BTreeSet<PathBuf> = BTreeSet::new();
    let mut todo: Vec<PathBuf> = own.iter().filter(is_loaded).cloned().collect();
    while let Some(path) = todo.pop() {
        if !found.insert(path.clone()) {
            continue;
        }
        let bytes = fs::read(&path).describe("read", &path)?;
        let Ok(Facts::Elf(elf)) = facts(&bytes) else { continue };
        let origin = path.parent().unwrap_or(Path::new("/")).to_string_lossy();
        let beside: Vec<PathBuf> = elf
            .runpath
            .iter()
            .flat_map(|dirs| dirs.split(':'))
            .map(|dir| normal(Path::new(&dir.replace("$ORIGIN", &origin))))
            .collect();
        for needed in &elf.needed {
            let own = beside.iter().map(|dir| dir.join(needed)).find(|path| path.is_file());
            todo.extend(own.or_else(|| library(needed)));
        }
    }
    Ok(found.into_iter().collect())
}

/// The digest of files with their places, which are relative where they are below `sysroot`.
pub fn digest(context: &Context<'_>, sysroot: &Path, files: &[PathBuf]) -> Result<Blake3, Error> {
    let mut files = files.to_vec();
    files.sort();
    files.dedup();
    let note = context.store.layout().machine(&stamps("system-rust-digest/1", &files)?.to_string());
    let known = read_optional(&note)?.and_then(|text| String::from_utf8(text).ok());
    if let Some(digest) = known.and_then(|text| text.parse().ok()) {
        return Ok(digest);
    }
    let mut digest = KeyHasher::new("machine-files/1");
    for file in &files {
        let place = file.strip_prefix(sysroot).unwrap_or(file);
        digest.part(place.as_os_str().as_encoded_bytes()).part(contents(file)?.as_bytes());
    }
    let digest = digest.finish();
    context.store.write(&note, digest.to_string().as_bytes())?;
    Ok(digest)
}

fn contents(path: &Path) -> Result<Blake3, FsError> {
    let mut file = File::open(path).describe("read", path)?;
    let mut hasher = FileHasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer).describe("read", path)?;
        if count == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&buffer[..count]);
    }
}
