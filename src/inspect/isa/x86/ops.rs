//! The instructions of one function in terms that no longer know the architecture.

use iced_x86::{
    ConditionCode, FlowControl, Instruction, InstructionInfo, InstructionInfoFactory, Mnemonic,
    OpAccess, OpKind, Register, UsedMemory,
};

use super::super::op::{Compute, Condition, FLAGS, Flow, Op, Operand, Refer, Slot};
use super::{address_of, decoder, is_number};

fn bit(register: Register) -> u64 {
    let full = register.full_register();
    let gpr = matches!(register, r if r.is_gpr());
    if gpr { 1 << (full as u32 - Register::RAX as u32) } else { 0 }
}

fn condition(code: ConditionCode) -> Condition {
    match code {
        ConditionCode::e => Condition::Equal,
        ConditionCode::ne => Condition::NotEqual,
        ConditionCode::b => Condition::Below,
        ConditionCode::ae => Condition::NotBelow,
        ConditionCode::a => Condition::Above,
        ConditionCode::be => Condition::NotAbove,
        ConditionCode::s => Condition::Negative,
        ConditionCode::ns => Condition::NotNegative,
        ConditionCode::l => Condition::Less,
        ConditionCode::ge => Condition::NotLess,
        ConditionCode::g => Condition::Greater,
        ConditionCode::le => Condition::NotGreater,
        _ => Condition::Unknown,
    }
}

fn operand(i: &Instruction, number: u32) -> Option<Operand> {
    Some(match i.op_kind(number) {
        OpKind::Register => {
            let register = i.op_register(number);
            let high =
                matches!(register, Register::AH | Register::BH | Register::CH | Register::DH);
            let index = bit(register).checked_ilog2().and_then(|index| u8::try_from(index).ok())?;
            Operand::Register(index, if high { 8 } else { 0 })
        }
        OpKind::Memory => Operand::Memory,
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64 => return None,
        _ => Operand::Number(i.try_immediate(number).ok()?),
    })
}

fn compute(i: &Instruction) -> Option<(Compute, Operand, Operand)> {
    let what = match i.mnemonic() {
        Mnemonic::Mov | Mnemonic::Movzx => Compute::Move,
        Mnemonic::And => Compute::And,
        Mnemonic::Or => Compute::Or,
        Mnemonic::Xor => Compute::Xor,
        Mnemonic::Not => Compute::Not,
        Mnemonic::Shr => Compute::ShiftDown,
        Mnemonic::Shl => Compute::ShiftUp,
        Mnemonic::Sub => Compute::Subtract,
        Mnemonic::Test => Compute::Test,
        Mnemonic::Cmp => Compute::Compare,
        Mnemonic::Bt => Compute::BitTest,
        _ if i.condition_code() != ConditionCode::None
            && i.op_count() == 1
            && i.flow_control() == FlowControl::Next =>
        {
            Compute::Set(condition(i.condition_code()))
        }
        _ => return None,
    };
    let first = operand(i, 0)?;
    Some((what, first, if i.op_count() > 1 { operand(i, 1)? } else { first }))
}

fn width(i: &Instruction) -> u32 {
    let size = match i.op0_kind() {
        OpKind::Register => i.op0_register().size(),
        _ => i.memory_size().size(),
    };
    u32::try_from(size).map_or(64, |size| (size * 8).clamp(8, 64))
}

/// After a call: all but rbx, rbp, r12 to r15 and the stack pointer is lost.
const LOST: u64 = 0b0000_1111_1100_0111 | FLAGS;

/// The instructions of one function, in terms that no longer know the architecture. `fixed` says
/// that numbers may be addresses.
pub fn ops(bits: u32, fixed: bool, bytes: &[u8], address: u64) -> Vec<Op> {
    let mut factory = InstructionInfoFactory::new();
    let mut decoder = decoder(bits, bytes, address);
    decoder.iter().map(|i| op(&i, fixed, factory.info(&i))).collect()
}

fn flow(i: &Instruction) -> Flow {
    match i.flow_control() {
        _ if i.is_invalid() => Flow::Stop,
        FlowControl::Next | FlowControl::XbeginXabortXend => Flow::Next,
        FlowControl::ConditionalBranch => Flow::Branch(i.near_branch_target()),
        FlowControl::UnconditionalBranch => Flow::Jump(i.near_branch_target()),
        FlowControl::IndirectBranch => Flow::Indirect,
        FlowControl::Call => Flow::Call(Some(i.near_branch_target())),
        FlowControl::IndirectCall => Flow::Call(None),
        FlowControl::Return => Flow::Return,
        FlowControl::Interrupt if i.mnemonic() != Mnemonic::Int3 => Flow::Next,
        _ => Flow::Stop,
    }
}

fn op(i: &Instruction, fixed: bool, info: &InstructionInfo) -> Op {
    let mut op = Op::at(i.ip());
    op.flow = flow(i);
    op.condition = condition(i.condition_code());
    op.width = width(i);
    op.compute = compute(i).unwrap_or(op.compute);
    for used in info.used_registers() {
        let bit = bit(used.register());
        let access = used.access();
        // After a write that may not happen, what was there before may still be.
        if !matches!(access, OpAccess::Write | OpAccess::NoMemAccess | OpAccess::None) {
            op.reads |= bit;
        }
        if !matches!(access, OpAccess::Read | OpAccess::CondRead | OpAccess::None) {
            op.writes |= bit;
        }
    }
    if i.rflags_read() != 0 {
        op.reads |= FLAGS;
    }
    if i.rflags_modified() != 0 {
        op.writes |= FLAGS;
    }
    op.selects = i.rflags_read() != 0 && op.writes & !FLAGS != 0 && op.flow == Flow::Next;
    let same = i.op0_kind() == OpKind::Register
        && i.op1_kind() == OpKind::Register
        && i.op0_register() == i.op1_register();
    if matches!(i.mnemonic(), Mnemonic::Xor | Mnemonic::Sub) && same {
        op.reads = 0;
    }
    op.nothing = i.mnemonic() == Mnemonic::Nop || (i.mnemonic() == Mnemonic::Xchg && same);
    op.asks = matches!(i.mnemonic(), Mnemonic::Cpuid | Mnemonic::Xgetbv);
    memory(i, fixed, info, &mut op);
    if let Flow::Call(_) = op.flow {
        op.writes |= LOST;
    }
    // The stack pointer moves no value.
    op.reads &= !bit(Register::RSP);
    op.writes &= !bit(Register::RSP);
    op
}

/// Which memory or address an instruction names.
fn memory(i: &Instruction, fixed: bool, info: &InstructionInfo, op: &mut Op) {
    let access = info.used_memory().first().map(UsedMemory::access);
    let stores =
        access.is_some_and(|access| !matches!(access, OpAccess::Read | OpAccess::CondRead));
    if let Some(at) = address_of(i) {
        op.refer = match (i.mnemonic() == Mnemonic::Lea, stores) {
            (true, _) => Refer::Address(at),
            (false, true) => Refer::Store(at),
            (false, false) => Refer::Load(at),
        };
    } else if fixed {
        for operand in 0..i.op_count() {
            if is_number(i.op_kind(operand)) {
                op.refer = Refer::Address(i.immediate(operand));
            }
        }
    }
    let base = i.memory_base();
    let frame = matches!(base, Register::RSP | Register::RBP | Register::ESP | Register::EBP);
    if frame
        && access.is_some()
        && !i.is_stack_instruction()
        && i.memory_index() == Register::None
        && i.mnemonic() != Mnemonic::Lea
    {
        let slot = Slot { base: bit(base), offset: i.memory_displacement64() };
        op.slot = Some((slot, stores));
    }
}
