//! The figures of `docs/benchmarks.md`: run by `cargo bench --bench speed`, which prints the
//! table. Arguments (`build`, `env`, `shim`, `restore`) choose rows.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod machine;
mod restore;
mod sample;
mod scratch;
mod server;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sample::{Sample, milliseconds};
use scratch::{Result, Scratch, TARGET, run, xprov};

/// Where files are in memory, on Linux.
const MEMORY_DIR: &str = "/dev/shm";

fn main() -> Result<()> {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wants = |row: &str| wanted.is_empty() || wanted.iter().any(|name| name == row);
    let scratch = Scratch::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("speed"))?;
    println!("{}\n", machine::describe(&[&scratch.dir, Path::new(MEMORY_DIR)]));
    println!("| | Median | Fastest | 10th to 90th percentile | Runs | Target |");
    println!("|---|---|---|---|---|---|");
    if wants("build") {
        for name in ["tiny", "harbor"] {
            build(&scratch, name)?;
        }
    }
    if wants("env") {
        env(&scratch)?;
    }
    if wants("shim") {
        shim(&scratch)?;
    }
    if wants("restore") {
        for (place, dir) in [
            ("disk", scratch.dir.join("restore")),
            ("memory", Path::new(MEMORY_DIR).join(format!("xprov-speed-{}", std::process::id()))),
        ] {
            restore(&scratch, place, &dir)?;
        }
    }
    Ok(())
}

fn row(what: &str, sample: &Sample, target: &str) {
    println!("| {what} | {} | {target} |", sample.columns());
}

/// The row of what the second costs over the first, by their medians and by their fastest runs.
fn difference(what: &str, base: &Sample, with: &Sample, target: &str) {
    let more = |with: Duration, base: Duration| (with.as_secs_f64() - base.as_secs_f64()) * 1e3;
    let median = more(with.median(), base.median());
    let fastest = more(with.fastest(), base.fastest());
    println!("| {what} | {median:+.2} ms | {fastest:+.2} ms | | | {target} |");
}

/// Builds with nothing to do: the pinned cargo as it is, and through xprov.
fn build(scratch: &Scratch, name: &str) -> Result<()> {
    let project = scratch.project(name)?;
    let tools = Tools::of(scratch)?;
    let mut plain = || {
        let mut command = tools.plain_cargo(&project);
        command.args(["build", "--target", TARGET]);
        command
    };
    let mut ours = || {
        let mut command = xprov(&scratch.home(), &project);
        command.args(["build", "--target", TARGET]);
        command
    };
    let (cargo, xprov) = in_turn(60, &mut plain, &mut ours)?;
    row(&format!("`cargo build`, nothing to do, {name}"), &cargo, "");
    row(&format!("`xprov build`, nothing to do, {name}"), &xprov, "");
    difference(&format!("xprov over cargo, {name}"), &cargo, &xprov, "at most 5 ms");
    Ok(())
}

fn env(scratch: &Scratch) -> Result<()> {
    let project = scratch.project("harbor")?;
    let mut nothing = || Command::new("true");
    let mut ours = || {
        let mut command = xprov(&scratch.home(), &project);
        command.args(["env", "--target", TARGET]);
        command
    };
    let (nothing, env) = in_turn(200, &mut nothing, &mut ours)?;
    row("starting `true`", &nothing, "");
    row("`xprov env`, harbor", &env, "at most 5 ms");
    Ok(())
}

fn shim(scratch: &Scratch) -> Result<()> {
    let tools = Tools::of(scratch)?;
    let call = |program: PathBuf| {
        move || {
            let mut command = Command::new(&program);
            command.arg("--version").env_clear();
            command
        }
    };
    let mut real = call(tools.compiler()?);
    let mut shim = call(tools.bin.join("aarch64-linux-gnu-gcc"));
    let (real, shim) = in_turn(500, &mut real, &mut shim)?;
    row("`aarch64-linux-gnu-gcc --version`", &real, "");
    row("the same through the shim", &shim, "");
    difference("the shim", &real, &shim, "at most 1 ms");
    Ok(())
}

fn restore(scratch: &Scratch, place: &str, dir: &Path) -> Result<()> {
    let figures = restore::measure(scratch, dir, 9)?;
    let megabytes = |artifacts: Vec<xprov::lockfile::Artifact>| {
        let bytes: u64 = artifacts.iter().filter_map(|artifact| artifact.size).sum();
        format!("{} packages, {} MB", artifacts.len(), bytes / 1_000_000)
    };
    let gcc = megabytes(scratch.gcc_artifacts()?);
    let all = megabytes(scratch.all_artifacts()?);
    row(&format!("`curl`, `dpkg-deb -x` one by one, {place} ({gcc})"), &figures.sequential, "");
    row(&format!("`xprov restore` of the same, {place}"), &figures.xprov, "at most the above");
    println!(
        "| everything for one target, {place} ({all}) | {} | | | 1 | peak memory {} MB |",
        milliseconds(figures.everything),
        figures.memory / 1_000_000
    );
    Ok(())
}

/// Runs two commands in turn, once each without counting.
fn in_turn(
    runs: usize,
    first: &mut dyn FnMut() -> Command,
    second: &mut dyn FnMut() -> Command,
) -> Result<(Sample, Sample)> {
    let mut samples = (Sample::default(), Sample::default());
    run(&mut first())?;
    run(&mut second())?;
    for _ in 0..runs {
        samples.0.push(run(&mut first())?);
        samples.1.push(run(&mut second())?);
    }
    Ok(samples)
}

/// The pinned tools, without xprov in front of them.
struct Tools {
    bin: PathBuf,
    compositions: PathBuf,
}

impl Tools {
    fn of(scratch: &Scratch) -> Result<Self> {
        let project = scratch.dir.join("tiny");
        let mut env = xprov(&scratch.home(), &project);
        let output = env.args(["env", "--target", TARGET, "--format", "json"]).output()?;
        let variables: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let path = variables["PATH"].as_str().ok_or("xprov env says no PATH")?;
        let bin = std::env::split_paths(path).next().ok_or("the PATH is empty")?;
        Ok(Self { bin, compositions: scratch.home().join("v1/compositions") })
    }

    /// The compiler of the target, whose real name ends with its version.
    fn compiler(&self) -> Result<PathBuf> {
        let dir = self.composed("-cc-aarch64-linux-gnu", "usr/bin")?;
        let named = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let version = name.strip_prefix("aarch64-linux-gnu-gcc-");
            version.is_some_and(|version| version.parse::<u32>().is_ok())
        };
        let files = std::fs::read_dir(dir)?.filter_map(|entry| Some(entry.ok()?.path()));
        Ok(files.into_iter().find(named).ok_or("no compiler is composed")?)
    }

    /// A file in the composition whose name ends so.
    fn composed(&self, suffix: &str, path: &str) -> Result<PathBuf> {
        for entry in std::fs::read_dir(&self.compositions)? {
            let dir = entry?.path();
            if dir.to_string_lossy().ends_with(suffix) && dir.join(path).exists() {
                return Ok(dir.join(path));
            }
        }
        Err(format!("no composition has {path}").into())
    }

    /// The pinned cargo and rustc, with the user's settings and little else.
    fn plain_cargo(&self, project: &Path) -> Command {
        let tool =
            |name: &str| self.composed("-rust", &format!("usr/bin/{name}")).unwrap_or_default();
        let mut command = Command::new(tool("cargo"));
        command.env_clear().current_dir(project);
        for name in ["HOME", "CARGO_HOME"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("PATH", &self.bin).env("RUSTC", tool("rustc"));
        command.env(
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
            self.bin.join("aarch64-linux-gnu-gcc"),
        );
        command.env("CARGO_TARGET_DIR", project.join("plain"));
        command
    }
}
