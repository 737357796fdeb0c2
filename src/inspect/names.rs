//! Names in string tables, with a bound on what all of them together may cost: in a file that means
//! harm, every symbol can have the whole table as its name.

use memchr::memchr;
use object::read::SectionIndex;
use object::read::elf::{FileHeader, SectionHeader, SectionTable};

/// The longest name, in bytes. Those that compilers make for C++ have some thousand at most.
const LONGEST: usize = 1 << 16;

/// What all names of one table may have, in bytes; an entry is bytes of the file.
const MOST_BYTES: usize = 256 << 20;

/// A string table.
pub(super) struct Names<'data> {
    strings: &'data [u8],
    left: usize,
}

impl<'data> Names<'data> {
    /// The table in the section `index`; empty where there is none.
    pub fn of<Elf: FileHeader>(
        sections: &SectionTable<'data, Elf>,
        endian: Elf::Endian,
        data: &'data [u8],
        index: SectionIndex,
    ) -> Self {
        let section = sections.section(index).and_then(|section| section.data(endian, data));
        Self::new(section.unwrap_or_default())
    }

    fn new(strings: &'data [u8]) -> Self {
        Self { strings, left: MOST_BYTES }
    }

    /// The name at `offset`; `None` where it has no end, or where names have cost too much.
    pub fn get(&mut self, offset: u32) -> Option<&'data [u8]> {
        let tail = self.strings.get(usize::try_from(offset).ok()?..)?;
        let most = tail.len().min(LONGEST).min(self.left);
        let found = memchr(0, &tail[..most]);
        self.left -= found.map_or(most, |length| length + 1);
        found.map(|length| &tail[..length])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_and_cost() {
        let long = [vec![b'a'; LONGEST], vec![0]].concat();
        let mut names = Names::new(&long);
        assert_eq!(names.get(0), None);
        assert_eq!(names.get(1).map(<[u8]>::len), Some(LONGEST - 1));
        assert_eq!(names.get(u32::try_from(LONGEST).expect("small")), Some(&b""[..]));
        assert_eq!(names.get(1 << 20), None);
        let times = MOST_BYTES / LONGEST;
        let read = (0..times * 2).filter(|_| names.get(1).is_some()).count();
        assert!(read < times, "{read}");
        assert_eq!(names.get(1), None);
    }
}
