//! Where things are in the store.

use std::path::{Path, PathBuf};

use crate::vocab::digest::{Blake3, Sha256, TreeHash};
use crate::vocab::storepath::StorePath;

/// The paths below the store's root, `v1/`.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout of the store at `root`.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The root, `v1/`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The immutable trees.
    pub fn objects_dir(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// One immutable tree.
    pub fn object(&self, path: &StorePath) -> PathBuf {
        self.objects_dir().join(path.to_string())
    }

    /// The canonical manifest of a tree.
    pub fn manifest(&self, tree: &TreeHash) -> PathBuf {
        self.root.join("manifests").join(tree.to_string())
    }

    /// The index entry of a key.
    pub fn index(&self, key: &Blake3) -> PathBuf {
        self.root.join("index").join(key.to_string())
    }

    /// The directories that join objects by links.
    pub fn compositions_dir(&self) -> PathBuf {
        self.root.join("compositions")
    }

    /// A program with another RUNPATH, named by what it was made from.
    pub fn relocated(&self, key: &Blake3) -> PathBuf {
        self.root.join("relocated").join(key.to_string())
    }

    /// A copy of this program, which the shims of environments are links to.
    pub fn program(&self, digest: &Blake3) -> PathBuf {
        self.root.join("program").join(digest.to_string())
    }

    /// The environments.
    pub fn envs_dir(&self) -> PathBuf {
        self.root.join("envs")
    }

    /// What a closure was realised to.
    pub fn closure(&self, key: &Blake3) -> PathBuf {
        self.root.join("closures").join(key.to_string())
    }

    /// The note that a Cargo.lock was fetched.
    pub fn fetched(&self, key: &Blake3) -> PathBuf {
        self.root.join("fetched").join(key.to_string())
    }

    /// The mark that something was said once.
    pub fn said(&self, what: &str) -> PathBuf {
        self.root.join("said").join(what)
    }

    /// What a project's lock, settings and recipes came to.
    pub fn ground(&self, key: &Blake3) -> PathBuf {
        self.root.join("grounds").join(key.to_string())
    }

    /// What the machine itself brings, as it was found.
    pub fn machine(&self, what: &str) -> PathBuf {
        self.root.join("machine").join(what)
    }

    /// Where trees grow before they are published.
    pub fn staging_dir(&self) -> PathBuf {
        self.root.join("staging")
    }

    /// The partial file of an interrupted download.
    pub fn partial(&self, pin: &Sha256) -> PathBuf {
        self.root.join("partial").join(pin.to_string())
    }

    /// What a builder said before it failed.
    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    /// The file lock of a piece of work.
    pub fn lock(&self, key: &str) -> PathBuf {
        self.root.join("locks").join(key)
    }
}
