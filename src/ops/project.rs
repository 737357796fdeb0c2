//! The cargo project that a command works on, and its files that concern xprov.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::DeTable;

use super::at::At;
use super::error::Error;
use super::toolchain_file::{self, Honoured};
use crate::settings::Settings;
use crate::sys::ambient::Ambient;
use crate::sys::fs::{FsError, read_text, real_path};
use crate::vocab::document::{self, line_of};

/// The name of the lock, beside Cargo.lock.
pub const LOCK_NAME: &str = "toolchains.lock";

/// A cargo project.
#[derive(Debug, Clone)]
pub struct Project {
    /// The manifest that cargo is to be given: the one nearest to the user.
    pub manifest: PathBuf,
    /// The directory of the workspace's root manifest.
    pub root: PathBuf,
    /// The settings in the root manifest.
    pub settings: Settings,
    /// The text of the root manifest, which the settings came from.
    pub root_text: String,
    /// What of `rust-toolchain.toml` stands in the settings.
    pub toolchain: Honoured,
}

#[derive(Deserialize)]
struct Manifest {
    workspace: Option<Workspace>,
    package: Option<Package>,
}

#[derive(Deserialize)]
struct Workspace {
    #[serde(default)]
    exclude: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    workspace: Option<toml::Value>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    xprov: Option<toml::Value>,
}

impl Project {
    /// Finds the project as cargo does: `--manifest-path`, or the nearest Cargo.toml upward from
    /// the working directory; then the workspace that it belongs to.
    pub fn find(ambient: &Ambient, manifest_path: Option<&str>) -> Result<Self, Error> {
        let manifest = match manifest_path {
            Some(path) => {
                let path = ambient.absolute(Path::new(path));
                if !path.is_file() {
                    return Err(Error::NoManifest { path });
                }
                path
            }
            None => nearest_manifest(&ambient.cwd)
                .ok_or_else(|| Error::NoProject { dir: ambient.cwd.clone() })?,
        };
        let manifest = without_links(manifest);
        let (root_manifest, root_text) = workspace_root(ambient, &manifest)?;
        let shown = display(ambient, &root_manifest);
        let mut settings = Settings::parse(&shown, &root_text)?;
        if root_manifest != manifest {
            refuse_member_settings(ambient, &manifest, &shown)?;
        }
        let root = root_manifest.parent().unwrap_or(Path::new("/")).to_path_buf();
        let toolchain = toolchain_file::honour(ambient, &root, &mut settings)?;
        Ok(Self { manifest, root, settings, root_text, toolchain })
    }

    /// The path of the lock.
    pub fn lock_path(&self) -> PathBuf {
        self.root.join(LOCK_NAME)
    }

    /// Where the settings have a key, if they do: `["isa", "native"]`.
    pub fn setting(&self, keys: &[&str]) -> Option<At> {
        let root = DeTable::parse(&self.root_text).ok()?;
        let at = ["workspace", "package"].iter().find_map(|part| {
            let mut value = root.get_ref().get(*part)?;
            for key in ["metadata", "xprov"].iter().chain(keys) {
                value = value.get_ref().as_table()?.get(*key)?;
            }
            Some(value.span().start)
        })?;
        Some(At::line(self.root.join("Cargo.toml"), line_of(&self.root_text, at)))
    }

    /// The project's own recipes: (path for messages, text), sorted.
    pub fn recipes(&self) -> Result<Vec<(String, String)>, FsError> {
        let dir = self.root.join("recipes");
        let Ok(entries) = std::fs::read_dir(&dir) else { return Ok(Vec::new()) };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .collect();
        paths.sort();
        let mut recipes = Vec::new();
        for path in paths {
            if let Some(text) = read_text(&path)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                recipes.push((format!("recipes/{name}"), text));
            }
        }
        Ok(recipes)
    }
}

/// The manifest in its directory's real place: compilers write down the directory that the system
/// says they are in, and no prefix map would fit that of a link.
fn without_links(manifest: PathBuf) -> PathBuf {
    match (manifest.parent(), manifest.file_name()) {
        (Some(dir), Some(name)) => real_path(dir).join(name),
        _ => manifest,
    }
}

/// A path as messages show it.
pub fn display(ambient: &Ambient, path: &Path) -> String {
    ambient.shown(path).display().to_string()
}

/// Settings are the workspace's; in a member they would do nothing.
fn refuse_member_settings(ambient: &Ambient, member: &Path, root: &str) -> Result<(), Error> {
    let shown = display(ambient, member);
    let parsed: Manifest = document::parse(&shown, &read_manifest(member)?)?;
    let metadata = parsed.package.and_then(|package| package.metadata);
    if metadata.and_then(|metadata| metadata.xprov).is_none() {
        return Ok(());
    }
    Err(Error::Usage {
        message: format!("{shown} has settings, and is a member of the workspace in {root}"),
        help: format!("move them to `[workspace.metadata.xprov]` in {root}"),
    })
}

fn nearest_manifest(from: &Path) -> Option<PathBuf> {
    from.ancestors().map(|dir| dir.join("Cargo.toml")).find(|path| path.is_file())
}

/// The root manifest of the workspace that `manifest` belongs to, and its text.
fn workspace_root(ambient: &Ambient, manifest: &Path) -> Result<(PathBuf, String), Error> {
    let own_text = read_manifest(manifest)?;
    let own: Manifest = document::parse(&display(ambient, manifest), &own_text)?;
    let dir = manifest.parent().unwrap_or(Path::new("/"));
    if own.workspace.is_some() {
        return Ok((manifest.to_path_buf(), own_text));
    }
    if let Some(toml::Value::String(root)) = own.package.and_then(|package| package.workspace) {
        let root = dir.join(root).join("Cargo.toml");
        let text = read_manifest(&root)?;
        return Ok((root, text));
    }
    for ancestor in dir.ancestors().skip(1) {
        let candidate = ancestor.join("Cargo.toml");
        let Some(text) = read_text(&candidate)? else { continue };
        let parsed: Manifest = match document::parse(&candidate.display().to_string(), &text) {
            Ok(parsed) => parsed,
            // It would be our root; cargo fails at it, too. Any other is none of our business.
            Err(error) if text.contains("[workspace") => return Err(error.into()),
            Err(_) => continue,
        };
        if let Some(workspace) = parsed.workspace {
            let excluded =
                workspace.exclude.iter().any(|path| dir.starts_with(ancestor.join(path)));
            if !excluded {
                return Ok((candidate, text));
            }
        }
    }
    Ok((manifest.to_path_buf(), own_text))
}

fn read_manifest(path: &Path) -> Result<String, Error> {
    read_text(path)?.ok_or_else(|| Error::NoManifest { path: path.to_path_buf() })
}
