//! Names of Debian packages, as settings write them.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer};

/// A package's name by Debian's policy manual, section 5.6.1, and nothing else: what follows a
/// colon would be another architecture, what stands in parentheses a version.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct PackageName(String);

impl TryFrom<String> for PackageName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fits =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '-' | '.');
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if text.len() < 2 || !begins || !text.chars().all(fits) {
            return Err(format!("`{text}` is not a Debian package's name such as `libssl-dev`"));
        }
        Ok(Self(text))
    }
}

/// Reads a list of names; order and repetition mean nothing.
pub fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    let names = BTreeSet::<PackageName>::deserialize(deserializer)?;
    Ok(names.into_iter().map(|name| name.0).collect())
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    #[test]
    fn packages_are_plain_names() {
        let read = |list: &str| {
            let text = format!(
                "[package.metadata.xprov.target.aarch64-unknown-linux-gnu]\npackages = {list}\n"
            );
            Settings::parse("Cargo.toml", &text)
        };
        let settings = read("[\"libssl-dev\", \"libpq-dev\", \"libssl-dev\"]").expect("settings");
        let triple = "aarch64-unknown-linux-gnu".parse().expect("a triple");
        let packages = settings.target(&triple).packages;
        assert_eq!(packages.iter().collect::<Vec<_>>(), ["libpq-dev", "libssl-dev"]);
        assert!(read("[\"libstdc++-12-dev\"]").is_ok());
        for wrong in ["libssl-dev:arm64", "libssl-dev (>= 3)", "Libssl", "../x", "a", ""] {
            let error = read(&format!("[\"{wrong}\"]")).expect_err(wrong);
            assert_eq!(
                error.to_string(),
                format!(
                    "Cargo.toml:2:12: `{wrong}` is not a Debian package's name such as `libssl-dev`"
                )
            );
        }
    }
}
