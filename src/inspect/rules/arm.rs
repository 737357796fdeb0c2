//! What 32-bit ARM files record of the processor that they were compiled for.

use super::{Finding, Rule, Verdict};
use crate::inspect::arm::ArmFacts;
use crate::inspect::elf::Machine;
use crate::inspect::{ElfFacts, Policy};

/// `Tag_CPU_arch` of version 7.
const V7: u64 = 10;

/// Build attributes; only for 32-bit ARM.
pub(super) fn attributes(elf: &ElfFacts, policy: &Policy) -> Option<Finding> {
    let arm = elf.arm.as_ref().filter(|_| policy.machine == Machine::ARM)?;
    let finding =
        |verdict, evidence: String| Some(Finding::new(Rule::ArmAttributes, verdict, evidence));
    let ArmFacts { cpu_arch, fp_arch, simd_arch, .. } = arm;
    let (Some(cpu), fp, simd) = (*cpu_arch, fp_arch.unwrap_or(0), simd_arch.unwrap_or(0)) else {
        return finding(Verdict::Unproven, "the file records no processor".to_owned());
    };
    let mut beyond = Vec::new();
    if cpu > V7 {
        beyond.push(format!("a processor newer than ARMv7 (Tag_CPU_arch {cpu})"));
    }
    // 1, 2: VFPv1, VFPv2; 4: VFPv3-D16; 3: VFPv3 with 32 registers; from 5: VFPv4 and later.
    match fp {
        0 | 1 | 2 | 4 => {}
        3 => beyond.push("VFPv3 with 32 registers (Tag_FP_arch 3)".to_owned()),
        other => beyond.push(format!("VFPv4 or later (Tag_FP_arch {other})")),
    }
    if simd > 0 {
        beyond.push(format!("NEON (Tag_Advanced_SIMD_arch {simd})"));
    }
    if beyond.is_empty() {
        return finding(Verdict::Pass, format!("ARM architecture {cpu}, floating point {fp}"));
    }
    let seen = beyond.join(", ");
    let evidence = format!("an object was compiled for {seen}; it may ask the processor first");
    finding(Verdict::Unproven, evidence)
}
