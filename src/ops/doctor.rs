//! `doctor`: what on this machine would have leaked into a plain `cargo build`, where it stands and
//! what to do about it. Reads only: no network, no lock, nothing restored, nothing started.

mod configs;
mod cpu;
mod earlier;
mod machine;
mod profiles;
mod toolchains;
mod variables;

use std::fs;
use std::path::{Path, PathBuf};

use super::at::At;
use super::context::Context;
use super::error::Error;
use super::project::Project;
use super::user::Homes;
use crate::vocab::triple::{RustTriple, TargetRequest};

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoctorOutcome {
    /// The project's root; `None` outside of any, where only the machine is looked at.
    pub project: Option<PathBuf>,
    /// The findings, by area.
    pub leaks: Vec<Leak>,
}

impl DoctorOutcome {
    /// Whether there is nothing but what every machine has.
    pub fn is_clean(&self) -> bool {
        self.leaks.iter().all(|leak| leak.weight == Weight::Note)
    }
}

/// A fact of this machine that a plain build would use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// What sort of fact.
    pub area: Area,
    /// Whether it counts.
    pub weight: Weight,
    /// The fact: `CFLAGS=-O3`, `build.rustflags = …`.
    pub what: String,
    /// Where it stands; nowhere in a file, for some.
    pub places: Vec<At>,
    /// What it would do to a plain build, as a phrase.
    pub effect: String,
    /// What becomes of it in a build of xprov's.
    pub guard: Guard,
    /// What to do.
    pub help: String,
}

impl Leak {
    /// A fact that counts, and that no build sees.
    fn new(area: Area, what: impl Into<String>, places: Vec<At>) -> Self {
        Self {
            area,
            weight: Weight::Leak,
            what: what.into(),
            places,
            effect: String::new(),
            guard: Guard::Prevented,
            help: String::new(),
        }
    }

    /// The same, where it does not count.
    fn note(area: Area, what: impl Into<String>, places: Vec<At>) -> Self {
        Self { weight: Weight::Note, ..Self::new(area, what, places) }
    }
}

/// Sorts of facts, in the order of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// Variables of this process.
    Variables,
    /// Files that a shell reads when it starts.
    Profiles,
    /// Configuration of cargo.
    Configuration,
    /// What rustup would choose.
    Toolchains,
    /// Programs and libraries of the machine.
    Machine,
    /// What earlier builds left.
    EarlierBuilds,
}

impl Area {
    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Variables => "variables",
            Self::Profiles => "profiles",
            Self::Configuration => "configuration",
            Self::Toolchains => "toolchains",
            Self::Machine => "machine",
            Self::EarlierBuilds => "earlier-builds",
        }
    }
}

/// Whether a finding makes the answer "no".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It does: this machine builds otherwise than another.
    Leak,
    /// It does not: every machine has such things, or somebody chose it for the project.
    Note,
}

/// What becomes of a fact in a build of xprov's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// No build sees it.
    Prevented,
    /// Builds leave it out and say so.
    Reported,
    /// Nothing is built while it is there.
    Refused,
    /// It reaches builds, because the settings say so, and is part of env-id.
    Chosen,
    /// Nothing stops it here.
    Open,
}

impl Guard {
    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prevented => "prevented",
            Self::Reported => "reported",
            Self::Refused => "refused",
            Self::Chosen => "chosen",
            Self::Open => "open",
        }
    }
}

/// What the parts of the examination look at.
struct Patient<'a> {
    context: &'a Context<'a>,
    project: Option<&'a Project>,
    /// Only what concerns this target, if one was named.
    target: Option<&'a RustTriple>,
    home: Option<PathBuf>,
    /// The directory that the machine's own files are below: `/`.
    root: &'a Path,
}

/// Looks at the user's environment, files and machine, and at the project if there is one.
pub fn doctor(
    context: &Context<'_>,
    manifest: Option<&str>,
    target: Option<&str>,
) -> Result<DoctorOutcome, Error> {
    let project = match Project::find(context.ambient, manifest) {
        Ok(project) => Some(project),
        Err(Error::NoProject { .. }) => None,
        Err(error) => return Err(error),
    };
    let target: Option<TargetRequest> = target.map(str::parse).transpose()?;
    let patient = Patient {
        context,
        project: project.as_ref(),
        target: target.as_ref().map(|target| &target.triple),
        home: Homes::of(context.ambient).home().map(PathBuf::from),
        root: Path::new("/"),
    };
    let mut leaks = variables::leaks(&patient);
    leaks.extend(configs::leaks(&patient)?);
    leaks.extend(toolchains::leaks(&patient)?);
    leaks.extend(earlier::leaks(&patient));
    leaks.extend(machine::leaks(&patient));
    leaks.sort_by_key(|leak| leak.area);
    Ok(DoctorOutcome { project: project.map(|project| project.root), leaks })
}

/// What is in a directory, sorted; nothing where it cannot be read.
fn below(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// A value as one short line.
fn short(value: &str) -> String {
    let line = value.replace('\u{1f}', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(70) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
