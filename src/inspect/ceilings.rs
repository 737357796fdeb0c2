//! Which versions of gcc's run-time libraries a file asks for, and which a library has. The names
//! are those of libgcc's and libstdc++'s version scripts; glibc's own are in `glibc`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::FileKind;

use super::elf::ElfFacts;
use super::read_elf::defined;

/// An interface of a run-time library that is versioned by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Runtime {
    /// `GCC_…`, of libgcc.
    Libgcc,
    /// `GLIBCXX_…`, the library part of libstdc++.
    Glibcxx,
    /// `CXXABI_…`, the language part of libstdc++.
    Cxxabi,
}

impl Runtime {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Libgcc, Self::Glibcxx, Self::Cxxabi];

    /// What its versions begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Libgcc => "GCC_",
            Self::Glibcxx => "GLIBCXX_",
            Self::Cxxabi => "CXXABI_",
        }
    }
}

/// A version's number, such as 3.4.30: compared part by part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(Vec<u32>);

impl Number {
    /// Reads `3.4.30`; `None` for what is no number.
    pub fn parse(text: &str) -> Option<Self> {
        text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>().map(Self)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

/// The versions that a library has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceiling {
    /// The newest.
    pub newest: Number,
    /// Those that are names instead of numbers, such as `CXXABI_FLOAT128`.
    pub named: BTreeSet<String>,
}

/// What a file asks of one interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuntimeNeed {
    /// The highest number.
    pub newest: Option<Number>,
    /// The symbols that ask for it, sorted; the version itself where it is bare.
    pub symbols: Vec<String>,
    /// The versions that are names.
    pub named: BTreeSet<String>,
}

/// Adds up the version requirements, weak ones included, as the loader rejects them too.
pub fn need(facts: &ElfFacts, runtime: Runtime) -> RuntimeNeed {
    let mut need = RuntimeNeed::default();
    for requirement in &facts.version_needs {
        let Some(rest) = requirement.version.strip_prefix(runtime.prefix()) else { continue };
        let Some(number) = Number::parse(rest) else {
            need.named.insert(requirement.version.clone());
            continue;
        };
        if need.newest.as_ref() < Some(&number) {
            need.newest = Some(number.clone());
            need.symbols.clear();
        }
        if need.newest.as_ref() == Some(&number) {
            need.symbols.extend(requirement.symbols.iter().cloned());
            if requirement.symbols.is_empty() {
                need.symbols.push(requirement.version.clone());
            }
        }
    }
    need.symbols.sort();
    need
}

/// The ceilings that `library` (the bytes of a `libgcc_s.so.1` or `libstdc++.so.6`) stands for;
/// empty for what is no such library.
pub fn ceilings_of(library: &[u8]) -> BTreeMap<Runtime, Ceiling> {
    let names = match FileKind::parse(library) {
        Ok(FileKind::Elf32) => defined::<FileHeader32<Endianness>>(library),
        Ok(FileKind::Elf64) => defined::<FileHeader64<Endianness>>(library),
        _ => return BTreeMap::new(),
    };
    let names = names.unwrap_or_default();
    let ceiling = |runtime: Runtime| {
        let own = names.iter().filter(|name| name.starts_with(runtime.prefix()));
        let number = |name: &String| Number::parse(name.strip_prefix(runtime.prefix())?);
        let (numbered, others): (Vec<_>, Vec<_>) = own.partition(|name| number(name).is_some());
        let newest = numbered.into_iter().filter_map(number).max()?;
        Some((runtime, Ceiling { newest, named: others.into_iter().cloned().collect() }))
    };
    Runtime::ALL.into_iter().filter_map(ceiling).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_part_by_part() {
        let number = |text| Number::parse(text).expect("a number");
        assert!(number("3.4.9") < number("3.4.30"));
        assert!(number("3.4") < number("3.4.1"));
        assert!(number("12.0.0") > number("4.8.0"));
        assert_eq!(number("1.3.13").to_string(), "1.3.13");
        for other in ["", "FLOAT128", "3.x", "ARM_1.3.3", "3."] {
            assert_eq!(Number::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_library_has_no_ceiling() {
        assert!(ceilings_of(b"").is_empty());
        assert!(ceilings_of(b"\x7fELF").is_empty());
        assert!(ceilings_of(&[0; 200]).is_empty());
    }
}
