//! What a Mach-O file asks of macOS: for which processor and from which version on it is, which
//! libraries it loads, and whether it is signed. Only the load commands are read; whose a signature
//! is, and symbols, are none of our business.

use std::fmt;

use object::Endianness;
use object::macho::{self, MachHeader32, MachHeader64};
use object::read::FileKind;
use object::read::macho::{FatArch, LoadCommandVariant, MachHeader, MachOFatFile};
use serde::Serialize;

use super::InspectError;

/// One program or library; a universal file has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MachO {
    /// The processor family, as triples name it: `aarch64`, `x86_64`; else its number.
    pub arch: String,
    /// Whether it is a program, to be started by itself.
    pub is_program: bool,
    /// What it is.
    pub kind: Kind,
    /// Whether it is for macOS, and not for another of Apple's systems; `None`: it does not say.
    pub is_macos: Option<bool>,
    /// The oldest system that it starts on, as (major, minor).
    pub oldest_system: Option<(u16, u16)>,
    /// Whether it has a signature, of whomever: Apple's own processors run nothing without one.
    pub signed: bool,
    /// The libraries that have to be there when it starts, in file order; weak ones are left out.
    pub libraries: Vec<String>,
    /// The directories that stand for `@rpath`, in file order.
    pub rpaths: Vec<String>,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A program at a fixed address.
    Program,
    /// A program at any address.
    PieProgram,
    /// A library that programs name.
    SharedLibrary,
    /// A library that programs load when they want to.
    Bundle,
    /// An object file, a linker's input.
    Relocatable,
    /// Anything else, such as debugging information.
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Program => "program at a fixed address",
            Self::PieProgram => "position-independent program",
            Self::SharedLibrary => "shared library",
            Self::Bundle => "bundle",
            Self::Relocatable => "object file",
            Self::Other => "neither a program nor a library",
        })
    }
}

/// Reads each program or library in `bytes`; empty where it is no Mach-O file.
pub fn mach_o(bytes: &[u8]) -> Result<Vec<MachO>, InspectError> {
    match FileKind::parse(bytes) {
        Ok(FileKind::MachO32) => Ok(vec![read::<MachHeader32<Endianness>>(bytes)?]),
        Ok(FileKind::MachO64) => Ok(vec![read::<MachHeader64<Endianness>>(bytes)?]),
        Ok(FileKind::MachOFat32) => slices::<macho::FatArch32>(bytes),
        Ok(FileKind::MachOFat64) => slices::<macho::FatArch64>(bytes),
        _ => Ok(Vec::new()),
    }
}

fn slices<Fat: FatArch>(bytes: &[u8]) -> Result<Vec<MachO>, InspectError> {
    let file = MachOFatFile::<Fat>::parse(bytes).map_err(damaged("the universal header"))?;
    let mut all = Vec::new();
    for slice in file.arches() {
        let bytes = slice.data(bytes).map_err(damaged("a part of a universal file"))?;
        all.extend(mach_o_alone(bytes)?);
    }
    Ok(all)
}

/// Universal files do not nest; archives may be in them and ask for nothing.
fn mach_o_alone(bytes: &[u8]) -> Result<Option<MachO>, InspectError> {
    Ok(match FileKind::parse(bytes) {
        Ok(FileKind::MachO32) => Some(read::<MachHeader32<Endianness>>(bytes)?),
        Ok(FileKind::MachO64) => Some(read::<MachHeader64<Endianness>>(bytes)?),
        _ => None,
    })
}

fn read<Mach: MachHeader<Endian = Endianness>>(bytes: &[u8]) -> Result<MachO, InspectError> {
    let header = Mach::parse(bytes, 0).map_err(damaged("the file header"))?;
    let endian = header.endian().map_err(damaged("the byte order"))?;
    let arch = match header.cputype(endian) {
        macho::CPU_TYPE_ARM64 => "aarch64".to_owned(),
        macho::CPU_TYPE_X86_64 => "x86_64".to_owned(),
        other => format!("processor {}", other.0),
    };
    let is_program = header.filetype(endian) == macho::MH_EXECUTE;
    let is_pie = header.flags(endian).0 & macho::MH_PIE.0 != 0;
    let kind = match header.filetype(endian) {
        macho::MH_EXECUTE if is_pie => Kind::PieProgram,
        macho::MH_EXECUTE => Kind::Program,
        macho::MH_DYLIB => Kind::SharedLibrary,
        macho::MH_BUNDLE => Kind::Bundle,
        macho::MH_OBJECT => Kind::Relocatable,
        _ => Kind::Other,
    };
    let mut found = MachO {
        arch,
        is_program,
        kind,
        is_macos: None,
        oldest_system: None,
        signed: false,
        libraries: Vec::new(),
        rpaths: Vec::new(),
    };
    let mut commands =
        header.load_commands(endian, bytes, 0).map_err(damaged("the load commands"))?;
    while let Some(command) = commands.next().map_err(damaged("a load command"))? {
        let text = |at| -> Result<String, InspectError> {
            let text = command.string(endian, at).map_err(damaged("a name"))?;
            Ok(String::from_utf8_lossy(text).into_owned())
        };
        let is_weak = command.cmd() == macho::LC_LOAD_WEAK_DYLIB;
        match command.variant().map_err(damaged("a load command"))? {
            LoadCommandVariant::Dylib(library) if !is_weak => {
                found.libraries.push(text(library.dylib.name)?);
            }
            LoadCommandVariant::Rpath(path) => found.rpaths.push(text(path.path)?),
            LoadCommandVariant::BuildVersion(build, _) => {
                found.is_macos = Some(build.platform.get(endian) == macho::PLATFORM_MACOS);
                found.oldest_system = Some(version(build.minos.get(endian).0));
            }
            LoadCommandVariant::VersionMin(least) => {
                found.is_macos = Some(command.cmd() == macho::LC_VERSION_MIN_MACOSX);
                found.oldest_system = Some(version(least.version.get(endian).0));
            }
            LoadCommandVariant::LinkeditData(data) if command.cmd() == macho::LC_CODE_SIGNATURE => {
                let at = usize::try_from(data.dataoff.get(endian)).unwrap_or(usize::MAX);
                let size = usize::try_from(data.datasize.get(endian)).unwrap_or(usize::MAX);
                let blob = at.checked_add(size).and_then(|end| bytes.get(at..end));
                found.signed = blob.is_some_and(|blob| blob.starts_with(&SIGNATURE));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The first bytes of an embedded signature.
const SIGNATURE: [u8; 4] = [0xfa, 0xde, 0x0c, 0xc0];

/// `xxxx.yy.zz` in nibbles.
fn version(word: u32) -> (u16, u16) {
    let [major, minor] = [word >> 16, (word >> 8) & 0xff];
    (u16::try_from(major).unwrap_or(u16::MAX), u16::try_from(minor).unwrap_or(u16::MAX))
}

fn damaged(part: &'static str) -> impl Fn(object::read::Error) -> InspectError {
    move |source| InspectError::DamagedMachO { part, source }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A program of one processor with these libraries and search paths, as bytes of the format:
    /// the header, then the load commands.
    pub(crate) fn program(cpu: u32, libraries: &[(u32, &str)], rpaths: &[&str]) -> Vec<u8> {
        let mut commands = Vec::new();
        let mut add = |cmd: u32, fixed: &[u32], text: &str| {
            let start = 12 + 4 * fixed.len();
            let size = (start + text.len() + 1).next_multiple_of(8);
            let offset = u32::try_from(start).expect("small");
            let mut bytes = Vec::new();
            for word in [cmd, u32::try_from(size).expect("small"), offset].iter().chain(fixed) {
                bytes.extend(word.to_le_bytes());
            }
            bytes.extend(text.as_bytes());
            bytes.resize(size, 0);
            commands.extend(bytes);
        };
        for (cmd, name) in libraries {
            add(*cmd, &[0, 0, 0], name);
        }
        for path in rpaths {
            add(macho::LC_RPATH.0, &[], path);
        }
        let count = u32::try_from(libraries.len() + rpaths.len()).expect("few");
        let size = u32::try_from(commands.len()).expect("small");
        let mut bytes = Vec::new();
        for word in [0xfeed_facf, cpu, 0, macho::MH_EXECUTE.0, count, size, 0, 0] {
            bytes.extend(u32::to_le_bytes(word));
        }
        bytes.extend(commands);
        bytes
    }

    #[test]
    fn load_commands_are_read_for_each_processor() {
        let (load, weak) = (macho::LC_LOAD_DYLIB.0, macho::LC_LOAD_WEAK_DYLIB.0);
        let libraries = [(load, "/usr/lib/libSystem.B.dylib"), (load, "@rpath/libz.dylib")];
        let more = [&libraries[..], &[(weak, "/opt/absent.dylib")]].concat();
        let arm = program(macho::CPU_TYPE_ARM64.0, &more, &["@loader_path/../lib"]);
        let expected = MachO {
            arch: "aarch64".to_owned(),
            is_program: true,
            kind: Kind::Program,
            is_macos: None,
            oldest_system: None,
            signed: false,
            libraries: libraries.map(|(_, name)| name.to_owned()).to_vec(),
            rpaths: vec!["@loader_path/../lib".to_owned()],
        };
        assert_eq!(mach_o(&arm), Ok(vec![expected.clone()]));
        let intel = program(macho::CPU_TYPE_X86_64.0, &[], &[]);
        // A universal file: big-endian header, then the parts at their offsets.
        let mut both = Vec::new();
        let (first, second) = (64_u32, u32::try_from(64 + arm.len()).expect("small"));
        let size = |part: &[u8]| u32::try_from(part.len()).expect("small");
        let arches = [
            [macho::CPU_TYPE_ARM64.0, 0, first, size(&arm), 0],
            [macho::CPU_TYPE_X86_64.0, 0, second, size(&intel), 0],
        ];
        for word in [0xcafe_babe, 2].into_iter().chain(arches.into_iter().flatten()) {
            both.extend(u32::to_be_bytes(word));
        }
        both.resize(64, 0);
        both.extend(&arm);
        both.extend(&intel);
        let found = mach_o(&both).expect("two");
        assert_eq!(found[0], expected);
        assert_eq!((found.len(), found[1].arch.as_str()), (2, "x86_64"));
    }

    #[test]
    fn what_is_cut_short_is_damaged_and_what_is_none_is_none() {
        let load = macho::LC_LOAD_DYLIB.0;
        let whole = program(macho::CPU_TYPE_ARM64.0, &[(load, "/usr/lib/libSystem.B.dylib")], &[]);
        for length in 32..whole.len() {
            assert!(mach_o(&whole[..length]).is_err(), "{length}");
        }
        assert_eq!(mach_o(b"#!/bin/sh\n"), Ok(Vec::new()));
        assert_eq!(mach_o(b""), Ok(Vec::new()));
    }
}
