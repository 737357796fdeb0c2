//! The C library of the store's, which starts the pinned programs on a machine that has no glibc:
//! one with another C library, or with nothing at all.
//!
//! It is the one in the sysroot of the host's own C toolchain. Where the machine has a glibc,
//! programs are started by that.

use std::path::Path;

use super::host_fit::loader_of;
use crate::compose::relocation::CLibrary;
use crate::lockfile::{Artifact, Entry};
use crate::recipe::Slot;
use crate::store::Object;
use crate::vocab::triple::RustTriple;

/// Where packages have loader and C library, below the root; `{arch}` is the host's.
const DIRS: [&str; 4] = ["lib/{arch}-linux-gnu", "usr/lib/{arch}-linux-gnu", "lib64", "usr/lib64"];

/// Whether programs for `host` cannot start here for want of a loader.
pub fn is_missing(host: &RustTriple) -> bool {
    host.is_gnu_libc() && !Path::new(loader_of(host)).exists()
}

/// The C library that stands in for the machine's, where that is missing; `object` knows where
/// artifacts are.
pub fn stand_in<'a>(
    host: &RustTriple,
    entries: &[&'a Entry],
    object: &dyn Fn(&'a Artifact) -> Option<&'a Object>,
) -> Option<CLibrary> {
    if !is_missing(host) {
        return None;
    }
    let of_host = entries
        .iter()
        .filter(|entry| entry.slot == Slot::Cc && entry.key.target.as_ref() == Some(host));
    let mut objects = of_host.flat_map(|entry| &entry.artifacts).filter_map(object);
    objects.find_map(|object| below(&object.dir, host))
}

/// The C library in the directory of an object.
fn below(dir: &Path, host: &RustTriple) -> Option<CLibrary> {
    let loader = Path::new(loader_of(host)).file_name()?;
    DIRS.iter().find_map(|place| {
        let dir = dir.join(place.replace("{arch}", host.arch()));
        let library = CLibrary { loader: dir.join(loader), dir };
        let is_there = library.loader.is_file() && library.dir.join("libc.so.6").is_file();
        is_there.then_some(library)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn loader_and_library_must_be_in_one_directory() {
        let root = tempfile::tempdir().expect("a directory");
        let host = RustTriple::of_this_program();
        let dir = root.path().join(format!("lib/{}-linux-gnu", host.arch()));
        fs::create_dir_all(&dir).expect("a directory");
        fs::write(dir.join("libc.so.6"), "").expect("written");
        assert_eq!(below(root.path(), &host), None);
        let loader = dir.join(Path::new(loader_of(&host)).file_name().expect("a name"));
        fs::write(&loader, "").expect("written");
        assert_eq!(below(root.path(), &host), Some(CLibrary { loader, dir }));
    }
}
