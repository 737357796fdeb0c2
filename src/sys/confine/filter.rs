//! The programs that the kernel runs at each system call of a confined process (seccomp): few
//! calls are refused, some are shown to the supervisor, all others pass untouched.

use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};

use libc::{c_long, c_ulong, sock_filter};

use super::calls::{self, Watch};
use super::sockets;

// linux/audit.h: the processor with its byte order and word size.
#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;

// Offsets in `struct seccomp_data`; the machines that xprov knows are little-endian.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

const LOAD: u16 = 0x20;
const EQUALS: u16 = 0x15;
#[cfg(target_arch = "x86_64")]
const AT_LEAST: u16 = 0x35;
const HAS_BITS: u16 = 0x45;
const RETURN: u16 = 0x06;

/// `SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV` of linux/seccomp.h.
const WAIT_KILLABLE: c_ulong = 1 << 5;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const NOTIFY: u32 = libc::SECCOMP_RET_USER_NOTIF;

fn statement(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

/// Goes on with the next statement where the test holds, else passes over `skip` statements.
fn unless(code: u16, k: u32, skip: u8) -> sock_filter {
    sock_filter { code, jt: 0, jf: skip, k }
}

fn refuse(errno: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | errno.cast_unsigned()
}

fn number(call: c_long) -> u32 {
    u32::try_from(call).unwrap_or(u32::MAX)
}

/// What all filters begin with. Calls of another architecture (32-bit programs on a 64-bit
/// machine, x32) do not exist: their numbers would mean something else. Nor does `io_uring`,
/// which does by other means what filters look at.
fn preamble() -> Vec<sock_filter> {
    let mut program = vec![
        statement(LOAD, ARCHITECTURE),
        sock_filter { code: EQUALS, jt: 1, jf: 0, k: NATIVE },
        statement(RETURN, refuse(libc::ENOSYS)),
        statement(LOAD, NUMBER),
    ];
    #[cfg(target_arch = "x86_64")]
    program.extend([unless(AT_LEAST, 0x4000_0000, 1), statement(RETURN, refuse(libc::ENOSYS))]);
    program.extend([
        unless(EQUALS, number(libc::SYS_io_uring_setup), 1),
        statement(RETURN, refuse(libc::ENOSYS)),
    ]);
    program
}

/// The call `socket` gets `verdict` unless the socket is a Unix or netlink one.
fn sockets(verdict: u32) -> [sock_filter; 6] {
    let passes =
        |family: i32, jt: u8| sock_filter { code: EQUALS, jt, jf: 0, k: family.cast_unsigned() };
    [
        unless(EQUALS, number(libc::SYS_socket), 5),
        statement(LOAD, ARGUMENTS),
        passes(libc::AF_UNIX, 2),
        passes(libc::AF_NETLINK, 1),
        statement(RETURN, verdict),
        statement(RETURN, ALLOW),
    ]
}

/// Options of protocols are shown, and those of sockets in general are not.
fn protocol_options() -> [sock_filter; 5] {
    [
        unless(EQUALS, number(libc::SYS_setsockopt), 4),
        statement(LOAD, ARGUMENTS + 8),
        unless(EQUALS, libc::SOL_SOCKET.cast_unsigned(), 1),
        statement(RETURN, ALLOW),
        statement(RETURN, NOTIFY),
    ]
}

/// The filter of a process without a supervisor.
pub(super) fn unsupervised(network: bool) -> Vec<sock_filter> {
    let mut program = preamble();
    if !network {
        program.extend(self::sockets(refuse(libc::EACCES)));
    }
    program.push(statement(RETURN, ALLOW));
    program
}

/// The filter of a process whose supervisor is asked about what names something. A call on an
/// open file (`AT_EMPTY_PATH`) names nothing and is so frequent that it is not shown.
pub(super) fn supervised(watch: Watch, network: bool) -> Vec<sock_filter> {
    let mut program = preamble();
    let on_open_files = calls::ON_OPEN_FILES.iter().filter(|_| watch == Watch::Names);
    for (call, argument) in on_open_files.copied() {
        program.extend([
            unless(EQUALS, number(call), 4),
            statement(LOAD, ARGUMENTS + 8 * argument),
            unless(HAS_BITS, libc::AT_EMPTY_PATH.cast_unsigned(), 1),
            statement(RETURN, ALLOW),
            statement(RETURN, NOTIFY),
        ]);
    }
    program.extend([
        unless(EQUALS, number(libc::SYS_rt_sigaction), 4),
        statement(LOAD, ARGUMENTS),
        unless(EQUALS, libc::SIGCHLD.cast_unsigned(), 1),
        statement(RETURN, NOTIFY),
        statement(RETURN, ALLOW),
    ]);
    if !network {
        program.extend(self::sockets(NOTIFY));
        for call in sockets::ASKED {
            program.extend([unless(EQUALS, number(call), 1), statement(RETURN, NOTIFY)]);
        }
        program.extend(protocol_options());
    }
    for call in calls::numbers(watch) {
        program.extend([unless(EQUALS, number(call), 1), statement(RETURN, NOTIFY)]);
    }
    program.push(statement(RETURN, ALLOW));
    program
}

/// Whether the kernel knows supervision.
#[expect(unsafe_code, reason = "the C library has no function for this system call")]
pub(super) fn can_notify() -> bool {
    let action = NOTIFY;
    // SAFETY: the kernel reads the four bytes and answers whether it knows this action.
    0 == unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action)
    }
}

/// Puts this thread and what it starts under the filter. May be called between fork and exec.
pub(super) fn install(program: &[sock_filter]) -> io::Result<()> {
    set(program, 0).map(drop)
}

/// The same, and a descriptor through which a supervisor answers. Fails with `EBUSY` below
/// another supervisor. Where the kernel can (Linux 5.19), a signal interrupts nobody whose
/// question has been received.
#[expect(unsafe_code, reason = "a number becomes the descriptor that it is")]
pub(super) fn install_with_listener(program: &[sock_filter]) -> io::Result<OwnedFd> {
    let listener = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    let fd = set(program, listener | WAIT_KILLABLE).or_else(|error| {
        let unknown = error.raw_os_error() == Some(libc::EINVAL);
        if unknown { set(program, listener) } else { Err(error) }
    })?;
    // SAFETY: the kernel just made the descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[expect(unsafe_code, reason = "the C library has no function for this system call")]
fn set(program: &[sock_filter], flags: c_ulong) -> io::Result<i32> {
    let filter = libc::sock_fprog {
        len: u16::try_from(program.len()).unwrap_or(u16::MAX),
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel copies `len` statements from the slice, which it does not change.
    let done = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const filter)
    };
    i32::try_from(done).ok().filter(|done| *done >= 0).ok_or_else(io::Error::last_os_error)
}
