//! What tells, without reading it, whether a file is still the one that was looked at.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A path as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    path: PathBuf,
    /// Where it leads, if it is a link.
    link: Option<PathBuf>,
    /// Inode, size, and time of the last change in nanoseconds, of what it leads to; `None` where
    /// there is nothing.
    file: Option<(u64, u64, i64, i64)>,
}

impl Stamp {
    /// The path as it is now.
    pub fn of(path: &Path) -> Self {
        let file = fs::metadata(path).ok();
        let file = file.map(|file| (file.ino(), file.size(), file.mtime(), file.mtime_nsec()));
        Self { path: path.to_path_buf(), link: fs::read_link(path).ok(), file }
    }

    /// Whether it is so still.
    pub fn is_current(&self) -> bool {
        Self::of(&self.path) == *self
    }
}
