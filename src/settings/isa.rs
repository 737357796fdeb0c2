//! `isa`: what becomes of instruction sets beyond the baseline that crates ask for. Knows words
//! only; what they mean for a compiler is the shims' business.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use crate::vocab::isa::Baseline;

/// The policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct IsaSettings {
    /// What becomes of `-march=native` and its like.
    pub native: NativeAction,
    /// The same for single crates.
    pub crates: BTreeMap<CrateSpec, CrateAction>,
    /// Features that Rust code may use beyond the baseline, by rustc's names (`avx2`). Those of
    /// other architectures than the target's are ignored.
    pub features: Vec<Feature>,
}

/// What becomes of `native`, which would be the machine that builds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NativeAction {
    /// The baseline stands in for it.
    #[default]
    Baseline,
    /// The compiler call fails.
    Deny,
}

impl NativeAction {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Deny => "deny",
        }
    }
}

/// A crate, or one version of it: `foo`, `foo@1.2` (which is every 1.2.x), `foo@1.2.3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct CrateSpec {
    /// The crate's name.
    pub name: String,
    /// The version or its beginning.
    pub version: Option<String>,
}

impl fmt::Display for CrateSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl TryFrom<String> for CrateSpec {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text.as_str(), None),
        };
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let is_version = |v: &str| {
            v.starts_with(|c: char| c.is_ascii_digit())
                && v.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
        };
        if name.is_empty() || !name.chars().all(is_name) || version.is_some_and(|v| !is_version(v))
        {
            return Err(format!("`{text}` is not a crate such as `foo` or `foo@1.2`"));
        }
        Ok(Self { name: name.to_owned(), version: version.map(str::to_owned) })
    }
}

/// What `native` means for one crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrateAction {
    /// The baseline.
    Baseline,
    /// What the crate says: the machine that builds.
    Native,
    /// An instruction set of this name, where the target knows it.
    Level(String),
}

impl CrateAction {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Baseline => "baseline",
            Self::Native => "native",
            Self::Level(level) => level,
        }
    }
}

/// The architectures that have named levels.
const ARCHES: [&str; 4] = ["x86_64", "aarch64", "armv7", "i686"];

/// Everything that a crate can be allowed.
fn words() -> Vec<&'static str> {
    let levels = ARCHES.iter().filter_map(|arch| Baseline::of(arch, Some("")).err());
    ["baseline", "native"].into_iter().chain(levels.flat_map(|unknown| unknown.known)).collect()
}

/// What serde says for a word that is none of those that are known.
fn unknown_word<E: de::Error>(word: &str, known: &[&str]) -> E {
    E::custom(format!("unknown variant `{word}`, expected one of `{}`", known.join("`, `")))
}

fn is_level(word: &str) -> bool {
    ARCHES.iter().any(|arch| Baseline::of(arch, Some(word)).is_ok())
}

/// The name of a baseline. That it is one of the target's is found out later.
pub(super) fn baseline<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let word = String::deserialize(deserializer)?;
    if is_level(&word) { Ok(Some(word)) } else { Err(unknown_word(&word, &words()[2..])) }
}

impl<'de> Deserialize<'de> for CrateAction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;

        impl Visitor<'_> for Word {
            type Value = CrateAction;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`baseline`, `native` or an instruction set such as `x86-64-v3`")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<CrateAction, E> {
                match word {
                    "baseline" => Ok(CrateAction::Baseline),
                    "native" => Ok(CrateAction::Native),
                    level if is_level(level) => Ok(CrateAction::Level(level.to_owned())),
                    other => Err(unknown_word(other, &words())),
                }
            }
        }

        deserializer.deserialize_str(Word)
    }
}

/// Features whose names others than rustc write with other dashes, dots or capitals. That is all
/// that can be said of a name: each rustc has its own list.
const MISSPELT: [&str; 24] = [
    "aes",
    "avx",
    "avx2",
    "avx512bw",
    "avx512cd",
    "avx512dq",
    "avx512f",
    "avx512vl",
    "avx512vnni",
    "bmi1",
    "bmi2",
    "dotprod",
    "f16c",
    "fma",
    "fp16",
    "lse",
    "neon",
    "popcnt",
    "sha2",
    "sse3",
    "sse4.1",
    "sse4.2",
    "ssse3",
    "sve2",
];

/// A feature by rustc's name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Feature(pub String);

impl TryFrom<String> for Feature {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) || !text.chars().all(is_name) {
            return Err(format!("`{text}` is not a feature's name such as `avx2`"));
        }
        let letters = |name: &str| {
            let kept = name.chars().filter(char::is_ascii_alphanumeric);
            kept.collect::<String>().to_ascii_lowercase()
        };
        match MISSPELT.iter().find(|name| **name != text && letters(name) == letters(&text)) {
            Some(name) => Err(format!("unknown variant `{text}`, expected one of `{name}`")),
            None => Ok(Self(text)),
        }
    }
}

impl IsaSettings {
    /// All of it in one text that is the same for the same policy: part of env-id.
    pub fn canonical(&self) -> String {
        let mut lines = vec![format!("native {}", self.native.as_str())];
        lines.extend(self.crates.iter().map(|(of, action)| format!("{of} {}", action.as_str())));
        let mut features: Vec<&str> = self.features.iter().map(|f| f.0.as_str()).collect();
        features.sort_unstable();
        features.dedup();
        lines.extend(features.into_iter().map(|feature| format!("+{feature}")));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_help_is_understood() {
        #[derive(Deserialize)]
        struct Table {
            a: CrateAction,
        }
        assert!(words().len() > 6);
        for word in words() {
            let table: Table = toml::from_str(&format!("a = '{word}'")).expect(word);
            assert_eq!(table.a.as_str(), word);
        }
    }

    #[test]
    fn a_crate_has_a_name_and_perhaps_a_version() {
        let spec = |text: &str| CrateSpec::try_from(text.to_owned());
        for right in ["foo", "foo-sys_2@1.2", "foo@1.2.0-rc.1"] {
            assert_eq!(spec(right).expect("a crate").to_string(), right);
        }
        for wrong in ["", "a b", "@1", "a@", "a@^1"] {
            assert!(spec(wrong).is_err(), "{wrong}");
        }
    }
}
