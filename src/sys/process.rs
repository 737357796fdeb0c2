//! Child processes whose exit code becomes ours.

use std::io::{self, Read as _, Seek as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus};

/// The code that a shell would report: the child's own, or 128 plus the signal that ended it.
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code & 0xff).unwrap_or(1)
}

/// What this machine is called, where that is text.
pub fn machine_name() -> Option<String> {
    rustix::system::uname().nodename().to_str().ok().map(str::to_owned)
}

/// A command for `program` with an environment that starts empty.
pub fn hermetic_command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command
}

/// Ends this process by the signal that ended another one, so that whoever waits for it sees the
/// same. Returns where the other ended by itself, or the signal does not end this process.
pub fn die_alike(status: ExitStatus) {
    let signal = status.signal().and_then(rustix::process::Signal::from_named_raw);
    if let Some(signal) = signal {
        let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
    }
}

/// Ends another process, as whoever ends a compiler does: it can still remove what it half wrote.
pub fn terminate(process: u32) {
    let pid = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

/// The bits that files of this process are made without. There is no way to only ask.
#[cfg(target_os = "linux")]
pub fn umask() -> u32 {
    let mask = rustix::process::umask(rustix::fs::Mode::empty());
    rustix::process::umask(mask);
    mask.bits()
}

/// Orphans among what this process started become its children, and so stay its descendants.
#[cfg(target_os = "linux")]
pub fn adopt_orphans() {
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// A command for `program` with the environment of this process.
pub fn inheriting_command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

/// Runs the command, and returns what it wrote to standard output. It writes to a nameless file in
/// `dir`: a pipe would wake this process for each of hundreds of lines, while the command waits for
/// a processor.
pub fn with_output(command: &mut Command, dir: &Path) -> io::Result<(ExitStatus, Vec<u8>)> {
    let mut file = tempfile::tempfile_in(dir)?;
    let status = command.stdout(file.try_clone()?).status()?;
    let mut output = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut output)?;
    Ok((status, output))
}

/// Makes this process the command; comes back only where that cannot be. For a shell, which
/// shares the terminal, its signals and its exit code with nobody then.
pub fn become_command(command: &mut Command) -> io::Error {
    command.exec()
}
