//! A second project with the same pins on a machine that has built the first: what it downloads, and
//! how long its environment takes.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use super::sample::Sample;
use super::scratch::{Result, Scratch, TARGET, run, xprov};
use super::tools::Tools;

/// What was measured.
pub struct Figures {
    /// The pinned cargo reads the project's manifest, `cargo metadata --no-deps`.
    pub metadata: Sample,
    /// `xprov env` in a project that no xprov has seen.
    pub env: Sample,
    /// The connections that all these runs tried to make.
    pub connections: usize,
}

/// `runs` new projects below `dir`, each with a name of its own and the lock of `tiny`. Every way to
/// the network leads to a listener that counts, so that whoever asks for a byte is counted.
pub fn measure(scratch: &Scratch, dir: &Path, runs: usize) -> Result<Figures> {
    let tools = Tools::of(scratch)?;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let proxy = format!("http://{}", listener.local_addr()?);
    let counted = Arc::new(AtomicUsize::new(0));
    let connections = Arc::clone(&counted);
    thread::spawn(move || {
        for _ in listener.incoming() {
            counted.fetch_add(1, SeqCst);
        }
    });
    let mut figures =
        Figures { metadata: Sample::default(), env: Sample::default(), connections: 0 };
    for number in 0..runs {
        let project = project(scratch, dir, number)?;
        let mut metadata = tools.plain_cargo(&project);
        metadata.args(["metadata", "--offline", "--no-deps", "--format-version", "1"]);
        figures.metadata.push(run(&mut metadata)?);
        let mut env = xprov(&scratch.home(), &project);
        through(&mut env, &proxy).args(["--locked", "env", "--target", TARGET]);
        figures.env.push(run(&mut env)?);
    }
    // One of them is built and run, too: the environment is whole.
    let mut build = xprov(&scratch.home(), &dir.join("second-0"));
    run(through(&mut build, &proxy).args(["--locked", "build", "--target", TARGET]))?;
    figures.connections = connections.load(SeqCst);
    if figures.connections > 0 {
        let count = figures.connections;
        return Err(format!("a second project asked the network {count} times").into());
    }
    Ok(figures)
}

/// A project like `tiny` under another name, which makes it another one to everything that
/// remembers.
fn project(scratch: &Scratch, dir: &Path, number: usize) -> Result<PathBuf> {
    let project = dir.join(format!("second-{number}"));
    fs::create_dir_all(project.join("src"))?;
    let from = scratch.dir.join("tiny");
    for file in ["src/main.rs", "toolchains.lock"] {
        fs::copy(from.join(file), project.join(file))?;
    }
    for file in ["Cargo.toml", "Cargo.lock"] {
        let text = fs::read_to_string(from.join(file))?;
        let name = format!("name = \"second-{number}-{}\"", std::process::id());
        fs::write(project.join(file), text.replace("name = \"tiny\"", &name))?;
    }
    Ok(project)
}

fn through<'a>(command: &'a mut Command, proxy: &str) -> &'a mut Command {
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
    {
        command.env(name, proxy);
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy")
}
