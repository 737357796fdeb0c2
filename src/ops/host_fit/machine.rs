//! What of the machine decides whether foreign programs run on it, found without running any.

use std::fs;
use std::path::{Path, PathBuf};

use crate::inspect::glibc::glibc_of;
use crate::sys::fs::real_path;
use crate::vocab::triple::RustTriple;

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its triple.
    pub host: RustTriple,
    /// The version of its glibc; `None` where it has none, or hides it.
    pub glibc: Option<(u32, u32)>,
    /// Whether its C library is musl, and it has no glibc.
    pub is_musl: bool,
    /// Where its files are: `/`.
    pub root: PathBuf,
}

impl Machine {
    /// This machine.
    pub fn this(host: &RustTriple) -> Self {
        Self::at(host, Path::new("/"))
    }

    /// The machine whose files are below `root`.
    pub fn at(host: &RustTriple, root: &Path) -> Self {
        let (loader, arch) = match host.arch() {
            "x86_64" => ("lib64/ld-linux-x86-64.so.2", "x86_64"),
            "aarch64" => ("lib/ld-linux-aarch64.so.1", "aarch64"),
            _ => ("lib/ld-linux.so.2", host.arch()),
        };
        let loader = root.join(loader);
        // The C library is beside the real loader, wherever a distribution puts the two.
        let libc = loader.exists().then(|| real_path(&loader));
        let libc = libc.as_deref().and_then(Path::parent).map(|dir| dir.join("libc.so.6"));
        let glibc = libc.and_then(|libc| glibc_of(&fs::read(libc).ok()?));
        let musl = root.join(format!("lib/ld-musl-{arch}.so.1"));
        let is_musl = glibc.is_none() && !loader.exists() && musl.exists();
        Self { host: host.clone(), glibc, is_musl, root: root.to_path_buf() }
    }

    /// Whether it has a file.
    pub fn has(&self, path: &str) -> bool {
        self.root.join(path.trim_start_matches('/')).exists()
    }
}
