//! Programs and libraries of the machine that build scripts would find by themselves. Starts none
//! of them.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Area, Guard, Leak, Patient, below, earlier};
use crate::ops::at::At;
use crate::ops::confinement::lack;
use crate::sys::confine::{self, Available};
use crate::vocab::sandbox::Mode;

/// What build scripts are known to call by name.
const PROGRAMS: &[&str] = &[
    "autoconf",
    "automake",
    "bison",
    "c++",
    "cc",
    "clang",
    "cmake",
    "flex",
    "g++",
    "gcc",
    "git",
    "go",
    "ld",
    "libtool",
    "llvm-config",
    "make",
    "nasm",
    "ninja",
    "node",
    "perl",
    "pkg-config",
    "protoc",
    "python3",
    "yasm",
];

/// Where pkg-config looks by itself, below the root.
const PKG_CONFIG: &[&str] = &[
    "usr/lib/pkgconfig",
    "usr/lib64/pkgconfig",
    "usr/share/pkgconfig",
    "usr/local/lib/pkgconfig",
    "usr/local/share/pkgconfig",
    "opt/homebrew/lib/pkgconfig",
    "opt/homebrew/share/pkgconfig",
    "home/linuxbrew/.linuxbrew/lib/pkgconfig",
    "opt/local/lib/pkgconfig",
];

/// Where gcc keeps a directory for each target and version, below the root.
const GCC: &[&str] =
    &["usr/lib/gcc", "usr/lib/gcc-cross", "usr/lib64/gcc", "usr/libexec/gcc", "usr/local/lib/gcc"];

/// The findings.
pub fn leaks(patient: &Patient<'_>) -> Vec<Leak> {
    let specs = specs(patient.root).into_iter().map(|path| Leak {
        effect: "changes what this machine's gcc does, in every call".to_owned(),
        help: "delete it, if nobody needs it".to_owned(),
        ..Leak::new(Area::Machine, "a specs file of gcc's", vec![At::whole(path)])
    });
    let libraries = libraries(patient.root);
    let libraries = (!libraries.is_empty()).then(|| {
        let all: usize = libraries.iter().map(|(_, count)| count).sum();
        let what = format!("{all} libraries that pkg-config finds by itself");
        let places = libraries.into_iter().map(|(dir, _)| At::whole(dir)).collect();
        Leak {
            effect: "build scripts would link them, for whatever target".to_owned(),
            help: "nothing: xprov tells pkg-config where to look".to_owned(),
            ..Leak::note(Area::Machine, what, places)
        }
    });
    let programs = programs(patient);
    let programs = (!programs.is_empty()).then(|| {
        let what = "programs on PATH that the environment does not have";
        Leak {
            effect: "build scripts that call them would get this machine's version".to_owned(),
            help: "nothing, unless a build misses one: `xprov why NAME` says what there is".into(),
            ..Leak::note(Area::Machine, what, programs.into_iter().map(At::whole).collect())
        }
    });
    let mode = patient.project.map_or(Mode::On, |project| project.settings.sandbox.mode);
    let kernel = kernel(confine::available(), mode);
    specs.chain(libraries).chain(programs).chain(kernel).collect()
}

/// What the sandbox of builds lacks on this machine.
fn kernel(available: Available, mode: Mode) -> Option<Leak> {
    let lack = lack(available).filter(|_| mode != Mode::Off)?;
    Some(Leak {
        effect: lack.effect.to_owned(),
        guard: Guard::Open,
        help: "a newer kernel, or a container that does not forbid it, has it".to_owned(),
        ..Leak::note(Area::Machine, lack.what, Vec::new())
    })
}

/// The first of each name on PATH that the newest environment does not have.
fn programs(patient: &Patient<'_>) -> Vec<PathBuf> {
    let ambient = patient.context.ambient;
    let bin = earlier::newest_bin(patient);
    let missing = PROGRAMS.iter().filter(|name| {
        bin.as_ref().is_none_or(|bin| fs::symlink_metadata(bin.join(name)).is_err())
    });
    let found = missing.filter_map(|name| ambient.programs(name).next());
    // An environment's own directory may be on this PATH.
    found.filter(|path| !path.starts_with(patient.context.store.layout().root())).collect()
}

/// Directories with `.pc` files, and how many there are.
fn libraries(root: &Path) -> Vec<(PathBuf, usize)> {
    let mut dirs: Vec<PathBuf> = PKG_CONFIG.iter().map(|dir| root.join(dir)).collect();
    // Debian has a directory for each architecture.
    dirs.extend(below(&root.join("usr/lib")).into_iter().map(|dir| dir.join("pkgconfig")));
    let mut found: Vec<(PathBuf, usize)> = Vec::new();
    for dir in dirs {
        let is_pc = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "pc");
        let count = below(&dir).iter().filter(|path| is_pc(path)).count();
        // `/usr/lib64` may be a link to `/usr/lib`.
        let real = dir.canonicalize().unwrap_or_else(|_| dir.clone());
        if count > 0 && !found.iter().any(|(known, _)| *known == real) {
            found.push((real, count));
        }
    }
    found
}

/// `<gcc>/<target>/<version>/specs`.
fn specs(root: &Path) -> Vec<PathBuf> {
    let targets = GCC.iter().flat_map(|dir| below(&root.join(dir)));
    let versions = targets.flat_map(|target| below(&target));
    versions.map(|dir| dir.join("specs")).filter(|path| path.is_file()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::doctor::Weight;

    #[test]
    fn specs_files_and_pkg_config_directories_are_found() {
        let root = tempfile::tempdir().expect("a directory");
        let write = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, "").expect("written");
        };
        assert!(specs(root.path()).is_empty() && libraries(root.path()).is_empty());
        for path in [
            "usr/lib/gcc/x86_64-linux-gnu/12/specs",
            "usr/lib/gcc/x86_64-linux-gnu/12/crtbegin.o",
            "usr/lib/pkgconfig/a.pc",
            "usr/lib/x86_64-linux-gnu/pkgconfig/z.pc",
            "usr/lib/x86_64-linux-gnu/pkgconfig/README",
            "usr/share/pkgconfig/README",
        ] {
            write(path);
        }
        let real = root.path().canonicalize().expect("a directory");
        let specs_path = root.path().join("usr/lib/gcc/x86_64-linux-gnu/12/specs");
        assert_eq!(specs(root.path()), [specs_path]);
        let expected = ["usr/lib/pkgconfig", "usr/lib/x86_64-linux-gnu/pkgconfig"];
        assert_eq!(libraries(root.path()), expected.map(|dir| (real.join(dir), 1)));
    }

    #[test]
    fn what_the_kernel_lacks_is_noted_unless_nobody_wants_it() {
        let all = Available { landlock: Some(4), supervision: true };
        let none = Available { landlock: None, supervision: false };
        assert_eq!((kernel(all, Mode::On), kernel(none, Mode::Off)), (None, None));
        let found = kernel(none, Mode::Report);
        assert_eq!(found.is_some(), !cfg!(target_os = "macos"));
        assert!(found.is_none_or(|note| note.guard == Guard::Open && note.weight == Weight::Note));
    }
}
