//! The tables of [`super`]: architectures, their levels, and what each level contains.

/// An architecture's levels, each containing the ones before it.
pub(super) struct Arch {
    pub name: &'static str,
    pub levels: &'static [Level],
}

pub(super) struct Level {
    pub name: &'static str,
    pub also: &'static [&'static str],
    pub c_flags: &'static [&'static str],
    /// rustc's `target-cpu` names that the level is enough for and the one before is not.
    pub cpus: &'static [&'static str],
    /// The features beyond those of the level before, in rustc's spelling, stable ones only.
    pub features: &'static [&'static str],
    /// The same in LLVM's spelling, which rustc passes on, and those of no stable name.
    pub llvm: &'static [&'static str],
}

/// The levels of the x86-64 psABI, and the `vX.Y-A` profiles of the Arm architecture as far as each
/// contains the one before. The features are what `rustc --print cfg` says for the level (1.95).
pub(super) const ARCHS: &[Arch] = &[
    Arch {
        name: "x86_64",
        levels: &[
            Level {
                name: "x86-64-v1",
                also: &["x86-64"],
                c_flags: &["-march=x86-64"],
                cpus: &["x86-64"],
                features: &["fxsr", "sse", "sse2"],
                llvm: &["64bit", "64bit-mode", "cmov", "cx8", "mmx", "nopl", "x87"],
            },
            Level {
                name: "x86-64-v2",
                also: &[],
                c_flags: &["-march=x86-64-v2"],
                cpus: &["x86-64-v2"],
                features: &["cmpxchg16b", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"],
                llvm: &["crc32", "cx16", "lahfsahf", "sahf"],
            },
            Level {
                name: "x86-64-v3",
                also: &[],
                c_flags: &["-march=x86-64-v3"],
                cpus: &["x86-64-v3"],
                features: &[
                    "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave",
                ],
                llvm: &["bmi"],
            },
            Level {
                name: "x86-64-v4",
                also: &[],
                c_flags: &["-march=x86-64-v4"],
                cpus: &["x86-64-v4"],
                features: &["avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"],
                llvm: &["evex512"],
            },
        ],
    },
    Arch {
        name: "i686",
        // Rust's i686 targets assume a Pentium 4; a C compiler's own default is less.
        levels: &[Level {
            name: "pentium4",
            also: &[],
            c_flags: &["-march=pentium4"],
            cpus: &["i386", "i486", "i586", "i686", "pentium", "pentiumpro", "pentium4"],
            features: &["fxsr", "sse", "sse2"],
            llvm: &["cmov", "cx8", "mmx", "nopl", "x87"],
        }],
    },
    Arch {
        name: "aarch64",
        levels: &[
            Level {
                name: "armv8-a",
                also: &["armv8.0-a"],
                c_flags: &["-march=armv8-a"],
                cpus: &[],
                features: &["neon"],
                llvm: &["el2vmsa", "el3", "fp-armv8", "v8a"],
            },
            Level {
                name: "armv8.1-a",
                also: &[],
                c_flags: &["-march=armv8.1-a"],
                cpus: &[],
                features: &["crc", "lor", "lse", "pan", "rdm", "vh"],
                llvm: &["v8.1a"],
            },
            Level {
                name: "armv8.2-a",
                also: &[],
                c_flags: &["-march=armv8.2-a"],
                cpus: &[],
                features: &["dpb", "ras"],
                llvm: &["pan-rwv", "uaops", "v8.2a"],
            },
            Level {
                name: "armv8.3-a",
                also: &[],
                c_flags: &["-march=armv8.3-a"],
                cpus: &[],
                features: &["jsconv", "paca", "pacg", "rcpc"],
                llvm: &["ccidx", "v8.3a"],
            },
            Level {
                name: "armv8.4-a",
                also: &[],
                c_flags: &["-march=armv8.4-a"],
                cpus: &[],
                features: &["dit", "dotprod", "flagm"],
                llvm: &["v8.4a"],
            },
            Level {
                name: "armv8.5-a",
                also: &[],
                c_flags: &["-march=armv8.5-a"],
                cpus: &[],
                features: &["bti", "dpb2", "sb", "ssbs"],
                llvm: &["v8.5a"],
            },
            Level {
                name: "armv8.6-a",
                also: &[],
                c_flags: &["-march=armv8.6-a"],
                cpus: &[],
                features: &["bf16", "i8mm"],
                llvm: &["v8.6a"],
            },
        ],
    },
    Arch {
        name: "armv7",
        levels: &[
            Level {
                name: "armv7-a+vfpv3-d16",
                also: &["armv7-a", "armv7-a+fp"],
                c_flags: &["-march=armv7-a+vfpv3-d16"],
                cpus: &[],
                features: &[],
                llvm: &[
                    "aclass",
                    "armv7-a",
                    "db",
                    "dsp",
                    "fp64",
                    "fpregs",
                    "fpregs64",
                    "perfmon",
                    "thumb2",
                    "v4t",
                    "v5t",
                    "v5te",
                    "v6",
                    "v6k",
                    "v6m",
                    "v6t2",
                    "v7",
                    "v7clrex",
                    "v8m",
                    "vfp2",
                    "vfp2sp",
                    "vfp3d16",
                    "vfp3d16sp",
                ],
            },
            Level {
                name: "armv7-a+neon",
                also: &["armv7-a+simd", "armv7-a+neon-vfpv3"],
                c_flags: &["-march=armv7-a+neon"],
                cpus: &[],
                features: &["neon"],
                llvm: &["d32", "vfp3", "vfp3sp"],
            },
            Level {
                name: "armv7-a+neon-vfpv4",
                also: &[],
                c_flags: &["-march=armv7-a+neon-vfpv4"],
                cpus: &[],
                features: &["vfp4"],
                llvm: &["fp16", "vfp4d16", "vfp4d16sp", "vfp4sp"],
            },
        ],
    },
];

/// Target features that add no instruction: how code is laid out, linked or scheduled.
pub(super) const ADD_NOTHING: &[&str] = &[
    "atomics-32",
    "crt-static",
    "execute-only",
    "long-calls",
    "lvi-cfi",
    "lvi-load-hardening",
    "outline-atomics",
    "seses",
    "soft-float",
    "strict-align",
    "tagged-globals",
    "thumb-mode",
    "vzeroupper",
];

/// Beginnings of names of such features.
pub(super) const ADD_NOTHING_PREFIXES: &[&str] =
    &["call-saved-", "harden-", "no-", "prefer-", "reserve-", "retpoline"];
