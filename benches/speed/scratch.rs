//! The directory that everything is measured in: an xprov folder, the test projects, and the
//! packages that the loopback server serves. It stays, so that the next run starts at once.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use xprov::lockfile::{Artifact, Entry, Location, Lockfile};
use xprov::recipe::Slot;
use xprov::upstream::debian::{self, Bases};
use xprov::vocab::digest::Sha256;
use xprov::vocab::relpath::RelPath;
use xprov::vocab::triple::RustTriple;

/// What is built for.
pub const TARGET: &str = "aarch64-unknown-linux-gnu";

/// What everything here returns.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The scratch directory.
pub struct Scratch {
    /// Its path.
    pub dir: PathBuf,
    target: RustTriple,
    host: RustTriple,
}

impl Scratch {
    /// The scratch directory at `dir`, with a lock of the project `tiny`.
    pub fn new(dir: PathBuf) -> Result<Self> {
        fs::create_dir_all(&dir)?;
        let scratch = Self { dir, target: TARGET.parse()?, host: RustTriple::of_this_program() };
        scratch.project("tiny")?;
        Ok(scratch)
    }

    /// The xprov folder that builds use.
    pub fn home(&self) -> PathBuf {
        self.dir.join("home")
    }

    /// A copy of a test project, locked and built once with all targets' toolchains in `home`.
    pub fn project(&self, name: &str) -> Result<PathBuf> {
        self.project_in(&self.dir, name)
    }

    /// The same in another directory.
    pub fn project_in(&self, dir: &Path, name: &str) -> Result<PathBuf> {
        self.project_for(dir, name, TARGET)
    }

    /// The same for another target.
    pub fn project_for(&self, dir: &Path, name: &str, target: &str) -> Result<PathBuf> {
        let to = dir.join(name);
        if !to.is_dir() {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects").join(name);
            run(Command::new("cp").arg("-r").arg(from).arg(&to))?;
        }
        run(xprov(&self.home(), &to).args(["build", "--target", target]))?;
        Ok(to)
    }

    /// The artifacts that this host needs for the target.
    pub fn all_artifacts(&self) -> Result<Vec<Artifact>> {
        self.artifacts(|_| true)
    }

    /// The artifacts of the target's C compiler and sysroot.
    pub fn gcc_artifacts(&self) -> Result<Vec<Artifact>> {
        self.artifacts(|entry| {
            entry.slot == Slot::Cc && entry.key.target.as_ref() == Some(&self.target)
        })
    }

    fn artifacts(&self, wanted: impl Fn(&Entry) -> bool) -> Result<Vec<Artifact>> {
        let text = fs::read_to_string(self.dir.join("tiny/toolchains.lock"))?;
        let lock = Lockfile::parse("toolchains.lock", &text)?;
        let entries = lock.entries_for(&self.host, &self.target).filter(|entry| wanted(entry));
        Ok(Lockfile::artifacts(entries).into_iter().cloned().collect())
    }

    /// A directory that holds every locked package at its place in its archive.
    pub fn pool(&self) -> Result<PathBuf> {
        let pool = self.dir.join("pool");
        let bases =
            Bases { machine: debian::sources::read(Path::new("/etc/apt"))?, ..Bases::default() };
        for artifact in self.all_artifacts()? {
            let Some(place) = place(&artifact) else { continue };
            let file = pool.join(place);
            if file.is_file() {
                continue;
            }
            let Location::Debian { archive, path, date } = &artifact.location else { continue };
            fs::create_dir_all(file.parent().unwrap_or(&pool))?;
            let part = file.with_extension("part");
            let urls =
                debian::locate(archive, &RelPath::parse(path.as_bytes())?, date.parse()?, &bases);
            let got = urls.iter().any(|url| {
                run(Command::new("curl").args(["-sfLo"]).arg(&part).arg(url.as_str())).is_ok()
                    && fs::read(&part).is_ok_and(|bytes| Sha256::of(&bytes) == artifact.sha256)
            });
            if !got {
                return Err(
                    format!("no place has {path} any more: remove {}", self.dir.display()).into()
                );
            }
            fs::rename(part, file)?;
        }
        Ok(pool)
    }
}

/// `xprov` with the folder `home`, in `project`. Cargo's own variables, which this program was
/// started with, would send builds elsewhere.
pub fn xprov(home: &Path, project: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xprov"));
    command.env("XPROV_HOME", home).current_dir(project);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO") {
            command.env_remove(name);
        }
    }
    command
}

/// Where the package is, below a directory that holds the archives by name.
pub fn place(artifact: &Artifact) -> Option<String> {
    match &artifact.location {
        Location::Debian { archive, path, .. } => Some(format!("{archive}/{path}")),
        Location::Urls(_) | Location::RustDist(_) | Location::Pypi { .. } => None,
    }
}

/// Runs a command that must succeed, and says how long it took.
pub fn run(command: &mut Command) -> Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let start = Instant::now();
    let output = command.spawn()?.wait_with_output()?;
    let duration = start.elapsed();
    if output.status.success() {
        return Ok(duration);
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{command:?} failed: {said}").into())
}
