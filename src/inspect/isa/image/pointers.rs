//! Pointers in data: from relocations, and words that are addresses of code.

use object::Endianness;
use object::elf;
use object::read::elf::{FileHeader, Rela, SectionHeader};

use super::super::features::Arch;
use super::{Image, Place, Pointer, around};

/// Sections that hold pointers which the loader does not have to write.
const HOLDERS: [&str; 9] = [
    ".data",
    ".got",
    ".init_array",
    ".fini_array",
    ".preinit_array",
    ".ctors",
    ".dtors",
    ".rodata",
    ".tdata",
];

impl Image<'_> {
    fn place(&self, slot: u64) -> Place {
        match around(&self.data, slot).map(|region| region.name) {
            Some(".got" | ".got.plt" | ".plt.got") => Place::Linkage,
            Some(".init_array" | ".fini_array" | ".preinit_array" | ".ctors" | ".dtors") => {
                Place::Start
            }
            _ => Place::Data,
        }
    }

    pub(super) fn read_relocations<H: FileHeader<Endian = Endianness>>(
        &mut self,
        header: &H,
        endian: Endianness,
        bytes: &[u8],
    ) {
        let Ok(sections) = header.sections(endian, bytes) else { return };
        let (relative, choose) = match self.arch {
            Arch::X86_64 => (elf::R_X86_64_RELATIVE, elf::R_X86_64_IRELATIVE),
            Arch::X86 => (elf::R_386_RELATIVE, elf::R_386_IRELATIVE),
            Arch::Aarch64 => (elf::R_AARCH64_RELATIVE, elf::R_AARCH64_IRELATIVE),
            Arch::Arm => (elf::R_ARM_RELATIVE, elf::R_ARM_IRELATIVE),
        };
        for section in sections.iter() {
            let Ok(Some((all, _))) = section.rela(endian, bytes) else { continue };
            for one in all {
                let kind = one.r_type(endian, false);
                let addend: i64 = one.r_addend(endian).into();
                let target = addend.cast_unsigned();
                if kind == relative {
                    let slot: u64 = one.r_offset(endian).into();
                    let place = self.place(slot);
                    if place == Place::Linkage || self.is_code(target) {
                        self.pointers.push(Pointer { slot, target, place });
                    }
                } else if kind == choose {
                    self.resolvers.push(target);
                }
            }
        }
    }

    /// Words of data that are addresses of code: those of a program at a fixed address, and where
    /// relocations keep the value in place.
    pub(super) fn read_pointers(&mut self) {
        let size = if self.bits == 64 { 8 } else { 4 };
        let mut found = Vec::new();
        for region in &self.data {
            let holds = HOLDERS.iter().any(|known| region.name.starts_with(known));
            if !region.name.is_empty() && !holds {
                continue;
            }
            let linkage = region.name.starts_with(".got");
            let Some(first) = region.address.checked_next_multiple_of(size) else { continue };
            let start = usize::try_from(first - region.address).unwrap_or(0);
            let words = region.bytes.get(start..).unwrap_or_default();
            let words = words.chunks_exact(if size == 8 { 8 } else { 4 });
            for (slot, word) in (0..).map(|index| first.wrapping_add(index * size)).zip(words) {
                let mut whole = [0; 8];
                whole[..word.len()].copy_from_slice(word);
                let mut target = u64::from_le_bytes(whole);
                if self.arch == Arch::Arm {
                    target &= !1;
                }
                if target >= 0x200 && (linkage || self.is_code(target)) {
                    found.push(Pointer { slot, target, place: self.place(slot) });
                }
            }
        }
        self.pointers.extend(found);
        self.pointers.sort_unstable();
        self.pointers.dedup_by_key(|pointer| pointer.slot);
    }
}
