//! The dynamic section of an ELF file: its entries and its strings, as the loader sees them.

use super::RelocateError;
use super::image::{Image, PT_DYNAMIC};

pub(super) const DT_NEEDED: u64 = 1;
pub(super) const DT_STRTAB: u64 = 5;
pub(super) const DT_STRSZ: u64 = 10;
pub(super) const DT_SONAME: u64 = 14;
pub(super) const DT_RPATH: u64 = 15;
pub(super) const DT_RUNPATH: u64 = 29;
const DT_NULL: u64 = 0;

/// The entries of `PT_DYNAMIC` up to the terminating null.
#[derive(Debug)]
pub(super) struct Dynamic<'a> {
    /// Where its bytes start in the file.
    pub start: usize,
    /// How many entries the segment has room for, the terminating null included.
    pub capacity: usize,
    /// Tag and value, in file order.
    pub entries: Vec<(u64, u64)>,
    /// The string table.
    pub strings: &'a [u8],
}

impl<'a> Dynamic<'a> {
    /// Reads the dynamic section of `image`; `None` when the file is static and knows no loader.
    pub fn read(image: &Image, bytes: &'a [u8]) -> Result<Option<Self>, RelocateError> {
        let Some(segment) = image.segments.iter().find(|s| s.kind == PT_DYNAMIC).copied() else {
            return Ok(None);
        };
        let damaged = |what| RelocateError::Damaged { what };
        // The loader reads memory, so the address counts, not the header's own file offset.
        let start = to_usize(image.file_offset(segment.vaddr)?)?;
        let entry = 2 * image.class.word();
        let capacity = to_usize(segment.filesz)? / entry;
        let mut entries = Vec::new();
        for index in 0.. {
            if index >= capacity {
                return Err(damaged("a dynamic section without an end"));
            }
            let at = start + index * entry;
            let tag = image.class.get_word(bytes, at)?;
            if tag == DT_NULL {
                break;
            }
            entries.push((tag, image.class.get_word(bytes, at + image.class.word())?));
        }
        let value = |tag| entries.iter().find(|entry| entry.0 == tag).map(|entry| entry.1);
        let (Some(table), Some(size)) = (value(DT_STRTAB), value(DT_STRSZ)) else {
            return Err(damaged("a dynamic section without strings"));
        };
        let table = to_usize(image.file_offset(table)?)?;
        let strings = table
            .checked_add(to_usize(size)?)
            .and_then(|end| bytes.get(table..end))
            .ok_or(damaged("a string table beyond the end"))?;
        Ok(Some(Self { start, capacity, entries, strings }))
    }

    /// Whether the loader looks for a library on this file's behalf.
    pub fn needs_a_library(&self) -> bool {
        self.entries.iter().any(|entry| entry.0 == DT_NEEDED)
    }

    /// The strings of every entry with `tag`, in file order.
    pub fn strings_of(&self, tag: u64) -> Result<Vec<&'a [u8]>, RelocateError> {
        let entries = self.entries.iter().filter(|entry| entry.0 == tag);
        entries.map(|entry| self.string(entry.1)).collect()
    }

    fn string(&self, offset: u64) -> Result<&'a [u8], RelocateError> {
        let tail = self.strings.get(to_usize(offset)?..);
        let end = tail.and_then(|tail| tail.iter().position(|byte| *byte == 0));
        tail.zip(end)
            .map(|(tail, end)| &tail[..end])
            .ok_or(RelocateError::Damaged { what: "a string without an end" })
    }
}

/// A file offset or size as an index into the bytes.
pub(super) fn to_usize(number: u64) -> Result<usize, RelocateError> {
    // 2^48 is far above any file, and small enough that sums of a few never overflow.
    usize::try_from(number)
        .ok()
        .filter(|_| number < 1 << 48)
        .ok_or(RelocateError::Damaged { what: "an offset beyond any file" })
}
