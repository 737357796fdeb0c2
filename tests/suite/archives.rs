//! Archives of every kind, friendly and hostile, into directories and trees.

mod build;
mod formats;
mod hostile;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use xprov::archive::{UnpackError, UnpackSpec, Unpacked, unpack};
use xprov::tree::scan;

/// A directory with room to unpack into, and nothing else.
struct Room {
    dir: TempDir,
}

impl Room {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("tempdir");
        for name in ["dest", "scratch"] {
            fs::create_dir(dir.path().join(name)).expect("mkdir");
        }
        Self { dir }
    }

    fn dest(&self) -> PathBuf {
        self.dir.path().join("dest")
    }

    fn scratch(&self) -> PathBuf {
        self.dir.path().join("scratch")
    }

    fn unpack(&self, archive: &[u8], spec: &UnpackSpec) -> Result<Unpacked, UnpackError> {
        let result = unpack(archive, spec, &self.dest(), &self.dir.path().join("scratch"));
        assert_eq!(names(self.dir.path()), ["dest", "scratch"], "something was left outside");
        assert!(names(&self.dir.path().join("scratch")).is_empty(), "scratch is not empty");
        result
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("list");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

/// Unpacks all of `archive`; the disk must agree with the tree.
fn unpacked(archive: &[u8]) -> Unpacked {
    unpacked_with(archive, &UnpackSpec::default())
}

fn unpacked_with(archive: &[u8], spec: &UnpackSpec) -> Unpacked {
    let room = Room::new();
    let unpacked = room.unpack(archive, spec).expect("unpack");
    assert_eq!(scan(&room.dest()).expect("scan"), unpacked.tree);
    unpacked
}

/// The error of an archive that must not unpack, with its causes.
fn refused(archive: &[u8]) -> String {
    refused_with(archive, &UnpackSpec::default())
}

fn refused_with(archive: &[u8], spec: &UnpackSpec) -> String {
    report(&Room::new().unpack(archive, spec).expect_err("must be refused"))
}

fn report(error: &UnpackError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The lines of the manifest without sizes and digests.
fn shape(unpacked: &Unpacked) -> Vec<String> {
    let manifest = String::from_utf8(unpacked.tree.manifest()).expect("UTF-8");
    let line = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
        [kind @ ("f" | "x"), _, _, path] => format!("{kind} {path}"),
        _ => line.to_owned(),
    };
    manifest.lines().skip(1).map(line).collect()
}
