//! Which packages a set of packages needs.
//!
//! Pure, and the same for the same indexes: always the newest version that is admitted, always the
//! first alternative, always the virtual name's first provider by name. It is no solver: where two
//! packages ask for different versions of a third, the newest that both admit is taken, and where
//! there is none, that is an error.

mod walk;

use std::collections::BTreeMap;

use self::walk::{Bounds, Stop, Walk};
use super::location::IndexDate;
use super::packages::{Package, Packages};
use super::relation::{Constraint, InvalidRelation, Relation};
use super::version::Version;

/// The packages of one index, and where it is from.
pub struct Shelf<'a> {
    /// The archive.
    pub archive: &'a str,
    /// The suite.
    pub suite: &'a str,
    /// The architecture; its packages are of this one or of `all`.
    pub arch: &'a str,
    /// When the suite's release was made.
    pub date: IndexDate,
    /// The packages.
    pub packages: &'a Packages,
}

/// A package that was taken, and where it is from.
#[derive(Clone, Copy)]
pub struct Pick<'a> {
    /// The package.
    pub package: &'a Package,
    /// Its index.
    pub shelf: &'a Shelf<'a>,
}

/// A dependency that was not followed because its package is excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What is needed, and in which versions.
    pub relation: Relation,
    /// Who needs it: name and version.
    pub asked_by: String,
}

/// Everything that is needed.
pub struct Closure<'a> {
    /// The packages, by name and architecture.
    pub picks: Vec<Pick<'a>>,
    /// What was excluded of it, in the order in which it was met.
    pub left_out: Vec<LeftOut>,
}

/// What is wanted.
pub struct Wanted<'a> {
    /// The architecture that everything without a word of its own is for.
    pub arch: &'a str,
    /// The packages that are wanted; exclusions do not apply to them.
    pub roots: &'a [Relation],
    /// Names or globs (`*` is any text) that are neither taken nor followed.
    pub exclude: &'a [String],
    /// Versions that are settled, by name and architecture.
    pub settled: &'a BTreeMap<(String, String), Version>,
}

/// Why there is no closure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClosureError {
    /// A wanted package does not exist, or not in a version that is admitted.
    #[error("no package `{root}` for {arch} in {suites}{}", seen(.versions))]
    NoRoot {
        /// What was wanted.
        root: String,
        /// For which architecture.
        arch: String,
        /// Where it was looked for.
        suites: String,
        /// The versions that exist but are not admitted.
        versions: Vec<String>,
    },
    /// A package needs something that does not exist.
    #[error("{package} needs `{dependency}`, which does not exist for {arch} ({})", .chain.join(" → "))]
    Unsatisfiable {
        /// The package and its version.
        package: String,
        /// What it needs.
        dependency: String,
        /// For which architecture.
        arch: String,
        /// Who asked for whom, from the wanted package to the one that needs.
        chain: Vec<String>,
    },
    /// A package's dependencies cannot be read.
    #[error("the dependencies of {package} cannot be read")]
    Relation {
        /// The package and its version.
        package: String,
        /// The cause.
        source: InvalidRelation,
    },
}

fn seen(versions: &[String]) -> String {
    if versions.is_empty() { String::new() } else { format!(" (there is {})", versions.join(", ")) }
}

/// The closure of what is wanted. Of equal versions the one on the
/// earlier shelf is taken.
pub fn closure<'a>(
    shelves: &'a [Shelf<'a>],
    wanted: &Wanted<'_>,
) -> Result<Closure<'a>, ClosureError> {
    let mut bounds: Bounds = BTreeMap::new();
    for (key, version) in wanted.settled {
        bounds.entry(key.clone()).or_default().push(Constraint::exactly(version.clone()));
    }
    loop {
        let mut walk = Walk::new(shelves, wanted, bounds);
        match walk.run() {
            Ok(()) => {
                let left_out = std::mem::take(&mut walk.left_out);
                return Ok(Closure { picks: walk.picks(), left_out });
            }
            Err(Stop::Error(error)) => return Err(*error),
            // A package that was taken already is in fact wanted otherwise. Every turn knows at
            // least one bound more than the last, and there are only so many bounds.
            Err(Stop::Narrowed) => bounds = walk.bounds,
        }
    }
}
