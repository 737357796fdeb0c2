//! Tar archives: ustar, GNU and PAX, old GNU sparse files included. Decides what an entry is;
//! where it goes and whether it may is decided in `staging` and `policy`.

use std::cell::Cell;
use std::io::{self, Read};

use tar::{Archive, Entry, EntryType};

use super::policy::{Place, Refusal};
use super::staging::{Staging, StagingError};
use super::{UnpackError, damaged, read_error};

/// The most bytes that headers before one entry may have (long names, PAX records): they are
/// held in memory.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// Unpacks the archive in `reader` and reads what follows it to the end.
pub(super) fn unpack<R: Read>(reader: R, staging: &mut Staging) -> Result<(), UnpackError> {
    let meter = Meter { limit: staging.limits().bytes, ..Meter::default() };
    let mut archive = Archive::new(Metered { reader, meter: &meter });
    let mut entries = archive.entries().map_err(|error| meter.explain(error))?;
    loop {
        meter.expect_header(true);
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(|error| meter.explain(error))?;
        meter.expect_header(false);
        staging.count(entry.size())?;
        let name = Names::of(&mut entry);
        unpack_entry(&mut entry, &name, staging).map_err(|error| match error {
            StagingError::Refused(reason) => UnpackError::Refused { entry: name.shown(), reason },
            StagingError::Read(error) => meter.explain(error),
            StagingError::Short => UnpackError::Truncated,
            StagingError::Fatal(error) => error,
        })?;
    }
    if meter.ended.get() {
        // The end is two blocks of zeros, not the end of the bytes.
        return Err(UnpackError::Truncated);
    }
    meter.expect_header(false);
    // A compressed stream has its checksum at its end.
    staging.skip(&mut archive.into_inner()).map_err(|error| meter.explain(error))
}

fn unpack_entry<R: Read>(
    entry: &mut Entry<R>,
    names: &Names,
    staging: &mut Staging,
) -> Result<(), StagingError> {
    let kind = entry.header().entry_type();
    if kind.is_pax_global_extensions() {
        return staging.skip(entry).map_err(StagingError::Read);
    }
    if let Some(problem) = names.problem {
        return Err(Refusal::Pax(problem).into());
    }
    if names.sparse {
        // Neither the name nor the contents are what they seem.
        return Err(Refusal::Unsupported("PAX sparse files are not supported".into()).into());
    }
    let place = staging.place(&names.path)?;
    let is_file = matches!(kind, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse);
    // Archives from before ustar have no type for directories.
    let is_directory = kind.is_dir() || (is_file && names.path.ends_with(b"/"));
    let size = entry.size();
    if size != 0 && (is_directory || kind.is_symlink() || kind.is_hard_link()) {
        return Err(Refusal::Contents(size).into());
    }
    let path = match place {
        Place::Dropped => return staging.skip(entry).map_err(StagingError::Read),
        Place::Root if is_directory => return Ok(()),
        Place::Root => return Err(Refusal::Root.into()),
        Place::At(path) => path,
    };
    // Links have no mode of their own, and some archivers leave the field empty.
    let mode = |entry: &Entry<R>| entry.header().mode().map_err(StagingError::Read);
    if is_directory {
        staging.directory(path, mode(entry)?)
    } else if is_file {
        staging.file(path, mode(entry)?, size, entry)
    } else if kind.is_symlink() {
        staging.symlink(&path, &names.link)
    } else if kind.is_hard_link() {
        staging.hard_link(&path, &names.link)
    } else {
        Err(Refusal::Kind(describe(kind)).into())
    }
}

fn describe(kind: EntryType) -> String {
    match kind {
        EntryType::Char => "a character device".to_owned(),
        EntryType::Block => "a block device".to_owned(),
        EntryType::Fifo => "a fifo".to_owned(),
        other => format!("of the unknown type `{}`", other.as_byte().escape_ascii()),
    }
}

/// What an entry is called, from whichever header says so.
struct Names {
    path: Vec<u8>,
    link: Vec<u8>,
    /// Its contents are a map of the file and its pieces.
    sparse: bool,
    /// What is wrong with its PAX header.
    problem: Option<&'static str>,
}

impl Names {
    fn of<R: Read>(entry: &mut Entry<R>) -> Self {
        let mut names = Self {
            path: entry.path_bytes().into_owned(),
            link: entry.link_name_bytes().unwrap_or_default().into_owned(),
            sparse: false,
            problem: None,
        };
        let kind = entry.header().entry_type();
        // The records of such an entry would be read from its contents, all at once.
        if !kind.is_pax_global_extensions() && !kind.is_pax_local_extensions() {
            names.problem = names.read_pax(entry).err();
        }
        names
    }

    /// Reads the PAX records, of which the tar crate ignores those that it cannot read, and takes
    /// the first of several where the standard says the last. A name that two readers
    /// understand differently is refused.
    fn read_pax<R: Read>(&mut self, entry: &mut Entry<R>) -> Result<(), &'static str> {
        let size = entry.size();
        let malformed = "a record cannot be read";
        let Some(records) = entry.pax_extensions().map_err(|_| malformed)? else { return Ok(()) };
        for record in records {
            let record = record.map_err(|_| malformed)?;
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" if value != self.path => return Err("the entry has two names"),
                b"linkpath" if value != self.link => return Err("the link has two targets"),
                b"size" if record.value().ok().and_then(|v| v.parse().ok()) != Some(size) => {
                    return Err("the entry has two sizes");
                }
                key if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
        }
        Ok(())
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.path).into_owned()
    }
}

/// What is known about the bytes that the tar crate has read.
#[derive(Default)]
struct Meter {
    limit: u64,
    read: Cell<u64>,
    /// Bytes of headers since the last entry, while headers are being read.
    header: Cell<Option<u64>>,
    /// A read found the end.
    ended: Cell<bool>,
}

impl Meter {
    fn expect_header(&self, yes: bool) {
        self.header.set(yes.then_some(0));
    }

    fn header_is_too_long(&self) -> bool {
        self.header.get().is_some_and(|bytes| bytes > MAX_HEADER_BYTES)
    }

    /// The error behind a failed read.
    fn explain(&self, error: io::Error) -> UnpackError {
        if self.read.get() > self.limit {
            UnpackError::TooLarge(self.limit)
        } else if self.header_is_too_long() {
            damaged("the headers of an entry have more than 1 MiB")
        } else if self.ended.get() {
            UnpackError::Truncated
        } else {
            read_error(error)
        }
    }
}

struct Metered<'a, R> {
    reader: R,
    meter: &'a Meter,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let meter = self.meter;
        meter.read.set(meter.read.get() + read as u64);
        meter.header.set(meter.header.get().map(|bytes| bytes + read as u64));
        meter.ended.set(read == 0 && !buffer.is_empty());
        if meter.read.get() > meter.limit || meter.header_is_too_long() {
            return Err(io::Error::other("a limit is exceeded"));
        }
        Ok(read)
    }
}
