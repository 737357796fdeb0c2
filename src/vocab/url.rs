//! Where bytes are: `https:`, `http:` and `file:` URLs, and `debian:` names that a machine's own
//! archive configuration turns into URLs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A URL with one of the schemes that xprov reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url(String);

/// Text that is no URL, or has another scheme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a URL that xprov reads: https:, http: or file: is expected")]
pub struct InvalidUrl(String);

impl Url {
    /// The URL as text, credentials included: for requests only, never for messages.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of a `file:` URL.
    pub fn file_path(&self) -> Option<std::path::PathBuf> {
        let path = self.0.strip_prefix("file://")?;
        Some(percent_decode(path).into())
    }

    /// Appends a relative path.
    #[must_use]
    pub fn join(&self, path: &str) -> Self {
        Self(format!("{}/{}", self.0.trim_end_matches('/'), path.trim_start_matches('/')))
    }
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = (byte == b'%')
            .then(|| std::str::from_utf8(tail.get(..2)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl FromStr for Url {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let good = ["https://", "http://", "file:///"]
            .iter()
            .any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
            && !text.contains(char::is_whitespace);
        if good { Ok(Self(text.to_owned())) } else { Err(InvalidUrl(text.to_owned())) }
    }
}

impl fmt::Display for Url {
    /// Without user name and password, so that it can stand in messages and logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((scheme, rest)) = self.0.split_once("://") {
            let authority_end = rest.find('/').unwrap_or(rest.len());
            if let Some(at) = rest[..authority_end].rfind('@') {
                return write!(f, "{scheme}://{}", &rest[at + 1..]);
            }
        }
        f.write_str(&self.0)
    }
}

impl Serialize for Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_do_not_appear_in_messages() {
        let url: Url = "https://user:secret@mirror.example/debian".parse().expect("a URL");
        assert_eq!(url.to_string(), "https://mirror.example/debian");
        assert!(url.as_str().contains("secret"));
    }

    #[test]
    fn file_urls_are_decoded() {
        let url: Url = "file:///tmp/a%20b".parse().expect("a URL");
        assert_eq!(url.file_path(), Some("/tmp/a b".into()));
        assert!("ftp://x/y".parse::<Url>().is_err());
    }
}
