//! The compiler wrapper: each tool in an environment's `bin` is this program under the tool's
//! name, and starts the real one with what the environment prescribes.
//!
//! It knows its own directory and nothing else: no store, no settings, no project. What it does
//! to a command line is [`rewrite`], a pure function; that is also where a policy for
//! instruction sets and a record of every call belong.

mod config;
mod enter;
pub mod ledger;
mod rewrite;

use std::path::PathBuf;

pub use config::{Config, FORMAT, Kind, Tool};
pub use enter::{Entry, enter};
pub use rewrite::{Call, Facts, rewrite};

/// The version of what shims do to command lines. Part of env-id.
pub const VERSION: u32 = 1;

/// The configuration's name, in the environment's directory, beside `bin`.
pub const CONFIG_FILE: &str = "shim.toml";

/// The variable with the directory in which the user called `xprov run`.
pub const CWD_VARIABLE: &str = "XPROV_CWD";

/// The variable with path prefixes to replace, as `hermetic` writes it: pairs `from=to` with
/// U+001F between them. It says where the checkout is, which `shim.toml` must not.
pub const PREFIX_MAP_VARIABLE: &str = "XPROV_PREFIX_MAP";

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
        source: Box<toml::de::Error>,
    },
    /// The configuration was written by another xprov.
    #[error("{} has format {found}, and this xprov reads {FORMAT}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: u32,
    },
    /// The configuration says nothing about the tool.
    #[error("{} has no tool `{tool}`", path.display())]
    UnknownTool {
        /// The configuration.
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
    /// The exit code, as env(1) has it: 127 where the program is not there, else 126.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Start { source, .. } if source.kind() == std::io::ErrorKind::NotFound => 127,
            _ => 126,
        }
    }
}
