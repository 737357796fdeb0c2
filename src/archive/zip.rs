//! Zip archives, which are read from their end and therefore spooled to a temporary file first.
//! Decides what an entry is; where it goes and whether it may is decided in `staging` and `policy`.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::policy::{Place, Refusal};
use super::staging::{Staging, StagingError};
use super::{BUFFER, UnpackError, damaged, read_error};
use crate::tree::TreeError;
use crate::vocab::relpath::RelPath;

/// The longest link target that Linux has room for, in bytes.
const MAX_TARGET: u64 = 4096;

/// The end record and the longest comment that may follow it.
const END_RECORD: u64 = 22 + 0xffff;

const KIND_BITS: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;

type Spooled = BufReader<File>;

/// Unpacks the archive in `input`.
pub(super) fn unpack(
    input: impl Read,
    staging: &mut Staging,
    scratch: &Path,
) -> Result<(), UnpackError> {
    let mut spooled = spool(input, staging.limits().bytes, scratch)?;
    if !has_end_record(&mut spooled).map_err(read_error)? {
        return Err(UnpackError::Truncated);
    }
    let mut archive =
        ZipArchive::new(spooled).map_err(|error| UnpackError::Damaged(error.into()))?;
    if archive.has_duplicate_names() {
        return Err(duplicate(archive));
    }
    for index in 0..archive.len() {
        let entry =
            archive.by_index_data(index).map_err(|error| UnpackError::Damaged(error.into()))?;
        let (name, size) = (entry.name_raw().to_vec(), entry.size());
        staging.count(size)?;
        unpack_entry(&mut archive, index, &name, staging).map_err(|error| match error {
            StagingError::Refused(reason) => {
                UnpackError::Refused { entry: String::from_utf8_lossy(&name).into_owned(), reason }
            }
            StagingError::Read(error) => UnpackError::Damaged(error),
            StagingError::Short => damaged("an entry is shorter than the directory says"),
            StagingError::Fatal(error) => error,
        })?;
    }
    Ok(())
}

fn unpack_entry(
    archive: &mut ZipArchive<Spooled>,
    index: usize,
    name: &[u8],
    staging: &mut Staging,
) -> Result<(), StagingError> {
    let place = staging.place(name)?;
    if place == Place::Dropped {
        return Ok(());
    }
    let mut entry = archive.by_index(index).map_err(|error| match error {
        ZipError::Io(error) => StagingError::Read(error),
        ZipError::InvalidArchive(_) => StagingError::Read(error.into()),
        other => Refusal::Unsupported(other.to_string()).into(),
    })?;
    // Archives that were made without Unix modes have no executable files.
    let mode = entry.external_attributes() >> 16;
    let size = entry.size();
    let is_directory = name.ends_with(b"/") || mode & KIND_BITS == DIRECTORY;
    let path = match place {
        Place::Dropped | Place::Root if is_directory => return Ok(()),
        Place::Dropped | Place::Root => return Err(Refusal::Root.into()),
        Place::At(path) => path,
    };
    if is_directory {
        return if size == 0 {
            staging.directory(path, mode)
        } else {
            Err(Refusal::Contents(size).into())
        };
    }
    match mode & KIND_BITS {
        0 | REGULAR => staging.file(path, mode, size, &mut entry),
        SYMLINK => {
            let mut target = Vec::new();
            entry.take(MAX_TARGET + 1).read_to_end(&mut target).map_err(StagingError::Read)?;
            if target.len() as u64 > MAX_TARGET {
                return Err(Refusal::TooLong(MAX_TARGET).into());
            }
            staging.symlink(&path, &target)
        }
        kind => Err(Refusal::Kind(format!("of the Unix kind {kind:o}")).into()),
    }
}

/// Copies `input` to an unnamed file, of at most `limit` bytes.
fn spool(input: impl Read, limit: u64, scratch: &Path) -> Result<Spooled, UnpackError> {
    let failed = |source| UnpackError::Write { path: scratch.to_path_buf(), source };
    let mut file = tempfile::tempfile_in(scratch).map_err(failed)?;
    let mut input = input.take(limit + 1);
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = match input.read(&mut buffer).map_err(read_error)? {
            0 => break,
            read => read,
        };
        io::Write::write_all(&mut file, &buffer[..read]).map_err(failed)?;
    }
    if input.limit() == 0 {
        return Err(UnpackError::TooLarge(limit));
    }
    file.rewind().map_err(failed)?;
    Ok(BufReader::with_capacity(BUFFER, file))
}

/// Whether the record that every zip archive ends with is there.
fn has_end_record(file: &mut Spooled) -> io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(END_RECORD)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    file.rewind()?;
    Ok(tail.windows(4).any(|bytes| bytes == b"PK\x05\x06"))
}

/// The error that names the entry which occurs twice: the zip crate keeps one of the two.
fn duplicate(archive: ZipArchive<Spooled>) -> UnpackError {
    let start = archive.central_directory_start();
    match first_duplicate(archive.into_inner(), start) {
        Ok(Some(name)) => {
            let entry = String::from_utf8_lossy(&name).into_owned();
            let reason = match RelPath::parse(&name) {
                Ok(path) => TreeError::Duplicate(path).into(),
                Err(error) => Refusal::Name(error),
            };
            UnpackError::Refused { entry, reason }
        }
        Ok(None) => damaged("a name occurs twice in the directory of the zip archive"),
        Err(error) => read_error(error),
    }
}

/// Walks the headers of the central directory (APPNOTE 4.3.12).
fn first_duplicate(mut file: Spooled, start: u64) -> io::Result<Option<Vec<u8>>> {
    file.seek(SeekFrom::Start(start))?;
    let mut seen = HashSet::new();
    let mut header = [0; 46];
    loop {
        file.read_exact(&mut header)?;
        if !header.starts_with(b"PK\x01\x02") {
            return Ok(None);
        }
        let length = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let mut name = vec![0; usize::from(length(28))];
        file.read_exact(&mut name)?;
        file.seek_relative(i64::from(length(30)) + i64::from(length(32)))?;
        if !seen.insert(name.clone()) {
            return Ok(Some(name));
        }
    }
}
