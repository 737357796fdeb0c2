//! The names that are taken in a staging directory, as its disk tells them apart: on one that ignores
//! nothing, those of the tree, of which nothing is remembered here.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::tree::Folding;
use crate::vocab::relpath::RelPath;

/// What has a name on the disk.
#[derive(Debug, Clone)]
pub(super) enum Holder {
    /// A directory, perhaps several of the tree.
    Directory,
    /// The file or link at this path, and those that are equal to it.
    Leaf(RelPath),
    /// None of those that would have it.
    Nobody,
}

/// The names that are taken.
pub(super) struct Names {
    folding: Folding,
    dest: PathBuf,
    /// By what the disk makes of a path: who has the name, and how it is spelled there.
    taken: HashMap<String, (Holder, PathBuf)>,
}

impl Names {
    /// Names in the empty directory `dest`.
    pub fn new(folding: Folding, dest: &Path) -> Self {
        Self { folding, dest: dest.to_path_buf(), taken: HashMap::new() }
    }

    /// What the disk ignores.
    pub fn folding(&self) -> Folding {
        self.folding
    }

    /// Whether the disk takes two paths for one.
    pub fn are_one(&self, one: &RelPath, other: &RelPath) -> bool {
        self.folding.key(one.as_str()) == self.folding.key(other.as_str())
    }

    /// Where a path goes on the disk; `None` where another has the name.
    pub fn room(&self, path: &RelPath) -> Option<PathBuf> {
        (self.holder(path).is_none()).then(|| self.place(path))
    }

    /// Where a path is on the disk: in its directory as that is spelled there.
    pub fn place(&self, path: &RelPath) -> PathBuf {
        let parent = path.parent().filter(|_| self.folding.any());
        let spelled = parent.and_then(|parent| self.taken.get(&self.folding.key(parent.as_str())));
        match spelled {
            Some((_, dir)) => dir.join(path.file_name()),
            None => path.under(&self.dest),
        }
    }

    /// Who has the name of a path; nobody is known where the disk ignores nothing.
    pub fn holder(&self, path: &RelPath) -> Option<Holder> {
        if !self.folding.any() {
            return None;
        }
        self.taken.get(&self.folding.key(path.as_str())).map(|(holder, _)| holder.clone())
    }

    /// A file or link has its name now.
    pub fn take(&mut self, path: &RelPath) {
        self.set(path, Holder::Leaf(path.clone()));
    }

    /// A directory has its name now.
    pub fn take_directory(&mut self, path: &RelPath) {
        self.set(path, Holder::Directory);
    }

    /// Nobody gets the name of this path any more.
    pub fn vacate(&mut self, path: &RelPath) {
        self.set(path, Holder::Nobody);
    }

    fn set(&mut self, path: &RelPath, holder: Holder) {
        if self.folding.any() {
            let place = self.place(path);
            self.taken.insert(self.folding.key(path.as_str()), (holder, place));
        }
    }
}
