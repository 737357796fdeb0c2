//! A crate: its versions in Cargo.lock, what it may assume of the CPU, and the compiler calls that
//! were made for it.

use serde::Deserialize;

use super::{Answer, Layer, Scene, Sort, Standing};
use crate::ops::at::At;
use crate::ops::error::Error;
use crate::ops::project::Project;
use crate::sys::fs::read_text;
use crate::vocab::document;

/// A package of Cargo.lock.
pub struct Locked {
    /// Its name.
    pub name: String,
    version: String,
    /// Where it comes from; `None` for what is here by its path.
    source: Option<String>,
    at: At,
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default, rename = "package")]
    packages: Vec<toml::Spanned<Package>>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
}

/// The packages of the project's Cargo.lock; none where there is no such file.
pub fn locked(project: &Project) -> Result<Vec<Locked>, Error> {
    let file = project.root.join("Cargo.lock");
    let Some(text) = read_text(&file)? else { return Ok(Vec::new()) };
    let lock: Lock = document::parse("Cargo.lock", &text)?;
    let package = |package: toml::Spanned<Package>| {
        let line = text[..package.span().start].matches('\n').count() + 1;
        let Package { name, version, source } = package.into_inner();
        Locked { name, version, source, at: At::line(&file, line) }
    };
    Ok(lock.packages.into_iter().map(package).collect())
}

/// The answer, if the crate is in Cargo.lock.
pub fn answer(scene: &Scene<'_>, packages: &[Locked], name: &str) -> Option<Answer> {
    let mut layers = Vec::new();
    let mut versions = Vec::new();
    for package in packages.iter().filter(|package| package.name == name) {
        versions.push(package.version.as_str());
        let from = match &package.source {
            Some(source) => format!("{}, from {source}", package.version),
            None => format!("{}, of this project or beside it", package.version),
        };
        let layer = Layer::new(Standing::Wins, "locked", from);
        layers.push(layer.at(package.at.clone()));
    }
    if versions.is_empty() {
        return None;
    }
    let value = versions.join(", ");
    let baseline = scene.project.settings.target(scene.target).baseline;
    layers.push(match baseline {
        Some(baseline) => Layer::new(Standing::Tells, "settings, baseline", baseline),
        None => Layer::new(Standing::Tells, "xprov", "the target's own baseline"),
    });
    layers.extend(scene.calls.layers(|line| line.krate.as_deref() == Some(name)));
    Some(Answer { sort: Sort::Crate, value: Some(value), layers })
}
