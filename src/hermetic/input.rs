//! What a plan is made from. Values only; nothing here decides anything.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::vocab::digest::{Blake3, TreeHash};
use crate::vocab::sandbox::Mode;
use crate::vocab::triple::RustTriple;

use super::cargo_config::ConfigFile;
use super::cfg_expr::TargetCfgs;
use super::inputs::PinnedInput;

/// All that a build's environment depends on.
#[derive(Debug, Clone)]
pub struct PlanInput<'a> {
    /// Where the tools run.
    pub host: &'a RustTriple,
    /// Where the output runs.
    pub target: &'a RustTriple,
    /// The pinned Rust.
    pub rust: Rust,
    /// The C tools that make code for the target. Ignored where host and target are the same:
    /// then the host's serve both, so that no object is made by a compiler that its neighbour
    /// does not share.
    pub target_tools: CTools,
    /// The C tools that build scripts and proc-macros are made with.
    pub host_tools: CTools,
    /// Name of the runner in the environment's `bin`, which starts binaries of the target.
    pub runner: Option<String>,
    /// The project's settings.
    pub settings: Settings,
    /// Directories of this machine.
    pub paths: Paths,
    /// The user's `--config`s and the project's own cargo configuration, highest precedence
    /// first; no other.
    pub project: &'a [ConfigFile],
    /// The target's cfgs, for `target.'cfg(…)'`.
    pub cfgs: &'a TargetCfgs,
    /// The user's whole environment, from which only the catalogue's names are taken.
    pub ambient: &'a [(String, String)],
    /// Tree hashes of everything that this host and target use.
    pub closure: &'a [TreeHash],
    /// The version of what the compiler shims do to command lines.
    pub shim_version: u32,
    /// What the shims are told, as text: arguments and programs of every tool.
    pub shims: &'a str,
    /// The tools that `bin` has as links: their names, and what they lead to.
    pub links: &'a BTreeMap<String, PathBuf>,
    /// What host tools want builds to be told.
    pub tool_variables: &'a [ToolVariable],
}

/// A variable that comes with a host tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolVariable {
    /// The tool.
    pub tool: String,
    /// The variable.
    pub name: String,
    /// Its value; `{bin}` stands for the environment's directory of programs.
    pub value: String,
}

impl PlanInput<'_> {
    /// Whether the target's tools are others than the host's.
    pub fn is_cross(&self) -> bool {
        self.host != self.target
    }
}

/// The pinned Rust. Paths are absolute, or relative to the environment's directory.
#[derive(Debug, Clone)]
pub struct Rust {
    /// `cargo`.
    pub cargo: PathBuf,
    /// `rustc` itself; a build sees the shim of that name.
    pub rustc: PathBuf,
    /// `rustdoc`.
    pub rustdoc: PathBuf,
    /// What `rustc -vV` prints.
    pub version_verbose: String,
    /// What it is, where it is the machine's own.
    pub machine: Option<MachineRust>,
}

/// A Rust that is not in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineRust {
    /// What it says of itself.
    pub says: String,
    /// The directory above its `bin`.
    pub sysroot: PathBuf,
    /// What of the machine it consists of; builds may read it.
    pub read: Vec<PathBuf>,
    /// The digest of it all.
    pub identity: Blake3,
}

impl Rust {
    /// Its version, `1.95.0`; empty where it does not say.
    pub fn release(&self) -> &str {
        let release = self.version_verbose.lines().find_map(|line| line.strip_prefix("release: "));
        release.unwrap_or_default()
    }

    /// Whether its cargo knows `build.build-dir`, stable since 1.91.
    pub fn has_build_dir(&self) -> bool {
        let mut numbers = self.release().split('.').map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (1, 91),
            _ => false,
        }
    }
}

/// C tools for one triple, as names in the environment's `bin`.
#[derive(Debug, Clone, Default)]
pub struct CTools {
    /// The part before the dash: `aarch64-linux-gnu` for `aarch64-linux-gnu-gcc`.
    pub prefix: String,
    /// Headers and libraries; absolute, or relative to the environment's directory.
    pub sysroot: Option<PathBuf>,
    /// What links Rust programs, where that is not the compiler: `ld.lld`.
    pub linker: Option<String>,
    /// Directories of headers that a compiler for the target has to be told of.
    pub system_headers: Vec<PathBuf>,
    /// The compiler's own headers (`stddef.h`), which bindgen's libclang needs told.
    pub builtin_headers: Option<PathBuf>,
    /// Directories with `.pc` files. May be empty: then pkg-config finds nothing, rather than
    /// what the machine has.
    pub pkg_config_libdirs: Vec<PathBuf>,
    /// Whether `bin` has a `pkg-config`.
    pub has_pkg_config: bool,
}

impl CTools {
    /// The name of what links Rust programs.
    pub fn linker(&self) -> String {
        self.linker.clone().unwrap_or_else(|| format!("{}-gcc", self.prefix))
    }
}

/// The settings that matter here.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `env.pass`: the names, and the values that the user's environment has for them.
    pub pass: Vec<(String, Option<String>)>,
    /// `env.set`.
    pub set: Vec<(String, String)>,
    /// `inputs`, as they are in the store.
    pub inputs: Vec<PinnedInput>,
    /// `rustflags`, one argument each.
    pub rustflags: Vec<String>,
    /// `baseline`: what instruction set the output may assume.
    pub baseline: Option<String>,
    /// `isa.features`: what Rust code may use beyond it, by rustc's names.
    pub features: Vec<String>,
    /// `sandbox`.
    pub sandbox: Confinement,
    /// The whole of `isa` and `sandbox` as a text that is the same on every machine.
    pub policy: String,
}

/// What the settings say of the sandbox.
#[derive(Debug, Clone, Default)]
pub struct Confinement {
    /// What happens with accesses that are not allowed.
    pub mode: Mode,
    /// What may be read besides what every build may; absolute.
    pub read: Vec<PathBuf>,
    /// What may be written besides; absolute.
    pub write: Vec<PathBuf>,
    /// Whether there is a network.
    pub network: bool,
}

/// Directories, absolute.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The root of the cargo workspace.
    pub workspace: PathBuf,
    /// Where the user expects binaries.
    pub target_dir: PathBuf,
    /// Parent of all environments; the one of this plan is `<envs_dir>/<env-id>`.
    pub envs_dir: PathBuf,
    /// The store's root.
    pub store: PathBuf,
    /// xprov's own `CARGO_HOME`.
    pub cargo_home: PathBuf,
    /// The directories that hold this project's unpacked dependencies
    /// (`<cargo_home>/registry/src/*`, a directory source), known once they were fetched.
    pub registry_dirs: Vec<PathBuf>,
    /// An empty directory of xprov's, as HOME.
    pub home: PathBuf,
    /// For temporary files.
    pub tmp: PathBuf,
}

impl Paths {
    /// The same plan's paths on no machine in particular. What is computed from them does not
    /// depend on where things are.
    pub(super) fn nowhere() -> Self {
        Self {
            workspace: "@workspace@".into(),
            target_dir: "@target@".into(),
            envs_dir: "@envs@".into(),
            store: "@store@".into(),
            cargo_home: "@cargo-home@".into(),
            registry_dirs: Vec::new(),
            home: "@home@".into(),
            tmp: "@tmp@".into(),
        }
    }
}
