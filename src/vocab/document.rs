//! TOML documents that people write: parsed with file, line and column in every error.

use serde::de::DeserializeOwned;

use super::triple::RustTriple;

/// A document that is malformed, or says something that its format does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {message}")]
pub struct DocumentError {
    /// The document's path, as the user would write it.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
    /// The nearest thing that would be right.
    pub help: Option<String>,
}

/// Parses `text`, the contents of `path`.
pub fn parse<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, DocumentError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        at(path, text, start, error.message())
    })
}

/// The error for what is at byte `offset` of `text`.
pub fn at(path: &str, text: &str, offset: usize, message: &str) -> DocumentError {
    let before = &text[..text.floor_char_boundary(offset)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let (message, help) = explain(message);
    DocumentError {
        path: path.to_owned(),
        line: line_of(text, offset),
        column: before[line_start..].chars().count() + 1,
        message,
        help,
    }
}

/// The line, from 1, of what is at byte `offset` of `text`.
pub fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// serde says "unknown field `x`, expected one of `a`, `b`"; people want the nearest key.
fn explain(message: &str) -> (String, Option<String>) {
    let message = message.trim_end().lines().next().unwrap_or_default();
    if let Some(target) = message.strip_prefix("unknown target `") {
        let unknown = target.trim_end_matches('`').parse::<RustTriple>().err();
        return (message.to_owned(), unknown.map(|unknown| unknown.help()));
    }
    // What the parser says where an enumeration is expected.
    if message == "wanted string or table" {
        return ("invalid type, expected a string".to_owned(), None);
    }
    for (prefix, what) in [("unknown field `", "key"), ("unknown variant `", "value")] {
        if let Some(rest) = message.strip_prefix(prefix) {
            let mut quoted = rest.split('`').step_by(2);
            let unknown = quoted.next().unwrap_or_default();
            return (format!("unknown {what} `{unknown}`"), nearest(unknown, rest, what));
        }
    }
    if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        return wrong_type(found, expected);
    }
    (message.to_owned(), None)
}

/// serde's words for types are those of Rust; people write lists and tables.
fn wrong_type(found: &str, expected: &str) -> (String, Option<String>) {
    let plain = |word: &str| match word {
        "sequence" | "a sequence" => "a list".to_owned(),
        "map" | "a map" => "a table".to_owned(),
        word if word.starts_with("struct ") => "a table".to_owned(),
        "u16" | "u32" | "u64" | "usize" => "a whole number".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        word => word.to_owned(),
    };
    let text = found.strip_prefix("string ").filter(|_| plain(expected) == "a list");
    let message = format!("invalid type: {}, expected {}", plain(found), plain(expected));
    (message, text.map(|text| format!("write `[{text}]`")))
}

/// The nearest of the words between back quotes in `rest`, after the first of them; all of them
/// where none is near.
fn nearest(unknown: &str, rest: &str, what: &str) -> Option<String> {
    // Every second piece is between back quotes.
    let known: Vec<&str> =
        rest.split('`').skip(2).step_by(2).filter(|key| !key.is_empty()).collect();
    let nearest = known
        .iter()
        .map(|key| (strsim::jaro_winkler(unknown, key), key))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(score, _)| *score > 0.6)
        .map(|(_, key)| format!("did you mean `{key}`?"));
    nearest.or_else(|| {
        (!known.is_empty()).then(|| format!("known {what}s are `{}`", known.join("`, `")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[expect(dead_code, reason = "only parsed")]
    struct Example {
        name: String,
        size: u32,
        pkg_config: Option<String>,
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_and_its_place() {
        let error =
            parse::<Example>("x.toml", "name = \"a\"\nsise = 3\n").expect_err("unknown key");
        assert_eq!(error.to_string(), "x.toml:2:1: unknown key `sise`");
        assert_eq!(error.help.as_deref(), Some("did you mean `size`?"));
    }

    #[test]
    fn a_wrong_type_names_its_place() {
        let error = parse::<Example>("x.toml", "name = \"a\"\nsize = \"b\"\n").expect_err("type");
        assert_eq!((error.line, error.column), (2, 8));
        assert!(error.message.ends_with(", expected a whole number"), "{}", error.message);
        let error = parse::<Vec<Example>>("x.toml", "a = 1").expect_err("type");
        assert_eq!(error.message, "invalid type: a table, expected a list");
        let (message, help) = explain("invalid type: string \"a\", expected a sequence");
        assert_eq!(message, "invalid type: string \"a\", expected a list");
        assert_eq!(help.as_deref(), Some("write `[\"a\"]`"));
        let (message, _) = explain("invalid type: string \"a\", expected struct Example");
        assert_eq!(message, "invalid type: string \"a\", expected a table");
    }
}
