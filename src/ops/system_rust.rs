//! The machine's own Rust, for `rust = "system"` (`docs/impure.md`): where it is, what it is, and
//! whether that is what the lock says. It stays where it is; builds see links to it.

mod error;
mod files;
mod locate;

use std::path::{Path, PathBuf};

pub use error::SystemRustError;

use super::context::Context;
use super::error::Error;
use super::project::Project;
use crate::hermetic::MachineRust;
use crate::lockfile::{Entry, Identity, Lockfile};
use crate::settings::{SYSTEM_RUST, Settings};
use crate::sys::process::hermetic_command;
use crate::vocab::digest::{Blake3, KeyHasher};
use crate::vocab::event::Event;
use crate::vocab::triple::RustTriple;

/// The programs that every Rust has.
const PROGRAMS: [&str; 3] = ["cargo", "rustc", "rustdoc"];

/// What is there on request: component and programs.
const ON_REQUEST: [(&str, &[&str]); 3] = [
    ("clippy", &["cargo-clippy", "clippy-driver"]),
    ("rust-analyzer", &["rust-analyzer"]),
    ("rustfmt", &["cargo-fmt", "rustfmt"]),
];

/// The compiler of this machine with all that belongs to it.
pub struct SystemRust<'a> {
    context: &'a Context<'a>,
    /// The directory above its `bin`.
    pub sysroot: PathBuf,
    /// What `rustc -vV` prints.
    pub version_verbose: String,
    /// What it is.
    pub identity: Identity,
    cargo: PathBuf,
    /// Shared libraries that the compiler loads, its own and others of the machine's.
    libraries: Vec<PathBuf>,
}

/// A part of it, as an entry of the lock names it.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The entry's name.
    pub component: &'a str,
    /// The target, for a std.
    pub target: Option<&'a RustTriple>,
}

impl<'a> From<&'a Entry> for Part<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self { component: entry.key.name.as_str(), target: entry.key.target.as_ref() }
    }
}

/// Whether the settings ask for the machine's Rust by the name of the built-in recipe.
pub fn is_asked(settings: &Settings) -> bool {
    settings.rust.recipe.as_ref().is_some_and(|recipe| recipe.as_str() == SYSTEM_RUST)
}

/// The machine's Rust: the first rustc on the user's PATH, or what rustup means by it for this
/// project.
pub fn find<'a>(context: &'a Context<'_>, project: &Project) -> Result<SystemRust<'a>, Error> {
    let sysroot = locate::sysroot(context, project)?;
    let cargo = locate::cargo(context, &sysroot)?;
    let rustc = sysroot.join("bin/rustc");
    let own = files::of_compiler(&sysroot, &context.host)?;
    let (version_verbose, libraries) = files::about(context, &own, || {
        let failed = |said: String| Error::Unusable { program: rustc.clone(), said };
        let output = hermetic_command(&rustc)
            .arg("-vV")
            .output()
            .map_err(|source| failed(source.to_string()))?;
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    })?;
    let line = |name: &str| version_verbose.lines().find_map(|line| line.strip_prefix(name));
    let host = line("host: ").unwrap_or_default();
    if host != context.host.as_str() {
        let (host, machine) = (host.to_owned(), context.host.clone());
        return Err(SystemRustError::OtherHost { sysroot, host, machine }.into());
    }
    let mut all = own;
    all.push(cargo.clone());
    all.extend(libraries.iter().cloned());
    let identity = Identity {
        says: version_verbose.lines().next().unwrap_or_default().to_owned(),
        commit: line("commit-hash: ").filter(|hash| *hash != "unknown").map(str::to_owned),
        digest: files::digest(context, &sysroot, &all)?,
    };
    Ok(SystemRust { context, sysroot, version_verbose, identity, cargo, libraries })
}

impl SystemRust<'_> {
    /// Its version: `1.95.0`.
    pub fn release(&self) -> &str {
        let mut lines = self.version_verbose.lines();
        lines.find_map(|line| line.strip_prefix("release: ")).unwrap_or_default()
    }

    /// What a part of it is; `None` where it has no such part.
    pub fn part(&self, part: Part<'_>) -> Result<Option<Identity>, Error> {
        let files = match part {
            Part { target: Some(target), .. } => files::of_std(&self.sysroot, target)?,
            Part { component: "rustc", .. } => return Ok(Some(self.identity.clone())),
            Part { component, .. } => {
                let programs = ON_REQUEST.iter().find(|(name, _)| *name == component);
                let programs = programs.map_or(&[][..], |(_, programs)| *programs);
                programs.iter().map(|name| self.sysroot.join("bin").join(name)).collect()
            }
        };
        if files.is_empty() || !files.iter().all(|file| file.is_file()) {
            return Ok(None);
        }
        let digest = files::digest(self.context, &self.sysroot, &files)?;
        Ok(Some(Identity { digest, ..self.identity.clone() }))
    }

    /// What builds for `target` use of it, and where that is: what is composed links to it.
    pub fn key(&self, target: &RustTriple) -> Result<Blake3, Error> {
        let mut key = KeyHasher::new("machine-rust for a target/1");
        for path in [&self.sysroot, &self.cargo] {
            key.part(path.as_os_str().as_encoded_bytes());
        }
        let std = Part { component: "rust-std", target: Some(target) };
        let on_request = ON_REQUEST.iter().map(|(component, _)| Part { component, target: None });
        let all = [Part { component: "rustc", target: None }, std].into_iter().chain(on_request);
        for part in all {
            key.part(self.part(part)?.map_or(String::new(), |own| own.digest.to_string()));
        }
        Ok(key.finish())
    }

    /// What a part becomes in the tree of links: (path in the tree, path on the machine).
    fn links_of(&self, part: Part<'_>) -> Vec<(String, PathBuf)> {
        let std = |target: &RustTriple| {
            let path = format!("lib/rustlib/{target}");
            let own = self.sysroot.join(&path);
            (path, own)
        };
        let bin = |name: &str| {
            let own = self.sysroot.join("bin").join(name);
            let own = if name == "cargo" { self.cargo.clone() } else { own };
            (format!("bin/{name}"), own)
        };
        match part {
            Part { target: Some(target), .. } => vec![std(target)],
            Part { component: "rustc", .. } => {
                PROGRAMS.into_iter().map(bin).chain([std(&self.context.host)]).collect()
            }
            Part { component, .. } => {
                let programs = ON_REQUEST.iter().filter(|(name, _)| *name == component);
                programs.flat_map(|(_, programs)| programs.iter().map(|name| bin(name))).collect()
            }
        }
    }

    /// The links that `entries` make.
    pub fn links(&self, entries: &[&Entry]) -> Vec<(String, String)> {
        let text = |(path, own): (String, PathBuf)| (path, own.to_string_lossy().into_owned());
        impure(entries).flat_map(|entry| self.links_of(entry.into())).map(text).collect()
    }

    /// What builds have to know of it.
    pub fn for_builds(&self, entries: &[&Entry]) -> MachineRust {
        let links = impure(entries).flat_map(|entry| self.links_of(entry.into()));
        let mut identity = KeyHasher::new("machine-rust/1");
        for entry in impure(entries) {
            identity.part(entry.key.to_string());
            identity.part(entry.identity.as_ref().map_or(String::new(), |own| format!("{own:?}")));
        }
        MachineRust {
            says: self.identity.says.clone(),
            sysroot: self.sysroot.clone(),
            read: links.map(|(_, own)| own).chain(self.libraries.iter().cloned()).collect(),
            identity: identity.finish(),
        }
    }
}

fn impure<'a>(entries: &[&'a Entry]) -> impl Iterator<Item = &'a Entry> {
    entries.iter().copied().filter(|entry| entry.identity.is_some())
}

/// The machine's Rust, where `entries` have it; refused where it is not what they say.
pub fn of_entries<'a>(
    context: &'a Context<'_>,
    project: &Project,
    entries: &[&Entry],
) -> Result<Option<SystemRust<'a>>, Error> {
    if impure(entries).next().is_none() {
        return Ok(None);
    }
    let rust = find(context, project)?;
    for entry in impure(entries) {
        let here = rust.part(entry.into())?;
        if here != entry.identity {
            let (entry, locked) = (entry.key.to_string(), entry.identity.clone());
            return Err(SystemRustError::Changed { entry, locked, here }.into());
        }
    }
    Ok(Some(rust))
}

/// Why a lock does not answer what this machine is, one sentence each; empty where it does.
pub fn drift(
    context: &Context<'_>,
    project: &Project,
    lock: &Lockfile,
) -> Result<Vec<String>, Error> {
    if !is_asked(&project.settings) {
        return Ok(Vec::new());
    }
    let rust = find(context, project)?;
    let of_host = |entry: &&Entry| entry.key.host.as_ref() == Some(&context.host);
    let entries: Vec<&Entry> = lock.entries.iter().filter(of_host).collect();
    let mut reasons = Vec::new();
    if !entries.iter().any(|entry| entry.key.name.as_str() == "rustc" && entry.identity.is_some()) {
        reasons.push(format!("the Rust of `{}`, {}, is not locked", context.host, rust.identity));
    }
    for target in lock.request.targets.iter().filter(|target| **target != context.host) {
        let is_std = |entry: &Entry| {
            let of_here = entry.key.host.as_ref().is_none_or(|host| *host == context.host);
            of_here
                && entry.key.name.as_str() == "rust-std"
                && entry.key.target.as_ref() == Some(target)
        };
        if reasons.is_empty() && !lock.entries.iter().any(is_std) {
            reasons.push(format!("the std of `{target}` on `{}` is not locked", context.host));
        }
    }
    for entry in impure(&entries) {
        let here = rust.part(entry.into())?;
        if here != entry.identity {
            reasons.push(error::changed(
                &entry.key.to_string(),
                entry.identity.as_ref(),
                here.as_ref(),
            ));
        }
    }
    Ok(reasons)
}

/// Says once in each command that what it makes depends on this machine.
pub fn announce(context: &Context<'_>, says: &str, sysroot: &Path) {
    if !context.said_impure.swap(true, std::sync::atomic::Ordering::Relaxed) {
        context.observer.event(Event::Note(format!(
            "impure: Rust is this machine's own, {says} in {}, as `rust = \"system\"` asks; \
             another machine may have another one",
            sysroot.display()
        )));
    }
}
