//! Symbol versions that an ELF file asks of its libraries, and which symbols ask. Reads the tables
//! that the loader reads; judges nothing.

use std::collections::BTreeMap;

use object::elf;
use object::read::ReadRef;
use object::read::elf::{FileHeader, Sym};
use object::{Endianness, SymbolIndex};

use super::InspectError;
use super::elf::VersionNeed;
use super::names::Names;
use super::read_elf::{Loaded, damaged, text};

/// More requirements than version indices exist mean a damaged table.
const MOST_NEEDS: usize = 1 << 15;

/// Reads `DT_VERNEED`, and the symbols bound to each version where the section headers lead to them.
pub(super) fn read<Elf: FileHeader<Endian = Endianness>>(
    header: &Elf,
    loaded: &Loaded<'_, Elf>,
) -> Result<Vec<VersionNeed>, InspectError> {
    let (Some(address), Some(count)) =
        (loaded.value(elf::DT_VERNEED), loaded.value(elf::DT_VERNEEDNUM))
    else {
        return Ok(Vec::new());
    };
    let mut symbols = symbols(header, loaded).unwrap_or_default();
    let (endian, table, strings) = (loaded.endian, loaded.bytes_at(address)?, loaded.strings()?);
    let broken = InspectError::Damaged { part: "the version requirements", source: None };
    let mut needs = Vec::new();
    let mut at = 0_u64;
    for _ in 0..count {
        let library: &elf::Verneed<Endianness> = table.read_at(at).map_err(|()| broken.clone())?;
        let name = text(strings, library.vn_file.get(endian).into())?;
        let mut aux_at = at + u64::from(library.vn_aux.get(endian));
        for _ in 0..library.vn_cnt.get(endian) {
            let aux: &elf::Vernaux<Endianness> =
                table.read_at(aux_at).map_err(|()| broken.clone())?;
            if needs.len() == MOST_NEEDS {
                return Err(broken);
            }
            needs.push(VersionNeed {
                library: name.clone(),
                version: text(strings, aux.vna_name.get(endian).into())?,
                weak: aux.vna_flags.get(endian).contains(elf::VER_FLG_WEAK),
                index: aux.vna_other(endian).index().0,
                symbols: symbols.remove(&aux.vna_other(endian).index().0).unwrap_or_default(),
            });
            let next = aux.vna_next.get(endian);
            if next == 0 {
                break;
            }
            aux_at += u64::from(next);
        }
        let next = library.vn_next.get(endian);
        if next == 0 {
            break;
        }
        at += u64::from(next);
    }
    Ok(needs)
}

/// Reads `DT_VERDEF`: the versions that a library has, its own name among them, by their indices.
pub(super) fn defined<Elf: FileHeader<Endian = Endianness>>(
    loaded: &Loaded<'_, Elf>,
) -> Result<Vec<(u16, String)>, InspectError> {
    let (Some(address), Some(count)) =
        (loaded.value(elf::DT_VERDEF), loaded.value(elf::DT_VERDEFNUM))
    else {
        return Ok(Vec::new());
    };
    let (endian, table, strings) = (loaded.endian, loaded.bytes_at(address)?, loaded.strings()?);
    let broken = InspectError::Damaged { part: "the versions of the library", source: None };
    let most = u64::try_from(MOST_NEEDS).unwrap_or_default();
    let (mut names, mut at) = (Vec::new(), 0_u64);
    for _ in 0..count.min(most) {
        let version: &elf::Verdef<Endianness> = table.read_at(at).map_err(|()| broken.clone())?;
        // The first name is the version's, the others are what it builds on.
        let aux = at + u64::from(version.vd_aux.get(endian));
        let aux: &elf::Verdaux<Endianness> = table.read_at(aux).map_err(|()| broken.clone())?;
        let name = text(strings, aux.vda_name.get(endian).into())?;
        names.push((version.vd_ndx.get(endian).0, name));
        let next = version.vd_next.get(endian);
        if next == 0 {
            break;
        }
        at += u64::from(next);
    }
    Ok(names)
}

/// Undefined dynamic symbols by version index, names sorted.
fn symbols<Elf: FileHeader<Endian = Endianness>>(
    header: &Elf,
    loaded: &Loaded<'_, Elf>,
) -> Result<BTreeMap<u16, Vec<String>>, InspectError> {
    let (endian, data) = (loaded.endian, loaded.data);
    let sections = header.sections(endian, data).map_err(damaged("section headers"))?;
    let versions = sections.gnu_versym(endian, data).map_err(damaged("symbol versions"))?;
    let Some((versions, link)) = versions else { return Ok(BTreeMap::new()) };
    let table = sections
        .symbol_table_by_index(endian, data, link)
        .map_err(damaged("the dynamic symbol table"))?;
    let mut strings = Names::of(&sections, endian, data, table.string_section());
    let mut names: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for (SymbolIndex(index), symbol) in table.enumerate() {
        let Some(version) = versions.get(index) else { break };
        if !symbol.is_undefined(endian) {
            continue;
        }
        if let Some(name) = strings.get(symbol.st_name(endian)) {
            let name = String::from_utf8_lossy(name).into_owned();
            names.entry(version.0.get(endian).index().0).or_default().push(name);
        }
    }
    for names in names.values_mut() {
        names.sort_unstable();
    }
    Ok(names)
}
