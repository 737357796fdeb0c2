//! Relocating the host programs of a joined tree, before it is linked together.
//!
//! A relocated file is named by what it was made from, so that compositions which share a program
//! share its bytes. Raw objects are only read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::merge::{LinkEnd, Merged};
use super::relocate::{self, HostLibrary, Objects, RelocateError, needs, set_runpath};
use crate::sys::fs::{Describe as _, FsError, write_atomic_with_mode};
use crate::tree::Node;
use crate::vocab::digest::{Blake3, KeyHasher};
use crate::vocab::relpath::RelPath;
use crate::vocab::triple::RustTriple;

/// Part of the key of everything that contains relocated files.
pub const VERSION: u32 = relocate::RELOCATOR_VERSION;

/// Why a tree's programs cannot be relocated.
#[derive(Debug, thiserror::Error)]
pub enum RelocationError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A program is damaged or of an unknown layout.
    #[error("cannot relocate `{path}`")]
    File {
        /// The file in the tree.
        path: RelPath,
        /// Why.
        #[source]
        source: RelocateError,
    },
    /// The tree as a whole does not allow it.
    #[error("the programs of this tree cannot be relocated")]
    Tree(#[source] RelocateError),
    /// Programs would load libraries of the machine beyond the C library.
    #[error("`{}` needs `{}`, which no package of this toolchain has", first.object, first.library)]
    HostLibrary {
        /// The first of them.
        first: HostLibrary,
    },
}

/// Gives the programs of `merged` that run on `host` their search path. Returns the files that
/// stand in for those of the objects; `cache` names the place of a relocated file.
pub fn relocate(
    merged: &Merged,
    layer_dirs: &[&Path],
    host: &RustTriple,
    cache: &dyn Fn(&Blake3) -> PathBuf,
) -> Result<BTreeMap<RelPath, PathBuf>, RelocationError> {
    let Some(machine) = elf_machine(host) else { return Ok(BTreeMap::new()) };
    let mut objects = Objects::default();
    for (path, layer, node) in merged.iter() {
        match node {
            Node::File { size, .. } if *size >= 64 => {
                let file = path.under(layer_dirs[layer]);
                if is_elf_for(&file, machine).describe("read", &file)?
                    && let Some(needs) = needs(&fs::read(&file).describe("read", &file)?)
                        .map_err(|source| RelocationError::File { path: path.clone(), source })?
                {
                    objects.add_file(path.clone(), needs);
                }
            }
            Node::Symlink { target } => {
                if let LinkEnd::Inside(end) = merged.resolve(path, target) {
                    objects.add_link(path.clone(), end);
                }
            }
            _ => {}
        }
    }
    let plan = objects.plan(machine).map_err(RelocationError::Tree)?;
    if let Some(first) = plan.host_libraries.into_iter().next() {
        return Err(RelocationError::HostLibrary { first });
    }
    let mut replaced = BTreeMap::new();
    for (path, layer, node) in merged.iter() {
        let (Some(runpath), Node::File { executable, digest, .. }) =
            (plan.runpaths.get(path), node)
        else {
            continue;
        };
        let key = KeyHasher::new("relocated/1")
            .part(VERSION.to_le_bytes())
            .part(digest.as_bytes())
            .part(runpath)
            .part([u8::from(*executable)])
            .finish();
        let file = cache(&key);
        if !file.is_file() {
            let raw = path.under(layer_dirs[layer]);
            let bytes = fs::read(&raw).describe("read", &raw)?;
            let changed = set_runpath(&bytes, runpath)
                .map_err(|source| RelocationError::File { path: path.clone(), source })?;
            let Some(changed) = changed else { continue };
            write_atomic_with_mode(&file, &changed, if *executable { 0o555 } else { 0o444 })?;
        }
        replaced.insert(path.clone(), file);
    }
    Ok(replaced)
}

fn elf_machine(host: &RustTriple) -> Option<u16> {
    match host.arch() {
        "x86_64" if host.is_linux() => Some(62),
        "aarch64" if host.is_linux() => Some(183),
        _ => None,
    }
}

/// Looks at the first bytes only: most files of a toolchain are headers.
fn is_elf_for(path: &Path, machine: u16) -> io::Result<bool> {
    let mut header = [0; 20];
    File::open(path)?.read_exact(&mut header)?;
    Ok(header.starts_with(b"\x7fELF") && u16::from_le_bytes([header[18], header[19]]) == machine)
}
