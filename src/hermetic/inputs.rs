//! Pinned inputs as variables: what a build script reads in place of what it would download.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::vars;
use super::{Error, text};
use crate::settings::InputForm;

/// An input that is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedInput {
    /// Its name in the settings.
    pub name: String,
    /// The variable that says where it is.
    pub variable: String,
    /// What the variable says.
    pub form: InputForm,
    /// The file, or the directory of the unpacked tree, relative to the store.
    pub path: PathBuf,
}

impl PinnedInput {
    /// The variable's value where the store is at `store`.
    pub(super) fn value(&self, store: &Path) -> Result<String, Error> {
        let path = store.join(&self.path);
        let path = text(&path)?;
        Ok(match self.form {
            InputForm::Path | InputForm::Unpacked => path.to_owned(),
            InputForm::FileUrl => file_url(path),
        })
    }
}

/// The `file:` URL of an absolute path (RFC 8089), with what means something in URLs escaped.
fn file_url(path: &str) -> String {
    let mut url = "file://".to_owned();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~+@".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}

/// What cargo sets for build scripts itself, beside all `CARGO_*`.
const CARGOS: [&str; 8] =
    ["OUT_DIR", "TARGET", "HOST", "NUM_JOBS", "OPT_LEVEL", "PROFILE", "DEBUG", "RUSTC_LINKER"];

/// Why an input cannot be announced by this variable, if it cannot: the end of a sentence.
pub fn refusal(variable: &str) -> Option<&'static str> {
    if variable.starts_with("XPROV_") {
        return Some("xprov sets it itself");
    }
    if variable.starts_with("CARGO_") || CARGOS.contains(&variable) {
        return Some("cargo sets it itself or reads it");
    }
    let rule = vars::rule_for(variable)?;
    // Where a library or a program from elsewhere is what it is for, a pinned one is welcome.
    let is_door =
        rule.reason.starts_with("a library from") || rule.reason.starts_with("files from");
    (!is_door).then_some(rule.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_decides_what_the_variable_says() {
        let value = |form| {
            let input = PinnedInput {
                name: "a".into(),
                variable: "A".into(),
                form,
                path: "objects/x-a-1/v1+2.zip".into(),
            };
            input.value(Path::new("/s%t/ö")).expect("text")
        };
        assert_eq!(value(InputForm::Path), "/s%t/ö/objects/x-a-1/v1+2.zip");
        assert_eq!(value(InputForm::FileUrl), "file:///s%25t/%C3%B6/objects/x-a-1/v1+2.zip");
    }

    #[test]
    fn variables_with_another_meaning_are_refused() {
        for name in ["PATH", "HOME", "CC", "CFLAGS_x86_64", "LD_PRELOAD", "RUSTFLAGS", "http_proxy"]
        {
            assert!(refusal(name).is_some(), "{name}");
        }
        for name in ["XPROV_TARGET", "OUT_DIR", "CARGO_MANIFEST_DIR", "PKG_CONFIG_PATH"] {
            assert!(refusal(name).is_some(), "{name}");
        }
        for name in ["SWAGGER_UI_DOWNLOAD_URL", "ORT_LIB_LOCATION", "OPENSSL_DIR"] {
            assert_eq!(refusal(name), None, "{name}");
        }
    }
}
