//! What one request brought, whether over HTTP or from a file: a body, where in the artifact it
//! starts, and how long the whole is. Knows no pin.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::fetch::reason::Reason;

/// The successful beginning of an answer.
pub(super) struct Answer {
    /// The bytes from `starts_at` on.
    pub body: Body,
    /// The position of the body's first byte in the artifact.
    pub starts_at: u64,
    /// The length of the whole artifact in bytes, where the other end tells.
    pub total: Option<u64>,
}

/// Where the bytes of an answer come from.
pub(super) enum Body {
    /// The network.
    Http(super::http::Body),
    /// A local file.
    File(File),
    /// Nothing is left to come.
    Nothing,
}

impl Body {
    /// Reads some bytes; 0 at the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Reason> {
        loop {
            let result = match self {
                Self::Http(body) => body.read(buffer),
                Self::File(file) => file.read(buffer).map_err(Reason::File),
                Self::Nothing => Ok(0),
            };
            match result {
                Err(Reason::File(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Whether the bytes cross the network.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Http(_))
    }
}

impl Answer {
    /// Reads the whole body, which may have at most `limit` bytes.
    pub fn read_all(mut self, limit: u64) -> Result<Vec<u8>, Reason> {
        if self.total.is_some_and(|total| total > limit) {
            return Err(Reason::TooLarge(limit));
        }
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match self.body.read(&mut buffer)? {
                0 => return Ok(bytes),
                read => bytes.extend_from_slice(&buffer[..read]),
            }
            if bytes.len() as u64 > limit {
                return Err(Reason::TooLarge(limit));
            }
        }
    }
}

/// Opens a local file at `offset`.
pub(super) fn open_file(path: &Path, offset: u64) -> Result<Answer, Reason> {
    let open = || {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        file.seek(SeekFrom::Start(offset))?;
        let total = Some(metadata.len());
        Ok(Answer { body: Body::File(file), starts_at: offset, total })
    };
    open().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Reason::NotFound,
        _ => Reason::File(error),
    })
}

/// Whether bytes look like the beginning of an HTML page.
pub(super) fn looks_like_web_page(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    [&b"<!doctype html"[..], b"<html", b"<head"]
        .iter()
        .any(|start| text.get(..start.len()).is_some_and(|t| t.eq_ignore_ascii_case(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_pages_are_told_from_archives() {
        assert!(looks_like_web_page(b"\n\n<!DOCTYPE HTML PUBLIC"));
        assert!(looks_like_web_page(b"\xef\xbb\xbf<html lang=\"en\">"));
        assert!(!looks_like_web_page(b"<?xml version=\"1.0\"?>"));
        assert!(!looks_like_web_page(b"!<arch>\ndebian-binary"));
        assert!(!looks_like_web_page(b""));
    }

    #[test]
    fn a_missing_file_is_not_found_and_a_directory_is_no_artifact() {
        let dir = tempfile::tempdir().expect("a directory");
        let missing = open_file(&dir.path().join("missing"), 0);
        assert!(matches!(missing, Err(Reason::NotFound)));
        assert!(matches!(open_file(dir.path(), 0), Err(Reason::File(_))));
    }
}
