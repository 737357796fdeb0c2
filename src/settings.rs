//! A project's settings: `[workspace.metadata.xprov]` or `[package.metadata.xprov]` of its root
//! Cargo.toml (`docs/settings.md`). Pure: text in, values out.

mod host_tools;
mod inputs;
mod isa;
mod linker;
mod packages;
mod rust;
mod sandbox;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

pub use host_tools::HostTools;
pub use inputs::{InputForm, InputSettings};
pub use isa::{CrateAction, CrateSpec, Feature, IsaSettings, NativeAction};
pub use linker::Linker;
pub use rust::SYSTEM as SYSTEM_RUST;
pub use sandbox::SandboxSettings;
pub use verify::{Exception, Scope, VerifySettings};

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
    #[serde(deserialize_with = "rust::choice")]
    pub rust: Choice,
    /// The choice of tools that build scripts call (a POSIX shell and its companions).
    pub tools: Choice,
    /// Single tools for build scripts: `protoc`, `cmake`.
    pub host_tools: HostTools,
    /// Settings of one target.
    #[serde(deserialize_with = "linker::targets")]
    pub target: BTreeMap<RustTriple, TargetSettings>,
    /// Variables of the project's own.
    pub env: EnvSettings,
    /// What becomes of instruction sets beyond the baseline.
    pub isa: IsaSettings,
    /// How far the programs of a build are confined.
    pub sandbox: SandboxSettings,
    /// What binaries are held to beyond their target's own rules.
    pub verify: VerifySettings,
    /// Files that build scripts would download, pinned.
    #[serde(deserialize_with = "inputs::inputs")]
    pub inputs: BTreeMap<Name, InputSettings>,
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
    /// Components that the recipe has on request: `clippy`.
    pub components: BTreeSet<Name>,
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            recipe: Option<Name>,
            version: Option<String>,
            #[serde(default)]
            components: BTreeSet<Name>,
        }

        struct TextOrTable;

        impl<'de> Visitor<'de> for TextOrTable {
            type Value = Choice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a version, or a table with `recipe`, `version` and `components`")
            }

            fn visit_str<E: de::Error>(self, version: &str) -> Result<Choice, E> {
                Ok(Choice { version: Some(version.to_owned()), ..Choice::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Choice, A::Error> {
                let Table { recipe, version, components } =
                    Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Choice { recipe, version, components })
            }
        }

        deserializer.deserialize_any(TextOrTable)
    }
}

/// Settings of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TargetSettings {
    /// The recipe of the C toolchain, where `cc` names none: `toolchain = "zig"`.
    pub toolchain: Option<Name>,
    /// The choice of C toolchain.
    pub cc: Choice,
    /// What links: a linker in place of a C toolchain, or the C toolchain in any case.
    pub linker: Option<Linker>,
    /// The choice of emulator.
    pub runner: Choice,
    /// The instruction set that the output may assume: a `-C target-cpu` value such as
    /// `x86-64-v2`.
    #[serde(deserialize_with = "isa::baseline")]
    pub baseline: Option<String>,
    /// Further flags for rustc.
    pub rustflags: Vec<String>,
    /// The newest glibc that the output may need, `2.31`; a verification fails above it.
    pub glibc: Option<GlibcVersion>,
    /// Debian packages whose headers and libraries join the sysroot.
    #[serde(deserialize_with = "packages::names")]
    pub packages: BTreeSet<String>,
}

impl TargetSettings {
    /// The choice of C toolchain, with the recipe that `toolchain` names.
    pub fn c_toolchain(&self) -> Choice {
        let recipe = self.cc.recipe.clone().or_else(|| self.toolchain.clone());
        Choice { recipe, ..self.cc.clone() }
    }
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
    #[serde(deserialize_with = "names")]
    pub pass: Vec<String>,
    /// Names and values.
    #[serde(deserialize_with = "values")]
    pub set: BTreeMap<String, String>,
}

/// The name of a variable: what is not one could be anything in a file that a shell reads.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct VariableName(String);

impl TryFrom<String> for VariableName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // cc's variables may have the dashes of a triple.
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            || !text.chars().all(is_name)
        {
            return Err(format!("`{text}` is not a variable's name such as `DATABASE_URL`"));
        }
        Ok(Self(text))
    }
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<VariableName>::deserialize(deserializer)?;
    Ok(names.into_iter().map(|name| name.0).collect())
}

fn values<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let values = BTreeMap::<VariableName, String>::deserialize(deserializer)?;
    Ok(values.into_iter().map(|(name, value)| (name.0, value)).collect())
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
    fn isa_and_sandbox_are_read_and_wrong_words_are_named_with_their_places() {
        let read = |lines: &str| {
            Settings::parse("Cargo.toml", &format!("[workspace.metadata.xprov]\n{lines}\n"))
        };
        let settings = read(
            "isa.native = \"deny\"\nisa.features = [\"avx2\"]\nisa.crates = { lance-linalg = \
             \"baseline\", \"foo@1.2\" = \"x86-64-v3\", bar = \"native\" }\n\
             sandbox = { mode = \"report\", read = [\"../shared\"], network = true }",
        )
        .expect("settings");
        assert_eq!(
            settings.isa.canonical(),
            "native deny\nbar native\nfoo@1.2 x86-64-v3\nlance-linalg baseline\n+avx2"
        );
        assert_eq!(settings.sandbox.canonical(), "sandbox report\nread ../shared\nnetwork");
        assert_eq!(read("sandbox = \"off\"").expect("settings").sandbox.canonical(), "sandbox off");
        assert_eq!(read("").expect("settings").sandbox.canonical(), "sandbox on");
        for (lines, message, help) in [
            ("isa.nativ = \"deny\"", "2:5: unknown key `nativ`", "did you mean `native`?"),
            ("isa.native = \"denied\"", "2:14: unknown value `denied`", "did you mean `deny`?"),
            (
                "isa.crates.foo = \"x86-64-v5\"",
                "2:18: unknown value `x86-64-v5`",
                "did you mean `x86-64-v4`?",
            ),
            (
                "isa.crates.\"foo@\" = \"native\"",
                "2:12: `foo@` is not a crate such as `foo` or `foo@1.2`",
                "",
            ),
            (
                "isa.features = [\"+avx2\"]",
                "2:16: `+avx2` is not a feature's name such as `avx2`",
                "",
            ),
            (
                "env.pass = [\"A\", \"B C\"]",
                "2:12: `B C` is not a variable's name such as `DATABASE_URL`",
                "",
            ),
            (
                "env.set = { \"A;b\" = \"c\" }",
                "2:13: `A;b` is not a variable's name such as `DATABASE_URL`",
                "",
            ),
            (
                "target.x86_64-unknown-linux-gnu.baseline = \"x86-64-v33\"",
                "2:44: unknown value `x86-64-v33`",
                "did you mean `x86-64-v3`?",
            ),
            ("isa = \"deny\"", "2:7: invalid type: string \"deny\", expected a table", ""),
            (
                "sandbox.read = \"../a\"",
                "2:16: invalid type: string \"../a\", expected a list",
                "write `[\"../a\"]`",
            ),
            ("isa.features = [\"avx-2\"]", "2:16: unknown value `avx-2`", "did you mean `avx2`?"),
            ("sandbox = \"of\"", "2:11: unknown value `of`", "did you mean `off`?"),
            ("sandbox = { mod = \"on\" }", "2:13: unknown key `mod`", "did you mean `mode`?"),
            ("sandbox.mode = \"strict\"", "2:16: unknown value `strict`", "known values are"),
        ] {
            let error = read(lines).expect_err(lines);
            assert_eq!(error.to_string(), format!("Cargo.toml:{message}"));
            let said = error.help.unwrap_or_default();
            assert!(
                said.starts_with(help) && said.is_empty() == help.is_empty(),
                "{lines}: {said}"
            );
        }
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
