//! The signed release of a suite (`dists/<suite>/InRelease`): who made it, when, and the digests
//! of its indexes.
//!
//! Knows of no package. Only text that a trusted key has signed is ever read.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::location::IndexDate;
use crate::upstream::signature::{Keyring, SignatureError};
use crate::upstream::{Get, GetError};
use crate::vocab::digest::Sha256;
use crate::vocab::url::Url;

/// Why a release is not to be used.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// It could not be had.
    #[error("could not get the release of {suite}")]
    Get {
        /// The suite that was asked for.
        suite: String,
        /// The cause.
        source: GetError,
    },
    /// It is not text.
    #[error("the release of {suite} is not UTF-8 text")]
    NotText {
        /// The suite that was asked for.
        suite: String,
    },
    /// No trusted key vouches for it.
    #[error("the release of {suite} is not signed as it should be")]
    Signature {
        /// The suite that was asked for.
        suite: String,
        /// The cause.
        source: Box<SignatureError>,
    },
    /// It is signed, but a field is missing or makes no sense.
    #[error("the release of {suite} has no valid `{field}`")]
    Field {
        /// The suite that was asked for.
        suite: String,
        /// The field.
        field: &'static str,
    },
    /// It is another distribution's.
    #[error("the release of {suite} is by `{origin}`, not by Debian")]
    Origin {
        /// The suite that was asked for.
        suite: String,
        /// Its `Origin`.
        origin: String,
    },
    /// It is of another suite: a mirror mixed them up, or wants to.
    #[error("the release of {codename} ({found}) was served as {suite}")]
    OtherSuite {
        /// The suite that was asked for.
        suite: String,
        /// Its `Codename`.
        codename: String,
        /// Its `Suite`.
        found: String,
    },
    /// It is no longer valid: the mirror no longer follows the archive.
    #[error("the release of {suite} has expired at {valid_until}: the mirror is behind")]
    Expired {
        /// The suite that was asked for.
        suite: String,
        /// Its `Valid-Until`.
        valid_until: Timestamp,
    },
}

/// What a release must be to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The archive's current state: valid at this time.
    ValidAt(Timestamp),
    /// A state of the past, which a dated snapshot shows: `Valid-Until` does not count.
    Dated,
}

/// A verified release.
#[derive(Debug, Clone)]
pub struct Release {
    /// When it was made.
    pub date: IndexDate,
    /// The fingerprint of the key that signed it.
    pub signer: String,
    /// Whether indexes are also there under their digest.
    pub by_hash: bool,
    files: HashMap<String, (Sha256, u64)>,
}

/// Debian's own are 30 to 220 kB.
const LIMIT: u64 = 4 << 20;

/// Fetches and verifies the release of `suite` below `base`.
pub fn fetch(
    get: &dyn Get,
    base: &Url,
    suite: &str,
    keyring: &Keyring,
    freshness: Freshness,
) -> Result<Release, ReleaseError> {
    let url = base.join(&format!("dists/{suite}/InRelease"));
    let bytes = get
        .get(&url, LIMIT)
        .map_err(|source| ReleaseError::Get { suite: suite.to_owned(), source })?;
    let message = std::str::from_utf8(&bytes)
        .map_err(|_| ReleaseError::NotText { suite: suite.to_owned() })?;
    Release::verify(message, suite, keyring, freshness)
}

impl Release {
    /// Verifies a clear-signed release and reads what is signed.
    pub fn verify(
        message: &str,
        suite: &str,
        keyring: &Keyring,
        freshness: Freshness,
    ) -> Result<Self, ReleaseError> {
        let asked = || suite.to_owned();
        let signed = keyring.verify(message).map_err(|source| ReleaseError::Signature {
            suite: asked(),
            source: Box::new(source),
        })?;
        let fields = Fields(&signed.text);
        let missing = |field| ReleaseError::Field { suite: asked(), field };
        let origin = fields.get("Origin").ok_or_else(|| missing("Origin"))?;
        if origin != "Debian" {
            return Err(ReleaseError::Origin { suite: asked(), origin: origin.to_owned() });
        }
        let codename = fields.get("Codename").ok_or_else(|| missing("Codename"))?;
        let found = fields.get("Suite").unwrap_or(codename);
        if suite != codename && suite != found {
            let (codename, found) = (codename.to_owned(), found.to_owned());
            return Err(ReleaseError::OtherSuite { suite: asked(), codename, found });
        }
        let date = fields.get("Date").and_then(parse_date).ok_or_else(|| missing("Date"))?;
        if let (Freshness::ValidAt(now), Some(end)) = (freshness, fields.get("Valid-Until")) {
            let valid_until = parse_date(end).ok_or_else(|| missing("Valid-Until"))?;
            if valid_until < now {
                return Err(ReleaseError::Expired { suite: asked(), valid_until });
            }
        }
        Ok(Self {
            date: IndexDate::new(date),
            by_hash: fields.get("Acquire-By-Hash") == Some("yes"),
            files: fields.files().ok_or_else(|| missing("SHA256"))?,
            signer: signed.signer,
        })
    }

    /// Digest and size in bytes of a file of the suite, such as `main/binary-amd64/Packages.xz`.
    pub fn file(&self, path: &str) -> Option<(Sha256, u64)> {
        self.files.get(path).copied()
    }
}

struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    fn get(&self, wanted: &str) -> Option<&'a str> {
        self.0.lines().find_map(|line| Some(line.strip_prefix(wanted)?.strip_prefix(':')?.trim()))
    }

    /// The table of SHA-256 digests; `None` where a line of it cannot be read.
    fn files(&self) -> Option<HashMap<String, (Sha256, u64)>> {
        let mut lines = self.0.lines().skip_while(|line| line.trim_end() != "SHA256:");
        lines.next()?;
        lines
            .take_while(|line| line.starts_with(' '))
            .map(|line| {
                let mut words = line.split_whitespace();
                let (digest, size) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
                Some((words.next()?.to_owned(), (digest, size)))
            })
            .collect()
    }
}

/// `Tue, 17 Nov 2026 22:33:39 UTC`: the only time zone that releases use.
fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix(" UTC").or_else(|| text.strip_suffix(" +0000"))?;
    let time = DateTime::strptime("%a, %d %b %Y %H:%M:%S", text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}
