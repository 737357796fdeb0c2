//! Where xprov keeps its files: one folder that the user may delete at any time.

use std::path::{Path, PathBuf};

use super::ambient::Ambient;

/// The folder of xprov: `$XPROV_HOME`, or the platform's place for application data.
#[derive(Debug, Clone)]
pub struct Dirs {
    root: PathBuf,
}

/// Why no folder can be used.
#[derive(Debug, thiserror::Error)]
pub enum DirsError {
    /// Neither `XPROV_HOME` nor a home directory is known.
    #[error("no home directory: neither HOME nor XPROV_HOME is set")]
    NoHome,
    /// C build tools split compiler commands at spaces, so the path of a compiler can have none.
    #[error("the store cannot be at `{0}`: compilers in a path with white space do not work")]
    WhiteSpace(PathBuf),
    /// The variable is not an absolute path.
    #[error("XPROV_HOME is `{0}`, which is not an absolute path")]
    NotAbsolute(PathBuf),
}

impl Dirs {
    /// Chooses the folder; creates nothing.
    pub fn new(ambient: &Ambient) -> Result<Self, DirsError> {
        let root = match ambient.var("XPROV_HOME") {
            Some(root) => PathBuf::from(root),
            None => default_root(ambient)?,
        };
        if !root.is_absolute() {
            return Err(DirsError::NotAbsolute(root));
        }
        if root.to_string_lossy().contains(char::is_whitespace) {
            return Err(DirsError::WhiteSpace(root));
        }
        Ok(Self { root })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.root.join("v1")
    }

    /// The `CARGO_HOME` of all builds: registry indexes and sources,
    /// whose checksums Cargo.lock pins.
    pub fn cargo_home(&self) -> PathBuf {
        self.root.join("cargo")
    }

    /// The empty HOME that builds see.
    pub fn build_home(&self) -> PathBuf {
        self.root.join("home")
    }
}

/// The platform's data directory; on macOS that one has a space in it, so a dot directory instead.
fn default_root(ambient: &Ambient) -> Result<PathBuf, DirsError> {
    let home = ambient.home().ok_or(DirsError::NoHome)?;
    if cfg!(target_os = "macos") {
        return Ok(home.join(".xprov"));
    }
    directories::ProjectDirs::from("", "", "xprov")
        .map(|dirs| dirs.data_local_dir().to_path_buf())
        .ok_or(DirsError::NoHome)
}
