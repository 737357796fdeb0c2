//! The instructions of x86: what they need and where they refer to.

mod needs;
mod ops;

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::features::FeatureSet;
use super::sweep::{EdgeKind, Needs, Sweep};

pub use needs::table;
pub use ops::ops;

fn decoder(bits: u32, bytes: &[u8], address: u64) -> Decoder<'_> {
    Decoder::with_ip(bits, bytes, address, DecoderOptions::NONE)
}

/// What the instructions of one range need.
pub fn sweep(bits: u32, table: &[FeatureSet], needs: &Needs, bytes: &[u8], address: u64) -> Sweep {
    let mut found = Sweep::default();
    let mut decoder = decoder(bits, bytes, address);
    let mut instruction = Instruction::default();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        let code = instruction.code();
        match table.get(code as usize) {
            Some(set) if set.0 != 0 => found.add(*set, instruction.ip(), needs),
            _ if code == Code::INVALID => found.invalid += 1,
            _ if matches!(code, Code::Cpuid | Code::Xgetbv) => found.asks = true,
            _ => {}
        }
    }
    found
}

/// Where the instructions above the baseline are.
pub fn above(
    bits: u32,
    table: &[FeatureSet],
    needs: &Needs,
    bytes: &[u8],
    address: u64,
) -> Vec<u64> {
    let set = |i: &Instruction| table.get(i.code() as usize).copied().unwrap_or_default();
    let all = &mut decoder(bits, bytes, address);
    all.iter().filter(|i| set(i).0 & !needs.baseline.0 != 0).map(|i| i.ip()).collect()
}

/// Whether there is nothing but padding.
pub fn is_padding(bits: u32, bytes: &[u8], address: u64) -> bool {
    if bytes.iter().all(|byte| matches!(byte, 0 | 0x90 | 0xcc)) {
        return true;
    }
    let nothing = |i: &Instruction| {
        matches!(i.mnemonic(), Mnemonic::Nop | Mnemonic::Int3 | Mnemonic::Xchg)
            || (i.mnemonic() == Mnemonic::Lea && i.memory_displacement64() == 0)
    };
    decoder(bits, bytes, address).iter().all(|i| nothing(&i))
}

/// Where the instructions of one range refer to outside of it. `fixed` says that the file is for
/// one address, so that numbers may be addresses.
pub fn edges(
    bits: u32,
    fixed: bool,
    bytes: &[u8],
    address: u64,
    mut sink: impl FnMut(EdgeKind, u64),
) {
    let size = bytes.len() as u64;
    let mut decoder = decoder(bits, bytes, address);
    let mut i = Instruction::default();
    while decoder.can_decode() {
        decoder.decode_out(&mut i);
        match i.op0_kind() {
            OpKind::NearBranch64 | OpKind::NearBranch32 | OpKind::NearBranch16 => {
                let target = i.near_branch_target();
                if target.wrapping_sub(address) >= size {
                    sink(EdgeKind::Call, target);
                }
                continue;
            }
            _ => {}
        }
        let at = if i.memory_base() == Register::RIP || fixed { address_of(&i) } else { None };
        if let Some(at) = at {
            let kind = match i.mnemonic() {
                Mnemonic::Lea => EdgeKind::Address,
                Mnemonic::Call | Mnemonic::Jmp => EdgeKind::CallThrough,
                _ => EdgeKind::Load,
            };
            sink(kind, at);
        }
        if fixed {
            for operand in 0..i.op_count() {
                if is_number(i.op_kind(operand)) {
                    sink(EdgeKind::Address, i.immediate(operand));
                }
            }
        }
    }
}

/// Whether the operand is a number that is long enough for an address.
fn is_number(kind: OpKind) -> bool {
    matches!(kind, OpKind::Immediate32 | OpKind::Immediate32to64 | OpKind::Immediate64)
}

fn address_of(i: &Instruction) -> Option<u64> {
    if (0..i.op_count()).all(|operand| i.op_kind(operand) != OpKind::Memory) {
        return None;
    }
    if i.is_ip_rel_memory_operand() {
        return Some(i.ip_rel_memory_address());
    }
    // A table at a fixed address: `[table + rax*8]`.
    (i.memory_displ_size() >= 4
        && i.memory_displacement64() > 0xfff
        && !matches!(i.memory_base(), Register::RSP | Register::RBP | Register::ESP)
        && !matches!(i.segment_prefix(), Register::FS | Register::GS))
    .then(|| i.memory_displacement64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::isa::features::X86;

    fn needs(bytes: &[u8]) -> Vec<&'static str> {
        let want = Needs { baseline: FeatureSet::EMPTY };
        let found = sweep(64, &table(), &want, bytes, 0x1000);
        (0..)
            .zip(X86)
            .filter(|(bit, _)| found.features.0 >> bit & 1 == 1)
            .map(|(_, n)| *n)
            .collect()
    }

    #[test]
    fn instructions_need_what_they_need() {
        // vaddps ymm0, ymm0, ymm0; popcnt eax, eax; addps xmm0, xmm0.
        assert_eq!(needs(&[0xc5, 0xfc, 0x58, 0xc0]), ["avx"]);
        assert_eq!(needs(&[0xf3, 0x0f, 0xb8, 0xc0]), ["popcnt"]);
        assert!(needs(&[0x0f, 0x58, 0xc0]).is_empty());
        // vpaddd zmm0, zmm0, zmm0; vpaddd ymm16, ymm16, ymm16.
        assert_eq!(needs(&[0x62, 0xf1, 0x7d, 0x48, 0xfe, 0xc0]), ["avx512f"]);
        assert_eq!(needs(&[0x62, 0xa1, 0x7d, 0x20, 0xfe, 0xc0]), ["avx512f", "avx512vl"]);
    }

    #[test]
    fn what_older_cpus_execute_otherwise_is_no_proof() {
        // tzcnt, which is `rep bsf`; endbr64; pause; xgetbv.
        for bytes in [
            &[0xf3, 0x0f, 0xbc, 0xc0][..],
            &[0xf3, 0x0f, 0x1e, 0xfa],
            &[0xf3, 0x90],
            &[0x0f, 0x01, 0xd0],
        ] {
            assert!(needs(bytes).is_empty(), "{bytes:02x?}");
        }
        // lzcnt gives another result than `rep bsr`.
        assert_eq!(needs(&[0xf3, 0x0f, 0xbd, 0xc0]), ["lzcnt"]);
    }
}
