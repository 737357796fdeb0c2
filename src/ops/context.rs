//! What every verb gets: the user's surroundings, the store, and how the lock may be treated.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::error::Error;
use crate::fetch;
use crate::store::Store;
use crate::sys::ambient::Ambient;
use crate::sys::dirs::Dirs;
use crate::sys::fs::FsError;
use crate::tree::Folding;
use crate::vocab::event::Observer;
use crate::vocab::triple::RustTriple;

/// What cargo's three flags allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LockMode {
    /// The lock may not change (`--locked`).
    pub locked: bool,
    /// The network may not be used (`--offline`).
    pub offline: bool,
}

/// The surroundings of one command.
pub struct Context<'a> {
    /// The user's environment.
    pub ambient: &'a Ambient,
    /// Our folder.
    pub dirs: Dirs,
    /// The store in it.
    pub store: Store,
    /// Who watches.
    pub observer: &'a dyn Observer,
    /// What the flags allow.
    pub mode: LockMode,
    /// The machine that builds run on.
    pub host: RustTriple,
    /// Whether the user was told that this command uses parts of the machine.
    pub said_impure: AtomicBool,
    /// The directory that a Mac's own programs are below: `/`.
    pub machine_root: PathBuf,
    /// What the disk of the store takes for one name; `None`: it is asked.
    pub disk: Option<Folding>,
    /// Whether outcomes list what did not change, too: programs read them, not people.
    pub complete_reports: bool,
}

impl<'a> Context<'a> {
    /// The context of a command. Nothing is created.
    pub fn new(
        ambient: &'a Ambient,
        observer: &'a dyn Observer,
        mode: LockMode,
    ) -> Result<Self, Error> {
        let dirs = Dirs::new(ambient)?;
        let store = Store::new(dirs.store());
        let host = RustTriple::of_this_program();
        let complete_reports = false;
        let said_impure = AtomicBool::new(false);
        let machine_root = PathBuf::from("/");
        let disk = None;
        Ok(Self {
            ambient,
            dirs,
            store,
            observer,
            mode,
            host,
            said_impure,
            machine_root,
            disk,
            complete_reports,
        })
    }

    /// Which differences of names the disk of `dir` ignores.
    pub fn folding(&self, dir: &Path) -> Result<Folding, FsError> {
        self.disk.map_or_else(|| Folding::probe(dir), Ok)
    }

    /// A fetcher that goes through the user's proxies and trusts the user's certificates.
    pub fn fetcher(&self) -> fetch::Fetcher {
        let var = |names: [&str; 2]| {
            names.iter().find_map(|name| self.ambient.var(name)).map(str::to_owned)
        };
        let path = |name| self.ambient.var(name).map(|path| Path::new(path).to_path_buf());
        let millis = |name, default| {
            let set = self.ambient.var(name).and_then(|value| value.parse().ok());
            Duration::from_millis(set.unwrap_or(default))
        };
        fetch::Fetcher::new(fetch::Options {
            offline: self.mode.offline,
            proxies: fetch::ProxySettings {
                http: var(["http_proxy", "HTTP_PROXY"]),
                https: var(["https_proxy", "HTTPS_PROXY"]),
                all: var(["all_proxy", "ALL_PROXY"]),
                no_proxy: var(["no_proxy", "NO_PROXY"]),
            },
            ca_files: ["SSL_CERT_FILE", "CARGO_HTTP_CAINFO"].into_iter().filter_map(path).collect(),
            ca_dirs: path("SSL_CERT_DIR").into_iter().collect(),
            backoff: millis("XPROV_FETCH_BACKOFF_MS", 500),
            ..fetch::Options::default()
        })
    }
}
