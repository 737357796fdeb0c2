//! One instruction without its architecture: where it goes on, what it reads, writes and computes.

/// The bit of the condition flags among the registers.
pub const FLAGS: u64 = 1 << 63;

/// Where execution goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// At the next instruction.
    Next,
    /// There or at the next.
    Branch(u64),
    /// There.
    Jump(u64),
    /// At an address that is computed.
    Indirect,
    /// There, then at the next; `None` for an address that is computed.
    Call(Option<u64>),
    /// At the caller.
    Return,
    /// Nowhere.
    Stop,
}

/// What an instruction does with an address that is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refer {
    /// There is none.
    Nothing,
    /// Takes it.
    Address(u64),
    /// Reads there.
    Load(u64),
    /// Writes, and perhaps reads, there.
    Store(u64),
}

/// A place in the stack frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The register that it is counted from.
    pub base: u64,
    /// How far from it.
    pub offset: u64,
}

/// Something that is computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// The number of a register, and how many of its low bits are left out.
    Register(u8, u8),
    /// A number.
    Number(u64),
    /// What is in memory.
    Memory,
}

/// What is computed, as far as answers about the CPU are commonly treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compute {
    /// Something else.
    Other,
    /// The second operand.
    Move,
    /// Their bits in common.
    And,
    /// The bits of either.
    Or,
    /// The bits of one of them.
    Xor,
    /// The first without the bits of the second.
    AndNot,
    /// All bits turned over.
    Not,
    /// The first, moved down.
    ShiftDown,
    /// The first, moved up.
    ShiftUp,
    /// The difference.
    Subtract,
    /// Only flags, of the bits in common.
    Test,
    /// Only flags, of the difference.
    Compare,
    /// Only the carry flag: one bit of the first.
    BitTest,
    /// 1 if the condition holds, or else 0.
    Set(Condition),
}

/// A condition of a branch or a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// One that is not followed.
    Unknown,
    /// Equal, or nothing left.
    Equal,
    /// Not so.
    NotEqual,
    /// Carry, or below.
    Below,
    /// Not so.
    NotBelow,
    /// Above.
    Above,
    /// Not so.
    NotAbove,
    /// Below zero.
    Negative,
    /// Not so.
    NotNegative,
    /// Less, with signs.
    Less,
    /// Not so.
    NotLess,
    /// Greater, with signs.
    Greater,
    /// Not so.
    NotGreater,
    /// The register is zero.
    Zero(u8),
    /// It is not.
    NotZero(u8),
    /// This bit of the register is 0.
    BitClear(u8, u8),
    /// It is 1.
    BitSet(u8, u8),
}

/// One instruction.
#[derive(Debug, Clone, Copy)]
pub struct Op {
    /// Its address.
    pub at: u64,
    /// Where execution goes on.
    pub flow: Flow,
    /// When a branch is taken.
    pub condition: Condition,
    /// The registers that it reads, also for addresses.
    pub reads: u64,
    /// The registers that it writes.
    pub writes: u64,
    /// What it computes from what.
    pub compute: (Compute, Operand, Operand),
    /// How many bits are computed.
    pub width: u32,
    /// The address that is in it.
    pub refer: Refer,
    /// The stack slot that it reads, or writes where `true`.
    pub slot: Option<(Slot, bool)>,
    /// It chooses a value by the condition flags.
    pub selects: bool,
    /// It does nothing: padding, if nothing leads to it.
    pub nothing: bool,
    /// It asks the processor what it can do.
    pub asks: bool,
}

impl Op {
    /// An instruction that does nothing.
    pub fn at(at: u64) -> Self {
        Self {
            at,
            flow: Flow::Next,
            condition: Condition::Unknown,
            reads: 0,
            writes: 0,
            compute: (Compute::Other, Operand::Number(0), Operand::Number(0)),
            width: 64,
            refer: Refer::Nothing,
            slot: None,
            selects: false,
            nothing: false,
            asks: false,
        }
    }
}
