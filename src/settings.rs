//! A project's settings: `[workspace.metadata.xprov]` or `[package.metadata.xprov]` of its root
//! Cargo.toml (`docs/settings.md`). Pure: text in, values out.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::vocab::document::{self, DocumentError};
use crate::vocab::name::Name;
use crate::vocab::triple::{RustTriple, TargetRequest};
use crate::vocab::url::Url;

/// Everything that can be set. What is absent has the documented default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// What `build` and its kin build for when no `--target` is given.
    pub targets: Vec<Target>,
    /// The machines that `toolchains.lock` has entries for; by default those that the chosen
    /// recipes serve.
    pub hosts: Option<Vec<RustTriple>>,
    /// The choice of Rust.
    pub rust: Choice,
    /// The choice of tools that build scripts call (a POSIX shell and its companions).
    pub tools: Choice,
    /// Settings of one target.
    pub target: BTreeMap<RustTriple, TargetSettings>,
    /// Variables of the project's own.
    pub env: EnvSettings,
    /// Base URLs of mirrors, tried first, for each archive name that a recipe uses.
    pub mirrors: BTreeMap<String, Vec<Url>>,
}

/// A target as written in `targets`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Target(pub TargetRequest);

impl TryFrom<String> for Target {
    type Error = crate::vocab::triple::UnknownTarget;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

/// Which recipe, and which of its versions. Absent: the default recipe, its newest version.
/// Written as a table, or as a text that is the version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The recipe's name.
    pub recipe: Option<Name>,
    /// A version or the beginning of one: `1.85` takes the newest 1.85.x.
    pub version: Option<String>,
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            recipe: Option<Name>,
            version: Option<String>,
        }

        struct TextOrTable;

        impl<'de> Visitor<'de> for TextOrTable {
            type Value = Choice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a version, or a table with `recipe` and `version`")
            }

            fn visit_str<E: de::Error>(self, version: &str) -> Result<Choice, E> {
                Ok(Choice { recipe: None, version: Some(version.to_owned()) })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Choice, A::Error> {
                let Table { recipe, version } =
                    Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Choice { recipe, version })
            }
        }

        deserializer.deserialize_any(TextOrTable)
    }
}

/// Settings of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TargetSettings {
    /// The choice of C toolchain.
    pub cc: Choice,
    /// The choice of emulator.
    pub runner: Choice,
    /// The instruction set that the output may assume: a `-C target-cpu` value such as
    /// `x86-64-v2`.
    pub baseline: Option<String>,
    /// Further flags for rustc.
    pub rustflags: Vec<String>,
    /// The newest glibc that the output may need, `2.31`; a verification fails above it.
    pub glibc: Option<GlibcVersion>,
}

/// A glibc version, major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct GlibcVersion(pub u32, pub u32);

impl TryFrom<String> for GlibcVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.split_once('.')
            .and_then(|(major, minor)| Some(Self(major.parse().ok()?, minor.parse().ok()?)))
            .ok_or_else(|| format!("`{text}` is not a glibc version such as `2.31`"))
    }
}

/// Variables that reach a build, both part of env-id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnvSettings {
    /// Names whose values come from the user's environment.
    pub pass: Vec<String>,
    /// Names and values.
    pub set: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Manifest {
    workspace: Option<Table>,
    package: Option<Table>,
}

#[derive(Deserialize)]
struct Table {
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    xprov: Option<toml::Spanned<Settings>>,
}

impl Settings {
    /// Reads the settings in `text`, the root Cargo.toml at `path`.
    pub fn parse(path: &str, text: &str) -> Result<Self, DocumentError> {
        let manifest: Manifest = document::parse(path, text)?;
        let of = |table: Option<Table>| table.and_then(|table| table.metadata?.xprov);
        match (of(manifest.workspace), of(manifest.package)) {
            (Some(_), Some(second)) => Err(DocumentError {
                help: Some("keep the settings in `[workspace.metadata.xprov]`".to_owned()),
                ..document::at(
                    path,
                    text,
                    second.span().start,
                    "settings stand in both the workspace and the package of this file",
                )
            }),
            (settings, other) => {
                Ok(settings.or(other).map(toml::Spanned::into_inner).unwrap_or_default())
            }
        }
    }

    /// The settings of one target, or the defaults.
    pub fn target(&self, triple: &RustTriple) -> TargetSettings {
        self.target.get(triple).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_from_workspace_or_package() {
        let text = "[package]\nname = \"a\"\n[package.metadata.xprov]\ntargets = [\"linux/arm64\"]\n\
                    rust = \"1.85\"\n";
        let settings = Settings::parse("Cargo.toml", text).expect("settings");
        assert_eq!(settings.targets[0].0.triple.as_str(), "aarch64-unknown-linux-gnu");
        assert_eq!(settings.rust.version.as_deref(), Some("1.85"));
        assert_eq!(Settings::parse("Cargo.toml", "[package]\n"), Ok(Settings::default()));
    }

    #[test]
    fn an_unknown_key_and_an_unknown_target_name_file_line_and_column() {
        let text = "[workspace.metadata.xprov]\ntarget = {}\ntragets = []\n";
        let error = Settings::parse("Cargo.toml", text).expect_err("unknown key");
        assert_eq!(error.to_string(), "Cargo.toml:3:1: unknown key `tragets`");
        assert_eq!(error.help.as_deref(), Some("did you mean `targets`?"));
        let text = "[workspace.metadata.xprov]\nrust = { versoin = \"1\" }\n";
        let error = Settings::parse("Cargo.toml", text).expect_err("unknown key");
        assert_eq!(error.to_string(), "Cargo.toml:2:10: unknown key `versoin`");
        let text = "[workspace.metadata.xprov]\ntargets = [\"aarch64-linux\"]\n";
        let error = Settings::parse("Cargo.toml", text).expect_err("unknown target");
        assert_eq!(error.to_string(), "Cargo.toml:2:11: unknown target `aarch64-linux`");
        assert!(error.help.is_some_and(|help| help.contains("aarch64-unknown-linux-gnu")));
    }
}
