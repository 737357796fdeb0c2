//! Rust target triples, the other spellings that users write, and what follows from a triple.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A Rust target triple such as `aarch64-unknown-linux-gnu`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RustTriple(String);

/// A target as the user wrote it: the triple, and the oldest glibc that it shall run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRequest {
    /// The triple.
    pub triple: RustTriple,
    /// The glibc floor of `aarch64-unknown-linux-gnu.2.17`, as (major, minor).
    pub glibc: Option<(u32, u32)>,
}

/// A target that xprov has never heard of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown target `{written}`")]
pub struct UnknownTarget {
    /// What was written.
    pub written: String,
    /// The nearest known triples, best first; may be empty.
    pub nearest: Vec<&'static str>,
}

impl UnknownTarget {
    /// The nearest known targets as a question, or where none is near, all known ones.
    pub fn help(&self) -> String {
        if self.nearest.is_empty() {
            format!("known targets are {}", KNOWN.join(", "))
        } else {
            format!("did you mean `{}`?", self.nearest.join("` or `"))
        }
    }
}

/// Every triple that xprov knows how to speak of. Which of them have recipes is the recipes' business.
pub const KNOWN: &[&str] = &[
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-gnu",
    "aarch64-unknown-linux-musl",
    "armv7-unknown-linux-gnueabihf",
    "armv7-unknown-linux-musleabihf",
    "i686-unknown-linux-gnu",
    "i686-unknown-linux-musl",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-gnu",
    "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
];

/// Docker's platform names and the triples they stand for.
const PLATFORMS: &[(&str, &str)] = &[
    ("linux/amd64", "x86_64-unknown-linux-gnu"),
    ("linux/arm64", "aarch64-unknown-linux-gnu"),
    ("linux/arm64/v8", "aarch64-unknown-linux-gnu"),
    ("linux/arm/v7", "armv7-unknown-linux-gnueabihf"),
    ("linux/386", "i686-unknown-linux-gnu"),
];

impl RustTriple {
    /// The triple as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The triple that this program was compiled for: the host, where tools run.
    pub fn of_this_program() -> Self {
        let env = if cfg!(target_os = "macos") { "apple-darwin" } else { "unknown-linux-gnu" };
        Self(format!("{}-{env}", std::env::consts::ARCH))
    }

    /// The first component: `aarch64`, `armv7`, `x86_64`.
    pub fn arch(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }

    /// Whether programs for it run on Linux.
    pub fn is_linux(&self) -> bool {
        self.0.contains("-linux-")
    }

    /// Whether its C library is glibc.
    pub fn is_gnu_libc(&self) -> bool {
        self.is_linux() && self.0.contains("-gnu")
    }

    /// Whether its C library is musl.
    pub fn is_musl(&self) -> bool {
        self.0.contains("-musl")
    }

    /// Whether programs for it run on macOS.
    pub fn is_macos(&self) -> bool {
        self.0.ends_with("-apple-darwin")
    }

    /// The oldest macOS that programs for it run on where nobody says otherwise: what rustc assumes
    /// (`rustc --print deployment-target`).
    pub fn oldest_macos(&self) -> Option<&'static str> {
        let oldest = if self.arch() == "aarch64" { "11.0" } else { "10.12" };
        self.is_macos().then_some(oldest)
    }

    /// The prefix of cross tools for it, as Debian and most build scripts write it, without the
    /// final dash: `aarch64-linux-gnu`, `arm-linux-gnueabihf`.
    pub fn tool_prefix(&self) -> String {
        let mut parts = self.0.splitn(3, '-');
        let arch = parts.next().unwrap_or_default();
        let arch = if arch.starts_with("armv7") { "arm" } else { arch };
        match (parts.next(), parts.next()) {
            (Some(_), Some(rest)) => format!("{arch}-{rest}"),
            _ => self.0.clone(),
        }
    }

    /// `x86_64_unknown_linux_gnu`: the suffix that cc-rs and pkg-config look up first among theirs.
    pub fn snake(&self) -> String {
        self.0.replace(['-', '.'], "_")
    }

    /// `X86_64_UNKNOWN_LINUX_GNU`: the middle of cargo's `CARGO_TARGET_…` variables.
    pub fn screaming(&self) -> String {
        self.snake().to_uppercase()
    }
}

impl FromStr for RustTriple {
    type Err = UnknownTarget;

    fn from_str(text: &str) -> Result<Self, UnknownTarget> {
        if KNOWN.contains(&text) {
            return Ok(Self(text.to_owned()));
        }
        if let Some((_, triple)) = PLATFORMS.iter().find(|(platform, _)| *platform == text) {
            return Ok(Self((*triple).to_owned()));
        }
        Err(UnknownTarget { written: text.to_owned(), nearest: nearest(text) })
    }
}

fn nearest(text: &str) -> Vec<&'static str> {
    let mut scored: Vec<(f64, &'static str)> = KNOWN
        .iter()
        .map(|known| (strsim::jaro_winkler(text, known), *known))
        .filter(|(score, _)| *score > 0.7)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, known)| known).collect()
}

impl FromStr for TargetRequest {
    type Err = UnknownTarget;

    /// Parses a triple, a docker platform name, or a triple with a glibc suffix.
    fn from_str(text: &str) -> Result<Self, UnknownTarget> {
        if let Ok(triple) = text.parse() {
            return Ok(Self { triple, glibc: None });
        }
        if let Some((triple, suffix)) = text.split_once('.') {
            let floor = suffix
                .split_once('.')
                .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
            let triple: RustTriple = triple.parse()?;
            if floor.is_some() && triple.is_gnu_libc() {
                return Ok(Self { triple, glibc: floor });
            }
        }
        Err(UnknownTarget { written: text.to_owned(), nearest: nearest(text) })
    }
}

impl fmt::Display for RustTriple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RustTriple {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RustTriple {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triple(text: &str) -> RustTriple {
        text.parse().expect("a known triple")
    }

    #[test]
    fn tool_prefixes_are_the_ones_build_scripts_expect() {
        assert_eq!(triple("aarch64-unknown-linux-gnu").tool_prefix(), "aarch64-linux-gnu");
        assert_eq!(triple("armv7-unknown-linux-gnueabihf").tool_prefix(), "arm-linux-gnueabihf");
        assert_eq!(triple("x86_64-unknown-linux-gnu").tool_prefix(), "x86_64-linux-gnu");
    }

    #[test]
    fn platform_names_and_glibc_suffixes_are_normalised() {
        let request: TargetRequest = "aarch64-unknown-linux-gnu.2.17".parse().expect("a suffix");
        assert_eq!(
            (request.triple.as_str(), request.glibc),
            ("aarch64-unknown-linux-gnu", Some((2, 17)))
        );
        assert_eq!(triple("linux/arm/v7").as_str(), "armv7-unknown-linux-gnueabihf");
        assert!("aarch64-unknown-linux-musl.2.17".parse::<TargetRequest>().is_err());
    }

    #[test]
    fn an_unknown_target_names_the_nearest_known() {
        let unknown = "aarch64-linux-gnu".parse::<TargetRequest>().expect_err("not a Rust triple");
        assert_eq!(unknown.nearest.first(), Some(&"aarch64-unknown-linux-gnu"));
    }
}
