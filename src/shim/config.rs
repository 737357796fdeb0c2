//! `shim.toml`: what each tool of an environment starts. Two checkouts of a project share it, so
//! it names no checkout.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;

/// The format that this xprov writes and reads.
pub const FORMAT: u32 = 1;

/// The configuration of all shims of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// [`FORMAT`].
    pub format: u32,
    /// The target that the environment is for.
    pub target: String,
    /// The tools by their names in `bin`.
    pub tools: BTreeMap<String, Tool>,
}

/// What kind of program a tool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A C or C++ compiler, which also links: paths are replaced in what it writes.
    Compiler,
    /// A program that gets its arguments as they are.
    Plain,
    /// Starts programs of the target.
    Runner,
    /// Xprov's own `cargo`: the shim starts nothing.
    Cargo,
}

/// One tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its kind.
    pub kind: Kind,
    /// What is started; absolute, or relative to the environment's directory. `None`: the first
    /// argument (a runner for the machine's own binaries, a wrapper that does nothing).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<PathBuf>,
    /// Arguments before the caller's, which can override them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Arguments after the caller's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Variables for the program.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
}

impl Tool {
    /// A tool that starts `program`.
    pub fn new(kind: Kind, program: impl Into<PathBuf>) -> Self {
        let program = Some(program.into());
        Self { kind, program, before: Vec::new(), after: Vec::new(), set: BTreeMap::new() }
    }

    /// A tool that starts its first argument, or nothing (`cargo`).
    pub fn without_program(kind: Kind) -> Self {
        Self { program: None, ..Self::new(kind, "") }
    }

    /// The tool with these arguments before the caller's.
    #[must_use]
    pub fn with_before(mut self, arguments: impl IntoIterator<Item = String>) -> Self {
        self.before.extend(arguments);
        self
    }
}

impl Config {
    /// A configuration of these tools, for `target`.
    pub fn new(target: &str, tools: BTreeMap<String, Tool>) -> Self {
        Self { format: FORMAT, target: target.to_owned(), tools }
    }

    /// The file's text.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// Reads the file's text; `path` is for messages.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let parsed: Result<Self, _> = toml::from_str(text);
        match parsed {
            Ok(config) if config.format == FORMAT => Ok(config),
            Ok(config) => Err(Error::Format { path: path.to_path_buf(), found: config.format }),
            Err(source) => match toml::from_str::<Head>(text) {
                Ok(head) if head.format != FORMAT => {
                    Err(Error::Format { path: path.to_path_buf(), found: head.format })
                }
                _ => Err(Error::Parse { path: path.to_path_buf(), source: Box::new(source) }),
            },
        }
    }
}
