//! Why the machine's Rust cannot be used.

use std::path::PathBuf;

use crate::lockfile::Identity;
use crate::ops::error::{Error, Kind};
use crate::vocab::triple::RustTriple;

/// Why the machine's Rust cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SystemRustError {
    /// There is none.
    #[error("`rust = \"system\"` asks for this machine's Rust, and there is no rustc on your PATH")]
    NotFound,
    /// It does not say where it is.
    #[error("`{} --print sysroot` failed: {said}", program.display())]
    Silent {
        /// The program.
        program: PathBuf,
        /// What it or the system said.
        said: String,
    },
    /// Something that belongs to it is not there.
    #[error("the Rust of this machine is incomplete: there is no `{}`", file.display())]
    Incomplete {
        /// What is missing.
        file: PathBuf,
    },
    /// It is for other machines.
    #[error("the Rust in `{}` runs on {host}, and xprov builds on {machine}", sysroot.display())]
    OtherHost {
        /// The directory above its `bin`.
        sysroot: PathBuf,
        /// What it says.
        host: String,
        /// What xprov is for.
        machine: RustTriple,
    },
    /// The settings ask for another version.
    #[error("the settings ask for Rust {wanted}, and this machine has {found}")]
    Version {
        /// What the settings say.
        wanted: String,
        /// What the compiler says of itself.
        found: String,
    },
    /// Nobody has its std for a target.
    #[error("there is no std for `{target}` of exactly this machine's {compiler}; looked for in:\n  {}", tried.join("\n  "))]
    NoStd {
        /// The target.
        target: RustTriple,
        /// What the compiler says of itself.
        compiler: String,
        /// Where it was looked for, and what was there instead.
        tried: Vec<String>,
    },
    /// It has not what the settings ask for.
    #[error("the Rust of this machine has no {component}")]
    NoComponent {
        /// The component.
        component: String,
    },
    /// It is not what the lock says.
    #[error("{}", changed(entry, locked.as_ref(), here.as_ref()))]
    Changed {
        /// The lock's entry.
        entry: String,
        /// What the lock says.
        locked: Option<Identity>,
        /// What this machine has.
        here: Option<Identity>,
    },
}

/// A difference between the lock and this machine, as a sentence.
pub fn changed(entry: &str, locked: Option<&Identity>, here: Option<&Identity>) -> String {
    let text = |identity: Option<&Identity>| {
        identity.map_or_else(|| "nothing".to_owned(), ToString::to_string)
    };
    format!("{entry}: the lock says {}; this machine has {}", text(locked), text(here))
}

impl From<SystemRustError> for Error {
    fn from(error: SystemRustError) -> Self {
        Self::SystemRust(Box::new(error))
    }
}

impl SystemRustError {
    /// The sort of error.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound
            | Self::Silent { .. }
            | Self::Incomplete { .. }
            | Self::OtherHost { .. } => Kind::Machine,
            Self::Version { .. } | Self::NoStd { .. } | Self::NoComponent { .. } => Kind::Input,
            Self::Changed { .. } => Kind::Drift,
        }
    }

    /// What helps.
    pub fn hint(&self) -> String {
        let other = "or take `rust = \"system\"` out of the settings, and xprov brings its own";
        match self {
            Self::NotFound | Self::Incomplete { .. } => {
                format!("install Rust with cargo, say with rustup, {other}")
            }
            Self::Silent { .. } => {
                format!("see what `rustc --print sysroot` says in the project's directory, {other}")
            }
            Self::OtherHost { .. } => format!("install Rust for this machine, {other}"),
            Self::Version { .. } => {
                format!("install that version, or correct `rust.version` in the settings, {other}")
            }
            Self::NoStd { target, .. } => {
                format!("`rustup target add {target}` or your system's package brings it, {other}")
            }
            Self::NoComponent { component } => {
                format!("`rustup component add {component}` or your system's package brings it")
            }
            Self::Changed { .. } => "run `xprov lock` and commit toolchains.lock".to_owned(),
        }
    }
}
