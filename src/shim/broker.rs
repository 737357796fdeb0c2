//! Compilers for build scripts: a supervised process asks its supervisor to start a compiler,
//! which then runs beside the supervised processes and not below them, so that nobody is asked
//! about the headers that it opens. It is confined all the same.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};

use crate::sys::confine::Confinement;
use crate::sys::{process, socket};

/// The variable with the name of the supervisor's socket.
pub const BROKER_VARIABLE: &str = "XPROV_BROKER";

/// A process to be started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// All of its variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// Where it starts.
    pub cwd: PathBuf,
    /// The bits that its files are made without.
    pub umask: u32,
}

impl Job {
    /// Each text with its length before it; a number before the arguments says how many they are.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut put = |text: &[u8]| {
            bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend(text);
        };
        put(self.program.as_os_str().as_bytes());
        put(self.cwd.as_os_str().as_bytes());
        put(&self.umask.to_le_bytes());
        put(&u32::try_from(self.arguments.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.arguments.iter().for_each(|argument| put(argument.as_bytes()));
        for (name, value) in &self.variables {
            put(name.as_bytes());
            put(value.as_bytes());
        }
        bytes
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        fn number(bytes: &[u8]) -> Option<u32> {
            Some(u32::from_le_bytes(bytes.try_into().ok()?))
        }
        let mut texts = Vec::new();
        while let Some((length, rest)) = bytes.split_at_checked(4) {
            let (text, rest) = rest.split_at_checked(usize::try_from(number(length)?).ok()?)?;
            texts.push(OsString::from_vec(text.to_vec()));
            bytes = rest;
        }
        let mut texts = texts.into_iter();
        let program = texts.next()?.into();
        let cwd = texts.next()?.into();
        let umask = number(texts.next()?.as_bytes())?;
        let count = usize::try_from(number(texts.next()?.as_bytes())?).ok()?;
        let arguments: Vec<OsString> = texts.by_ref().take(count).collect();
        let mut variables = BTreeMap::new();
        while let Some(name) = texts.next() {
            variables.insert(name, texts.next()?);
        }
        let whole = bytes.is_empty() && arguments.len() == count;
        whole.then_some(Self { program, arguments, variables, cwd, umask })
    }
}

/// What is answered where the job could not be started; no status of a process.
const NOT_STARTED: i32 = -1;

/// The status of a process that was killed.
const KILLED: i32 = 9;

/// A job that the supervisor was given.
pub struct Given(UnixStream);

/// Has the supervisor run the job with this process's standard files, the last of them replaced
/// where `stderr` is there. An error means that nothing was started.
pub fn give(name: &OsStr, job: &Job, stderr: Option<BorrowedFd<'_>>) -> io::Result<Given> {
    let mut stream = UnixStream::connect_addr(&SocketAddr::from_abstract_name(name.as_bytes())?)?;
    socket::send_with_standard_files(&mut stream, &job.to_bytes(), stderr)?;
    Ok(Given(stream))
}

impl Given {
    /// Waits for the job's end. An error means that nothing was started. Where the supervisor
    /// ends, so did the job.
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        let mut status = [0; 4];
        let status = self.0.read_exact(&mut status).map(|()| i32::from_le_bytes(status));
        match status {
            Ok(NOT_STARTED) => Err(io::ErrorKind::NotFound.into()),
            Ok(status) => Ok(ExitStatus::from_raw(status)),
            Err(_) => Ok(ExitStatus::from_raw(KILLED)),
        }
    }
}

/// A supervisor's socket.
#[derive(Debug)]
pub struct Broker {
    listener: UnixListener,
    /// Its name, for [`BROKER_VARIABLE`].
    pub name: OsString,
}

impl Broker {
    /// A socket in the kernel's own name space: no file is left behind.
    pub fn bind() -> io::Result<Self> {
        let mut tries = 0;
        loop {
            let name = format!("xprov-{}-{tries}", std::process::id());
            match UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?) {
                Ok(listener) => return Ok(Self { listener, name: name.into() }),
                // Another process of that number, seen from another container.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < 100 => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Starts what this user's processes ask for, each in a thread of its own, until this process
    /// ends. What confines them is made for the first: most ask for none.
    pub fn serve(self, confine: impl Fn() -> io::Result<Confinement>) {
        let mut made: Option<Confinement> = None;
        for stream in self.listener.incoming() {
            let Ok(mut stream) = stream else { break };
            if !socket::is_own(&stream) {
                continue;
            }
            let confinement = match &made {
                Some(confinement) => confinement.clone(),
                None => match confine() {
                    Ok(confinement) => made.insert(confinement).clone(),
                    Err(_) => break,
                },
            };
            let work = move || answer(&mut stream, &confinement);
            // Without a thread the connection ends, as if the compiler had been killed.
            let _ = std::thread::Builder::new().spawn(work);
        }
    }
}

/// Runs one job, and says how it ended.
fn answer(stream: &mut UnixStream, confinement: &Confinement) -> io::Result<()> {
    let (message, files) = socket::receive_with_standard_files(stream)?;
    let job = Job::from_bytes(&message).ok_or(io::ErrorKind::InvalidData)?;
    let status = match start(&job, files, confinement) {
        Ok(mut child) => wait(stream, &mut child)?.into_raw(),
        Err(_) => NOT_STARTED,
    };
    stream.write_all(&status.to_le_bytes())
}

/// Starts a job. The command goes, for it holds files whose end somebody may wait for.
fn start(
    job: &Job,
    [stdin, stdout, stderr]: [OwnedFd; socket::STANDARD_FILES],
    confinement: &Confinement,
) -> io::Result<Child> {
    let mut command = confinement.child_with_umask(&job.program, job.umask);
    command.args(&job.arguments).env_clear().envs(&job.variables).current_dir(&job.cwd);
    command.stdin(Stdio::from(stdin)).stdout(Stdio::from(stdout)).stderr(Stdio::from(stderr));
    command.spawn()
}

/// Waits for the compiler, and ends it when nobody waits for it any more.
fn wait(stream: &UnixStream, child: &mut Child) -> io::Result<ExitStatus> {
    if socket::hangs_up_before_end(stream, child.id()).unwrap_or(false) {
        process::terminate(child.id());
    }
    child.wait()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_read_as_it_was_written() {
        let job = Job {
            program: "/env/bin/gcc".into(),
            arguments: vec!["-c".into(), "".into(), OsString::from_vec(vec![0xff, b'=', b'a'])],
            variables: [("A".into(), "b=c".into()), ("E".into(), "".into())].into(),
            cwd: "/w".into(),
            umask: 0o22,
        };
        let bytes = job.to_bytes();
        assert_eq!(Job::from_bytes(&bytes), Some(job));
        for cut in 0..bytes.len() {
            let read = Job::from_bytes(&bytes[..cut]);
            assert!(read.is_none_or(|read| read.variables.len() < 2), "{cut}");
        }
    }
}
