//! Child processes whose exit code becomes ours.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};

/// The code that a shell would report: the child's own, or 128 plus the signal that ended it.
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code & 0xff).unwrap_or(1)
}

/// A command for `program` with an environment that starts empty.
pub fn hermetic_command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command
}
