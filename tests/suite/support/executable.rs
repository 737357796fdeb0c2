//! Executable files, written by a process of its own: one that this process had open for writing
//! while another thread started something is busy for whoever starts it next (`ETXTBSY`).

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// A shell script of this text.
pub fn script(path: &Path, text: &str) {
    let text = format!("#!/bin/sh\n{text}\n");
    by_shell("printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"", [text.as_ref(), path.as_os_str()]);
}

/// The same program at another path, with the same bytes on disk where that is possible.
pub fn link(program: &Path, path: &Path) {
    let paths = [program.as_os_str(), path.as_os_str()];
    by_shell("ln \"$1\" \"$2\" 2>/dev/null || cp \"$1\" \"$2\"", paths);
}

/// A copy of a program.
pub fn copy(program: &Path, path: &Path) {
    by_shell("cp -- \"$1\" \"$2\"", [program.as_os_str(), path.as_os_str()]);
}

fn by_shell(command: &str, arguments: [&OsStr; 2]) {
    let status = Command::new("/bin/sh").args(["-c", command, "sh"]).args(arguments).status();
    assert!(status.expect("a shell").success(), "{arguments:?}");
}
