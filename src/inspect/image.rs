//! As much of a large ELF file as its facts are made of: headers and the tables of dynamic linking.
//! A compiler's libraries have hundreds of megabytes of code that nobody looks at.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use object::Endianness;
use object::elf;
use object::read::FileKind;
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _, SectionHeader as _};

/// Files below this size are read as they are.
const LARGE: u64 = 1 << 20;

/// What is read of a large file before anything is known of it.
const START: usize = 1 << 14;

/// The bytes at their places, and zeros for what says nothing of the file; all bytes, where the file
/// is small, is no ELF file or has its tables elsewhere than its section headers say.
pub fn image(mut file: impl Read + Seek) -> io::Result<Vec<u8>> {
    let size = file.seek(SeekFrom::End(0))?;
    let Some(size) = usize::try_from(size).ok().filter(|_| size >= LARGE) else {
        return whole(file);
    };
    // The system has such pages in memory only once they are written to.
    let mut bytes = vec![0; size];
    fill(&mut file, &mut bytes, 0..START)?;
    let known = match FileKind::parse(&bytes[..]) {
        Ok(FileKind::Elf32) => tables::<elf::FileHeader32<Endianness>>(&mut file, &mut bytes)?,
        Ok(FileKind::Elf64) => tables::<elf::FileHeader64<Endianness>>(&mut file, &mut bytes)?,
        _ => None,
    };
    if known.is_some() { Ok(bytes) } else { whole(file) }
}

fn whole(mut file: impl Read + Seek) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn fill(file: &mut (impl Read + Seek), image: &mut [u8], range: Range<usize>) -> io::Result<()> {
    let start = u64::try_from(range.start).unwrap_or(u64::MAX);
    if let Some(part) = image.get_mut(range) {
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
    }
    Ok(())
}

/// Fills in the tables; `None` where they are not found this way.
fn tables<Elf: FileHeader<Endian = Endianness>>(
    file: &mut (impl Read + Seek),
    image: &mut [u8],
) -> io::Result<Option<()>> {
    let Some(headers) = section_headers::<Elf>(image) else { return Ok(None) };
    fill(file, image, headers)?;
    let Some(ranges) = ranges::<Elf>(image) else { return Ok(None) };
    for range in ranges {
        fill(file, image, range)?;
    }
    Ok(agrees::<Elf>(image))
}

fn range(offset: u64, size: u64) -> Option<Range<usize>> {
    let end = usize::try_from(offset.checked_add(size)?).ok()?;
    Some(usize::try_from(offset).ok()?..end)
}

/// Where the section headers are, if the program headers have been read.
fn section_headers<Elf: FileHeader<Endian = Endianness>>(image: &[u8]) -> Option<Range<usize>> {
    let header = Elf::parse(image).ok()?;
    let endian = header.endian().ok()?;
    let word = |value: Elf::Word| -> u64 { value.into() };
    let (at, count) = (word(header.e_phoff(endian)), u64::from(header.e_phnum(endian)));
    let programs = range(at, count * u64::from(header.e_phentsize(endian)))?;
    let (at, count) = (word(header.e_shoff(endian)), u64::from(header.e_shnum(endian)));
    let sections = range(at, count * u64::from(header.e_shentsize(endian)))?;
    (programs.end <= START && !sections.is_empty() && sections.end <= image.len())
        .then_some(sections)
}

/// Where everything else is that is looked at.
fn ranges<Elf: FileHeader<Endian = Endianness>>(image: &[u8]) -> Option<Vec<Range<usize>>> {
    let header = Elf::parse(image).ok()?;
    let endian = header.endian().ok()?;
    let mut ranges = Vec::new();
    for segment in header.program_headers(endian, image).ok()? {
        if matches!(segment.p_type(endian), elf::PT_INTERP | elf::PT_DYNAMIC) {
            let (offset, size) = segment.file_range(endian);
            ranges.push(range(offset, size)?);
        }
    }
    let names = usize::from(header.e_shstrndx(endian).0);
    for (index, section) in header.section_headers(endian, image).ok()?.iter().enumerate() {
        let loaded = |flags: u64| flags & elf::SHF_ALLOC.0 != 0;
        let wanted = match section.sh_type(endian) {
            elf::SHT_DYNSYM
            | elf::SHT_DYNAMIC
            | elf::SHT_GNU_VERSYM
            | elf::SHT_GNU_VERNEED
            | elf::SHT_GNU_VERDEF
            | elf::SHT_ARM_ATTRIBUTES => true,
            elf::SHT_STRTAB => index == names || loaded(section.sh_flags(endian).0),
            _ => false,
        };
        if let (true, Some((offset, size))) = (wanted, section.file_range(endian)) {
            ranges.push(range(offset, size)?);
        }
    }
    ranges.iter().all(|range| range.end <= image.len()).then_some(ranges)
}

/// Whether the dynamic section, which the loader goes by, names the tables that sections name.
fn agrees<Elf: FileHeader<Endian = Endianness>>(image: &[u8]) -> Option<()> {
    let header = Elf::parse(image).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.section_headers(endian, image).ok()?;
    for segment in header.program_headers(endian, image).ok()? {
        for entry in segment.dynamic(endian, image).ok()?.unwrap_or_default() {
            let kind = match entry.tag(endian) {
                elf::DT_STRTAB => elf::SHT_STRTAB,
                elf::DT_VERNEED => elf::SHT_GNU_VERNEED,
                elf::DT_VERDEF => elf::SHT_GNU_VERDEF,
                _ => continue,
            };
            let address = entry.val(endian);
            let named = |section: &&Elf::SectionHeader| {
                let own: u64 = section.sh_addr(endian).into();
                section.sh_type(endian) == kind && own == address
            };
            sections.iter().find(named)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{Facts, facts};

    fn read(path: &std::path::Path) -> Vec<u8> {
        image(std::fs::File::open(path).expect("a file")).expect("readable")
    }

    #[test]
    fn facts_are_those_of_the_whole_file() {
        // A large program with a symbol table and debug data: this one.
        let own = std::env::current_exe().expect("this program");
        let whole = std::fs::read(&own).expect("readable");
        let image = read(&own);
        assert!(u64::try_from(whole.len()).expect("small") >= LARGE);
        assert_eq!(image.len(), whole.len());
        assert_ne!(image, whole);
        // But for what the symbol table alone has, which is left out.
        let without = |bytes: &[u8]| {
            let Ok(Facts::Elf(mut elf)) = facts(bytes) else { panic!("an ELF file") };
            elf.hardening.c_sources = None;
            elf
        };
        assert_eq!(without(&image), without(&whole));
    }

    #[test]
    fn what_has_no_section_headers_is_read_whole() {
        let own = std::env::current_exe().expect("this program");
        let mut bytes = std::fs::read(&own).expect("readable");
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("stripped");
        // e_shoff, in 64-bit files.
        bytes[40..48].fill(0);
        std::fs::write(&path, &bytes).expect("written");
        assert_eq!(read(&path), bytes);
        std::fs::write(&path, vec![7; 2 << 20]).expect("written");
        assert_eq!(read(&path), vec![7; 2 << 20]);
    }
}
