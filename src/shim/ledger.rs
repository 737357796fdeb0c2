//! The ledger of a build: one line of JSON for each call of a shim (`docs/shim.md`). Appends and
//! parses; what the lines mean for the user is decided elsewhere.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use crate::vocab::handover::LEDGER_VARIABLE;

/// One call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The tool's name in `bin`; `build-script` for one of those.
    pub tool: String,
    /// The crate that the call is for, where cargo said it.
    #[serde(rename = "crate", default, skip_serializing_if = "Option::is_none")]
    pub krate: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The caller's arguments; what is no UTF-8 is replaced.
    pub args: Vec<String>,
    /// What was changed, refused or seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// Symbols that a failed link missed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undefined: Vec<Undefined>,
    /// Programs that a build script looked for in the environment, did not find, and failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacked: Vec<String>,
}

/// A symbol that a link missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undefined {
    /// Its name as the linker writes it.
    pub symbol: String,
    /// The object or `archive(object)` that needs it, where the linker says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// One thing that the user should know of a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Notice {
    /// What sort of thing.
    pub kind: NoticeKind,
    /// What was asked for: an argument, an access, a place in a source file.
    pub what: String,
    /// What it became; absent where it was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub became: Option<String>,
    /// Why, as the end of a sentence.
    pub why: String,
    /// The line of settings that would allow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<String>,
}

/// What begins the notice of a connection, before the address or the name of a host.
pub const CONNECT: &str = "connect to ";

/// What begins the notice of a program that downloads, before the URL.
pub const FETCH: &str = "fetch ";

/// The address of a connection of which only the sort of socket is known.
pub const NETWORK: &str = "the network";

/// What a crate wanted of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted<'a> {
    /// The file at a URL.
    Url(&'a str),
    /// A host's name, or an address with its port.
    Address(&'a str),
    /// Something.
    Something,
}

impl Notice {
    /// What of a network was refused, if that is what this is about.
    pub fn wanted(&self) -> Option<Wanted<'_>> {
        if self.kind != NoticeKind::Refused {
            return None;
        }
        if let Some(url) = self.what.strip_prefix(FETCH) {
            return Some(Wanted::Url(url));
        }
        let address = self.what.strip_prefix(CONNECT)?;
        let known = !address.starts_with(NETWORK);
        Some(if known { Wanted::Address(address) } else { Wanted::Something })
    }
}

/// Sorts of notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// An instruction set beyond the baseline.
    Isa,
    /// A directory of the machine's.
    HostDirectory,
    /// The sandbox refused an access.
    Refused,
    /// The sandbox saw an access that it would refuse.
    Seen,
    /// The source of a build script or proc-macro asks for something that no sandbox can hide.
    Source,
}

/// Appends the line in one write, so that lines of calls at the same time do not mix.
pub fn append(path: &Path, line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}

/// The lines of a ledger's text. One that another xprov wrote differently, or that a full disk cut
/// off, is passed over: a ledger informs, and decides nothing.
pub fn parse(text: &str) -> impl Iterator<Item = Line> + '_ {
    text.lines().filter_map(|line| serde_json::from_str(line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_is_read_back_and_a_torn_line_is_passed_over() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ledger.jsonl");
        let notice = Notice {
            kind: NoticeKind::Isa,
            what: "-march=native".into(),
            became: None,
            why: "it means this machine".into(),
            allow: Some("isa.crates.a = \"native\"".into()),
        };
        let line = Line { tool: "cc".into(), notices: vec![notice], ..Line::default() };
        append(&path, &line).expect("written");
        append(&path, &Line { krate: Some("ü".into()), ..Line::default() }).expect("written");
        let text = std::fs::read_to_string(&path).expect("there");
        let torn = format!("{text}{{\"tool\":\"c");
        let lines: Vec<Line> = parse(&torn).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], line);
        assert!(text.starts_with(r#"{"tool":"cc","args":[],"notices":[{"kind":"isa","#), "{text}");
    }
}
