//! Which bytes of the file are loaded, and which of them can be executed.

use object::Endianness;
use object::elf;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};

use super::super::IsaError;
use super::Region;

type Regions<'a> = Vec<Region<'a>>;

/// Executable and other bytes, by address. Sections say which bytes of an executable segment are
/// code; what no section counts is code too, since hiding a section must not hide instructions.
pub(super) fn read<'a, H: FileHeader<Endian = Endianness>>(
    header: &H,
    endian: Endianness,
    bytes: &'a [u8],
) -> Result<(Regions<'a>, Regions<'a>), IsaError> {
    let damaged = |part: &'static str| move |source| IsaError::Damaged { part, source };
    let (mut code, mut data) = (Vec::new(), Vec::new());
    let sections = header.sections(endian, bytes).map_err(damaged("the section headers"))?;
    for section in sections.iter() {
        let flags = section.sh_flags(endian).0;
        let empty = matches!(section.sh_type(endian), elf::SHT_NOBITS | elf::SHT_NULL);
        if flags & elf::SHF_ALLOC.0 == 0 || empty {
            continue;
        }
        let content = section.data(endian, bytes).map_err(damaged("a section"))?;
        let name = sections.section_name(endian, section).ok();
        let name = name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or("");
        let region = Region { name, address: section.sh_addr(endian).into(), bytes: content };
        let of = if flags & elf::SHF_EXECINSTR.0 != 0 { &mut code } else { &mut data };
        if !content.is_empty() {
            of.push(region);
        }
    }
    let mut known: Vec<(u64, u64)> =
        code.iter().chain(&data).map(|region| (region.address, region.end())).collect();
    known.sort_unstable();
    let segments = header.program_headers(endian, bytes).map_err(damaged("the program headers"))?;
    let headers = u64::try_from(size_of_val(segments)).unwrap_or(0);
    let headers = headers.saturating_add(header.e_phoff(endian).into());
    for segment in segments.iter().filter(|s| s.p_type(endian) == elf::PT_LOAD) {
        let content = segment.data(endian, bytes).map_err(|()| IsaError::CutShort)?;
        let address: u64 = segment.p_vaddr(endian).into();
        let whole = Region { name: "", address, bytes: content };
        if segment.p_flags(endian).0 & elf::PF_X.0 == 0 {
            if known.is_empty() {
                data.push(whole);
            }
            continue;
        }
        // The file header and the program headers are no instructions.
        let offset: u64 = segment.p_offset(endian).into();
        let skip = if offset == 0 { headers.min(content.len() as u64) } else { 0 };
        unknown_parts(&whole, skip, &known, &mut code);
    }
    for regions in [&mut code, &mut data] {
        regions.sort_by_key(|region| region.address);
    }
    let beyond =
        |region: &Region<'_>| region.address.checked_add(region.bytes.len() as u64).is_none();
    let overlap = code.iter().chain(&data).any(beyond)
        || code.windows(2).any(|pair| pair[0].end() > pair[1].address);
    let size = |of: &Regions<'_>| of.iter().map(|region| region.bytes.len()).sum::<usize>();
    if overlap || size(&code) > bytes.len() || size(&data) > bytes.len().saturating_mul(2) {
        return Err(IsaError::Overlapping);
    }
    Ok((code, data))
}

/// What of an executable segment no section counts, zeros left out.
fn unknown_parts<'a>(
    segment: &Region<'a>,
    skip: u64,
    known: &[(u64, u64)],
    code: &mut Vec<Region<'a>>,
) {
    let mut at = segment.address.saturating_add(skip);
    let mut part = |from: u64, to: u64| {
        let range = usize::try_from(from - segment.address)
            .ok()
            .zip(usize::try_from(to - segment.address).ok());
        let Some(bytes) = range.and_then(|(from, to)| segment.bytes.get(from..to)) else { return };
        if bytes.iter().any(|byte| *byte != 0 && *byte != 0xcc && *byte != 0x90) {
            code.push(Region { name: "", address: from, bytes });
        }
    };
    for (start, end) in known {
        if *start > at && at < segment.end() {
            part(at, (*start).min(segment.end()));
        }
        at = at.max(*end);
    }
    if at < segment.end() {
        part(at, segment.end());
    }
}
