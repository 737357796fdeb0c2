//! The compiler wrapper: each tool in an environment's `bin` is this program under the tool's
//! name, and starts the real one with what the environment prescribes.
//!
//! It knows its own directory and the variables below, and nothing else: no store, no settings, no
//! project. What it does to a command line is [`rewrite`], a pure function; what it did goes to the
//! [`ledger`].

pub mod access;
mod alone;
#[cfg(target_os = "linux")]
pub mod broker;
pub mod build_script;
mod compiler;
pub mod config;
mod enter;
pub mod ledger;
mod link;
mod machine;
mod option;
pub mod policy;
mod response;
mod rewrite;
mod rustc;
mod scan;
mod start;
#[cfg(target_os = "linux")]
mod supervisor;
mod unit;
mod zig;

use std::path::{Path, PathBuf};

pub use crate::vocab::handover::PREFIX_MAP_VARIABLE;
pub use compiler::Step;
pub use config::{Config, FILES_DIR, FORMAT, Kind, TOOLS_DIR, Tool};
pub use enter::{Entry, enter};
pub use policy::{Action, Policy};
pub use rewrite::{Call, Facts, Rewritten, rewrite};
pub use zig::macos as zig_macos;
pub use zig::target as zig_target;

/// The version of what shims do to command lines. Part of env-id.
pub const VERSION: u32 = 4;

/// The variable with the directory in which the user called `xprov run`.
pub const CWD_VARIABLE: &str = "XPROV_CWD";

/// Reads an `@file`; `None` where it cannot be read, and the argument is no file's name then.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> Option<Vec<u8>>;

/// A call that the settings forbid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} asks its C compiler for `{flag}`, which the setting `{setting}` forbids{}",
    krate.as_ref().map_or("a program".to_owned(), |name| format!("crate `{name}`")),
    instead.as_ref().map_or(String::new(), |line| format!("; `{line}` leaves the flag out"))
)]
pub struct Denied {
    /// The crate, where cargo said it.
    pub krate: Option<String>,
    /// What was asked for.
    pub flag: String,
    /// The line of settings that forbids it.
    pub setting: String,
    /// The line that would have the crate compiled without.
    pub instead: Option<String>,
}

/// Why a tool could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration cannot be read.
    #[error("cannot read the shim's configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The configuration is not what xprov writes.
    #[error("the shim's configuration {} is damaged", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// The configuration was written by another xprov.
    #[error("{} has format {found}, and this xprov reads {FORMAT}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: u32,
    },
    /// The environment says nothing about the tool.
    #[error("the environment has no tool `{tool}`: there is no {}", path.display())]
    UnknownTool {
        /// The configuration that is missing.
        path: PathBuf,
        /// The tool's name.
        tool: String,
    },
    /// A shim that starts its arguments got none.
    #[error("`{tool}` starts the program that is its first argument, and there is none")]
    NothingToStart {
        /// The tool's name.
        tool: String,
    },
    /// A child's end cannot be learned.
    #[error("cannot wait for the tool")]
    Wait(#[source] std::io::Error),
    /// Zig's linker has no such option, and a link without it would be another one.
    #[error(
        "zig's linker has no option `{option}`; where it is needed, choose a gcc for the target: \
         `xprov recipes list` shows which there are, and `target.<triple>.cc` chooses one"
    )]
    NoZigOption {
        /// The option.
        option: String,
    },
    /// The settings forbid the call.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The environment has no such program, and says why.
    #[error(
        "{} calls `{tool}`: {why}",
        krate.as_ref().map_or("a program".to_owned(), |name| format!("crate `{name}`"))
    )]
    Refused {
        /// The tool's name.
        tool: String,
        /// The crate, where cargo said it.
        krate: Option<String>,
        /// Why there is none, and what helps.
        why: String,
    },
    /// The program cannot be started.
    #[error("cannot start {}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// The exit code, as env(1) has it: 127 where the program is not there, else 126. A call that
    /// is forbidden ends as one that failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Denied(_) | Self::Refused { .. } | Self::NoZigOption { .. } => 1,
            Self::Start { source, .. } if source.kind() == std::io::ErrorKind::NotFound => 127,
            _ => 126,
        }
    }
}
