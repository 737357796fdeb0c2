//! Build scripts, confined. In the place of each stands a small file that makes the kernel start
//! this program, which starts the build script from beside it and answers for it.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use super::Error;
use super::access::Access;
use super::ledger::{self, Line, Notice, NoticeKind};
use crate::sys::confine::Confinement;
use crate::sys::process;
use crate::vocab::sandbox::{Mode, Roots};

/// The tool that stands before build scripts.
pub const TOOL: &str = "xprov-build-script";

/// What the name of the real program ends with.
const REAL: &str = ".real";

/// Where cargo says that the libraries of a build are. A loader looks for each library of each
/// program in each of these directories first, and below a supervisor every look is a question.
const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

/// The longest first line that Linux reads, in bytes and without its end.
const LONGEST_LINE: usize = 255;

/// What a shim that confines knows of its surroundings.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The environment's directory.
    pub env_dir: PathBuf,
    /// This program, which shims are links to.
    pub program: Option<PathBuf>,
    /// What the build allows; `None` where nobody said.
    pub roots: Option<Roots>,
    /// The socket of a supervisor: this process is confined already.
    pub broker: Option<OsString>,
    /// The ledger.
    pub ledger: Option<PathBuf>,
    /// The directory of the crate that this is for.
    pub package: Option<PathBuf>,
    /// Variables of this process that what it starts does not see.
    pub hidden: Vec<OsString>,
    /// Variables that a program which loads libraries sees.
    pub set: Vec<(String, String)>,
    /// What starts build scripts, where the machine has no loader for them.
    pub loader: Option<PathBuf>,
    /// The crate.
    pub krate: Option<String>,
    /// Its version.
    pub version: Option<String>,
}

impl Surroundings {
    /// What is to be confined to what, if anything.
    pub fn access(&self) -> Option<(Mode, Access)> {
        let roots = self.roots.clone().filter(|roots| roots.mode != Mode::Off);
        let roots = roots.filter(|_| self.broker.is_none())?;
        let more = self.package.iter().chain(&self.program).chain([&self.env_dir]);
        let more = more.map(PathBuf::as_path);
        Some((roots.mode, Access::new(roots, more)))
    }

    /// Whether build scripts are to start behind the shim: where it is not for the sandbox, then
    /// for the variables.
    pub fn stand_between(&self) -> bool {
        self.roots.is_some() && self.broker.is_none()
    }

    /// Takes the variables away that the program does not see, and sets those that it sees.
    pub fn hide(&self, command: &mut Command) {
        self.hidden.iter().for_each(|name| {
            command.env_remove(name);
        });
        command.envs(self.set.iter().map(|(name, value)| (name, value)));
    }

    /// Appends the notices. A ledger informs: that it cannot be written stops nothing.
    pub fn note(&self, tool: &str, notices: Vec<Notice>) {
        self.note_lacking(tool, notices, Vec::new());
    }

    /// The same, with the programs that a build script did not find before it failed.
    pub fn note_lacking(&self, tool: &str, notices: Vec<Notice>, lacked: Vec<String>) {
        let (krate, version) = (self.krate.clone(), self.version.clone());
        let line = Line { tool: tool.into(), krate, version, notices, lacked, ..Line::default() };
        if let Some(path) = &self.ledger {
            let _ = ledger::append(path, &line);
        }
    }
}

/// Puts the small file in place of a build script that rustc made. The file begins with the name
/// of the program beside it, so that a directory may be moved, and cargo may link or copy the file
/// to where only the whole path leads. A program that `loads` no library of the build does not
/// get their directories, nor does what it starts.
pub fn stand_before(program: &Path, env_dir: &Path, loads: bool) -> io::Result<Option<Notice>> {
    let mut name = program.file_name().unwrap_or_default().to_owned();
    name.push(REAL);
    let real = program.with_file_name(&name);
    let mut text = b"#!".to_vec();
    text.extend(env_dir.join("bin").join(TOOL).as_os_str().as_bytes());
    if text.len() > LONGEST_LINE || text[2..].iter().any(u8::is_ascii_whitespace) {
        return Ok(Some(Notice {
            kind: NoticeKind::Seen,
            what: "run a build script outside of the sandbox".to_owned(),
            became: None,
            why: format!("the path of the environment is longer than {LONGEST_LINE} bytes"),
            allow: None,
        }));
    }
    let whole = std::path::absolute(&real)?;
    let hidden = if loads { "" } else { LIBRARY_PATH };
    for line in [name.as_bytes(), whole.as_os_str().as_bytes(), hidden.as_bytes(), b""] {
        text.push(b'\n');
        text.extend(line);
    }
    let time = std::fs::metadata(program)?.modified()?;
    let mut file = tempfile_beside(program)?;
    file.1.write_all(&text)?;
    file.1.set_permissions(std::fs::Permissions::from_mode(0o755))?;
    file.1.set_modified(time)?;
    drop(file.1);
    std::fs::rename(program, &real)?;
    std::fs::rename(&file.0, program)?;
    Ok(None)
}

fn tempfile_beside(program: &Path) -> io::Result<(PathBuf, std::fs::File)> {
    let mut name = program.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let path = program.with_file_name(name);
    let file = std::fs::File::create(&path)?;
    Ok((path, file))
}

/// The program that the small file stands before, and the variable that it does not see.
fn real(script: &Path) -> io::Result<(PathBuf, Option<OsString>)> {
    let text = std::fs::read(script)?;
    let mut lines = text.split(|byte| *byte == b'\n').skip(1);
    let mut next = || lines.next().map(|line| OsString::from_vec(line.to_vec()));
    let (beside, whole) = next().zip(next()).ok_or(io::ErrorKind::InvalidData)?;
    let beside = script.with_file_name(beside);
    let program = if beside.is_file() { beside } else { whole.into() };
    Ok((program, next().filter(|name| !name.is_empty())))
}

/// Runs the build script that `arguments` begin with, as the kernel gives them to the interpreter
/// of a script. The exit code is the build script's; a signal that ends it ends this process.
pub fn run(mut around: Surroundings, arguments: &[OsString]) -> Result<u8, Error> {
    let Some((script, arguments)) = arguments.split_first() else {
        return Err(Error::NothingToStart { tool: TOOL.to_owned() });
    };
    let script = Path::new(script);
    let failed = |program: &Path, source| Error::Start { program: program.to_path_buf(), source };
    let (program, hidden) = real(script).map_err(|source| failed(script, source))?;
    // Who does not see the variable that says where libraries are has them from the option.
    let unseen = if hidden.is_some() { std::mem::take(&mut around.set) } else { Vec::new() };
    let libraries = unseen.iter().find(|(name, _)| name == LIBRARY_PATH);
    let through = around.loader.take().map(|loader| {
        let dirs = libraries.map(|(_, dirs)| dirs.as_str());
        let words = words_for(dirs, script, &program, arguments);
        (loader, words)
    });
    around.hidden.extend(hidden);
    let (program, arguments) = match &through {
        Some((loader, words)) => (loader.clone(), words.as_slice()),
        None => (program, arguments),
    };
    let Some((mode, access)) = around.access() else {
        let mut command = Confinement::none().command(&program);
        around.hide(&mut command);
        let source = command.arg0(script).args(arguments).exec();
        return Err(failed(&program, source));
    };
    let job = Start { program: &program, script: script.as_os_str(), arguments };
    let status = start(&around, mode, access, &job).map_err(|source| failed(&program, source))?;
    process::die_alike(status);
    Ok(process::exit_code(status))
}

/// What a loader is told, to start a program under the name `script` with the libraries in
/// `dirs`.
fn words_for(
    dirs: Option<&str>,
    script: &Path,
    program: &Path,
    arguments: &[OsString],
) -> Vec<OsString> {
    let libraries = dirs.map(|dirs| [OsStr::new("--library-path"), OsStr::new(dirs)]);
    let libraries = libraries.into_iter().flatten();
    let own = [OsStr::new("--argv0"), script.as_os_str(), program.as_os_str()];
    libraries.chain(own).map(OsStr::to_owned).chain(arguments.iter().cloned()).collect()
}

/// What is started.
struct Start<'a> {
    program: &'a Path,
    script: &'a OsStr,
    arguments: &'a [OsString],
}

#[cfg(target_os = "linux")]
fn start(
    around: &Surroundings,
    mode: Mode,
    access: Access,
    job: &Start<'_>,
) -> io::Result<ExitStatus> {
    let prepare = |command: &mut Command| {
        command.arg0(job.script).args(job.arguments);
        around.hide(command);
    };
    let watch = crate::sys::confine::Watch::Names;
    let bin = Some(around.env_dir.join("bin"));
    let ended = super::supervisor::run(mode, access, watch, bin, job.program, prepare)?;
    // Most look for more than they need; of one that fails it may be the reason.
    let lacked = if ended.status.success() { Vec::new() } else { ended.lacked };
    around.note_lacking("build-script", ended.notices, lacked);
    Ok(ended.status)
}

#[cfg(not(target_os = "linux"))]
fn start(
    around: &Surroundings,
    mode: Mode,
    access: Access,
    job: &Start<'_>,
) -> io::Result<ExitStatus> {
    let mut command = match mode {
        Mode::On => Confinement::new(&access.rules(false))?.child(job.program),
        Mode::Off | Mode::Report => {
            let mut command = Confinement::none().child(job.program);
            command.arg0(job.script);
            command
        }
    };
    around.hide(&mut command);
    command.args(job.arguments).status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loader_is_told_the_name_the_program_and_where_libraries_are() {
        let words = |dirs| {
            let paths = ["/t/build-script-build", "/t/real"].map(Path::new);
            let words = words_for(dirs, paths[0], paths[1], &["x".into()]);
            words.join(OsStr::new(" ")).into_string().expect("UTF-8")
        };
        assert_eq!(words(None), "--argv0 /t/build-script-build /t/real x");
        assert_eq!(
            words(Some("/c:/g")),
            "--library-path /c:/g --argv0 /t/build-script-build /t/real x"
        );
    }
}
