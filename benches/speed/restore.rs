//! Restoring the target's C toolchain from a loopback server, beside `curl` and `dpkg-deb -x` of
//! the same packages one after another.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use xprov::lockfile::Artifact;
use xprov::store::{IndexKey, Store};
use xprov::sys::fs::remove_tree;

use crate::sample::Sample;
use crate::scratch::{Result, Scratch, TARGET, place, run, xprov};
use crate::server;

/// What restoring took.
pub struct Figures {
    /// Everything that the target needs, once, into an empty folder.
    pub everything: Duration,
    /// The C toolchain.
    pub xprov: Sample,
    /// Its packages with `curl` and `dpkg-deb -x`.
    pub sequential: Sample,
    /// The peak resident memory of xprov with everything to restore (bytes).
    pub memory: u64,
}

/// Measures in `dir`, which is emptied before and removed after.
pub fn measure(scratch: &Scratch, dir: &Path, runs: usize) -> Result<Figures> {
    remove_tree(dir)?;
    fs::create_dir_all(dir)?;
    let base = server::serve(&scratch.pool()?)?;
    let project = project(scratch, dir, &base)?;
    let home = dir.join("home");
    let artifacts = scratch.gcc_artifacts()?;
    let restore = || {
        let mut command = xprov(&home, &project);
        command.args(["--locked", "restore", "--target", TARGET]);
        command
    };
    let (everything, memory) = with_peak_memory(&mut restore())?;
    let mut figures =
        Figures { everything, xprov: Sample::default(), sequential: Sample::default(), memory };
    for _ in 0..runs {
        figures.sequential.push(one_after_another(&artifacts, &base, &dir.join("plain"))?);
        forget(&home.join("v1"), &artifacts)?;
        figures.xprov.push(run(&mut restore())?);
    }
    remove_tree(dir)?;
    Ok(figures)
}

/// The project `tiny` with its lock, and the loopback server as its mirror.
fn project(scratch: &Scratch, dir: &Path, base: &str) -> Result<PathBuf> {
    let project = dir.join("project");
    fs::create_dir_all(project.join("src"))?;
    for file in ["Cargo.toml", "src/main.rs", "toolchains.lock"] {
        fs::copy(scratch.dir.join("tiny").join(file), project.join(file))?;
    }
    let manifest = project.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    let mirrors = format!(
        "\n[workspace.metadata.xprov.mirrors]\ndebian = [\"{base}/debian\"]\n\
         debian-security = [\"{base}/debian-security\"]\n"
    );
    fs::write(manifest, text + &mirrors)?;
    Ok(project)
}

/// Takes the artifacts' objects out of the store, and everything that was made of them.
fn forget(root: &Path, artifacts: &[Artifact]) -> Result<()> {
    let store = Store::new(root.to_path_buf());
    for artifact in artifacts {
        let (strip, keep) = (artifact.unpack.strip, artifact.unpack.keep.as_deref());
        let key = IndexKey::Unpacked { artifact: &artifact.sha256, strip, keep };
        let object = store.find(&key)?.ok_or("an object that was restored is not there")?;
        remove_tree(&object.dir)?;
        fs::remove_file(store.layout().index(&key.digest()))?;
    }
    for composition in fs::read_dir(store.layout().compositions_dir())? {
        let path = composition?.path();
        if path.to_string_lossy().contains("-cc-aarch64-") {
            remove_tree(&path)?;
        }
    }
    for made in ["closures", "relocated"] {
        remove_tree(&root.join(made))?;
    }
    Ok(())
}

fn one_after_another(artifacts: &[Artifact], base: &str, dir: &Path) -> Result<Duration> {
    remove_tree(dir)?;
    fs::create_dir_all(dir.join("tree"))?;
    let start = Instant::now();
    for artifact in artifacts {
        let place = place(artifact).ok_or("an artifact that is no package")?;
        let url = format!("{base}/{}", place.replace('%', "%25"));
        let file = dir.join("package.deb");
        run(Command::new("curl").args(["-sfo"]).arg(&file).arg(url))?;
        run(Command::new("dpkg-deb").arg("-x").arg(&file).arg(dir.join("tree")))?;
    }
    Ok(start.elapsed())
}

/// How long a command took, and the most memory that it had in use.
fn with_peak_memory(command: &mut Command) -> Result<(Duration, u64)> {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        // The high-water mark is gone when the process is.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kilobytes.unwrap_or(0) * 1024);
        if let Some(status) = child.try_wait()? {
            return if status.success() {
                Ok((start.elapsed(), peak))
            } else {
                Err("restore failed".into())
            };
        }
        thread::sleep(Duration::from_millis(2));
    }
}
