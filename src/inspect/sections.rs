//! The sections of a file: where they are, how big, and which are compressed. It judges nothing.

use object::elf;
use object::read::elf::{CompressionHeader, FileHeader, SectionHeader};
use object::{Endianness, SectionIndex};
use serde::Serialize;

use super::names::Names;

/// More sections than this are not listed: a damaged header could name as many as bytes allow.
const MOST_SECTIONS: usize = 1 << 16;

/// How a section is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Packed {
    /// A zlib stream.
    Zlib,
    /// Zstandard frames.
    Zstd,
    /// In a way that is not known here.
    Other,
}

/// A section that has bytes in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Its bytes in the file.
    pub size: u64,
    /// How they are compressed, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packed: Option<Packed>,
    /// Where its content begins in the file, after a header of compression.
    #[serde(skip)]
    pub offset: u64,
    /// The bytes of its content in the file.
    #[serde(skip)]
    pub content: u64,
}

/// Reads them; none where the headers are missing or damaged.
pub(super) fn read<Elf: FileHeader<Endian = Endianness>>(
    header: &Elf,
    endian: Endianness,
    data: &[u8],
) -> Vec<Section> {
    let Ok(sections) = header.sections(endian, data) else { return Vec::new() };
    let strings = header.section_strings_index(endian, data).unwrap_or(SectionIndex(0));
    let mut names = Names::of(&sections, endian, data, strings);
    let of = |section: &Elf::SectionHeader| {
        let (start, size) = section.file_range(endian).filter(|range| range.1 > 0)?;
        let name = names.get(section.sh_name(endian)).unwrap_or_default();
        let name = String::from_utf8_lossy(name).into_owned();
        let plain = Section { name, size, packed: None, offset: start, content: size };
        if let Ok(Some((header, offset, content))) = section.compression(endian, data) {
            let packed = match header.ch_type(endian) {
                elf::ELFCOMPRESS_ZLIB => Packed::Zlib,
                elf::ELFCOMPRESS_ZSTD => Packed::Zstd,
                _ => Packed::Other,
            };
            return Some(Section { packed: Some(packed), offset, content, ..plain });
        }
        // What GNU tools wrote before there was a standard: "ZLIB" and the size, 12 bytes.
        if plain.name.starts_with(".zdebug") && size > 12 {
            let (offset, content) = (start + 12, size - 12);
            return Some(Section { packed: Some(Packed::Zlib), offset, content, ..plain });
        }
        Some(plain)
    };
    sections.iter().take(MOST_SECTIONS).filter_map(of).collect()
}
