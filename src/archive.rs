//! Archives into directories: tar (plain, xz, gzip, zstd), zip and Debian packages, recognised by
//! their content, with the tree computed from the archive's entries on the way.
//!
//! Archives are hostile until their pin is verified, and that happens after unpacking: nothing
//! here trusts a name, a size or a link. Nothing here knows of URLs, pins, stores or publishing.

mod deb;
mod decode;
mod limits;
mod names;
mod pipe;
mod plain;
mod policy;
mod sniff;
mod source;
mod spec;
mod staging;
mod tar;
mod zip;

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

pub use decode::{Compression, decoder};
pub use limits::{MAX_ENTRIES, MAX_UNPACKED_BYTES};
pub use plain::keep;
pub use policy::Refusal;
pub use spec::UnpackSpec;
pub use staging::Notes;

use crate::sys::fs::FsError;
use crate::tree::{Folding, Tree};
use crate::vocab::relpath::{InvalidRelPath, RelPath};
use limits::Limits;
use sniff::Format;
use source::{InputFailure, Source};
use staging::Staging;

/// Bytes that are read at a time.
const BUFFER: usize = 256 * 1024;

/// What came out of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// The tree as the archive's entries describe it.
    pub tree: Tree,
    /// What the user may want to know about it.
    pub notes: Notes,
}

/// Why an archive was not unpacked. The staging directory then holds a part of it.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The reader that was handed in failed; nothing is known about the archive.
    #[error("cannot read the archive")]
    Input(#[source] io::Error),
    /// There are no bytes.
    #[error("there are no bytes where an archive is expected")]
    Empty,
    /// The bytes are HTML.
    #[error("the server sent a web page instead of an archive")]
    WebPage,
    /// The first bytes are those of no known format.
    #[error(
        "this is no archive: neither tar (plain, xz, gzip, zstd) nor zip nor a Debian package; it starts with `{start}`"
    )]
    UnknownFormat {
        /// The first bytes, escaped.
        start: String,
    },
    /// The bytes end before the archive does.
    #[error("the archive is truncated: its bytes end before the archive does")]
    Truncated,
    /// A compressed stream or an archive structure contradicts itself.
    #[error("the archive is damaged")]
    Damaged(#[source] io::Error),
    /// An entry breaks a rule.
    #[error("the entry `{entry}` is refused")]
    Refused {
        /// The entry's name as the archive has it.
        entry: String,
        /// The rule.
        #[source]
        reason: Refusal,
    },
    /// The file system takes two names of the archive for one.
    #[error(
        "`{first}` and `{second}` are one name on the file system of `{}`, which ignores case", dest.display()
    )]
    CaseCollision {
        /// The path that was there first.
        first: RelPath,
        /// The path that has no room beside it.
        second: RelPath,
        /// The staging directory.
        dest: PathBuf,
    },
    /// More than [`MAX_UNPACKED_BYTES`].
    #[error("the archive unpacks to more than {0} bytes")]
    TooLarge(u64),
    /// More than [`MAX_ENTRIES`].
    #[error("the archive has more than {0} entries")]
    TooManyEntries(u64),
    /// `keep` of the unpack specification is not a path.
    #[error("`{keep}` cannot be kept: it is not a path inside an archive")]
    InvalidKeep {
        /// The value.
        keep: String,
        /// What is wrong with it.
        #[source]
        source: InvalidRelPath,
    },
    /// The unpack specification dropped every entry.
    #[error("nothing of the archive is left with {0}")]
    NothingKept(UnpackSpec),
    /// The staging or scratch directory does not take what is written to it.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file, directory or link.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// No thread could be started.
    #[error("cannot start a thread to unpack with")]
    Thread(#[source] io::Error),
}

/// Unpacks the archive that `reader` yields into `dest`, an existing, empty, private directory.
///
/// Directories and executable files get mode 0755, other files 0644, whatever the umask is; files
/// get the time 1 (1970-01-01T00:00:01Z). `scratch` is a directory for unnamed temporary files,
/// used for zip only. On an error `dest` keeps what was written so far; nothing is ever written
/// outside of the two directories.
///
/// An archive is read to its end, but `reader` may have more bytes than the archive: the caller
/// drains it, and verifies the pin, before it uses the result.
pub fn unpack<R: Read>(
    reader: R,
    spec: &UnpackSpec,
    dest: &Path,
    scratch: &Path,
) -> Result<Unpacked, UnpackError> {
    let folding = Folding::probe(dest)
        .map_err(|FsError { path, source, .. }| UnpackError::Write { path, source })?;
    unpack_on(folding, reader, spec, dest, scratch)
}

/// The same on a disk that ignores certain differences of names.
pub fn unpack_on<R: Read>(
    folding: Folding,
    reader: R,
    spec: &UnpackSpec,
    dest: &Path,
    scratch: &Path,
) -> Result<Unpacked, UnpackError> {
    let mut staging = Staging::new(spec, dest, Limits::DEFAULT, folding)?;
    let failure = InputFailure::default();
    let input = BufReader::with_capacity(BUFFER, Source::new(reader, &failure));
    let outcome = unpack_any(input, &mut staging, scratch);
    if let Some(error) = failure.take() {
        return Err(UnpackError::Input(error));
    }
    outcome?;
    staging.finish()
}

fn unpack_any(
    input: impl BufRead,
    staging: &mut Staging,
    scratch: &Path,
) -> Result<(), UnpackError> {
    let (format, input) = sniff::sniff(input)?;
    match format {
        Format::Zip => zip::unpack(input, staging, scratch),
        Format::Ar => deb::unpack(input, staging),
        Format::Tar => tar::unpack(input, staging),
        Format::Compressed(compression) => unpack_compressed(compression, input, staging),
    }
}

/// Unpacks a tar archive that may be compressed: what a Debian package has inside.
fn unpack_tarball(input: impl BufRead, staging: &mut Staging) -> Result<(), UnpackError> {
    match sniff::sniff(input)? {
        (Format::Tar, input) => tar::unpack(input, staging),
        (Format::Compressed(compression), input) => unpack_compressed(compression, input, staging),
        (Format::Zip | Format::Ar, _) => {
            Err(damaged("a tar archive is expected here, not another archive"))
        }
    }
}

/// Decompresses on this thread and writes files on another.
fn unpack_compressed(
    compression: decode::Compression,
    input: impl BufRead,
    staging: &mut Staging,
) -> Result<(), UnpackError> {
    let decompressor = decode::decoder(compression, input).map_err(UnpackError::Damaged)?;
    pipe::overlap(decompressor, |decoded| match sniff::sniff(decoded)? {
        (Format::Tar, decoded) => tar::unpack(decoded, staging),
        _ => Err(damaged("there is no tar archive in the compressed stream")),
    })
    .map_err(UnpackError::Thread)?
}

fn damaged(what: &'static str) -> UnpackError {
    UnpackError::Damaged(io::Error::new(io::ErrorKind::InvalidData, what))
}

/// The error for a failed read: bytes that are missing are not bytes that are wrong.
fn read_error(error: io::Error) -> UnpackError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        UnpackError::Truncated
    } else {
        UnpackError::Damaged(error)
    }
}
