//! What some bytes are, by their content: names and extensions lie.

use std::io::{BufRead, Chain, Cursor, Read};

use super::decode::Compression;
use super::{UnpackError, read_error};

/// As much of the start as is looked at: one tar header.
const HEAD: usize = 512;

/// What the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A tar archive.
    Tar,
    /// A compressed stream.
    Compressed(Compression),
    /// A zip archive.
    Zip,
    /// An ar archive, as Debian packages are.
    Ar,
}

/// A reader whose first bytes were looked at and put back.
pub(super) type Sniffed<R> = Chain<Cursor<Vec<u8>>, R>;

/// Looks at the first bytes and gives them back in front of the rest.
pub(super) fn sniff<R: BufRead>(mut input: R) -> Result<(Format, Sniffed<R>), UnpackError> {
    let mut head = Vec::with_capacity(HEAD);
    input.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(read_error)?;
    let format = recognise(&head)?;
    Ok((format, Cursor::new(head).chain(input)))
}

fn recognise(head: &[u8]) -> Result<Format, UnpackError> {
    match head {
        [] => Err(UnpackError::Empty),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Ok(Format::Compressed(Compression::Xz)),
        [0x1f, 0x8b, ..] => Ok(Format::Compressed(Compression::Gzip)),
        // A frame, or a skippable frame, as parallel compressors put first.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Ok(Format::Compressed(Compression::Zstd))
        }
        // The first entry, or the end record of an archive without entries.
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Ok(Format::Zip),
        _ if head.starts_with(b"!<arch>\n") => Ok(Format::Ar),
        _ if is_tar(head) => Ok(Format::Tar),
        _ if is_html(head) => Err(UnpackError::WebPage),
        _ => Err(UnpackError::UnknownFormat {
            start: head[..head.len().min(16)].escape_ascii().to_string(),
        }),
    }
}

/// A header whose checksum is right (that covers archives older than the `ustar` magic), or the
/// zeros that an archive without entries consists of.
fn is_tar(head: &[u8]) -> bool {
    let Ok(header) = <&[u8; HEAD]>::try_from(head) else {
        return head.get(257..262) == Some(b"ustar");
    };
    if header.iter().all(|byte| *byte == 0) || header[257..262] == *b"ustar" {
        return true;
    }
    let spaces = 8 * u32::from(b' ');
    let others = header[..148].iter().chain(&header[156..]);
    let sum = spaces + others.map(|byte| u32::from(*byte)).sum::<u32>();
    let field = header[148..156].split(|byte| matches!(byte, 0 | b' ')).find(|f| !f.is_empty());
    let stored = field.and_then(|digits| std::str::from_utf8(digits).ok());
    stored.and_then(|digits| u32::from_str_radix(digits, 8).ok()) == Some(sum)
}

fn is_html(head: &[u8]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    [&b"<!doctype"[..], b"<html"]
        .iter()
        .any(|tag| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_decides() {
        for (head, format) in [
            (&b"\xfd7zXZ\0"[..], Format::Compressed(Compression::Xz)),
            (b"\x1f\x8b\x08", Format::Compressed(Compression::Gzip)),
            (b"\x28\xb5\x2f\xfd", Format::Compressed(Compression::Zstd)),
            (b"\x50\x2a\x4d\x18", Format::Compressed(Compression::Zstd)),
            (b"PK\x03\x04", Format::Zip),
            (b"!<arch>\ndebian-binary", Format::Ar),
            (&[0; 512], Format::Tar),
        ] {
            assert_eq!(recognise(head).expect("known"), format);
        }
    }

    #[test]
    fn an_old_tar_header_is_known_by_its_checksum() {
        let mut header = tar::Header::new_old();
        header.set_path("file").expect("path");
        header.set_size(0);
        header.set_cksum();
        assert_eq!(recognise(header.as_bytes()).expect("known"), Format::Tar);
        let mut wrong = *header.as_bytes();
        wrong[0] = b'g';
        assert!(matches!(recognise(&wrong), Err(UnpackError::UnknownFormat { .. })));
    }

    #[test]
    fn web_pages_and_nonsense_have_their_errors() {
        for page in ["<!DOCTYPE html>", "\n <HTML lang=en>", "\u{feff}<!doctype html>"] {
            assert!(matches!(recognise(page.as_bytes()), Err(UnpackError::WebPage)));
        }
        assert!(matches!(recognise(b""), Err(UnpackError::Empty)));
        let error = recognise(b"BZh9\x01").expect_err("unknown");
        assert!(error.to_string().ends_with("starts with `BZh9\\x01`"), "{error}");
    }
}
