//! Debian's archive as an upstream: packages and all that they need, from a signed index.
//!
//! The chain of trust is `InRelease` (`OpenPGP` signature, [`release`]) → `Packages` (digest in the
//! release, [`index`]) → `.deb` (digest in the index, pinned in the lock). It runs at lock time
//! only; restoring needs [`location::locate`] and the pin. `docs/upstream-debian.md` explains it.

mod catalogue;
pub mod closure;
pub mod index;
pub mod location;
pub mod packages;
pub mod relation;
pub mod release;
pub mod request;
mod resolver;
pub mod sources;
pub mod version;

pub use catalogue::Access;
pub use location::{Bases, IndexDate, SnapshotTemplate, locate};
pub use request::{
    Component, DebianArtifact, PackageOn, Request, Resolution, ResolvedComponent, SignedRelease,
    Skipped, Suite,
};
pub use resolver::Resolver;

use self::closure::ClosureError;
use self::index::IndexError;
use self::release::ReleaseError;
use self::request::Suite as RequestedSuite;
use super::signature::{Keyring, SignatureError};
use crate::vocab::url::Url;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum DebianError {
    /// Neither settings nor the machine's apt configuration nor a snapshot service name a place.
    #[error("no place is known that serves the archive `{archive}`, where {suite} would be")]
    NoPlace {
        /// The archive.
        archive: String,
        /// The suite that is needed of it.
        suite: String,
    },
    /// Places are known, and none of them has a release that can be used.
    #[error("no usable release of {suite}, neither at {place}{}", and_others(.others))]
    NoRelease {
        /// The suite.
        suite: String,
        /// The place that was tried first.
        place: Url,
        /// What was wrong there.
        source: Box<ReleaseError>,
        /// The places that were tried after it, and what was wrong there.
        others: Vec<(Url, ReleaseError)>,
    },
    /// An index could not be had or read, in a way that says nothing of the archive.
    #[error("an index cannot be used")]
    Index(#[source] Box<IndexError>),
    /// A package or something that it needs does not exist.
    #[error("the packages cannot be resolved")]
    Closure(#[source] ClosureError),
    /// No version is there for everything that is needed.
    #[error(
        "no version{} is there for all of {packages} (there is {})",
        .wanted.as_ref().map(|wanted| format!(" `{wanted}`")).unwrap_or_default(),
        if .seen.is_empty() { "none at all".to_owned() } else { .seen.join(", ") }
    )]
    NoVersion {
        /// The packages that must be of one version.
        packages: String,
        /// The version that settings ask for.
        wanted: Option<String>,
        /// The versions that some of them have, newest first.
        seen: Vec<String>,
        /// Why each that was wanted was passed over.
        skipped: Vec<Skipped>,
        /// Why the last one was, where packages it needs do not exist.
        source: Option<Box<ClosureError>>,
    },
}

fn and_others(others: &[(Url, ReleaseError)]) -> String {
    let others: Vec<String> =
        others.iter().map(|(place, error)| format!(" nor at {place} ({error})")).collect();
    others.concat()
}

impl DebianError {
    fn no_release(suite: &RequestedSuite, refused: Vec<(Url, ReleaseError)>) -> Self {
        let mut refused = refused.into_iter();
        match refused.next() {
            None => Self::NoPlace { archive: suite.archive.clone(), suite: suite.name.clone() },
            Some((place, error)) => Self::NoRelease {
                suite: suite.name.clone(),
                place,
                source: Box::new(error),
                others: refused.collect(),
            },
        }
    }

    /// Whether bytes were had and are not to be trusted, as opposed to not had at all.
    pub fn is_integrity(&self) -> bool {
        match self {
            Self::NoRelease { source, .. } => {
                !matches!(**source, ReleaseError::Get { .. } | ReleaseError::Expired { .. })
            }
            Self::Index(error) => matches!(**error, IndexError::Mismatch { .. }),
            Self::NoPlace { .. } | Self::Closure(_) | Self::NoVersion { .. } => false,
        }
    }

    /// What to do about it, as a sentence without a full stop.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoPlace { .. } => "name a mirror of the archive in the settings",
            Self::NoRelease { .. } => {
                "name another mirror of the archive in the settings, or try again later"
            }
            Self::Index(_) => "try again, or name another mirror of the archive in the settings",
            Self::Closure(_) => {
                "the recipe names a package that these suites do not have: choose another suite, \
                 or exclude what is not needed"
            }
            Self::NoVersion { wanted: Some(_), .. } => {
                "ask for one of the versions that are there, or for none"
            }
            Self::NoVersion { wanted: None, .. } => {
                "wait until the mirror has caught up, or name another one in the settings"
            }
        }
    }
}

/// The keys that sign Debian 12 and 13: archive, security, stable release
/// (fingerprints in `docs/upstream-debian.md`).
const ARCHIVE_KEYS: [&str; 6] = [
    include_str!("keys/bookworm-archive.asc"),
    include_str!("keys/bookworm-security.asc"),
    include_str!("keys/bookworm-stable.asc"),
    include_str!("keys/trixie-archive.asc"),
    include_str!("keys/trixie-security.asc"),
    include_str!("keys/trixie-stable.asc"),
];

/// The embedded keys of Debian's archive.
pub fn archive_keyring() -> Result<Keyring, SignatureError> {
    Keyring::parse(ARCHIVE_KEYS)
}
