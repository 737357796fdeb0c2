//! File system operations that leave nothing half-written, with the path in every error.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// An operation on a path that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{path}`")]
pub struct FsError {
    /// What was tried, as a verb: "create", "read".
    pub action: &'static str,
    /// The path it was tried on.
    pub path: PathBuf,
    /// What the operating system said.
    #[source]
    pub source: io::Error,
}

/// Attaches action and path to an I/O error.
pub trait Describe<T> {
    /// Turns the error into one that names `action` and `path`.
    fn describe(self, action: &'static str, path: &Path) -> Result<T, FsError>;
}

impl<T> Describe<T> for io::Result<T> {
    fn describe(self, action: &'static str, path: &Path) -> Result<T, FsError> {
        self.map_err(|source| FsError { action, path: path.to_path_buf(), source })
    }
}

/// Creates a directory and its parents.
pub fn create_dir(path: &Path) -> Result<(), FsError> {
    fs::create_dir_all(path).describe("create the directory", path)
}

/// Reads a file; `None` where there is none.
pub fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, FsError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error).describe("read", path),
    }
}

/// Reads a text file; `None` where there is none.
pub fn read_text(path: &Path) -> Result<Option<String>, FsError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error).describe("read", path),
    }
}

/// Whether the error says that a path, or a directory on the way to it, is not there.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Writes a file by way of a temporary one beside it, so that readers see the old or the new.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    write_atomic_with_mode(path, bytes, 0o644)
}

/// The same with another mode than 0644, which it has from the moment that it is there.
pub fn write_atomic_with_mode(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FsError> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".xprov-").tempfile_in(parent)?;
        file.write_all(bytes)?;
        file.as_file().set_permissions(Permissions::from_mode(mode))?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().describe("write", path)
}

/// Hard-links `from` to `to`; where the file system cannot, clones or copies the bytes.
pub fn link_or_copy(from: &Path, to: &Path) -> Result<(), FsError> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(error).describe("create", to)
        }
        // `fs::copy` clones where the file system can (copy_file_range, fclonefileat).
        Err(_) => fs::copy(from, to).map(drop).describe("copy to", to),
    }
}

/// Removes a tree whose directories may be read-only.
pub fn remove_tree(path: &Path) -> Result<(), FsError> {
    if !path.is_symlink() && path.is_dir() {
        make_dirs_writable(path).describe("make writable", path)?;
    }
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.describe("remove", path),
    }
}

fn make_dirs_writable(dir: &Path) -> io::Result<()> {
    fs::set_permissions(dir, Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_dirs_writable(&entry.path())?;
        }
    }
    Ok(())
}

/// Sets the mode of a file or directory; never called on a symlink.
pub fn set_mode(path: &Path, mode: u32) -> Result<(), FsError> {
    fs::set_permissions(path, Permissions::from_mode(mode)).describe("set the mode of", path)
}

/// Which permissions new files do not get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Umask(rustix::fs::Mode);

/// Gives this process the umask 022, so that no file of a build depends on the user's, which is
/// returned.
pub fn fix_umask() -> Umask {
    Umask(rustix::process::umask(rustix::fs::Mode::WGRP | rustix::fs::Mode::WOTH))
}

/// Gives this process the user's umask back.
pub fn restore_umask(umask: Umask) {
    rustix::process::umask(umask.0);
}

/// `path` without links, as far as it exists; what does not is kept as it is written.
pub fn real_path(path: &Path) -> PathBuf {
    for existing in path.ancestors() {
        if let Ok(real) = existing.canonicalize() {
            let rest = path.strip_prefix(existing).unwrap_or(Path::new(""));
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path.to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_through_links_is_real_as_far_as_it_exists() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().canonicalize().expect("it exists");
        create_dir(&root.join("there/deep")).expect("made");
        std::os::unix::fs::symlink("there", root.join("link")).expect("a link");
        for (path, real) in [
            ("link", "there"),
            ("link/deep", "there/deep"),
            ("link/not/yet", "there/not/yet"),
            ("there", "there"),
        ] {
            assert_eq!(real_path(&root.join(path)), root.join(real), "{path}");
        }
    }
}
