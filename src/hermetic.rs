//! What a build may see, as values: variables, rustflags, cargo's configuration and arguments.
//!
//! Everything here is pure. It opens no file, reads no variable of this process, starts nothing
//! and knows of no store; whoever calls passes texts and paths in and writes the results down.

pub mod build_inputs;
pub mod cargo_args;
pub mod cargo_config;
pub mod cfg_expr;
pub mod cmake;
mod draft;
pub mod dropped;
pub mod env_id;
pub mod exports;
pub mod flags;
pub mod input;
pub mod inputs;
pub mod messages;
pub mod network;
pub mod outside;
pub mod overlay;
pub mod plan;
pub mod prefix;
pub mod render;
mod roots;
pub mod startup;
pub mod vars;

use std::path::{Path, PathBuf};

pub use env_id::EnvId;
pub use input::{CTools, Confinement, MachineRust, Paths, PlanInput, Rust, Settings, ToolVariable};
pub use plan::{Origin, Plan, TextFile, Variable, Warning};

/// Why no environment can be planned, or no cargo command line be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A path that has to be written into a variable or a TOML file is not UTF-8.
    #[error("the path {} is not UTF-8 text, which cargo's configuration needs", path.display())]
    PathNotText {
        /// The path.
        path: PathBuf,
    },
    /// A cargo configuration file is not TOML.
    #[error("{}:{line}: not a cargo configuration", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The line of the mistake, from 1.
        line: usize,
        /// What the parser says.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A `target.'cfg(…)'` key that is not a cfg expression.
    #[error("{}:{line}: `{key}` is not a cfg expression: {reason}", path.display())]
    CfgExpression {
        /// The file.
        path: PathBuf,
        /// The key's line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// `env.set` or `env.pass` names a variable that xprov itself has to set.
    #[error("the settings name the variable {name}, which xprov sets itself")]
    Reserved {
        /// The variable.
        name: String,
    },
    /// A baseline that means nothing for the target.
    #[error("`{baseline}` is no baseline for {target}")]
    Baseline {
        /// What the settings say.
        baseline: String,
        /// The target.
        target: String,
        /// What they could say.
        known: Vec<&'static str>,
    },
    /// `+nightly` as the first argument.
    #[error("`{argument}` cannot choose a toolchain here: the lockfile pins it")]
    ToolchainArgument {
        /// The argument with its plus sign.
        argument: String,
        /// The settings line that does it: `rust = "1.95.0"`.
        settings_line: String,
    },
    /// An option that needs a value is the last argument.
    #[error("`{option}` needs a value")]
    MissingValue {
        /// The option.
        option: String,
    },
    /// No subcommand among cargo's arguments.
    #[error("cargo needs a command: `build`, say")]
    NoCommand,
}

/// The path as text.
pub fn text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::PathNotText { path: path.to_path_buf() })
}
