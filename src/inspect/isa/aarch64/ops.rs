//! The instructions of one function in terms that no longer know the architecture, as far as they
//! treat answers about the CPU.

use super::super::op::{Compute, Condition, FLAGS, Flow, Op, Operand, Refer, Slot};
use super::words;

/// Whether the word reads one of the CPU's identification registers.
pub fn asks(word: u32) -> bool {
    // MRS of ID_AA64*: op0 3, op1 0, CRn 0, CRm 4 to 7.
    word & 0xffff_f000 == 0xd538_0000 && word >> 8 & 0xf >= 4
}

fn signed(value: u32, bits: u32) -> i64 {
    i64::from((value << (32 - bits)).cast_signed() >> (32 - bits))
}

/// The target of a branch whose target is in the word.
pub fn branch(at: u64, word: u32) -> Option<u64> {
    let words = if word & 0x7c00_0000 == 0x1400_0000 {
        signed(word & 0x03ff_ffff, 26)
    } else if word & 0xff00_0010 == 0x5400_0000 || word & 0x7e00_0000 == 0x3400_0000 {
        signed(word >> 5 & 0x7_ffff, 19)
    } else if word & 0x7e00_0000 == 0x3600_0000 {
        signed(word >> 5 & 0x3fff, 14)
    } else {
        return None;
    };
    Some(at.wrapping_add_signed(words * 4))
}

fn register(word: u32, shift: u32) -> usize {
    (word >> shift & 31) as usize
}

/// Addresses that are made of a page and an offset.
#[derive(Debug, Default)]
pub struct Pages([Option<u64>; 32]);

impl Pages {
    /// The address in the word, complete or with the page before it, and whether it is accessed.
    pub fn next(&mut self, at: u64, word: u32) -> Option<(u64, bool)> {
        let to = register(word, 0);
        if word & 0x1f00_0000 == 0x1000_0000 {
            let offset = signed((word >> 5 & 0x7_ffff) << 2 | word >> 29 & 3, 21);
            let page = word >> 31 == 1;
            let base = if page { at & !0xfff } else { at };
            let address = base.wrapping_add_signed(if page { offset << 12 } else { offset });
            self.0[to] = page.then_some(address);
            return (!page).then_some((address, false));
        }
        if word & 0x3b00_0000 == 0x1800_0000 {
            let offset = signed(word >> 5 & 0x7_ffff, 19) * 4;
            return Some((at.wrapping_add_signed(offset), true));
        }
        let page = self.0[register(word, 5)];
        let offset = u64::from(word >> 10 & 0xfff);
        if word & 0xffc0_0000 == 0x9100_0000 {
            self.0[to] = None;
            return page.map(|page| (page.wrapping_add(offset), false));
        }
        if word & 0x3b00_0000 == 0x3900_0000 {
            let loads = word >> 22 & 3 != 0;
            let scale = word >> 30;
            if loads {
                self.0[to] = None;
            }
            return page.map(|page| (page.wrapping_add(offset << scale), true));
        }
        None
    }
}

fn condition(word: u32) -> Condition {
    match word & 15 {
        0 => Condition::Equal,
        1 => Condition::NotEqual,
        2 => Condition::NotBelow,
        3 => Condition::Below,
        4 => Condition::Negative,
        5 => Condition::NotNegative,
        8 => Condition::Above,
        9 => Condition::NotAbove,
        10 => Condition::NotLess,
        11 => Condition::Less,
        12 => Condition::Greater,
        13 => Condition::NotGreater,
        _ => Condition::Unknown,
    }
}

fn number(word: u32, shift: u32) -> u8 {
    u8::try_from(word >> shift & 31).unwrap_or(31)
}

fn bit(word: u32, shift: u32) -> u64 {
    // Register 31 is zero or the stack pointer: neither is an answer.
    match word >> shift & 31 {
        31 => 0,
        of => 1 << of,
    }
}

/// x0 to x18 and the link register are lost in a call.
const LOST: u64 = 0x4007_ffff | FLAGS;

/// The instructions of one function.
pub fn ops(bytes: &[u8], address: u64) -> Vec<Op> {
    let mut pages = Pages::default();
    words(bytes, address).map(|(at, word)| op(at, word, &mut pages)).collect()
}

fn op(at: u64, word: u32, pages: &mut Pages) -> Op {
    let mut op = Op::at(at);
    op.nothing = word == 0xd503_201f;
    if let Some(to) = branch(at, word) {
        (op.flow, op.condition) = match word >> 24 {
            0x54 => (Flow::Branch(to), condition(word)),
            0x34 | 0xb4 => (Flow::Branch(to), Condition::Zero(number(word, 0))),
            0x35 | 0xb5 => (Flow::Branch(to), Condition::NotZero(number(word, 0))),
            0x36 | 0xb6 | 0x37 | 0xb7 => {
                let bit = u8::try_from(word >> 26 & 32 | word >> 19 & 31).unwrap_or(0);
                let of = number(word, 0);
                let set = word >> 24 & 1 == 1;
                let condition =
                    if set { Condition::BitSet(of, bit) } else { Condition::BitClear(of, bit) };
                (Flow::Branch(to), condition)
            }
            _ if word >> 31 == 1 => (Flow::Call(Some(to)), Condition::Unknown),
            _ => (Flow::Jump(to), Condition::Unknown),
        };
        op.reads = match op.condition {
            Condition::Zero(_)
            | Condition::NotZero(_)
            | Condition::BitSet(..)
            | Condition::BitClear(..) => bit(word, 0),
            _ if matches!(op.flow, Flow::Branch(_)) => FLAGS,
            _ => 0,
        };
    } else if word & 0xfe00_0000 == 0xd600_0000 {
        (op.flow, op.reads) = match word >> 21 & 15 {
            0 | 8 => (Flow::Indirect, bit(word, 5)),
            1 | 9 => (Flow::Call(None), bit(word, 5)),
            _ => (Flow::Return, 0),
        };
    } else if word >> 16 == 0 || word & 0xffe0_001f == 0xd420_0000 {
        op.flow = Flow::Stop;
    } else {
        computed(at, word, pages, &mut op);
    }
    if let Flow::Call(_) = op.flow {
        op.writes |= LOST;
    }
    op
}

/// What is computed, moved, loaded and stored.
fn computed(at: u64, word: u32, pages: &mut Pages, op: &mut Op) {
    op.width = if word >> 31 == 1 { 64 } else { 32 };
    op.asks = asks(word);
    if let Some((target, accesses)) = pages.next(at, word) {
        let stores = accesses && word & 0x3bc0_0000 == 0x3900_0000;
        op.refer = match (accesses, stores) {
            (false, _) => Refer::Address(target),
            (true, false) => Refer::Load(target),
            (true, true) => Refer::Store(target),
        };
    }
    let first = Operand::Register(number(word, 5), 0);
    match word >> 25 & 15 {
        // Numbers.
        8 | 9 => {
            op.writes = bit(word, 0);
            op.reads = bit(word, 5);
            match word >> 23 & 7 {
                0 | 1 => op.reads = 0,
                2 => {
                    let imm =
                        u64::from(word >> 10 & 0xfff) << if word >> 22 & 1 == 1 { 12 } else { 0 };
                    let subtracts = word >> 30 & 1 == 1;
                    if subtracts {
                        op.compute = (Compute::Subtract, first, Operand::Number(imm));
                    }
                    if word >> 29 & 1 == 1 {
                        op.writes |= FLAGS;
                    }
                }
                4 => {
                    let what = [Compute::And, Compute::Or, Compute::Xor, Compute::And];
                    let what = what[(word >> 29 & 3) as usize];
                    // Which bits does not matter where all of them are zero.
                    op.compute = (what, first, Operand::Number(0));
                    if what != Compute::And {
                        op.compute.0 = Compute::Other;
                    }
                    if word >> 29 & 3 == 3 {
                        op.writes |= FLAGS;
                    }
                }
                6 => op.compute = (Compute::And, first, Operand::Number(u64::MAX)),
                5 if word >> 29 & 3 != 3 => op.reads = 0,
                _ => op.reads |= bit(word, 0),
            }
        }
        // Loads and stores.
        4 | 6 | 12 | 14 if word >> 26 & 1 == 0 => {
            let pair = word & 0x3a00_0000 == 0x2800_0000;
            let loads = if pair || word & 0x3f00_0000 == 0x0800_0000 {
                word >> 22 & 1 == 1
            } else {
                word >> 22 & 3 != 0 || word & 0x3b00_0000 == 0x1800_0000
            };
            op.reads = if word & 0x3b00_0000 == 0x1800_0000 { 0 } else { bit(word, 5) };
            let values = bit(word, 0) | if pair { bit(word, 10) } else { 0 };
            if loads {
                op.writes = values;
                op.compute = (Compute::Move, first, Operand::Memory);
            } else {
                op.reads |= values;
                op.compute =
                    (Compute::Move, Operand::Memory, Operand::Register(number(word, 0), 0));
            }
            if word & 0x3b00_0000 == 0x3900_0000 && matches!(word >> 5 & 31, 29 | 31) {
                let slot = Slot {
                    base: 1 << (word >> 5 & 31),
                    offset: u64::from(word >> 10 & 0xfff) << (word >> 30),
                };
                op.slot = Some((slot, !loads));
                op.reads &= !slot.base;
            }
        }
        5 | 13 => registers(word, op),
        _ => {}
    }
}

/// What is computed from registers.
fn registers(word: u32, op: &mut Op) {
    let first = Operand::Register(number(word, 5), 0);
    let second = Operand::Register(number(word, 16), 0);
    op.writes = bit(word, 0);
    op.reads = bit(word, 5) | bit(word, 16);
    let kind = word >> 21 & 0xff;
    if kind & 0xf8 == 0x50 || kind & 0xf8 == 0x58 {
        // Logic and arithmetic on shifted registers.
        let arithmetic = kind & 8 == 8;
        let turned = !arithmetic && kind & 1 == 1;
        op.compute = match (arithmetic, word >> 29 & 3, turned) {
            (false, 0 | 3, false) => (Compute::And, first, second),
            (false, 0 | 3, true) => (Compute::AndNot, first, second),
            (false, 1, true) if word >> 5 & 31 == 31 => (Compute::Not, second, second),
            (false, 1, false) if word >> 5 & 31 == 31 => (Compute::Move, first, second),
            (true, 2 | 3, _) => (Compute::Subtract, first, second),
            _ => op.compute,
        };
        let sets = if arithmetic { word >> 29 & 1 == 1 } else { word >> 29 & 3 == 3 };
        if sets {
            op.writes |= FLAGS;
        }
    } else if kind & 0xff == 0xd4 || word & 0x1fe0_0000 == 0x1a80_0000 {
        // Conditional select; CSET is CSINC of the zero register, turned over.
        op.reads |= FLAGS;
        op.selects = true;
        if word & 0x7fff_0fe0 == 0x1a9f_07e0 {
            op.compute = (Compute::Set(condition(word >> 12 ^ 1)), first, second);
        }
    } else if word & 0x1fe0_0000 == 0x1a40_0000 {
        // Conditional compare.
        op.reads |= FLAGS;
        op.writes = FLAGS;
    }
}
