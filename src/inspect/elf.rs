//! The facts of an ELF file, as values. What they mean for a target is the rules' business.

use std::fmt;

use serde::Serialize;

use super::arm::ArmFacts;
use super::dynamic::Import;
use super::hardening::Hardening;
use super::sections::Section;

/// `e_machine`, the processor family (System V gABI).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Machine(pub u16);

impl Machine {
    /// i386 and up, 32 bits.
    pub const X86: Self = Self(3);
    /// 32-bit ARM.
    pub const ARM: Self = Self(40);
    /// x86-64.
    pub const X86_64: Self = Self(62);
    /// 64-bit ARM.
    pub const AARCH64: Self = Self(183);
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::X86 => f.write_str("x86"),
            Self::ARM => f.write_str("arm"),
            Self::X86_64 => f.write_str("x86_64"),
            Self::AARCH64 => f.write_str("aarch64"),
            Self(other) => write!(f, "machine {other}"),
        }
    }
}

impl From<Machine> for String {
    fn from(machine: Machine) -> Self {
        machine.to_string()
    }
}

/// How a file is meant to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A program at a fixed address that needs no loader.
    Static,
    /// A program that relocates itself and needs no loader.
    StaticPie,
    /// A program at a fixed address that a loader starts.
    Dynamic,
    /// A program at any address that a loader starts.
    DynamicPie,
    /// A shared library; a few (the C library's) can be started too.
    SharedLibrary,
    /// An object file, a linker's input.
    Relocatable,
    /// Anything else, such as a core dump.
    Other,
}

impl Kind {
    /// Whether it is a program, to be started by itself.
    pub fn is_program(self) -> bool {
        matches!(self, Self::Static | Self::StaticPie | Self::Dynamic | Self::DynamicPie)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Static => "static program",
            Self::StaticPie => "static position-independent program",
            Self::Dynamic => "dynamic program",
            Self::DynamicPie => "dynamic position-independent program",
            Self::SharedLibrary => "shared library",
            Self::Relocatable => "object file",
            Self::Other => "neither program nor library",
        })
    }
}

/// A version of a library's interface that the loader insists on (`.gnu.version_r`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionNeed {
    /// The library, as in `DT_NEEDED`.
    pub library: String,
    /// The version, such as `GLIBC_2.34`.
    pub version: String,
    /// Marked weak. The loader of glibc rejects a missing weak version of a library all the same.
    pub weak: bool,
    /// The symbols that are bound to this version, sorted; empty where the symbol table is gone, or
    /// the version is a bare requirement.
    pub symbols: Vec<String>,
    /// By which the symbol table names the version.
    #[serde(skip)]
    pub index: u16,
}

/// Everything that is read from an ELF file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ElfFacts {
    /// The processor family.
    pub machine: Machine,
    /// 32 or 64.
    pub bits: u8,
    /// Most significant byte first.
    pub big_endian: bool,
    /// `EI_OSABI`: 0 for System V, 3 for GNU.
    pub os_abi: u8,
    /// `e_flags`, which each processor family defines for itself.
    pub flags: u32,
    /// Only for 32-bit ARM.
    pub arm: Option<ArmFacts>,
    /// How the file is meant to be used.
    pub kind: Kind,
    /// `PT_INTERP`: the loader that the kernel starts.
    pub interpreter: Option<String>,
    /// `DT_NEEDED`, in file order.
    pub needed: Vec<String>,
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// `DT_RUNPATH`, else `DT_RPATH`.
    pub runpath: Option<String>,
    /// Versions of needed libraries, in file order.
    pub version_needs: Vec<VersionNeed>,
    /// The symbols that other files have to have; `None` where section headers are missing. Too many
    /// for a report.
    #[serde(skip)]
    pub imports: Option<Vec<Import>>,
    /// What it does against being taken over.
    pub hardening: Hardening,
    /// Its sections, as far as they have bytes in the file.
    pub sections: Vec<Section>,
}
