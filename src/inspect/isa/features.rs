//! Sets of instruction set features, and what each is called: rustc's names where it has one.

use crate::vocab::isa::Baseline;

/// The processor families whose code can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit x86.
    X86_64,
    /// 32-bit x86.
    X86,
    /// 64-bit Arm.
    Aarch64,
    /// 32-bit Arm, both instruction sets.
    Arm,
}

impl Arch {
    /// The architecture's name in a triple.
    pub fn triple_name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::X86 => "i686",
            Self::Aarch64 => "aarch64",
            Self::Arm => "armv7",
        }
    }

    /// The names of its features; a feature is its index.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::X86_64 | Self::X86 => X86,
            Self::Aarch64 => AARCH64,
            Self::Arm => ARM,
        }
    }

    /// The set of the features that every CPU of `baseline` has.
    pub fn baseline(self, baseline: Baseline) -> FeatureSet {
        self.named(|name| baseline.has_feature(name))
    }

    /// The set of the features whose names `wanted` accepts.
    pub fn named(self, wanted: impl Fn(&str) -> bool) -> FeatureSet {
        let bits = self.names().iter().enumerate().filter(|(_, name)| wanted(name));
        FeatureSet(bits.fold(0, |set, (bit, _)| set | 1 << bit))
    }
}

/// Features of one architecture, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FeatureSet(pub u128);

impl FeatureSet {
    /// Nothing.
    pub const EMPTY: Self = Self(0);

    /// Whether there is nothing in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is here and not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The names, in the order of the architecture's list.
    pub fn names(self, arch: Arch) -> Vec<&'static str> {
        let names = arch.names().iter().enumerate();
        names.filter(|(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| *name).collect()
    }
}

/// x86 beyond what every x86-64 has.
pub(super) const X86: &[&str] = &[
    "cmpxchg16b",
    "lahfsahf",
    "popcnt",
    "sse3",
    "ssse3",
    "sse4.1",
    "sse4.2",
    "avx",
    "avx2",
    "bmi1",
    "bmi2",
    "f16c",
    "fma",
    "lzcnt",
    "movbe",
    "xsave",
    "avx512f",
    "avx512bw",
    "avx512cd",
    "avx512dq",
    "avx512vl",
    "adx",
    "aes",
    "pclmulqdq",
    "vaes",
    "vpclmulqdq",
    "gfni",
    "sha",
    "sha512",
    "sm3",
    "sm4",
    "avx512bf16",
    "avx512bitalg",
    "avx512fp16",
    "avx512ifma",
    "avx512vbmi",
    "avx512vbmi2",
    "avx512vnni",
    "avx512vp2intersect",
    "avx512vpopcntdq",
    "avx512er",
    "avx512pf",
    "avx512-4fmaps",
    "avx512-4vnniw",
    "avxvnni",
    "avxvnniint8",
    "avxvnniint16",
    "avxifma",
    "avxneconvert",
    "fma4",
    "xop",
    "tbm",
    "sse4a",
    "3dnow",
    "3dnowa",
    "rdrand",
    "rdseed",
    "rdtscp",
    "rdpid",
    "rtm",
    "fsgsbase",
    "clflushopt",
    "clwb",
    "clzero",
    "xsavec",
    "xsaveopt",
    "xsaves",
    "waitpkg",
    "movdiri",
    "movdir64b",
    "enqcmd",
    "serialize",
    "tsxldtrk",
    "uintr",
    "amx-tile",
    "amx-int8",
    "amx-bf16",
    "amx-fp16",
    "amx-complex",
    "cmpccxadd",
    "raoint",
    "kl",
    "widekl",
    "pku",
    "ptwrite",
    "mwaitx",
    "lwp",
    "monitor",
    "other",
];

/// 64-bit Arm beyond Armv8.0-A with Advanced SIMD.
pub(super) const AARCH64: &[&str] = &[
    "crc", "lse", "rdm", "ras", "fp16", "dotprod", "aes", "sha2", "sha3", "sm4", "fhm", "fcma",
    "jsconv", "paca", "rcpc", "rcpc2", "flagm", "frintts", "i8mm", "bf16", "sve", "sme", "mte",
    "rand", "sb", "lse2", "lse128", "ls64", "mops", "cssc", "lor", "hbc", "other",
];

/// 32-bit Arm beyond Armv7-A with VFPv3-D16.
pub(super) const ARM: &[&str] = &[
    "neon",
    "vfp3",
    "vfp4",
    "fp16",
    "hwdiv-arm",
    "hwdiv",
    "v8",
    "crc",
    "aes",
    "sha2",
    "dotprod",
    "fp-armv8",
    "other",
];
