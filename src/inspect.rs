//! What a finished binary is, and whether it is what was asked for: bytes → facts → findings.
//!
//! [`facts`] reads, [`rules::check`] compares with a [`Policy`]; both are pure and know neither
//! files nor how the binary was made. A new question is a new field of the facts and a new rule.

pub mod arm;
pub mod ceilings;
pub mod dynamic;
pub mod elf;
pub mod glibc;
pub mod hardening;
mod image;
pub mod isa;
pub mod mach_o;
mod mach_o_rules;
mod names;
pub mod paths;
pub mod policy;
mod read_elf;
pub mod rules;
pub mod sections;
mod versions;

pub use elf::ElfFacts;
pub use image::image;
pub use mach_o::{MachO, mach_o};
pub use policy::Policy;
pub use rules::{Finding, Rule, Verdict, check, check_bytes};

use std::fmt;

use object::read::FileKind;
use serde::Serialize;

/// What the bytes of one file say about themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "format", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Facts {
    /// An ELF program, library or object: Linux.
    Elf(Box<ElfFacts>),
    /// A Mach-O program, library or object for one processor: macOS.
    MachO(MachO),
}

/// A format that is recognised by its magic number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A universal file of macOS: several programs or libraries in one.
    MachO,
    /// A program or library of Windows.
    Pe,
    /// An `ar` archive, such as a static library.
    Archive,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MachO => "universal Mach-O",
            Self::Pe => "PE",
            Self::Archive => "ar archive",
        })
    }
}

/// Why there are no facts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// The bytes are no program, library or object.
    #[error("not a program or library")]
    NotABinary,
    /// The format is known by name only.
    #[error("{format} files cannot be inspected")]
    UnsupportedFormat {
        /// The format.
        format: Format,
    },
    /// The same of a program or library of macOS.
    #[error("damaged Mach-O file: {part}")]
    DamagedMachO {
        /// The part that could not be read.
        part: &'static str,
        /// What the reader met.
        #[source]
        source: object::read::Error,
    },
    /// The file contradicts itself or is cut short.
    #[error("damaged ELF file: {part}")]
    Damaged {
        /// The part that could not be read.
        part: &'static str,
        /// What the reader met; `None` where only our own check failed.
        #[source]
        source: Option<object::read::Error>,
    },
}

/// Reads the facts of one binary. Never panics, whatever the bytes are.
pub fn facts(bytes: &[u8]) -> Result<Facts, InspectError> {
    let format = match FileKind::parse(bytes) {
        Ok(FileKind::Elf32) => {
            return read_elf::read::<object::elf::FileHeader32<_>>(bytes)
                .map(|elf| Facts::Elf(Box::new(elf)));
        }
        Ok(FileKind::Elf64) => {
            return read_elf::read::<object::elf::FileHeader64<_>>(bytes)
                .map(|elf| Facts::Elf(Box::new(elf)));
        }
        Ok(FileKind::MachO32 | FileKind::MachO64) => {
            let found = mach_o(bytes)?.into_iter().next();
            return found.map(Facts::MachO).ok_or(InspectError::NotABinary);
        }
        Ok(FileKind::MachOFat32 | FileKind::MachOFat64 | FileKind::DyldCache) => Format::MachO,
        Ok(FileKind::Pe32 | FileKind::Pe64) => Format::Pe,
        Ok(FileKind::Archive) => Format::Archive,
        _ if bytes.starts_with(b"\x7fELF") => {
            return Err(InspectError::Damaged { part: "the file header", source: None });
        }
        _ => return Err(InspectError::NotABinary),
    };
    Err(InspectError::UnsupportedFormat { format })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_elf_is_named() {
        let named = |bytes: &[u8]| facts(bytes).expect_err("no facts").to_string();
        let universal = [&[0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2][..], &[0; 40]].concat();
        assert_eq!(named(&universal), "universal Mach-O files cannot be inspected");
        assert_eq!(named(b"!<arch>\nlibx.o/         "), "ar archive files cannot be inspected");
        assert_eq!(named(b"#!/bin/sh\necho no binary at all\n"), "not a program or library");
        assert_eq!(named(b""), "not a program or library");
        assert_eq!(named(b"\x7fELF"), "damaged ELF file: the file header");
    }
}
