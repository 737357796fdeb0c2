//! What an error means for the caller, and what helps against it. Kept beside the errors and apart
//! from their words; both matches are exhaustive, so that a new error asks for both.

use std::io;

use super::error::{Error, Kind};
use crate::archive::UnpackError;
use crate::compose::relocation::RelocationError;
use crate::fetch::{FetchError, Reason, SetupError};
use crate::lockfile::LockError;
use crate::recipe::RecipeError;
use crate::store::StoreError;
use crate::sys::dirs::DirsError;
use crate::upstream::debian::DebianError;
use crate::upstream::minisign::MinisignError;
use crate::upstream::pypi::PypiError;
use crate::vocab::name::Name;
use crate::vocab::nearest::nearest;

impl Error {
    /// The sort of error.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Document(_)
            | Self::Recipe(_)
            | Self::Lock(_)
            | Self::Target(_)
            | Self::NoProject { .. }
            | Self::NoManifest { .. }
            | Self::Usage { .. }
            | Self::NothingLocked { .. }
            | Self::RecipeGone { .. }
            | Self::NoArtifact { .. }
            | Self::NoInput { .. }
            | Self::NoSlot(_)
            | Self::NotLocked(_)
            | Self::NoArchive(_)
            | Self::NoIndex { .. }
            | Self::PipIndex(_)
            | Self::SnapshotTemplate(_)
            | Self::Date(_)
            | Self::Path(_)
            | Self::Package(_)
            | Self::Channel(_)
            | Self::RootConfig { .. }
            | Self::Hermetic(_)
            | Self::ShimConfig(_)
            | Self::NotFound { .. }
            | Self::Inspect { .. } => Kind::Input,
            Self::Drift { .. } | Self::NoLock { .. } => Kind::Drift,
            Self::Pypi { source: PypiError::Page { .. }, .. } => Kind::Integrity,
            Self::Debian { source, .. } => debian_kind(source),
            Self::RustDist { source, .. } if source.is_integrity() => Kind::Integrity,
            Self::OfflineLock { .. }
            | Self::Superseded { .. }
            | Self::CargoFetch { .. }
            | Self::RustDist { .. }
            | Self::Minisign { source: MinisignError::Get(_), .. } => Kind::Fetch,
            // A disk that takes nothing says nothing about the archive.
            Self::Unpack { source: UnpackError::Write { .. } | UnpackError::Thread(_), .. }
            | Self::Relocation(RelocationError::Fs(_))
            | Self::Fetch(FetchError::Partial { .. })
            | Self::Sources(_)
            | Self::HostFit(_)
            | Self::PipConfig(_)
            | Self::Mac(_)
            | Self::Unusable { .. }
            | Self::Derivation { .. }
            | Self::DerivedTree { .. }
            | Self::Store(StoreError::Fs(_))
            | Self::Dirs(_)
            | Self::Output { .. }
            | Self::Fs(_) => Kind::Machine,
            Self::Fetch(FetchError::Mismatch { .. } | FetchError::TooLarge { .. })
            | Self::Unpack { .. }
            | Self::TreeMismatch { .. }
            | Self::DerivedMismatch { .. }
            | Self::FirstUse { .. }
            | Self::ImpureEntries { .. }
            | Self::Minisign { .. }
            | Self::Merge(_)
            | Self::Relocation(_)
            | Self::Keys(_)
            | Self::EnvCollision { .. }
            | Self::Store(StoreError::NoManifest(_) | StoreError::BadManifest { .. }) => {
                Kind::Integrity
            }
            Self::Fetch(_) | Self::Pypi { .. } => Kind::Fetch,
            Self::Input(error) => error.kind(),
            Self::SystemRust(error) => error.kind(),
            Self::Spawn { source, .. } | Self::Shell { source, .. } => {
                Kind::Command { exists: source.kind() != io::ErrorKind::NotFound }
            }
        }
    }

    /// What helps: commands or settings lines, the likeliest first.
    pub fn hints(&self) -> Vec<String> {
        let one = |hint: &str| vec![hint.to_owned()];
        match self {
            Self::Document(error) => error.help.clone().into_iter().collect(),
            Self::Lock(LockError::Document(error)) => {
                vec![error.help.clone().unwrap_or_else(|| ANEW.to_owned())]
            }
            Self::Recipe(error) => recipe_hints(error),
            Self::Lock(LockError::Version { .. }) => {
                one("use the xprov that wrote it, or delete it and run `xprov lock`")
            }
            Self::Lock(LockError::Duplicate { .. }) | Self::Date(_) | Self::Path(_) => one(ANEW),
            Self::Target(error) => vec![error.help()],
            Self::NoProject { .. } => {
                one("run it in a project, or name one with --manifest-path PATH")
            }
            Self::NoManifest { .. } => one("name a Cargo.toml with --manifest-path PATH"),
            Self::Usage { help, .. } => vec![help.clone()],
            Self::Drift { command, .. } | Self::NoLock { command, .. } => {
                vec![format!("run `{command}` and commit toolchains.lock")]
            }
            Self::NothingLocked { .. } => one("run `xprov lock` and commit toolchains.lock"),
            Self::OfflineLock { command, .. } => {
                vec![format!("run `{command}` where there is a network")]
            }
            Self::RecipeGone { .. } => one("bring the recipe back, or run `xprov update`"),
            Self::NoArtifact { recipe, .. } => {
                vec![format!("see what there is with `xprov recipes show {recipe}`")]
            }
            Self::NoSlot(_) => one("run `xprov lock`, or add this host to `hosts` in the settings"),
            Self::NotLocked(target) => vec![format!("add it with `xprov lock --target {target}`")],
            Self::Fetch(error) => fetch_hints(error),
            Self::Input(error) => error.hints(),
            Self::SystemRust(error) => vec![error.hint()],
            Self::Unpack { source: UnpackError::Write { source, .. }, .. } => io_hints(source),
            Self::Relocation(RelocationError::Fs(error)) => io_hints(&error.source),
            Self::Unpack { .. }
            | Self::TreeMismatch { .. }
            | Self::Merge(_)
            | Self::Relocation(_) => one("correct the recipe, or choose another version of it"),
            Self::HostFit(misfit) => one(misfit.hint()),
            Self::Mac(error) => one(error.hint()),
            Self::Unusable { .. } => {
                one("choose another version in the settings, say `rust = { version = \"1.85\" }`")
            }
            Self::Derivation { command: "cargo fetch", .. } => {
                one("check the network; under --offline, run the command once without it")
            }
            Self::Derivation { log, .. } => vec![format!("see `{}`", log.display())],
            Self::DerivedMismatch { .. } => one(
                "`xprov update` pins what is built now; the same inputs should give the same bytes, \
                 so please report it",
            ),
            Self::DerivedTree { .. } => one("run the command again"),
            Self::NoInput { .. } => one("name a package that has it in the recipe's component"),
            Self::EnvCollision { dir } => vec![format!("delete `{}`", dir.display())],
            Self::RootConfig { .. } => one("move it to your home directory"),
            Self::CargoFetch { offline: true } => {
                one("run the command once without --offline, so that cargo's registry is filled")
            }
            Self::CargoFetch { offline: false } => {
                one("see what cargo says above; `xprov cargo -- fetch` repeats it")
            }
            Self::NotFound { known, .. } => known
                .first()
                .map(|_| format!("there are {}", known.join(", ")))
                .into_iter()
                .collect(),
            Self::Inspect { .. } => one("name an executable or a shared library"),
            Self::Store(StoreError::NoManifest(_) | StoreError::BadManifest { .. }) => {
                one("delete the object's directory and run `xprov restore`")
            }
            Self::Dirs(
                DirsError::WhiteSpace(_) | DirsError::NotAbsolute(_) | DirsError::NoHome,
            ) => one("set XPROV_HOME to an absolute path without spaces"),
            Self::Fs(error) | Self::Store(StoreError::Fs(error)) => match error.source.kind() {
                io::ErrorKind::NotFound if error.action.starts_with("create") => one(ELSEWHERE),
                _ => io_hints(&error.source),
            },
            Self::Shell { .. } => one("set SHELL to the shell that you want"),
            Self::Spawn { program, source } if source.kind() == io::ErrorKind::NotFound => {
                one(if program.contains('/') {
                    "there is no such file, or what its first line names is not there"
                } else {
                    "only programs of the environment are found by name; `./NAME` is one that is here"
                })
            }
            Self::Spawn { .. } => one("name an executable file"),
            Self::Hermetic(error) => hermetic_hints(error),
            _ => self.upstream_hints(),
        }
    }

    /// The same for what upstreams say, or do not.
    fn upstream_hints(&self) -> Vec<String> {
        let one = |hint: &str| vec![hint.to_owned()];
        match self {
            Self::NoArchive(name) => vec![mirror_hint(name)],
            Self::NoIndex { .. } | Self::PipIndex(_) => one(INDEX),
            Self::Pypi { source, .. } => vec![source.help().to_owned()],
            Self::Debian { source, .. } => vec![source.help().to_owned()],
            Self::RustDist { source, .. } => vec![source.help().to_owned()],
            Self::Minisign { source, .. } => one(minisign_hint(source)),
            Self::Channel(_) => {
                one("correct `rust.version` in the settings, or rust-toolchain.toml")
            }
            Self::FirstUse { .. } => one(FIRST_USE),
            Self::ImpureEntries { .. } => one(IMPURE),
            Self::Sources(_) | Self::PipConfig(_) => one(READABLE),
            Self::SnapshotTemplate(_) | Self::Package(_) => one("correct the recipe"),
            Self::Superseded { .. } => {
                one("run `xprov update` to pin the version that the archive has now")
            }
            _ => Vec::new(),
        }
    }
}

const IMPURE: &str = "take `rust = \"system\"` out of the settings: pinned Rust is signed";

const FIRST_USE: &str = "say in the recipe where the digest is published (`seen-in`), or whose \
                         minisign key signs the file (`minisign`)";

fn minisign_hint(error: &MinisignError) -> &'static str {
    match error {
        MinisignError::Get(_) => "check the network and the proxy variables, or try again later",
        _ => "correct `minisign` in the recipe, or name other `urls` in it",
    }
}

const READABLE: &str = "make the files readable, or name mirrors in the settings";

/// How an index is named without pip.
const INDEX: &str = "name one in Cargo.toml: `mirrors = { pypi = [\"https://…/simple\"] }` in the \
                     settings, or set PIP_INDEX_URL";

fn mirror_hint(archive: &str) -> String {
    format!("name one in Cargo.toml: `mirrors = {{ {archive} = [\"https://…\"] }}` in the settings")
}

fn debian_kind(error: &DebianError) -> Kind {
    if error.is_integrity() { Kind::Integrity } else { Kind::Fetch }
}

fn recipe_hints(error: &RecipeError) -> Vec<String> {
    let names = |items: Vec<String>| {
        if items.is_empty() { Vec::new() } else { vec![format!("there are {}", items.join(", "))] }
    };
    match error {
        RecipeError::Document(error) => error.help.clone().into_iter().collect(),
        RecipeError::Invalid { .. } => vec!["docs/recipe.md describes the format".to_owned()],
        RecipeError::Unknown { known, .. } | RecipeError::OtherTool { known, .. } => {
            names(known.iter().map(ToString::to_string).collect())
        }
        RecipeError::UnknownTool { tool, known } => {
            let words = known.iter().map(Name::as_str);
            let near = nearest(tool.as_str(), words).into_iter().take(1);
            let near = near.map(|near| format!("did you mean `{near}`?"));
            let all = names(known.iter().map(ToString::to_string).collect());
            near.chain(all).collect()
        }
        RecipeError::NoTarget { served, .. } => vec![format!(
            "targets with a recipe are {}; `recipes/` beside toolchains.lock can hold more",
            served.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        )],
        RecipeError::NoComponent { recipe, known, elsewhere, .. } => {
            let list = |names: &[Name]| {
                names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            };
            let mut hints = Vec::new();
            if known.is_empty() {
                hints.push(format!("{recipe} has none on request"));
            } else {
                hints.push(format!("{recipe} has on request: {}", list(known)));
            }
            if !elsewhere.is_empty() {
                hints.push(format!("recipes that have it: {}", list(elsewhere)));
            }
            hints
        }
        RecipeError::NoPair { elsewhere, .. } => {
            let names: Vec<&str> = elsewhere.iter().map(Name::as_str).collect();
            let names = names.join(", ");
            vec![format!(
                "on other hosts there are {names}; say in the settings which `hosts` count"
            )]
        }
        RecipeError::NoHost { served, .. } => {
            vec![format!(
                "it serves {}; choose another recipe or other `hosts` in the settings",
                served.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            )]
        }
    }
}

fn fetch_hints(error: &FetchError) -> Vec<String> {
    let hint = match error {
        FetchError::Offline { .. } => "run `xprov restore` where there is a network",
        FetchError::Mismatch { .. } => {
            "nothing was kept; if the upstream replaced the file, `xprov update` pins the new one"
        }
        FetchError::NotFound { .. } => "run `xprov update` if the upstream moved it",
        FetchError::Partial { source, .. } if is_full(source) => FULL,
        FetchError::Partial { .. } => WRITABLE,
        FetchError::Failed { attempts, .. }
            if attempts.iter().all(|attempt| is_trouble(&attempt.reason)) =>
        {
            "try again later"
        }
        FetchError::Setup(SetupError::Certificates { .. } | SetupError::NoCertificate { .. }) => {
            "correct SSL_CERT_FILE, SSL_CERT_DIR or CARGO_HTTP_CAINFO"
        }
        FetchError::TooLarge { .. } | FetchError::Failed { .. } | FetchError::Setup(_) => {
            "check the network and the proxy variables, or name a mirror in the settings"
        }
    };
    vec![hint.to_owned()]
}

fn hermetic_hints(error: &crate::hermetic::Error) -> Vec<String> {
    use crate::hermetic::Error as Hermetic;
    match error {
        Hermetic::ToolchainArgument { settings_line, .. } => {
            vec![format!("say it in the settings: {settings_line}")]
        }
        Hermetic::Baseline { known, target, .. } if known.is_empty() => {
            vec![format!("leave it out: {target} has none")]
        }
        Hermetic::Baseline { known, .. } => {
            vec![format!("known ones are `{}`", known.join("`, `"))]
        }
        Hermetic::Reserved { .. } => vec!["take it out of `env` in the settings".to_owned()],
        _ => Vec::new(),
    }
}

/// Whether the server may have recovered in a while.
fn is_trouble(reason: &Reason) -> bool {
    matches!(reason, Reason::Status { code, .. } if *code >= 500 || *code == 429)
}

const ANEW: &str = "restore it from version control, or delete it and run `xprov lock`";
const FULL: &str = "free some space, or move the store with XPROV_HOME";
const WRITABLE: &str =
    "make it writable; XPROV_HOME moves the store, CARGO_TARGET_DIR what is built";
const ELSEWHERE: &str = "set XPROV_HOME to a directory that can be created";

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn io_hints(error: &io::Error) -> Vec<String> {
    let hint = match error.kind() {
        _ if is_full(error) => FULL,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => WRITABLE,
        io::ErrorKind::NotADirectory => ELSEWHERE,
        _ => return Vec::new(),
    };
    vec![hint.to_owned()]
}
