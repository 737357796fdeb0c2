//! What a build made: learned from cargo's messages, verified once, and remembered until it
//! changes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::environment::Environment;
use super::error::Error;
use super::ground::Ground;
use super::verify::{self, Against, Ceilings, VerifyOutcome};
use crate::hermetic::messages::{self, Line};
use crate::sys::fs::{
    Describe as _, FsError, create_dir, link_or_copy, read_optional, write_atomic,
};
use crate::sys::process::{exit_code, machine_name, with_output};
use crate::vocab::event::Event;

/// Which rules a file was held to: another text where they change.
const RULES: &str = "xprov/verify/v2";

/// Which files passed, as they were then.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Passed(BTreeMap<PathBuf, Seen>);

/// What tells a file from a later one of the same name, and the ceiling it was held to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    size: u64,
    seconds: i64,
    nanoseconds: i64,
    inode: u64,
    max_glibc: Option<(u32, u32)>,
    /// Absent from what an xprov with fewer rules wrote, which is then looked at again.
    rules: String,
}

/// Verifies the files that were not verified as they are now, or all of them where the context
/// asks for complete reports.
pub fn verify(
    context: &Context<'_>,
    environment: &Environment,
    files: &[PathBuf],
) -> Result<Vec<VerifyOutcome>, Error> {
    // Nothing is known yet about what static libraries promise.
    let is_library = |file: &&PathBuf| file.extension().is_some_and(|extension| extension == "a");
    let files: Vec<&PathBuf> = files.iter().filter(|file| !is_library(file)).collect();
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let note = environment.plan.build_dir.join("verified.json");
    let before: Passed = read_optional(&note)?
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let mut passed = Passed(before.0.clone());
    let workspace = environment.workspace.as_path();
    let project = [(workspace, "the workspace"), (&environment.target_dir, "the target directory")];
    let (roots, host) = (verify::build_roots(context, &project), machine_name());
    let mut outcomes = Vec::new();
    for &file in &files {
        let seen = seen(file, environment)?;
        if before.0.get(file) == Some(&seen) && !context.complete_reports {
            continue;
        }
        let shown = context.ambient.shown(file);
        let against = Against {
            target: Some(&environment.target),
            ceilings: Ceilings { glibc: environment.max_glibc, macos: environment.max_macos() },
            libraries: &environment.libraries,
            library_dirs: &|_| environment.library_dirs.clone(),
            roots: &roots,
            host: host.as_deref(),
            settings: &environment.verify,
        };
        let outcome = verify::one(file, shown, &against)?;
        if outcome.passed() {
            passed.0.insert(file.clone(), seen);
        }
        outcomes.push(outcome);
    }
    // Of an exception that a file needs which did not change, nothing is known.
    if outcomes.len() == files.len() {
        verify::report_stale(context, &environment.verify, &outcomes);
    }
    if passed != before {
        passed.0.retain(|path, _| path.exists());
        let bytes = serde_json::to_vec(&passed).unwrap_or_default();
        write_atomic(&note, &bytes)?;
    }
    if outcomes.is_empty() {
        let count = files.len();
        let subject =
            format!("{count} unchanged {}", if count == 1 { "binary" } else { "binaries" });
        context.observer.event(Event::Step { verb: "Verified", subject });
    }
    Ok(outcomes)
}

fn seen(file: &Path, environment: &Environment) -> Result<Seen, FsError> {
    let metadata = fs::metadata(file).describe("read", file)?;
    Ok(Seen {
        size: metadata.size(),
        seconds: metadata.mtime(),
        nanoseconds: metadata.mtime_nsec(),
        inode: metadata.ino(),
        max_glibc: environment.max_glibc,
        rules: format!("{RULES} {:?}", environment.verify),
    })
}

/// Makes `to` the same file as `from`, whatever was there.
fn link_over(from: &Path, to: &Path) -> Result<(), FsError> {
    let same = |a: &fs::Metadata, b: &fs::Metadata| a.dev() == b.dev() && a.ino() == b.ino();
    if let (Ok(from), Ok(to)) = (fs::metadata(from), fs::metadata(to))
        && same(&from, &to)
    {
        return Ok(());
    }
    create_dir(to.parent().unwrap_or(Path::new("/")))?;
    let new = to.with_extension("xprov-new");
    let _ = fs::remove_file(&new);
    link_or_copy(from, &new)?;
    fs::rename(&new, to).describe("replace", to)
}

/// Runs cargo and learns from its messages which binaries it made.
pub fn reading_messages(
    context: &Context<'_>,
    mut command: Command,
    ground: &Ground,
    environment: &Environment,
) -> Result<(u8, Vec<PathBuf>), Error> {
    let dirs = [environment.plan.build_dir.as_path(), &environment.target_dir];
    let spawn_error = |source| {
        let program = ground.tools.rust.cargo.display().to_string();
        Error::Spawn { program, source }
    };
    let (status, output) =
        with_output(&mut command, &environment.plan.build_dir).map_err(spawn_error)?;
    let mut files = Vec::new();
    // By bytes: a child that prints no text must not lose its reader.
    for line in output.split_inclusive(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
        match messages::parse(&line) {
            Line::Artifact(artifact) => {
                files.extend(artifact.outputs(&dirs).into_iter().map(Path::to_path_buf));
            }
            // What is no message of cargo's is somebody's data.
            Line::Text => context.observer.child_output(&line),
            Line::Finished { .. } | Line::Other => {}
        }
    }
    files.sort();
    files.dedup();
    Ok((exit_code(status), files))
}

/// Before cargo had a build directory of its own, binaries come out beside the intermediate files:
/// links put them where users expect them.
pub fn bring_home(files: Vec<PathBuf>, environment: &Environment) -> Result<Vec<PathBuf>, Error> {
    let mut home = Vec::new();
    for file in files {
        let place =
            messages::expected_place(&file, &environment.plan.build_dir, &environment.target_dir);
        let Some(place) = place else {
            home.push(file);
            continue;
        };
        link_over(&file, &place)?;
        home.push(place);
    }
    Ok(home)
}
