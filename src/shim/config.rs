//! What each tool of an environment starts: one small file a tool, `tools/<name>.json` in the
//! environment's directory, so that a call reads nothing about its neighbours. Two checkouts of a
//! project share the files, so they name no checkout.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;
use super::policy::Policy;

/// The format that this xprov writes and reads.
pub const FORMAT: u32 = 3;

/// The directory of the files, beside `bin`.
pub const TOOLS_DIR: &str = "tools";

/// The directory of what tools are told to read: gcc's specs.
pub const FILES_DIR: &str = "files";

/// The configuration of all shims of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The target that the environment is for.
    pub target: String,
    /// The tools by their names in `bin`.
    pub tools: BTreeMap<String, Tool>,
    /// Other files that the tools read, by their names in [`FILES_DIR`].
    pub extra: BTreeMap<String, String>,
}

/// What kind of program a tool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A C or C++ compiler, which also links: paths are replaced in what it writes.
    Compiler,
    /// A linker that rustc calls by itself.
    Linker,
    /// Rust's compiler, which runs confined.
    Rustc,
    /// Starts its first argument, as cargo's `RUSTC_WRAPPER` does. A program that stands in for
    /// rustc, as clippy's driver does, runs confined like it.
    Wrapper,
    /// What stands before build scripts and confines them.
    BuildScript,
    /// A program that gets its arguments as they are.
    Plain,
    /// Starts programs of the target.
    Runner,
    /// Xprov's own `cargo`: the shim starts nothing.
    Cargo,
}

impl Kind {
    /// Whether its calls are in the ledger.
    pub(super) fn is_watched(self) -> bool {
        matches!(self, Self::Compiler | Self::Linker | Self::Rustc | Self::Wrapper)
    }
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
    /// Why there is no such program: what callers are told instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuse: Option<String>,
    /// Arguments before the caller's, which can override them; `{env}` is the environment's
    /// directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Arguments after the caller's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Variables for the program; `{env}` in a value is the environment's directory.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// The same where the caller does not set the first of them, and for the others not either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback: Vec<(String, String)>,
    /// Lists of directories, which the program sees after those that the caller's variable has:
    /// (variable, directories).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<(String, String)>,
    /// Variables that the program does not see when cargo starts it; a final `*` stands for any
    /// ending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hide: Vec<String>,
    /// Exceptions from `hide`, by their whole names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub show: Vec<String>,
    /// Zig's name for the target, `aarch64-linux-gnu.2.17`, where the tool is a part of zig: a
    /// compiler's arguments are then translated, and zig's caches are with what is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zig: Option<String>,
    /// For rustc: whether the linker strips what is built for the target, in place of a program
    /// that rustc would start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub link_strips: bool,
    /// The instruction sets that its output may use: for rustc, what `--target` compiles. `None`:
    /// nothing is filtered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The same for what rustc compiles without `--target`: build scripts and proc-macros.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_policy: Option<Policy>,
}

impl Tool {
    /// A tool that starts `program`.
    pub fn new(kind: Kind, program: impl Into<PathBuf>) -> Self {
        Self { program: Some(program.into()), ..Self::without_program(kind) }
    }

    /// A tool that starts its first argument, or nothing (`cargo`).
    pub fn without_program(kind: Kind) -> Self {
        Self {
            kind,
            program: None,
            refuse: None,
            before: Vec::new(),
            after: Vec::new(),
            set: BTreeMap::new(),
            fallback: Vec::new(),
            search: Vec::new(),
            hide: Vec::new(),
            show: Vec::new(),
            zig: None,
            link_strips: false,
            policy: None,
            host_policy: None,
        }
    }

    /// The tool with these arguments before the caller's.
    #[must_use]
    pub fn with_before(mut self, arguments: impl IntoIterator<Item = String>) -> Self {
        self.before.extend(arguments);
        self
    }

    /// Whether the program shall not see the variable.
    pub fn hides(&self, name: &str) -> bool {
        let is = |rule: &String| match rule.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == rule,
        };
        self.hide.iter().any(is) && !self.show.iter().any(|shown| shown == name)
    }

    /// The tool with this policy.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }
}

/// A file's contents.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<Target, Tool> {
    format: u32,
    target: Target,
    tool: Tool,
}

impl Config {
    /// A configuration of these tools, for `target`.
    pub fn new(target: &str, tools: BTreeMap<String, Tool>) -> Self {
        Self { target: target.to_owned(), tools, extra: BTreeMap::new() }
    }

    /// The configuration with these files for the tools.
    #[must_use]
    pub fn with_files(self, extra: BTreeMap<String, String>) -> Self {
        Self { extra, ..self }
    }

    /// The files: (path in the environment's directory, text).
    pub fn files(&self) -> Result<Vec<(PathBuf, String)>, serde_json::Error> {
        let file = |(name, tool): (&String, &Tool)| {
            let contents = File { format: FORMAT, target: &self.target, tool };
            Ok((file_path(name), serde_json::to_string(&contents)?))
        };
        let extra = self.extra.iter();
        let extra = extra.map(|(name, text)| Ok((Path::new(FILES_DIR).join(name), text.clone())));
        self.tools.iter().map(file).chain(extra).collect()
    }

    /// All files as one text: what env-id is made from.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut text = String::new();
        for (path, contents) in self.files()? {
            let _ = writeln!(text, "{} {contents}", path.display());
        }
        Ok(text)
    }
}

/// The file of the tool `name`, in the environment's directory.
pub fn file_path(name: &str) -> PathBuf {
    Path::new(TOOLS_DIR).join(format!("{name}.json"))
}

/// Reads a tool's file: the target that the environment is for, and the tool. `path` is for
/// messages.
pub fn parse(path: &Path, text: &[u8]) -> Result<(String, Tool), Error> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let failed = |source| match serde_json::from_slice::<Head>(text) {
        Ok(head) if head.format != FORMAT => {
            Error::Format { path: path.to_path_buf(), found: head.format }
        }
        _ => Error::Parse { path: path.to_path_buf(), source },
    };
    let file: File<String, Tool> = serde_json::from_slice(text).map_err(failed)?;
    if file.format == FORMAT {
        Ok((file.target, file.tool))
    } else {
        Err(Error::Format { path: path.to_path_buf(), found: file.format })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::isa::Baseline;

    #[test]
    fn a_tool_is_read_back_from_its_file() {
        let policy = Policy::new(Baseline::of("x86_64", Some("x86-64-v2")).expect("known"));
        let tool = Tool::new(Kind::Compiler, "gcc").with_policy(policy);
        let tools = BTreeMap::from([("t-g++".to_owned(), tool.clone())]);
        let files = Config::new("T", tools).files().expect("JSON");
        assert_eq!(files[0].0, Path::new("tools/t-g++.json"));
        let read = parse(&files[0].0, files[0].1.as_bytes()).expect("read");
        assert_eq!(read, ("T".to_owned(), tool));
    }

    #[test]
    fn what_tools_read_is_written_beside_them_and_part_of_the_text() {
        let files = BTreeMap::from([("t.specs".to_owned(), "*link:\n".to_owned())]);
        let config = Config::new("T", BTreeMap::new()).with_files(files);
        let text = "*link:\n".to_owned();
        assert_eq!(config.files().expect("files"), [("files/t.specs".into(), text)]);
        assert!(config.to_text().expect("text").contains("*link:"));
    }

    #[test]
    fn what_settings_name_is_not_hidden() {
        let mut tool = Tool::new(Kind::Rustc, "rustc");
        tool.hide = vec!["TERM".into(), "CARGO_TERM_*".into()];
        tool.show = vec!["CARGO_TERM_WIDTH".into()];
        let hidden = |name| tool.hides(name);
        assert!(hidden("TERM") && hidden("CARGO_TERM_COLOR"));
        assert!(!hidden("TERMINAL") && !hidden("CARGO_TERM_WIDTH"));
    }

    #[test]
    fn another_format_and_damage_are_told_apart() {
        let parse = |text: &str| parse(Path::new("t.json"), text.as_bytes());
        assert!(matches!(parse(r#"{"format":9,"new":1}"#), Err(Error::Format { found: 9, .. })));
        assert!(matches!(parse(r#"{"format":3,"new":1}"#), Err(Error::Parse { .. })));
        assert!(matches!(parse("{"), Err(Error::Parse { .. })));
    }
}
