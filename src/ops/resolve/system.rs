//! The machine's own Rust into locked entries, and the std of exactly that compiler for targets.

use super::{make_entry, rust_dist};
use crate::lockfile::{Authenticated, Entry, Identity, Lockfile};
use crate::ops::context::Context;
use crate::ops::error::Error;
use crate::ops::lock;
use crate::ops::project::Project;
use crate::ops::request::Demand;
use crate::ops::resolve::is_version;
use crate::ops::system_rust::{self, Part, SystemRust, SystemRustError};
use crate::recipe::Expansion;
use crate::upstream::Get;
use crate::upstream::debian::Bases;
use crate::upstream::rust_dist::{Channel, Release, RustDistError, release, release_keyring};
use crate::vocab::event::Event;
use crate::vocab::triple::RustTriple;

/// The entries of a recipe whose compiler is the machine's. What other machines are only they can
/// say: their entries stay as they are in the lock, and what is not there yet comes when they lock.
pub fn entries(
    context: &Context<'_>,
    project: &Project,
    (get, places): (&dyn Get, &Bases),
    demand: &Demand<'_>,
    expansions: &[Expansion<'_>],
    kept: Option<&Lockfile>,
) -> Result<Vec<Entry>, Error> {
    let before = lock::read(context, project)?.map(|(lock, _)| lock).unwrap_or_default();
    let (own, others): (Vec<_>, Vec<_>) =
        expansions.iter().partition(|expansion| expansion.host.as_ref() == Some(&context.host));
    let others: Vec<Expansion<'_>> = others.into_iter().cloned().collect();
    let mut entries: Vec<Entry> = others
        .iter()
        .flat_map(|of| super::known(&before, demand, std::slice::from_ref(of)))
        .collect();
    let rust = system_rust::find(context, project)?;
    system_rust::announce(context, &rust.identity.says, &rust.sysroot);
    if let Some(wanted) = demand.version.clone().filter(|own| !is_version(own, rust.release())) {
        let found = rust.identity.says.clone();
        return Err(SystemRustError::Version { wanted, found }.into());
    }
    let mut missing = Vec::new();
    for expansion in own {
        let component = expansion.component.name.as_str();
        match &expansion.target {
            // The compiler has it.
            Some(target) if *target == context.host => {}
            Some(target) => match standing(&rust, demand, expansion, kept) {
                Some(entry) => entries.push(entry),
                None => missing.push((expansion, target)),
            },
            None => {
                let identity = rust.part(Part { component, target: None })?;
                let component = component.to_owned();
                let identity = identity.ok_or(SystemRustError::NoComponent { component })?;
                entries.push(impure(demand, expansion, &rust, identity));
            }
        }
    }
    if !missing.is_empty() {
        let subject = format!("std of {}", rust.identity.says);
        context.observer.event(Event::Step { verb: "Resolving", subject });
        let mut search = search(get, places, demand, &rust)?;
        if let Some(release) = &search.release {
            rust_dist::say_unsigned(context, demand, release);
        }
        for (expansion, target) in missing {
            entries.push(std(context, demand, (expansion, target), &rust, &mut search)?);
        }
    }
    Ok(entries)
}

/// The locked std, if it is that of the compiler which is here.
fn standing(
    rust: &SystemRust<'_>,
    demand: &Demand<'_>,
    expansion: &Expansion<'_>,
    kept: Option<&Lockfile>,
) -> Option<Entry> {
    let lock = kept?;
    let is_same = |entry: &&Entry| {
        entry.key.host == expansion.host && entry.identity.as_ref() == Some(&rust.identity)
    };
    lock.entries.iter().find(is_same)?;
    super::known(lock, demand, std::slice::from_ref(expansion))
        .into_iter()
        .find(|entry| entry.identity.is_none())
}

fn impure(
    demand: &Demand<'_>,
    expansion: &Expansion<'_>,
    rust: &SystemRust<'_>,
    identity: Identity,
) -> Entry {
    let version = rust.release().to_owned();
    let entry = make_entry(demand, expansion, version, Authenticated::Impure, Vec::new());
    Entry { identity: Some(identity), ..entry }
}

/// What was found where a std may come from.
#[derive(Default)]
struct Search {
    /// The release that the compiler is of.
    release: Option<Release>,
    /// What else was there, by place.
    tried: Vec<String>,
    /// Why a server said nothing.
    silence: Option<RustDistError>,
}

/// Looks for the release that the compiler is of. A distribution's own build says behind the version
/// that it is one: it has metadata of its own, and is no release, whatever its commit.
fn search(
    get: &dyn Get,
    places: &Bases,
    demand: &Demand<'_>,
    rust: &SystemRust<'_>,
) -> Result<Search, Error> {
    let version = rust.identity.says.strip_prefix("rustc ").unwrap_or_default();
    let keyring = release_keyring()?;
    let servers = rust_dist::servers(places);
    let mut search = Search::default();
    for channel in channels(rust) {
        match release(get, servers, &keyring, &channel) {
            Ok(found) if found.manifest.is_of(version, rust.identity.commit.as_deref()) => {
                return Ok(Search { release: Some(found), ..search });
            }
            Ok(found) => {
                let other = found.manifest.rustc();
                search.tried.push(format!("Rust's releases: {channel} is rustc {other}"));
            }
            Err(error) if error.is_integrity() => return Err(rust_dist::of(demand)(error)),
            Err(error) => {
                search.tried.push(format!("Rust's releases: {error}"));
                let is_silent = !matches!(error, RustDistError::NoRelease { .. });
                search.silence = search.silence.or(is_silent.then_some(error));
            }
        }
    }
    Ok(search)
}

/// The releases that the compiler can be of. A nightly has the day after that of its commit, as a
/// rule.
fn channels(rust: &SystemRust<'_>) -> Vec<Channel> {
    let date = rust.version_verbose.lines().find_map(|line| line.strip_prefix("commit-date: "));
    let date = date.and_then(|date| date.parse::<jiff::civil::Date>().ok());
    let names: Vec<String> = match (rust.release().ends_with("-nightly"), date) {
        (true, Some(date)) => {
            let after = date.tomorrow().unwrap_or(date);
            [after, date].iter().map(|day| format!("nightly-{day}")).collect()
        }
        _ => vec![rust.release().to_owned()],
    };
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// The std of the compiler for a target: of its release, else what the machine has beside it.
fn std(
    context: &Context<'_>,
    demand: &Demand<'_>,
    (expansion, target): (&Expansion<'_>, &RustTriple),
    rust: &SystemRust<'_>,
    search: &mut Search,
) -> Result<Entry, Error> {
    let mut tried = search.tried.clone();
    if let Some(release) = &search.release {
        match rust_dist::entry(demand, expansion, release) {
            Ok(entry) => return Ok(entry),
            Err(Error::NoArtifact { .. }) => {
                let version = release.manifest.version();
                tried.push(format!("Rust's releases: {version} has none for this target"));
            }
            Err(error) => return Err(error),
        }
    }
    let component = expansion.component.name.as_str();
    if let Some(identity) = rust.part(Part { component, target: Some(target) })? {
        context.observer.event(Event::Note(format!(
            "impure: the std for {target} is this machine's own, too ({})",
            tried.join("; ")
        )));
        return Ok(impure(demand, expansion, rust, identity));
    }
    if let Some(silence) = search.silence.take() {
        return Err(rust_dist::of(demand)(silence));
    }
    tried.push(format!("`{}/lib/rustlib/{target}`: is not there", rust.sysroot.display()));
    let (target, compiler) = (target.clone(), rust.identity.says.clone());
    Err(SystemRustError::NoStd { target, compiler, tried }.into())
}
