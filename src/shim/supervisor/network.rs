//! What a build script wants of a network. There is none: where it asks for a socket it gets one
//! that leads nowhere, so that what it then connects to can be told, and nothing can be sent.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{MutexGuard, PoisonError};

use super::super::ledger::{CONNECT, FETCH, NETWORK};
use super::{Judge, dns};
use crate::sys::confine::{Answer, Listener, OnSocket, Request};
use crate::vocab::sandbox::Mode;
use crate::vocab::url::Url;

// asm-generic/socket.h and bits/socket.h of Linux.
const INET: i32 = 2;
const INET6: i32 = 10;
const DATAGRAM: i32 = 2;

/// The port of name servers.
const DOMAIN: u16 = 53;

/// Programs that build scripts download with.
const DOWNLOADERS: [&str; 4] = ["curl", "wget", "aria2c", "git"];

const WHY: &str = "what comes over a network is in no lock";

/// The sockets of the processes, by the kernel's numbers for them.
#[derive(Default)]
pub(super) struct Network {
    /// Those that lead nowhere, and whether they are for datagrams.
    given: HashMap<u64, bool>,
    /// Those that ask a name server.
    resolvers: HashSet<u64>,
    /// The families that were asked for.
    families: BTreeSet<i32>,
    /// Whether an address is known of any.
    addressed: bool,
}

impl Judge {
    fn network(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers `socket`; `None` where it was answered with a socket.
    pub(super) fn socket(
        &self,
        listener: &Listener,
        request: &Request,
        family: i32,
        kind: i32,
    ) -> Option<Answer> {
        if [INET, INET6].contains(&family) {
            let is_datagram = kind & 0xf == DATAGRAM;
            let remember = |number| {
                self.network().given.insert(number, is_datagram);
            };
            if self.mode != Mode::On {
                self.network().families.insert(family);
                return Some(Answer::Continue);
            }
            if listener.stand_in(request, kind, remember).is_ok() {
                self.network().families.insert(family);
                return None;
            }
        }
        // Raw sockets, other families, and kernels that can hand out none.
        self.note_family(family);
        Some(self.refusal(Answer::Denied))
    }

    /// Answers a call on a socket; `None` where it is none of a network.
    pub(super) fn on_socket(&self, request: &Request, fd: i32, call: OnSocket) -> Option<Answer> {
        let number = request.socket(fd)?;
        let is_datagram = self.network().given.get(&number).copied();
        if self.mode == Mode::On && is_datagram.is_none() {
            // A Unix or netlink socket; another cannot be made.
            return None;
        }
        match call {
            OnSocket::Option => return Some(self.refusal(Answer::Done)),
            OnSocket::Connect(_) => {
                let Some(address) = request.address(call) else {
                    return Some(self.refusal(Answer::Done));
                };
                if address.port() == DOMAIN && is_datagram != Some(false) {
                    // What it asks for comes with the next call.
                    self.network().resolvers.insert(number);
                    return Some(self.refusal(Answer::Done));
                }
                self.connects(address);
            }
            OnSocket::Bind(_) => {
                let address = request.address(call)?;
                if address.port() == 0 && is_datagram != Some(false) {
                    return Some(self.refusal(Answer::Done));
                }
                self.note_network(&format!("listen at {address}"));
            }
            OnSocket::Send(_) | OnSocket::SendMany(..) => self.sends(request, number, call),
        }
        Some(self.refusal(Answer::Denied))
    }

    fn sends(&self, request: &Request, number: u64, call: OnSocket) {
        for message in request.messages(call) {
            let asks = match message.to {
                Some(to) => to.port() == DOMAIN,
                None => self.network().resolvers.contains(&number),
            };
            match (dns::host(&message.bytes).filter(|_| asks), message.to) {
                (Some(host), _) => self.note_network(&format!("{CONNECT}{host}")),
                (None, Some(to)) => self.connects(to),
                (None, None) => {}
            }
        }
    }

    fn connects(&self, address: SocketAddr) {
        self.note_network(&format!("{CONNECT}{address}"));
    }

    fn note_network(&self, what: &str) {
        self.network().addressed = true;
        let allow = Some("sandbox.network = true".to_owned());
        self.note(self.kind(), what.to_owned(), WHY, allow);
    }

    fn note_family(&self, family: i32) {
        let family = match family {
            INET => "IPv4".to_owned(),
            INET6 => "IPv6".to_owned(),
            other => format!("address family {other}"),
        };
        let allow = Some("sandbox.network = true".to_owned());
        self.note(self.kind(), format!("{CONNECT}{NETWORK} ({family})"), WHY, allow);
    }

    /// At the end: notes the sockets of which nothing more became known.
    pub(super) fn unaddressed(&self) {
        let families = {
            let network = self.network();
            if network.addressed { BTreeSet::new() } else { network.families.clone() }
        };
        for family in families {
            self.note_family(family);
        }
    }

    /// Notes what a program is told to download, whether it is there or not.
    pub(super) fn download(&self, request: &Request, program: &Path) {
        let name = program.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if self.access.network() || !DOWNLOADERS.contains(&name) {
            return;
        }
        for word in request.command_line() {
            let url = String::from_utf8(word).ok().and_then(|word| word.parse::<Url>().ok());
            if let Some(url) = url.filter(|url| url.file_path().is_none()) {
                // Its form for messages has no password.
                self.note(self.kind(), format!("{FETCH}{url}"), WHY, None);
            }
        }
    }
}
