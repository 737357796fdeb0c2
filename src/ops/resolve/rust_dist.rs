//! Components of Rust's releases into locked entries, and the servers that have them.

use super::{make_entry, no_artifact};
use crate::lockfile::{Artifact, Authenticated, Entry, Location};
use crate::ops::context::Context;
use crate::ops::error::Error;
use crate::ops::request::Demand;
use crate::recipe::{Expansion, Recipe};
use crate::settings::Settings;
use crate::upstream::Get;
use crate::upstream::debian::Bases;
use crate::upstream::rust_dist::{self, Channel, Release, RustDistError};
use crate::vocab::event::Event;
use crate::vocab::relpath::RelPath;
use crate::vocab::triple::RustTriple;
use crate::vocab::url::Url;

/// The name under which settings give mirrors of Rust's releases.
const MIRRORS: &str = "rust";

/// Adds the servers of `recipes` to the places that are known. Mirrors of the settings stand in for
/// them: who names one does not want the others asked.
pub fn add_servers<'a>(
    places: &mut Bases,
    settings: &Settings,
    recipes: impl Iterator<Item = &'a Recipe>,
) {
    if settings.mirrors.contains_key(MIRRORS) {
        return;
    }
    let mut servers: Vec<Url> = recipes
        .filter_map(|recipe| recipe.rust_dist.as_ref())
        .map(|dist| dist.server.clone())
        .collect();
    servers.sort();
    servers.dedup();
    places.settings.insert(MIRRORS.to_owned(), servers);
}

/// The servers that have Rust's releases, best first.
pub fn servers(places: &Bases) -> &[Url] {
    places.settings.get(MIRRORS).map_or(&[], Vec::as_slice)
}

/// Where pinned files are: what lies on the server of the recipe's releases is found on mirrors of
/// it, too.
pub fn location(recipe: &Recipe, urls: &[Url]) -> Location {
    let below = || {
        let [url] = urls else { return None };
        let server = recipe.rust_dist.as_ref()?.server.as_str().trim_end_matches('/');
        let path = url.as_str().strip_prefix(server)?.strip_prefix('/')?;
        RelPath::parse(path.as_bytes()).ok()
    };
    below().map_or_else(|| Location::Urls(urls.to_vec()), Location::RustDist)
}

/// The entries of the components that releases have. The release that is `held` already stays, if
/// it has all of them.
pub fn entries(
    context: &Context<'_>,
    get: &dyn Get,
    places: &Bases,
    demand: &Demand<'_>,
    expansions: &[&Expansion<'_>],
    held: Option<&str>,
) -> Result<Vec<Entry>, Error> {
    let keyring = rust_dist::release_keyring()?;
    let wanted = match &demand.version {
        Some(version) => version.parse()?,
        None => Channel::stable(),
    };
    let ask = |channel: &Channel| -> Result<Vec<Entry>, Error> {
        let release =
            rust_dist::release(get, servers(places), &keyring, channel).map_err(of(demand))?;
        say_unsigned(context, demand, &release);
        expansions.iter().map(|expansion| entry(demand, expansion, &release)).collect()
    };
    match held.map(str::parse::<Channel>) {
        Some(Ok(held)) => match ask(&held) {
            Err(Error::NoArtifact { .. }) if held != wanted => ask(&wanted),
            entries => entries,
        },
        _ => ask(&wanted),
    }
}

/// An error of releases as that of the recipe.
pub fn of(demand: &Demand<'_>) -> impl FnOnce(RustDistError) -> Error {
    let recipe = demand.selected.recipe.name.clone();
    |source| Error::RustDist { recipe, source: Box::new(source) }
}

/// One line where only a digest attests the release.
pub fn say_unsigned(context: &Context<'_>, demand: &Demand<'_>, release: &Release) {
    if release.signer.is_none() {
        let recipe = &demand.selected.recipe.name;
        let version = release.manifest.version();
        context.observer.event(Event::Note(format!(
            "{recipe} {version}: the server has no signature of the release manifest; its digest, \
             from the same server, is all that attests it"
        )));
    }
}

/// The entry of one component.
pub fn entry(
    demand: &Demand<'_>,
    expansion: &Expansion<'_>,
    release: &Release,
) -> Result<Entry, Error> {
    let manifest = &release.manifest;
    let triple =
        expansion.target.as_ref().or(expansion.host.as_ref()).map_or("", RustTriple::as_str);
    let component = expansion.component.dist.as_deref().unwrap_or_default();
    let artifact = manifest
        .artifact(component, triple)
        .map_err(|source| RustDistError::Address { source })
        .map_err(of(demand))?;
    let artifact = artifact.ok_or_else(|| no_artifact(demand, expansion))?;
    let version = manifest.version().to_owned();
    let authenticated = match release.signer {
        Some(_) => Authenticated::Signature,
        None => Authenticated::PublishedDigest,
    };
    let artifacts = vec![Artifact {
        name: expansion.component.name.to_string(),
        version: version.clone(),
        location: Location::RustDist(artifact.path),
        sha256: artifact.sha256,
        size: None,
        unpack: artifact.unpack,
        minisign: None,
        tree: None,
    }];
    Ok(make_entry(demand, expansion, version, authenticated, artifacts))
}
