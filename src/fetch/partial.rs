//! The bytes of an unfinished download, kept in a file so that a killed run can go on. A hint,
//! never an authority: whatever is in it passes through the digest like bytes from the network.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::fetch::error::FetchError;

/// How many bytes a killed run may lose.
const BUFFERED: usize = 256 << 10;

/// A partial file: first read to its end, then extended.
///
/// Two processes may hold the same one: each writes the same bytes at the same positions.
pub(super) struct Partial {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    /// Bytes that are still to be read again.
    to_replay: u64,
    /// Where the next byte would be written.
    end: u64,
}

impl Partial {
    /// Opens the file if it is there; one that is longer than the artifact can be (`limit` bytes)
    /// is emptied. Nothing is created before there are bytes to keep.
    pub fn open(path: &Path, limit: u64) -> Result<Self, FetchError> {
        let opened = match OpenOptions::new().read(true).write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((None, 0)),
            Err(error) => Err(error),
            Ok(file) => length_within(&file, limit).map(|length| (Some(file), length)),
        };
        let (file, length) = opened.map_err(|source| failure("open", path, source))?;
        let file = file.map(|file| BufWriter::with_capacity(BUFFERED, file));
        Ok(Self { path: path.to_owned(), file, to_replay: length, end: length })
    }

    /// Whether bytes of an earlier run wait to be read.
    pub fn has_replay(&self) -> bool {
        self.to_replay > 0
    }

    /// Reads bytes of an earlier run; 0 when there are no more.
    pub fn replay(&mut self, buffer: &mut [u8]) -> Result<usize, FetchError> {
        let Some(file) = self.file.as_mut().filter(|_| self.to_replay > 0) else { return Ok(0) };
        let read = file
            .get_mut()
            .take(self.to_replay)
            .read(buffer)
            .map_err(|source| failure("read", &self.path, source))?;
        self.to_replay -= read as u64;
        if read == 0 {
            // Someone made it shorter meanwhile: go on from where it ends now.
            self.end -= self.to_replay;
            self.to_replay = 0;
        }
        Ok(read)
    }

    /// Keeps bytes that belong at position `at`. Bytes beyond a gap are not kept: there is one
    /// when the bytes before came from a local file.
    pub fn keep(&mut self, at: u64, bytes: &[u8]) -> Result<(), FetchError> {
        if at != self.end {
            return Ok(());
        }
        let mut write = || {
            let file = match self.file.take() {
                Some(file) => file,
                None => BufWriter::with_capacity(BUFFERED, create(&self.path)?),
            };
            self.file.insert(file).write_all(bytes)
        };
        write().map_err(|source| failure("write", &self.path, source))?;
        self.end += bytes.len() as u64;
        Ok(())
    }
}

/// Removes a partial file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), FetchError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failure("remove", path, error))
        }
        _ => Ok(()),
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).open(path)
}

fn length_within(file: &File, limit: u64) -> io::Result<u64> {
    let length = file.metadata()?.len();
    if length <= limit {
        return Ok(length);
    }
    file.set_len(0)?;
    Ok(0)
}

fn failure(action: &'static str, path: &Path, source: io::Error) -> FetchError {
    FetchError::Partial { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_and_is_extended() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("partial");
        let mut first = Partial::open(&path, 10).expect("nothing there yet");
        assert!(!first.has_replay() && !path.exists());
        first.keep(0, b"abc").expect("kept");
        first.keep(7, b"beyond a gap").expect("ignored");
        drop(first);

        let mut second = Partial::open(&path, 10).expect("opened");
        let mut buffer = [0; 8];
        assert_eq!(second.replay(&mut buffer).expect("read"), 3);
        assert_eq!(&buffer[..3], b"abc");
        assert!(!second.has_replay());
        second.keep(3, b"def").expect("kept");
        drop(second);
        assert_eq!(fs::read(&path).expect("there"), b"abcdef");

        let third = Partial::open(&path, 5).expect("opened");
        assert!(!third.has_replay(), "longer than the artifact can be");
        remove(&path).expect("removed");
        remove(&path).expect("already gone");
    }
}
