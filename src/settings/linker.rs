//! The choice of what links: a linker alone, for targets whose Rust programs need no C toolchain, or
//! the C toolchain whether they need one or not.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};

use super::{Choice, TargetSettings};
use crate::vocab::triple::RustTriple;

/// What links Rust programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linker {
    /// LLVM's linker alone.
    Lld,
    /// The target's C toolchain.
    Cc,
}

impl Linker {
    /// The word of the settings, which is also the name of the recipe of a linker alone.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lld => "lld",
            Self::Cc => "cc",
        }
    }

    /// Whether it stands in the place of a C toolchain.
    pub fn is_alone(self) -> bool {
        self == Self::Lld
    }
}

impl TargetSettings {
    /// What fills the target's slot for a C toolchain: that, or a linker alone.
    pub fn linked_by(&self) -> Choice {
        let alone = self.linker.filter(|linker| linker.is_alone());
        let recipe = alone.and_then(|linker| linker.as_str().parse().ok());
        if recipe.is_some() { Choice { recipe, ..Choice::default() } } else { self.c_toolchain() }
    }
}

/// Reads the tables of all targets. A linker alone finds a C library beside the standard library of
/// musl targets only, and stands for the C toolchain.
pub(super) fn targets<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<RustTriple, TargetSettings>, D::Error> {
    let targets = BTreeMap::<RustTriple, TargetSettings>::deserialize(deserializer)?;
    for (target, settings) in &targets {
        let alone = settings.linker.filter(|linker| linker.is_alone());
        let Some(linker) = alone.map(Linker::as_str) else { continue };
        if !target.is_musl() {
            return Err(de::Error::custom(format!(
                "`linker = \"{linker}\"` is for musl targets: {target} needs a C toolchain, which \
                 also links"
            )));
        }
        if settings.c_toolchain() != Choice::default() {
            let also = if settings.toolchain.is_some() { "toolchain" } else { "cc" };
            return Err(de::Error::custom(format!(
                "target {target} has both `{also}` and `linker = \"{linker}\"`, which stands in its \
                 place"
            )));
        }
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    fn read(lines: &str) -> Result<Settings, String> {
        let text = format!("[workspace.metadata.xprov.target]\n{lines}\n");
        Settings::parse("Cargo.toml", &text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_linker_alone_is_for_musl_and_stands_for_the_c_toolchain() {
        let settings = read("x86_64-unknown-linux-musl.linker = \"lld\"").expect("settings");
        let target = "x86_64-unknown-linux-musl".parse().expect("a triple");
        let choice = settings.target(&target).linked_by();
        assert_eq!(choice.recipe.expect("a recipe").as_str(), "lld");
        let both = "x86_64-unknown-linux-gnu = { linker = \"cc\", cc = \"12\" }";
        let settings = read(both).expect("settings");
        let target = "x86_64-unknown-linux-gnu".parse().expect("a triple");
        let choice = settings.target(&target).linked_by();
        assert_eq!((choice.recipe, choice.version.as_deref()), (None, Some("12")));
        for (lines, said) in [
            ("x86_64-unknown-linux-gnu.linker = \"lld\"", "is for musl targets"),
            (
                "x86_64-unknown-linux-musl = { linker = \"lld\", cc = \"12\" }",
                "has both `cc` and `linker",
            ),
            (
                "x86_64-unknown-linux-musl = { linker = \"lld\", toolchain = \"zig\" }",
                "has both `toolchain` and `linker",
            ),
            ("x86_64-unknown-linux-musl.linker = \"ldd\"", "unknown value `ldd`"),
        ] {
            let error = read(lines).expect_err(lines);
            assert!(error.starts_with("Cargo.toml:") && error.contains(said), "{error}");
        }
    }
}
