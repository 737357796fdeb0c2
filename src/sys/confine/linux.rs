//! Commands that start confined: what happens between fork and exec. Knows no rules.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use libc::sock_filter;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
    sendmsg, socketpair,
};
use rustix::process::{Signal, set_parent_process_death_signal};

use super::{Pending, Rules, Watch, filter, landlock};

/// What confines, made once for any number of processes.
#[derive(Debug, Clone, Default)]
pub struct Confinement {
    ruleset: Option<Arc<OwnedFd>>,
    filter: Option<Arc<[sock_filter]>>,
    network: bool,
}

impl Confinement {
    /// Refuses what the rules do not name, as far as this kernel can.
    pub fn new(rules: &Rules) -> io::Result<Self> {
        Ok(Self {
            ruleset: landlock::ruleset(rules)?.map(Arc::new),
            filter: Some(filter::unsupervised(rules.network).into()),
            network: rules.network,
        })
    }

    /// Refuses nothing by itself: for a supervisor that only looks.
    pub fn none() -> Self {
        Self::default()
    }

    /// A command that is confined when it starts, or when it replaces this process.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let confinement = self.clone();
        before_exec(&mut command, move || {
            confinement.restrict()?;
            match &confinement.filter {
                Some(program) => filter::install(program),
                None => Ok(()),
            }
        });
        command
    }

    /// The same, for a child that shall not outlive the thread that starts it.
    pub fn child(&self, program: &Path) -> Command {
        let mut command = self.command(program);
        before_exec(&mut command, || Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
        command
    }

    /// The same, with the bits that its files are made without.
    pub fn child_with_umask(&self, program: &Path, umask: u32) -> Command {
        let mut command = self.child(program);
        before_exec(&mut command, move || {
            rustix::process::umask(rustix::fs::Mode::from_bits_truncate(umask));
            Ok(())
        });
        command
    }

    /// A child that asks before it does what is watched. Its program starts only when somebody answers:
    /// [`Pending::listener`] has to wait in another thread before the command is spawned.
    pub fn supervised(&self, program: &Path, watch: Watch) -> io::Result<(Command, Pending)> {
        let kind = SocketType::STREAM;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
        let mut command = Command::new(program);
        let confinement = self.clone();
        let supervised = filter::supervised(watch, self.network);
        before_exec(&mut command, move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            confinement.restrict()?;
            if let Ok(listener) = filter::install_with_listener(&supervised) {
                return send(&theirs, &[listener.as_fd()]);
            }
            if let Some(program) = &confinement.filter {
                filter::install(program)?;
            }
            send(&theirs, &[])
        });
        Ok((command, Pending(ours)))
    }

    /// May be called between fork and exec.
    fn restrict(&self) -> io::Result<()> {
        rustix::thread::set_no_new_privs(true)?;
        self.ruleset.as_ref().map_or(Ok(()), |ruleset| landlock::restrict(ruleset.as_fd()))
    }
}

/// Adds what the child does before its program starts.
#[expect(unsafe_code, reason = "a forked process may do few things, and the compiler cannot tell")]
fn before_exec(
    command: &mut Command,
    step: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) {
    // SAFETY: all steps of this module only make system calls: they take no lock and no memory.
    unsafe { command.pre_exec(step) };
}

/// Sends one byte and the descriptors. May be called between fork and exec.
fn send(socket: &OwnedFd, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(fds));
    }
    sendmsg(socket, &[IoSlice::new(&[1])], &mut control, SendFlags::empty())?;
    Ok(())
}
