//! Copies of projects, kept from run to run with their target directories. Their locks are not
//! kept: every run asks the archive anew.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::machine::{Machine, base};

/// The targets of the fleet.
pub const TARGETS: [&str; 3] =
    ["aarch64-unknown-linux-gnu", "armv7-unknown-linux-gnueabihf", "x86_64-unknown-linux-gnu"];

/// The harbor workspace, locked for all of [`TARGETS`], once in a run.
pub fn harbor(machine: &Machine) -> &'static Path {
    static HARBOR: OnceLock<PathBuf> = OnceLock::new();
    HARBOR.get_or_init(|| {
        let dir = copy("harbor", &base().join("projects").join("harbor"));
        machine.lock(&dir, &TARGETS);
        dir
    })
}

/// Brings the copy of `tests/projects/<name>` at `to` up to date. It has no lock of toolchains.
pub fn copy(name: &str, to: &Path) -> PathBuf {
    mirror(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects").join(name), to);
    to.to_path_buf()
}

/// Makes `to` equal to `from` but for the target directory. Equal files keep their times, so that
/// cargo sees no change.
pub fn mirror(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    let names = |dir: &Path| -> BTreeSet<OsString> {
        let entries = fs::read_dir(dir).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name()).collect()
    };
    let kept = OsString::from("target");
    let theirs = names(from);
    for name in names(to).difference(&theirs).filter(|name| **name != kept) {
        let extra = to.join(name);
        let removed = if extra.is_dir() { remove_tree(&extra) } else { fs::remove_file(&extra) };
        removed.expect("removable");
    }
    for name in theirs.iter().filter(|name| **name != kept) {
        let (from, to) = (from.join(name), to.join(name));
        if from.is_dir() {
            mirror(&from, &to);
        } else if fs::read(&from).ok() != fs::read(&to).ok() {
            fs::copy(&from, &to).expect("copied");
        }
    }
}

/// Makes `dir` a project of these files. What is the same keeps its time, and what was built stays;
/// its locks do not.
pub fn write_project(dir: &Path, files: &[(&str, &str)]) -> PathBuf {
    for name in ["Cargo.lock", "toolchains.lock"] {
        let _ = fs::remove_file(dir.join(name));
    }
    for (name, text) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        if fs::read_to_string(&path).ok().as_deref() != Some(text) {
            fs::write(&path, text).expect("written");
        }
    }
    dir.to_path_buf()
}

/// Removes a folder whose directories may be read-only, as those of a store are.
pub fn remove_tree(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if !dir.exists() {
        return Ok(());
    }
    let mut todo = vec![dir.to_path_buf()];
    while let Some(dir) = todo.pop() {
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755))?;
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                todo.push(entry.path());
            }
        }
    }
    fs::remove_dir_all(dir)
}

/// The version of the Rust compiler in a lock: `1.85`.
pub fn locked_rust(lock: &str) -> (u32, u32) {
    let lock: toml::Table = lock.parse().expect("TOML");
    let entries = lock["entry"].as_array().expect("entries");
    let rustc = entries.iter().find(|entry| entry["name"].as_str() == Some("rustc"));
    let version = rustc.and_then(|entry| entry["version"].as_str()).expect("a version of rustc");
    let mut parts = version.split('.').map(|part| part.parse().expect("a number"));
    (parts.next().expect("a major version"), parts.next().expect("a minor version"))
}
