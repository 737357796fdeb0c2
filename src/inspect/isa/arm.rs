//! The instructions of 32-bit Arm, of both instruction sets: what they need and whom they call.
//!
//! Which of the two an address holds, or whether it is data, only the marks of the assembler say
//! (`$a`, `$t`, `$d`); without them nothing is read.

use super::features::{ARM, FeatureSet};
use super::image::Image;
use super::sweep::{EdgeKind, Needs, Sweep};

/// What begins at which address.
#[derive(Debug)]
pub struct Marks(Vec<(u64, u8)>);

impl Marks {
    /// Those of a file.
    pub fn of(image: &Image<'_>) -> Self {
        let mut marks = image.marks.clone();
        marks.sort_unstable();
        marks.dedup_by_key(|(address, _)| *address);
        Self(marks)
    }

    /// Pieces of a range with the mark that holds for each.
    fn pieces<'b>(&self, bytes: &'b [u8], address: u64) -> Vec<(u64, u8, &'b [u8])> {
        let end = address.saturating_add(bytes.len() as u64);
        let after = self.0.partition_point(|(at, _)| *at <= address);
        let mut mark = after.checked_sub(1).map_or(0, |at| self.0[at].1);
        let mut from = address;
        let mut found = Vec::new();
        let mut piece = |from: u64, to: u64, mark: u8| {
            let range =
                usize::try_from(from - address).ok().zip(usize::try_from(to - address).ok());
            let part = range.and_then(|(from, to)| bytes.get(from..to));
            found.extend(part.map(|part| (from, mark, part)));
        };
        for (at, next) in self.0[after..].iter().take_while(|(at, _)| *at < end) {
            piece(from, *at, mark);
            (from, mark) = (*at, *next);
        }
        piece(from, end, mark);
        found
    }

    /// Every instruction of a range: its address, its word as Arm's or Thumb's, and its size.
    /// Words of Thumb's short instructions are shorter than 16 bits.
    fn each(&self, bytes: &[u8], address: u64, mut sink: impl FnMut(u64, u32, bool)) {
        for (start, mark, part) in self.pieces(bytes, address) {
            let short = |at: usize| {
                Some(u32::from(u16::from_le_bytes([*part.get(at)?, *part.get(at + 1)?])))
            };
            let mut at = 0;
            match mark {
                b'a' => {
                    while let (Some(low), Some(high)) = (short(at), short(at + 2)) {
                        sink(start + at as u64, high << 16 | low, false);
                        at += 4;
                    }
                }
                b't' => {
                    while let Some(first) = short(at) {
                        if first >> 11 < 0x1d {
                            sink(start + at as u64, first, true);
                            at += 2;
                        } else {
                            let Some(second) = short(at + 2) else { break };
                            sink(start + at as u64, first << 16 | second, true);
                            at += 4;
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

/// Encodings that both instruction sets share but for the condition in Arm's highest bits, which is
/// 14 in Thumb: those of the floating-point unit.
const SHARED: &[(&str, u32, u32)] = &[
    // VFMA, VFMS, VFNMA, VFNMS.
    ("vfp4", 0x0fb0_0e10, 0x0ea0_0a00),
    ("vfp4", 0x0fb0_0e10, 0x0e90_0a00),
    // VCVTB and VCVTT.
    ("fp16", 0x0fbe_0e50, 0x0eb2_0a40),
    // VDUP from a core register.
    ("neon", 0x0f90_0f50, 0x0e80_0b10),
];

const ONLY_ARM: &[(&str, u32, u32)] = &[
    // VFMA and VFMS of vectors, AES, SHA.
    ("vfp4", 0xff80_0f10, 0xf200_0c10),
    ("aes", 0xffb3_0f10, 0xf3b0_0300),
    ("neon", 0xfe00_0000, 0xf200_0000),
    ("neon", 0xff10_0000, 0xf400_0000),
    ("fp-armv8", 0xff00_0e00, 0xfe00_0a00),
    ("hwdiv-arm", 0x0ff0_f0f0, 0x0710_f010),
    ("hwdiv-arm", 0x0ff0_f0f0, 0x0730_f010),
    ("v8", 0x0f90_0dff, 0x0190_0c9f),
    ("v8", 0x0f90_fff0, 0x0180_fc90),
    ("v8", 0x0f90_0ff0, 0x0180_0e90),
    ("crc", 0x0f90_0df0, 0x0100_0040),
];

const ONLY_THUMB: &[(&str, u32, u32)] = &[
    ("vfp4", 0xff80_0f10, 0xef00_0c10),
    ("aes", 0xffb3_0f10, 0xffb0_0300),
    ("neon", 0xef00_0000, 0xef00_0000),
    ("neon", 0xff10_0000, 0xf900_0000),
    ("fp-armv8", 0xff00_0e00, 0xfe00_0a00),
    ("hwdiv", 0xfff0_f0f0, 0xfb90_f0f0),
    ("hwdiv", 0xfff0_f0f0, 0xfbb0_f0f0),
    // LDA, LDAB, LDAH, LDAEX and their stores.
    ("v8", 0xfff0_0f8f, 0xe8d0_0f8f),
    ("v8", 0xfff0_0f8f, 0xe8c0_0f8f),
    ("v8", 0xfff0_0fc0, 0xe8c0_0fc0),
    ("crc", 0xffe0_f0c0, 0xfac0_f080),
];

fn needs(word: u32, thumb: bool) -> FeatureSet {
    if thumb && word <= 0xffff {
        return FeatureSet::EMPTY;
    }
    let own = if thumb { ONLY_THUMB } else { ONLY_ARM };
    let conditional = word >> 28 != 15;
    let fits = |(name, mask, value): &&(&str, u32, u32)| {
        // Arm's encodings with a condition do not include the unconditional space.
        let open = mask >> 28 == 0;
        word & mask == *value && (!open || conditional) && !name.is_empty()
    };
    let mut found = own.iter().chain(SHARED).find(fits).map(|(name, ..)| *name);
    if found.is_none() && conditional {
        found = match word {
            _ if moves_part(word) => Some("neon"),
            _ if rounds(word) => Some("fp-armv8"),
            _ if names_upper_double(word) => Some("vfp3"),
            _ => None,
        };
    }
    let bit = found.and_then(|name| ARM.iter().position(|known| *known == name));
    bit.map_or(FeatureSet::EMPTY, |bit| FeatureSet(1 << bit))
}

/// Whether an instruction of the floating-point unit names one of the registers d16 to d31, which
/// VFPv3-D16 does not have.
fn names_upper_double(word: u32) -> bool {
    let has = |bit: u32| word >> bit & 1 == 1;
    if word & 0x0fe0_0fd0 == 0x0c40_0b10 {
        // VMOV of two core registers.
        return has(5);
    }
    if word & 0x0e00_0f00 == 0x0c00_0b00 {
        let single = has(24) && !has(21);
        let last = (word >> 12 & 15) + (word & 0xff) / 2;
        let some = single || has(24) || has(23);
        return some && (has(22) || !single && last > 16);
    }
    if word & 0x0f00_0f1f == 0x0e00_0b10 {
        // VMOV of a part of one.
        return has(7);
    }
    if word & 0x0fbf_0fd0 == 0x0eb7_0ac0 {
        // From a single to a double.
        return has(22);
    }
    if word & 0x0f00_0f10 != 0x0e00_0b00 {
        return false;
    }
    let (to, left, right) = (has(22), has(7), has(5));
    if word & 0x00b0_0000 != 0x00b0_0000 {
        return to || left || right;
    }
    if !has(6) {
        return to;
    }
    match word >> 16 & 15 {
        // A conversion to a single, or to an integer.
        7 if has(7) => right,
        12 | 13 => right,
        // From an integer, of fixed point, or compared with zero.
        5 | 8 | 10 | 11 | 14 | 15 => to,
        _ => to || right,
    }
}

/// VMOV between a core register and 8 or 16 bits of a vector.
fn moves_part(word: u32) -> bool {
    word & 0x0f00_0f1f == 0x0e00_0b10 && word & 0x0040_0020 != 0
}

/// VRINTR, VRINTZ and VRINTX.
fn rounds(word: u32) -> bool {
    let unary = word & 0x0fb0_0e50 == 0x0eb0_0a40;
    unary && (word >> 16 & 15 == 6 || word >> 16 & 15 == 7 && word & 0x80 == 0)
}

/// What the instructions of one range need.
pub fn sweep(marks: &Marks, want: &Needs, bytes: &[u8], address: u64) -> Sweep {
    let mut found = Sweep::default();
    marks.each(bytes, address, |at, word, thumb| {
        let set = needs(word, thumb);
        if !set.is_empty() {
            found.add(set, at, want);
        }
    });
    found
}

/// Whether there is nothing but padding.
pub fn is_padding(bytes: &[u8]) -> bool {
    let words = bytes.chunks_exact(2).map(|word| u16::from_le_bytes([word[0], word[1]]));
    words.into_iter().all(|word| matches!(word, 0 | 0xbf00 | 0x46c0 | 0xe1a0 | 0xe320 | 0xf000))
}

fn signed(value: u32, bits: u32) -> i64 {
    i64::from((value << (32 - bits)).cast_signed() >> (32 - bits))
}

/// The target of a call or jump.
fn branch(at: u64, word: u32, thumb: bool) -> Option<u64> {
    let (base, offset) = if thumb {
        if word & 0xf800_8000 != 0xf000_8000 || word & 0x1000 == 0 && word & 0x4000 == 0 {
            return None;
        }
        let sign = word >> 26 & 1;
        let (first, second) = (word >> 13 & 1 ^ sign ^ 1, word >> 11 & 1 ^ sign ^ 1);
        let value = sign << 24
            | first << 23
            | second << 22
            | (word >> 16 & 0x3ff) << 12
            | (word & 0x7ff) << 1;
        // BLX aligns, since Arm's code is.
        let exchanges = word & 0x5000 == 0x4000;
        let base = at.wrapping_add(4);
        (if exchanges { base & !3 } else { base }, signed(value, 25))
    } else if word & 0x0e00_0000 == 0x0a00_0000 {
        let half = if word >> 28 == 15 { i64::from(word >> 24 & 1) * 2 } else { 0 };
        (at.wrapping_add(8), signed(word & 0x00ff_ffff, 24) * 4 + half)
    } else {
        return None;
    };
    Some(base.wrapping_add_signed(offset) & 0xffff_ffff)
}

/// Whom the instructions of one range call outside of it.
pub fn edges(marks: &Marks, bytes: &[u8], address: u64, mut sink: impl FnMut(EdgeKind, u64)) {
    let size = bytes.len() as u64;
    marks.each(bytes, address, |at, word, thumb| {
        if let Some(target) = branch(at, word, thumb)
            && target.wrapping_sub(address) >= size
        {
            sink(EdgeKind::Call, target);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::isa::features::Arch;

    #[test]
    fn words_need_what_a_disassembler_says() {
        for (word, thumb, expected) in [
            (0xf200_0840, false, &["neon"][..]), // vadd.i8 q0, q0, q0
            (0xef00_0840, true, &["neon"]),
            (0xf420_070f, false, &["neon"]),      // vld1.8 {d0}, [r0]
            (0xe710_f010, false, &["hwdiv-arm"]), // sdiv r0, r0, r0
            (0xfb90_f0f0, true, &["hwdiv"]),
            (0xeea0_0a00, false, &["vfp4"]), // vfma.f32 s0, s0, s0
            (0xee70_0b20, false, &["vfp3"]), // vadd.f64 d16, d0, d16
            (0xee30_0b00, false, &[]),       // vadd.f64 d0, d0, d0
            (0xed90_0b00, false, &[]),       // vldr d0, [r0]
            (0xedd0_0b00, false, &["vfp3"]), // vldr d16, [r0]
            (0xeb00_0000, false, &[]),       // bl
            (0x4770, true, &[]),             // bx lr
        ] {
            assert_eq!(needs(word, thumb).names(Arch::Arm), expected, "{word:#010x}");
        }
    }

    #[test]
    fn calls_are_found_in_both_instruction_sets() {
        assert_eq!(branch(0x1000, 0xeb00_0002, false), Some(0x1010));
        assert_eq!(branch(0x1000, 0xf000_f804, true), Some(0x100c));
        assert_eq!(branch(0x1000, 0xbf00, true), None);
    }
}
