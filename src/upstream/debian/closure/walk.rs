//! One walk through the dependencies, from the roots outwards.
//!
//! Takes back no choice: where one turns out wrong, it stops, and the next walk knows why.

use std::collections::{BTreeMap, VecDeque};

use super::super::packages::Package;
use super::super::relation::{Constraint, Dependency, Relation};
use super::super::relation::{parse_dependencies, parse_provides};
use super::super::version::Version;
use super::{ClosureError, LeftOut, Pick, Shelf, Wanted};
use crate::vocab::glob;

/// By name and architecture.
type Key = (String, String);
/// The bounds on versions that are known.
pub type Bounds = BTreeMap<Key, Vec<Constraint>>;

/// Why a walk came to no end.
pub enum Stop {
    /// A choice was wrong; the walk knows a bound more now.
    Narrowed,
    /// There is no closure.
    Error(Box<ClosureError>),
}

impl From<ClosureError> for Stop {
    fn from(error: ClosureError) -> Self {
        Self::Error(Box::new(error))
    }
}

struct Taken<'a> {
    pick: Pick<'a>,
    asked_by: Option<Key>,
}

/// One walk from the roots.
pub struct Walk<'a, 'w> {
    shelves: &'a [Shelf<'a>],
    wanted: &'w Wanted<'w>,
    /// The bounds that are known, also those that were met on the way.
    pub bounds: Bounds,
    taken: BTreeMap<Key, Taken<'a>>,
    queue: VecDeque<Key>,
    /// Dependencies on what is excluded.
    pub left_out: Vec<LeftOut>,
}

/// What came of one alternative.
enum Outcome {
    Satisfied,
    Impossible,
}

impl<'a, 'w> Walk<'a, 'w> {
    /// A walk that has taken nothing yet.
    pub fn new(shelves: &'a [Shelf<'a>], wanted: &'w Wanted<'w>, bounds: Bounds) -> Self {
        let (taken, queue) = (BTreeMap::new(), VecDeque::new());
        Self { shelves, wanted, bounds, taken, queue, left_out: Vec::new() }
    }

    /// Takes everything that is needed.
    pub fn run(&mut self) -> Result<(), Stop> {
        for root in self.wanted.roots {
            let arch = root.arch.as_deref().unwrap_or(self.wanted.arch);
            if let Outcome::Impossible = self.take_named(root, arch, None)? {
                return Err(self.no_root(root, arch).into());
            }
        }
        while let Some(key) = self.queue.pop_front() {
            let Some(Taken { pick, .. }) = self.taken.get(&key) else { continue };
            let package = pick.package;
            let dependencies = parse_dependencies(&package.depends)
                .map_err(|source| ClosureError::Relation { package: describe(package), source })?;
            for dependency in dependencies {
                if !self.satisfy(&dependency, &key)? {
                    return Err(ClosureError::Unsatisfiable {
                        package: describe(package),
                        dependency: dependency.to_string(),
                        arch: key.1.clone(),
                        chain: self.chain(&key),
                    }
                    .into());
                }
            }
        }
        Ok(())
    }

    fn satisfy(&mut self, dependency: &Dependency, asker: &Key) -> Result<bool, Stop> {
        for relation in &dependency.alternatives {
            if self.is_excluded(&relation.name) {
                self.leave_out(relation, asker);
                return Ok(true);
            }
            let arch = match relation.arch.as_deref() {
                // Any architecture would do; the asker's own certainly runs where the asker does.
                None | Some("any" | "native") => &asker.1,
                Some(arch) => arch,
            };
            for take in [Self::take_named, Self::take_provider] {
                if let Outcome::Satisfied = take(self, relation, arch, Some(asker))? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn take_named(
        &mut self,
        relation: &Relation,
        arch: &str,
        asker: Option<&Key>,
    ) -> Result<Outcome, Stop> {
        let key = (relation.name.clone(), arch.to_owned());
        let bounds = self.bounds.get(&key).map(Vec::as_slice).unwrap_or_default();
        let admitted = |version: &Version| {
            relation.admits(Some(version)) && bounds.iter().all(|bound| bound.admits(version))
        };
        let best = self.named(&key).filter(|pick| admitted(&pick.package.version));
        let Some(best) = newest(best) else { return Ok(Outcome::Impossible) };
        if let Some(bound) = &relation.constraint
            && !bounds.contains(bound)
        {
            self.bounds.entry(key.clone()).or_default().push(bound.clone());
        }
        match self.taken.get(&key) {
            Some(taken) if relation.admits(Some(&taken.pick.package.version)) => {}
            Some(_) => return Err(Stop::Narrowed),
            None => self.take(key, best, asker),
        }
        Ok(Outcome::Satisfied)
    }

    fn take_provider(
        &mut self,
        relation: &Relation,
        arch: &str,
        asker: Option<&Key>,
    ) -> Result<Outcome, Stop> {
        let mut providers = Vec::new();
        for shelf in self.shelves.iter().filter(|shelf| shelf.arch == arch) {
            for package in shelf.packages.providing(&relation.name) {
                let offers = parse_provides(&package.provides).map_err(|source| {
                    ClosureError::Relation { package: describe(package), source }
                })?;
                let offered = offers.iter().any(|(name, version)| {
                    *name == relation.name && relation.admits(version.as_ref())
                });
                let key = (package.name.to_string(), arch.to_owned());
                let bounds = self.bounds.get(&key).map(Vec::as_slice).unwrap_or_default();
                if offered && bounds.iter().all(|bound| bound.admits(&package.version)) {
                    providers.push(Pick { package, shelf });
                }
            }
        }
        if providers.is_empty() {
            return Ok(Outcome::Impossible);
        }
        providers.retain(|pick| !self.is_excluded(&pick.package.name));
        let Some(first) = providers.iter().map(|pick| &pick.package.name).min() else {
            if let Some(asker) = asker {
                self.leave_out(relation, asker);
            }
            return Ok(Outcome::Satisfied);
        };
        let best = newest(providers.iter().filter(|pick| pick.package.name == *first).copied());
        if let Some(best) = best {
            let key = (best.package.name.to_string(), arch.to_owned());
            if !self.taken.contains_key(&key) {
                self.take(key, best, asker);
            }
        }
        Ok(Outcome::Satisfied)
    }

    fn take(&mut self, key: Key, pick: Pick<'a>, asker: Option<&Key>) {
        self.queue.push_back(key.clone());
        self.taken.insert(key, Taken { pick, asked_by: asker.cloned() });
    }

    fn leave_out(&mut self, relation: &Relation, asker: &Key) {
        let asker = self.taken.get(asker).map(|taken| describe(taken.pick.package));
        let asked_by = asker.unwrap_or_default();
        self.left_out.push(LeftOut { relation: relation.clone(), asked_by });
    }

    fn named(&self, (name, arch): &Key) -> impl Iterator<Item = Pick<'a>> {
        let shelves = self.shelves.iter().filter(move |shelf| shelf.arch == arch);
        shelves.flat_map(move |shelf| {
            shelf.packages.named(name).map(move |package| Pick { package, shelf })
        })
    }

    fn is_excluded(&self, name: &str) -> bool {
        self.wanted.exclude.iter().any(|pattern| glob::matches(pattern, name))
    }

    fn chain(&self, key: &Key) -> Vec<String> {
        let mut chain = vec![key.0.clone()];
        let mut at = self.taken.get(key).and_then(|taken| taken.asked_by.as_ref());
        while let Some(asker) = at {
            chain.push(asker.0.clone());
            at = self.taken.get(asker).and_then(|taken| taken.asked_by.as_ref());
        }
        chain.reverse();
        chain
    }

    fn no_root(&self, root: &Relation, arch: &str) -> ClosureError {
        let mut suites: Vec<&str> = self.shelves.iter().map(|shelf| shelf.suite).collect();
        suites.dedup();
        let key = (root.name.clone(), arch.to_owned());
        ClosureError::NoRoot {
            root: root.to_string(),
            arch: arch.to_owned(),
            suites: suites.join(", "),
            versions: self.named(&key).map(|pick| pick.package.version.to_string()).collect(),
        }
    }

    /// What was taken, by name and architecture; a package for all architectures appears once.
    pub fn picks(self) -> Vec<Pick<'a>> {
        let mut picks: Vec<Pick<'a>> = self.taken.into_values().map(|taken| taken.pick).collect();
        let order = |pick: &Pick<'a>| (pick.package.name.clone(), pick.package.arch.clone());
        picks.sort_by_key(order);
        picks.dedup_by_key(|pick| (order(pick), pick.package.sha256));
        picks
    }
}

fn describe(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

/// The newest; the first of equals.
fn newest<'a>(picks: impl Iterator<Item = Pick<'a>>) -> Option<Pick<'a>> {
    picks.reduce(|best, pick| if pick.package.version > best.package.version { pick } else { best })
}
