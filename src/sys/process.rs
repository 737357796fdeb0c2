//! Child processes whose exit code becomes ours.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};

use rustix::process::{Signal, getpid, kill_process};

/// The code that a shell would report: the child's own, or 128 plus the signal that ended it.
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code & 0xff).unwrap_or(1)
}

/// Ends this process by the signal that ended a child. Where none did, it returns: [`exit_code`].
pub fn end_as(status: ExitStatus) -> u8 {
    if let Some(signal) = status.signal().and_then(Signal::from_named_raw) {
        // Rust's runtime gives the first of some signals back to the kernel, for the next.
        for _ in 0..2 {
            let _ = kill_process(getpid(), signal);
        }
    }
    exit_code(status)
}

/// A command for `program` with an environment that starts empty.
pub fn hermetic_command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command
}
