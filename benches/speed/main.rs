//! The figures of `docs/benchmarks.md`: run by `cargo bench --bench speed`, which prints the
//! table. Arguments (`build`, `cold`, `env`, `second`, `shim`,
//! `std`, `restore`) choose rows.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod cold;
mod derived;
mod machine;
mod restore;
mod sample;
mod scratch;
mod second;
mod server;
mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sample::{Sample, milliseconds};
use scratch::{Result, Scratch, TARGET, run, xprov};
use tools::Tools;

/// Where files are in memory, on Linux.
const MEMORY_DIR: &str = "/dev/shm";

/// A directory of this process there.
fn in_memory() -> PathBuf {
    Path::new(MEMORY_DIR).join(format!("xprov-speed-{}", std::process::id()))
}

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
    if wants("cold") {
        cold(&scratch)?;
    }
    if wants("env") {
        env(&scratch)?;
    }
    if wants("second") {
        second(&scratch)?;
    }
    if wants("std") {
        derived(&scratch)?;
    }
    if wants("shim") {
        shim(&scratch)?;
    }
    if wants("restore") {
        for (place, dir) in [("disk", scratch.dir.join("restore")), ("memory", in_memory())] {
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

/// The row of what the second costs over the first, as a part of it.
fn part(what: &str, base: &Sample, with: &Sample, target: &str) {
    let more =
        |with: Duration, base: Duration| (with.as_secs_f64() / base.as_secs_f64() - 1.0) * 100.0;
    let median = more(with.median(), base.median());
    let fastest = more(with.fastest(), base.fastest());
    println!("| {what} | {median:+.1} % | {fastest:+.1} % | | | {target} |");
}

/// Builds of everything, into directories that are not there.
fn cold(scratch: &Scratch) -> Result<()> {
    let dir = in_memory();
    std::fs::create_dir_all(&dir)?;
    let measured = cold::measure(scratch, &dir, 7);
    std::fs::remove_dir_all(&dir)?;
    let (cargo, xprov) = measured?;
    row("`cargo build`, everything, harbor", &cargo, "");
    row("`xprov build`, everything, harbor", &xprov, "");
    part("xprov over cargo, everything", &cargo, &xprov, "below 3 %");
    Ok(())
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

/// Another project with the same pins, on a machine that has them.
fn second(scratch: &Scratch) -> Result<()> {
    let dir = in_memory();
    std::fs::create_dir_all(&dir)?;
    let measured = second::measure(scratch, &dir, 20);
    std::fs::remove_dir_all(&dir)?;
    let figures = measured?;
    row("`cargo metadata --no-deps` of a new project", &figures.metadata, "");
    row("`xprov env` of a new project with known pins", &figures.env, "below 50 ms");
    println!("| connections of all these, and of a build | {} | | | | 0 |", figures.connections);
    Ok(())
}

/// The standard library of a musl target, built by xprov and by cargo alone.
fn derived(scratch: &Scratch) -> Result<()> {
    let dir = in_memory();
    std::fs::create_dir_all(&dir)?;
    let measured = derived::measure(scratch, &dir, 3);
    std::fs::remove_dir_all(&dir)?;
    let (cargo, xprov) = measured?;
    row("`cargo build -Zbuild-std`, x86_64 musl", &cargo, "");
    row("`xprov restore` deriving the same", &xprov, "");
    part("xprov over cargo, std", &cargo, &xprov, "at most 30 %");
    Ok(())
}

fn shim(scratch: &Scratch) -> Result<()> {
    let tools = Tools::of(scratch)?;
    // As in a build: cargo says for which crate the call is, and the call is written down.
    let ledger = scratch.dir.join("ledger.jsonl");
    std::fs::write(&ledger, "")?;
    let call = |program: PathBuf| {
        let ledger = ledger.clone();
        move || {
            let mut command = Command::new(&program);
            command.arg("--version").env_clear().env("XPROV_LEDGER", &ledger);
            command.env("CARGO_PKG_NAME", "speed").env("CARGO_PKG_VERSION", "0.1.0");
            command
        }
    };
    let mut real = call(tools.compiler()?);
    let mut shim = call(tools.bin.join("aarch64-linux-gnu-gcc"));
    let (real, shim) = in_turn(500, &mut real, &mut shim)?;
    row("`aarch64-linux-gnu-gcc --version`", &real, "");
    row("the same through the shim, with a ledger", &shim, "");
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
