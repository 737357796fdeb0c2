//! The map of an ELF file: its segments and sections with the places of their headers, as far as
//! an edit must know them. Numbers are those of the System V gABI.

use super::RelocateError;
use super::class::Class;

pub(super) const PT_LOAD: u64 = 1;
pub(super) const PT_DYNAMIC: u64 = 2;
pub(super) const PT_INTERP: u64 = 3;
pub(super) const PF_W: u64 = 2;
pub(super) const SHT_STRTAB: u64 = 3;
pub(super) const SHT_DYNAMIC: u64 = 6;
pub(super) const SHT_NOBITS: u64 = 8;
pub(super) const SHF_ALLOC: u64 = 2;
const ET_EXEC: u64 = 2;
const ET_DYN: u64 = 3;

/// A program header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    /// Where its header is in the file.
    pub header: usize,
    pub kind: u64,
    pub flags: u64,
    pub offset: u64,
    pub vaddr: u64,
    pub filesz: u64,
    pub memsz: u64,
    pub align: u64,
}

/// A section header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    /// Where its header is in the file.
    pub header: usize,
    pub kind: u64,
    pub flags: u64,
    pub addr: u64,
    pub offset: u64,
    pub size: u64,
    pub align: u64,
}

/// A dynamic executable or shared library, mapped.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub class: Class,
    pub machine: u64,
    pub phoff: u64,
    pub shoff: u64,
    pub segments: Vec<Segment>,
    pub sections: Vec<Section>,
}

impl Image {
    /// Maps `bytes`; `None` when it is no ELF executable or shared library at all.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, RelocateError> {
        if !bytes.starts_with(b"\x7fELF") {
            return Ok(None);
        }
        let class = match (bytes.get(4), bytes.get(5)) {
            (Some(wide @ 1..=2), Some(order @ 1..=2)) => {
                Class { wide: *wide == 2, big_endian: *order == 2 }
            }
            _ => return Err(RelocateError::Damaged { what: "unknown class or byte order" }),
        };
        if !matches!(class.get(bytes, 16, 2)?, ET_EXEC | ET_DYN) {
            return Ok(None);
        }
        // e_entry, e_phoff and e_shoff are words; flags (4 bytes) and six 2-byte fields follow.
        let word = class.word();
        let tail = 24 + 3 * word;
        let mut image = Self {
            class,
            machine: class.get(bytes, 18, 2)?,
            phoff: class.get_word(bytes, 24 + word)?,
            shoff: class.get_word(bytes, 24 + 2 * word)?,
            segments: Vec::new(),
            sections: Vec::new(),
        };
        let [phentsize, phnum, shentsize, shnum] = [6, 8, 10, 12].map(|at| (tail + at, 2));
        let read = |(at, len)| class.get(bytes, at, len);
        image.segments = image.read_segments(bytes, read(phentsize)?, read(phnum)?)?;
        image.sections = image.read_sections(bytes, read(shentsize)?, read(shnum)?)?;
        Ok(Some(image))
    }

    /// Where the header field `e_phoff` is; `e_shoff` is one word later.
    pub fn phoff_field(&self) -> usize {
        24 + self.class.word()
    }

    /// Bytes in a program header.
    pub fn segment_len(&self) -> u64 {
        if self.class.wide { 56 } else { 32 }
    }

    /// Bytes in a section header.
    pub fn section_len(&self) -> u64 {
        if self.class.wide { 64 } else { 40 }
    }

    /// Where the fields of a segment's header are: offset, vaddr, paddr, filesz, memsz.
    pub fn segment_fields(&self, header: usize) -> [usize; 5] {
        let (first, word) = if self.class.wide { (8, 8) } else { (4, 4) };
        [0, 1, 2, 3, 4].map(|index| header + first + index * word)
    }

    /// Where the fields of a section's header are: addr, offset, size.
    pub fn section_fields(&self, header: usize) -> [usize; 3] {
        let word = self.class.word();
        [1, 2, 3].map(|index| header + 8 + index * word)
    }

    fn read_segments(
        &self,
        bytes: &[u8],
        entry: u64,
        count: u64,
    ) -> Result<Vec<Segment>, RelocateError> {
        if count == 0xffff {
            return Err(RelocateError::Unsupported { what: "more than 65,534 program headers" });
        }
        if count > 0 && entry != self.segment_len() {
            return Err(RelocateError::Damaged { what: "program headers of an unknown size" });
        }
        let class = self.class;
        let flags_at = if class.wide { 4 } else { 24 };
        let align_at = if class.wide { 48 } else { 28 };
        table(self.phoff, entry, count)?
            .map(|header| {
                let [offset, vaddr, _, filesz, memsz] = self.segment_fields(header);
                Ok(Segment {
                    header,
                    kind: class.get(bytes, header, 4)?,
                    flags: class.get(bytes, header + flags_at, 4)?,
                    offset: class.get_word(bytes, offset)?,
                    vaddr: class.get_word(bytes, vaddr)?,
                    filesz: class.get_word(bytes, filesz)?,
                    memsz: class.get_word(bytes, memsz)?,
                    align: class.get_word(bytes, header + align_at)?,
                })
            })
            .collect()
    }

    fn read_sections(
        &self,
        bytes: &[u8],
        entry: u64,
        count: u64,
    ) -> Result<Vec<Section>, RelocateError> {
        if self.shoff == 0 {
            return Ok(Vec::new());
        }
        let (class, word) = (self.class, self.class.word());
        if entry != self.section_len() {
            return Err(RelocateError::Damaged { what: "section headers of an unknown size" });
        }
        let read = |header: usize| {
            let [addr, offset, size] = self.section_fields(header);
            Ok(Section {
                header,
                kind: class.get(bytes, header + 4, 4)?,
                flags: class.get_word(bytes, header + 8)?,
                addr: class.get_word(bytes, addr)?,
                offset: class.get_word(bytes, offset)?,
                size: class.get_word(bytes, size)?,
                align: class.get_word(bytes, header + 16 + 4 * word)?,
            })
        };
        // Files with 65,280 sections or more keep the number in the first header's size.
        let count = if count > 0 {
            count
        } else {
            table(self.shoff, entry, 1)?.map(read).next().transpose()?.map_or(0, |s| s.size)
        };
        if count.checked_mul(entry).is_none_or(|size| size > bytes.len() as u64) {
            return Err(RelocateError::Damaged {
                what: "more section headers than the file holds",
            });
        }
        table(self.shoff, entry, count)?.map(read).collect()
    }

    /// Where in the file the bytes at the virtual address `vaddr` are.
    pub fn file_offset(&self, vaddr: u64) -> Result<u64, RelocateError> {
        self.segments
            .iter()
            .filter(|segment| segment.kind == PT_LOAD)
            .find_map(|segment| {
                let within = vaddr.checked_sub(segment.vaddr)?;
                (within < segment.filesz).then(|| segment.offset.checked_add(within))?
            })
            .ok_or(RelocateError::Damaged { what: "an address that no segment holds" })
    }
}

/// The places of `count` headers of `entry` bytes from `start`.
fn table(start: u64, entry: u64, count: u64) -> Result<impl Iterator<Item = usize>, RelocateError> {
    let end = count.checked_mul(entry).and_then(|size| start.checked_add(size));
    let too_far = RelocateError::Damaged { what: "a header table beyond the end" };
    // One header's worth of slack, so that a field's offset never overflows either.
    let end = end.and_then(|end| end.checked_add(64)).ok_or(too_far.clone())?;
    usize::try_from(end).map_err(|_| too_far)?;
    let place = move |index: u64| usize::try_from(start + index * entry).unwrap_or(usize::MAX);
    Ok((0..count).map(place))
}
