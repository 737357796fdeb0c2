//! The tree of a directory on disk, for checking what was written. Never used while unpacking:
//! a file system may fold names that an archive keeps apart.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Node, Tree, TreeError};
use crate::vocab::digest::FileHasher;
use crate::vocab::relpath::{InvalidRelPath, RelPath};

const BUFFER: usize = 256 * 1024;

/// Why a directory has no tree.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// Something could not be listed, opened or read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// What was read.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A name that a tree cannot hold.
    #[error("`{}` has no place in a tree", path.display())]
    Name {
        /// The file with that name.
        path: PathBuf,
        /// What is wrong with the name.
        #[source]
        source: InvalidRelPath,
    },
    /// A device, fifo or socket.
    #[error("`{}` is neither a file nor a directory nor a symbolic link", .0.display())]
    Special(PathBuf),
    /// The directory changed while it was read.
    #[error("`{}` changed while it was read", path.display())]
    Changed {
        /// The directory.
        path: PathBuf,
        /// What did not fit.
        #[source]
        source: TreeError,
    },
}

/// The tree below the directory `dir`; symbolic links are recorded, not followed.
pub fn scan(dir: &Path) -> Result<Tree, ScanError> {
    let mut tree = Tree::new();
    let mut hasher = FileHasher::new();
    let mut buffer = vec![0; BUFFER];
    let mut pending = vec![(dir.to_path_buf(), None::<RelPath>)];
    while let Some((directory, rel)) = pending.pop() {
        let failed = |source| ScanError::Read { path: directory.clone(), source };
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let rel = join(rel.as_ref(), entry.file_name().as_bytes())
                .map_err(|source| ScanError::Name { path: path.clone(), source })?;
            let node = read_node(&path, &mut hasher, &mut buffer)?;
            if node == Node::Directory {
                pending.push((path.clone(), Some(rel.clone())));
            }
            tree.insert(rel, node).map_err(|source| ScanError::Changed { path, source })?;
        }
    }
    Ok(tree)
}

fn join(parent: Option<&RelPath>, name: &[u8]) -> Result<RelPath, InvalidRelPath> {
    match parent {
        None => RelPath::parse(name),
        Some(parent) => RelPath::parse(&[parent.as_str().as_bytes(), name].join(&b'/')),
    }
}

fn read_node(path: &Path, hasher: &mut FileHasher, buffer: &mut [u8]) -> Result<Node, ScanError> {
    let failed = |source| ScanError::Read { path: path.to_path_buf(), source };
    let metadata = fs::symlink_metadata(path).map_err(failed)?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Ok(Node::Directory);
    }
    if kind.is_symlink() {
        let target = fs::read_link(path).map_err(failed)?;
        let target = target.into_os_string().into_string().map_err(|_| ScanError::Name {
            path: path.to_path_buf(),
            source: InvalidRelPath::NotText,
        })?;
        return Ok(Node::Symlink { target });
    }
    if !kind.is_file() {
        return Err(ScanError::Special(path.to_path_buf()));
    }
    let mut file = File::open(path).map_err(failed)?;
    let mut size = 0;
    loop {
        match file.read(buffer) {
            Ok(0) => break,
            Ok(read) => {
                hasher.update(&buffer[..read]);
                size += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let executable = metadata.permissions().mode() & 0o111 != 0;
    Ok(Node::File { size, executable, digest: hasher.finish() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_recorded_and_not_followed() {
        let dir = tempfile::tempdir().expect("tempdir");
        fs::write(dir.path().join("f"), "text").expect("write");
        std::os::unix::fs::symlink("/nowhere", dir.path().join("l")).expect("symlink");
        let tree = scan(dir.path()).expect("scan");
        let kinds: Vec<_> = tree.iter().map(|(path, node)| (path.as_str(), node)).collect();
        assert!(matches!(kinds[0], ("f", Node::File { size: 4, executable: false, .. })));
        assert_eq!(kinds[1], ("l", &Node::Symlink { target: "/nowhere".into() }));
    }

    /// Linux only: other systems refuse to create such a name.
    #[cfg(target_os = "linux")]
    #[test]
    fn sockets_and_names_that_are_not_text_are_refused() {
        let dir = tempfile::tempdir().expect("tempdir");
        let socket = std::os::unix::net::UnixListener::bind(dir.path().join("s"));
        assert!(matches!(scan(dir.path()), Err(ScanError::Special(_))), "{socket:?}");

        let dir = tempfile::tempdir().expect("tempdir");
        let name = std::ffi::OsStr::from_bytes(b"\xff");
        fs::write(dir.path().join(name), "").expect("write");
        assert!(matches!(scan(dir.path()), Err(ScanError::Name { .. })));
    }
}
