//! Reads the facts of an ELF file as the kernel and the loader would: through program headers and
//! addresses, so that a file without section headers hides nothing but symbol names.

use object::Endianness;
use object::elf;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

use super::elf::{ElfFacts, Kind, Machine};
use super::{InspectError, arm, dynamic, hardening, sections as section_list, versions};

/// The longest name of a library or version and the longest search path, in bytes.
const LONGEST_TEXT: usize = 1 << 14;

/// How many entries of one kind the dynamic section is believed to have.
const MOST_TEXTS: usize = 1 << 12;

/// What is loaded, and the dynamic section in it.
pub(super) struct Loaded<'data, Elf: FileHeader<Endian = Endianness>> {
    pub endian: Endianness,
    pub data: &'data [u8],
    pub segments: &'data [Elf::ProgramHeader],
    /// Tag and value up to the terminating null; empty for static files.
    dynamic: Vec<(i64, u64)>,
}

impl<'data, Elf: FileHeader<Endian = Endianness>> Loaded<'data, Elf> {
    pub fn read(header: &Elf, endian: Endianness, data: &'data [u8]) -> Result<Self, InspectError> {
        let segments = header.program_headers(endian, data).map_err(damaged("program headers"))?;
        let mut dynamic = Vec::new();
        for segment in segments {
            let entries = segment.dynamic(endian, data).map_err(damaged("the dynamic section"))?;
            let entries = entries.unwrap_or_default().iter();
            let entries = entries.map(|entry| (entry.tag(endian).0, entry.val(endian)));
            dynamic.extend(entries.take_while(|entry| entry.0 != elf::DT_NULL.0));
        }
        Ok(Self { endian, data, segments, dynamic })
    }

    /// The first value of `tag` in the dynamic section.
    pub fn value(&self, tag: elf::DynamicTag) -> Option<u64> {
        self.dynamic.iter().find(|entry| entry.0 == tag.0).map(|entry| entry.1)
    }

    /// The bytes from `address` to the end of the segment's content.
    pub fn bytes_at(&self, address: u64) -> Result<&'data [u8], InspectError> {
        let mut loaded = self.segments.iter().filter(|s| s.p_type(self.endian) == elf::PT_LOAD);
        loaded
            .find_map(|segment| {
                let start: u64 = segment.p_vaddr(self.endian).into();
                let within = usize::try_from(address.checked_sub(start)?).ok()?;
                let content = segment.data(self.endian, self.data).ok()?;
                content.get(within..).filter(|rest| !rest.is_empty())
            })
            .ok_or(InspectError::Damaged {
                part: "an address outside of all segments",
                source: None,
            })
    }

    /// The dynamic string table.
    pub fn strings(&self) -> Result<&'data [u8], InspectError> {
        let Some(address) = self.value(elf::DT_STRTAB) else { return Ok(&[]) };
        let bytes = self.bytes_at(address)?;
        let size = self.value(elf::DT_STRSZ).and_then(|size| usize::try_from(size).ok());
        Ok(size.and_then(|size| bytes.get(..size)).unwrap_or(bytes))
    }

    pub fn texts(&self, tag: elf::DynamicTag) -> Result<Vec<String>, InspectError> {
        let entries = self.dynamic.iter().filter(|entry| entry.0 == tag.0).take(MOST_TEXTS);
        entries.map(|entry| text(self.strings()?, entry.1)).collect()
    }

    fn interpreter(&self) -> Result<Option<String>, InspectError> {
        for segment in self.segments {
            let name = segment.interpreter(self.endian, self.data);
            if let Some(name) = name.map_err(damaged("the interpreter"))? {
                return Ok(Some(String::from_utf8_lossy(name).into_owned()));
            }
        }
        Ok(None)
    }
}

/// The NUL-terminated text at `offset` of a string table.
pub(super) fn text(strings: &[u8], offset: u64) -> Result<String, InspectError> {
    let tail = usize::try_from(offset).ok().and_then(|offset| strings.get(offset..));
    let tail = tail.map(|tail| &tail[..tail.len().min(LONGEST_TEXT)]);
    let end = tail.and_then(|tail| tail.iter().position(|byte| *byte == 0));
    tail.zip(end)
        .map(|(tail, end)| String::from_utf8_lossy(&tail[..end]).into_owned())
        .ok_or(InspectError::Damaged { part: "a name without an end", source: None })
}

/// Maps the reader's error to ours.
pub(super) fn damaged(part: &'static str) -> impl Fn(object::read::Error) -> InspectError {
    move |source| InspectError::Damaged { part, source: Some(source) }
}

/// The names of the versions that the library `data` has.
pub(super) fn defined<Elf: FileHeader<Endian = Endianness>>(
    data: &[u8],
) -> Result<Vec<String>, InspectError> {
    let header = Elf::parse(data).map_err(damaged("the file header"))?;
    let endian = header.endian().map_err(damaged("the byte order"))?;
    let loaded: Loaded<'_, Elf> = Loaded::read(header, endian, data)?;
    Ok(versions::defined(&loaded)?.into_iter().map(|(_, name)| name).collect())
}

/// Reads all facts of the ELF file `data`.
pub(super) fn read<Elf: FileHeader<Endian = Endianness>>(
    data: &[u8],
) -> Result<ElfFacts, InspectError> {
    let header = Elf::parse(data).map_err(damaged("the file header"))?;
    let endian = header.endian().map_err(damaged("the byte order"))?;
    let loaded: Loaded<'_, Elf> = Loaded::read(header, endian, data)?;
    // Section headers may be gone; what they tell is extra.
    let sections = header.section_headers(endian, data).unwrap_or_default();
    let (machine, flags) = (Machine(header.e_machine(endian).0), header.e_flags(endian).0);
    let interpreter = loaded.interpreter()?;
    let needed = loaded.texts(elf::DT_NEEDED)?;
    let first = |tag| loaded.texts(tag).map(|texts| texts.into_iter().next());
    let soname = first(elf::DT_SONAME)?;
    let pie = loaded.value(elf::DT_FLAGS_1).is_some_and(|flags| flags & elf::DF_1_PIE.0 != 0);
    let is_started = interpreter.is_some();
    let kind = match header.e_type(endian) {
        elf::ET_REL => Kind::Relocatable,
        elf::ET_EXEC if is_started || !needed.is_empty() => Kind::Dynamic,
        elf::ET_EXEC => Kind::Static,
        // The C library itself has an interpreter, and a name.
        elf::ET_DYN if is_started && !pie && soname.is_some() => Kind::SharedLibrary,
        elf::ET_DYN if is_started || (pie && !needed.is_empty()) => Kind::DynamicPie,
        elf::ET_DYN if pie => Kind::StaticPie,
        elf::ET_DYN => Kind::SharedLibrary,
        _ => Kind::Other,
    };
    let arm = (machine == Machine::ARM).then(|| arm::read::<Elf>(flags, endian, data, sections));
    let version_needs = versions::read(header, &loaded)?;
    let imports = dynamic::imports(header, &loaded, &version_needs);
    let hardening = hardening::read(header, &loaded, imports.as_deref().unwrap_or_default());
    Ok(ElfFacts {
        machine,
        bits: if header.is_class_64() { 64 } else { 32 },
        big_endian: header.is_big_endian(),
        os_abi: header.e_ident().os_abi.0,
        flags,
        arm,
        kind,
        interpreter,
        needed,
        soname,
        runpath: first(elf::DT_RUNPATH)?.or(first(elf::DT_RPATH)?),
        version_needs,
        imports,
        hardening,
        sections: section_list::read(header, endian, data),
    })
}
