//! What a target expects of its binaries. Values only: the comparison is in `rules`.

use std::collections::BTreeMap;

use super::ceilings::{Ceiling, Runtime};
use super::dynamic::Exports;
use super::elf::Machine;
use crate::vocab::triple::RustTriple;

/// The expectations against which facts are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The target that the binary was built for.
    pub target: RustTriple,
    /// The processor family.
    pub machine: Machine,
    /// 32 or 64.
    pub bits: u8,
    /// The loader that dynamic programs must name; `None` where programs must be static.
    pub interpreter: Option<&'static str>,
    /// The newest glibc that may be needed, as (major, minor); `None` allows any.
    pub max_glibc: Option<(u32, u32)>,
    /// The newest macOS that may be needed to start, as (major, minor); `None` allows any.
    pub max_macos: Option<(u32, u32)>,
    /// The libraries that may be needed, by `DT_NEEDED` name.
    pub allowed_needed: Vec<String>,
    /// The libraries that something else promises, by the same name, and what that is: a package
    /// and its version.
    pub provided: BTreeMap<String, String>,
    /// The newest versions of gcc's run-time libraries that may be needed; what is absent allows
    /// any.
    pub runtimes: BTreeMap<Runtime, Ceiling>,
    /// The libraries that the file needs, as the target has them; `None` where nothing of the target
    /// is at hand.
    pub libraries: Option<Libraries>,
    /// Directories of the build that no other machine has.
    pub build_roots: Vec<BuildRoot>,
    /// The name of the machine that built it.
    pub build_host: Option<String>,
}

/// What a file needs, directly or through another library.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Libraries {
    /// What those have that are at hand, by name.
    pub found: BTreeMap<String, Exports>,
    /// Those that are not.
    pub missing: Vec<String>,
}

/// A directory of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildRoot {
    /// Its absolute path, without a slash at the end.
    pub path: String,
    /// What it is, such as `the workspace`.
    pub what: &'static str,
}

/// The target has no rules yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there are no verification rules for `{target}`")]
pub struct NoPolicy {
    /// The target.
    pub target: RustTriple,
}

/// What every glibc system has, or every distribution's base: the parts of glibc, and gcc's runtime.
const GNU_LIBRARIES: &[&str] = &[
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
];

impl Policy {
    /// The default expectations of `target`: on glibc the system's base libraries, its loader and
    /// any glibc; on musl nothing at all; on macOS what lies in the system's own directories.
    pub fn of(target: &RustTriple) -> Result<Self, NoPolicy> {
        let (machine, bits, loader) = match target.arch() {
            "x86_64" => (Machine::X86_64, 64, "/lib64/ld-linux-x86-64.so.2"),
            "aarch64" => (Machine::AARCH64, 64, "/lib/ld-linux-aarch64.so.1"),
            "armv7" => (Machine::ARM, 32, "/lib/ld-linux-armhf.so.3"),
            "i686" => (Machine::X86, 32, "/lib/ld-linux.so.2"),
            _ => return Err(NoPolicy { target: target.clone() }),
        };
        if !target.is_gnu_libc() && !target.is_musl() && !target.is_macos() {
            return Err(NoPolicy { target: target.clone() });
        }
        let interpreter = target.is_gnu_libc().then_some(loader);
        let mut allowed_needed = Vec::new();
        if let Some(name) = interpreter.and_then(|path| path.rsplit('/').next()) {
            allowed_needed.extend(GNU_LIBRARIES.iter().map(ToString::to_string));
            allowed_needed.push(name.to_owned());
        }
        let target = target.clone();
        let (max_glibc, max_macos) = (None, None);
        let (provided, runtimes) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self {
            target,
            machine,
            bits,
            interpreter,
            max_glibc,
            max_macos,
            allowed_needed,
            provided,
            runtimes,
            libraries: None,
            build_roots: Vec::new(),
            build_host: None,
        })
    }

    /// The same policy with a glibc ceiling, as in `aarch64-unknown-linux-gnu.2.31`.
    #[must_use]
    pub fn with_max_glibc(mut self, ceiling: Option<(u32, u32)>) -> Self {
        self.max_glibc = ceiling;
        self
    }

    /// The same policy with the newest macOS that a program may need: what it was built for.
    #[must_use]
    pub fn with_max_macos(mut self, ceiling: Option<(u32, u32)>) -> Self {
        self.max_macos = ceiling;
        self
    }

    /// The same policy with libraries that packages bring: (library, package).
    #[must_use]
    pub fn with_provided(mut self, libraries: impl IntoIterator<Item = (String, String)>) -> Self {
        self.provided.extend(libraries);
        self
    }

    /// The same policy with the ceilings that a toolchain's own libraries stand for.
    #[must_use]
    pub fn with_runtimes(mut self, runtimes: BTreeMap<Runtime, Ceiling>) -> Self {
        self.runtimes.extend(runtimes);
        self
    }

    /// The same policy with the libraries that the file needs.
    #[must_use]
    pub fn with_libraries(mut self, libraries: Option<Libraries>) -> Self {
        self.libraries = libraries;
        self
    }

    /// The same policy with the directories of the build, and the name of its machine.
    #[must_use]
    pub fn with_build(mut self, roots: Vec<BuildRoot>, host: Option<String>) -> Self {
        self.build_roots = roots;
        self.build_host = host;
        self
    }
}
