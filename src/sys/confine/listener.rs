//! The supervisor's end of a supervised process: what it asks, what is answered, and its memory.
//! Knows nothing of what is allowed.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::calls::{self, Call};
use super::memory::Memory;

// linux/seccomp.h, computed as its macros do.
const RECEIVE: libc::Ioctl = libc::SECCOMP_IOCTL_NOTIF_RECV;
const SEND: libc::Ioctl = libc::SECCOMP_IOCTL_NOTIF_SEND;
const IS_VALID: libc::Ioctl = 0x4008_2102;
const SET_FLAGS: libc::Ioctl = 0x4008_2104;
/// The supervisor runs on the processor of who asks, which waits anyway. Linux 6.6.
const SYNC_WAKE_UP: u64 = 1;

/// A path is no longer.
const LONGEST_PATH: usize = 4096;

/// A process that was told to ask, before it does.
#[derive(Debug)]
pub struct Pending(pub(super) OwnedFd);

/// The questions of a process and its children.
#[derive(Debug)]
pub struct Listener(OwnedFd);

/// One question. Who asked waits for [`Listener::answer`].
#[derive(Debug)]
pub struct Request {
    id: u64,
    /// The thread that asks.
    pub tid: u32,
    /// What it asks for.
    pub call: Call,
    memory: Memory,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The kernel does what was asked.
    Continue,
    /// The call fails: there is nothing of that name.
    Missing,
    /// The call fails: it is forbidden.
    Denied,
    /// The call succeeds without having done anything.
    Done,
}

impl Pending {
    /// Waits for the process. `None`: it runs unsupervised, since the kernel refused it (a
    /// supervisor above, a container), or it did not start. To be called in a thread of its own:
    /// a process asks before its program starts.
    pub fn listener(self) -> Option<Listener> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let flags = RecvFlags::CMSG_CLOEXEC;
        recvmsg(&self.0, &mut [IoSliceMut::new(&mut byte)], &mut control, flags).ok()?;
        let fd = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        })?;
        let listener = Listener(fd);
        // An older kernel does not know the flag and is only slower.
        let _ = listener.set_flags(SYNC_WAKE_UP);
        Some(listener)
    }
}

impl Listener {
    /// The next question. When nobody is left to ask, an older kernel waits for ever, and a newer
    /// one (6.11) makes it an error.
    pub fn next(&self) -> io::Result<Request> {
        loop {
            let error = match self.receive() {
                Ok(notification) => return Ok(Request::new(&notification)),
                Err(error) => error,
            };
            // Who asked was killed meanwhile, or all were.
            let again = matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR));
            let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
            poll(&mut fds, Some(&Timespec::default()))?;
            if !again || fds[0].revents().contains(PollFlags::HUP) {
                return Err(error);
            }
        }
    }

    #[expect(unsafe_code, reason = "the kernel answers through a structure")]
    fn receive(&self) -> io::Result<libc::seccomp_notif> {
        // SAFETY: the structure has only numbers, and the kernel wants it zeroed.
        let mut notification: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: the descriptor is a listener, and the structure is the one of this request.
        let done = unsafe { libc::ioctl(self.0.as_raw_fd(), RECEIVE, &raw mut notification) };
        if done == 0 { Ok(notification) } else { Err(io::Error::last_os_error()) }
    }

    /// Answers. Who asked may have been killed meanwhile: that is no error.
    #[expect(unsafe_code, reason = "the kernel takes the answer from a structure")]
    pub fn answer(&self, request: &Request, answer: Answer) {
        let mut response = libc::seccomp_notif_resp { id: request.id, val: 0, error: 0, flags: 0 };
        match answer {
            Answer::Continue => response.flags = 1,
            Answer::Missing => response.error = -libc::ENOENT,
            Answer::Denied => response.error = -libc::EACCES,
            Answer::Done => {}
        }
        // SAFETY: the descriptor is a listener, and the structure is the one of this request.
        unsafe { libc::ioctl(self.0.as_raw_fd(), SEND, &raw mut response) };
    }

    /// Whether who asked still waits: else its number may be another process's by now, and what
    /// was read of it another's memory.
    #[expect(unsafe_code, reason = "the kernel reads a number at an address")]
    pub fn waits(&self, request: &Request) -> bool {
        // SAFETY: the descriptor is a listener; the kernel reads the eight bytes of the number.
        0 == unsafe { libc::ioctl(self.0.as_raw_fd(), IS_VALID, &raw const request.id) }
    }

    #[expect(unsafe_code, reason = "the kernel takes a number as an argument")]
    fn set_flags(&self, flags: u64) -> io::Result<()> {
        // SAFETY: the descriptor is a listener; no memory is passed.
        let done = unsafe { libc::ioctl(self.0.as_raw_fd(), SET_FLAGS, flags) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

impl Request {
    fn new(notification: &libc::seccomp_notif) -> Self {
        let tid = notification.pid;
        let memory = Memory(tid);
        let flags_at = |address| memory.number(address).ok();
        let number = libc::c_long::from(notification.data.nr);
        let call = calls::decode(number, &notification.data.args, flags_at);
        Self { id: notification.id, tid, call, memory }
    }

    /// The text at the address, up to its zero byte. `None`: there is none, and the kernel will
    /// say so itself.
    pub fn text(&self, address: u64) -> Option<Vec<u8>> {
        let mut bytes = vec![0; LONGEST_PATH];
        let read = self.memory.read(&mut bytes, address).ok()?;
        bytes.truncate(read);
        bytes.truncate(bytes.iter().position(|byte| *byte == 0)?);
        Some(bytes)
    }

    /// The directory that a relative name is relative to.
    pub fn dir(&self, dir: Option<i32>) -> io::Result<PathBuf> {
        let tid = self.tid;
        match dir {
            None => std::fs::read_link(format!("/proc/{tid}/cwd")),
            Some(fd) => std::fs::read_link(format!("/proc/{tid}/fd/{fd}")),
        }
    }

    /// Has the calls of a process go on after the handler described at the address. A call that a
    /// supervisor is asked about can be interrupted, which looking for a file otherwise cannot, so
    /// that programs are not made for it: dash, one of whose children ends while it looks for a
    /// program, would go on with the next directory of `PATH`.
    pub fn restart_after(&self, address: u64) -> io::Result<()> {
        // The kernel's `struct sigaction` begins with the handler and its flags.
        let handler = self.memory.number(address)?;
        let flags = self.memory.number(address + 8)?;
        let restart = u64::from(libc::SA_RESTART.cast_unsigned());
        let is_function =
            ![libc::SIG_DFL, libc::SIG_IGN].map(|known| known as u64).contains(&handler);
        if is_function && flags & restart == 0 {
            self.memory.write(&(flags | restart).to_le_bytes(), address + 8)?;
        }
        Ok(())
    }

    /// Answers the question what machine this is: as the kernel would, but for the name.
    pub fn write_machine(&self, address: u64, name: &str) -> io::Result<()> {
        let uname = rustix::system::uname();
        let mut bytes = [0; 6 * FIELD];
        let fields = [
            uname.sysname().to_bytes(),
            name.as_bytes(),
            uname.release().to_bytes(),
            uname.version().to_bytes(),
            uname.machine().to_bytes(),
            b"(none)",
        ];
        for (place, field) in bytes.chunks_exact_mut(FIELD).zip(fields) {
            place[..field.len()].copy_from_slice(field);
        }
        self.memory.write(&bytes, address)
    }
}

/// The length of a field in the kernel's `struct new_utsname`.
const FIELD: usize = 65;
