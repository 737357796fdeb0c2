//! The supervisor's end of a supervised process: what it asks, what is answered, and its memory.
//! Knows nothing of what is allowed.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketFlags, SocketType,
    recvmsg, socket_with,
};

use super::calls::{self, Call};
use super::memory::Memory;
use super::sockets::{self, Message, OnSocket};

// linux/seccomp.h, computed as its macros do.
const RECEIVE: libc::Ioctl = libc::SECCOMP_IOCTL_NOTIF_RECV;
const SEND: libc::Ioctl = libc::SECCOMP_IOCTL_NOTIF_SEND;
const IS_VALID: libc::Ioctl = 0x4008_2102;
const SET_FLAGS: libc::Ioctl = 0x4008_2104;
const ADD_FD: libc::Ioctl = 0x4018_2103;
/// The descriptor is the answer. Linux 5.14.
const ADD_FD_SEND: u32 = 2;
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
    /// Where the arguments of a program are that it asks to run.
    arguments: Option<u64>,
}

/// `struct seccomp_notif_addfd` of linux/seccomp.h.
#[repr(C)]
struct AddFd {
    id: u64,
    flags: u32,
    srcfd: u32,
    newfd: u32,
    newfd_flags: u32,
}

/// The longest command line that is read, in words.
const MOST_WORDS: u64 = 64;

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

    /// Answers the call `socket` with one that leads nowhere: a Unix socket without an address, so
    /// that nothing which the process does with it reaches a network. Its number, by which calls on
    /// it are recognised, is known to `before` before the process goes on.
    #[expect(unsafe_code, reason = "the kernel takes the descriptor from a structure")]
    pub fn stand_in(
        &self,
        request: &Request,
        kind: i32,
        before: impl FnOnce(u64),
    ) -> io::Result<()> {
        let flags = |known: i32| kind & known == known;
        let mut ours = SocketFlags::CLOEXEC;
        ours.set(SocketFlags::NONBLOCK, flags(libc::SOCK_NONBLOCK));
        let sort = match kind & 0xf {
            libc::SOCK_STREAM => SocketType::STREAM,
            libc::SOCK_DGRAM => SocketType::DGRAM,
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        let socket = socket_with(AddressFamily::UNIX, sort, ours, None)?;
        before(rustix::fs::fstat(&socket)?.st_ino);
        let add = AddFd {
            id: request.id,
            flags: ADD_FD_SEND,
            srcfd: socket.as_raw_fd().cast_unsigned(),
            newfd: 0,
            newfd_flags: if flags(libc::SOCK_CLOEXEC) {
                libc::O_CLOEXEC.cast_unsigned()
            } else {
                0
            },
        };
        // SAFETY: the descriptor is a listener, and the structure is the one of this request.
        let done = unsafe { libc::ioctl(self.0.as_raw_fd(), ADD_FD, &raw const add) };
        if done >= 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
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
        let arguments = match number {
            libc::SYS_execve => Some(notification.data.args[1]),
            libc::SYS_execveat => Some(notification.data.args[2]),
            _ => None,
        };
        Self { id: notification.id, tid, call, memory, arguments }
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

    /// The number of the socket of this descriptor, by which the kernel tells sockets apart.
    pub fn socket(&self, fd: i32) -> Option<u64> {
        let link = std::fs::read_link(format!("/proc/{}/fd/{fd}", self.tid)).ok()?;
        link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    }

    fn bytes(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        let read = self.memory.read(&mut bytes, address).ok()?;
        bytes.truncate(read);
        Some(bytes)
    }

    /// The network address that the call names; `None` for that of another family.
    pub fn address(&self, call: OnSocket) -> Option<SocketAddr> {
        let (OnSocket::Connect(at) | OnSocket::Bind(at)) = call else { return None };
        sockets::address(at, &|address, length| self.bytes(address, length))
    }

    /// The messages that the call sends.
    pub fn messages(&self, call: OnSocket) -> Vec<Message> {
        sockets::messages(call, &|address, length| self.bytes(address, length))
    }

    /// The words of the command that the process asks to run, the first of them its name.
    pub fn command_line(&self) -> Vec<Vec<u8>> {
        let Some(list) = self.arguments else { return Vec::new() };
        let word = |index: u64| {
            let at = self.memory.number(list.checked_add(index * 8)?).ok()?;
            (at != 0).then(|| self.text(at)).flatten()
        };
        (0..MOST_WORDS).map_while(word).collect()
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
