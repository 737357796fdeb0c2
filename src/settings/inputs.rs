//! `inputs`: files that build scripts would download, pinned. Each has the variable by which its
//! crate learns where the file is.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::VariableName;
use crate::vocab::digest::Sha256;
use crate::vocab::name::Name;
use crate::vocab::url::Url;

/// A file that a build script wants.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Table")]
pub struct InputSettings {
    /// Where it is, in the order in which places are tried.
    pub urls: Vec<Url>,
    /// What it is.
    pub sha256: Sha256,
    /// The variable that says where it is.
    pub env: String,
    /// What the variable says.
    pub form: InputForm,
    /// How many leading components of every name in an archive are dropped.
    pub strip: u32,
    /// The directory of an archive whose contents are kept.
    pub keep: Option<String>,
}

/// What a variable says of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputForm {
    /// The file, as a `file:` URL.
    FileUrl,
    /// The file, as a path.
    Path,
    /// The directory that the archive was unpacked to.
    Unpacked,
}

impl fmt::Display for InputForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FileUrl => "file-url",
            Self::Path => "path",
            Self::Unpacked => "unpacked",
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    url: Url,
    #[serde(default)]
    urls: Vec<Url>,
    sha256: Option<Sha256>,
    env: VariableName,
    #[serde(rename = "as")]
    form: InputForm,
    #[serde(default)]
    strip: u32,
    keep: Option<String>,
}

impl TryFrom<Table> for InputSettings {
    type Error = String;

    fn try_from(table: Table) -> Result<Self, String> {
        let Table { url, urls, sha256, env, form, strip, keep } = table;
        let Some(sha256) = sha256 else {
            return Err(format!(
                "`sha256` is missing, and nothing is fetched unpinned: `curl -fsSL {url} | \
                 sha256sum` prints it"
            ));
        };
        if form != InputForm::Unpacked && (strip > 0 || keep.is_some()) {
            return Err(format!("`strip` and `keep` need `as = \"unpacked\"`, not \"{form}\""));
        }
        let urls = [url].into_iter().chain(urls).collect();
        Ok(Self { urls, sha256, env: env.0, form, strip, keep })
    }
}

impl InputSettings {
    /// The name that the file keeps, since crates look at its ending: the last part of its first
    /// URL, or `otherwise` where that has none.
    pub fn file_name(&self, otherwise: &Name) -> Name {
        let url = self.urls.first().map(ToString::to_string).unwrap_or_default();
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let after_scheme = path.split_once("://").map_or(path, |(_, rest)| rest);
        let last = after_scheme.split_once('/').and_then(|(_, path)| path.rsplit('/').next());
        last.filter(|last| !last.is_empty()).map_or_else(|| otherwise.clone(), Name::mangle)
    }
}

/// All inputs, no two of which may set the same variable.
pub(super) fn inputs<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Name, InputSettings>, D::Error> {
    let inputs = BTreeMap::<Name, InputSettings>::deserialize(deserializer)?;
    let mut seen: BTreeMap<&str, &Name> = BTreeMap::new();
    for (name, input) in &inputs {
        if let Some(other) = seen.insert(&input.env, name) {
            return Err(de::Error::custom(format!(
                "the inputs `{other}` and `{name}` both set {}",
                input.env
            )));
        }
    }
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    use super::*;

    const ZIP: &str = "url = \"https://example.org/a/v5.17.14.zip?x=1\"\nsha256 = \
        \"0000000000000000000000000000000000000000000000000000000000000000\"\n\
        env = \"SWAGGER_UI_DOWNLOAD_URL\"\n";

    fn read(lines: &str) -> Result<Settings, String> {
        let text = format!("[workspace.metadata.xprov.inputs.swagger-ui]\n{lines}");
        Settings::parse("Cargo.toml", &text).map_err(|error| error.to_string())
    }

    #[test]
    fn an_input_has_places_a_pin_a_variable_and_a_form() {
        let lines = format!("{ZIP}as = \"file-url\"\nurls = [\"file:///srv/a.zip\"]\n");
        let settings = read(&lines).expect("settings");
        let (name, input) = settings.inputs.first_key_value().expect("one");
        assert_eq!(name.as_str(), "swagger-ui");
        assert_eq!((input.urls.len(), input.form), (2, InputForm::FileUrl));
        assert_eq!(input.file_name(name).as_str(), "v5.17.14.zip");
        let other =
            |url: &str| InputSettings { urls: vec![url.parse().expect("a URL")], ..input.clone() };
        for (url, file) in [
            ("https://example.org/", "swagger-ui"),
            ("https://example.org", "swagger-ui"),
            ("file:///srv/a%20b.tgz#x", "a_20b.tgz"),
        ] {
            assert_eq!(other(url).file_name(name).as_str(), file, "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (lines, expected) in [
            (format!("{ZIP}as = \"path\"\nstrip = 1\n"), "`strip` and `keep` need"),
            (format!("{ZIP}as = \"dir\"\n"), "Cargo.toml:5:6: unknown value `dir`"),
            (format!("{ZIP}as = \"path\"\nsha = 1\n"), "Cargo.toml:6:1: unknown key `sha`"),
            (
                "url = \"https://example.org/a\"\nenv = \"A\"\nas = \"path\"\n".to_owned(),
                "`curl -fsSL https://example.org/a | sha256sum` prints it",
            ),
            (
                format!(
                    "{ZIP}as = \"path\"\n[workspace.metadata.xprov.inputs.b]\n{ZIP}as = \"path\"\n"
                ),
                "the inputs `b` and `swagger-ui` both set SWAGGER_UI_DOWNLOAD_URL",
            ),
        ] {
            let error = read(&lines).expect_err(&lines);
            assert!(error.contains(expected), "{error}");
        }
    }
}
