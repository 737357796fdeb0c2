//! Fetches the index of one suite, component and architecture (`Packages`).
//!
//! Believes no byte that the signed release has not named by digest, and knows nothing of what the
//! packages in it mean.

use std::io;

use super::packages::{InvalidStanza, Packages};
use super::release::Release;
use crate::archive::{Compression, decoder};
use crate::upstream::{Get, GetError};
use crate::vocab::digest::Sha256;
use crate::vocab::url::Url;

/// Which index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexName {
    /// The suite: `bookworm-security`.
    pub suite: String,
    /// The component: `main`.
    pub component: String,
    /// Debian's name of the architecture: `armhf`.
    pub arch: String,
}

/// Why an index is not to be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The release lists no index for this component and architecture.
    #[error("{} has no index of {} for {}", .index.suite, .index.component, .index.arch)]
    Unlisted {
        /// The index.
        index: IndexName,
    },
    /// The release lists it, but no place has it.
    #[error("the index of {}/{} is listed in the signed release, but not there", .index.suite, .index.arch)]
    Missing {
        /// The index.
        index: IndexName,
    },
    /// What is served under its name is something else.
    #[error(
        "the index of {}/{} does not match its signed digest: expected {expected}, got {actual}; \
         the mirror is behind", .index.suite, .index.arch
    )]
    Mismatch {
        /// The index.
        index: Box<IndexName>,
        /// The digest that the signed release names.
        expected: Sha256,
        /// The digest of what was served.
        actual: Sha256,
    },
    /// It could not be had, for reasons that may pass.
    #[error("could not get the index of {}/{}", .index.suite, .index.arch)]
    Get {
        /// The index.
        index: IndexName,
        /// The cause.
        source: GetError,
    },
    /// It matches its digest, but cannot be decompressed to text.
    #[error("cannot decompress the index of {}/{}", .index.suite, .index.arch)]
    Decompress {
        /// The index.
        index: IndexName,
        /// The cause.
        source: io::Error,
    },
    /// A package in it cannot be read.
    #[error("cannot read package {number} of the index of {}/{}", .index.suite, .index.arch)]
    Stanza {
        /// The index.
        index: IndexName,
        /// Which package, counted from 1.
        number: usize,
        /// The cause.
        source: InvalidStanza,
    },
}

impl IndexError {
    /// Whether only this index is unusable, so that the rest of the archive still counts.
    /// A network in trouble is not that: tomorrow's answer would differ.
    pub fn is_confined(&self) -> bool {
        matches!(self, Self::Unlisted { .. } | Self::Missing { .. } | Self::Mismatch { .. })
    }
}

/// Fetches an index that `release` names, from the first of `bases` that has the right bytes.
pub fn fetch(
    get: &dyn Get,
    bases: &[Url],
    release: &Release,
    name: &IndexName,
) -> Result<Packages, IndexError> {
    let (bytes, compression) = fetch_packed(get, bases, release, name)?;
    let text = decoder(compression, bytes.as_slice())
        .and_then(io::read_to_string)
        .map_err(|source| IndexError::Decompress { index: name.clone(), source })?;
    Packages::parse(&text).map_err(|(number, source)| IndexError::Stanza {
        index: name.clone(),
        number,
        source,
    })
}

const FORMATS: [(&str, Compression); 2] =
    [("Packages.xz", Compression::Xz), ("Packages.gz", Compression::Gzip)];

fn fetch_packed(
    get: &dyn Get,
    bases: &[Url],
    release: &Release,
    name: &IndexName,
) -> Result<(Vec<u8>, Compression), IndexError> {
    let files = candidates(release, name);
    let (mut answered, mut mismatch, mut failure) = (false, None, None);
    for base in bases {
        let mut trouble = None;
        for file in &files {
            let url = base.join(&format!("dists/{}/{}", name.suite, file.path));
            // Room for an older or newer index that is larger, so that it is told by its digest.
            match get.get(&url, file.size.saturating_mul(2).saturating_add(1 << 20)) {
                Ok(bytes) => {
                    let (expected, actual) = (file.digest, Sha256::of(&bytes));
                    if expected == actual {
                        return Ok((bytes, file.compression));
                    }
                    let index = Box::new(name.clone());
                    mismatch.get_or_insert(IndexError::Mismatch { index, expected, actual });
                }
                Err(GetError::NotFound { .. }) => {}
                Err(source) => trouble = Some(IndexError::Get { index: name.clone(), source }),
            }
        }
        answered |= trouble.is_none();
        failure = failure.or(trouble);
    }
    let index = name.clone();
    Err(match (mismatch, failure) {
        (Some(mismatch), _) => mismatch,
        (None, Some(failure)) if !answered => failure,
        _ if files.is_empty() => IndexError::Unlisted { index },
        _ => IndexError::Missing { index },
    })
}

/// One spelling of an index below `dists/<suite>/`.
struct Candidate {
    path: String,
    digest: Sha256,
    size: u64,
    compression: Compression,
}

fn candidates(release: &Release, name: &IndexName) -> Vec<Candidate> {
    let dir = format!("{}/binary-{}", name.component, name.arch);
    let mut candidates = Vec::new();
    for (file, compression) in FORMATS {
        let Some((digest, size)) = release.file(&format!("{dir}/{file}")) else { continue };
        // Under its digest a file cannot be another one while the mirror is being updated.
        let by_hash = release.by_hash.then(|| format!("by-hash/SHA256/{digest}"));
        for path in by_hash.into_iter().chain([file.to_owned()]) {
            candidates.push(Candidate { path: format!("{dir}/{path}"), digest, size, compression });
        }
    }
    candidates
}
