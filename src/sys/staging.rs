//! Private directories in which trees grow before one rename makes them visible.
//!
//! The only place that renames into the store. A staging directory is owned by a file lock that
//! the operating system releases when the process ends, so that the next run can sweep what a
//! killed one left.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::fs::{Describe as _, FsError, create_dir, is_absent, remove_tree, set_mode};
use super::lock::FileLock;

/// The directory of all staging directories; on the same file system as what they become.
#[derive(Debug, Clone)]
pub struct StagingArea {
    root: PathBuf,
}

/// One private directory, removed when dropped unless it was published.
#[derive(Debug)]
pub struct Staging {
    dir: PathBuf,
    lock_path: PathBuf,
    _lock: FileLock,
}

impl StagingArea {
    /// The area at `root`, which is created when first needed.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// A new, empty private directory.
    pub fn create(&self) -> Result<Staging, FsError> {
        create_dir(&self.root)?;
        // Held while the directory has no lock of its own yet, so that no sweep takes it away.
        let _area = FileLock::acquire(&self.area_lock(), || {})?;
        let dir = tempfile::Builder::new()
            .prefix("s-")
            .rand_bytes(10)
            .tempdir_in(&self.root)
            .describe("create a directory in", &self.root)?
            .keep();
        let lock_path = dir.with_extension("lock");
        let lock = FileLock::acquire(&lock_path, || {})?;
        Ok(Staging { dir, lock_path, _lock: lock })
    }

    /// What is in the area; `None` where there is none yet.
    fn entries(&self) -> Result<Option<fs::ReadDir>, FsError> {
        match fs::read_dir(&self.root) {
            Err(error) if is_absent(&error) => Ok(None),
            result => result.map(Some).describe("read", &self.root),
        }
    }

    fn area_lock(&self) -> PathBuf {
        self.root.with_extension("lock")
    }

    /// Removes what ended processes left, and says how many directories that were. Writes nothing
    /// where there is nothing to sweep.
    pub fn sweep(&self) -> Result<usize, FsError> {
        let mut swept = 0;
        if self.entries()?.is_none_or(|mut entries| entries.next().is_none()) {
            return Ok(0);
        }
        let Some(_area) = FileLock::try_acquire(&self.area_lock())? else { return Ok(0) };
        let Some(entries) = self.entries()? else { return Ok(0) };
        for entry in entries {
            let path = entry.describe("read", &self.root)?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let Some(stem) = name.strip_suffix(".lock") else {
                // Made under the lock of the area, which we hold: its process was killed before it
                // had a lock of its own.
                if !path.with_extension("lock").exists() {
                    remove_tree(&path)?;
                    swept += 1;
                }
                continue;
            };
            if let Some(_lock) = FileLock::try_acquire(&path)? {
                remove_tree(&self.root.join(stem))?;
                match fs::remove_file(&path) {
                    // Its owner was about to remove it itself.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    result => result.describe("remove", &path)?,
                }
                swept += 1;
            }
        }
        Ok(swept)
    }
}

impl Staging {
    /// The private directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Renames `from`, a directory below this one, to `to`. `Ok(false)` where `to` is there
    /// already, because another process was first; what it published is then used as it is.
    pub fn publish(&self, from: &Path, to: &Path) -> Result<bool, FsError> {
        if let Some(parent) = to.parent() {
            create_dir(parent)?;
        }
        match fs::rename(from, to) {
            Ok(()) => {
                // After the rename: a directory that is not writable cannot be renamed everywhere.
                set_mode(to, 0o555)?;
                Ok(true)
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(error).describe("publish", to),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Best effort: what stays here is swept by the next run.
        let _ = remove_tree(&self.dir);
        let _ = fs::remove_file(&self.lock_path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_killed_processes_left_is_swept_and_what_lives_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let area = StagingArea::new(dir.path().join("staging"));
        let alive = area.create().expect("a staging directory");
        let staging = dir.path().join("staging");
        // Killed before it had its lock, while it worked, and while it cleaned up.
        fs::create_dir(staging.join("s-before")).expect("a directory");
        fs::create_dir_all(staging.join("s-at-work/tree")).expect("a directory");
        fs::write(staging.join("s-at-work.lock"), "").expect("a file");
        fs::write(staging.join("s-after.lock"), "").expect("a file");
        assert_eq!(area.sweep().expect("swept"), 3);
        assert_eq!(fs::read_dir(&staging).expect("there").count(), 2, "the living one's");
        drop(alive);
        assert_eq!(area.sweep().expect("swept"), 0);
        assert_eq!(fs::read_dir(&staging).expect("there").count(), 0);
    }
}
