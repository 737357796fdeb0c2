//! What one instruction makes of answers about the CPU, on a CPU that has nothing: every answer is
//! zero there, and what is computed from it is computed.

use std::collections::HashMap;

use super::guard::Sources;
use super::op::{Compute, Condition, FLAGS, Flow, Op, Operand, Refer, Slot};

/// What a register holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Held {
    /// Nothing that came from an answer.
    #[default]
    Other,
    /// This number, on a CPU that has nothing.
    Known(u64),
    /// Something that depends on an answer.
    Depends,
}

impl Held {
    fn merged(self, other: Self) -> Self {
        if self == other { self } else { Self::Depends }
    }
}

/// What the condition flags hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Flags {
    /// Nothing that came from an answer.
    #[default]
    Other,
    /// These flags, on a CPU that has nothing.
    Known {
        /// Zero.
        zero: bool,
        /// Carry.
        carry: bool,
        /// The sign.
        sign: bool,
        /// Overflow.
        overflow: bool,
    },
    /// Something that depends on an answer.
    Depends,
}

/// What is known before an instruction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    registers: [Held; 32],
    flags: Flags,
}

fn numbers(bits: u64) -> impl Iterator<Item = usize> {
    (0..32).filter(move |number| bits >> number & 1 == 1)
}

fn within(width: u32, value: u64) -> u64 {
    if width >= 64 { value } else { value & ((1 << width) - 1) }
}

impl State {
    /// What is known where two ways meet.
    #[must_use]
    pub fn merged(mut self, other: &Self) -> Self {
        for (mine, theirs) in self.registers.iter_mut().zip(other.registers) {
            *mine = mine.merged(theirs);
        }
        if self.flags != other.flags {
            self.flags = Flags::Depends;
        }
        self
    }

    /// Whether any of these registers or the flags depend on an answer.
    pub fn depends(&self, bits: u64) -> bool {
        (bits & FLAGS != 0 && self.flags != Flags::Other)
            || numbers(bits).any(|number| self.registers[number] != Held::Other)
    }

    /// Whether the first register, which holds results, does.
    pub fn answers(&self) -> bool {
        self.registers[0] != Held::Other
    }

    /// Whether a condition that depends on answers holds on a CPU that has nothing.
    pub fn holds(&self, condition: Condition) -> Option<bool> {
        let register = |number: u8| match self.registers.get(usize::from(number)) {
            Some(Held::Known(value)) => Some(*value),
            _ => None,
        };
        match condition {
            Condition::Unknown => return None,
            Condition::Zero(number) => return register(number).map(|value| value == 0),
            Condition::NotZero(number) => return register(number).map(|value| value != 0),
            Condition::BitClear(number, bit) => {
                return register(number).map(|value| value >> (bit & 63) & 1 == 0);
            }
            Condition::BitSet(number, bit) => {
                return register(number).map(|value| value >> (bit & 63) & 1 == 1);
            }
            _ => {}
        }
        let Flags::Known { zero, carry, sign, overflow } = self.flags else { return None };
        Some(match condition {
            Condition::Equal => zero,
            Condition::NotEqual => !zero,
            Condition::Below => carry,
            Condition::NotBelow => !carry,
            Condition::Above => !carry && !zero,
            Condition::NotAbove => carry || zero,
            Condition::Negative => sign,
            Condition::NotNegative => !sign,
            Condition::Less => sign != overflow,
            Condition::NotLess => sign == overflow,
            Condition::Greater => !zero && sign == overflow,
            Condition::NotGreater => zero || sign != overflow,
            _ => return None,
        })
    }

    fn value(&self, operand: Operand, memory: Held) -> Held {
        match operand {
            Operand::Number(number) => Held::Known(number),
            Operand::Memory => memory,
            Operand::Register(number, shift) => match self.registers.get(usize::from(number)) {
                Some(Held::Known(value)) => Held::Known(value >> (shift & 63)),
                Some(held) => *held,
                None => Held::Other,
            },
        }
    }

    /// What is known after `op`. `slots` is what the stack frame holds.
    #[must_use]
    pub fn after(&self, op: &Op, sources: &Sources, slots: &mut HashMap<Slot, Held>) -> Self {
        let mut next = *self;
        let asked = consults(op, sources);
        let slot = op.slot.filter(|(_, stores)| !stores).and_then(|(slot, _)| slots.get(&slot));
        let memory = match (op.refer, slot) {
            (Refer::Load(_) | Refer::Store(_), _) if asked => Held::Known(0),
            (_, Some(held)) => *held,
            // Through a pointer to answers.
            _ if self.depends(op.reads & !FLAGS) => Held::Known(0),
            _ => Held::Other,
        };
        let result = self.result(op, asked, memory);
        if let Some((slot, true)) = op.slot {
            let stored = match op.compute {
                (Compute::Move, _, source) => self.value(source, Held::Other),
                _ if self.depends(op.reads & !slot.base) => Held::Depends,
                _ => Held::Other,
            };
            let is_number = matches!(op.compute.2, Operand::Number(_));
            if stored != Held::Other && !is_number {
                slots.entry(slot).and_modify(|old| *old = old.merged(stored)).or_insert(stored);
            }
        }
        for number in numbers(op.writes) {
            next.registers[number] =
                if matches!(op.flow, Flow::Call(_)) { Held::Other } else { result };
        }
        if let Flow::Call(Some(to)) = op.flow
            && sources.predicates.contains(&to)
        {
            next.registers[0] = Held::Known(0);
        }
        if op.writes & FLAGS != 0 {
            next.flags = if result == Held::Other { Flags::Other } else { self.flags(op, memory) };
        }
        next
    }

    fn result(&self, op: &Op, asked: bool, memory: Held) -> Held {
        let (compute, first, second) = op.compute;
        let depends = asked || memory != Held::Other || self.depends(op.reads);
        if !depends {
            return Held::Other;
        }
        if op.asks {
            return Held::Known(0);
        }
        // The address of answers is no answer, but leads to one.
        if let (Refer::Address(_), true) = (op.refer, asked) {
            return Held::Depends;
        }
        let (a, b) = (self.value(first, memory), self.value(second, memory));
        if let Compute::Set(condition) = compute {
            return self.holds(condition).map_or(Held::Depends, |set| Held::Known(set.into()));
        }
        let value = match (compute, a, b) {
            (Compute::Move, _, Held::Known(b)) => b,
            (Compute::And | Compute::Test, Held::Known(0), _)
            | (Compute::And | Compute::Test, _, Held::Known(0)) => 0,
            (Compute::And | Compute::Test, Held::Known(a), Held::Known(b)) => a & b,
            (Compute::Or, Held::Known(a), Held::Known(b)) => a | b,
            (Compute::Xor, Held::Known(a), Held::Known(b)) => a ^ b,
            (Compute::AndNot, Held::Known(a), Held::Known(b)) => a & !b,
            (Compute::Not, Held::Known(a), _) => !a,
            (Compute::ShiftDown, Held::Known(a), Held::Known(b)) => {
                within(op.width, a).checked_shr(u32::try_from(b & 63).unwrap_or(0)).unwrap_or(0)
            }
            (Compute::ShiftUp, Held::Known(a), Held::Known(b)) => {
                a.checked_shl(u32::try_from(b & 63).unwrap_or(0)).unwrap_or(0)
            }
            (Compute::Subtract | Compute::Compare, Held::Known(a), Held::Known(b)) => {
                a.wrapping_sub(b)
            }
            (Compute::BitTest, Held::Known(a), Held::Known(b)) => a >> (b & 63) & 1,
            _ => return Held::Depends,
        };
        Held::Known(within(op.width, value))
    }

    fn flags(&self, op: &Op, memory: Held) -> Flags {
        let (compute, first, second) = op.compute;
        let Held::Known(result) = self.result(op, false, memory) else { return Flags::Depends };
        let sign = result >> (op.width.clamp(1, 64) - 1) & 1 == 1;
        match compute {
            Compute::And | Compute::Or | Compute::Xor | Compute::Test | Compute::AndNot => {
                Flags::Known { zero: result == 0, carry: false, sign, overflow: false }
            }
            Compute::ShiftDown | Compute::ShiftUp if result == 0 => {
                Flags::Known { zero: true, carry: false, sign: false, overflow: false }
            }
            Compute::BitTest => {
                Flags::Known { zero: false, carry: result == 1, sign: false, overflow: false }
            }
            Compute::Subtract | Compute::Compare => {
                let (Held::Known(a), Held::Known(b)) =
                    (self.value(first, memory), self.value(second, memory))
                else {
                    return Flags::Depends;
                };
                let (a, b) = (within(op.width, a), within(op.width, b));
                let top = |value: u64| value >> (op.width.clamp(1, 64) - 1) & 1;
                let overflow = top(a) != top(b) && top(result) != top(a);
                Flags::Known { zero: a == b, carry: a < b, sign, overflow }
            }
            _ => Flags::Depends,
        }
    }
}

/// Whether the instruction itself gets at an answer, or at the address of answers.
pub fn consults(op: &Op, sources: &Sources) -> bool {
    op.asks
        || match op.refer {
            Refer::Load(at) | Refer::Address(at) | Refer::Store(at) => sources.holds(at),
            Refer::Nothing => false,
        }
}
