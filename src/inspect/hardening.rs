//! What a file does against being taken over: facts of its segments, dynamic section and symbols.
//! It judges nothing.

use std::collections::BTreeSet;

use object::Endianness;
use object::elf;
use object::read::elf::{FileHeader, ProgramHeader, Sym};
use serde::Serialize;

use super::dynamic::Import;
use super::names::Names;
use super::read_elf::Loaded;

/// Names of source files that are kept; more say no more.
const MOST_SOURCES: usize = 8;

/// The functions that glibc has a checking variant of, `__NAME_chk` (its dynamic symbols, 2.36).
const CHECKED: &str = "asprintf confstr dprintf explicit_bzero fdelt fgets fgets_unlocked fgetws \
    fgetws_unlocked fprintf fread fread_unlocked fwprintf getcwd getdomainname getgroups \
    gethostname getlogin_r gets getwd longjmp mbsnrtowcs mbsrtowcs mbstowcs memcpy memmove mempcpy \
    memset obstack_printf obstack_vprintf poll ppoll pread pread64 printf ptsname_r read readlink \
    readlinkat realpath recv recvfrom snprintf sprintf stpcpy stpncpy strcat strcpy strncat strncpy \
    swprintf syslog ttyname_r vasprintf vdprintf vfprintf vfwprintf vprintf vsnprintf vsprintf \
    vswprintf vsyslog vwprintf wcpcpy wcpncpy wcrtomb wcscat wcscpy wcsncat wcsncpy wcsnrtombs \
    wcsrtombs wcstombs wctomb wmemcpy wmemmove wmempcpy wmemset wprintf";

/// The facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hardening {
    /// `PT_GNU_RELRO`: what the loader has relocated becomes read-only.
    pub relro: bool,
    /// `DT_BIND_NOW`, `DF_BIND_NOW` or `DF_1_NOW`: nothing stays writable for later.
    pub bind_now: bool,
    /// Whether `PT_GNU_STACK` asks for an executable stack; `None` where there is none.
    pub executable_stack: Option<bool>,
    /// Segments that are both writable and executable.
    pub writable_code: usize,
    /// `__stack_chk_fail` is wanted of a library: a function calls it.
    pub stack_protector: bool,
    /// Functions of glibc that are called in the variant that checks sizes, sorted, by plain name.
    pub fortified: Vec<String>,
    /// Functions of glibc that have such a variant and are called without.
    pub unfortified: Vec<String>,
    /// C and C++ sources in the symbol table, the first few, without those of the compiler's start
    /// files; `None` where the symbol table is gone.
    pub c_sources: Option<Vec<String>>,
}

/// Reads them. Whatever of the symbol table cannot be read counts as gone.
pub(super) fn read<Elf: FileHeader<Endian = Endianness>>(
    header: &Elf,
    loaded: &Loaded<'_, Elf>,
    imports: &[Import],
) -> Hardening {
    let endian = loaded.endian;
    let of_type = |kind| loaded.segments.iter().filter(move |s| s.p_type(endian) == kind);
    let has = |tag, flag: u64| loaded.value(tag).is_some_and(|flags| flags & flag != 0);
    let imported: BTreeSet<&str> = imports.iter().map(|import| import.name.as_str()).collect();
    let checked = CHECKED.split_whitespace();
    let (fortified, others): (Vec<_>, Vec<_>) = checked
        .flat_map(|name| [(name, true), (name, false)])
        .filter(|(name, is_checked)| {
            if *is_checked {
                imported.contains(format!("__{name}_chk").as_str())
            } else {
                imported.contains(name)
            }
        })
        .partition(|(_, is_checked)| *is_checked);
    let names = |pairs: Vec<(&str, bool)>| pairs.iter().map(|pair| pair.0.to_owned()).collect();
    let table = table(header, loaded);
    let calls_check = table.as_ref().is_some_and(|table| table.calls_check);
    Hardening {
        relro: of_type(elf::PT_GNU_RELRO).next().is_some(),
        bind_now: loaded.value(elf::DT_BIND_NOW).is_some()
            || has(elf::DT_FLAGS, elf::DF_BIND_NOW.0)
            || has(elf::DT_FLAGS_1, elf::DF_1_NOW.0),
        executable_stack: of_type(elf::PT_GNU_STACK)
            .next()
            .map(|segment| segment.p_flags(endian).contains(elf::PF_X)),
        writable_code: of_type(elf::PT_LOAD)
            .filter(|segment| {
                let flags = segment.p_flags(endian);
                flags.contains(elf::PF_X) && flags.contains(elf::PF_W)
            })
            .count(),
        stack_protector: imported.contains("__stack_chk_fail") || calls_check,
        fortified: names(fortified),
        unfortified: names(others),
        c_sources: table.map(|table| table.c_sources),
    }
}

/// What the full symbol table tells.
struct Table {
    calls_check: bool,
    c_sources: Vec<String>,
}

fn table<Elf: FileHeader<Endian = Endianness>>(
    header: &Elf,
    loaded: &Loaded<'_, Elf>,
) -> Option<Table> {
    let (endian, data) = (loaded.endian, loaded.data);
    let sections = header.sections(endian, data).ok()?;
    let table = sections.symbols(endian, data, elf::SHT_SYMTAB).ok()?;
    if table.is_empty() {
        return None;
    }
    let (mut calls_check, mut c_sources) = (false, BTreeSet::new());
    let mut names = Names::of(&sections, endian, data, table.string_section());
    for symbol in table.symbols() {
        let Some(name) = names.get(symbol.st_name(endian)) else { continue };
        // Where it is defined, the C library came with it, called or not.
        calls_check |= name == b"__stack_chk_fail" && symbol.is_undefined(endian);
        if symbol.st_type() == elf::STT_FILE && c_sources.len() < MOST_SOURCES {
            let name = String::from_utf8_lossy(name);
            let is_c = [".c", ".cc", ".cpp", ".cxx", ".C"].iter().any(|end| name.ends_with(end));
            if is_c && name != "crtstuff.c" {
                c_sources.insert(name.into_owned());
            }
        }
    }
    Some(Table { calls_check, c_sources: c_sources.into_iter().collect() })
}
