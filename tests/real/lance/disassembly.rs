//! The functions of a program and their instructions, as the pinned objdump prints them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::machine::Machine;

/// Instructions that x86-64 did not have at first, of those without a `v` in front. Not `tzcnt`: it is
/// `bsf` for older processors, and compilers use it where both give the same.
const LATER: &str = "
    addsubpd addsubps aesdec aesenc andn bextr blsi blsmsk blsr bzhi crc32 haddpd haddps
    insertps lddqu lzcnt movbe movddup movntdqa movshdup movsldup mulx pabsb pabsd pabsw
    palignr pblendvb pblendw pclmulqdq pcmpeqq pcmpestri pcmpgtq pcmpistri pdep pext pextrb
    pextrd pextrq phaddd phaddw pinsrb pinsrd pinsrq pmaddubsw pmaxsb pmaxsd pmaxud pmaxuw
    pminsb pminsd pminud pminuw pmovsxbw pmovzxbw pmuldq pmulhrsw pmulld popcnt pshufb psignb
    psignd psignw ptest rorx roundpd roundps roundsd roundss sarx sha256rnds2 shlx shrx
";

/// Every function of `program` with its instructions, operands included, without addresses; by the
/// objdump of the project in `dir`.
pub fn functions(
    machine: &Machine,
    dir: &Path,
    target: &str,
    program: &Path,
) -> BTreeMap<String, Vec<String>> {
    let program = program.to_str().expect("UTF-8");
    let command = ["x86_64-linux-gnu-objdump", "-d", "-C", "--no-show-raw-insn", program];
    let exec = [&["exec", "--target", target, "--"], &command[..]].concat();
    let printed = machine.xprov(dir, &exec).ok().stdout;
    let mut functions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = String::new();
    for line in printed.lines() {
        if let Some(name) = line.strip_suffix(">:").and_then(|line| line.split_once(" <")) {
            name.1.clone_into(&mut current);
        } else if let Some((_, instruction)) = line.split_once(":\t") {
            functions.entry(current.clone()).or_default().push(instruction.trim().to_owned());
        }
    }
    let count: usize = functions.values().map(Vec::len).sum();
    assert!(functions.len() > 100 && count > 10_000, "{} functions, {count}", functions.len());
    functions
}

/// Whether x86-64 as it was at first does not have the instruction.
pub fn is_above_baseline(instruction: &str) -> bool {
    let mnemonic = instruction.split_whitespace().next().unwrap_or_default();
    // All of AVX, AVX2, FMA and AVX-512, and of what was there before only two.
    let vector = mnemonic.starts_with('v') && !mnemonic.starts_with("ver");
    let wide = ["%ymm", "%zmm", "%k1", "%k2"].iter().any(|register| instruction.contains(register));
    let later = LATER.split_whitespace().any(|name| {
        // With the size of its operands behind it, or not.
        mnemonic.strip_prefix(name).is_some_and(|rest| matches!(rest, "" | "b" | "w" | "l" | "q"))
    });
    vector || wide || later
}

/// Whether an instruction of the kernel needs more than AVX512F and AVX512BW. The kernel is written
/// for 64-byte registers alone; `vpxor` of short ones, which is AVX, is how gcc makes a zero.
pub fn is_beyond_avx512bw(instruction: &str) -> bool {
    let mnemonic = instruction.split_whitespace().next().unwrap_or_default();
    let short = instruction.contains("%ymm") || instruction.contains("%xmm");
    // Masks of bytes are AVX512DQ, which gcc uses wherever it may; the rest came later.
    let later = ["kmovb", "vpdp", "vpopcnt", "vpshld", "vpshrd", "vpermb", "vpermi2b", "vgf2p8"];
    (short && mnemonic != "vpxor") || later.iter().any(|name| mnemonic.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_told_apart() {
        for line in
            ["vzeroupper", "popcnt %rdi,%rax", "vpaddw %zmm0,%zmm1,%zmm2", "pshufb %xmm1,%xmm2"]
        {
            assert!(is_above_baseline(line), "{line}");
        }
        for line in ["verr %ax", "mulsd %xmm0,%xmm1", "bsf %rdi,%rax", "movdqu (%rdi),%xmm0"] {
            assert!(!is_above_baseline(line), "{line}");
        }
        // What gcc 12 made of the kernel for a machine with all of AVX-512, and for x86-64.
        assert!(is_beyond_avx512bw("kmovb %eax,%k1"));
        for line in ["kmovw %eax,%k1", "vpxor %xmm5,%xmm5,%xmm5", "vpsrlw $0x4,(%rdi),%zmm1"] {
            assert!(!is_beyond_avx512bw(line), "{line}");
        }
    }
}
