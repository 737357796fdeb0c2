//! Advisory file locks between processes. They save work; correctness comes from renames.

use std::fs::{self, File};
use std::path::Path;

use super::fs::{Describe as _, FsError, create_dir};

/// A lock that is held until it is dropped, or the process ends.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock at `path`, calling `waiting` once if another process holds it.
    pub fn acquire(path: &Path, waiting: impl FnOnce()) -> Result<Self, FsError> {
        let file = open(path)?;
        // Named with its trait: `File::try_lock` of std would be chosen otherwise.
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(fs4::TryLockError::WouldBlock) => {
                waiting();
                fs4::FileExt::lock(&file).describe("lock", path)?;
            }
            Err(fs4::TryLockError::Error(error)) => return Err(error).describe("lock", path),
        }
        Ok(Self { _file: file })
    }

    /// Takes the lock if nobody holds it.
    pub fn try_acquire(path: &Path) -> Result<Option<Self>, FsError> {
        let file = open(path)?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(fs4::TryLockError::WouldBlock) => Ok(None),
            Err(fs4::TryLockError::Error(error)) => Err(error).describe("lock", path),
        }
    }
}

fn open(path: &Path) -> Result<File, FsError> {
    if let Some(parent) = path.parent() {
        create_dir(parent)?;
    }
    fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .describe("open the lock", path)
}
