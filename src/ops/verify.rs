//! `verify`: facts of binaries compared with what their target promises.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::binary_files;
use super::context::Context;
use super::error::Error;
use super::exceptions::{self, Exceptions};
use super::project::Project;
use super::sysroot_packages::{self, Library};
use super::target_libraries;
use crate::inspect::elf::Machine;
use crate::inspect::policy::BuildRoot;
use crate::inspect::{self, Facts, Finding, Policy, Verdict};
use crate::settings::{GlibcVersion, VerifySettings};
use crate::sys::fs::Describe as _;
use crate::sys::process::machine_name;
use crate::vocab::event::Event;
use crate::vocab::triple::{RustTriple, TargetRequest};

/// What to verify.
#[derive(Debug, Clone, Default)]
pub struct VerifyRequest {
    /// The files; of directories, the binaries in them and below.
    pub files: Vec<PathBuf>,
    /// The target that they must be for; `None`: the one that each file's header names.
    pub target: Option<String>,
    /// The newest glibc that they may need, `2.31`.
    pub max_glibc: Option<String>,
    /// A directory with the target's libraries, as a compiler's `--sysroot` is.
    pub sysroot: Option<PathBuf>,
}

/// What files are held to.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// The target; `None`: the one that the file's header names.
    pub target: Option<&'a RustTriple>,
    /// The newest systems that it may need.
    pub ceilings: Ceilings,
    /// The libraries that the locked packages bring: a program may need them.
    pub libraries: &'a [Library],
    /// Where the libraries of the target's toolchain are, for a target.
    pub library_dirs: &'a dyn Fn(&RustTriple) -> Vec<PathBuf>,
    /// Where things are on this machine.
    pub roots: &'a [BuildRoot],
    /// What this machine is called.
    pub host: Option<&'a str>,
    /// What the project says of findings.
    pub settings: &'a VerifySettings,
}

/// The newest systems that a file may need, as (major, minor); `None` allows any.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ceilings {
    /// On Linux.
    pub glibc: Option<(u32, u32)>,
    /// On macOS.
    pub macos: Option<(u32, u32)>,
}

/// What was found in one file.
#[derive(Debug, Clone)]
pub struct VerifyOutcome {
    /// The file.
    pub file: PathBuf,
    /// The target it was compared with.
    pub target: RustTriple,
    /// What it is.
    pub facts: Facts,
    /// One finding for each rule.
    pub findings: Vec<Finding>,
    /// Which exceptions of the settings concerned it.
    pub exceptions: Exceptions,
}

impl VerifyOutcome {
    /// Whether no rule was broken.
    pub fn passed(&self) -> bool {
        self.findings.iter().all(|finding| finding.verdict != Verdict::Fail)
    }
}

/// Verifies files by themselves, in order, up to the first that cannot be: the outcomes until then
/// are not lost.
pub fn verify(
    context: &Context<'_>,
    request: &VerifyRequest,
) -> Result<(Vec<VerifyOutcome>, Option<Error>), Error> {
    let target: Option<TargetRequest> = request.target.as_deref().map(str::parse).transpose()?;
    let glibc = match &request.max_glibc {
        Some(text) => {
            let version = GlibcVersion::try_from(text.clone()).map_err(|message| Error::Usage {
                message,
                help: "say for example --max-glibc 2.31".to_owned(),
            })?;
            Some((version.0, version.1))
        }
        None => target.as_ref().and_then(|target| target.glibc),
    };
    let ceilings = Ceilings { glibc, macos: None };
    let triple = target.map(|target| target.triple);
    let libraries = sysroot_packages::locked_libraries(context)?;
    let settings = match Project::find(context.ambient, None) {
        Ok(project) => project.settings.verify,
        Err(Error::NoProject { .. }) => VerifySettings::default(),
        Err(error) => return Err(error),
    };
    let sysroot = request.sysroot.as_ref().map(|dir| context.ambient.absolute(dir));
    if let Some(sysroot) = sysroot.as_ref().filter(|dir| !dir.is_dir()) {
        let name = sysroot.display().to_string();
        return Err(Error::NotFound { what: "directory", name, known: Vec::new() });
    }
    let against = Against {
        target: triple.as_ref(),
        ceilings,
        libraries: &libraries,
        library_dirs: &|target| {
            sysroot.as_deref().map(|dir| target_libraries::dirs(dir, target)).unwrap_or_default()
        },
        roots: &[],
        host: None,
        settings: &settings,
    };
    let roots = build_roots(context, &[]);
    let host = machine_name();
    let against = Against { roots: &roots, host: host.as_deref(), ..against };
    let mut outcomes = Vec::new();
    let mut files = Vec::new();
    for file in &request.files {
        let path = context.ambient.absolute(file);
        if !path.is_dir() {
            files.push(file.clone());
            continue;
        }
        let below = binary_files::below(&path)?;
        if below.is_empty() {
            return Err(Error::Usage {
                message: format!("there is no program or shared library in `{}`", file.display()),
                help: "name the directory that they are in, or the files".to_owned(),
            });
        }
        files.extend(below.iter().map(|path| context.ambient.shown(path).to_path_buf()));
    }
    for file in &files {
        match one(&context.ambient.absolute(file), file, &against) {
            Ok(outcome) => outcomes.push(outcome),
            Err(error) => return Ok((outcomes, Some(error))),
        }
    }
    report_stale(context, &settings, &outcomes);
    Ok((outcomes, None))
}

/// Says which exceptions none of the files needs that they name.
pub fn report_stale(context: &Context<'_>, settings: &VerifySettings, outcomes: &[VerifyOutcome]) {
    let concerned = outcomes.iter().map(|outcome| &outcome.exceptions);
    for text in exceptions::stale(settings, concerned) {
        context.observer.event(Event::Note(text));
    }
}

/// Directories of this machine that no binary should name, beside those of `project`: path, and
/// what it is.
pub fn build_roots(context: &Context<'_>, project: &[(&Path, &'static str)]) -> Vec<BuildRoot> {
    let store = context.store.layout().root().to_path_buf();
    let (cargo_home, home) = (context.dirs.cargo_home(), context.ambient.home());
    let variable = context.ambient.var("CARGO_HOME").map(PathBuf::from);
    let own = [
        (Some(store), "the store"),
        (Some(cargo_home), "the folder of cargo"),
        (variable, "the folder of cargo"),
        (home, "the home directory"),
    ];
    let own = own.iter().filter_map(|(path, what)| Some((path.as_deref()?, *what)));
    let root = |(path, what): (&Path, &'static str)| {
        // Of `/` and its like nothing follows.
        let is_place = path.is_absolute() && path.components().count() > 1;
        is_place.then(|| BuildRoot { path: path.to_string_lossy().into_owned(), what })
    };
    project.iter().copied().chain(own).filter_map(root).collect()
}

/// Verifies one file; `shown` is how the outcome calls it.
pub fn one(path: &Path, shown: &Path, against: &Against<'_>) -> Result<VerifyOutcome, Error> {
    let inspect_error = |source| Error::Inspect { path: shown.to_path_buf(), source };
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = shown.display().to_string();
            return Err(Error::NotFound { what: "file", name, known: Vec::new() });
        }
        result => result.describe("read", shown)?,
    };
    let facts = inspect::facts(&bytes).map_err(inspect_error)?;
    let target = match against.target {
        Some(target) => target.clone(),
        None => guess(&facts).ok_or_else(|| Error::Usage {
            message: format!("`{}` is for a machine without rules", shown.display()),
            help: "name its target with --target TRIPLE".to_owned(),
        })?,
    };
    let policy = Policy::of(&target)
        .map_err(|error| Error::Usage {
            message: error.to_string(),
            help: "targets with rules are those of Linux and macOS".to_owned(),
        })?
        .with_max_glibc(against.ceilings.glibc)
        .with_max_macos(against.ceilings.macos)
        .with_provided(sysroot_packages::provided(against.libraries, &target));
    let mut policy = policy.with_build(against.roots.to_vec(), against.host.map(str::to_owned));
    if let Facts::Elf(elf) = &facts {
        let dirs = (against.library_dirs)(&target);
        policy = policy
            .with_runtimes(target_libraries::runtimes(&dirs, elf))
            .with_libraries(target_libraries::needed(&dirs, elf));
    }
    let mut findings = inspect::check(&facts, &policy);
    findings.extend(inspect::check_bytes(&bytes, &facts, &policy));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let exceptions = exceptions::apply(against.settings, &name, &target, &mut findings);
    Ok(VerifyOutcome { file: shown.to_path_buf(), target, facts, findings, exceptions })
}

/// The target that a file's header speaks for: what it needs tells glibc from musl.
fn guess(facts: &Facts) -> Option<RustTriple> {
    let elf = match facts {
        Facts::Elf(elf) => elf,
        Facts::MachO(file) => return format!("{}-apple-darwin", file.arch).parse().ok(),
    };
    let glibc = elf.interpreter.as_deref().is_some_and(|path| path.contains("ld-linux"))
        || elf.needed.iter().any(|library| library == "libc.so.6")
        // A library that wants only mathematics needs libm.so.6 and nothing else.
        || elf.version_needs.iter().any(|need| need.version.starts_with("GLIBC_"));
    let arch = match elf.machine {
        Machine::X86_64 => "x86_64-unknown-linux",
        Machine::AARCH64 => "aarch64-unknown-linux",
        Machine::X86 => "i686-unknown-linux",
        Machine::ARM => {
            let abi = if glibc { "gnueabihf" } else { "musleabihf" };
            return format!("armv7-unknown-linux-{abi}").parse().ok();
        }
        _ => return None,
    };
    format!("{arch}-{}", if glibc { "gnu" } else { "musl" }).parse().ok()
}
