//! Writes a `DT_RUNPATH` into an ELF file without moving anything that is loaded.
//!
//! The last loaded segment grows: behind its zero-initialised data, which becomes file content, come
//! a longer copy of the string table and, only where the old one has no free entry, a copy of the
//! dynamic section. What is behind the segment in the file (debug information, section headers)
//! moves up. No program header is added, so the table stays where kernel and loader look for it.

use super::RelocateError;
use super::dynamic::{DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB, Dynamic, to_usize};
use super::image::{
    Image, PF_W, PT_DYNAMIC, PT_LOAD, SHF_ALLOC, SHT_DYNAMIC, SHT_NOBITS, SHT_STRTAB, Segment,
};

/// The most zero-initialised data that is worth keeping in a file. Host tools have a few megabytes.
const MOST_ZEROS: u64 = 256 << 20;
/// MIPS finds its debugger hook relative to a dynamic entry, so there the section cannot move.
const EM_MIPS: u64 = 8;

/// Gives the ELF file `bytes` the library search path `runpath`, in place of any that it has.
///
/// `None`: there is nothing to do, because `bytes` is not ELF, is static, needs no library, or has
/// exactly this path. The same input always gives the same bytes.
pub fn set_runpath(bytes: &[u8], runpath: &str) -> Result<Option<Vec<u8>>, RelocateError> {
    if runpath.is_empty() || runpath.contains('\0') {
        return Err(RelocateError::Runpath { runpath: runpath.to_owned() });
    }
    let Some(image) = Image::parse(bytes)? else { return Ok(None) };
    let Some(dynamic) = Dynamic::read(&image, bytes)? else { return Ok(None) };
    if !dynamic.needs_a_library() {
        return Ok(None);
    }
    let present = dynamic.strings_of(DT_RUNPATH)?;
    if present == [runpath.as_bytes()] && dynamic.strings_of(DT_RPATH)?.is_empty() {
        return Ok(None);
    }
    Edit::plan(&image, &dynamic, bytes, runpath)?.apply(bytes).map(Some)
}

/// The same for any strings, which end up at the end of the string table; the first, up to a NUL,
/// is the path.
pub(super) fn append(
    image: &Image,
    dynamic: &Dynamic<'_>,
    bytes: &[u8],
    strings: &str,
) -> Result<Vec<u8>, RelocateError> {
    Edit::plan(image, dynamic, bytes, strings)?.apply(bytes)
}

/// Everything that is decided before the first byte is copied.
struct Edit<'a> {
    image: &'a Image,
    dynamic: &'a Dynamic<'a>,
    runpath: &'a str,
    /// The loaded segment with the highest addresses: the one that grows.
    last: Segment,
    /// Where that segment's content ended in the file.
    point: usize,
    /// How far everything from there on moves, in bytes.
    shift: usize,
    /// Where the new string table is in the result.
    strings: usize,
    /// Where the dynamic section is in the result.
    entries: usize,
    /// Where the segment's content ends in the result.
    end: usize,
}

impl<'a> Edit<'a> {
    fn plan(
        image: &'a Image,
        dynamic: &'a Dynamic<'a>,
        bytes: &[u8],
        runpath: &'a str,
    ) -> Result<Self, RelocateError> {
        let damaged = |what| RelocateError::Damaged { what };
        let unsupported = |what| RelocateError::Unsupported { what };
        let loaded = image.segments.iter().filter(|segment| segment.kind == PT_LOAD);
        let last = *loaded
            .max_by_key(|segment| segment.vaddr.saturating_add(segment.memsz))
            .ok_or(damaged("nothing is loaded"))?;
        let zeros = last.memsz.checked_sub(last.filesz).ok_or(damaged("a segment's sizes"))?;
        if zeros > MOST_ZEROS {
            return Err(unsupported("too much zero-initialised data"));
        }
        let point = to_usize(last.offset)? + to_usize(last.filesz)?;
        if point > bytes.len() {
            return Err(damaged("a segment beyond the end"));
        }
        let word = image.class.word();
        // So that what is aligned in the file is aligned in memory.
        if last.vaddr % 8 != last.offset % 8 {
            return Err(damaged("a segment whose address and offset disagree"));
        }
        let strings = (point + to_usize(zeros)?).next_multiple_of(8);
        let strings_end = strings + dynamic.strings.len() + runpath.len() + 1;
        let fits = new_entries(dynamic, 0, 0).len() < dynamic.capacity;
        let (entries, end) = if fits {
            (dynamic.start, strings_end)
        } else if last.flags & PF_W == 0 || image.machine == EM_MIPS {
            return Err(unsupported("no free dynamic entry, and no place for another table"));
        } else {
            // Twice one entry: ours and the terminating null.
            let start = strings_end.next_multiple_of(8);
            (start, start + (dynamic.entries.len() + 2) * 2 * word)
        };
        if last.vaddr.checked_add(end as u64 - last.offset).is_none() {
            return Err(damaged("a segment at the end of all addresses"));
        }
        let mut edit =
            Self { image, dynamic, runpath, last, point, shift: 0, strings, entries, end };
        edit.shift = (end - point).next_multiple_of(edit.alignment()?);
        Ok(edit)
    }

    /// What the shift must be a multiple of, so that all that moves stays aligned. Refuses files in
    /// which something lies across the place where the segment grows.
    fn alignment(&self) -> Result<usize, RelocateError> {
        let point = self.point as u64;
        let mut alignment = 16;
        let mut meet = |offset: u64, size: u64, align: u64| {
            if offset < point && offset.saturating_add(size) > point {
                return Err(RelocateError::Unsupported { what: "parts that overlap in the file" });
            }
            if offset >= point && align.is_power_of_two() {
                alignment = alignment.max(align);
            }
            Ok(())
        };
        let (segments, sections) = (self.image.segments.len(), self.image.sections.len());
        let word = self.image.class.word() as u64;
        meet(self.image.phoff, segments as u64 * self.image.segment_len(), word)?;
        meet(self.image.shoff, sections as u64 * self.image.section_len(), word)?;
        for segment in &self.image.segments {
            meet(
                segment.offset,
                segment.filesz,
                if self.moves(segment) { segment.align } else { 1 },
            )?;
        }
        for section in &self.image.sections {
            if section.kind != SHT_NOBITS {
                meet(section.offset, section.size, section.align)?;
            }
        }
        to_usize(alignment)
            .ok()
            .filter(|alignment| *alignment <= 4 << 20)
            .ok_or(RelocateError::Unsupported { what: "an alignment of more than four megabytes" })
    }

    /// Whether the content of `segment` is behind the segment that grows.
    fn moves(&self, segment: &Segment) -> bool {
        segment.filesz > 0 && segment.offset >= self.point as u64
    }

    fn apply(&self, bytes: &[u8]) -> Result<Vec<u8>, RelocateError> {
        let mut out = Vec::with_capacity(bytes.len() + self.shift);
        out.extend_from_slice(&bytes[..self.point]);
        out.resize(self.strings, 0);
        out.extend_from_slice(self.dynamic.strings);
        out.extend_from_slice(self.runpath.as_bytes());
        out.resize(self.point + self.shift, 0);
        out.extend_from_slice(&bytes[self.point..]);
        self.write_dynamic(&mut out)?;
        self.write_headers(&mut out)?;
        Ok(out)
    }

    /// The address of the byte at `offset` in the segment that grows.
    fn address(&self, offset: usize) -> u64 {
        offset as u64 - self.last.offset + self.last.vaddr
    }

    fn strings_len(&self) -> usize {
        self.dynamic.strings.len() + self.runpath.len() + 1
    }

    fn moved_dynamic(&self) -> bool {
        self.entries != self.dynamic.start
    }

    fn write_dynamic(&self, out: &mut [u8]) -> Result<(), RelocateError> {
        let (class, word) = (self.image.class, self.image.class.word());
        let mut at = match self.entries {
            moved if self.moved_dynamic() => moved,
            same => self.moved(same as u64)?,
        };
        let mut entries = new_entries(self.dynamic, self.address(self.strings), self.strings_len());
        // Nulls over what is left when two old paths became one, and behind the last entry.
        let kept = entries.len().max(self.dynamic.entries.len());
        entries.resize(kept, (0, 0));
        if kept < self.dynamic.capacity || self.moved_dynamic() {
            entries.push((0, 0));
        }
        for (tag, value) in entries {
            class.put_word(out, at, tag)?;
            class.put_word(out, at + word, value)?;
            at += 2 * word;
        }
        Ok(())
    }

    /// Where the byte that was at `offset` is in the result.
    fn moved(&self, offset: u64) -> Result<usize, RelocateError> {
        let offset = to_usize(offset)?;
        Ok(if offset >= self.point { offset + self.shift } else { offset })
    }

    fn write_headers(&self, out: &mut [u8]) -> Result<(), RelocateError> {
        let (image, class) = (self.image, self.image.class);
        let field = image.phoff_field();
        class.put_word(out, field, self.moved(image.phoff)? as u64)?;
        if image.shoff != 0 {
            class.put_word(out, field + class.word(), self.moved(image.shoff)? as u64)?;
        }
        for segment in &image.segments {
            let header = self.moved(segment.header as u64)?;
            let [offset, vaddr, paddr, filesz, memsz] = image.segment_fields(header);
            if segment.header == self.last.header {
                let size = self.end as u64 - self.last.offset;
                class.put_word(out, filesz, size)?;
                class.put_word(out, memsz, size)?;
            } else if segment.kind == PT_DYNAMIC && self.moved_dynamic() {
                let (size, address) = (self.end - self.entries, self.address(self.entries));
                for (field, value) in [
                    (offset, self.entries as u64),
                    (vaddr, address),
                    (paddr, address),
                    (filesz, size as u64),
                    (memsz, size as u64),
                ] {
                    class.put_word(out, field, value)?;
                }
            } else if self.moves(segment) {
                class.put_word(out, offset, self.moved(segment.offset)? as u64)?;
            }
        }
        self.write_sections(out)
    }

    fn write_sections(&self, out: &mut [u8]) -> Result<(), RelocateError> {
        let (image, class) = (self.image, self.image.class);
        let strings = self.dynamic.entries.iter().find(|entry| entry.0 == DT_STRTAB);
        let strings = strings.map(|entry| entry.1);
        let memory = self.last.vaddr..=self.last.vaddr + self.last.memsz;
        for section in &image.sections {
            let header = self.moved(section.header as u64)?;
            let [addr, offset, size] = image.section_fields(header);
            let loaded = section.flags & SHF_ALLOC != 0;
            let relocated = match section.kind {
                SHT_STRTAB if loaded && strings == Some(section.addr) => {
                    Some((self.strings, self.strings_len()))
                }
                SHT_DYNAMIC if self.moved_dynamic() => {
                    Some((self.entries, self.end - self.entries))
                }
                _ => None,
            };
            if let Some((start, len)) = relocated {
                class.put_word(out, addr, self.address(start))?;
                class.put_word(out, offset, start as u64)?;
                class.put_word(out, size, len as u64)?;
            } else if section.kind != SHT_NOBITS
                && section.offset >= self.point as u64
                && !(loaded && memory.contains(&section.addr))
            {
                class.put_word(out, offset, self.moved(section.offset)? as u64)?;
            }
        }
        Ok(())
    }
}

/// The entries with one `DT_RUNPATH`, at the place of the first old path or at the end.
fn new_entries(dynamic: &Dynamic<'_>, strings: u64, strings_len: usize) -> Vec<(u64, u64)> {
    let runpath = (DT_RUNPATH, dynamic.strings.len() as u64);
    let mut placed = false;
    let mut entries: Vec<(u64, u64)> = Vec::with_capacity(dynamic.entries.len() + 2);
    for (tag, value) in &dynamic.entries {
        match *tag {
            DT_RPATH | DT_RUNPATH if placed => {}
            DT_RPATH | DT_RUNPATH => {
                placed = true;
                entries.push(runpath);
            }
            DT_STRTAB => entries.push((DT_STRTAB, strings)),
            DT_STRSZ => entries.push((DT_STRSZ, strings_len as u64)),
            _ => entries.push((*tag, *value)),
        }
    }
    if !placed {
        entries.push(runpath);
    }
    entries
}
