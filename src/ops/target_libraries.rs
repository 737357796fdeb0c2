//! The shared libraries of a target's own toolchain, as far as a verification asks for them. Knows
//! where sysroots keep libraries; what a binary may need of them is decided in `inspect`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use super::sysroot_packages::multiarch;
use crate::inspect::ceilings::{Ceiling, Runtime, ceilings_of};
use crate::inspect::dynamic::exports;
use crate::inspect::elf::{ElfFacts, Machine};
use crate::inspect::policy::Libraries;
use crate::inspect::{Facts, facts};
use crate::vocab::triple::RustTriple;

/// A file that needs more libraries, through others, is damaged or means harm.
const MOST_LIBRARIES: usize = 512;

/// Larger files are no library of a toolchain's run time.
const MOST_BYTES: u64 = 256 << 20;

/// The directories of `sysroot` that can hold libraries of `target`, those of its own first.
pub fn dirs(sysroot: &Path, target: &RustTriple) -> Vec<PathBuf> {
    let own = multiarch(target);
    let dirs = [
        format!("usr/{own}/lib"),
        format!("lib/{own}"),
        format!("usr/lib/{own}"),
        "lib64".to_owned(),
        "usr/lib64".to_owned(),
        "lib".to_owned(),
        "usr/lib".to_owned(),
    ];
    dirs.iter().map(|dir| sysroot.join(dir)).filter(|dir| dir.is_dir()).collect()
}

/// The bytes of the library `name` for `machine`, from the first directory that has it.
fn find(dirs: &[PathBuf], name: &str, machine: Machine) -> Option<(Vec<u8>, ElfFacts)> {
    // A name with a directory in it is looked up elsewhere, if at all.
    if name.contains('/') {
        return None;
    }
    dirs.iter().map(|dir| dir.join(name)).find_map(|path| {
        let size = fs::metadata(&path).ok()?.len();
        let bytes = (size <= MOST_BYTES).then(|| fs::read(&path).ok())??;
        let Facts::Elf(elf) = facts(&bytes).ok()? else { return None };
        (elf.machine == machine).then_some((bytes, *elf))
    })
}

/// What the libraries in `dirs` promise, of those that `elf` asks versions of.
pub fn runtimes(dirs: &[PathBuf], elf: &ElfFacts) -> BTreeMap<Runtime, Ceiling> {
    let asked = |library: &&str| elf.version_needs.iter().any(|need| need.library == **library);
    let known = ["libgcc_s.so.1", "libstdc++.so.6"];
    let found = known.iter().filter(|library| asked(library));
    let found = found.filter_map(|library| find(dirs, library, elf.machine));
    found.flat_map(|(bytes, _)| ceilings_of(&bytes)).collect()
}

/// What `elf` needs, directly or through another library, as `dirs` have it; `None` without any
/// directory.
pub fn needed(dirs: &[PathBuf], elf: &ElfFacts) -> Option<Libraries> {
    if dirs.is_empty() {
        return None;
    }
    let mut libraries = Libraries::default();
    let mut seen: BTreeSet<String> = elf.needed.iter().cloned().collect();
    let mut queue: VecDeque<String> = elf.needed.iter().cloned().collect();
    while let Some(name) = queue.pop_front() {
        let found = find(dirs, &name, elf.machine).and_then(|(bytes, _)| exports(&bytes).ok());
        let Some(exports) = found else {
            libraries.missing.push(name);
            continue;
        };
        for next in &exports.needed {
            if seen.len() < MOST_LIBRARIES && seen.insert(next.clone()) {
                queue.push_back(next.clone());
            }
        }
        libraries.found.insert(name, exports);
    }
    Some(libraries)
}
