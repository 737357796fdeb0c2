//! What calls on sockets ask for, where a supervisor stands in for a network: which descriptor,
//! which address, which bytes. Pure but for the reader that is passed in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use libc::c_long;

/// Nobody needs more of a message: a question to a name server has 512 bytes at most.
const LONGEST: usize = 512;

/// So many messages of one call are looked at.
const MOST_MESSAGES: u64 = 4;

/// `sizeof(struct mmsghdr)`: a `struct msghdr` of 56 bytes, a length and padding.
const MESSAGE: u64 = 64;

/// A call on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSocket {
    /// To connect to the address.
    Connect(At),
    /// To have the address.
    Bind(At),
    /// To send bytes.
    Send(Sending),
    /// To send messages: their address and number.
    SendMany(u64, u64),
    /// To set an option of a protocol.
    Option,
}

/// An address in the memory of the process: where, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At(u64, u64);

/// Bytes that are to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    bytes: At,
    to: At,
}

/// One message: to whom, where it says so, and how it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The receiver.
    pub to: Option<SocketAddr>,
    /// Its first bytes.
    pub bytes: Vec<u8>,
}

/// The calls that name an address or send something. `sendmsg` is not among them: those who start
/// compilers use it, and where there is no network socket it reaches nobody.
pub(super) const ASKED: [c_long; 4] =
    [libc::SYS_connect, libc::SYS_bind, libc::SYS_sendto, libc::SYS_sendmmsg];

/// What the call asks for, with the descriptor of its socket.
pub(super) fn decode(number: c_long, arguments: &[u64; 6]) -> Option<(i32, OnSocket)> {
    let [fd, a, b, _, d, e] = *arguments;
    let call = match number {
        libc::SYS_connect => OnSocket::Connect(At(a, b)),
        libc::SYS_bind => OnSocket::Bind(At(a, b)),
        libc::SYS_sendto => OnSocket::Send(Sending { bytes: At(a, b), to: At(d, e) }),
        libc::SYS_sendmmsg => OnSocket::SendMany(a, b),
        libc::SYS_setsockopt => OnSocket::Option,
        _ => return None,
    };
    Some((super::calls::low(fd), call))
}

/// Reads memory of the process: from an address on, at most so many bytes.
pub(super) type Read<'a> = &'a dyn Fn(u64, usize) -> Option<Vec<u8>>;

/// The network address there; `None` for that of another family.
pub(super) fn address(at: At, read: Read<'_>) -> Option<SocketAddr> {
    // `struct sockaddr_in6` is the longer one.
    let length = usize::try_from(at.1).ok()?.min(28);
    let bytes = (at.0 != 0).then(|| read(at.0, length)).flatten()?;
    let family = i32::from(u16::from_le_bytes(bytes.get(..2)?.try_into().ok()?));
    let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
    let ip: IpAddr = match family {
        libc::AF_INET => Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(4..8)?).ok()?).into(),
        libc::AF_INET6 => Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(8..24)?).ok()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// The messages of a call that sends.
pub(super) fn messages(call: OnSocket, read: Read<'_>) -> Vec<Message> {
    let first = |at: At| {
        let length = usize::try_from(at.1).unwrap_or(usize::MAX).min(LONGEST);
        read(at.0, length).unwrap_or_default()
    };
    match call {
        OnSocket::Send(sending) => {
            vec![Message { to: address(sending.to, read), bytes: first(sending.bytes) }]
        }
        OnSocket::SendMany(messages, count) => (0..count.min(MOST_MESSAGES))
            .filter_map(|index| {
                let header = read(messages.checked_add(index * MESSAGE)?, 32)?;
                let number =
                    |at: usize| Some(u64::from_le_bytes(header.get(at..at + 8)?.try_into().ok()?));
                // msg_name, msg_namelen (an int), msg_iov, msg_iovlen.
                let to = At(number(0)?, number(8)? & 0xffff_ffff);
                let part = read(number(16)?, 16)?;
                let base = u64::from_le_bytes(part.get(..8)?.try_into().ok()?);
                let length = u64::from_le_bytes(part.get(8..16)?.try_into().ok()?);
                Some(Message { to: address(to, read), bytes: first(At(base, length)) })
            })
            .collect(),
        OnSocket::Connect(_) | OnSocket::Bind(_) | OnSocket::Option => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A memory that begins at 1000.
    fn read(memory: &[u8]) -> impl Fn(u64, usize) -> Option<Vec<u8>> + '_ {
        |address, length| {
            let start = usize::try_from(address.checked_sub(1000)?).ok()?;
            let rest = memory.get(start..)?;
            Some(rest[..length.min(rest.len())].to_vec())
        }
    }

    #[test]
    fn addresses_are_read_and_those_of_other_families_are_none() {
        let four = [2, 0, 0x1f, 0x90, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        let found = address(At(1000, 16), &read(&four));
        assert_eq!(found.map(|found| found.to_string()).as_deref(), Some("127.0.0.1:8080"));
        let mut six = [0; 28];
        six[..4].copy_from_slice(&[10, 0, 0, 53]);
        six[23] = 1;
        let found = address(At(1000, 28), &read(&six));
        assert_eq!(found.map(|found| found.to_string()).as_deref(), Some("[::1]:53"));
        assert_eq!(address(At(1000, 6), &read(b"\x01\0/run")), None);
        assert_eq!(address(At(0, 16), &read(&four)), None);
        assert_eq!(address(At(1000, 3), &read(&four)), None);
    }

    #[test]
    fn messages_have_their_receivers_and_first_bytes() {
        let (fd, call) =
            decode(libc::SYS_sendto, &[7, 1000, 4, 0, 0, 0]).expect("a call on a socket");
        let message = Message { to: None, bytes: b"abcd".to_vec() };
        assert_eq!((fd, messages(call, &read(b"abcdefgh"))), (7, vec![message.clone()]));
        // Two headers, a vector for each, and the bytes.
        let mut memory = vec![0; 160];
        for (header, vector) in [(0, 128), (64, 144)] {
            memory[header + 16..header + 24].copy_from_slice(&(1000 + vector as u64).to_le_bytes());
            memory[vector..vector + 8].copy_from_slice(&1160_u64.to_le_bytes());
            memory[vector + 8..vector + 16].copy_from_slice(&4_u64.to_le_bytes());
        }
        memory.extend(b"abcd");
        let (_, call) = decode(libc::SYS_sendmmsg, &[7, 1000, 2, 0, 0, 0]).expect("known");
        assert_eq!(messages(call, &read(&memory)), [message.clone(), message]);
        assert!(messages(call, &read(b"")).is_empty());
        assert_eq!(decode(libc::SYS_getpid, &[0; 6]), None);
    }
}
