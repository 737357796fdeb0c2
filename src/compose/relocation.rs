//! Relocating the host programs of a joined tree, before it is linked together.
//!
//! A relocated file is named by what it was made from, so that compositions which share a program
//! share its bytes. Raw objects are only read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::merge::{LinkEnd, Merged};
use super::relocate::{
    self, HostLibrary, Objects, RelocateError, is_c_library, needs, set_runpath,
    set_runpath_and_loader,
};
use crate::sys::fs::{Describe as _, FsError, write_atomic_with_mode};
use crate::tree::Node;
use crate::vocab::digest::{Blake3, KeyHasher};
use crate::vocab::relpath::RelPath;
use crate::vocab::triple::RustTriple;

/// Part of the key of everything that contains relocated files.
pub const VERSION: u32 = relocate::RELOCATOR_VERSION;

/// A C library of the store's, for programs on a machine that has none of their kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CLibrary {
    /// The loader's file.
    pub loader: PathBuf,
    /// The directory of loader and libraries.
    pub dir: PathBuf,
}

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
/// stand in for those of the objects; `cache` names the place of a relocated file. Programs are
/// started by `c_library`, where one is given, and else by the machine's.
pub fn relocate(
    merged: &Merged,
    layer_dirs: &[&Path],
    host: &RustTriple,
    c_library: Option<&CLibrary>,
    cache: &dyn Fn(&Blake3) -> PathBuf,
) -> Result<BTreeMap<RelPath, PathBuf>, RelocationError> {
    let Some(machine) = elf_machine(host) else { return Ok(BTreeMap::new()) };
    let mut objects = Objects::default();
    let mut on_c_library = BTreeMap::new();
    for (path, layer, node) in merged.iter().filter(|(path, ..)| !is_of_another(path, host)) {
        match node {
            Node::File { size, .. } if *size >= 64 => {
                let file = path.under(layer_dirs[layer]);
                if is_elf_for(&file, machine).describe("read", &file)?
                    && let Some(needs) = needs(&fs::read(&file).describe("read", &file)?)
                        .map_err(|source| RelocationError::File { path: path.clone(), source })?
                {
                    if c_library.is_some() && needs.needed.iter().any(|name| is_c_library(name)) {
                        on_c_library.insert(path.clone(), needs.runpath.clone());
                    }
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
    let mut plan = objects.plan(machine).map_err(RelocationError::Tree)?;
    if let Some(first) = plan.host_libraries.into_iter().next() {
        return Err(RelocationError::HostLibrary { first });
    }
    for (path, own) in on_c_library {
        let dir = c_library.map(|library| library.dir.display().to_string());
        let old = plan.runpaths.remove(&path).or(own).filter(|dirs| !dirs.is_empty());
        let dirs: Vec<String> = old.into_iter().chain(dir).collect();
        plan.runpaths.insert(path, dirs.join(":"));
    }
    let loader = c_library.map(|library| library.loader.display().to_string());
    let mut replaced = BTreeMap::new();
    for (path, layer, node) in merged.iter() {
        let (Some(runpath), Node::File { executable, digest, .. }) =
            (plan.runpaths.get(path), node)
        else {
            continue;
        };
        let mut key = KeyHasher::new("relocated/1");
        key.part(VERSION.to_le_bytes())
            .part(digest.as_bytes())
            .part(runpath)
            .part([u8::from(*executable)]);
        if let Some(loader) = &loader {
            key.part(loader);
        }
        let file = cache(&key.finish());
        if !file.is_file() {
            let raw = path.under(layer_dirs[layer]);
            let bytes = fs::read(&raw).describe("read", &raw)?;
            let changed = match &loader {
                Some(loader) => set_runpath_and_loader(&bytes, runpath, loader),
                None => set_runpath(&bytes, runpath),
            };
            let changed =
                changed.map_err(|source| RelocationError::File { path: path.clone(), source })?;
            let Some(changed) = changed else { continue };
            write_atomic_with_mode(&file, &changed, if *executable { 0o555 } else { 0o444 })?;
        }
        replaced.insert(path.clone(), file);
    }
    Ok(replaced)
}

/// Whether it is of Rust's standard library for another target. The one for musl on the host's own
/// processor has a shared library that needs musl's, and nothing on this machine loads it.
fn is_of_another(path: &RelPath, host: &RustTriple) -> bool {
    let mut parts = path.components().skip_while(|part| *part != "rustlib").skip(1);
    parts.next().is_some_and(|target| target.contains('-') && target != host.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_library_of_another_target_is_left_alone() {
        let host = "x86_64-unknown-linux-gnu".parse().expect("a triple");
        let of_another =
            |path: &str| is_of_another(&RelPath::parse(path.as_bytes()).expect("a path"), &host);
        assert!(of_another("usr/lib/rustlib/x86_64-unknown-linux-musl/lib/libstd-2.so"));
        assert!(of_another("lib/rustlib/aarch64-unknown-linux-gnu/lib/libstd-2.so"));
        for path in [
            "lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd-2.so",
            "lib/rustlib/src/a-b",
            "lib/librustc_driver-1.so",
        ] {
            assert!(!of_another(path), "{path}");
        }
    }
}
