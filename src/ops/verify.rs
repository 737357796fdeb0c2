//! `verify`: facts of binaries compared with what their target promises.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::context::Context;
use super::error::Error;
use super::sysroot_packages::{self, Library};
use crate::inspect::elf::Machine;
use crate::inspect::{self, Facts, Finding, Policy, Verdict};
use crate::settings::GlibcVersion;
use crate::sys::fs::Describe as _;
use crate::vocab::triple::{RustTriple, TargetRequest};

/// What to verify.
#[derive(Debug, Clone, Default)]
pub struct VerifyRequest {
    /// The files.
    pub files: Vec<PathBuf>,
    /// The target that they must be for; `None`: the one that each file's header names.
    pub target: Option<String>,
    /// The newest glibc that they may need, `2.31`.
    pub max_glibc: Option<String>,
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
    let mut outcomes = Vec::new();
    for file in &request.files {
        let path = context.ambient.absolute(file);
        match one(&path, file, triple.as_ref(), ceilings, &libraries) {
            Ok(outcome) => outcomes.push(outcome),
            Err(error) => return Ok((outcomes, Some(error))),
        }
    }
    Ok((outcomes, None))
}

/// Verifies one file; `shown` is how the outcome calls it. `libraries` are those that the locked
/// packages bring: a program may need them.
pub fn one(
    path: &Path,
    shown: &Path,
    target: Option<&RustTriple>,
    ceilings: Ceilings,
    libraries: &[Library],
) -> Result<VerifyOutcome, Error> {
    let inspect_error = |source| Error::Inspect { path: shown.to_path_buf(), source };
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = shown.display().to_string();
            return Err(Error::NotFound { what: "file", name, known: Vec::new() });
        }
        result => result.describe("read", shown)?,
    };
    let facts = inspect::facts(&bytes).map_err(inspect_error)?;
    let target = match target {
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
        .with_max_glibc(ceilings.glibc)
        .with_max_macos(ceilings.macos)
        .with_provided(sysroot_packages::provided(libraries, &target));
    let findings = inspect::check(&facts, &policy);
    Ok(VerifyOutcome { file: shown.to_path_buf(), target, facts, findings })
}

/// The target that a file's header speaks for: what it needs tells glibc from musl.
fn guess(facts: &Facts) -> Option<RustTriple> {
    let elf = match facts {
        Facts::Elf(elf) => elf,
        Facts::MachO(file) => return format!("{}-apple-darwin", file.arch).parse().ok(),
    };
    let glibc = elf.interpreter.as_deref().is_some_and(|path| path.contains("ld-linux"))
        || elf.needed.iter().any(|library| library == "libc.so.6");
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
