//! The list of a package's files: HTML with digests in the links (PEP 503), or JSON (PEP 691). Pure.

use serde::Deserialize;

use crate::vocab::digest::Sha256;
use crate::vocab::url::Url;

/// A file that an index lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub url: Url,
    /// Its digest, where the index has one.
    pub sha256: Option<Sha256>,
    /// Its size in bytes, where the index says it.
    pub size: Option<u64>,
    /// Whether its author took it back: it is for those who pinned it already.
    pub yanked: bool,
}

/// Bytes that are no list.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// They are no text.
    #[error("it is not UTF-8 text")]
    NotText,
    /// They begin as JSON and are not what PEP 691 describes.
    #[error("its JSON is not that of a package index")]
    Json(#[source] serde_json::Error),
    /// There is no link to a file in it.
    #[error("it has no link to a file")]
    Empty,
}

#[derive(Deserialize)]
struct Json {
    files: Vec<JsonFile>,
}

#[derive(Deserialize)]
struct JsonFile {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: JsonHashes,
    size: Option<u64>,
    #[serde(default)]
    yanked: serde_json::Value,
}

#[derive(Default, Deserialize)]
struct JsonHashes {
    sha256: Option<String>,
}

/// The files in the list that came from `base`.
pub fn parse(base: &Url, bytes: &[u8]) -> Result<Vec<File>, PageError> {
    let text = std::str::from_utf8(bytes).map_err(|_| PageError::NotText)?;
    let files =
        if text.trim_start().starts_with('{') { json(base, text)? } else { html(base, text) };
    if files.is_empty() { Err(PageError::Empty) } else { Ok(files) }
}

fn json(base: &Url, text: &str) -> Result<Vec<File>, PageError> {
    let list: Json = serde_json::from_str(text).map_err(PageError::Json)?;
    let file = |file: JsonFile| {
        Some(File {
            url: resolve(base, &file.url)?,
            name: file.filename,
            sha256: file.hashes.sha256.and_then(|digest| digest.parse().ok()),
            size: file.size,
            yanked: !matches!(
                file.yanked,
                serde_json::Value::Null | serde_json::Value::Bool(false)
            ),
        })
    };
    Ok(list.files.into_iter().filter_map(file).collect())
}

fn html(base: &Url, text: &str) -> Vec<File> {
    let mut files = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let is_anchor = rest.get(..2).is_some_and(|start| {
            start.starts_with(['a', 'A']) && start.ends_with(char::is_whitespace)
        });
        if is_anchor {
            let (attributes, after) = attributes(&rest[1..]);
            rest = after;
            files.extend(file(base, &attributes));
        }
    }
    files
}

/// The attributes of a tag, unescaped, and what follows it.
fn attributes(text: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && !rest.starts_with('>') {
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>'));
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after.trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let (inside, end) = match after.chars().next() {
                Some(quote @ ('"' | '\'')) => (&after[1..], after[1..].find(quote)),
                _ => (after, after.find(|c: char| c.is_whitespace() || c == '>')),
            };
            let (inside, after) = inside.split_at(end.unwrap_or(inside.len()));
            value = inside;
            rest = after.trim_start_matches(['"', '\'']).trim_start();
        }
        if name.is_empty() && value.is_empty() {
            // A stray sign: go on behind it.
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        found.push((name.to_ascii_lowercase(), unescaped(value)));
    }
    (found, rest)
}

fn file(base: &Url, attributes: &[(String, String)]) -> Option<File> {
    let value = |name: &str| {
        attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    };
    let (place, fragment) = value("href")?.split_once('#').unwrap_or((value("href")?, ""));
    let path = place.split('?').next()?;
    let name = decoded(path.rsplit('/').next()?);
    let digest = fragment.split('&').find_map(|part| part.strip_prefix("sha256="));
    Some(File {
        url: resolve(base, place)?,
        sha256: digest.and_then(|digest| digest.parse().ok()),
        size: None,
        yanked: value("data-yanked").is_some(),
        name: Some(name).filter(|name| !name.is_empty())?,
    })
}

fn unescaped(text: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// A file's name without percent signs; those of wheels have few characters that need one.
fn decoded(name: &str) -> String {
    ["%2B", "%2b"].iter().fold(name.to_owned(), |name, sign| name.replace(sign, "+"))
}

/// A link as a browser follows it from `base`.
fn resolve(base: &Url, link: &str) -> Option<Url> {
    let base = base.as_str();
    let (scheme, rest) = base.split_once("://")?;
    let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
    let link = link.split('#').next()?;
    if link.contains("://") {
        return link.parse().ok();
    }
    if let Some(other) = link.strip_prefix("//") {
        return format!("{scheme}://{other}").parse().ok();
    }
    let path = rest[authority.len()..].split(['?', '#']).next().unwrap_or_default();
    let mut parts: Vec<&str> = match link.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => path.split('/').skip(1).collect(),
    };
    // The last part of the base is the page itself.
    parts.pop();
    for part in link.trim_start_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("{scheme}://{authority}/{}", parts.join("/")).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        "https://user:word@i.example/root/simple/ziglang/".parse().expect("a URL")
    }

    #[test]
    fn links_with_digests_are_files() {
        let digest = Sha256::of(b"a");
        let text = format!(
            "<!DOCTYPE html><html><head><title>Links</title></head><body><abbr>no</abbr>\n\
             <a href=\"../../files/a-1-py3-none-any.whl#sha256={digest}\" \
             data-requires-python=\"&gt;=3.5\">a</a><br/>\n\
             <A  data-yanked='' HREF=https://f.example/b%2B1.tar.gz>b</A>\n\
             <a href=\"/c.whl#sha256=0\" data-yanked=\"broken &amp; gone\" >c</a>\n\
             <a name=\"top\">no file</a></body></html>"
        );
        let files = parse(&base(), text.as_bytes()).expect("files");
        let shown: Vec<(&str, &str, bool, bool)> = files
            .iter()
            .map(|f| (f.name.as_str(), f.url.as_str(), f.sha256.is_some(), f.yanked))
            .collect();
        let a = "https://user:word@i.example/root/files/a-1-py3-none-any.whl";
        let c = "https://user:word@i.example/c.whl";
        assert_eq!(
            shown,
            [
                ("a-1-py3-none-any.whl", a, true, false),
                ("b+1.tar.gz", "https://f.example/b%2B1.tar.gz", false, true),
                ("c.whl", c, false, true),
            ]
        );
        assert_eq!(files[0].sha256, Some(digest));
    }

    #[test]
    fn json_says_the_same_and_the_size() {
        let digest = Sha256::of(b"a");
        let text = format!(
            "{{\"meta\":{{\"api-version\":\"1.1\"}},\"name\":\"a\",\"files\":[{{\"filename\":\"a.whl\",\
             \"url\":\"../a.whl\",\"hashes\":{{\"sha256\":\"{digest}\"}},\"size\":7,\"yanked\":false}},\
             {{\"filename\":\"b.whl\",\"url\":\"b.whl\",\"hashes\":{{}},\"yanked\":\"bad\"}}]}}"
        );
        let files = parse(&base(), text.as_bytes()).expect("files");
        assert_eq!((files[0].sha256, files[0].size), (Some(digest), Some(7)));
        assert_eq!(files[0].url.as_str(), "https://user:word@i.example/root/simple/a.whl");
        assert!(!files[0].yanked && files[1].yanked && files[1].sha256.is_none());
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let said = |bytes: &[u8]| parse(&base(), bytes).expect_err("no list").to_string();
        assert_eq!(said(b"<html>Please log in</html>"), "it has no link to a file");
        assert_eq!(said(b"\xff"), "it is not UTF-8 text");
        assert_eq!(said(b" {\"files\": 1}"), "its JSON is not that of a package index");
        for torn in ["<a", "<a ", "<a href", "<a href=", "<a href=\"x", "<a = >", "<a ==\">"] {
            let _ = parse(&base(), torn.as_bytes());
        }
    }
}
