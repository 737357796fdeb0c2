//! Where an archive is: its own name in locks, and the places that serve it to this machine.
//!
//! Pure: no place is asked here. A lock names an archive and a path in it; which mirror serves
//! them is the business of whoever restores.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::sources::Source;
use crate::vocab::relpath::RelPath;
use crate::vocab::url::{InvalidUrl, Url};

/// When a release was signed; written `20261117T223339Z`, as dated snapshots are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexDate(Timestamp);

/// Text that is no date of an index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date such as 20261117T223339Z")]
pub struct InvalidDate(String);

impl IndexDate {
    const FORMAT: &str = "%Y%m%dT%H%M%SZ";

    /// The date of a point in time, without fractions of a second in its writing.
    pub fn new(time: Timestamp) -> Self {
        Self(time)
    }

    /// The point in time.
    pub fn time(self) -> Timestamp {
        self.0
    }
}

impl fmt::Display for IndexDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime(Self::FORMAT))
    }
}

impl FromStr for IndexDate {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, InvalidDate> {
        let time = DateTime::strptime(Self::FORMAT, text)
            .and_then(|time| time.to_zoned(TimeZone::UTC))
            .map_err(|_| InvalidDate(text.to_owned()))?;
        Ok(Self(time.timestamp()))
    }
}

impl Serialize for IndexDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IndexDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A service that keeps every state of the archives: a URL with `{archive}` and `{date}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotTemplate(String);

/// A template without a placeholder that it needs, or that makes no URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// `{archive}` or `{date}` is missing.
    #[error("the snapshot template `{template}` has no {placeholder}")]
    NoPlaceholder {
        /// The template.
        template: String,
        /// What is missing.
        placeholder: &'static str,
    },
    /// Filled in, it is no URL.
    #[error("the snapshot template is no URL")]
    NoUrl(#[source] InvalidUrl),
}

impl SnapshotTemplate {
    /// The base of `archive` as it was at `date`.
    pub fn base(&self, archive: &str, date: IndexDate) -> Option<Url> {
        let url = self.0.replace("{archive}", archive).replace("{date}", &date.to_string());
        url.parse().ok()
    }
}

impl FromStr for SnapshotTemplate {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, InvalidTemplate> {
        for placeholder in ["{archive}", "{date}"] {
            if !text.contains(placeholder) {
                let template = text.to_owned();
                return Err(InvalidTemplate::NoPlaceholder { template, placeholder });
            }
        }
        let example = text.replace("{archive}", "debian").replace("{date}", "20260101T000000Z");
        example.parse::<Url>().map_err(InvalidTemplate::NoUrl)?;
        Ok(Self(text.to_owned()))
    }
}

/// Every place that may serve an archive, in the order of preference: those that settings name,
/// those that the machine's apt uses, dated snapshots.
#[derive(Debug, Clone, Default)]
pub struct Bases {
    /// From settings, by archive.
    pub settings: BTreeMap<String, Vec<Url>>,
    /// From the machine's apt configuration.
    pub machine: Vec<Source>,
    /// The snapshot service.
    pub snapshot: Option<SnapshotTemplate>,
}

impl Bases {
    /// The places that serve the current state of `archive`, each once.
    pub fn live(&self, archive: &str) -> Vec<Url> {
        let named = self.settings.get(archive).into_iter().flatten();
        let used = self.machine.iter().filter(|source| source.holds(archive)).map(|s| &s.base);
        let mut bases: Vec<Url> = Vec::new();
        for base in named.chain(used) {
            if !bases.contains(base) {
                bases.push(base.clone());
            }
        }
        bases
    }

    /// The place that serves `archive` as it was at `date`.
    pub fn dated(&self, archive: &str, date: IndexDate) -> Option<Url> {
        self.snapshot.as_ref()?.base(archive, date)
    }
}

/// How long after its release a package is looked for in a second snapshot. Snapshots are taken
/// some hours after a release, so that the one that is current at the release's own date may lack
/// what came with it; and superseded files stay in the archive for longer than half a day.
const SNAPSHOT_DELAY: SignedDuration = SignedDuration::from_hours(12);

/// The URLs of the file at `path` in `archive`, best first: settings, apt's places, snapshots of
/// the index's date and of half a day later.
pub fn locate(archive: &str, path: &RelPath, index_date: IndexDate, bases: &Bases) -> Vec<Url> {
    let later = IndexDate(index_date.0.saturating_add(SNAPSHOT_DELAY).unwrap_or(index_date.0));
    let dated = [index_date, later].into_iter().filter_map(|date| bases.dated(archive, date));
    bases.live(archive).into_iter().chain(dated).map(|base| base.join(&escape(path))).collect()
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Percent-encodes what pool paths contain and URLs do not: a `%` (from an epoch) above all.
fn escape(path: &RelPath) -> String {
    let mut escaped = String::new();
    for &byte in path.as_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~+:@!$&'()*,;=".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            escaped.extend([byte >> 4, byte & 15].map(|digit| char::from(HEX[usize::from(digit)])));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    #[test]
    fn places_come_in_order_and_each_once() {
        let source =
            |base: &str, suite: &str| Source { base: url(base), suites: vec![suite.to_owned()] };
        let bases = Bases {
            settings: BTreeMap::from([("debian".to_owned(), vec![url("http://mine.example/d")])]),
            machine: vec![
                source("http://apt.example/debian", "bookworm"),
                source("http://mine.example/d", "bookworm-updates"),
                source("http://apt.example/security", "bookworm-security"),
                source("http://vendor.example", "noble"),
            ],
            snapshot: Some("http://past.example/{archive}/{date}".parse().expect("a template")),
        };
        let date: IndexDate = "20261117T223339Z".parse().expect("a date");
        let path = RelPath::parse(b"pool/a_1%3a2+b~1_all.deb").expect("a path");
        let shown: Vec<String> =
            locate("debian", &path, date, &bases).iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "http://mine.example/d/pool/a_1%253a2+b~1_all.deb",
                "http://apt.example/debian/pool/a_1%253a2+b~1_all.deb",
                "http://past.example/debian/20261117T223339Z/pool/a_1%253a2+b~1_all.deb",
                "http://past.example/debian/20261118T103339Z/pool/a_1%253a2+b~1_all.deb",
            ]
        );
        assert_eq!(bases.live("debian-security"), [url("http://apt.example/security")]);
    }

    #[test]
    fn templates_need_their_placeholders() {
        assert!("http://past.example/{archive}".parse::<SnapshotTemplate>().is_err());
        assert!("past.example/{archive}/{date}".parse::<SnapshotTemplate>().is_err());
        assert!("2026-11-17".parse::<IndexDate>().is_err());
    }
}
