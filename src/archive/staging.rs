//! The staging directory and the tree that describes it, built together, entry by entry.
//!
//! What is written is decided by the tree alone, so no link is ever followed: an entry below one
//! has no place in the tree. Knows nothing of archive formats.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::limits::Limits;
use super::names::{Holder, Names};
use super::pipe::fill;
use super::policy::{Place, Refusal, Selection};
use super::{BUFFER, UnpackError, UnpackSpec, Unpacked};
use crate::tree::{Folding, Node, Tree};
use crate::vocab::digest::FileHasher;
use crate::vocab::relpath::RelPath;

/// Not 0, which some tools take for "no time": one second after it.
pub(super) const FILE_TIME: Duration = Duration::from_secs(1);

const SPECIAL_BITS: u32 = 0o7000;

/// What unpacking changed or found and did not refuse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// Paths that differ from an earlier sibling only by case, with that sibling first. The file
    /// system of the staging directory keeps them apart; others may not.
    pub case_collisions: Vec<(RelPath, RelPath)>,
    /// Files and links that are not on the disk, which takes their names for those of others; the
    /// tree has them.
    pub left_out: Vec<RelPath>,
    /// Paths whose setuid, setgid or sticky bit was dropped.
    pub dropped_mode_bits: Vec<RelPath>,
}

/// Why an entry was not staged.
pub(super) enum StagingError {
    /// A rule forbids it.
    Refused(Refusal),
    /// Its contents could not be read.
    Read(io::Error),
    /// It has fewer bytes than it declares.
    Short,
    /// Anything that has nothing to do with this entry.
    Fatal(UnpackError),
}

impl<R: Into<Refusal>> From<R> for StagingError {
    fn from(reason: R) -> Self {
        Self::Refused(reason.into())
    }
}

/// The staging directory, while it fills.
pub(super) struct Staging<'a> {
    dest: &'a Path,
    spec: &'a UnpackSpec,
    selection: Selection,
    limits: Limits,
    bytes: u64,
    entries: u64,
    tree: Tree,
    notes: Notes,
    names: Names,
    hasher: FileHasher,
    buffer: Vec<u8>,
}

impl<'a> Staging<'a> {
    /// Stages into the empty directory `dest`.
    pub fn new(
        spec: &'a UnpackSpec,
        dest: &'a Path,
        limits: Limits,
        folding: Folding,
    ) -> Result<Self, UnpackError> {
        Ok(Self {
            dest,
            spec,
            selection: Selection::new(spec)?,
            limits,
            bytes: 0,
            entries: 0,
            tree: Tree::new(),
            notes: Notes::default(),
            names: Names::new(folding, dest),
            hasher: FileHasher::new(),
            buffer: vec![0; BUFFER],
        })
    }

    /// The limits, for what is counted before it gets here.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Counts an entry of `size` bytes, kept or dropped.
    pub fn count(&mut self, size: u64) -> Result<(), UnpackError> {
        self.entries += 1;
        self.bytes = self.bytes.saturating_add(size);
        if self.entries > self.limits.entries {
            Err(UnpackError::TooManyEntries(self.limits.entries))
        } else if self.bytes > self.limits.bytes {
            Err(UnpackError::TooLarge(self.limits.bytes))
        } else {
            Ok(())
        }
    }

    /// Where the entry called `name` goes.
    pub fn place(&self, name: &[u8]) -> Result<Place, Refusal> {
        Ok(self.selection.place(name)?)
    }

    /// Adds a directory.
    pub fn directory(&mut self, path: RelPath, mode: u32) -> Result<(), StagingError> {
        self.note_mode(&path, mode);
        if self.tree.get(&path) == Some(&Node::Directory) {
            return Ok(());
        }
        self.make_parents(&path)?;
        self.make_directory(path)
    }

    /// Adds a file of `size` bytes, which are read from `contents`.
    pub fn file(
        &mut self,
        path: RelPath,
        mode: u32,
        size: u64,
        contents: &mut impl Read,
    ) -> Result<(), StagingError> {
        self.note_mode(&path, mode);
        self.make_parents(&path)?;
        let executable = mode & 0o111 != 0;
        let Some(on_disk) = self.names.room(&path) else {
            self.copy(contents, size, &mut io::sink(), self.dest)?;
            let node = Node::File { size, executable, digest: self.hasher.finish() };
            return self.without_room(path, node);
        };
        let permissions = if executable { 0o755 } else { 0o644 };
        let created =
            OpenOptions::new().write(true).create_new(true).mode(permissions).open(&on_disk);
        let mut file = created.map_err(|error| self.write_error(&path, error))?;
        self.copy(contents, size, &mut file, &on_disk)?;
        // The umask had its say in the mode of creation.
        file.set_permissions(Permissions::from_mode(permissions))
            .and_then(|()| file.set_modified(SystemTime::UNIX_EPOCH + FILE_TIME))
            .map_err(|source| write_failed(&on_disk, source))?;
        let node = Node::File { size, executable, digest: self.hasher.finish() };
        self.names.take(&path);
        Ok(self.tree.insert(path, node)?)
    }

    /// Adds a file or link whose name is another's on the disk: it needs none of its own where it
    /// is the same, and otherwise neither of them stays.
    fn without_room(&mut self, path: RelPath, node: Node) -> Result<(), StagingError> {
        match self.names.holder(&path) {
            Some(Holder::Directory) => return Err(self.collision(&path)),
            Some(Holder::Leaf(first)) if self.tree.get(&first) != Some(&node) => {
                let on_disk = self.names.place(&first);
                fs::remove_file(&on_disk).map_err(|source| write_failed(&on_disk, source))?;
                self.names.vacate(&path);
            }
            Some(Holder::Leaf(_) | Holder::Nobody) | None => {}
        }
        Ok(self.tree.insert(path, node)?)
    }

    /// Writes and hashes what `contents` yields, which must be `size` bytes.
    fn copy(
        &mut self,
        contents: &mut impl Read,
        size: u64,
        file: &mut impl io::Write,
        on_disk: &Path,
    ) -> Result<(), StagingError> {
        let mut copied = 0;
        loop {
            let (read, result) = fill(contents, &mut self.buffer);
            result.map_err(StagingError::Read)?;
            copied += read as u64;
            if copied > size {
                return Err(Refusal::TooLong(size).into());
            }
            self.hasher.update(&self.buffer[..read]);
            file.write_all(&self.buffer[..read]).map_err(|source| write_failed(on_disk, source))?;
            if read < self.buffer.len() {
                return if copied == size { Ok(()) } else { Err(StagingError::Short) };
            }
        }
    }

    /// Adds a symbolic link, whose target is judged and made relative.
    pub fn symlink(&mut self, path: &RelPath, target: &[u8]) -> Result<(), StagingError> {
        let target = self.selection.link_target(path, target)?;
        self.make_parents(path)?;
        let node = Node::Symlink { target: target.clone() };
        let Some(on_disk) = self.names.room(path) else {
            return self.without_room(path.clone(), node);
        };
        self.tree.insert(path.clone(), node)?;
        self.names.take(path);
        symlink(target, on_disk).map_err(|error| self.write_error(path, error))
    }

    /// Adds another name for the file that the archive called `target`.
    pub fn hard_link(&mut self, path: &RelPath, target: &[u8]) -> Result<(), StagingError> {
        let shown = || String::from_utf8_lossy(target).into_owned();
        let place = self
            .selection
            .place(target)
            .map_err(|source| Refusal::HardLinkName { target: shown(), source })?;
        let Place::At(original) = place else {
            return Err(Refusal::HardLinkTarget { target: shown() }.into());
        };
        let Some(node @ Node::File { .. }) = self.tree.get(&original).cloned() else {
            return Err(Refusal::HardLinkTarget { target: shown() }.into());
        };
        self.make_parents(path)?;
        let Some(on_disk) = self.names.room(path) else {
            return self.without_room(path.clone(), node);
        };
        // A file that lost its place gives its contents to no other name.
        if let Some(Holder::Nobody) = self.names.holder(&original) {
            return Err(self.collision(&original));
        }
        let from = self.names.place(&original);
        self.tree.insert(path.clone(), node)?;
        self.names.take(path);
        fs::hard_link(from, on_disk).map_err(|error| self.write_error(path, error))
    }

    /// Reads `contents` to their end and drops them.
    pub fn skip(&mut self, contents: &mut impl Read) -> io::Result<()> {
        loop {
            let (read, result) = fill(contents, &mut self.buffer);
            result?;
            if read < self.buffer.len() {
                return Ok(());
            }
        }
    }

    /// The result.
    pub fn finish(mut self) -> Result<Unpacked, UnpackError> {
        if self.tree.is_empty() && *self.spec != UnpackSpec::default() {
            return Err(UnpackError::NothingKept(self.spec.clone()));
        }
        self.notes.case_collisions = self.tree.case_collisions();
        // A directory among them was refused when it came.
        let left_out = self.tree.left_out(self.names.folding()).unwrap_or_default();
        self.notes.left_out = left_out.into_iter().collect();
        Ok(Unpacked { tree: self.tree, notes: self.notes })
    }

    fn note_mode(&mut self, path: &RelPath, mode: u32) {
        if mode & SPECIAL_BITS != 0 {
            self.notes.dropped_mode_bits.push(path.clone());
        }
    }

    fn make_parents(&mut self, path: &RelPath) -> Result<(), StagingError> {
        for directory in self.tree.missing_parents(path)? {
            self.make_directory(directory)?;
        }
        Ok(())
    }

    fn make_directory(&mut self, path: RelPath) -> Result<(), StagingError> {
        let Some(on_disk) = self.names.room(&path) else {
            return match self.names.holder(&path) {
                Some(Holder::Directory) => Ok(self.tree.insert(path, Node::Directory)?),
                _ => Err(self.collision(&path)),
            };
        };
        DirBuilder::new()
            .mode(0o755)
            .create(&on_disk)
            .map_err(|error| self.write_error(&path, error))?;
        fs::set_permissions(&on_disk, Permissions::from_mode(0o755))
            .map_err(|source| write_failed(&on_disk, source))?;
        self.names.take_directory(&path);
        Ok(self.tree.insert(path, Node::Directory)?)
    }

    /// The error for a name that two paths cannot share.
    fn collision(&self, path: &RelPath) -> StagingError {
        let same = |other: &&RelPath| *other != path && self.names.are_one(other, path);
        let first = self.tree.iter().map(|(other, _)| other).find(same).unwrap_or(path);
        StagingError::Fatal(UnpackError::CaseCollision {
            first: first.clone(),
            second: path.clone(),
            dest: self.dest.to_path_buf(),
        })
    }

    /// The error for a path that was not created. The directory was empty and is ours alone, so
    /// a name that is there already, and not in the tree, is another name to the file system too.
    fn write_error(&self, path: &RelPath, error: io::Error) -> StagingError {
        if error.kind() == io::ErrorKind::AlreadyExists
            && let Some(first) = self.tree.case_sibling(path)
        {
            return StagingError::Fatal(UnpackError::CaseCollision {
                first: first.clone(),
                second: path.clone(),
                dest: self.dest.to_path_buf(),
            });
        }
        write_failed(&path.under(self.dest), error)
    }
}

fn write_failed(path: &Path, source: io::Error) -> StagingError {
    StagingError::Fatal(UnpackError::Write { path: PathBuf::from(path), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_entries_have_limits() {
        let dir = tempfile::tempdir().expect("tempdir");
        let spec = UnpackSpec::default();
        let limits = Limits { bytes: 10, entries: 3 };
        let mut staging =
            Staging::new(&spec, dir.path(), limits, Folding::default()).expect("staging");
        staging.count(10).expect("just fits");
        assert!(matches!(staging.count(1), Err(UnpackError::TooLarge(10))));
        let mut staging =
            Staging::new(&spec, dir.path(), limits, Folding::default()).expect("staging");
        assert!(matches!(staging.count(u64::MAX), Err(UnpackError::TooLarge(10))));
        let mut staging =
            Staging::new(&spec, dir.path(), limits, Folding::default()).expect("staging");
        for _ in 0..3 {
            staging.count(0).expect("fits");
        }
        assert!(matches!(staging.count(0), Err(UnpackError::TooManyEntries(3))));
    }
}
