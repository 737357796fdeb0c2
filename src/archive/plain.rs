//! A file that is kept as it is, whatever is in it: a tree with one file.

use std::fs::{OpenOptions, Permissions};
use std::io::{Read, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::SystemTime;

use super::limits::Limits;
use super::staging::{FILE_TIME, Notes};
use super::{BUFFER, UnpackError, Unpacked};
use crate::tree::{Node, Tree};
use crate::vocab::digest::FileHasher;
use crate::vocab::relpath::RelPath;

/// Writes what `reader` yields to the file `name` in `dest`, an existing, empty, private directory;
/// mode and time are those of unpacked files. On an error `dest` keeps what was written so far.
pub fn keep<R: Read>(mut reader: R, name: &RelPath, dest: &Path) -> Result<Unpacked, UnpackError> {
    let path = name.under(dest);
    let failed = |source| UnpackError::Write { path: path.clone(), source };
    let limit = Limits::DEFAULT.bytes;
    let created = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path);
    let mut file = created.map_err(failed)?;
    let mut hasher = FileHasher::new();
    let mut buffer = vec![0; BUFFER];
    let mut size = 0;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(UnpackError::Input(error)),
        };
        size += read as u64;
        if size > limit {
            return Err(UnpackError::TooLarge(limit));
        }
        hasher.update(&buffer[..read]);
        file.write_all(&buffer[..read]).map_err(failed)?;
    }
    file.set_permissions(Permissions::from_mode(0o644))
        .and_then(|()| file.set_modified(SystemTime::UNIX_EPOCH + FILE_TIME))
        .map_err(failed)?;
    let mut tree = Tree::new();
    let node = Node::File { size, executable: false, digest: hasher.finish() };
    // An empty tree has room for any name.
    let inserted = tree.insert(name.clone(), node);
    inserted.map_err(|error| failed(std::io::Error::other(error)))?;
    Ok(Unpacked { tree, notes: Notes::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_kept_as_it_is_whatever_it_looks_like() {
        let dir = tempfile::tempdir().expect("a directory");
        let name = RelPath::parse(b"v1.zip").expect("a name");
        let bytes = b"PK\x03\x04 and no zip";
        let kept = keep(&bytes[..], &name, dir.path()).expect("kept");
        assert_eq!(std::fs::read(dir.path().join("v1.zip")).expect("there"), bytes);
        assert_eq!(crate::tree::scan(dir.path()).expect("a tree").hash(), kept.tree.hash());
        assert!(matches!(keep(&bytes[..], &name, dir.path()), Err(UnpackError::Write { .. })));
    }
}
