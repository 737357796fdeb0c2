//! What the name of a function says: its crate, and instruction sets that it is named for.

use std::fmt::{self, Write};

use super::features::{Arch, FeatureSet};

/// At most so many bytes of a name are shown: a short symbol can stand for a megabyte.
const LONGEST: usize = 4096;

struct Short(String);

impl fmt::Write for Short {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.0.len() + part.len() > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(part);
        Ok(())
    }
}

/// A readable name.
pub fn readable(symbol: &str) -> String {
    let mut name = Short(String::new());
    match rustc_demangle::try_demangle(symbol) {
        // What does not fit is left out.
        Ok(whole) => {
            let _ = write!(name, "{whole:#}");
            name.0
        }
        Err(_) => symbol.chars().take(LONGEST).collect(),
    }
}

/// The crate that a readable Rust path belongs to: the first segment outside of any brackets'
/// decoration, `<memchr::Finder as core::Trait>::find` being memchr's.
pub fn crate_of(symbol: &str, readable: &str) -> Option<String> {
    if symbol == readable {
        return None;
    }
    let start = readable.trim_start_matches(['<', '&', '*', '(', '[']);
    let start = start.strip_prefix("mut ").or(start.strip_prefix("dyn ")).unwrap_or(start);
    let end = start.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(start.len());
    let name = &start[..end];
    (!name.is_empty() && start[end..].starts_with("::")).then(|| name.to_owned())
}

/// Whether the standard library's generic code bears this name: it is never written for an
/// instruction set of its own.
pub fn is_generic(readable: &str) -> bool {
    let of_std = |krate: &str| matches!(krate, "core" | "alloc" | "std");
    matches!(readable, "main" | "_start" | "_init" | "_fini")
        || (readable.contains("::")
            && !readable.contains("core_arch")
            && !readable.contains("std_detect")
            && crate_of("", readable).is_some_and(|krate| of_std(&krate)))
}

/// Parts of names, and the features that they announce. A part that begins or ends with `_`
/// matches only a whole word there.
const X86_WORDS: &[(&str, &[&str])] = &[
    ("avx512", V4),
    ("evex", V4),
    ("skylakex", V4),
    ("icelake", V4),
    ("x86_64_v4", V4),
    ("cascadelake", V4),
    ("sapphirerapids", V4),
    ("cooperlake", V4),
    ("avx10", V4),
    ("zen4", V4),
    ("avx2", V3),
    ("avx", V3),
    ("haswell", V3),
    ("zen", V3),
    ("_fma_", V3),
    ("x86_64_v3", V3),
    ("_v3_", V3),
    ("_v4_", V4),
    ("sandybridge", V3),
    ("_fma4_", V3),
    ("f16c", V3),
    ("vaes", V4),
    ("vpclmul", V4),
    ("_xop_", V3),
    ("bmi", &["bmi1", "bmi2", "lzcnt", "popcnt"]),
    ("mulx", ADX),
    ("adx", ADX),
    ("_lzcnt_", &["lzcnt"]),
    ("popcnt", &["popcnt"]),
    ("movbe", &["movbe"]),
    ("vpaes", SSE),
    ("montx", ADX),
    ("edwards25519_scalarmul", ADX),
    ("curve25519_x25519", ADX),
    ("bignum_", ADX),
    ("sqrx8x", ADX),
    ("postx4x", ADX),
    ("powerx5", ADX),
    ("usingdtable_internal_fast", &["bmi1", "bmi2", "lzcnt"]),
    ("sse4", SSE),
    ("sse3", SSE),
    ("ssse3", SSE),
    ("sse42", SSE),
    ("nehalem", SSE),
    ("westmere", SSE),
    ("x86_64_v2", SSE),
    ("sse41", SSE),
    ("shani", SHA),
    ("sha_ni", SHA),
    ("sha_ext", SHA),
    ("_ni_", SHA),
    ("_shaext_", SHA),
    ("aesni", AES),
    ("aes_ni", AES),
    ("_hw_", AES),
    ("clmul", AES),
    ("_aes_", AES),
    ("gfni", &["gfni"]),
    ("_rtm_", &["rtm"]),
    ("_elision_", &["rtm"]),
    ("xsave", &["xsave", "xsavec", "xsaveopt"]),
    ("rdrand", &["rdrand"]),
    ("rdseed", &["rdseed"]),
    ("crc32", &["sse4.2"]),
    ("vnni", V4),
    ("ifma256", V4),
    ("_amx", &["amx-tile", "amx-int8", "amx-bf16", "amx-fp16"]),
    ("rdtscp", &["rdtscp"]),
];

const SSE: &[&str] = &["sse3", "ssse3", "sse4.1", "sse4.2", "popcnt"];
const AES: &[&str] =
    &["sse3", "ssse3", "sse4.1", "sse4.2", "aes", "pclmulqdq", "avx", "movbe", "sha"];
const SHA: &[&str] = &["sha", "sse3", "ssse3", "sse4.1"];
const ADX: &[&str] = &["adx", "bmi1", "bmi2"];
const V3: &[&str] = &[
    "sse3",
    "ssse3",
    "sse4.1",
    "sse4.2",
    "popcnt",
    "avx",
    "avx2",
    "bmi1",
    "bmi2",
    "f16c",
    "fma",
    "lzcnt",
    "movbe",
    "aes",
    "pclmulqdq",
    "adx",
    "fma4",
    "xop",
    "cmpxchg16b",
    "lahfsahf",
    "sha",
    "vaes",
    "vpclmulqdq",
    "gfni",
    "avxvnni",
    "avxifma",
    "avxvnniint8",
    "avxneconvert",
    "sse4a",
];
const V4: &[&str] = &[
    "sse3",
    "ssse3",
    "sse4.1",
    "sse4.2",
    "popcnt",
    "avx",
    "avx2",
    "bmi1",
    "bmi2",
    "f16c",
    "fma",
    "lzcnt",
    "movbe",
    "aes",
    "pclmulqdq",
    "adx",
    "cmpxchg16b",
    "lahfsahf",
    "sha",
    "vaes",
    "vpclmulqdq",
    "gfni",
    "avxvnni",
    "avx512f",
    "avx512bw",
    "avx512cd",
    "avx512dq",
    "avx512vl",
    "avx512bf16",
    "avx512bitalg",
    "avx512fp16",
    "avx512ifma",
    "avx512vbmi",
    "avx512vbmi2",
    "avx512vnni",
    "avx512vp2intersect",
    "avx512vpopcntdq",
];

const AARCH64_WORDS: &[(&str, &[&str])] = &[
    ("_lse_", &["lse"]),
    ("outline_atomic", &["lse"]),
    ("dotprod", &["dotprod"]),
    ("dot_prod", &["dotprod"]),
    ("_udot_", &["dotprod"]),
    ("fp16", &["fp16", "fhm"]),
    ("sve", &["sve", "dotprod", "i8mm", "bf16", "fp16"]),
    ("_aes_", &["aes", "sha2"]),
    ("_hw_", &["aes", "sha2"]),
    ("pmull", &["aes"]),
    ("clmul", &["aes"]),
    ("sha2", &["sha2", "sha3"]),
    ("sha1", &["sha2"]),
    ("sha3", &["sha3"]),
    ("sha512", &["sha3"]),
    ("_ce_", &["aes", "sha2", "sha3"]),
    ("eor3", &["sha3", "aes"]),
    ("crc32", &["crc"]),
    ("i8mm", &["i8mm", "dotprod"]),
    ("bf16", &["bf16"]),
    ("mops", &["mops"]),
    ("sme", &["sme"]),
    ("armv8", &["aes", "sha2", "sha3", "crc"]),
    ("_mte_", &["mte"]),
    ("asimdhp", &["fp16"]),
    ("asimddp", &["dotprod"]),
];

const ARM_WORDS: &[(&str, &[&str])] = &[
    ("neon", &["neon", "vfp3"]),
    ("_vfp_", &["vfp3"]),
    ("vfp4", &["vfp4", "neon", "vfp3"]),
    ("armv8", &["v8", "aes", "sha2", "crc", "neon", "vfp3"]),
    ("_hw_", &["v8", "aes", "neon", "vfp3"]),
    ("pmull", &["aes", "neon", "vfp3"]),
    ("idiv", &["hwdiv", "hwdiv-arm"]),
    ("nohw", &["neon", "vfp3"]),
    ("vpaes", &["neon", "vfp3"]),
    ("bsaes", &["neon", "vfp3"]),
    ("crc32", &["crc"]),
    ("_simd_", &["neon", "vfp3"]),
];

/// The features that a name announces.
pub fn announced(arch: Arch, name: &str) -> FeatureSet {
    let words = match arch {
        Arch::X86_64 | Arch::X86 => X86_WORDS,
        Arch::Aarch64 => AARCH64_WORDS,
        Arch::Arm => ARM_WORDS,
    };
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    let plain = format!("_{plain}_");
    let named = words.iter().filter(|(word, _)| plain.contains(word));
    let named: Vec<&str> = named.flat_map(|(_, features)| *features).copied().collect();
    arch.named(|feature| named.contains(&feature))
}

/// Libraries that are known to ask before they call: how their names begin, and how they ask.
/// What is accepted is a name of theirs that announces its features.
const FAMILIES: &[(&str, &str, &str)] = &[
    ("blake3", "blake3_", "blake3 keeps its choice in a `Platform` value"),
    ("blake3", "blake3::", "blake3 keeps its choice in a `Platform` value"),
    ("memchr", "memchr::arch::", "memchr keeps a pointer to the function that it chose"),
    ("sha2", "sha2::", "sha2 asks `cpufeatures`"),
    ("ring", "ring_core_", "ring passes tokens of its CPU features"),
    ("ring", "ring::", "ring passes tokens of its CPU features"),
    ("glibc", "memcpy_neon", "glibc's resolver asks"),
    ("glibc", "memchr_neon", "glibc's resolver asks"),
    ("libgcc", "gnu_Unwind_", "the unwinder restores what was saved"),
    ("aho-corasick", "aho_corasick::packed::", "aho-corasick asks when it builds a searcher"),
    ("libstdc++", "ZNSt12_GLOBAL__N_112__x86_rd", "`std::random_device` asks when it is made"),
    ("glibc", "lll_lock_elision", "glibc asks before it uses transactions"),
    ("glibc", "lll_unlock_elision", "glibc asks before it uses transactions"),
    ("glibc", "lll_trylock_elision", "glibc asks before it uses transactions"),
    ("OpenSSL", "ossl_", "OpenSSL reads `OPENSSL_ia32cap_P` where it chooses"),
    ("OpenSSL", "gcm_", "OpenSSL reads `OPENSSL_ia32cap_P` where it chooses"),
    ("OpenSSL", "aesni_", "OpenSSL reads `OPENSSL_ia32cap_P` where it chooses"),
    ("OpenSSL", "ossl_rsaz_", "OpenSSL reads `OPENSSL_ia32cap_P` where it chooses"),
    ("OpenSSL", "rsaz_", "OpenSSL reads `OPENSSL_ia32cap_P` where it chooses"),
    ("OpenSSL", "ossl_extract_multiplier", "OpenSSL reads `OPENSSL_ia32cap_P` where it chooses"),
    ("OpenSSL", "bn_mulx4x", "OpenSSL reads `OPENSSL_ia32cap_P` where it chooses"),
    ("OpenSSL", "bn_powerx5", "OpenSSL reads `OPENSSL_ia32cap_P` where it chooses"),
    ("OpenSSL", "OPENSSL_ia32_rd", "OpenSSL reads `OPENSSL_ia32cap_P` where it chooses"),
    ("OpenSSL", "vpaes_", "OpenSSL reads `OPENSSL_ia32cap_P` where it chooses"),
    ("OpenSSL", "ossl_vaes", "OpenSSL reads `OPENSSL_ia32cap_P` where it chooses"),
    ("OpenSSL", "ossl_aes_gcm", "OpenSSL reads `OPENSSL_ia32cap_P` where it chooses"),
    ("aws-lc", "aws_lc_", "AWS-LC reads `OPENSSL_ia32cap_P`"),
    ("zstd", "ZSTD_", "zstd keeps the answer in its context"),
    ("zstd", "HUF_", "zstd passes the answer as a flag"),
    ("zstd", "FSE_", "zstd passes the answer as a flag"),
];

/// The family of a name, and how it asks.
pub fn family(readable: &str) -> Option<(&'static str, &'static str)> {
    let start = readable.trim_start_matches(['<', '&', '(', '_']);
    let found = FAMILIES.iter().find(|(_, begin, _)| start.starts_with(begin));
    found.map(|(family, _, how)| (*family, *how))
}

/// Whether the symbol is a known place for what the CPU can do.
pub fn is_cache(symbol: &str) -> bool {
    const WHOLE: &[&str] = &[
        "__cpu_model",
        "__cpu_features2",
        "_rtld_global_ro",
        "_dl_x86_cpu_features",
        "_dl_x86_get_cpu_features",
        "__aarch64_have_lse_atomics",
        "_dl_hwcap",
        "_dl_hwcap2",
        "_dl_aarch64_cpu_features",
        "_dl_arm_cpu_features",
        "__aarch64_cpu_features",
    ];
    WHOLE.contains(&symbol)
        || symbol.ends_with("OPENSSL_ia32cap_P")
        || symbol.ends_with("OPENSSL_armcap_P")
        || (symbol.contains("std_detect") && symbol.contains("CACHE"))
        || (symbol.contains("STORAGE") && symbol.contains("cpuid"))
}

/// Whether the function's result is known to be about the CPU.
pub fn is_predicate(symbol: &str) -> bool {
    const WHOLE: &[&str] = &[
        "getauxval",
        "__getauxval",
        "__getauxval2",
        "__x86_get_cpu_features",
        "__x86_get_cpuid_feature_leaf",
        "_dl_x86_get_cpu_features",
        "__get_cpu_features",
        "__get_cpuid_max",
        "__get_cpuid",
        "__get_cpuid_count",
    ];
    WHOLE.contains(&symbol)
        || (symbol.contains("std_detect")
            && ["detect_and_initialize", "check_for", "__is_feature_detected", "cache4test"]
                .iter()
                .any(|part| symbol.contains(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_announces_what_it_is_written_for() {
        let said = |name: &str| announced(Arch::X86_64, name).names(Arch::X86_64);
        assert!(said("memchr::arch::x86_64::avx2::memchr::One::find_raw_avx2").contains(&"avx2"));
        assert!(!said("find_avx2").contains(&"avx512f"));
        assert!(said("sum_avx512").contains(&"avx512vl"));
        assert!(said("core::fmt::write").is_empty() && said("main").is_empty());
        assert_eq!(announced(Arch::Arm, "__memcpy_neon").names(Arch::Arm), ["neon", "vfp3"]);
    }

    #[test]
    fn a_path_says_its_crate() {
        let of = |path: &str| crate_of("_R", path);
        assert_eq!(of("memchr::find").as_deref(), Some("memchr"));
        assert_eq!(of("<&mut memchr::Finder as core::Clone>::clone").as_deref(), Some("memchr"));
        assert_eq!(crate_of("main", "main"), None);
    }

    #[test]
    fn code_of_the_standard_library_is_generic() {
        assert!(
            is_generic("main") && is_generic("core::ptr::drop_in_place<alloc::string::String>")
        );
        assert!(is_generic("<alloc::vec::Vec<u8> as core::clone::Clone>::clone"));
        assert!(!is_generic("core::core_arch::x86::avx2::_mm256_add_epi8"));
        assert!(!is_generic("std_detect::detect::check_for") && !is_generic("sum"));
    }

    #[test]
    fn families_are_known_by_how_their_names_begin() {
        assert_eq!(family("_blake3_hash_many_avx2").map(|(name, _)| name), Some("blake3"));
        assert_eq!(family("<memchr::arch::x86_64::avx2::One>::find").map(|f| f.0), Some("memchr"));
        assert_eq!(family("my_blake3_hash"), None);
    }

    #[test]
    fn a_name_of_any_length_is_shown_short() {
        assert!(readable(&"x".repeat(1 << 20)).len() <= LONGEST);
        assert_eq!(readable("_ZN4core3fmt5write17h0123456789abcdefE"), "core::fmt::write");
    }
}
