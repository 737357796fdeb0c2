//! Landlock: what a process and its children may read, write and run, enforced by the kernel.
//! Knows nothing of builds.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};

use super::Rules;

// linux/landlock.h
const EXECUTE: u64 = 1 << 0;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
/// Removing and making of all sorts, and since version 2 moving between directories.
const CHANGE_DIR: u64 = 0x7ff << 4;
const TRUNCATE: u64 = 1 << 14;
const CREATE_RULESET_VERSION: libc::c_uint = 1;
const RULE_PATH_BENEATH: libc::c_uint = 1;

const READING: u64 = EXECUTE | READ_FILE | READ_DIR;
const WRITING: u64 = WRITE_FILE | CHANGE_DIR;
/// What has a meaning for something that is no directory.
const OF_FILES: u64 = EXECUTE | READ_FILE | WRITE_FILE | TRUNCATE;

#[repr(C)]
struct RulesetAttr {
    handled_access_fs: u64,
}

#[repr(C, packed)]
struct PathBeneathAttr {
    allowed_access: u64,
    parent_fd: i32,
}

/// The version of the kernel's interface, if it is one that a build can live with.
#[expect(unsafe_code, reason = "the C library has no function for this system call")]
pub(super) fn version() -> Option<u32> {
    let nothing = std::ptr::null::<RulesetAttr>();
    // SAFETY: with this flag the kernel reads no memory and returns a number.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0, CREATE_RULESET_VERSION)
    };
    u32::try_from(version).ok().filter(|version| *version >= 2)
}

/// A ruleset; `None` where the kernel has no Landlock.
pub(super) fn ruleset(rules: &Rules) -> io::Result<Option<OwnedFd>> {
    let Some(version) = version() else { return Ok(None) };
    let writing = if version >= 3 { WRITING | TRUNCATE } else { WRITING };
    let ruleset = create(READING | writing)?;
    for (paths, access) in [(&rules.read, READING), (&rules.write, READING | writing)] {
        for path in paths {
            allow(&ruleset, path, access)?;
        }
    }
    Ok(Some(ruleset))
}

#[expect(unsafe_code, reason = "the C library has no function for this system call")]
fn create(handled: u64) -> io::Result<OwnedFd> {
    let attr = RulesetAttr { handled_access_fs: handled };
    // SAFETY: the kernel reads `attr` during the call, and its size is what is said.
    let fd = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, &raw const attr, size_of_val(&attr), 0)
    };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0).ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the kernel just made the descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[expect(unsafe_code, reason = "the C library has no function for this system call")]
fn allow(ruleset: &OwnedFd, path: &Path, access: u64) -> io::Result<()> {
    let Ok(file) = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) else {
        return Ok(());
    };
    let is_dir = FileType::from_raw_mode(fstat(&file)?.st_mode) == FileType::Directory;
    let allowed_access = if is_dir { access } else { access & OF_FILES };
    let attr = PathBeneathAttr { allowed_access, parent_fd: file.as_raw_fd() };
    // SAFETY: the kernel reads `attr` during the call; both descriptors are open.
    let done = unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            ruleset.as_raw_fd(),
            RULE_PATH_BENEATH,
            &raw const attr,
            0,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Confines this thread and what it starts. A process that is confined sixteen times over stays
/// as it is: it inherits what the others allow. May be called between fork and exec.
#[expect(unsafe_code, reason = "the C library has no function for this system call")]
pub(super) fn restrict(ruleset: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the descriptor is open; no memory is passed.
    let done = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) };
    let error = io::Error::last_os_error();
    if done == 0 || error.raw_os_error() == Some(libc::E2BIG) { Ok(()) } else { Err(error) }
}
