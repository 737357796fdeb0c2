//! Starts what a shim stands for: in its own place, or as a child whose messages it reads.

use std::collections::{BTreeMap, VecDeque};
#[cfg(target_os = "linux")]
use std::ffi::OsStr;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Read, Write as _};
#[cfg(target_os = "linux")]
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use super::build_script::Surroundings;
use super::config::{Kind, Tool};
use super::ledger::{self, Line, Notice, Undefined};
use super::rewrite::Call;
use super::unit::{self, Unit};
use super::{CWD_VARIABLE, Denied, Error, Step, link, response};
use crate::sys::process;

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
    /// What a rustc compiles.
    pub unit: Unit,
    /// Why it may not happen.
    pub denied: Option<Denied>,
    /// What the ledger shall say; nothing for a probe that was left as it is.
    pub line: Option<Line>,
}

/// What is asked of the process only where it is needed.
pub struct Outside {
    /// The sandbox and the ledger.
    pub around: Surroundings,
    /// All variables.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "they are handed to a supervisor, which only Linux has")
    )]
    pub variables: fn() -> BTreeMap<OsString, OsString>,
    /// The current directory.
    pub cwd: fn() -> io::Result<PathBuf>,
    /// Where a file may be made.
    pub temp_dir: fn() -> PathBuf,
}

/// Starts the call, and notes it in the ledger where there is one. Returns only if the call failed
/// to start or ran beside this process, then with its exit code.
pub fn start(prepared: Prepared, outside: &Outside) -> Result<u8, Error> {
    let Prepared { tool, call, step, unit, denied, line } = prepared;
    let ledger = outside.around.ledger.as_deref().zip(line);
    if let Some(denied) = denied {
        note(ledger);
        return Err(denied.into());
    }
    // A compiler colours what it writes to a terminal, and nobody but the user reads it there.
    let reads = step == Step::Link && ledger.is_some() && !io::stderr().is_terminal();
    if let Some((status, undefined)) = by_broker(&tool, &call, outside, reads) {
        note(ledger.map(|(path, line)| (path, Line { undefined, ..line })));
        return Ok(end_as(status));
    }
    let failed = |source| Error::Start { program: call.program.clone(), source };
    // What stands in for rustc looks for files of its own in all directories above: clippy does,
    // and takes one that it may not read for an error.
    let stands_in = tool.kind == Kind::Wrapper && step == Step::Compile;
    if (unit.may_load_macros() || stands_in)
        && let Some(ended) = supervised(&call, &tool, &outside.around)
    {
        let (status, notices) = ended.map_err(failed)?;
        return finish(status, notices, &unit, ledger, outside).map_err(failed);
    }
    let mut command = command(&call, &tool, step, &outside.around).map_err(failed)?;
    if unit.is_of_the_build() {
        let status = command.status().map_err(failed)?;
        return finish(status, Vec::new(), &unit, ledger, outside).map_err(failed);
    }
    if reads {
        return match command.stderr(Stdio::piped()).spawn() {
            Ok(child) => watch(child, ledger),
            Err(source) if source.raw_os_error() == Some(TOO_LONG) => {
                by_file(&call, &tool, ledger, outside)
            }
            Err(source) => Err(failed(source)),
        };
    }
    note(ledger);
    let source = command.exec();
    match source.raw_os_error() {
        Some(TOO_LONG) if matches!(tool.kind, Kind::Compiler | Kind::Linker) => {
            by_file(&call, &tool, None, outside)
        }
        _ => Err(failed(source)),
    }
}

/// Runs a rustc whose proc-macros are answered for, or what stands in for it. `None`: nothing is
/// confined.
#[cfg(target_os = "linux")]
fn supervised(
    call: &Call,
    tool: &Tool,
    around: &Surroundings,
) -> Option<io::Result<(ExitStatus, Vec<Notice>)>> {
    use crate::sys::confine::Watch;
    let (mode, access) = around.access()?;
    let is_rustc = tool.kind == Kind::Rustc;
    let watch = if is_rustc { Watch::Opens } else { Watch::Names };
    let ended = super::supervisor::run(mode, access, watch, None, &call.program, |command| {
        command.args(&call.arguments);
        adapt(command, call, tool);
        around.hide(command);
    });
    Some(ended.map(|ended| (ended.status, ended.notices)))
}

/// Without Linux there is no supervisor.
#[cfg(not(target_os = "linux"))]
fn supervised(
    _call: &Call,
    _tool: &Tool,
    _around: &Surroundings,
) -> Option<io::Result<(ExitStatus, Vec<Notice>)>> {
    None
}

/// Ends as a rustc did. What it made of a build script or a proc-macro is looked at before.
fn finish(
    status: ExitStatus,
    mut notices: Vec<Notice>,
    unit: &Unit,
    ledger: Option<(&Path, Line)>,
    outside: &Outside,
) -> io::Result<u8> {
    if status.success() && unit.is_of_the_build() {
        notices.extend(unit.finish(&outside.around, &(outside.cwd)()?)?);
    }
    note(ledger.map(|(path, mut line)| {
        line.notices.extend(notices);
        (path, line)
    }));
    Ok(end_as(status))
}

/// Below a supervisor, compilers are started by it. What a linker misses is read where asked for.
#[cfg(target_os = "linux")]
fn by_broker(
    tool: &Tool,
    call: &Call,
    outside: &Outside,
    reads: bool,
) -> Option<(ExitStatus, Vec<Undefined>)> {
    use super::broker::{self, BROKER_VARIABLE, Job};
    let broker = outside.around.broker.as_ref();
    let broker =
        broker.filter(|_| matches!(tool.kind, Kind::Compiler | Kind::Linker | Kind::Rustc))?;
    let mut variables = (outside.variables)();
    variables.extend(tool.set.iter().map(|(name, value)| (name.into(), value.into())));
    variables.remove(OsStr::new(CWD_VARIABLE));
    variables.remove(OsStr::new(BROKER_VARIABLE));
    variables.retain(|name, _| !outside.around.hidden.contains(name));
    let job = Job {
        program: call.program.clone(),
        arguments: call.arguments.clone(),
        variables,
        cwd: (outside.cwd)().ok()?,
        umask: process::umask(),
    };
    if !reads {
        let status = broker::give(broker, &job, None).ok()?.wait().ok()?;
        return Some((status, Vec::new()));
    }
    let (messages, writer) = io::pipe().ok()?;
    let given = broker::give(broker, &job, Some(writer.as_fd())).ok()?;
    drop(writer);
    let text = passed_on(messages);
    let status = given.wait().ok()?;
    Some((status, missing(status, &text)))
}

/// Without Linux there is no supervisor.
#[cfg(not(target_os = "linux"))]
fn by_broker(
    _tool: &Tool,
    _call: &Call,
    _outside: &Outside,
    _reads: bool,
) -> Option<(ExitStatus, Vec<Undefined>)> {
    None
}

/// A rustc, or what stands in for it, is confined, and with it the proc-macros that it loads; what only answers loads none.
fn command(call: &Call, tool: &Tool, step: Step, around: &Surroundings) -> io::Result<Command> {
    let mut command = match tool.kind {
        Kind::Rustc | Kind::Wrapper if step != Step::Probe => unit::command(around, &call.program)?,
        _ => Command::new(&call.program),
    };
    command.args(&call.arguments);
    adapt(&mut command, call, tool);
    around.hide(&mut command);
    Ok(command)
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

/// Ends this process as the tool did.
fn end_as(status: ExitStatus) -> u8 {
    process::die_alike(status);
    process::exit_code(status)
}

/// The same call with its arguments in a file: what an `@file` had was too long for a command line.
fn by_file(
    call: &Call,
    tool: &Tool,
    ledger: Option<(&Path, Line)>,
    outside: &Outside,
) -> Result<u8, Error> {
    let failed = |source| Error::Start { program: call.program.clone(), source };
    let path = (outside.temp_dir)().join(format!("xprov-{}.args", std::process::id()));
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
    let text = if tool.zig.is_some() { response::quoted } else { response::text };
    // zig reads such a file behind the word that says which of its tools it is to be, only.
    let own = if tool.zig.is_some() { tool.before.len().min(call.arguments.len()) } else { 0 };
    let (first, rest) = call.arguments.split_at(own);
    let written = file.and_then(|mut file| file.write_all(&text(rest)));
    let mut argument = OsString::from("@");
    argument.push(&path);
    let mut command = Command::new(&call.program);
    command.args(first).arg(argument).stderr(Stdio::piped());
    adapt(&mut command, call, tool);
    let ended = written
        .and_then(|()| command.spawn())
        .map_err(failed)
        .and_then(|child| watch(child, ledger));
    let _ = std::fs::remove_file(&path);
    ended
}

/// Waits for the child, passes its standard error on, and notes in the ledger which symbols it
/// misses. Ends as the child did.
fn watch(mut child: Child, ledger: Option<(&Path, Line)>) -> Result<u8, Error> {
    let text = child.stderr.take().map(passed_on).unwrap_or_default();
    let status = child.wait().map_err(Error::Wait)?;
    note(ledger.map(|(path, line)| (path, Line { undefined: missing(status, &text), ..line })));
    Ok(end_as(status))
}

/// Passes messages on as they come, and returns the end of them.
fn passed_on(mut messages: impl Read) -> String {
    let mut kept: VecDeque<u8> = VecDeque::new();
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
    String::from_utf8_lossy(kept.make_contiguous()).into_owned()
}

/// The symbols that a link that failed says it misses.
fn missing(status: ExitStatus, text: &str) -> Vec<Undefined> {
    if status.success() { Vec::new() } else { link::undefined(text) }
}

/// A ledger that cannot be written must not fail a build: it informs, and decides nothing.
fn note(ledger: Option<(&Path, Line)>) {
    if let Some((path, line)) = ledger {
        let _ = ledger::append(path, &line);
    }
}
