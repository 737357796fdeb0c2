//! The memory of a process that waits for an answer.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt as _;

use libc::iovec;

/// No machine has smaller ones, and what is read may end where one does.
const PAGE: u64 = 4096;

/// The memory of the process with this thread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory(pub u32);

impl Memory {
    /// Reads what there is of `bytes` from the address on: as much as one page and a part of
    /// another.
    #[expect(unsafe_code, reason = "the C library takes addresses of two processes")]
    pub fn read(self, bytes: &mut [u8], address: u64) -> io::Result<usize> {
        let rest = usize::try_from(PAGE - address % PAGE).unwrap_or(usize::MAX);
        let first = rest.min(bytes.len());
        let at = |address: u64, length| iovec { iov_base: address as *mut _, iov_len: length };
        let theirs =
            [at(address, first), at(address.saturating_add(first as u64), bytes.len() - first)];
        let ours = iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
        let pid = i32::try_from(self.0).map_err(|_| io::ErrorKind::InvalidInput)?;
        // SAFETY: the kernel writes at most `bytes`, and checks the addresses of the other process.
        let read =
            unsafe { libc::process_vm_readv(pid, &raw const ours, 1, theirs.as_ptr(), 2, 0) };
        usize::try_from(read).map_err(|_| io::Error::last_os_error())
    }

    /// The eight bytes at the address, as a number.
    pub fn number(self, address: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        if self.read(&mut bytes, address)? < bytes.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(u64::from_le_bytes(bytes))
    }

    /// Writes all of `bytes`.
    pub fn write(self, bytes: &[u8], address: u64) -> io::Result<()> {
        let memory = OpenOptions::new().write(true).open(format!("/proc/{}/mem", self.0))?;
        memory.write_all_at(bytes, address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_ends_with_the_page_that_is_there() {
        let memory = Memory(std::process::id());
        let text = *b"text of this process\0";
        let mut bytes = [0; 21];
        assert_eq!(memory.read(&mut bytes, text.as_ptr() as u64).expect("read"), 21);
        assert_eq!(bytes, text);
        let seven = 7_u64;
        assert_eq!(memory.number(&raw const seven as u64).expect("read"), 7);
        assert!(memory.read(&mut bytes, 16).is_err());
    }
}
