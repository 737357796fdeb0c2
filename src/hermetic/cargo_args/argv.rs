//! The arguments that the pinned cargo gets.

use std::path::{Path, PathBuf};

use super::CargoArgs;
use crate::hermetic::{Error, text};
use crate::vocab::triple::RustTriple;

/// Cargo's own commands that compile nothing: with those that compile, all that take `--locked` and
/// `--offline`.
const COMPILING_NOTHING: &[&str] = &[
    "add",
    "clean",
    "config",
    "fetch",
    "generate-lockfile",
    "help",
    "info",
    "init",
    "locate-project",
    "login",
    "logout",
    "metadata",
    "new",
    "owner",
    "pkgid",
    "read-manifest",
    "remove",
    "report",
    "rm",
    "search",
    "tree",
    "uninstall",
    "update",
    "vendor",
    "verify-project",
    "version",
    "yank",
];

/// Commands that fetch by themselves and then compile.
const FETCHING_AND_COMPILING: &[&str] = &["install", "package", "publish"];

/// Commands about no project.
const WITHOUT_PROJECT: &[&str] =
    &["help", "init", "install", "login", "logout", "new", "search", "uninstall", "version"];

/// What stands around the user's arguments.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    /// The manifest that the user names or stands in, by its real place.
    pub manifest_path: &'a Path,
    /// The target.
    pub target: &'a str,
    /// Files for `--config`, absolute, in this order: the user's network settings, the project's
    /// own configuration. The user's `--config` arguments follow.
    pub first_configs: &'a [PathBuf],
    /// Whether Cargo.lock must stay as it is, whoever says so.
    pub locked: bool,
    /// Whether the network may not be used, whoever says so.
    pub offline: bool,
    /// The plan's file: the last `--config`, which wins.
    pub last_config: &'a Path,
    /// Whether the plan's file sets cargo's target directory (cargo before 1.91): then the
    /// user's `--target-dir` is not cargo's.
    pub own_target_dir: bool,
}

impl CargoArgs {
    /// Whether it is a command of cargo's own that compiles nothing, and so may see the user's
    /// network, homes and tools.
    pub fn compiles_nothing(&self) -> bool {
        COMPILING_NOTHING.contains(&self.command.as_str())
    }

    /// Whether the command formats sources. `cargo-fmt` has no `--config`, and takes the packages
    /// from the directory that it runs in.
    pub fn formats(&self) -> bool {
        self.command == "fmt"
    }

    /// Whether the command is one with which rust-analyzer learns what a workspace is: its metadata
    /// under another lock, and its build scripts and proc-macros without the rest.
    pub fn analyses(&self) -> bool {
        self.command == "metadata" || self.rest.iter().any(|part| part == "--compile-time-deps")
    }

    /// The program that runs in cargo's place, and the component of Rust that it comes with.
    pub fn on_request(&self) -> Option<(&'static str, &'static str)> {
        match self.command.as_str() {
            "clippy" => Some(("cargo-clippy", "clippy")),
            "fmt" => Some(("cargo-fmt", "rustfmt")),
            _ => None,
        }
    }

    /// Whether the command fetches by itself what it then compiles.
    pub fn fetches_and_compiles(&self) -> bool {
        FETCHING_AND_COMPILING.contains(&self.command.as_str())
    }

    /// Whether the command is none of another program's (`cargo-nextest`), of whose options nothing
    /// is known.
    pub fn is_cargos_own(&self) -> bool {
        self.compiles() || self.compiles_nothing() || self.fetches_and_compiles()
    }

    /// The arguments of the pinned cargo, which has to run in `/` unless it formats.
    pub fn to_argv(&self, around: &Surroundings<'_>) -> Result<Vec<String>, Error> {
        let mut argv = vec![self.command.clone()];
        let mut add = |parts: &[&str]| argv.extend(parts.iter().map(|part| (*part).to_owned()));
        if self.formats() {
            if let Some(manifest) = &self.manifest_path {
                add(&["--manifest-path", text(manifest)?]);
            }
            argv.extend(self.rest.iter().cloned());
            return Ok(argv);
        }
        if !WITHOUT_PROJECT.contains(&self.command.as_str()) {
            add(&["--manifest-path", text(around.manifest_path)?]);
        }
        if self.compiles() {
            add(&["--target", around.target]);
        } else {
            self.targets.iter().for_each(|target| add(&["--target", target]));
        }
        let own = self.is_cargos_own();
        if self.compiles() || self.offline || (own && around.offline) {
            // What compiles has been fetched for before, with the user's network settings.
            add(&["--offline"]);
        }
        if self.locked || (own && around.locked) {
            add(&["--locked"]);
        }
        if self.reads_messages() {
            add(&["--message-format=json-render-diagnostics"]);
        }
        for file in around.first_configs {
            add(&["--config", text(file)?]);
        }
        for config in &self.configs {
            add(&["--config", config.as_text()?]);
        }
        add(&["--config", text(around.last_config)?]);
        let end = self.rest.iter().position(|part| part == "--").unwrap_or(self.rest.len());
        for (index, part) in self.rest.iter().enumerate() {
            let dropped = around.own_target_dir && index < end && part.starts_with("--target-dir=");
            if !dropped {
                argv.push(part.clone());
            }
        }
        Ok(argv)
    }
}

/// The arguments of `cargo fetch`: for all the triples, since with the target alone what only
/// build scripts need is missed. `configs` are values of `--config` and end with the plan's file,
/// for cargo asks rustc about each triple, and a project's wrapper would answer.
pub fn fetch_argv(
    manifest_path: &Path,
    triples: &[&RustTriple],
    configs: &[&str],
    locked: bool,
) -> Result<Vec<String>, Error> {
    let mut argv = vec!["fetch".to_owned(), "--manifest-path".to_owned()];
    argv.push(text(manifest_path)?.to_owned());
    for triple in triples {
        argv.extend(["--target".to_owned(), triple.to_string()]);
    }
    for config in configs {
        argv.extend(["--config".to_owned(), (*config).to_owned()]);
    }
    if locked {
        argv.push("--locked".to_owned());
    }
    Ok(argv)
}
