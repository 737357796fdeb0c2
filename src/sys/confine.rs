//! Confining a child process: Landlock for files, a system call filter for sockets, and where the
//! kernel gives it, a supervisor that answers for the calls that name something. Mechanism only:
//! what may be reached is decided by the caller. The one module that calls the system unsafely.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod listener;
#[cfg(not(target_os = "linux"))]
mod mac;
#[cfg(target_os = "linux")]
mod memory;
mod profile;
#[cfg(target_os = "linux")]
mod sockets;

use std::path::PathBuf;

#[cfg(target_os = "linux")]
pub use calls::{Call, Name, Watch};
#[cfg(target_os = "linux")]
pub use linux::Confinement;
#[cfg(target_os = "linux")]
pub use listener::{Answer, Listener, Pending, Request};
#[cfg(not(target_os = "linux"))]
pub use mac::Confinement;
pub use profile::profile;
#[cfg(target_os = "linux")]
pub use sockets::{Message, OnSocket};

/// What a confined process may reach. Each path stands for itself and all below it; one that is
/// not there is passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// May be read and run.
    pub read: Vec<PathBuf>,
    /// May be read, run and written.
    pub write: Vec<PathBuf>,
    /// Whether sockets other than Unix and netlink ones may be made.
    pub network: bool,
}

/// What a process wants of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wish {
    /// To know whether and what it is.
    Look,
    /// Its contents.
    Read,
    /// To make, change or remove it.
    Write,
    /// To make a directory, which is harmless where there is one.
    MakeDir,
    /// To start it.
    Run,
}

/// What the kernel of this machine can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Available {
    /// The version of Landlock's interface, where that is one that can be used: 2 or later, for
    /// under 1 no file can be renamed from one directory to another.
    pub landlock: Option<u32>,
    /// Whether system calls can be supervised. A container or an outer supervisor may still
    /// forbid it to a process.
    pub supervision: bool,
}

impl Available {
    /// Whether anything can be confined at all.
    pub fn any(self) -> bool {
        self.landlock.is_some() || self.supervision || cfg!(target_os = "macos")
    }
}

/// Asks the kernel what it can do. Two system calls that change nothing.
#[cfg(target_os = "linux")]
pub fn available() -> Available {
    Available { landlock: landlock::version(), supervision: filter::can_notify() }
}

/// Asks the kernel what it can do: it is not Linux.
#[cfg(not(target_os = "linux"))]
pub fn available() -> Available {
    Available { landlock: None, supervision: false }
}
