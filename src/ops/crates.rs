//! Fetching crates: with the user's network settings, before a build that has no network.
//!
//! What a Cargo.lock names is fetched once; its checksums keep what was fetched. A note in the
//! store says so, and a warm build looks no further.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::context::Context;
use super::environment::Ground;
use super::error::Error;
use super::project::Project;
use crate::hermetic::cargo_config::ConfigFile;
use crate::hermetic::network::Network;
use crate::hermetic::vars;
use crate::sys::fs::{Describe as _, create_dir, read_optional, read_text, write_atomic};
use crate::sys::process::hermetic_command;
use crate::vocab::digest::{Blake3, KeyHasher};
use crate::vocab::event::Event;
use crate::vocab::triple::RustTriple;

/// The crates of a project, fetched.
#[derive(Debug, Default)]
pub struct Crates {
    /// The files for cargo's first `--config`s: network settings, then the project's own.
    pub configs: Vec<PathBuf>,
    /// The directories of unpacked crates.
    pub registry_dirs: Vec<PathBuf>,
}

/// Fetches what the project's Cargo.lock names for host and target, unless that was done before.
pub fn fetch(
    context: &Context<'_>,
    project: &Project,
    ground: &Ground,
    target: &RustTriple,
    locked: bool,
) -> Result<Crates, Error> {
    let cargo_home = context.dirs.cargo_home();
    create_dir(&cargo_home)?;
    let network = Network::read(&user_config(context, project)?)?;
    let mut configs = Vec::new();
    if !network.config.is_empty() {
        let name =
            format!("network-{}.toml", &Blake3::of(network.config.as_bytes()).to_string()[..16]);
        let path = cargo_home.join(name);
        if !path.is_file() {
            write_atomic(&path, network.config.as_bytes())?;
        }
        configs.push(path);
    }
    let own = ["config", "config.toml"].map(|name| project.root.join(".cargo").join(name));
    configs.extend(own.into_iter().find(|path| path.is_file()));
    let lock_path = project.root.join("Cargo.lock");
    let key = |cargo_lock: &[u8]| {
        let mut key = KeyHasher::new("fetched/1");
        key.part(cargo_lock).part(&network.config).part(&project.root_text);
        key.part(context.host.as_str()).part(target.as_str());
        context.store.layout().fetched(&key.finish())
    };
    let before = read_optional(&lock_path)?;
    let noted = before.as_deref().is_some_and(|text| key(text).is_file());
    if !noted || !cargo_home.join("registry").is_dir() {
        let subject = format!("the crates of {}", context.ambient.shown(&project.root).display());
        context.observer.event(Event::Step { verb: "Fetching", subject });
        cargo_fetch(context, project, ground, target, locked, &network, &configs)?;
        if let Some(after) = read_optional(&lock_path)? {
            context.store.write(&key(&after), b"")?;
        }
    }
    Ok(Crates { configs, registry_dirs: registry_dirs(&cargo_home)? })
}

fn cargo_fetch(
    context: &Context<'_>,
    project: &Project,
    ground: &Ground,
    target: &RustTriple,
    locked: bool,
    network: &Network,
    configs: &[PathBuf],
) -> Result<(), Error> {
    let ambient: Vec<(String, String)> = context
        .ambient
        .variables
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let rust = &ground.tools.rust;
    let variables = vars::for_fetch(
        &ambient,
        &context.dirs.cargo_home().to_string_lossy(),
        &rust.rustc.to_string_lossy(),
        &network.credentials,
    );
    let mut command = hermetic_command(&rust.cargo);
    command.envs(variables).current_dir("/").stdin(Stdio::null());
    command.arg("fetch").arg("--manifest-path").arg(&project.manifest);
    command.args(["--target", target.as_str()]);
    if *target != context.host {
        // Build dependencies are the host's.
        command.args(["--target", context.host.as_str()]);
    }
    for flag in [(locked, "--locked"), (context.mode.offline, "--offline")] {
        command.args(flag.0.then_some(flag.1));
    }
    for config in configs {
        command.arg("--config").arg(config);
    }
    let program = rust.cargo.display().to_string();
    let status = command.status().map_err(|source| Error::Spawn { program, source })?;
    if status.success() { Ok(()) } else { Err(Error::CargoFetch { offline: context.mode.offline }) }
}

/// The user's cargo configuration: that of the directories above the project, nearest first, then
/// that of the user's CARGO_HOME with its credentials. Only network settings are taken from it.
fn user_config(context: &Context<'_>, project: &Project) -> Result<Vec<ConfigFile>, Error> {
    let mut paths: Vec<PathBuf> = project
        .root
        .ancestors()
        .skip(1)
        .flat_map(|dir| ["config", "config.toml"].map(|name| dir.join(".cargo").join(name)))
        .collect();
    let home = context.ambient.var("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| context.ambient.home().map(|home| home.join(".cargo")));
    if let Some(home) = home {
        let names = ["config", "config.toml", "credentials", "credentials.toml"];
        paths.extend(names.map(|name| home.join(name)));
    }
    let mut files: Vec<ConfigFile> = Vec::new();
    for path in paths {
        if files.iter().any(|file| file.path == path) {
            continue;
        }
        if let Some(text) = read_text(&path)? {
            files.push(ConfigFile { path, text });
        }
    }
    Ok(files)
}

/// The directories below `registry/src`, one for each registry, and git checkouts.
pub fn registry_dirs(cargo_home: &Path) -> Result<Vec<PathBuf>, Error> {
    let src = cargo_home.join("registry").join("src");
    let mut dirs = Vec::new();
    if src.is_dir() {
        for entry in fs::read_dir(&src).describe("read", &src)? {
            dirs.push(entry.describe("read", &src)?.path());
        }
    }
    dirs.sort();
    Ok(dirs)
}
