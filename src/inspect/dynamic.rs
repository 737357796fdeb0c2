//! What a file wants of other files' symbols, and what it gives: its dynamic symbol table, with
//! versions. Reads through section headers, without which the table has no certain end.

use std::collections::{BTreeMap, BTreeSet};

use object::Endianness;
use object::elf::{DT_NEEDED, DT_SYMTAB, FileHeader32, FileHeader64, SHT_DYNSYM, STB_WEAK};
use object::read::FileKind;
use object::read::elf::{FileHeader, Sym};

use super::elf::VersionNeed;
use super::names::Names;
use super::read_elf::{Loaded, damaged};
use super::{InspectError, versions};

/// A symbol that another file has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its name.
    pub name: String,
    /// The version that is asked for.
    pub version: Option<String>,
    /// The library that is to have this version.
    pub library: Option<String>,
    /// Nobody needs to have it.
    pub weak: bool,
}

/// What a shared library gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exports {
    /// The versions of each symbol; `None` among them where one has no version.
    pub symbols: BTreeMap<String, BTreeSet<Option<String>>>,
    /// The libraries that it needs itself.
    pub needed: Vec<String>,
}

impl Exports {
    /// Whether it has what is asked for, as glibc's loader decides: a library without versions
    /// answers every version.
    pub fn has(&self, import: &Import) -> bool {
        let Some(versions) = self.symbols.get(&import.name) else { return false };
        import.version.is_none() || versions.contains(&None) || versions.contains(&import.version)
    }
}

/// The symbols that are undefined in a file whose needs are `needs`; `None` where it has a dynamic
/// section and no section header leads to its symbols.
pub(super) fn imports<Elf: FileHeader<Endian = Endianness>>(
    header: &Elf,
    loaded: &Loaded<'_, Elf>,
    needs: &[VersionNeed],
) -> Option<Vec<Import>> {
    let endian = loaded.endian;
    let by_index: BTreeMap<u16, &VersionNeed> =
        needs.iter().map(|need| (need.index, need)).collect();
    let mut imports = Vec::new();
    let found = each(header, endian, loaded.data, |name, symbol, index| {
        if symbol.is_undefined(endian) && !name.is_empty() {
            let need = index.and_then(|index| by_index.get(&index));
            imports.push(Import {
                name,
                version: need.map(|need| need.version.clone()),
                library: need.map(|need| need.library.clone()),
                weak: symbol.st_bind() == STB_WEAK,
            });
        }
    });
    match found {
        Ok(true) => Some(imports),
        _ => loaded.value(DT_SYMTAB).is_none().then(Vec::new),
    }
}

/// What the shared library `data` gives.
pub fn exports(data: &[u8]) -> Result<Exports, InspectError> {
    match FileKind::parse(data) {
        Ok(FileKind::Elf32) => exports_of::<FileHeader32<Endianness>>(data),
        Ok(FileKind::Elf64) => exports_of::<FileHeader64<Endianness>>(data),
        _ => Err(InspectError::NotABinary),
    }
}

fn exports_of<Elf: FileHeader<Endian = Endianness>>(data: &[u8]) -> Result<Exports, InspectError> {
    let header = Elf::parse(data).map_err(damaged("the file header"))?;
    let endian = header.endian().map_err(damaged("the byte order"))?;
    let loaded: Loaded<'_, Elf> = Loaded::read(header, endian, data)?;
    let versions: BTreeMap<u16, String> = versions::defined(&loaded)?.into_iter().collect();
    let mut exports = Exports { needed: loaded.texts(DT_NEEDED)?, ..Exports::default() };
    each(header, endian, data, |name, symbol, index| {
        if !symbol.is_undefined(endian) && !symbol.is_local() {
            let version = index.and_then(|index| versions.get(&index)).cloned();
            exports.symbols.entry(name).or_default().insert(version);
        }
    })?;
    Ok(exports)
}

/// Calls `with` for each dynamic symbol: name, symbol, and the index of its version. Says whether
/// there is a table.
fn each<Elf: FileHeader<Endian = Endianness>>(
    header: &Elf,
    endian: Endianness,
    data: &[u8],
    mut with: impl FnMut(String, &Elf::Sym, Option<u16>),
) -> Result<bool, InspectError> {
    let sections = header.sections(endian, data).map_err(damaged("section headers"))?;
    let table = sections.symbols(endian, data, SHT_DYNSYM);
    let table = table.map_err(damaged("the dynamic symbol table"))?;
    if table.is_empty() {
        return Ok(false);
    }
    let versions = sections.gnu_versym(endian, data).map_err(damaged("symbol versions"))?;
    let versions = versions.map(|(versions, _)| versions).unwrap_or_default();
    let mut names = Names::of(&sections, endian, data, table.string_section());
    for (index, symbol) in table.enumerate().skip(1) {
        let Some(name) = names.get(symbol.st_name(endian)) else { continue };
        let version = versions.get(index.0).map(|version| version.0.get(endian).index());
        // Local and global: no version.
        let version = version.filter(|version| !version.is_special()).map(|version| version.0);
        with(String::from_utf8_lossy(name).into_owned(), symbol, version);
    }
    Ok(true)
}
