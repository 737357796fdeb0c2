//! Archives in memory.

use std::io::Write as _;

use tar::{EntryType, Header};

/// A tar archive that grows entry by entry, in GNU format, without any check.
pub struct TarBuilder {
    bytes: Vec<u8>,
}

impl TarBuilder {
    pub fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// An entry as it is given: short names only.
    pub fn raw(
        mut self,
        name: impl AsRef<[u8]>,
        kind: u8,
        mode: u32,
        link: &str,
        contents: &[u8],
    ) -> Self {
        let mut header = Header::new_gnu();
        let gnu = header.as_gnu_mut().expect("gnu");
        gnu.name[..name.as_ref().len()].copy_from_slice(name.as_ref());
        gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(EntryType::new(kind));
        header.set_mode(mode);
        header.set_size(contents.len() as u64);
        header.set_cksum();
        self.bytes.extend_from_slice(header.as_bytes());
        self.contents(contents)
    }

    /// Contents and the zeros after them.
    pub fn contents(mut self, contents: &[u8]) -> Self {
        self.bytes.extend_from_slice(contents);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    /// Any bytes.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub fn file(self, name: &str, contents: &str) -> Self {
        self.raw(name, b'0', 0o644, "", contents.as_bytes())
    }

    pub fn executable(self, name: &str, contents: &str) -> Self {
        self.raw(name, b'0', 0o755, "", contents.as_bytes())
    }

    pub fn directory(self, name: &str) -> Self {
        self.raw(name, b'5', 0o755, "", b"")
    }

    pub fn symlink(self, name: &str, target: &str) -> Self {
        self.raw(name, b'2', 0o777, target, b"")
    }

    pub fn hard_link(self, name: &str, target: &str) -> Self {
        self.raw(name, b'1', 0o644, target, b"")
    }

    /// PAX records for the next entry.
    pub fn pax(self, records: &[(&str, &str)]) -> Self {
        let mut text = Vec::new();
        for (key, value) in records {
            // The length of a record counts its own digits.
            let rest = key.len() + value.len() + 3;
            let digits = (1..6).find(|digits| (rest + digits).to_string().len() == *digits);
            let length = rest + digits.expect("a short record");
            writeln!(text, "{length} {key}={value}").expect("text");
        }
        self.raw("PaxHeaders/x", b'x', 0o644, "", &text)
    }

    /// The archive with its end marker.
    pub fn build(self) -> Vec<u8> {
        let mut bytes = self.bytes;
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }

    /// The archive without an end marker.
    pub fn unfinished(self) -> Vec<u8> {
        self.bytes
    }
}

/// A small archive with every kind of node.
pub fn sample() -> Vec<u8> {
    let contents = "0123456789abcdef".repeat(60_000);
    TarBuilder::new()
        .directory("./")
        .directory("./bin/")
        .executable("./bin/tool", "#!/bin/sh\n")
        .file("./share/large", &contents)
        .directory("./share/empty/")
        .symlink("./share/link", "../bin/tool")
        .build()
}

pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = xz2::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).expect("xz");
    encoder.finish().expect("xz")
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).expect("zstd")
}

/// A Debian package with these members after `debian-binary`.
pub fn deb(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ar::Builder::new(Vec::new());
    for (name, bytes) in [("debian-binary", &b"2.0\n"[..])].iter().chain(members) {
        let header = ar::Header::new(name.as_bytes().to_vec(), bytes.len() as u64);
        builder.append(&header, *bytes).expect("ar");
    }
    builder.into_inner().expect("ar")
}

/// A zip archive of (name, Unix mode with kind, contents).
pub fn zip(entries: &[(&str, u32, &[u8])]) -> Vec<u8> {
    use zip::write::SimpleFileOptions;

    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, mode, contents) in entries {
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .unix_permissions(mode & 0o777);
        match mode & 0o170_000 {
            0o120_000 => {
                let target = std::str::from_utf8(contents).expect("text");
                writer.add_symlink(*name, target, options).expect("zip");
            }
            0o040_000 => writer.add_directory(*name, options).expect("zip"),
            _ => {
                writer.start_file(*name, options).expect("zip");
                writer.write_all(contents).expect("zip");
            }
        }
    }
    writer.finish().expect("zip").into_inner()
}

/// The bytes with every occurrence of `from` replaced by `to`, of the same length.
pub fn replace(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut at = 0;
    while let Some(next) = bytes[at..].windows(from.len()).position(|window| window == from) {
        at += next;
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}
