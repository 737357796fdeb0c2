//! Debian's version numbers and their order, as deb-version(7) defines it.
//!
//! Pure: knows nothing of packages or indexes.

use std::cmp::Ordering;
use std::fmt;

/// A version `[epoch:]upstream[-revision]`. Versions that differ only in writing (`1.0`, `0:1.00`)
/// are equal.
#[derive(Debug, Clone)]
pub struct Version(Box<str>);

impl Version {
    /// The version that `text` writes; every text has a place in the order.
    pub fn new(text: &str) -> Self {
        Self(text.trim().into())
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part between epoch and revision: `1.85.0+dfsg3`.
    pub fn upstream(&self) -> &str {
        self.parts().1
    }

    /// Without the suffix `+b1` of a rebuild for one architecture, which does not change sources.
    #[must_use]
    pub fn without_rebuild(&self) -> Self {
        match self.0.rsplit_once("+b") {
            Some((source, number))
                if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) =>
            {
                Self(source.into())
            }
            _ => self.clone(),
        }
    }

    fn parts(&self) -> (u64, &str, &str) {
        let (epoch, rest) = match self.0.split_once(':') {
            Some((epoch, rest)) => (epoch.parse().unwrap_or(0), rest),
            None => (0, &*self.0),
        };
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        (epoch, upstream, revision)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let (epoch, upstream, revision) = self.parts();
        let (other_epoch, other_upstream, other_revision) = other.parts();
        epoch
            .cmp(&other_epoch)
            .then_with(|| compare(upstream, other_upstream))
            .then_with(|| compare(revision, other_revision))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

/// Compares by turns a run of non-digits and a run of digits.
fn compare(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    while !left.is_empty() || !right.is_empty() {
        let (left_text, left_rest) = split_run(left, |byte| !byte.is_ascii_digit());
        let (right_text, right_rest) = split_run(right, |byte| !byte.is_ascii_digit());
        let (left_number, left_rest) = split_run(left_rest, u8::is_ascii_digit);
        let (right_number, right_rest) = split_run(right_rest, u8::is_ascii_digit);
        let order = compare_text(left_text, right_text)
            .then_with(|| compare_number(left_number, right_number));
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    Ordering::Equal
}

fn split_run(text: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !belongs(byte)).unwrap_or(text.len()))
}

/// `~` sorts before the end, the end before letters, letters before everything else.
fn compare_text(left: &[u8], right: &[u8]) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(&letter) if letter.is_ascii_alphabetic() => i32::from(letter),
        Some(&other) => i32::from(other) + 256,
    };
    (0..left.len().max(right.len()))
        .map(|at| weight(left.get(at)).cmp(&weight(right.get(at))))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Compares numbers of any length without turning them into integers.
fn compare_number(left: &[u8], right: &[u8]) -> Ordering {
    let (_, left) = split_run(left, |byte| *byte == b'0');
    let (_, right) = split_run(right, |byte| *byte == b'0');
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// What settings say about a version: `1.85` (any 1.85), `=1.85.0` (this upstream version), or
/// `=` and Debian's whole version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRequest(String);

impl VersionRequest {
    /// The request that `text` writes.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Whether `version` is one of those asked for.
    pub fn admits(&self, version: &Version) -> bool {
        let upstream = version.upstream();
        if let Some(exact) = self.0.strip_prefix('=') {
            let exact = exact.trim();
            // What follows `+` or `~` tells how Debian repacked the sources.
            let released = upstream.split(['+', '~']).next().unwrap_or(upstream);
            return exact == version.as_str() || exact == upstream || exact == released;
        }
        upstream
            .strip_prefix(self.0.as_str())
            .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
    }
}

impl fmt::Display for VersionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_debians() {
        for (smaller, greater) in [
            ("1.0~rc1", "1.0"),
            ("1.0~~", "1.0~"),
            ("1.0", "1.0a"),
            ("1.0a", "1.0+b"),
            ("1.9", "1.10"),
            ("9.9", "1:0.1"),
            ("1.0-1", "1.0-1+b1"),
            ("1.0-1~deb12u1", "1.0-1"),
            ("1.0-9", "1.0-10"),
            ("1.0-3", "1.0-2-1"),
            ("2.36-8cross1", "2.36-9"),
            ("1.85.0+dfsg3-1~deb12u3", "1.96.0+dfsg1-1~deb12u2"),
            ("1:19.1.7-3~deb12u1", "1:22.1.8-1~deb12u1"),
            ("99999999999999999999998", "99999999999999999999999"),
            ("", "0a"),
        ] {
            let (smaller, greater) = (Version::new(smaller), Version::new(greater));
            assert!(smaller < greater, "{smaller} < {greater}");
            assert!(greater > smaller, "{greater} > {smaller}");
        }
    }

    #[test]
    fn writings_of_one_version_are_equal() {
        for (left, right) in [("1.0", "0:1.0"), ("1.0", "1.00"), ("1.0-0", "1.0"), ("a0", "a")] {
            assert_eq!(Version::new(left), Version::new(right));
        }
    }

    #[test]
    fn a_rebuild_has_the_same_sources() {
        let rebuilt = Version::new("12.2.0-14+deb12u1+25.2+b1");
        assert_eq!(rebuilt.without_rebuild().as_str(), "12.2.0-14+deb12u1+25.2");
        assert_eq!(Version::new("1.0+beta").without_rebuild().as_str(), "1.0+beta");
    }

    #[test]
    fn requests_admit_what_they_say() {
        let version = Version::new("1.85.0+dfsg3-1~deb12u3");
        for good in ["1", "1.85", "1.85.0", "=1.85.0", "=1.85.0+dfsg3", "=1.85.0+dfsg3-1~deb12u3"] {
            assert!(VersionRequest::new(good).admits(&version), "{good}");
        }
        for bad in ["1.8", "1.96", "=1.85", "85", "=1.85.0+dfsg3-1~deb12u2"] {
            assert!(!VersionRequest::new(bad).admits(&version), "{bad}");
        }
    }
}
