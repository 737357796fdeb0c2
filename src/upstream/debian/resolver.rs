//! From a request to pinned artifacts: the newest version for which everything that is needed is
//! there, with what was passed over and why.
//!
//! Decides about versions; places, signatures and digests are the catalogue's business.

use std::collections::BTreeMap;

use super::DebianError;
use super::catalogue::{Access, Catalogue};
use super::closure::{ClosureError, Pick, Shelf, Wanted, closure};
use super::request::{
    Component, DebianArtifact, PackageOn, Request, Resolution, ResolvedComponent, SignedRelease,
    Skipped,
};
use super::version::Version;

/// Answers the requests of one lock; what one request has read serves the next.
pub struct Resolver<'a> {
    access: Access<'a>,
    catalogue: Catalogue,
}

/// Versions by package and architecture.
type Settled = BTreeMap<(String, String), Version>;

impl<'a> Resolver<'a> {
    /// A resolver that has read nothing yet.
    pub fn new(access: Access<'a>) -> Self {
        Self { access, catalogue: Catalogue::default() }
    }

    /// Answers one request.
    pub fn resolve(&mut self, request: &Request) -> Result<Resolution, DebianError> {
        let arches = arches(request);
        self.catalogue.load(self.access, &request.suites, &arches)?;
        let shelves = self.catalogue.shelves(&request.suites, &arches);
        let mut skipped = Vec::new();
        let (version, components) = if request.same_version.is_empty() {
            (None, components(request, &shelves, &Settled::new()).map_err(DebianError::Closure)?)
        } else {
            let (version, components) =
                self.newest_consistent(request, &arches, &shelves, &mut skipped)?;
            (Some(version), components)
        };
        for (name, error) in self.catalogue.failures(&request.suites, &arches) {
            let told = |s: &Skipped| s.suite == name.suite && s.arch == name.arch;
            if !skipped.iter().any(told) {
                let (suite, arch) = (name.suite.clone(), name.arch.clone());
                skipped.push(Skipped { version: None, suite, arch, reason: error.to_string() });
            }
        }
        let releases = self.releases(request, &components);
        Ok(Resolution { version, components, skipped, releases })
    }

    fn newest_consistent(
        &self,
        request: &Request,
        arches: &[String],
        shelves: &[Shelf<'_>],
        skipped: &mut Vec<Skipped>,
    ) -> Result<(String, Vec<ResolvedComponent>), DebianError> {
        let mut last_failure = None;
        let all = versions(&request.same_version, shelves);
        let wanted = |version: &&Version| {
            request.version.as_ref().is_none_or(|request| request.admits(version))
        };
        for version in all.iter().filter(wanted) {
            match settle(&request.same_version, version, shelves) {
                Err(absent) => {
                    skipped.push(self.why_absent(request, arches, version, absent, shelves));
                }
                Ok(settled) => match components(request, shelves, &settled) {
                    Ok(components) => {
                        let first = request.same_version.first();
                        let key = first.map(|first| (first.package.clone(), first.arch.clone()));
                        let version = key.and_then(|key| settled.get(&key)).unwrap_or(version);
                        return Ok((version.to_string(), components));
                    }
                    Err(error) => {
                        skipped.push(passed_over(&request.same_version, version, shelves, &error));
                        last_failure = Some(error);
                    }
                },
            }
        }
        Err(DebianError::NoVersion {
            packages: names(&request.same_version),
            wanted: request.version.as_ref().map(ToString::to_string),
            seen: all.iter().map(ToString::to_string).collect(),
            skipped: std::mem::take(skipped),
            source: last_failure.map(Box::new),
        })
    }

    /// Why a version that exists elsewhere is not there for an architecture: because of the index
    /// that should name it, or because it was not built.
    fn why_absent(
        &self,
        request: &Request,
        arches: &[String],
        version: &Version,
        absent: &PackageOn,
        shelves: &[Shelf<'_>],
    ) -> Skipped {
        let suite = suite_of(&request.same_version, version, shelves);
        let failures = self.catalogue.failures(&request.suites, arches);
        let failure =
            failures.into_iter().find(|(name, _)| name.suite == suite && name.arch == absent.arch);
        let reason = match failure {
            Some((_, error)) => error.to_string(),
            None => format!("{suite} has no {} {version} for {}", absent.package, absent.arch),
        };
        Skipped { version: Some(version.to_string()), suite, arch: absent.arch.clone(), reason }
    }

    fn releases(&self, request: &Request, components: &[ResolvedComponent]) -> Vec<SignedRelease> {
        let used = |archive: &str, suite: &str| {
            let mut artifacts = components.iter().flat_map(|component| &component.artifacts);
            artifacts.any(|artifact| artifact.archive == archive && artifact.suite == suite)
        };
        let suites = request.suites.iter().filter(|suite| used(&suite.archive, &suite.name));
        suites
            .filter_map(|suite| {
                let release = self.catalogue.release(suite)?;
                Some(SignedRelease {
                    archive: suite.archive.clone(),
                    suite: suite.name.clone(),
                    date: release.date,
                    signer: release.signer.clone(),
                })
            })
            .collect()
    }
}

/// Every architecture that the request speaks of, each once.
fn arches(request: &Request) -> Vec<String> {
    let own = request.components.iter().map(|component| &component.arch);
    let roots = request.components.iter().flat_map(|component| &component.roots);
    let named = roots.filter_map(|root| root.arch.as_ref());
    let pairs = request.same_version.iter().map(|pair| &pair.arch);
    let mut arches: Vec<String> = own.chain(named).chain(pairs).cloned().collect();
    arches.sort();
    arches.dedup();
    arches
}

fn components(
    request: &Request,
    shelves: &[Shelf<'_>],
    settled: &Settled,
) -> Result<Vec<ResolvedComponent>, ClosureError> {
    let resolve = |component: &Component| {
        let Component { name, arch, roots, exclude } = component;
        let found = closure(shelves, &Wanted { arch, roots, exclude, settled })?;
        let artifacts = found.picks.into_iter().map(artifact).collect();
        Ok(ResolvedComponent { name: name.clone(), artifacts, left_out: found.left_out })
    };
    request.components.iter().map(resolve).collect()
}

fn artifact(Pick { package, shelf }: Pick<'_>) -> DebianArtifact {
    DebianArtifact {
        package: package.name.to_string(),
        version: package.version.to_string(),
        arch: package.arch.to_string(),
        archive: shelf.archive.to_owned(),
        path: package.path.clone(),
        sha256: package.sha256,
        size: package.size,
        suite: shelf.suite.to_owned(),
        index_date: shelf.date,
    }
}

/// The versions of `pair`, each with its suite.
fn of_pair<'a>(
    pair: &'a PackageOn,
    shelves: &'a [Shelf<'a>],
) -> impl Iterator<Item = (&'a Version, &'a str)> {
    let shelves = shelves.iter().filter(|shelf| shelf.arch == pair.arch);
    shelves.flat_map(|shelf| {
        shelf.packages.named(&pair.package).map(|package| (&package.version, shelf.suite))
    })
}

/// The versions that any of the packages has, newest first, without suffixes of rebuilds.
fn versions(pairs: &[PackageOn], shelves: &[Shelf<'_>]) -> Vec<Version> {
    let found = pairs.iter().flat_map(|pair| of_pair(pair, shelves));
    let mut versions: Vec<Version> = found.map(|(version, _)| version.without_rebuild()).collect();
    versions.sort_by(|left, right| right.cmp(left));
    versions.dedup();
    versions
}

/// The exact version of every package where all have `version`; else the first that has not.
fn settle<'p>(
    pairs: &'p [PackageOn],
    version: &Version,
    shelves: &[Shelf<'_>],
) -> Result<Settled, &'p PackageOn> {
    let mut settled = Settled::new();
    for pair in pairs {
        let builds = of_pair(pair, shelves).map(|(version, _)| version);
        let best = builds.filter(|build| build.without_rebuild() == *version).max().ok_or(pair)?;
        settled.insert((pair.package.clone(), pair.arch.clone()), best.clone());
    }
    Ok(settled)
}

/// The suite that has `version` of any of the packages.
fn suite_of(pairs: &[PackageOn], version: &Version, shelves: &[Shelf<'_>]) -> String {
    let mut found = pairs.iter().flat_map(|pair| of_pair(pair, shelves));
    let suite = found.find(|(build, _)| build.without_rebuild() == *version);
    suite.map(|(_, suite)| suite.to_owned()).unwrap_or_default()
}

fn passed_over(
    pairs: &[PackageOn],
    version: &Version,
    shelves: &[Shelf<'_>],
    error: &ClosureError,
) -> Skipped {
    let suite = suite_of(pairs, version, shelves);
    let arch = match error {
        ClosureError::NoRoot { arch, .. } | ClosureError::Unsatisfiable { arch, .. } => {
            arch.clone()
        }
        ClosureError::Relation { .. } => {
            pairs.first().map(|pair| pair.arch.clone()).unwrap_or_default()
        }
    };
    Skipped { version: Some(version.to_string()), suite, arch, reason: error.to_string() }
}

fn names(pairs: &[PackageOn]) -> String {
    let names: Vec<String> =
        pairs.iter().map(|pair| format!("{}:{}", pair.package, pair.arch)).collect();
    names.join(", ")
}
