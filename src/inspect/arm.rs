//! The calling convention and processor of 32-bit ARM files: `e_flags` and `.ARM.attributes` (ELF
//! for the Arm Architecture; Addenda to the Arm ABI, build attributes). It judges nothing.

use object::Endianness;
use object::read::elf::{AttributeReader, FileHeader, SectionHeader};
use serde::Serialize;

/// `EF_ARM_ABI_FLOAT_HARD`.
const FLOAT_HARD: u32 = 0x400;
/// `EF_ARM_ABI_FLOAT_SOFT`.
const FLOAT_SOFT: u32 = 0x200;

/// What a 32-bit ARM file says of its ABI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArmFacts {
    /// The version of the EABI; 5 on every Linux of today.
    pub eabi: u8,
    /// Whether floating-point arguments travel in floating-point registers. `None`: the file does
    /// not say.
    pub hard_float: Option<bool>,
    /// `Tag_CPU_arch` (10 is v7), where recorded.
    pub cpu_arch: Option<u64>,
    /// `Tag_FP_arch` (3 is `VFPv3`, 4 is `VFPv3-D16`), where recorded.
    pub fp_arch: Option<u64>,
    /// `Tag_Advanced_SIMD_arch` (0 none, 1 `NEONv1`), where recorded.
    pub simd_arch: Option<u64>,
}

/// Reads the ARM facts from `e_flags` and, where there is one, the attributes section.
pub(super) fn read<Elf: FileHeader<Endian = Endianness>>(
    flags: u32,
    endian: Endianness,
    data: &[u8],
    sections: &[Elf::SectionHeader],
) -> ArmFacts {
    let mut arm = ArmFacts {
        eabi: flags.to_be_bytes()[0],
        hard_float: match (flags & FLOAT_HARD != 0, flags & FLOAT_SOFT != 0) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        },
        cpu_arch: None,
        fp_arch: None,
        simd_arch: None,
    };
    let section = sections.iter().find(|s| s.sh_type(endian) == object::elf::SHT_ARM_ATTRIBUTES);
    if let Some(section) = section {
        // Attributes describe; what cannot be read of them is unknown, not an error.
        let _ = read_attributes::<Elf>(&mut arm, endian, data, section);
    }
    arm
}

fn read_attributes<Elf: FileHeader<Endian = Endianness>>(
    arm: &mut ArmFacts,
    endian: Endianness,
    data: &[u8],
    section: &Elf::SectionHeader,
) -> object::read::Result<()> {
    let attributes = section.attributes(endian, data)?;
    let mut subsections = attributes.subsections()?;
    while let Some(subsection) = subsections.next()? {
        if subsection.vendor() != b"aeabi" {
            continue;
        }
        let mut parts = subsection.subsubsections();
        while let Some(part) = parts.next()? {
            // Tag_File: the attributes of the whole file.
            if part.tag().0 == 1 {
                read_file_attributes(arm, part.attributes())?;
            }
        }
    }
    Ok(())
}

fn read_file_attributes(
    arm: &mut ArmFacts,
    mut reader: AttributeReader<'_>,
) -> object::read::Result<()> {
    while let Some(tag) = reader.read_tag()? {
        match tag {
            6 => arm.cpu_arch = Some(reader.read_integer()?),
            10 => arm.fp_arch = Some(reader.read_integer()?),
            12 => arm.simd_arch = Some(reader.read_integer()?),
            28 => {
                // Tag_ABI_VFP_args: 0 base, 1 VFP registers; 2 and 3 are neither.
                let hard = match reader.read_integer()? {
                    0 => Some(false),
                    1 => Some(true),
                    _ => None,
                };
                arm.hard_float = arm.hard_float.or(hard);
            }
            // Tag_compatibility: a number and a name.
            32 => {
                reader.read_integer()?;
                reader.read_string()?;
            }
            // Names of processors; above 32 odd tags are text.
            4 | 5 => drop(reader.read_string()?),
            odd if odd > 32 && odd % 2 == 1 => drop(reader.read_string()?),
            _ => drop(reader.read_integer()?),
        }
    }
    Ok(())
}
