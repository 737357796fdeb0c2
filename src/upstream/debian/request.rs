//! What is asked of Debian's archives at lock time, and what is answered.
//!
//! Values only: recipes and settings fill them in, locks record the answer.

use serde::{Deserialize, Serialize};

use super::closure::LeftOut;
use super::location::IndexDate;
use super::relation::Relation;
use super::version::VersionRequest;
use crate::vocab::digest::Sha256;
use crate::vocab::relpath::RelPath;

/// One question: several sets of packages, of one Debian release.
#[derive(Debug, Clone)]
pub struct Request {
    /// The suites that may serve; of equal versions the earlier suite's is taken.
    pub suites: Vec<Suite>,
    /// The sets of packages.
    pub components: Vec<Component>,
    /// Packages that must all be of one version. The first gives the answer's version.
    pub same_version: Vec<PackageOn>,
    /// Which versions of those are wanted.
    pub version: Option<VersionRequest>,
}

/// A suite of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// The archive: `debian`, `debian-security`.
    pub archive: String,
    /// The suite: `bookworm-security`.
    pub name: String,
    /// Its components: `main`.
    pub components: Vec<String>,
}

/// A package for an architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageOn {
    /// The package.
    pub package: String,
    /// Debian's name of the architecture: `amd64`, `arm64`, `armhf`.
    pub arch: String,
}

/// A set of packages with all that it needs.
#[derive(Debug, Clone)]
pub struct Component {
    /// The caller's name for it.
    pub name: String,
    /// The architecture of packages that name none.
    pub arch: String,
    /// The packages that are wanted. What follows the colon overrides the architecture.
    pub roots: Vec<Relation>,
    /// Names or globs (`*`) that are neither taken nor followed; roots are exempt.
    pub exclude: Vec<String>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The version of the first of `same_version`; `None` where nothing was asked about versions.
    pub version: Option<String>,
    /// The artifacts of each component, in the order of the request.
    pub components: Vec<ResolvedComponent>,
    /// What was passed over, and why: newest first, and what the answer did without at the end.
    pub skipped: Vec<Skipped>,
    /// The releases that vouch for the artifacts.
    pub releases: Vec<SignedRelease>,
}

/// The artifacts of a component, by name and architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedComponent {
    /// The name from the request.
    pub name: String,
    /// Its packages.
    pub artifacts: Vec<DebianArtifact>,
    /// Dependencies on what the request excludes.
    pub left_out: Vec<LeftOut>,
}

/// One `.deb`, with its pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebianArtifact {
    /// The package.
    pub package: String,
    /// Debian's whole version.
    pub version: String,
    /// Its architecture, or `all`.
    pub arch: String,
    /// The archive that has it.
    pub archive: String,
    /// The path in the archive, from `pool/`.
    #[serde(with = "path_text")]
    pub path: RelPath,
    /// The digest that the signed index names.
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
    /// The suite whose index names it.
    pub suite: String,
    /// When that suite's release was made.
    pub index_date: IndexDate,
}

/// Something that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The version that could have been taken; `None` for an index that the answer did without.
    pub version: Option<String>,
    /// The suite.
    pub suite: String,
    /// The architecture.
    pub arch: String,
    /// Why, as a sentence without a full stop.
    pub reason: String,
}

/// A release whose signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRelease {
    /// The archive.
    pub archive: String,
    /// The suite.
    pub suite: String,
    /// When it was made.
    pub date: IndexDate,
    /// The fingerprint of the key that signed it, in upper-case hexadecimal digits.
    pub signer: String,
}

mod path_text {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::vocab::relpath::RelPath;

    pub fn serialize<S: Serializer>(path: &RelPath, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(path.as_str())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RelPath, D::Error> {
        let text = String::deserialize(deserializer)?;
        RelPath::parse(text.as_bytes()).map_err(serde::de::Error::custom)
    }
}
