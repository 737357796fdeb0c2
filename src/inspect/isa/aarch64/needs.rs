//! The encodings of the extensions.

use super::super::features::{AARCH64, FeatureSet};

/// Which bits are fixed, what they are, and what the instructions need.
type Encoding = (u32, u32, FeatureSet);

/// The encodings by bits 25 to 28, which name the group of an instruction.
#[derive(Debug, Default)]
pub struct Encodings([Vec<Encoding>; 16]);

impl Encodings {
    /// What one word needs beyond the baseline's instructions; the first encoding that fits.
    pub fn needs(&self, word: u32) -> FeatureSet {
        let group = &self.0[(word >> 25 & 15) as usize];
        let found = group.iter().find(|(mask, value, _)| word & mask == *value);
        found.map_or(FeatureSet::EMPTY, |(_, _, set)| *set)
    }
}

/// All of them. Where two fit, the first is meant.
const ALL: &[(&str, &[(u32, u32)])] = &[
    // FCVT between half and the wider formats is part of the baseline.
    ("", &[(0xffff_7c00, 0x1ee2_4000)]),
    ("sve", &[(0x1e00_0000, 0x0400_0000)]),
    ("sme", &[(0x9e00_0000, 0x8000_0000)]),
    ("crc", &[(0x7fe0_e000, 0x1ac0_4000)]),
    ("rcpc", &[(0x3fff_fc00, 0x38bf_c000)]),
    ("rcpc2", &[(0x3f20_0c00, 0x1900_0000)]),
    (
        "ls64",
        &[
            (0xffe0_fc00, 0xf820_9000),
            (0xffff_fc00, 0xf83f_d000),
            (0xffe0_fc00, 0xf820_b000),
            (0xffe0_fc00, 0xf820_a000),
        ],
    ),
    // Exclusive pairs have bit 23 clear; compare-and-swap has Rt2 all ones.
    (
        "lse",
        &[
            (0x3f20_8c00, 0x3820_0000),
            (0x3f20_fc00, 0x3820_8000),
            (0x3fa0_7c00, 0x08a0_7c00),
            (0xbfa0_7c00, 0x0820_7c00),
        ],
    ),
    ("mops", &[(0x3b20_0c00, 0x1900_0400)]),
    (
        "bf16",
        &[
            (0xbfe0_fc00, 0x2e40_fc00),
            (0xffe0_fc00, 0x6e40_ec00),
            (0xbfe0_fc00, 0x2ec0_fc00),
            (0xbfc0_f400, 0x0f40_f000),
            (0xbfc0_f400, 0x0fc0_f000),
            (0xbfff_fc00, 0x0ea1_6800),
            (0xffff_fc00, 0x1e63_4000),
        ],
    ),
    ("dotprod", &[(0x9fe0_fc00, 0x0e80_9400), (0x9fc0_f400, 0x0f80_e000)]),
    ("i8mm", &[(0xbfe0_fc00, 0x0e80_9c00), (0xbf40_f400, 0x0f00_f000), (0xdfe0_f400, 0x4e80_a400)]),
    (
        "rdm",
        &[
            (0xbf20_f400, 0x2e00_8400),
            (0xff20_f400, 0x7e00_8400),
            (0xbf00_d400, 0x2f00_d000),
            (0xff00_d400, 0x7f00_d000),
        ],
    ),
    ("fcma", &[(0xbf20_e400, 0x2e00_c400), (0xbf20_ec00, 0x2e00_e400), (0xbf00_9400, 0x2f00_1000)]),
    (
        "fhm",
        &[
            (0xbf60_fc00, 0x0e20_ec00),
            (0xbf60_fc00, 0x2e20_cc00),
            (0xbfc0_b400, 0x0f80_0000),
            (0xbfc0_b400, 0x2f80_8000),
        ],
    ),
    ("aes", &[(0xffff_cc00, 0x4e28_4800), (0xbfe0_fc00, 0x0ee0_e000)]),
    ("sha2", &[(0xffe0_8c00, 0x5e00_0000), (0xffff_cc00, 0x5e28_0800)]),
    (
        "sha3",
        &[
            (0xffe0_f000, 0xce60_8000),
            (0xffff_fc00, 0xcec0_8000),
            (0xffe0_8000, 0xce00_0000),
            (0xffe0_8000, 0xce20_0000),
            (0xffe0_0000, 0xce80_0000),
        ],
    ),
    (
        "sm4",
        &[
            (0xffe0_8000, 0xce40_0000),
            (0xffe0_c000, 0xce40_8000),
            (0xffe0_f000, 0xce60_c000),
            (0xffff_fc00, 0xcec0_8400),
        ],
    ),
    ("jsconv", &[(0xffff_fc00, 0x1e7e_0000)]),
    ("frintts", &[(0xffbe_7c00, 0x1e28_4000), (0x9fbf_ec00, 0x0e21_e800)]),
    (
        "fp16",
        &[
            (0x7fc0_0000, 0x1ec0_0000),
            (0xffc0_0000, 0x1fc0_0000),
            (0x9f60_c400, 0x0e40_0400),
            (0xdf60_c400, 0x5e40_0400),
            (0x9f7e_0c00, 0x0e78_0800),
            (0xdf7e_0c00, 0x5e78_0800),
            (0xbfc0_b400, 0x0f00_1000),
            (0x9fc0_f400, 0x0f00_9000),
            (0xffc0_b400, 0x5f00_1000),
            (0xdfc0_f400, 0x5f00_9000),
            (0xbf7f_fc00, 0x0e30_c800),
            (0xbf7f_fc00, 0x0e30_f800),
            (0xbff8_fc00, 0x0f00_fc00),
            (0x9ff0_fc00, 0x0f10_e400),
            (0x9ff0_fc00, 0x0f10_fc00),
            (0xdff0_fc00, 0x5f10_e400),
            (0xdff0_fc00, 0x5f10_fc00),
            (0xff7f_cc00, 0x5e30_c800),
        ],
    ),
    // PACIASP and its like lie among the hints, which older CPUs skip.
    (
        "paca",
        &[
            (0xfe9f_f800, 0xd61f_0800),
            (0xff20_0400, 0xf820_0400),
            (0xffff_0000, 0xdac1_0000),
            (0xffe0_fc00, 0x9ac0_3000),
        ],
    ),
    (
        "flagm",
        &[
            (0xffff_ffff, 0xd500_401f),
            (0xffff_ffff, 0xd500_403f),
            (0xffff_ffff, 0xd500_405f),
            (0xffe0_7c10, 0xba00_0400),
            (0xffff_bc1f, 0x3a00_080d),
        ],
    ),
    (
        "mte",
        &[
            (0xffe0_fc00, 0x9ac0_1000),
            (0xffe0_fc00, 0x9ac0_1400),
            (0xdfe0_fc00, 0x9ac0_0000),
            (0xbfc0_0000, 0x9180_0000),
            (0xff20_0000, 0xd920_0000),
            (0xfe40_0000, 0x6800_0000),
        ],
    ),
    (
        "cssc",
        &[
            (0x7fff_fc00, 0x5ac0_1800),
            (0x7fff_fc00, 0x5ac0_1c00),
            (0x7fff_fc00, 0x5ac0_2000),
            (0x7fe0_f000, 0x1ac0_6000),
            (0x7ff0_0000, 0x11c0_0000),
        ],
    ),
    ("lor", &[(0x3fa0_8000, 0x0880_0000)]),
    ("hbc", &[(0xff00_0010, 0x5400_0010)]),
    ("rand", &[(0xffff_ffc0, 0xd53b_2400)]),
    ("sb", &[(0xffff_ffff, 0xd503_30ff)]),
];

/// The encodings, sorted into groups.
pub fn encodings() -> Encodings {
    let mut groups = Encodings::default();
    for (name, encodings) in ALL {
        let bit = AARCH64.iter().position(|known| known == name);
        let set = bit.map_or(FeatureSet::EMPTY, |bit| FeatureSet(1 << bit));
        for (mask, value) in *encodings {
            for (group, known) in (0_u32..).zip(&mut groups.0) {
                let fixed = mask >> 25 & 15;
                if group & fixed == value >> 25 & fixed {
                    known.push((*mask, *value, set));
                }
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::isa::features::Arch;

    #[test]
    fn words_need_what_a_disassembler_says() {
        let encodings = encodings();
        for (word, needs) in [
            (0xb820_0000, "lse"),     // ldadd w0, w0, [x0]
            (0x88a0_7c00, "lse"),     // cas w0, w0, [x0]
            (0x4e80_9400, "dotprod"), // sdot v0.4s, v0.16b, v0.16b
            (0x1ee0_2800, "fp16"),    // fadd h0, h0, h0
            (0x4e28_4800, "aes"),     // aese v0.16b, v0.16b
            (0x5e28_2800, "sha2"),    // sha256su0 v0.4s, v0.4s
            (0x1ac0_4000, "crc"),     // crc32b w0, w0, w0
            (0x04e0_e3e0, "sve"),     // cntd x0
            (0xb8bf_c000, "rcpc"),    // ldapr w0, [x0]
            (0x1e63_4000, "bf16"),    // bfcvt h0, s0
        ] {
            assert_eq!(encodings.needs(word).names(Arch::Aarch64), [needs], "{word:#010x}");
        }
        for word in [
            0xd503_201f, // nop
            0xd503_233f, // paciasp, which lies among the hints
            0x885f_7c00, // ldxr w0, [x0]
            0xc8df_fc00, // ldar x0, [x0]
            0x1ee2_4000, // fcvt s0, h0
            0x4e20_d400, // fadd v0.4s, v0.4s, v0.4s
            0x9400_0000, // bl
        ] {
            assert!(encodings.needs(word).is_empty(), "{word:#010x}");
        }
    }
}
