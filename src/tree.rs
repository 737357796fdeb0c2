//! Canonical trees: names, kinds, contents, executable bits and link targets, and their hash.
//!
//! The encoding is specified in `docs/tree-hash.md`. Nothing here knows of archives, stores or
//! networks; only [`scan`] touches a disk.

mod fold;
mod manifest;
mod scan;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use fold::{Folding, Mixed};
pub use manifest::ManifestError;
pub use scan::{ScanError, scan};

use crate::vocab::digest::{Blake3, TreeHash};
use crate::vocab::relpath::RelPath;

/// What a path of a tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A directory; what is in it are nodes of their own.
    Directory,
    /// A regular file.
    File {
        /// Length in bytes.
        size: u64,
        /// Whether any of the three x bits of its mode is set.
        executable: bool,
        /// Digest of the contents.
        digest: Blake3,
    },
    /// A symbolic link.
    Symlink {
        /// The text of the link, never interpreted.
        target: String,
    },
}

/// Why a node cannot stand where it was put.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The path is taken by something else than the same directory.
    #[error("`{0}` occurs twice")]
    Duplicate(RelPath),
    /// A parent of the path is a file or a symbolic link.
    #[error("`{path}` is below `{ancestor}`, which is not a directory")]
    BelowNonDirectory {
        /// The node's path.
        path: RelPath,
        /// The file or link above it.
        ancestor: RelPath,
    },
    /// A link target that no file system can hold: empty, or with a NUL character.
    #[error("the target of the link `{0}` is empty or has a NUL character")]
    InvalidTarget(RelPath),
}

/// A tree: every path with its node, in the byte order of the paths. The parents of a path are
/// always there, as directories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    nodes: BTreeMap<RelPath, Node>,
}

impl Tree {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node and the directories above it. A directory may be declared any number of times.
    pub fn insert(&mut self, path: RelPath, node: Node) -> Result<(), TreeError> {
        if node == Node::Directory && self.get(&path) == Some(&Node::Directory) {
            return Ok(());
        }
        if let Node::Symlink { target } = &node
            && (target.is_empty() || target.contains('\0'))
        {
            return Err(TreeError::InvalidTarget(path));
        }
        for directory in self.missing_parents(&path)? {
            self.nodes.insert(directory, Node::Directory);
        }
        self.nodes.insert(path, node);
        Ok(())
    }

    /// The directories that are still to be made before `path` can be added, outermost first.
    ///
    /// Fails where [`Tree::insert`] would: when the path is taken or lies below a file or link.
    pub fn missing_parents(&self, path: &RelPath) -> Result<Vec<RelPath>, TreeError> {
        if self.nodes.contains_key(path) {
            return Err(TreeError::Duplicate(path.clone()));
        }
        let mut missing = Vec::new();
        let mut above = path.parent();
        while let Some(ancestor) = above {
            match self.nodes.get(&ancestor) {
                Some(Node::Directory) => break,
                Some(_) => {
                    return Err(TreeError::BelowNonDirectory { path: path.clone(), ancestor });
                }
                None => {
                    above = ancestor.parent();
                    missing.push(ancestor);
                }
            }
        }
        missing.reverse();
        Ok(missing)
    }

    /// The node at `path`.
    pub fn get(&self, path: &RelPath) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// All nodes in the byte order of their paths, which puts a directory before what is in it.
    pub fn iter(&self) -> impl Iterator<Item = (&RelPath, &Node)> {
        self.nodes.iter()
    }

    /// The number of nodes; the root directory is none.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the tree is an empty directory.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The canonical encoding (`docs/tree-hash.md`).
    pub fn manifest(&self) -> Vec<u8> {
        manifest::encode(self)
    }

    /// The tree of a manifest. Whatever [`Tree::manifest`] would not write is refused.
    pub fn parse(manifest: &[u8]) -> Result<Self, ManifestError> {
        manifest::parse(manifest)
    }

    /// BLAKE3 of the manifest.
    pub fn hash(&self) -> TreeHash {
        TreeHash::from_bytes(*Blake3::of(&self.manifest()).as_bytes())
    }

    /// The paths of one directory whose names differ only by case, each with the first such path.
    /// A file system that ignores case cannot hold both.
    pub fn case_collisions(&self) -> Vec<(RelPath, RelPath)> {
        let mut firsts = HashMap::with_capacity(self.nodes.len());
        let mut collisions = Vec::new();
        for path in self.nodes.keys() {
            let first = firsts.entry(fold_name(path.as_str())).or_insert(path);
            if *first != path {
                collisions.push(((*first).clone(), path.clone()));
            }
        }
        collisions
    }

    /// A path of the same directory whose name differs from that of `path` only by case.
    pub fn case_sibling(&self, path: &RelPath) -> Option<&RelPath> {
        let folded = fold_name(path.as_str());
        self.nodes.keys().find(|other| *other != path && fold_name(other.as_str()) == folded)
    }

    /// What a disk that takes several names for one does not get of the tree.
    pub fn left_out(&self, folding: Folding) -> Result<BTreeSet<RelPath>, Mixed> {
        folding.left_out(self.iter())
    }

    /// The sum of the sizes of all files in bytes. Hard links count each time.
    pub fn file_bytes(&self) -> u64 {
        let size = |node: &Node| if let Node::File { size, .. } = node { *size } else { 0 };
        self.nodes.values().map(size).sum()
    }
}

/// The directory as it is written and the name in lower case: equal for colliding siblings.
fn fold_name(path: &str) -> (&str, String) {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    (directory, name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text.as_bytes()).expect("a path")
    }

    fn file(contents: &[u8]) -> Node {
        let size = contents.len() as u64;
        Node::File { size, executable: false, digest: Blake3::of(contents) }
    }

    #[test]
    fn parents_appear_and_directories_may_repeat() {
        let mut tree = Tree::new();
        tree.insert(path("a/b/c"), file(b"")).expect("insert");
        tree.insert(path("a/b"), Node::Directory).expect("again");
        assert_eq!(tree.len(), 3);
        assert_eq!(tree.get(&path("a")), Some(&Node::Directory));
    }

    #[test]
    fn a_path_has_one_node() {
        let mut tree = Tree::new();
        tree.insert(path("a/b"), file(b"x")).expect("insert");
        for node in [file(b"x"), Node::Directory, Node::Symlink { target: "c".into() }] {
            assert_eq!(tree.insert(path("a/b"), node), Err(TreeError::Duplicate(path("a/b"))));
        }
        assert_eq!(tree.insert(path("a"), file(b"")), Err(TreeError::Duplicate(path("a"))));
    }

    #[test]
    fn nothing_is_below_a_file_or_a_link() {
        let mut tree = Tree::new();
        tree.insert(path("l"), Node::Symlink { target: ".".into() }).expect("insert");
        let error = tree.insert(path("l/x/y"), file(b"")).expect_err("below a link");
        assert_eq!(
            error,
            TreeError::BelowNonDirectory { path: path("l/x/y"), ancestor: path("l") }
        );
        assert_eq!(tree.len(), 1);
    }

    #[test]
    fn a_link_needs_a_target() {
        for target in ["", "a\0b"] {
            let node = Node::Symlink { target: target.into() };
            let refused = Tree::new().insert(path("l"), node);
            assert_eq!(refused, Err(TreeError::InvalidTarget(path("l"))));
        }
    }

    #[test]
    fn only_siblings_collide() {
        let mut tree = Tree::new();
        for name in ["xt_MARK.h", "xt_mark.h", "xt_Mark.h", "sub/xt_mark.h", "Ä", "ä"] {
            tree.insert(path(name), file(b"")).expect("insert");
        }
        let collisions = tree.case_collisions();
        let pairs: Vec<_> = collisions.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(pairs, [("xt_MARK.h", "xt_Mark.h"), ("xt_MARK.h", "xt_mark.h"), ("Ä", "ä")]);
        assert_eq!(tree.case_sibling(&path("ä")), Some(&path("Ä")));
        assert_eq!(tree.case_sibling(&path("sub/xt_mark.h")), None);
    }
}
