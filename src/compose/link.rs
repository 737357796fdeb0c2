//! Building a joined tree on disk. Files are hard links into the store, so that no byte is copied.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::merge::Merged;
use crate::sys::fs::{Describe as _, FsError, link_or_copy, set_mode};
use crate::tree::Node;
use crate::vocab::relpath::RelPath;

/// Builds `merged` in the empty directory `dest`. `layer_dirs` are the objects' directories in the
/// order in which they were merged, `replaced` the files that stand in for an object's own.
pub fn build(
    merged: &Merged,
    layer_dirs: &[&Path],
    replaced: &BTreeMap<RelPath, PathBuf>,
    dest: &Path,
) -> Result<(), FsError> {
    for (path, layer, node) in merged.iter() {
        let to = path.under(dest);
        match node {
            Node::Directory => fs::create_dir(&to).describe("create the directory", &to)?,
            Node::File { .. } => {
                let own = || path.under(layer_dirs[layer]);
                link_or_copy(&replaced.get(path).cloned().unwrap_or_else(own), &to)?;
            }
            Node::Symlink { target } => symlink(target, &to).describe("create the link", &to)?,
        }
    }
    // Read-only from the deepest up, so that nothing is added to what builds share.
    let mut directories: Vec<_> = merged
        .iter()
        .filter(|(_, _, node)| matches!(node, Node::Directory))
        .map(|(path, _, _)| path)
        .collect();
    directories.reverse();
    directories.into_iter().try_for_each(|path| set_mode(&path.under(dest), 0o555))
}
