//! `store list`, `store path` and `store size`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::context::Context;
use super::error::Error;
use crate::store::Object;
use crate::sys::fs::Describe as _;

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreListing {
    /// The object.
    pub object: Object,
    /// The bytes of its files, each file once.
    pub bytes: u64,
}

/// How much room the store takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSize {
    /// The store's root.
    pub root: PathBuf,
    /// How many objects it has.
    pub objects: usize,
    /// The bytes on disk below the root; a file with several links counts once.
    pub bytes: u64,
}

/// Every object with its size.
pub fn store_list(context: &Context<'_>) -> Result<Vec<StoreListing>, Error> {
    let mut listings = Vec::new();
    for object in context.store.objects()? {
        let bytes = context.store.tree(&object.path)?.file_bytes();
        listings.push(StoreListing { object, bytes });
    }
    Ok(listings)
}

/// The directories of the objects whose label or tree hash begins with `name`; the store's root
/// without a name.
pub fn store_path(context: &Context<'_>, name: Option<&str>) -> Result<Vec<PathBuf>, Error> {
    let Some(name) = name else { return Ok(vec![context.store.layout().root().to_path_buf()]) };
    let objects = context.store.objects()?;
    let matching: Vec<PathBuf> = objects
        .iter()
        .filter(|object| {
            object.path.label().starts_with(name)
                || object.path.tree_hash().to_string().starts_with(name)
        })
        .map(|object| object.dir.clone())
        .collect();
    if matching.is_empty() {
        let name = name.to_owned();
        return Err(Error::NotFound { what: "object in the store", name, known: Vec::new() });
    }
    Ok(matching)
}

/// The store's size.
pub fn store_size(context: &Context<'_>) -> Result<StoreSize, Error> {
    let root = context.store.layout().root().to_path_buf();
    let mut seen = BTreeSet::new();
    let bytes = if root.is_dir() { disk_usage(&root, &mut seen)? } else { 0 };
    Ok(StoreSize { root, objects: context.store.objects()?.len(), bytes })
}

fn disk_usage(dir: &Path, seen: &mut BTreeSet<(u64, u64)>) -> Result<u64, Error> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir).describe("read", dir)? {
        let entry = entry.describe("read", dir)?;
        let metadata = entry.metadata().describe("read", &entry.path())?;
        if metadata.is_dir() {
            bytes += disk_usage(&entry.path(), seen)?;
        }
        if metadata.nlink() == 1 || seen.insert((metadata.dev(), metadata.ino())) {
            // The unit of `st_blocks` is 512 bytes, whatever the file system's block is.
            bytes += metadata.blocks() * 512;
        }
    }
    Ok(bytes)
}
