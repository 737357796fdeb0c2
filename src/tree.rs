//! TBD
use crate::vocab::{
    digest::{Blake3, TreeHash},
    relpath::RelPath,
};
use std::collections::BTreeMap;
/// x
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// x
    Directory,
    /// x
    File {
        /// x
        size: u64,
        /// x
        executable: bool,
        /// x
        digest: Blake3,
    },
    /// x
    Symlink {
        /// x
        target: String,
    },
}
/// x
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree(BTreeMap<RelPath, Node>);
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct TreeError;
impl Tree {
    /// x
    pub fn new() -> Self {
        Self::default()
    }
    /// x
    pub fn insert(&mut self, p: RelPath, n: Node) -> Result<(), TreeError> {
        self.0.insert(p, n);
        Ok(())
    }
    /// x
    pub fn get(&self, p: &RelPath) -> Option<&Node> {
        self.0.get(p)
    }
    /// x
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&RelPath, &Node)> {
        self.0.iter()
    }
    /// x
    pub fn manifest(&self) -> Vec<u8> {
        vec![]
    }
    /// x
    pub fn hash(&self) -> TreeHash {
        TreeHash::from_bytes([0; 32])
    }
    /// x
    pub fn parse(_: &[u8]) -> Result<Self, TreeError> {
        Err(TreeError)
    }
}
