//! What can go wrong in a verb, sorted by what it means for the caller: its exit code and its help.

use std::path::PathBuf;

use super::inputs::InputError;
use super::system_rust::SystemRustError;
use crate::archive::UnpackError;
use crate::compose::merge::MergeError;
use crate::compose::relocation::RelocationError;
use crate::fetch::FetchError;
use crate::lockfile::{Key, LockError};
use crate::recipe::{RecipeError, Slot};
use crate::store::StoreError;
use crate::sys::dirs::DirsError;
use crate::sys::fs::FsError;
use crate::upstream::debian::DebianError;
use crate::upstream::debian::location::{InvalidDate, InvalidTemplate};
use crate::upstream::debian::relation::InvalidRelation;
use crate::upstream::debian::sources::SourcesError;
use crate::upstream::minisign::MinisignError;
use crate::upstream::pypi::PypiError;
use crate::upstream::pypi::config::ConfigError;
use crate::upstream::rust_dist::{InvalidChannel, RustDistError};
use crate::upstream::signature::SignatureError;
use crate::vocab::digest::TreeHash;
use crate::vocab::document::DocumentError;
use crate::vocab::name::Name;
use crate::vocab::relpath::InvalidRelPath;
use crate::vocab::triple::{RustTriple, UnknownTarget};
use crate::vocab::url::InvalidUrl;

/// The sorts of errors; each has one exit code (`docs/exit-codes.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Usage, settings, recipe or lock are malformed, or ask for what there is not: 2.
    Input,
    /// The lock would have to change under `--locked`: 3.
    Drift,
    /// Something could not be fetched: 4.
    Fetch,
    /// Bytes are not what they should be: 5.
    Integrity,
    /// The machine refuses: disk, permission, file lock: 6.
    Machine,
    /// A command could not be run: 126, or 127 if it does not exist.
    Command {
        /// Whether it exists.
        exists: bool,
    },
}

impl Kind {
    /// The exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Input => 2,
            Self::Drift => 3,
            Self::Fetch => 4,
            Self::Integrity => 5,
            Self::Machine => 6,
            Self::Command { exists: true } => 126,
            Self::Command { exists: false } => 127,
        }
    }

    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Drift => "drift",
            Self::Fetch => "fetch",
            Self::Integrity => "integrity",
            Self::Machine => "machine",
            Self::Command { .. } => "command",
        }
    }
}

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A document is malformed.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A recipe is malformed or missing.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The lock is malformed.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A target is unknown.
    #[error(transparent)]
    Target(#[from] UnknownTarget),
    /// There is no cargo project here.
    #[error("no cargo project: no Cargo.toml in `{}` or above it", dir.display())]
    NoProject {
        /// Where the search began.
        dir: PathBuf,
    },
    /// A manifest that was named does not exist.
    #[error("there is no manifest at `{}`", path.display())]
    NoManifest {
        /// Its path.
        path: PathBuf,
    },
    /// Arguments that make no sense together.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What helps.
        help: String,
    },
    /// `--locked`, and the lock does not answer what is asked.
    #[error("{path} does not match the settings, and --locked keeps it from being changed:\n  {}", reasons.join("\n  "))]
    Drift {
        /// The lock.
        path: String,
        /// What changed.
        reasons: Vec<String>,
        /// What writes it.
        command: String,
    },
    /// `--locked`, and there is no lock.
    #[error("there is no {path}, and --locked keeps it from being written")]
    NoLock {
        /// The lock.
        path: String,
        /// What writes it.
        command: String,
    },
    /// A command that needs a lock found none.
    #[error("there is no {path}")]
    NothingLocked {
        /// The lock.
        path: String,
    },
    /// `--offline`, and the lock must be written first.
    #[error("{path} has to be written, which takes the network, and --offline forbids that")]
    OfflineLock {
        /// The lock.
        path: String,
        /// What writes it.
        command: String,
    },
    /// The recipe of a locked entry does not exist any more.
    #[error("recipe `{recipe}` of the locked entry {entry} does not exist")]
    RecipeGone {
        /// The recipe.
        recipe: Name,
        /// The entry.
        entry: Key,
    },
    /// A recipe has no artifact for what is asked.
    #[error("recipe `{recipe}` has no {component}{}{}{}", of(" ", version.as_deref()), of(" for host ", host.as_ref().map(RustTriple::as_str)), of(" and target ", target.as_ref().map(RustTriple::as_str)))]
    NoArtifact {
        /// The recipe.
        recipe: Name,
        /// The component.
        component: Name,
        /// The version that was asked for.
        version: Option<String>,
        /// The host.
        host: Option<RustTriple>,
        /// The target.
        target: Option<RustTriple>,
    },
    /// The lock has nothing for a slot.
    #[error("the lock has no {} for this host", .0.as_str())]
    NoSlot(Slot),
    /// The lock has nothing for a target.
    #[error("the lock has nothing for target `{0}`")]
    NotLocked(RustTriple),
    /// No mirror of an archive is known.
    #[error("no place is known that serves the archive `{0}`")]
    NoArchive(String),
    /// Packages cannot be resolved.
    #[error("recipe `{recipe}` cannot be resolved")]
    Debian {
        /// The recipe.
        recipe: Name,
        /// Why.
        #[source]
        source: Box<DebianError>,
    },
    /// A release of Rust cannot be used.
    #[error("recipe `{recipe}` cannot be resolved")]
    RustDist {
        /// The recipe.
        recipe: Name,
        /// Why.
        #[source]
        source: Box<RustDistError>,
    },
    /// A version of Rust is none.
    #[error(transparent)]
    Channel(#[from] InvalidChannel),
    /// `--require-signed`, and nobody has published what is locked.
    #[error("nobody has signed or published what these entries pin, and --require-signed refuses that:\n  {}", entries.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))]
    FirstUse {
        /// The entries.
        entries: Vec<Key>,
    },
    /// `--require-signed`, and parts of the machine are locked.
    #[error("these entries are parts of this machine, which nobody can sign, and --require-signed refuses that:\n  {}", entries.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))]
    ImpureEntries {
        /// The entries.
        entries: Vec<Key>,
    },
    /// A file is not signed as its recipe says.
    #[error("{artifact} is not signed as its recipe says")]
    Minisign {
        /// The file's component and version.
        artifact: String,
        /// Why.
        #[source]
        source: MinisignError,
    },
    /// A package index does not have what a recipe or the lock names.
    #[error("`{package}` cannot be had from a package index")]
    Pypi {
        /// The package.
        package: String,
        /// Why.
        #[source]
        source: PypiError,
    },
    /// No package index is known.
    #[error("no package index is known: {why}")]
    NoIndex {
        /// Why not.
        why: &'static str,
    },
    /// pip's configuration cannot be read.
    #[error("the package index of this machine is not known")]
    PipConfig(#[from] ConfigError),
    /// pip is configured for what is no index.
    #[error("pip is configured for an index that cannot be used")]
    PipIndex(#[source] InvalidUrl),
    /// apt's configuration cannot be read.
    #[error("the package sources of this machine cannot be read")]
    Sources(#[from] SourcesError),
    /// A recipe's snapshot URL is not one.
    #[error("a recipe's snapshot service has no usable URL")]
    SnapshotTemplate(#[source] InvalidTemplate),
    /// A date in the lock is not one.
    #[error("the lock has a malformed date")]
    Date(#[from] InvalidDate),
    /// A recipe names a package in a way that no package is named.
    #[error("a recipe has a malformed package name")]
    Package(#[from] InvalidRelation),
    /// A path in the lock is not one.
    #[error("the lock has a malformed path")]
    Path(#[from] InvalidRelPath),
    /// The keys that are compiled in cannot be read.
    #[error("the archive keys cannot be read")]
    Keys(#[from] SignatureError),
    /// Bytes could not be had, or were wrong.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A locked package was superseded: its place answers 404.
    #[error("{artifact} is no longer in the archive: it was superseded")]
    Superseded {
        /// The package and its version.
        artifact: String,
        /// The places that were asked.
        #[source]
        source: FetchError,
    },
    /// An input of the settings cannot be had.
    #[error(transparent)]
    Input(Box<InputError>),
    /// The machine's own Rust cannot be used.
    #[error(transparent)]
    SystemRust(Box<SystemRustError>),
    /// An archive could not be unpacked.
    #[error("cannot unpack {artifact}")]
    Unpack {
        /// The artifact.
        artifact: String,
        /// Why.
        #[source]
        source: UnpackError,
    },
    /// An artifact has the pinned digest and still another tree than the lock says.
    #[error("the tree of {artifact} has the hash {actual}, and the lock says {expected}")]
    TreeMismatch {
        /// The artifact.
        artifact: String,
        /// In the lock.
        expected: TreeHash,
        /// On unpacking.
        actual: TreeHash,
    },
    /// What was built is not what the lock says.
    #[error("the tree of {entry}, built here, has the hash {actual}, and the lock says {expected}")]
    DerivedMismatch {
        /// The entry.
        entry: String,
        /// In the lock.
        expected: TreeHash,
        /// Of what was built.
        actual: TreeHash,
    },
    /// What was built cannot be read.
    #[error("the tree of {entry}, built here, cannot be read")]
    DerivedTree {
        /// The entry.
        entry: String,
        /// Why.
        #[source]
        source: Box<crate::tree::ScanError>,
    },
    /// The packages that something is built from lack a file.
    #[error("{label} cannot be built: none of its inputs has `{file}`")]
    NoInput {
        /// What is built.
        label: String,
        /// The end of the file's path.
        file: String,
    },
    /// A builder failed.
    #[error("{label} cannot be built: `{command}` failed\n  {said}\n  (all of it: {})", log.display())]
    Derivation {
        /// What is built.
        label: String,
        /// The command.
        command: &'static str,
        /// What it said, from its first error.
        said: String,
        /// Where the rest is.
        log: PathBuf,
    },
    /// Objects do not go together.
    #[error("a toolchain cannot be composed")]
    Merge(#[from] MergeError),
    /// Programs of an object cannot be relocated.
    #[error("a toolchain cannot be relocated")]
    Relocation(#[from] RelocationError),
    /// A toolchain is not for this machine, by what its files say.
    #[error(transparent)]
    HostFit(#[from] super::host_fit::Misfit),
    /// A Mac lacks what only Apple can give it.
    #[error(transparent)]
    Mac(#[from] super::mac::MacError),
    /// A pinned program does not run on this machine.
    #[error("the pinned program `{}` does not run on this machine: {said}", program.display())]
    Unusable {
        /// The program.
        program: PathBuf,
        /// What it or the system said.
        said: String,
    },
    /// A directory above all projects has a cargo configuration, which nothing can switch off.
    #[error("`{}` would reach every build", path.display())]
    RootConfig {
        /// The configuration.
        path: PathBuf,
    },
    /// The dependencies of the project could not be fetched; cargo has said why.
    #[error("cargo could not fetch the dependencies of this project")]
    CargoFetch {
        /// Whether the network was forbidden.
        offline: bool,
    },
    /// No recipe or object has this name.
    #[error("no {what} is named `{name}`")]
    NotFound {
        /// "recipe", "object".
        what: &'static str,
        /// The name.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A file that is to be verified cannot be.
    #[error("cannot inspect `{}`", path.display())]
    Inspect {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: crate::inspect::InspectError,
    },
    /// The environment cannot be planned, or cargo's arguments not be understood.
    #[error(transparent)]
    Hermetic(#[from] crate::hermetic::Error),
    /// The shims' configuration cannot be written as TOML.
    #[error("the configuration of the compiler shims cannot be written")]
    ShimConfig(#[source] serde_json::Error),
    /// Two environments share the short form of their env-id.
    #[error("another environment is at `{}`", dir.display())]
    EnvCollision {
        /// The directory.
        dir: PathBuf,
    },
    /// A command cannot be started.
    #[error("cannot run `{program}`")]
    Spawn {
        /// The command.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The user's shell cannot be started.
    #[error("cannot start your shell, `{program}`")]
    Shell {
        /// What SHELL says.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Standard output takes nothing.
    #[error("cannot write to standard output")]
    Output {
        /// Why.
        source: std::io::Error,
    },
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no folder for the store.
    #[error(transparent)]
    Dirs(#[from] DirsError),
    /// The file system refuses.
    #[error(transparent)]
    Fs(#[from] FsError),
}

fn of(prefix: &str, value: Option<&str>) -> String {
    value.map(|value| format!("{prefix}{value}")).unwrap_or_default()
}
