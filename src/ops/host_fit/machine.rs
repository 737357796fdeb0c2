//! What of the machine decides whether foreign programs run on it, found without running any.

use std::fs;
use std::path::{Path, PathBuf};

use crate::compose::relocation::CLibrary;
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
    /// The path of the loader that another one stands in for.
    pub stood_in_for: Option<&'static str>,
}

/// The path of the loader in programs for `host`.
pub fn loader_of(host: &RustTriple) -> &'static str {
    match host.arch() {
        "x86_64" => "/lib64/ld-linux-x86-64.so.2",
        "aarch64" => "/lib/ld-linux-aarch64.so.1",
        _ => "/lib/ld-linux.so.2",
    }
}

impl Machine {
    /// This machine.
    pub fn this(host: &RustTriple) -> Self {
        Self::at(host, Path::new("/"))
    }

    /// The machine whose files are below `root`.
    pub fn at(host: &RustTriple, root: &Path) -> Self {
        let arch = host.arch();
        let loader = root.join(loader_of(host).trim_start_matches('/'));
        // The C library is beside the real loader, wherever a distribution puts the two.
        let libc = loader.exists().then(|| real_path(&loader));
        let libc = libc.as_deref().and_then(Path::parent).map(|dir| dir.join("libc.so.6"));
        let glibc = libc.and_then(|libc| glibc_of(&fs::read(libc).ok()?));
        let musl = root.join(format!("lib/ld-musl-{arch}.so.1"));
        let is_musl = glibc.is_none() && !loader.exists() && musl.exists();
        let root = root.to_path_buf();
        Self { host: host.clone(), glibc, is_musl, root, stood_in_for: None }
    }

    /// The same with another C library, if one is given.
    #[must_use]
    pub fn on(self, c_library: Option<&CLibrary>) -> Self {
        let Some(CLibrary { dir, .. }) = c_library else { return self };
        let glibc = fs::read(dir.join("libc.so.6")).ok().and_then(|libc| glibc_of(&libc));
        Self { glibc, stood_in_for: Some(loader_of(&self.host)), ..self }
    }

    /// Whether it has a file.
    pub fn has(&self, path: &str) -> bool {
        self.stood_in_for == Some(path) || self.root.join(path.trim_start_matches('/')).exists()
    }
}
