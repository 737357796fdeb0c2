//! Objects: published once, read-only ever after.

use std::fs;
use std::path::{Path, PathBuf};

use super::index::IndexKey;
use super::layout::Layout;
use crate::sys::fs::{Describe as _, FsError, read_optional, read_text, set_mode, write_atomic};
use crate::sys::lock::FileLock;
use crate::sys::staging::{Staging, StagingArea};
use crate::tree::{Folding, ManifestError, Node, Tree};
use crate::vocab::digest::TreeHash;
use crate::vocab::relpath::RelPath;
use crate::vocab::storepath::StorePath;

/// The store.
#[derive(Debug, Clone)]
pub struct Store {
    layout: Layout,
    staging: StagingArea,
}

/// A published object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its store path.
    pub path: StorePath,
    /// Its directory.
    pub dir: PathBuf,
}

/// Why an operation on the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The manifest of an object is not there.
    #[error("the manifest of object `{0}` is missing from the store")]
    NoManifest(StorePath),
    /// The manifest of an object is not the one that its name promises.
    #[error("the manifest of object `{path}` is damaged")]
    BadManifest {
        /// The object.
        path: StorePath,
        /// What is wrong, where the manifest cannot be read at all.
        #[source]
        source: Option<ManifestError>,
    },
}

impl Store {
    /// The store at `root`, which is created when something is added.
    pub fn new(root: PathBuf) -> Self {
        let layout = Layout::new(root);
        let staging = StagingArea::new(layout.staging_dir());
        Self { layout, staging }
    }

    /// Where things are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// A private directory on the store's file system.
    pub fn stage(&self) -> Result<Staging, FsError> {
        self.staging.create()
    }

    /// Removes what killed processes left, and says how much that was.
    pub fn sweep(&self) -> Result<usize, FsError> {
        self.staging.sweep()
    }

    /// Takes the file lock of a piece of work, so that two processes do not do it twice.
    pub fn lock(&self, key: &str, waiting: impl FnOnce()) -> Result<FileLock, FsError> {
        FileLock::acquire(&self.layout.lock(key), waiting)
    }

    /// The object that was made from `key` earlier, if it is still there.
    pub fn find(&self, key: &IndexKey<'_>) -> Result<Option<Object>, StoreError> {
        let Some(text) = read_text(&self.layout.index(&key.digest()))? else { return Ok(None) };
        let Ok(path) = text.trim_end().parse::<StorePath>() else { return Ok(None) };
        let dir = self.layout.object(&path);
        Ok(dir.is_dir().then_some(Object { path, dir }))
    }

    /// Publishes `root`, a directory in `staging` that holds exactly `tree`, and notes in the
    /// index what it was made from.
    pub fn add(
        &self,
        staging: &Staging,
        root: &Path,
        tree: &Tree,
        (name, version): (&str, &str),
        key: &IndexKey<'_>,
    ) -> Result<Object, StoreError> {
        let manifest = tree.manifest();
        let path = StorePath::new(tree.hash(), name, version);
        let dir = self.layout.object(&path);
        if !dir.is_dir() {
            make_read_only(root, tree)?;
            self.write(&self.layout.manifest(&path.tree_hash()), &manifest)?;
            staging.publish(root, &dir)?;
        }
        self.write(&self.layout.index(&key.digest()), format!("{path}\n").as_bytes())?;
        Ok(Object { path, dir })
    }

    /// The tree of an object, from its manifest.
    pub fn tree(&self, path: &StorePath) -> Result<Tree, StoreError> {
        let manifest = read_optional(&self.layout.manifest(&path.tree_hash()))?
            .ok_or_else(|| StoreError::NoManifest(path.clone()))?;
        let hash = TreeHash::from_bytes(*crate::vocab::digest::Blake3::of(&manifest).as_bytes());
        if hash != path.tree_hash() {
            return Err(StoreError::BadManifest { path: path.clone(), source: None });
        }
        Tree::parse(&manifest)
            .map_err(|source| StoreError::BadManifest { path: path.clone(), source: Some(source) })
    }

    /// Every object in the store, sorted by label.
    pub fn objects(&self) -> Result<Vec<Object>, StoreError> {
        let dir = self.layout.objects_dir();
        let mut objects = Vec::new();
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(objects),
            Err(error) => return Err(error).describe("read", &dir)?,
        };
        for entry in entries {
            let entry = entry.describe("read", &dir)?;
            if let Some(path) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                objects.push(Object { path, dir: entry.path() });
            }
        }
        objects.sort_by(|a, b| (a.path.label(), &a.path).cmp(&(b.path.label(), &b.path)));
        Ok(objects)
    }

    /// Writes a small file of the store, so that it is there whole or not at all.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), FsError> {
        if let Some(parent) = path.parent() {
            crate::sys::fs::create_dir(parent)?;
        }
        write_atomic(path, bytes)
    }
}

/// Takes the write permissions off everything below `root`; `root` itself follows after its rename.
fn make_read_only(root: &Path, tree: &Tree) -> Result<(), FsError> {
    // Deepest first: entries of a read-only directory can still be changed by path, but a user
    // who is not root could not chmod below one that lost its search permission.
    let nodes: Vec<_> = tree.iter().collect();
    let mut shared = None;
    for (path, node) in nodes.into_iter().rev() {
        let mode = match node {
            Node::Directory | Node::File { executable: true, .. } => 0o555,
            Node::File { executable: false, .. } => 0o444,
            Node::Symlink { .. } => continue,
        };
        match set_mode(&path.under(root), mode) {
            // Its name is another's on this disk.
            Err(error) if error.source.kind() == std::io::ErrorKind::NotFound => {
                let shared = shared.get_or_insert_with(|| Folding::MAC.shared(tree.iter()));
                let above = std::iter::successors(Some(path.clone()), RelPath::parent);
                if !above.into_iter().any(|path| shared.contains(&path)) {
                    return Err(error);
                }
            }
            result => result?,
        }
    }
    Ok(())
}
