//! The name of an object in the store: `<tree-hash>-<name>-<version>`.

use std::fmt;
use std::str::FromStr;

use super::digest::TreeHash;
use super::name::Name;

/// The file name of one immutable tree below `v1/objects/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorePath {
    tree_hash: TreeHash,
    label: Name,
}

/// Text that is no store path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a store path: <tree-hash>-<name>-<version> is expected")]
pub struct InvalidStorePath(String);

impl StorePath {
    /// The store path of a tree, labelled for the human reader with name and version.
    pub fn new(tree_hash: TreeHash, name: &str, version: &str) -> Self {
        Self { tree_hash, label: Name::mangle(&format!("{name}-{version}")) }
    }

    /// The tree hash, the part that identifies the object.
    pub fn tree_hash(&self) -> TreeHash {
        self.tree_hash
    }

    /// The human part: name and version.
    pub fn label(&self) -> &str {
        self.label.as_str()
    }
}

impl fmt::Display for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.tree_hash, self.label)
    }
}

impl FromStr for StorePath {
    type Err = InvalidStorePath;

    fn from_str(text: &str) -> Result<Self, InvalidStorePath> {
        let invalid = || InvalidStorePath(text.to_owned());
        let (hash, label) = text.split_once('-').ok_or_else(invalid)?;
        Ok(Self {
            tree_hash: hash.parse().map_err(|_| invalid())?,
            label: label.parse().map_err(|_| invalid())?,
        })
    }
}
