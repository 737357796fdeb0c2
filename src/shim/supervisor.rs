//! Answers for a build script, or for a rustc with its proc-macros: which names exist for it. Asks [`Access`] what may be reached, and
//! notes what may not.

mod dns;
mod network;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};

use super::access::{Access, Verdict, normal};
use super::broker::{BROKER_VARIABLE, Broker};
use super::ledger::{Notice, NoticeKind};
use crate::sys::confine::{
    Answer, Call, Confinement, Listener, Name, Request, Watch, Wish, available,
};
use crate::sys::process;
use crate::vocab::sandbox::Mode;
use network::Network;

/// The machine's name, as a build sees it.
const MACHINE: &str = "localhost";

/// No process gets more notices.
const MOST: usize = 50;

/// What the supervisor knows.
struct Judge {
    mode: Mode,
    access: Access,
    notices: Mutex<BTreeSet<Notice>>,
    network: Mutex<Network>,
    /// The environment's directory of programs, where it matters what was not found there.
    bin: Option<PathBuf>,
    lacked: Mutex<BTreeSet<String>>,
}

/// How a supervised program ended.
pub(super) struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it was refused, or seen to do.
    pub notices: Vec<Notice>,
    /// The programs that it looked for in the environment and did not find.
    pub lacked: Vec<String>,
}

/// Runs the program, and says what it was refused and which programs it did not find in `bin`.
/// `prepare` gives the command its arguments.
pub(super) fn run(
    mode: Mode,
    access: Access,
    watch: Watch,
    bin: Option<PathBuf>,
    program: &Path,
    prepare: impl FnOnce(&mut Command),
) -> io::Result<Ended> {
    let supervised = available().supervision;
    let confine = move |access: &Access, supervised| match mode {
        Mode::On => Confinement::new(&access.rules(supervised)),
        Mode::Off | Mode::Report => Ok(Confinement::none()),
    };
    let confinement = confine(&access, supervised)?;
    let judge = Arc::new(Judge {
        mode,
        access,
        notices: Mutex::default(),
        network: Mutex::default(),
        bin,
        lacked: Mutex::default(),
    });
    process::adopt_orphans();
    let (mut command, pending) = confinement.supervised(program, watch)?;
    let judging = Arc::clone(&judge);
    std::thread::Builder::new().spawn(move || {
        if let Some(listener) = pending.listener() {
            judging.serve(&listener);
        }
    })?;
    prepare(&mut command);
    if let Ok(broker) = Broker::bind() {
        command.env(BROKER_VARIABLE, &broker.name);
        let judge = Arc::clone(&judge);
        // Nobody looks after compilers.
        let serve = move || broker.serve(|| confine(&judge.access, false));
        std::thread::Builder::new().spawn(serve)?;
    }
    let mut child = command.spawn()?;
    drop(command);
    let status = child.wait()?;
    judge.unaddressed();
    let notices = std::mem::take(&mut *judge.notices()).into_iter().collect();
    let lacked = std::mem::take(&mut *judge.lacked()).into_iter().collect();
    Ok(Ended { status, notices, lacked })
}

impl Judge {
    fn notices(&self) -> std::sync::MutexGuard<'_, BTreeSet<Notice>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lacked(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.lacked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a program that was looked for in the environment and is not there.
    fn remember_lacking(&self, wish: Wish, path: &Path) {
        let in_bin = self.bin.is_some() && path.parent() == self.bin.as_deref();
        if in_bin && matches!(wish, Wish::Look | Wish::Run) && path.symlink_metadata().is_err() {
            let mut lacked = self.lacked();
            if let Some(name) = path.file_name().and_then(OsStr::to_str)
                && lacked.len() < MOST
            {
                lacked.insert(name.to_owned());
            }
        }
    }

    /// Answers until nobody is left to ask.
    fn serve(&self, listener: &Listener) {
        while let Ok(request) = listener.next() {
            let answer = match request.call {
                Call::Names(first, second) => {
                    let first = self.name(listener, &request, first);
                    let second = second.map(|second| self.name(listener, &request, second));
                    [Some(first), second].into_iter().flatten().find(|a| *a != Answer::Continue)
                }
                Call::Socket(family, kind) => match self.socket(listener, &request, family, kind) {
                    Some(answer) => Some(answer),
                    None => continue,
                },
                Call::OnSocket(fd, call) => self.on_socket(&request, fd, call),
                Call::Machine(address) => Some(self.machine(listener, &request, address)),
                Call::ChildHandler(address) => {
                    if listener.waits(&request) {
                        // What cannot be read there the kernel refuses itself.
                        let _ = request.restart_after(address);
                    }
                    None
                }
                Call::Other => None,
            };
            listener.answer(&request, answer.unwrap_or(Answer::Continue));
        }
    }

    fn name(&self, listener: &Listener, request: &Request, name: Name) -> Answer {
        // No text, or an empty one: the kernel says what is wrong, or it is about an open file.
        let Some(text) = request.text(name.address).filter(|text| !text.is_empty()) else {
            return Answer::Continue;
        };
        let Some(path) = absolute(request, name.dir, Path::new(OsStr::from_bytes(&text))) else {
            return Answer::Continue;
        };
        if name.wish == Wish::Run {
            self.download(request, &path);
        }
        self.path(listener, request, name.wish, &path)
    }

    fn path(&self, listener: &Listener, request: &Request, wish: Wish, path: &Path) -> Answer {
        let mut verdict = self.access.verdict(wish, path, request.tid);
        if verdict == Verdict::Refused && !path.starts_with("/proc") {
            // Another way to a place that may be reached. Only now, for it is slow.
            let real = real(path);
            verdict = real.map_or(verdict, |real| self.access.verdict(wish, &real, request.tid));
        }
        if verdict == Verdict::Granted || verdict == Verdict::Noted {
            self.remember_lacking(wish, path);
            if verdict == Verdict::Noted {
                let why = "make and scripts have the path of this machine's shell built in";
                self.note(NoticeKind::Seen, format!("run {}", path.display()), why, None);
            }
            let interpreter = (wish == Wish::Run).then(|| interpreter(path)).flatten();
            return match interpreter {
                Some(interpreter) => self.path(listener, request, wish, &interpreter),
                None => Answer::Continue,
            };
        }
        let writing = matches!(wish, Wish::Write | Wish::MakeDir);
        let there = writing || path.symlink_metadata().is_ok();
        let told = verdict == Verdict::Refused && there && !self.is_cargo(request.tid);
        if told && listener.waits(request) {
            let (verb, key) = match wish {
                Wish::Look | Wish::Read => ("read", "read"),
                Wish::Run => ("run", "read"),
                Wish::Write | Wish::MakeDir => ("write", "write"),
            };
            let why = if writing {
                "it is none of the directories that a build may write"
            } else {
                "it is this machine's, and another would build something else"
            };
            let allow = format!("sandbox.{key} = [{:?}]", path.to_string_lossy());
            self.note(self.kind(), format!("{verb} {}", path.display()), why, Some(allow));
        }
        self.refusal(if writing { Answer::Denied } else { Answer::Missing })
    }

    /// Whether it is cargo that asks, which build scripts start for `cargo metadata`: it looks for
    /// its configuration and certificates and keeps books, and does without.
    fn is_cargo(&self, tid: u32) -> bool {
        let program = std::fs::read_link(format!("/proc/{tid}/exe")).unwrap_or_default();
        program.ends_with("cargo")
            && self.access.verdict(Wish::Run, &program, tid) == Verdict::Granted
    }

    fn machine(&self, listener: &Listener, request: &Request, address: u64) -> Answer {
        let pretend = self.mode == Mode::On && listener.waits(request);
        if pretend && request.write_machine(address, MACHINE).is_ok() {
            return Answer::Done;
        }
        Answer::Continue
    }

    fn kind(&self) -> NoticeKind {
        if self.mode == Mode::On { NoticeKind::Refused } else { NoticeKind::Seen }
    }

    fn refusal(&self, answer: Answer) -> Answer {
        if self.mode == Mode::On { answer } else { Answer::Continue }
    }

    fn note(&self, kind: NoticeKind, what: String, why: &str, allow: Option<String>) {
        let mut notices = self.notices();
        if notices.len() < MOST {
            notices.insert(Notice { kind, what, became: None, why: why.to_owned(), allow });
        }
    }
}

/// The path from the root, without `.` and `..`. `None`: what it is relative to is gone.
fn absolute(request: &Request, dir: Option<i32>, path: &Path) -> Option<PathBuf> {
    if path.is_absolute() {
        return Some(normal(path));
    }
    let dir = request.dir(dir).ok()?;
    Some(normal(&dir.join(path)))
}

/// Where the path leads; what does not exist yet leads to where its directory does.
fn real(path: &Path) -> Option<PathBuf> {
    let by_dir = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(by_dir)
}

/// The program that runs a script, which the kernel opens without being asked about.
fn interpreter(path: &Path) -> Option<PathBuf> {
    let mut head = Vec::new();
    std::fs::File::open(path).ok()?.take(256).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let name = line.trim_ascii().split(u8::is_ascii_whitespace).next()?;
    let interpreter = Path::new(OsStr::from_bytes(name));
    interpreter.is_absolute().then(|| normal(interpreter))
}
