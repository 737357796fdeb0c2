//! The releases and indexes that one lock has read so far, each fetched and verified once.
//!
//! Decides which place serves a suite, and nothing about packages.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::thread;

use jiff::Timestamp;

use super::DebianError;
use super::closure::Shelf;
use super::index::{self, IndexError, IndexName};
use super::location::{Bases, IndexDate};
use super::packages::Packages;
use super::release::{self, Freshness, Release};
use super::request::Suite;
use crate::upstream::Get;
use crate::upstream::signature::Keyring;
use crate::vocab::url::Url;

/// How the archives are reached and whom to believe.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// The way to documents.
    pub get: &'a dyn Get,
    /// The keys that may sign releases.
    pub keyring: &'a Keyring,
    /// The places.
    pub bases: &'a Bases,
    /// The time, against which releases are checked.
    pub now: Timestamp,
}

/// A release and the places that may have its indexes, best first.
pub struct Published {
    /// The release.
    pub release: Release,
    bases: Vec<Url>,
}

/// By archive and suite.
type ReleaseKey = (String, String);
/// By archive and index.
type IndexKey = (String, IndexName);

/// What was read so far.
#[derive(Default)]
pub struct Catalogue {
    releases: BTreeMap<ReleaseKey, Published>,
    indexes: BTreeMap<IndexKey, Result<Packages, IndexError>>,
}

impl Catalogue {
    /// Reads the indexes of `suites` for `arches` that were not read before, in parallel.
    /// Fails where a suite has no usable release, or where the answer would depend on luck.
    pub fn load(
        &mut self,
        access: Access<'_>,
        suites: &[Suite],
        arches: &[String],
    ) -> Result<(), DebianError> {
        let missing: Vec<&Suite> =
            suites.iter().filter(|suite| !self.releases.contains_key(&key(suite))).collect();
        for (suite, published) in in_parallel(missing, |suite| publish(access, suite)) {
            self.releases.insert(key(suite), published?);
        }
        let mut names: Vec<IndexKey> = keys(suites, arches);
        names.retain(|name| !self.indexes.contains_key(name));
        let loaded = in_parallel(names, |(archive, name)| {
            let published = self.releases.get(&(archive.clone(), name.suite.clone()))?;
            Some(index::fetch(access.get, &published.bases, &published.release, name))
        });
        for (key, result) in loaded {
            match result {
                Some(Err(error)) if !error.is_confined() => {
                    return Err(DebianError::Index(Box::new(error)));
                }
                Some(result) => drop(self.indexes.insert(key, result)),
                None => {}
            }
        }
        Ok(())
    }

    /// The release of a suite.
    pub fn release(&self, suite: &Suite) -> Option<&Release> {
        self.releases.get(&key(suite)).map(|published| &published.release)
    }

    /// The usable indexes, in the order of the suites.
    pub fn shelves<'a>(&'a self, suites: &'a [Suite], arches: &[String]) -> Vec<Shelf<'a>> {
        let mut shelves = Vec::new();
        for suite in suites {
            let Some(release) = self.release(suite) else { continue };
            for key in keys(std::slice::from_ref(suite), arches) {
                if let Some(((archive, name), Ok(packages))) = self.indexes.get_key_value(&key) {
                    shelves.push(Shelf {
                        archive,
                        suite: &name.suite,
                        arch: &name.arch,
                        date: release.date,
                        packages,
                    });
                }
            }
        }
        shelves
    }

    /// The unusable indexes, in the order of the suites.
    pub fn failures(&self, suites: &[Suite], arches: &[String]) -> Vec<(&IndexName, &IndexError)> {
        let keys = keys(suites, arches);
        let found = keys.iter().filter_map(|key| self.indexes.get_key_value(key));
        found.filter_map(|((_, name), result)| Some((name, result.as_ref().err()?))).collect()
    }
}

fn key(suite: &Suite) -> ReleaseKey {
    (suite.archive.clone(), suite.name.clone())
}

fn keys(suites: &[Suite], arches: &[String]) -> Vec<IndexKey> {
    let mut keys = Vec::new();
    for suite in suites {
        for component in &suite.components {
            for arch in arches {
                let (suite_name, component) = (suite.name.clone(), component.clone());
                let name = IndexName { suite: suite_name, component, arch: arch.clone() };
                keys.push((suite.archive.clone(), name));
            }
        }
    }
    keys
}

/// The first place with a usable release: one that is not Debian's, is behind or is damaged only
/// costs a look, because nothing of it is believed.
fn publish(access: Access<'_>, suite: &Suite) -> Result<Published, DebianError> {
    let live = access.bases.live(&suite.archive);
    let dated = access.bases.dated(&suite.archive, IndexDate::new(access.now));
    let fresh = Freshness::ValidAt(access.now);
    let places: Vec<(Url, Freshness)> = live
        .into_iter()
        .map(|base| (base, fresh))
        .chain(dated.map(|base| (base, Freshness::Dated)))
        .collect();
    let mut refused = Vec::new();
    for (base, freshness) in &places {
        match release::fetch(access.get, base, &suite.name, access.keyring, *freshness) {
            Ok(release) => {
                // The digest is signed: whoever has the bytes will do.
                let others = places.iter().map(|(other, _)| other).filter(|other| *other != base);
                let bases = [base].into_iter().chain(others).cloned().collect();
                return Ok(Published { release, bases });
            }
            Err(error) => refused.push((base.clone(), error)),
        }
    }
    Err(DebianError::no_release(suite, refused))
}

/// Runs `work` on every item, each in a thread of its own; results are in the items' order.
fn in_parallel<T: Sync, R: Send>(items: Vec<T>, work: impl Fn(&T) -> R + Sync) -> Vec<(T, R)> {
    let results: Vec<R> = thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = items.iter().map(|item| scope.spawn(move || work(item))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    items.into_iter().zip(results).collect()
}
