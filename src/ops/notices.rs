//! What a build was kept from, and what it tried: one notice for each thing that was left out,
//! changed, refused or only seen. Collects and sorts; how notices look is the command line's
//! business.

mod surroundings;
mod tools;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use surroundings::surroundings;
pub use tools::of_lacking;

use crate::hermetic::cargo_config::{ARGUMENT, Place};
use crate::hermetic::{Origin, Warning};
use crate::shim::ledger::{self, Line};
use crate::sys::ambient::Ambient;
use crate::sys::fs::{Describe as _, FsError};

/// One thing that the user should know of a build.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Notice {
    /// What sort of thing.
    pub kind: NoticeKind,
    /// Whose it is, or where it stands.
    pub subject: Subject,
    /// What was asked for: a flag, an access, a configuration key, a variable.
    pub what: String,
    /// What it became; `None` where it was left out.
    pub became: Option<String>,
    /// Why, as the end of a sentence.
    pub why: String,
    /// The line of settings that would allow it.
    pub allow: Option<String>,
}

/// Sorts of notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// A variable of the user's environment did not reach the build.
    Variable,
    /// A key of a cargo configuration did not.
    Configuration,
    /// A key of the project's configuration is used although xprov would say otherwise.
    Kept,
    /// Another Rust than the pinned one was asked for.
    Toolchain,
    /// An instruction set beyond the baseline was asked for.
    Isa,
    /// A directory of the machine's was named to a compiler.
    HostDirectory,
    /// The sandbox refused an access.
    Refused,
    /// The sandbox saw an access that it would refuse.
    Seen,
    /// A build script or proc-macro asks in its source for what no sandbox can hide.
    Source,
    /// A build script failed that had looked for a tool which the environment can have.
    Tool,
}

/// Whose notice it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Subject {
    /// A crate.
    Crate {
        /// Its name.
        #[serde(rename = "crate")]
        name: String,
        /// Its version, where cargo said it.
        version: Option<String>,
    },
    /// A variable of the user's environment.
    Variable {
        /// Its name; its value is nobody else's business.
        variable: String,
    },
    /// A place in a file.
    File {
        /// The file, relative to where the user is if it is below.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An argument of the user's.
    Argument {
        /// The option, or what the arguments are for.
        argument: String,
    },
    /// A tool that was called without cargo's saying for which crate.
    Tool {
        /// Its name in `bin`.
        tool: String,
    },
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crate { name, version: Some(version) } => write!(f, "{name} {version}"),
            Self::Crate { name, version: None } => f.write_str(name),
            Self::Variable { variable } => f.write_str(variable),
            Self::File { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Argument { argument } => f.write_str(argument),
            Self::Tool { tool } => f.write_str(tool),
        }
    }
}

/// The subject that a place in a configuration is.
fn at(ambient: &Ambient, place: &Place) -> Subject {
    if place.file == Path::new(ARGUMENT) {
        return Subject::Argument { argument: ARGUMENT.to_owned() };
    }
    Subject::File { file: ambient.shown(&place.file).to_path_buf(), line: place.line }
}

/// The notices of a plan's warnings.
pub fn of_warnings(ambient: &Ambient, warnings: &[Warning]) -> Vec<Notice> {
    let of_warning = |warning: &Warning| match warning {
        Warning::BeyondBaseline { origin, what, why, allow } => Notice {
            kind: NoticeKind::Isa,
            subject: match origin {
                Origin::Project(place) => at(ambient, place),
                other => Subject::Argument { argument: other.to_string() },
            },
            what: what.clone(),
            became: None,
            why: why.clone(),
            allow: allow.clone(),
        },
        Warning::Overridden { key, place } => Notice {
            kind: NoticeKind::Configuration,
            subject: at(ambient, place),
            what: key.clone(),
            became: None,
            why: "xprov sets it itself".to_owned(),
            allow: None,
        },
        Warning::RunnerIsList { key, place } => Notice {
            kind: NoticeKind::Kept,
            subject: at(ambient, place),
            what: key.clone(),
            became: None,
            why: "cargo lets none override a list; written as one text, xprov's would win"
                .to_owned(),
            allow: None,
        },
    };
    warnings.iter().map(of_warning).collect()
}

/// A build's ledger, and how long it was before the run that matters.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    length: u64,
}

impl Ledger {
    /// Remembers the length.
    pub fn before(path: PathBuf) -> Self {
        let length = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        Self { path, length }
    }

    /// A ledger of which every line matters; `None` where nothing wrote one.
    pub fn whole(path: &Path) -> Result<Option<Vec<Line>>, FsError> {
        let ledger = Self { path: path.to_path_buf(), length: 0 };
        if path.is_file() { ledger.since().map(Some) } else { Ok(None) }
    }

    /// Whether there was none: no compiler was called in that build directory.
    pub fn is_new(&self) -> bool {
        self.length == 0
    }

    /// The lines that came since; a ledger that is shorter than before is another one.
    pub fn since(&self) -> Result<Vec<Line>, FsError> {
        let now = fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        if now == self.length {
            return Ok(Vec::new());
        }
        let start = if now > self.length { self.length } else { 0 };
        let mut bytes = Vec::new();
        let mut file = fs::File::open(&self.path).describe("read", &self.path)?;
        file.seek(SeekFrom::Start(start)).describe("read", &self.path)?;
        file.read_to_end(&mut bytes).describe("read", &self.path)?;
        Ok(ledger::parse(&String::from_utf8_lossy(&bytes)).collect())
    }
}

/// The notices of a ledger's lines, sorted; what a crate asks for in several files or calls is one.
pub fn of_ledger(lines: &[Line]) -> Vec<Notice> {
    let mut seen = BTreeSet::new();
    let mut notices = Vec::new();
    for line in lines {
        let subject = subject(line);
        for notice in &line.notices {
            if seen.insert((notice.kind, subject.clone(), notice.what.clone())) {
                notices.push(Notice {
                    kind: kind(notice.kind),
                    subject: subject.clone(),
                    what: notice.what.clone(),
                    became: notice.became.clone(),
                    why: notice.why.clone(),
                    allow: notice.allow.clone(),
                });
            }
        }
    }
    notices.sort();
    notices
}

/// The crate that a line is about, or the tool where cargo named none.
fn subject(line: &Line) -> Subject {
    match &line.krate {
        Some(name) => Subject::Crate { name: name.clone(), version: line.version.clone() },
        None => Subject::Tool { tool: line.tool.clone() },
    }
}

fn kind(kind: ledger::NoticeKind) -> NoticeKind {
    match kind {
        ledger::NoticeKind::Isa => NoticeKind::Isa,
        ledger::NoticeKind::HostDirectory => NoticeKind::HostDirectory,
        ledger::NoticeKind::Refused => NoticeKind::Refused,
        ledger::NoticeKind::Seen => NoticeKind::Seen,
        ledger::NoticeKind::Source => NoticeKind::Source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(krate: &str, what: &str) -> Line {
        let notice = ledger::Notice {
            kind: ledger::NoticeKind::Isa,
            what: what.to_owned(),
            became: None,
            why: "it means this machine".to_owned(),
            allow: None,
        };
        let krate = Some(krate.to_owned()).filter(|name| !name.is_empty());
        Line { tool: "t-gcc".into(), krate, notices: vec![notice], ..Line::default() }
    }

    #[test]
    fn what_a_crate_asks_for_twice_is_one_notice() {
        let lines = [
            line("b", "-march=native"),
            line("", "-march=native"),
            line("a", "-march=native"),
            line("b", "-march=native"),
            line("b", "-mtune=native"),
        ];
        let notices = of_ledger(&lines);
        let said: Vec<String> =
            notices.iter().map(|notice| format!("{} {}", notice.subject, notice.what)).collect();
        let expected =
            ["a -march=native", "b -march=native", "b -mtune=native", "t-gcc -march=native"];
        assert_eq!(said, expected);
    }

    #[test]
    fn only_what_a_run_appended_is_its_own() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("ledger.jsonl");
        let since = |ledger: &Ledger| ledger.since().expect("readable").len();
        let first = Ledger::before(path.clone());
        assert_eq!((since(&first), first.is_new()), (0, true));
        ledger::append(&path, &line("a", "-march=native")).expect("written");
        let second = Ledger::before(path.clone());
        assert!(!second.is_new());
        ledger::append(&path, &line("b", "-march=native")).expect("written");
        ledger::append(&path, &line("c", "-march=native")).expect("written");
        assert_eq!((since(&first), since(&second)), (3, 2));
        fs::write(&path, "").expect("emptied");
        assert_eq!(since(&second), 0);
    }
}
