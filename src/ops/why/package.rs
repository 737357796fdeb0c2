//! A crate: its versions in Cargo.lock, what it may assume of the CPU, and the compiler calls that
//! were made for it.

use serde::Deserialize;

use super::{Answer, Layer, Scene, Sort, Standing, native};
use crate::ops::at::At;
use crate::ops::error::Error;
use crate::ops::project::Project;
use crate::shim::policy::Crate;
use crate::sys::fs::read_text;
use crate::vocab::document::{self, line_of};

/// A package of Cargo.lock.
pub struct Locked {
    /// Its name.
    pub name: String,
    version: String,
    /// Where it comes from; `None` for what is here by its path.
    source: Option<String>,
    at: At,
}

impl Locked {
    /// As a call of a compiler names it.
    pub fn as_crate(&self) -> Crate<'_> {
        Crate { name: Some(&self.name), version: Some(&self.version) }
    }
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
        let line = line_of(&text, package.span().start);
        let Package { name, version, source } = package.into_inner();
        Locked { name, version, source, at: At::line(&file, line) }
    };
    Ok(lock.packages.into_iter().map(package).collect())
}

/// The answer, if the crate is in Cargo.lock.
pub fn answer(scene: &Scene<'_>, name: &str) -> Option<Answer> {
    let mut layers = Vec::new();
    let mut versions = Vec::new();
    let packages = scene.packages.iter().filter(|package| package.name == name);
    for package in packages.clone() {
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
    let baseline = scene.environment.plan.allowed.baseline();
    let level = baseline.map_or("nothing is known of such machines", |level| level.name());
    layers.push(match scene.project.settings.target(scene.target).baseline {
        Some(_) => Layer::new(Standing::Tells, "settings, baseline", level),
        None => Layer::new(Standing::Tells, "xprov, baseline", level),
    });
    for package in packages {
        let layer = native::of_crate(scene, package.as_crate());
        let is_new = |layer: &Layer| !layers.contains(layer);
        layers.extend(layer.filter(is_new));
    }
    layers.extend(scene.calls.layers(|line| line.krate.as_deref() == Some(name)));
    Some(Answer { sort: Sort::Crate, value: Some(value), layers })
}
