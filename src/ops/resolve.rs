//! From what is wanted to locked entries: asks the upstreams, at lock time only.

mod minisign;
mod packages;
mod rust_dist;
mod system;

use std::collections::BTreeMap;

use jiff::Timestamp;

use self::packages::{entry, request, say_skipped};
use super::context::Context;
use super::error::Error;
use super::project::Project;
use super::request::{Demand, Wanted};
use super::sysroot_packages;
use crate::fetch::{FetchError, Fetcher};
use crate::lockfile::{
    Artifact, Authenticated, Derived, Entry, INSTALLED, Key, Lockfile, RequestedRecipe,
};
use crate::recipe::{Collection, Expansion, PinnedArtifact, Recipe, Status};
use crate::upstream::debian::{self, Access, Bases, DebianError, ResolvedComponent, Resolver};
use crate::upstream::{Get, GetError};
use crate::vocab::digest::Sha256;
use crate::vocab::event::Event;
use crate::vocab::triple::RustTriple;
use crate::vocab::url::Url;

/// Where apt keeps its configuration.
const APT_DIR: &str = "/etc/apt";

/// The signature in a lock, with the name that it is for.
pub use minisign::of_lock as signed;
/// The servers of Rust's releases, best first.
pub use rust_dist::servers;

/// The places that serve Debian's archives and Rust's releases to this machine and project; the
/// snapshot service is that of the first recipe which names one.
pub fn bases<'a>(
    context: &Context<'_>,
    project: &Project,
    recipes: impl IntoIterator<Item = &'a Recipe>,
) -> Result<Bases, Error> {
    let apt_dir = context.ambient.var("XPROV_APT_DIR").unwrap_or(APT_DIR);
    let machine = debian::sources::read(apt_dir.as_ref())?;
    let recipes: Vec<&Recipe> = recipes.into_iter().collect();
    let of_recipe = |recipe: &&'a Recipe| recipe.debian.as_ref()?.snapshot.as_deref();
    let template = recipes.iter().find_map(of_recipe);
    let snapshot = template.map(str::parse).transpose().map_err(Error::SnapshotTemplate)?;
    let mut bases = Bases { settings: project.settings.mirrors.clone(), machine, snapshot };
    rust_dist::add_servers(&mut bases, &project.settings, recipes.into_iter());
    Ok(bases)
}

/// Resolves everything that is wanted. What `kept` has already, and nobody asked to change, is
/// taken from there.
pub fn resolve(
    context: &Context<'_>,
    project: &Project,
    collection: &Collection,
    wanted: &Wanted<'_>,
    kept: Option<&Lockfile>,
) -> Result<Lockfile, Error> {
    let fetcher = context.fetcher();
    let keyring = debian::archive_keyring()?;
    let recipes = wanted.demands.iter().map(|demand| demand.selected.recipe);
    let bases = bases(context, project, recipes)?;
    let now = Timestamp::now();
    let get = Through(&fetcher);
    let signatures = minisign::Signatures::new(&get);
    let mut resolver = Resolver::new(Access { get: &get, keyring: &keyring, bases: &bases, now });
    let request = wanted.request();
    let mut entries = Vec::new();
    for demand in &wanted.demands {
        let expansions = expand(wanted, demand)?;
        let unchanged = kept.filter(|lock| {
            let hosts: Vec<&RustTriple> =
                wanted.hosts.iter().filter(|host| demand.is_for(host)).collect();
            let is_this = |recipe: &&RequestedRecipe| {
                (recipe.slot, &recipe.target, &recipe.tool)
                    == (demand.slot, &demand.target, &demand.tool)
            };
            let kept = |recipe: &RequestedRecipe| {
                let is_for =
                    |host: &&&RustTriple| recipe.host.as_ref().is_none_or(|of| of == **host);
                hosts.iter().filter(is_for).all(|host| {
                    let kept = lock.request.recipe_on(host, recipe);
                    kept.is_none_or(|kept| kept.chooses_as(recipe))
                })
            };
            request.recipes.iter().filter(is_this).all(kept)
        });
        if demand.selected.recipe.is_impure() {
            let from: (&dyn Get, _) = (&get, &bases);
            entries.extend(system::entries(
                context,
                project,
                from,
                demand,
                &expansions,
                unchanged,
            )?);
            continue;
        }
        let known: Vec<Entry> =
            unchanged.map_or_else(Vec::new, |lock| known(lock, demand, &expansions));
        if known.len() == expansions.len() {
            entries.extend(sysroot_packages::entry(
                context,
                &mut resolver,
                demand,
                &known,
                unchanged,
            )?);
            entries.extend(known);
            continue;
        }
        let subject = match &demand.target {
            Some(target) => format!("{} for {target}", demand.selected.recipe.name),
            None => demand.selected.recipe.name.to_string(),
        };
        context.observer.event(Event::Step { verb: "Resolving", subject });
        // A version that is locked stays, if the addition is to be had in it.
        let held = known.first().map(|entry| format!("={}", entry.key.version));
        let held = held.as_deref();
        let of_releases: Vec<_> =
            expansions.iter().filter(|expansion| expansion.component.dist.is_some()).collect();
        if !of_releases.is_empty() {
            let own = rust_dist::entries(context, &get, &bases, demand, &of_releases, held)?;
            entries.extend(own);
        }
        let (wheels, expansions): (Vec<_>, Vec<_>) =
            expansions.into_iter().partition(|expansion| expansion.component.wheel);
        let mirrors = &project.settings.mirrors;
        entries.extend(super::pypi::entries(context, mirrors, demand, &wheels, held)?);
        // A version that settings ask for is the wheel's, not that of packages beside it.
        let version = demand.version.clone().filter(|_| wheels.is_empty());
        let packaged = Demand { version, ..demand.clone() };
        entries.extend(of_machine(demand, &expansions)?);
        let made =
            demand_entries(context, (&signatures, &mut resolver), &packaged, &expansions, held)?;
        entries.extend(sysroot_packages::entry(context, &mut resolver, demand, &made, unchanged)?);
        entries.extend(made);
    }
    signatures.say(context);
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    entries.dedup_by(|a, b| a.key == b.key);
    for artifact in entries.iter_mut().flat_map(|entry| &mut entry.artifacts) {
        artifact.tree = super::realise::known_tree(context, artifact)?;
    }
    let mut lock = Lockfile { request, entries };
    for index in 0..lock.entries.len() {
        let tree = super::derive::known_tree(context, collection, &lock, &lock.entries[index])?;
        if let Some(derived) = &mut lock.entries[index].derivation {
            derived.tree = tree;
        }
    }
    Ok(lock)
}

/// The entries that all hosts and targets need of one demand, each once.
fn expand<'a>(wanted: &Wanted<'_>, demand: &'a Demand<'a>) -> Result<Vec<Expansion<'a>>, Error> {
    let mut unique = BTreeMap::new();
    for host in wanted.hosts.iter().filter(|host| demand.is_for(host)) {
        let of_slot: Vec<&RustTriple> = match &demand.target {
            // A C compiler for a machine that is only a host is needed on that machine only.
            Some(target) if wanted.targets.contains(target) || target == host => vec![target],
            Some(_) => vec![],
            None => wanted.targets.iter().chain([host]).collect(),
        };
        for target in of_slot {
            for expansion in
                demand.selected.recipe.variant(host)?.expand(host, target, &demand.components)
            {
                // What runs on a target is for the one that is asked for, and not for the host.
                if demand.target.is_some()
                    && expansion.target.is_some()
                    && expansion.target != demand.target
                {
                    continue;
                }
                let key = (
                    expansion.component.name.clone(),
                    expansion.host.clone(),
                    expansion.target.clone(),
                );
                unique.entry(key).or_insert(expansion);
            }
        }
    }
    Ok(unique.into_values().collect())
}

/// The entries of `lock` that answer the expansions of a demand.
fn known(lock: &Lockfile, demand: &Demand<'_>, expansions: &[Expansion<'_>]) -> Vec<Entry> {
    let answers = |entry: &&Entry, expansion: &Expansion<'_>| {
        entry.recipe == demand.selected.recipe.name
            && entry.key.name == expansion.component.name
            && entry.key.host == expansion.host
            && entry.key.target == expansion.target
    };
    expansions
        .iter()
        .filter_map(|expansion| {
            lock.entries.iter().find(|entry| answers(entry, expansion)).cloned()
        })
        .collect()
}

fn demand_entries(
    context: &Context<'_>,
    (signatures, resolver): (&minisign::Signatures<'_>, &mut Resolver<'_>),
    demand: &Demand<'_>,
    expansions: &[Expansion<'_>],
    held: Option<&str>,
) -> Result<Vec<Entry>, Error> {
    let is_pinned = |expansion: &&Expansion<'_>| !expansion.component.artifacts.is_empty();
    let rest = expansions.iter().filter(|expansion| {
        expansion.component.dist.is_none() && expansion.component.machine.is_none()
    });
    let (own, looked_up): (Vec<_>, Vec<_>) = rest.partition(is_pinned);
    let mut entries: Vec<Entry> = own
        .into_iter()
        .map(|expansion| pinned(signatures, demand, expansion))
        .collect::<Result<_, _>>()?;
    say_unconfirmed(context, demand, expansions, &entries);
    let Some(debian) = demand.selected.recipe.debian.as_ref().filter(|_| !looked_up.is_empty())
    else {
        return Ok(entries);
    };
    let mut ask = |version: Option<&str>| -> Result<_, Error> {
        Ok(resolver.resolve(&request(debian, &looked_up, version)?))
    };
    let by_version = debian.version_package.is_some();
    let first = held.filter(|_| by_version);
    let wanted = demand.version.as_deref().filter(|_| by_version);
    let mut resolution = ask(first.or(wanted))?;
    if first.is_some()
        && let Err(DebianError::NoVersion { .. }) = resolution
    {
        resolution = ask(wanted)?;
    }
    let resolution = resolution.map_err(|source| Error::Debian {
        recipe: demand.selected.recipe.name.clone(),
        source: Box::new(source),
    })?;
    say_skipped(context, demand, &resolution);
    let pairs = || looked_up.iter().zip(&resolution.components);
    if let (false, Some(version)) = (by_version, &demand.version) {
        let is_other = |(expansion, component): &(&&Expansion<'_>, &ResolvedComponent)| {
            !is_version(version, &entry(demand, expansion, component).key.version)
        };
        let mut others = pairs().filter(is_other);
        let all = others.clone().count() == looked_up.len()
            && entries.is_empty()
            && expansions.len() == looked_up.len();
        // A tool has the version on every host; beside a toolchain's own pins, packages are
        // libraries with versions of their own.
        if let Some((expansion, _)) = others.next().filter(|_| all || demand.tool.is_some()) {
            return Err(no_artifact(demand, expansion));
        }
    }
    let pairs = pairs();
    entries.extend(pairs.map(|(expansion, component)| entry(demand, expansion, component)));
    Ok(entries)
}

/// One line where a pin was seen in one place only.
fn say_unconfirmed(
    context: &Context<'_>,
    demand: &Demand<'_>,
    expansions: &[Expansion<'_>],
    entries: &[Entry],
) {
    let single = |pin: &&PinnedArtifact| pin.status == Status::SingleSource;
    let pins = expansions.iter().flat_map(|expansion| expansion.pins().filter(single));
    let single: Vec<Sha256> = pins.map(|pin| pin.sha256).collect();
    let doubted = |entry: &&Entry| entry.artifacts.iter().any(|of| single.contains(&of.sha256));
    let keys: Vec<String> = entries.iter().filter(doubted).map(|of| of.key.to_string()).collect();
    if !keys.is_empty() {
        let recipe = &demand.selected.recipe.name;
        let (keys, show) = (keys.join(", "), format!("`xprov recipes show {recipe}`"));
        let note = format!("{recipe}: the digest of {keys} was seen in one place only ({show})");
        context.observer.event(Event::Note(note));
    }
}

/// The entries of what a machine has installed: nothing is known of it here, and any version is
/// the one that is there.
fn of_machine(demand: &Demand<'_>, expansions: &[Expansion<'_>]) -> Result<Vec<Entry>, Error> {
    let own = expansions.iter().filter(|expansion| expansion.component.machine.is_some());
    own.map(|expansion| {
        if demand.version.is_some() {
            return Err(no_artifact(demand, expansion));
        }
        let version = INSTALLED.to_owned();
        Ok(make_entry(demand, expansion, version, Authenticated::Impure, Vec::new()))
    })
    .collect()
}

pub(super) fn make_entry(
    demand: &Demand<'_>,
    expansion: &Expansion<'_>,
    version: String,
    authenticated: Authenticated,
    artifacts: Vec<Artifact>,
) -> Entry {
    Entry {
        key: Key {
            name: expansion.component.name.clone(),
            version,
            host: expansion.host.clone(),
            target: expansion.target.clone(),
        },
        slot: demand.slot,
        recipe: demand.selected.recipe.name.clone(),
        authenticated,
        derivation: expansion.component.derivation.map(|name| Derived { name, tree: None }),
        identity: None,
        artifacts,
    }
}

/// The entry of a component whose artifacts are pinned in the recipe itself.
fn pinned(
    signatures: &minisign::Signatures<'_>,
    demand: &Demand<'_>,
    expansion: &Expansion<'_>,
) -> Result<Entry, Error> {
    let fits = |artifact: &&PinnedArtifact| {
        demand.version.as_ref().is_none_or(|wanted| is_version(wanted, &artifact.version))
    };
    let newest =
        expansion.pins().filter(fits).max_by(|a, b| compare_versions(&a.version, &b.version));
    let artifact = newest.ok_or_else(|| no_artifact(demand, expansion))?;
    let minisign = signatures.of(artifact, expansion.component.name.as_str())?;
    // What stands in a recipe counts as published where it says by whom.
    let hearsay = artifact.seen_in.is_empty() || artifact.status == Status::VerifiedBytes;
    let authenticated = match minisign {
        Some(_) => Authenticated::Signature,
        None if hearsay => Authenticated::FirstUse,
        None => Authenticated::PublishedDigest,
    };
    let artifacts = vec![Artifact {
        name: expansion.component.name.to_string(),
        version: artifact.version.clone(),
        location: rust_dist::location(demand.selected.recipe, &artifact.urls),
        sha256: artifact.sha256,
        size: artifact.size,
        unpack: artifact.unpack.clone(),
        minisign,
        tree: None,
    }];
    let version = artifact.version.clone();
    Ok(make_entry(demand, expansion, version, authenticated, artifacts))
}

fn no_artifact(demand: &Demand<'_>, expansion: &Expansion<'_>) -> Error {
    Error::NoArtifact {
        recipe: demand.selected.recipe.name.clone(),
        component: expansion.component.name.clone(),
        version: demand.version.clone(),
        host: expansion.host.clone(),
        target: expansion.target.clone(),
    }
}

/// `1.85` admits 1.85 and 1.85.1, `=1.85.0` only itself.
pub fn is_version(wanted: &str, version: &str) -> bool {
    match wanted.strip_prefix('=') {
        Some(exact) => exact == version,
        None => version.strip_prefix(wanted).is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(|c: char| !c.is_ascii_alphanumeric())
        }),
    }
}

/// Semantic versions by their rules, others after them by text.
pub(super) fn compare_versions(a: &str, b: &str) -> std::cmp::Ordering {
    match (semver::Version::parse(a), semver::Version::parse(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (a_parsed, b_parsed) => a_parsed.is_ok().cmp(&b_parsed.is_ok()).then_with(|| a.cmp(b)),
    }
}

/// The fetcher as upstreams see it.
pub(super) struct Through<'a>(pub &'a Fetcher);

impl Get for Through<'_> {
    fn get(&self, url: &Url, limit: u64) -> Result<Vec<u8>, GetError> {
        self.0.get(url, limit).map_err(|error| match error {
            FetchError::NotFound { .. } => GetError::NotFound { url: url.clone() },
            error => GetError::Failed { url: url.clone(), source: Box::new(error) },
        })
    }
}
