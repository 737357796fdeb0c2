//! The oldest glibc on which a file starts, from the versions that it asks for.

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::FileKind;

use super::elf::{ElfFacts, VersionNeed};
use super::read_elf::defined;

/// What a file asks of glibc.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GlibcNeed {
    /// The highest version, as (major, minor).
    pub version: Option<(u32, u32)>,
    /// The symbols that ask for it, sorted; may be empty.
    pub symbols: Vec<String>,
    /// Symbols bound to `GLIBC_PRIVATE`, or that name itself where none is: they work with one
    /// build of glibc only.
    pub private: Vec<String>,
    /// `GLIBC_…` names that are no version and whose first glibc is not known here.
    pub unknown: Vec<String>,
}

/// Adds up the version requirements, weak ones included, as the loader rejects them too.
pub fn glibc_need(facts: &ElfFacts) -> GlibcNeed {
    let mut need = GlibcNeed::default();
    let of_glibc = facts.version_needs.iter().filter(|need| need.version.starts_with("GLIBC_"));
    for requirement in of_glibc {
        let VersionNeed { version, symbols, .. } = requirement;
        let Some(number) = version_number(version) else {
            let list =
                if version == "GLIBC_PRIVATE" { &mut need.private } else { &mut need.unknown };
            list.extend(symbols.iter().cloned());
            if symbols.is_empty() || version != "GLIBC_PRIVATE" {
                list.push(version.clone());
            }
            continue;
        };
        if need.version < Some(number) {
            need.version = Some(number);
            need.symbols.clear();
        }
        if need.version == Some(number) {
            need.symbols.extend(symbols.iter().cloned());
            if symbols.is_empty() {
                need.symbols.push(version.clone());
            }
        }
    }
    need.symbols.sort();
    need
}

/// Which glibc `libc` (the bytes of `libc.so.6`) is, by the newest version of its symbols.
pub fn glibc_of(libc: &[u8]) -> Option<(u32, u32)> {
    let names = match FileKind::parse(libc).ok()? {
        FileKind::Elf32 => defined::<FileHeader32<Endianness>>(libc).ok()?,
        FileKind::Elf64 => defined::<FileHeader64<Endianness>>(libc).ok()?,
        _ => return None,
    };
    names.iter().filter_map(|name| version_number(name)).max()
}

/// (2, 34) for `GLIBC_2.34` and (2, 2) for `GLIBC_2.2.5`. The loader that knows compact relative
/// relocations came with 2.36 (glibc's NEWS), so `GLIBC_ABI_DT_RELR` counts as that.
fn version_number(version: &str) -> Option<(u32, u32)> {
    if version == "GLIBC_ABI_DT_RELR" {
        return Some((2, 36));
    }
    let mut parts = version.strip_prefix("GLIBC_")?.split('.').map(str::parse);
    let (major, minor) = (parts.next()?.ok()?, parts.next()?.ok()?);
    parts.all(|part: Result<u32, _>| part.is_ok()).then_some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_are_versions() {
        assert_eq!(version_number("GLIBC_2.2.5"), Some((2, 2)));
        assert_eq!(version_number("GLIBC_2.34"), Some((2, 34)));
        assert_eq!(version_number("GLIBC_ABI_DT_RELR"), Some((2, 36)));
        for other in ["GLIBC_PRIVATE", "GLIBC_2", "GLIBC_2.x", "GLIBC_2.3.x", "GCC_3.0"] {
            assert_eq!(version_number(other), None, "{other}");
        }
    }
}
