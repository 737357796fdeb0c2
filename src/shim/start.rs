//! Starts what a shim stands for: in its own place, or as a child whose messages it reads.

use std::collections::VecDeque;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::config::{Kind, Tool};
use super::ledger::{self, Line};
use super::rewrite::Call;
use super::{CWD_VARIABLE, Denied, Error, Step, link, response};
use crate::sys::process::end_as;

/// How much of a linker's messages is kept to find symbols in, in bytes from the end.
const KEPT: usize = 1 << 20;

/// Linux's and macOS's number for "argument list too long".
const TOO_LONG: i32 = 7;

/// A call that is ready to be started.
pub struct Prepared {
    /// The tool.
    pub tool: Tool,
    /// What is started.
    pub call: Call,
    /// What the call does.
    pub step: Step,
    /// Why it may not happen.
    pub denied: Option<Denied>,
    /// What the ledger shall say; nothing for a probe.
    pub line: Option<Line>,
}

/// Starts the call; where `ledger` is given, it is noted there. `temp_dir` says where a file may be
/// made. Returns only if the call failed to start or ran as a child, then with its exit code.
pub fn start(
    prepared: Prepared,
    ledger: Option<&Path>,
    temp_dir: fn() -> PathBuf,
) -> Result<u8, Error> {
    let Prepared { tool, call, step, denied, line } = prepared;
    let ledger = ledger.zip(line);
    if let Some(denied) = denied {
        note(ledger);
        return Err(denied.into());
    }
    let mut command = command(&call, &tool);
    // A compiler colours what it writes to a terminal, and nobody but the user reads it there.
    if step == Step::Link && ledger.is_some() && !io::stderr().is_terminal() {
        return match command.stderr(Stdio::piped()).spawn() {
            Ok(child) => watch(child, ledger),
            Err(source) if source.raw_os_error() == Some(TOO_LONG) => {
                by_file(&call, &tool, ledger, &temp_dir())
            }
            Err(source) => Err(Error::Start { program: call.program, source }),
        };
    }
    note(ledger);
    let source = command.exec();
    match source.raw_os_error() {
        Some(TOO_LONG) if tool.kind == Kind::Compiler => by_file(&call, &tool, None, &temp_dir()),
        _ => Err(Error::Start { program: call.program, source }),
    }
}

fn command(call: &Call, tool: &Tool) -> Command {
    let mut command = Command::new(&call.program);
    command.args(&call.arguments);
    adapt(&mut command, call, tool);
    command
}

/// Any change copies the whole environment, so there is none without need.
fn adapt(command: &mut Command, call: &Call, tool: &Tool) {
    command.envs(&tool.set);
    if tool.kind == Kind::Runner {
        command.env_remove(CWD_VARIABLE);
    }
    if let Some(cwd) = &call.cwd {
        command.current_dir(cwd);
    }
}

/// The same call with its arguments in a file: what an `@file` had was too long for a command line.
fn by_file(
    call: &Call,
    tool: &Tool,
    ledger: Option<(&Path, Line)>,
    temp_dir: &Path,
) -> Result<u8, Error> {
    let failed = |source| Error::Start { program: call.program.clone(), source };
    let path = temp_dir.join(format!("xprov-{}.args", std::process::id()));
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(&response::text(&call.arguments)));
    let mut argument = std::ffi::OsString::from("@");
    argument.push(&path);
    let mut command = Command::new(&call.program);
    command.arg(argument).stderr(Stdio::piped());
    adapt(&mut command, call, tool);
    let ended = written
        .and_then(|()| command.spawn())
        .map_err(failed)
        .and_then(|child| watch(child, ledger));
    let _ = std::fs::remove_file(&path);
    ended
}

/// Passes the child's standard error on as it comes, and notes in the ledger which symbols it
/// misses. Ends as the child did.
fn watch(mut child: Child, ledger: Option<(&Path, Line)>) -> Result<u8, Error> {
    let mut kept: VecDeque<u8> = VecDeque::new();
    if let Some(mut messages) = child.stderr.take() {
        let mut buffer = [0; 8192];
        loop {
            match messages.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    // Who reads them may have gone; the child is to end by itself all the same.
                    let _ = io::stderr().write_all(&buffer[..length]);
                    kept.extend(&buffer[..length]);
                    kept.drain(..kept.len().saturating_sub(KEPT));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    }
    let status = child.wait().map_err(Error::Wait)?;
    if let Some((path, mut line)) = ledger {
        if !status.success() {
            line.undefined = link::undefined(&String::from_utf8_lossy(kept.make_contiguous()));
        }
        note(Some((path, line)));
    }
    Ok(end_as(status))
}

/// A ledger that cannot be written must not fail a build: it informs, and decides nothing.
fn note(ledger: Option<(&Path, Line)>) {
    if let Some((path, line)) = ledger {
        let _ = ledger::append(path, &line);
    }
}
