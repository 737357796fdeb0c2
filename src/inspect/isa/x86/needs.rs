//! What each code of the decoder needs.

use iced_x86::{Code, CpuidFeature, Mnemonic};

use super::super::features::{FeatureSet, X86};

/// Names of [`X86`] and the decoder's own.
const NAMES: &[(&str, CpuidFeature)] = &[
    ("cmpxchg16b", CpuidFeature::CMPXCHG16B),
    ("popcnt", CpuidFeature::POPCNT),
    ("sse3", CpuidFeature::SSE3),
    ("ssse3", CpuidFeature::SSSE3),
    ("sse4.1", CpuidFeature::SSE4_1),
    ("sse4.2", CpuidFeature::SSE4_2),
    ("avx", CpuidFeature::AVX),
    ("avx2", CpuidFeature::AVX2),
    ("bmi1", CpuidFeature::BMI1),
    ("bmi2", CpuidFeature::BMI2),
    ("f16c", CpuidFeature::F16C),
    ("fma", CpuidFeature::FMA),
    ("lzcnt", CpuidFeature::LZCNT),
    ("movbe", CpuidFeature::MOVBE),
    ("xsave", CpuidFeature::XSAVE),
    ("avx512f", CpuidFeature::AVX512F),
    ("avx512bw", CpuidFeature::AVX512BW),
    ("avx512cd", CpuidFeature::AVX512CD),
    ("avx512dq", CpuidFeature::AVX512DQ),
    ("avx512vl", CpuidFeature::AVX512VL),
    ("adx", CpuidFeature::ADX),
    ("aes", CpuidFeature::AES),
    ("pclmulqdq", CpuidFeature::PCLMULQDQ),
    ("vaes", CpuidFeature::VAES),
    ("vpclmulqdq", CpuidFeature::VPCLMULQDQ),
    ("gfni", CpuidFeature::GFNI),
    ("sha", CpuidFeature::SHA),
    ("sha512", CpuidFeature::SHA512),
    ("avx512bf16", CpuidFeature::AVX512_BF16),
    ("avx512bitalg", CpuidFeature::AVX512_BITALG),
    ("avx512fp16", CpuidFeature::AVX512_FP16),
    ("avx512ifma", CpuidFeature::AVX512_IFMA),
    ("avx512vbmi", CpuidFeature::AVX512_VBMI),
    ("avx512vbmi2", CpuidFeature::AVX512_VBMI2),
    ("avx512vnni", CpuidFeature::AVX512_VNNI),
    ("avx512vp2intersect", CpuidFeature::AVX512_VP2INTERSECT),
    ("avx512vpopcntdq", CpuidFeature::AVX512_VPOPCNTDQ),
    ("avx512er", CpuidFeature::AVX512ER),
    ("avx512pf", CpuidFeature::AVX512PF),
    ("avx512-4fmaps", CpuidFeature::AVX512_4FMAPS),
    ("avx512-4vnniw", CpuidFeature::AVX512_4VNNIW),
    ("avxvnni", CpuidFeature::AVX_VNNI),
    ("avxvnniint8", CpuidFeature::AVX_VNNI_INT8),
    ("avxifma", CpuidFeature::AVX_IFMA),
    ("avxneconvert", CpuidFeature::AVX_NE_CONVERT),
    ("fma4", CpuidFeature::FMA4),
    ("xop", CpuidFeature::XOP),
    ("tbm", CpuidFeature::TBM),
    ("sse4a", CpuidFeature::SSE4A),
    ("3dnow", CpuidFeature::D3NOW),
    ("3dnowa", CpuidFeature::D3NOWEXT),
    ("rdrand", CpuidFeature::RDRAND),
    ("rdseed", CpuidFeature::RDSEED),
    ("rdtscp", CpuidFeature::RDTSCP),
    ("rdpid", CpuidFeature::RDPID),
    ("rtm", CpuidFeature::RTM),
    ("fsgsbase", CpuidFeature::FSGSBASE),
    ("clflushopt", CpuidFeature::CLFLUSHOPT),
    ("clwb", CpuidFeature::CLWB),
    ("clzero", CpuidFeature::CLZERO),
    ("xsavec", CpuidFeature::XSAVEC),
    ("xsaveopt", CpuidFeature::XSAVEOPT),
    ("xsaves", CpuidFeature::XSAVES),
    ("waitpkg", CpuidFeature::WAITPKG),
    ("movdiri", CpuidFeature::MOVDIRI),
    ("movdir64b", CpuidFeature::MOVDIR64B),
    ("enqcmd", CpuidFeature::ENQCMD),
    ("serialize", CpuidFeature::SERIALIZE),
    ("tsxldtrk", CpuidFeature::TSXLDTRK),
    ("uintr", CpuidFeature::UINTR),
    ("amx-tile", CpuidFeature::AMX_TILE),
    ("amx-int8", CpuidFeature::AMX_INT8),
    ("amx-bf16", CpuidFeature::AMX_BF16),
    ("amx-fp16", CpuidFeature::AMX_FP16),
    ("amx-complex", CpuidFeature::AMX_COMPLEX),
    ("cmpccxadd", CpuidFeature::CMPCCXADD),
    ("raoint", CpuidFeature::RAO_INT),
    ("kl", CpuidFeature::AESKLE),
    ("widekl", CpuidFeature::WIDE_KL),
    ("pku", CpuidFeature::PKU),
    ("ptwrite", CpuidFeature::PTWRITE),
    ("mwaitx", CpuidFeature::MONITORX),
    ("lwp", CpuidFeature::LWP),
    ("monitor", CpuidFeature::MONITOR),
];

/// What an older CPU executes as nothing, or what every CPU of the family has.
fn is_harmless(feature: CpuidFeature) -> bool {
    use CpuidFeature as F;
    matches!(
        feature,
        F::INTEL8086
            | F::INTEL186
            | F::INTEL286
            | F::INTEL386
            | F::INTEL486
            | F::X64
            | F::CMOV
            | F::CPUID
            | F::CX8
            | F::FPU
            | F::FPU287
            | F::FPU387
            | F::FXSR
            | F::MMX
            | F::SSE
            | F::SSE2
            | F::CLFSH
            | F::SYSCALL
            | F::SEP
            | F::TSC
            | F::RDPMC
            | F::MSR
            | F::MULTIBYTENOP
            | F::PAUSE
            | F::CET_IBT
            | F::CET_SS
            | F::CLDEMOTE
            | F::PREFETCHW
            | F::PREFETCHWT1
            | F::PREFETCHITI
            | F::HLE
            | F::MPX
            | F::INTEL8086_ONLY
            | F::INTEL286_ONLY
            | F::INTEL386_ONLY
            | F::INTEL486_A_ONLY
            | F::FPU287XL_ONLY
            | F::FPU387SL_ONLY
    )
}

/// What each of the decoder's codes needs, by number.
pub fn table() -> Vec<FeatureSet> {
    let of = |name: &str| {
        let at = X86.iter().position(|known| *known == name);
        1_u128 << at.unwrap_or(X86.len() - 1)
    };
    let need = |code: Code| {
        // `rep bsf` in baseline code has the bytes of tzcnt, on purpose.
        match code.mnemonic() {
            // Whoever executes xgetbv has asked first, or is about to.
            Mnemonic::Tzcnt | Mnemonic::Xgetbv | Mnemonic::INVALID => return 0,
            Mnemonic::Lahf | Mnemonic::Sahf => return of("lahfsahf"),
            _ => {}
        }
        code.cpuid_features().iter().fold(0, |set, feature| {
            match NAMES.iter().find(|(_, known)| known == feature) {
                Some((name, _)) => set | of(name),
                None if is_harmless(*feature) => set,
                None => set | of("other"),
            }
        })
    };
    Code::values().map(|code| FeatureSet(need(code))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_and_of_one_feature() {
        for (name, feature) in NAMES {
            assert!(X86.contains(name), "{name}");
            assert_eq!(NAMES.iter().filter(|(_, other)| other == feature).count(), 1, "{name}");
            assert!(!is_harmless(*feature), "{name}");
        }
    }
}
