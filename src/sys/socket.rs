//! Unix sockets over which a process hands another its open files. Knows nothing of what the
//! messages say.

use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// Standard input, output and error.
pub const STANDARD_FILES: usize = 3;

/// No message is longer, in bytes: a command line with its environment may have 2 MiB on Linux.
const LONGEST: usize = 16 << 20;

/// Sends a message with this process's three standard files, the last of them replaced where
/// `stderr` is there.
pub fn send_with_standard_files(
    stream: &mut UnixStream,
    message: &[u8],
    stderr: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let own: BorrowedFd<'_> = rustix::stdio::stderr();
    let fds: [BorrowedFd<'_>; STANDARD_FILES] =
        [rustix::stdio::stdin(), rustix::stdio::stdout(), stderr.unwrap_or(own)];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(STANDARD_FILES))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_le_bytes();
    // Four bytes to an empty socket are taken whole.
    sendmsg(&*stream, &[IoSlice::new(&length)], &mut control, SendFlags::empty())?;
    stream.write_all(message)
}

/// Receives such a message.
pub fn receive_with_standard_files(
    stream: &mut UnixStream,
) -> io::Result<(Vec<u8>, [OwnedFd; STANDARD_FILES])> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(STANDARD_FILES))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut length = [0; 4];
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::WAITALL;
    recvmsg(&*stream, &mut [IoSliceMut::new(&mut length)], &mut control, flags)?;
    let fds: Vec<OwnedFd> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        })
        .flatten()
        .collect();
    let fds = fds.try_into().map_err(|_| io::ErrorKind::InvalidData)?;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message)?;
    Ok((message, fds))
}

/// Whether the other end belongs to the user of this process.
pub fn is_own(stream: &UnixStream) -> bool {
    rustix::net::sockopt::socket_peercred(stream)
        .is_ok_and(|peer| peer.uid == rustix::process::getuid())
}

/// Waits until the other end is gone or the process has ended; says whether it is the former.
pub fn hangs_up_before_end(stream: &UnixStream, process: u32) -> io::Result<bool> {
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    loop {
        let mut fds = [
            PollFd::new(&process, PollFlags::IN),
            // The other end says nothing more, so that what can be read is its end.
            PollFd::new(stream, PollFlags::IN | PollFlags::RDHUP),
        ];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) if !fds[0].revents().is_empty() => return Ok(false),
            Ok(_) => return Ok(true),
        }
    }
}
