//! Fetching crates: with the user's network settings, before a build that has no network.
//!
//! What a Cargo.lock names is fetched once; its checksums keep what was fetched. A note in the
//! store says so, for as long as the lock, cargo's configuration and the manifests of workspace and
//! path dependencies stay as they are, and a warm build looks no further.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::configs::Configs;
use super::context::Context;
use super::error::Error;
use super::ground::Ground;
use super::project::Project;
use super::user::{self, Homes};
use crate::hermetic::Plan;
use crate::hermetic::build_inputs::BuildInput;
use crate::hermetic::cargo_args::{ConfigArgument, fetch_argv};
use crate::hermetic::network::Network;
use crate::hermetic::outside::Outside;
use crate::hermetic::vars;
use crate::sys::fs::{Describe as _, FsError, create_dir, read_optional, write_atomic_with_mode};
use crate::sys::process::hermetic_command;
use crate::vocab::digest::{Blake3, KeyHasher};
use crate::vocab::event::Event;
use crate::vocab::triple::RustTriple;

/// The note of a finished fetch.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    registry_dirs: Vec<PathBuf>,
    /// The manifests of all packages that are here by their paths, and the directories in which a new member would appear.
    seen: Vec<Seen>,
}

/// A file or directory as it was.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    path: PathBuf,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Seen {
    fn now(path: PathBuf) -> Result<Self, FsError> {
        let metadata = fs::metadata(&path).describe("read", &path)?;
        // The size of a directory says nothing.
        let size = if metadata.is_dir() { 0 } else { metadata.size() };
        Ok(Self { path, size, seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() })
    }
}

/// The crates of a project, fetched or to be fetched.
pub struct Crates<'a> {
    context: &'a Context<'a>,
    project: &'a Project,
    ground: &'a Ground,
    target: &'a RustTriple,
    network: Network,
    /// The file with the network settings, if there are any.
    network_path: Option<PathBuf>,
    configs: &'a Configs,
    /// What the user's cargo configuration would change in a build.
    outside: Vec<BuildInput>,
    note: Option<Note>,
}

impl<'a> Crates<'a> {
    /// The crates that the project's Cargo.lock names for host and target. Fetches nothing.
    pub fn new(
        context: &'a Context<'a>,
        project: &'a Project,
        ground: &'a Ground,
        target: &'a RustTriple,
        configs: &'a Configs,
    ) -> Result<Self, Error> {
        let outside = user::cargo_config(context, project)?;
        let Outside { network, inputs: outside } = Outside::read(&outside)?;
        let network_path = write_network(context, &network)?;
        let note = None;
        let mut crates = Self {
            context,
            project,
            ground,
            target,
            network,
            network_path,
            configs,
            outside,
            note,
        };
        crates.note = crates.read_note()?;
        Ok(crates)
    }

    /// What the user's cargo configuration outside of the project would change in a build.
    pub fn outside(&self) -> &[BuildInput] {
        &self.outside
    }

    /// The files for cargo's first `--config`s: network settings, then the project's own.
    pub fn first_configs(&self) -> Vec<PathBuf> {
        self.network_path.iter().chain(&self.configs.of_project).cloned().collect()
    }

    /// All `--config`s of a call of cargo's before the build.
    fn config_texts(&self, plan: &Plan) -> Result<Vec<String>, Error> {
        let mut texts = Vec::new();
        for path in self.first_configs() {
            texts.push(ConfigArgument::File(path).as_text()?.to_owned());
        }
        for argument in &self.configs.arguments {
            texts.push(argument.as_text()?.to_owned());
        }
        // Cargo asks rustc about the triples; another wrapper must not answer.
        texts.push(ConfigArgument::File(plan.config.path.clone()).as_text()?.to_owned());
        Ok(texts)
    }

    /// The directories of unpacked crates, as they were when this Cargo.lock was fetched. What
    /// other projects add later is no business of this one: it would change its flags.
    pub fn registry_dirs(&self) -> Vec<PathBuf> {
        self.note.as_ref().map(|note| note.registry_dirs.clone()).unwrap_or_default()
    }

    /// Fetches, unless that was done before; says whether it did.
    pub fn fetch(&mut self, plan: &Plan) -> Result<bool, Error> {
        let needed = self.note.is_none();
        if needed {
            self.note = Some(self.run(plan)?);
        }
        Ok(needed)
    }

    /// Where the note is for the Cargo.lock as it is now.
    fn note_path(&self) -> Result<Option<PathBuf>, Error> {
        let Some(lock) = read_optional(&self.project.root.join("Cargo.lock"))? else {
            return Ok(None);
        };
        let mut key = KeyHasher::new("fetched/3");
        // The note names directories in it.
        key.part(self.context.dirs.cargo_home().as_os_str().as_encoded_bytes());
        key.part(lock).part(&self.network.config).part(&self.project.root_text);
        key.part(self.project.root.as_os_str().as_encoded_bytes());
        key.part(self.context.host.as_str()).part(self.target.as_str());
        // Sources, patches and registries; and which Rust: cargo chooses versions by it.
        key.part(&self.ground.tools.rust.version_verbose);
        key.part(self.configs.files.len().to_le_bytes());
        for file in &self.configs.files {
            key.part(file.path.as_os_str().as_encoded_bytes()).part(&file.text);
        }
        Ok(Some(self.context.store.layout().fetched(&key.finish())))
    }

    /// The note, if everything is as it was then.
    fn read_note(&self) -> Result<Option<Note>, Error> {
        let Some(path) = self.note_path()? else { return Ok(None) };
        let note: Option<Note> =
            read_optional(&path)?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(note.filter(|note| {
            let same = |seen: &Seen| Seen::now(seen.path.clone()).is_ok_and(|now| now == *seen);
            note.seen.iter().all(same) && note.registry_dirs.iter().all(|dir| dir.is_dir())
        }))
    }

    fn run(&self, plan: &Plan) -> Result<Note, Error> {
        let context = self.context;
        let subject =
            format!("crates for {}", context.ambient.shown(&self.project.manifest).display());
        context.observer.event(Event::Step { verb: "Fetching", subject });
        let mut triples = vec![self.target];
        if *self.target != context.host {
            // Build dependencies are the host's.
            triples.push(&context.host);
        }
        let texts = self.config_texts(plan)?;
        let configs: Vec<&str> = texts.iter().map(String::as_str).collect();
        let argv = fetch_argv(&self.project.manifest, &triples, &configs, context.mode.locked)?;
        let mut command = self.cargo();
        command.args(argv).args(context.mode.offline.then_some("--offline"));
        let status = command.status().map_err(|source| self.spawn_error(source))?;
        if !status.success() {
            return Err(Error::CargoFetch { offline: context.mode.offline });
        }
        let seen = self.manifests(&configs, &triples)?;
        let known = seen.is_some();
        let note = Note {
            registry_dirs: below(&context.dirs.cargo_home().join("registry").join("src"))?,
            seen: seen.unwrap_or_default(),
        };
        // What cannot be compared later is not remembered.
        if let Some(path) = self.note_path()?.filter(|_| known) {
            context.store.write(&path, &serde_json::to_vec(&note).unwrap_or_default())?;
        }
        Ok(note)
    }

    /// The variables of a cargo that uses the network and compiles nothing.
    pub fn network_variables(&self) -> Vec<(String, String)> {
        let context = self.context;
        let mut ambient = context.ambient.pairs();
        if let Some(home) = Homes::of(context.ambient).home() {
            ambient.retain(|(name, _)| name != "HOME");
            ambient.push(("HOME".to_owned(), home.to_owned()));
        }
        vars::for_fetch(
            &ambient,
            &context.dirs.cargo_home().to_string_lossy(),
            &self.ground.tools.rust.rustc.to_string_lossy(),
            &self.network.credentials,
        )
    }

    /// The pinned cargo with the user's way to the network.
    fn cargo(&self) -> Command {
        let mut command = hermetic_command(&self.ground.tools.rust.cargo);
        command.envs(self.network_variables());
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    fn spawn_error(&self, source: std::io::Error) -> Error {
        Error::Spawn { program: self.ground.tools.rust.cargo.display().to_string(), source }
    }

    /// What a later build must find unchanged: a dependency that is added to a manifest has to be
    /// fetched, although Cargo.lock does not know it yet. `None` where cargo does not say.
    fn manifests(
        &self,
        configs: &[&str],
        triples: &[&RustTriple],
    ) -> Result<Option<Vec<Seen>>, Error> {
        #[derive(Deserialize)]
        struct Metadata {
            packages: Vec<Package>,
        }
        #[derive(Deserialize)]
        struct Package {
            manifest_path: PathBuf,
            /// `None` for what is here by its path, in the workspace or outside of it.
            source: Option<String>,
        }
        let mut command = self.cargo();
        command.args(["metadata", "--offline", "--format-version", "1"]);
        for triple in triples {
            // The crates of other platforms were not fetched.
            command.args(["--filter-platform", triple.as_str()]);
        }
        command.arg("--manifest-path").arg(&self.project.manifest);
        for config in configs {
            command.arg("--config").arg(config);
        }
        let output = command.output().map_err(|source| self.spawn_error(source))?;
        let Ok(metadata) = serde_json::from_slice::<Metadata>(&output.stdout) else {
            return Ok(None);
        };
        let local = metadata.packages.into_iter().filter(|package| package.source.is_none());
        let mut paths: Vec<PathBuf> = local.map(|package| package.manifest_path).collect();
        let siblings = paths
            .iter()
            .filter_map(|manifest| Some(manifest.parent()?.parent()?.to_path_buf()))
            .filter(|dir| dir.starts_with(&self.project.root) && *dir != self.project.root);
        // A path dependency may inherit from the manifest of another workspace, above it.
        let above = paths.iter().flat_map(|manifest| manifest.ancestors().skip(2));
        let above = above.map(|dir| dir.join("Cargo.toml")).filter(|manifest| manifest.is_file());
        let more: Vec<PathBuf> = siblings.chain(above).collect();
        paths.extend(more);
        paths.sort();
        paths.dedup();
        Ok(Some(paths.into_iter().map(Seen::now).collect::<Result<_, _>>()?))
    }
}

/// Writes the user's network settings where cargo can read them.
pub fn write_network(context: &Context<'_>, network: &Network) -> Result<Option<PathBuf>, Error> {
    let text = network.config.as_bytes();
    if text.is_empty() {
        return Ok(None);
    }
    let cargo_home = context.dirs.cargo_home();
    let digest = Blake3::of(text).to_string();
    let path = cargo_home.join(format!("network-{}.toml", &digest[..16]));
    if !path.is_file() {
        create_dir(&cargo_home)?;
        // It may name hosts that are nobody else's business.
        write_atomic_with_mode(&path, text, 0o600)?;
    }
    Ok(Some(path))
}

/// The directories in `dir`, sorted; none where it does not exist.
pub fn below(dir: &Path) -> Result<Vec<PathBuf>, FsError> {
    let mut dirs = Vec::new();
    if dir.is_dir() {
        for entry in fs::read_dir(dir).describe("read", dir)? {
            dirs.push(entry.describe("read", dir)?.path());
        }
    }
    dirs.sort();
    Ok(dirs)
}
