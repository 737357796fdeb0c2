//! Which release of Rust: a version, or a channel with or without a date. Pure.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

/// A release as rustup writes it: `1.95.0`, `1.95`, `stable`, `nightly-2026-05-20`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// A version, or `stable`, `beta` or `nightly`.
    name: String,
    /// The day of its manifest.
    date: Option<Date>,
}

/// Text that names no release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no release of Rust such as `1.95.0`, `1.95`, `stable`, `beta` or \
     `nightly-2026-05-20`"
)]
pub struct InvalidChannel(String);

/// The channels that have no version in their names.
const CHANNELS: [&str; 3] = ["stable", "beta", "nightly"];

impl Channel {
    /// The newest stable release.
    pub fn stable() -> Self {
        Self { name: "stable".to_owned(), date: None }
    }

    /// Where its manifest is, below `dist`.
    pub fn manifest_path(&self) -> String {
        let Self { name, date } = self;
        match date {
            Some(date) => format!("{date}/channel-rust-{name}.toml"),
            None => format!("channel-rust-{name}.toml"),
        }
    }

    /// Whether a manifest of this day, whose rustc has this version, answers it.
    pub fn is_answered_by(&self, date: Date, rustc: &str) -> bool {
        let version = match self.name.as_str() {
            "stable" => !rustc.contains('-'),
            name @ ("beta" | "nightly") => rustc.contains(&format!("-{name}")),
            version => rustc.strip_prefix(version).is_some_and(|rest| {
                rest.is_empty() || (version.split('.').count() < 3 && rest.starts_with('.'))
            }),
        };
        version && self.date.is_none_or(|wanted| wanted == date)
    }

    /// How a lock calls the release of a manifest: the version of a stable one, the channel and the
    /// day of another. Asked for by this name, it is found again.
    pub fn locked_version(&self, date: Date, rustc: &str) -> String {
        match self.name.as_str() {
            channel @ ("beta" | "nightly") => format!("{channel}-{date}"),
            _ => rustc.to_owned(),
        }
    }
}

impl FromStr for Channel {
    type Err = InvalidChannel;

    fn from_str(text: &str) -> Result<Self, InvalidChannel> {
        let invalid = || InvalidChannel(text.to_owned());
        let text = text.strip_prefix('=').unwrap_or(text);
        let (name, date) = match text.split_once('-') {
            // A beta of one version: 1.96.0-beta.2.
            Some((_, rest)) if rest.starts_with("beta") => (text, None),
            Some((name, date)) => (name, Some(date.parse().map_err(|_| invalid())?)),
            None => (text, None),
        };
        let is_number = |part: &str| {
            !part.is_empty() && part.len() < 6 && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let version = name.split_once("-beta").map_or(name, |(version, _)| version);
        let parts = version.split('.').count();
        let suffix = name[version.len()..].strip_prefix("-beta").unwrap_or_default();
        let is_version = (2..=3).contains(&parts)
            && version.split('.').all(is_number)
            && (suffix.is_empty() || suffix.strip_prefix('.').is_some_and(is_number));
        if is_version || CHANNELS.contains(&name) {
            Ok(Self { name: name.to_owned(), date })
        } else {
            Err(invalid())
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.date.map_or(Ok(()), |date| write!(f, "-{date}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(text: &str) -> Channel {
        text.parse().expect(text)
    }

    #[test]
    fn releases_have_their_manifests() {
        for (text, path) in [
            ("1.95.0", "channel-rust-1.95.0.toml"),
            ("=1.95.0", "channel-rust-1.95.0.toml"),
            ("1.95", "channel-rust-1.95.toml"),
            ("1.96.0-beta.2", "channel-rust-1.96.0-beta.2.toml"),
            ("stable", "channel-rust-stable.toml"),
            ("nightly-2026-05-20", "2026-05-20/channel-rust-nightly.toml"),
        ] {
            assert_eq!(channel(text).manifest_path(), path);
            assert_eq!(channel(text).to_string(), text.trim_start_matches('='));
        }
        for text in ["", "1", "1.x", "1.95.0.1", "night", "nightly-2026-13-01", "../x", "1.2/3"] {
            assert!(text.parse::<Channel>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_manifest_of_another_release_is_no_answer() {
        let day: Date = "2026-05-20".parse().expect("a date");
        let other: Date = "2026-05-19".parse().expect("a date");
        for (asked, rustc, is) in [
            ("1.95.0", "1.95.0", true),
            ("1.95", "1.95.1", true),
            ("1.95", "1.96.0", false),
            ("1.9", "1.95.0", false),
            ("1.95.0", "1.95.0-nightly", false),
            ("stable", "1.95.0", true),
            ("stable", "1.96.0-beta.1", false),
            ("nightly", "1.97.0-nightly", true),
            ("nightly-2026-05-20", "1.97.0-nightly", true),
            ("beta", "1.97.0-nightly", false),
        ] {
            assert_eq!(channel(asked).is_answered_by(day, rustc), is, "{asked} {rustc}");
        }
        assert!(!channel("nightly-2026-05-20").is_answered_by(other, "1.97.0-nightly"));
        assert_eq!(channel("nightly").locked_version(day, "1.97.0-nightly"), "nightly-2026-05-20");
        assert_eq!(channel("stable").locked_version(day, "1.95.0"), "1.95.0");
    }
}
