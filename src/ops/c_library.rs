//! The C library of the store's, which starts the pinned programs on a machine that has no glibc:
//! one with another C library, or with nothing at all.
//!
//! It is the one in the sysroot of the host's own C toolchain. Where the machine has a glibc,
//! programs are started by that.

use std::path::{Path, PathBuf};

use super::host_fit::loader_of;
use super::toolset::Toolset;
use crate::compose::relocation::CLibrary;
use crate::lockfile::{Artifact, Entry};
use crate::recipe::Slot;
use crate::shim::build_script;
use crate::store::Object;
use crate::vocab::triple::RustTriple;

/// Where packages have loader and C library, below the root; `{arch}` is the host's.
const DIRS: [&str; 4] = ["lib/{arch}-linux-gnu", "usr/lib/{arch}-linux-gnu", "lib64", "usr/lib64"];

/// gcc's library for unwinding.
const UNWINDER: &str = "libgcc_s.so.1";

/// Where a loader looks for libraries first.
const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

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

/// Where below `root` packages have the library `name`.
fn place_of(name: &str, root: &Path, host: &RustTriple) -> Option<PathBuf> {
    let places = DIRS.iter().map(|place| root.join(place.replace("{arch}", host.arch())));
    places.into_iter().find(|dir| dir.join(name).is_file())
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

/// Lets `c_library`, where one is given, start programs of the build that run on this machine, as
/// it starts the tools themselves.
pub fn start_on(
    tools: &mut Toolset,
    c_library: Option<&CLibrary>,
    host: &RustTriple,
    target: &RustTriple,
) {
    let Some(library) = c_library else { return };
    // What rustc links needs gcc's library for unwinding, too, which is another package.
    let sysroot = tools.host.sysroot.as_deref();
    let of_gcc = sysroot.and_then(|sysroot| place_of(UNWINDER, sysroot, host));
    let dirs = [Some(library.dir.clone()), of_gcc].into_iter().flatten();
    let dir = dirs.map(|dir| dir.to_string_lossy().into_owned()).collect::<Vec<_>>().join(":");
    let runner = (host == target).then(|| tools.runner.clone());
    for name in [Some(build_script::TOOL.to_owned()), runner].into_iter().flatten() {
        let Some(tool) = tools.shims.get_mut(&name) else { continue };
        tool.program = Some(library.loader.clone());
        match tool.search.iter_mut().find(|(name, _)| name == LIBRARY_PATH) {
            Some((_, dirs)) => *dirs = format!("{dirs}:{dir}"),
            None => tool.search.push((LIBRARY_PATH.to_owned(), dir.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use crate::hermetic::{CTools, Rust};
    use crate::shim::{Kind, Tool};

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

    #[test]
    fn build_scripts_start_on_the_stores_c_library_and_foreign_programs_do_not() {
        let library = CLibrary { loader: "/c/lib/ld.so".into(), dir: "/c/lib".into() };
        let [host, arm]: [RustTriple; 2] =
            ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]
                .map(|text| text.parse().expect("a triple"));
        for (target, runner) in [(&host, true), (&arm, false)] {
            let mut before = Tool::without_program(Kind::BuildScript);
            before.search = vec![(LIBRARY_PATH.to_owned(), "/packages".to_owned())];
            let shims = [
                (build_script::TOOL.to_owned(), before),
                ("runner".to_owned(), Tool::without_program(Kind::Runner)),
            ];
            let mut set = Toolset { shims: shims.into(), ..empty() };
            start_on(&mut set, None, &host, target);
            assert_eq!(set.shims[build_script::TOOL].program, None);
            start_on(&mut set, Some(&library), &host, target);
            let script = &set.shims[build_script::TOOL];
            assert_eq!(script.program.as_deref(), Some(Path::new("/c/lib/ld.so")));
            assert_eq!(script.search[0].1, "/packages:/c/lib");
            assert_eq!(set.shims["runner"].program.is_some(), runner);
        }
    }

    fn empty() -> Toolset {
        Toolset {
            shims: BTreeMap::new(),
            links: BTreeMap::new(),
            files: BTreeMap::new(),
            rust: Rust {
                cargo: PathBuf::new(),
                rustc: PathBuf::new(),
                rustdoc: PathBuf::new(),
                version_verbose: String::new(),
                machine: None,
            },
            target: CTools::default(),
            host: CTools::default(),
            runner: "runner".to_owned(),
            glibc: None,
            variables: Vec::new(),
        }
    }
}
