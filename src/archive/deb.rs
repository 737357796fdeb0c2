//! Debian packages: an ar archive with `debian-binary`, `control.tar.*` and `data.tar.*`, of
//! which the last is unpacked (deb(5)).
//!
//! Read by hand: general ar readers allocate what a header claims, and deb(5) allows none of the
//! extensions that make a general reader necessary.

use std::io::{self, BufRead, BufReader, Read};

use super::staging::Staging;
use super::{BUFFER, UnpackError, damaged, read_error, unpack_tarball};

const MAGIC: usize = b"!<arch>\n".len();
const HEADER: usize = 60;

/// Unpacks the data of the package in `input`. What follows the data is not read.
pub(super) fn unpack(mut input: impl BufRead, staging: &mut Staging) -> Result<(), UnpackError> {
    input.read_exact(&mut [0; MAGIC]).map_err(read_error)?;
    let (name, size) = next_member(&mut input)?;
    let mut version = Vec::new();
    input.by_ref().take(size.min(16)).read_to_end(&mut version).map_err(read_error)?;
    if name != "debian-binary" || !version.starts_with(b"2.") {
        return Err(damaged("the ar archive is not a Debian package of format 2"));
    }
    let mut unread = size - version.len() as u64 + size % 2;
    loop {
        skip(&mut input, unread)?;
        let (name, size) = next_member(&mut input)?;
        if name == "data.tar" || name.starts_with("data.tar.") {
            let member = Member { input: input.take(size) };
            return unpack_tarball(BufReader::with_capacity(BUFFER, member), staging);
        }
        unread = size + size % 2;
    }
}

/// The name and size of the member that begins here.
fn next_member(input: &mut impl Read) -> Result<(String, u64), UnpackError> {
    let mut header = [0; HEADER];
    input.read_exact(&mut header).map_err(read_error)?;
    let malformed = || damaged("a member of the Debian package has a malformed header");
    let text = std::str::from_utf8(&header).map_err(|_| malformed())?;
    let field = |from, to| text.get(from..to).map(str::trim_end).ok_or_else(malformed);
    if !text.ends_with("`\n") {
        return Err(malformed());
    }
    // System V writes a slash behind each name.
    let name = field(0, 16)?.trim_end_matches('/').to_owned();
    let size = field(48, 58)?.parse().map_err(|_| malformed())?;
    Ok((name, size))
}

fn skip(input: &mut impl Read, bytes: u64) -> Result<(), UnpackError> {
    let skipped = io::copy(&mut input.take(bytes), &mut io::sink()).map_err(read_error)?;
    if skipped == bytes { Ok(()) } else { Err(UnpackError::Truncated) }
}

/// A member's bytes, all of which must be there.
struct Member<R> {
    input: io::Take<R>,
}

impl<R: Read> Read for Member<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        if read == 0 && !buffer.is_empty() && self.input.limit() > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(read)
    }
}
