//! Whether a place in a function is reached only behind a question about the CPU.
//!
//! What is read from a cache of CPU features is followed through registers, flags and the stack
//! frame; a branch that depends on it is a question. A place is guarded if the questions can be
//! answered so that execution never comes there, whatever all other branches do.

use std::collections::{HashMap, HashSet};

use super::answers::{Held, State};
use super::flow::{OUT, flow, index_of};
use super::image::Image;
use super::op::{Flow, Op, Refer, Slot};

/// Where answers about the CPU come from.
#[derive(Debug, Default)]
pub struct Sources {
    /// Address ranges of data, by start.
    pub caches: Vec<(u64, u64)>,
    /// Functions whose result is an answer.
    pub predicates: HashSet<u64>,
}

impl Sources {
    /// Answers lie from `start` to `end`.
    pub fn add_cache(&mut self, start: u64, end: u64) {
        if self.caches.len() >= MOST_CACHES {
            return;
        }
        let (mut start, mut end) = (start, end);
        self.caches.retain(|(from, to)| {
            let apart = *to < start || *from > end;
            if !apart {
                (start, end) = (start.min(*from), end.max(*to));
            }
            apart
        });
        let at = self.caches.partition_point(|(from, _)| *from < start);
        self.caches.insert(at, (start, end));
    }

    /// Whether answers lie at `address`.
    pub fn holds(&self, address: u64) -> bool {
        let after = self.caches.partition_point(|(start, _)| *start <= address);
        self.caches[..after].last().is_some_and(|(_, end)| address < *end)
    }
}

/// How much may be followed, in visits of an instruction, so that no file takes forever.
#[derive(Debug)]
pub struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: 30_000_000 }
    }
}

impl Budget {
    /// Takes `visits`, if there are as many left.
    pub fn spend(&mut self, visits: usize) -> bool {
        let left = self.left.checked_sub(visits);
        self.left = left.unwrap_or(0);
        left.is_some()
    }

    /// Whether there was not enough.
    pub fn is_exhausted(&self) -> bool {
        self.left == 0
    }
}

/// One function, with its questions found.
pub struct Guarded<'o> {
    ops: &'o [Op],
    /// The ops that come before each op.
    before: Vec<Vec<u32>>,
    /// The ops that come after each.
    after: Vec<Vec<u32>>,
    /// Which branches are questions.
    question: Vec<bool>,
    /// Where execution may begin.
    roots: Vec<u32>,
    /// A value was chosen by an answer without a branch.
    pub selects: bool,
    /// The result is an answer.
    pub answers: bool,
    /// Data to which answers are written.
    pub stores: Vec<u64>,
}

/// Longer functions are not followed.
const MOST_OPS: usize = 100_000;

/// No more address ranges are kept.
const MOST_CACHES: usize = 1024;

impl<'o> Guarded<'o> {
    /// Follows one function; `None` if it is too long.
    pub fn follow(
        image: &Image<'_>,
        sources: &Sources,
        ops: &'o [Op],
        budget: &mut Budget,
    ) -> Option<Self> {
        if ops.is_empty() || ops.len() > MOST_OPS || !budget.spend(ops.len()) {
            return None;
        }
        let (after, roots) = flow(image, ops);
        let mut this = Self {
            ops,
            before: vec![Vec::new(); ops.len()],
            after,
            question: vec![false; ops.len()],
            roots,
            selects: false,
            answers: false,
            stores: Vec::new(),
        };
        this.ask(sources, budget);
        for (index, all) in this.after.iter().enumerate() {
            for next in all.iter().filter(|next| **next != OUT) {
                this.before[*next as usize].push(u32::try_from(index).ok()?);
            }
        }
        Some(this)
    }

    /// Follows answers through the function, and leaves out the ways that a CPU without any
    /// features does not go.
    fn ask(&mut self, sources: &Sources, budget: &mut Budget) {
        let mut slots: HashMap<Slot, Held> = HashMap::new();
        let mut into: Vec<Option<State>> = vec![None; self.ops.len()];
        for root in &self.roots {
            into[*root as usize] = Some(State::default());
        }
        for _ in 0..4 {
            let known = slots.clone();
            // A slot that is found later changes what was there: once more from everywhere.
            let mut work: Vec<u32> =
                (0..).zip(&into).filter(|(_, state)| state.is_some()).map(|(at, _)| at).collect();
            while let Some(at) = work.pop() {
                let Some(state) = into[at as usize] else { continue };
                if !budget.spend(1) {
                    break;
                }
                let out = state.after(&self.ops[at as usize], sources, &mut slots);
                for next in self.after[at as usize].iter().filter(|next| **next != OUT) {
                    let merged = into[*next as usize].map_or(out, |old| old.merged(&out));
                    if into[*next as usize] != Some(merged) {
                        into[*next as usize] = Some(merged);
                        work.push(*next);
                    }
                }
            }
            if slots == known {
                break;
            }
        }
        let (mut other_calls, mut fills) = (false, false);
        for (index, op) in self.ops.iter().enumerate() {
            let Some(state) = into[index] else { continue };
            let depends = state.depends(op.reads);
            match op.flow {
                Flow::Branch(to) => {
                    self.question[index] = depends;
                    other_calls |= index_of(self.ops, to).is_none();
                    if let Some(taken) = state.holds(op.condition).filter(|_| depends) {
                        // The first way is the branch's, the second the next instruction.
                        let way = usize::from(!taken);
                        self.after[index] =
                            self.after[index].get(way).copied().into_iter().collect();
                    }
                }
                Flow::Indirect => {
                    self.question[index] = depends;
                    other_calls |= self.after[index].is_empty();
                }
                Flow::Return => self.answers |= state.answers(),
                Flow::Call(Some(to)) => other_calls |= !sources.predicates.contains(&to),
                Flow::Call(None) => other_calls = true,
                // A tail call.
                Flow::Jump(to) => {
                    other_calls |=
                        index_of(self.ops, to).is_none() && !sources.predicates.contains(&to);
                }
                Flow::Next | Flow::Stop => {}
            }
            self.selects |= op.selects && depends;
            fills |= matches!(op.refer, Refer::Store(at) if sources.holds(at));
            if let Refer::Store(address) = op.refer
                && depends
                && op.slot.is_none()
                && !sources.holds(address)
            {
                self.stores.push(address);
            }
        }
        // `if has_avx2() { Kind::Avx2 } else { Kind::Plain }`.
        let decides = fills || self.question.contains(&true);
        self.answers |= decides && !other_calls && self.ops.len() < 400;
    }

    /// Whether all ops at `addresses` are behind questions.
    pub fn is_guarded(&self, addresses: &[u64]) -> bool {
        let mut left: Vec<usize> = self.after.iter().map(Vec::len).collect();
        let mut inside = vec![false; self.ops.len()];
        let mut work: Vec<u32> =
            addresses.iter().filter_map(|address| index_of(self.ops, *address)).collect();
        if work.len() != addresses.len() {
            return false;
        }
        for at in &work {
            inside[*at as usize] = true;
        }
        while let Some(at) = work.pop() {
            for from in &self.before[at as usize] {
                let from = *from as usize;
                if inside[from] {
                    continue;
                }
                left[from] = left[from].saturating_sub(1);
                if !self.question[from] || left[from] == 0 {
                    inside[from] = true;
                    work.push(u32::try_from(from).unwrap_or(0));
                }
            }
        }
        !self.roots.iter().any(|root| inside[*root as usize])
    }

    /// Whether the way out of the function at `address` is behind a question; the op there may be
    /// the question itself.
    pub fn is_way_guarded(&self, address: u64) -> bool {
        let asked = index_of(self.ops, address).is_some_and(|at| {
            let at = at as usize;
            self.question[at]
                && matches!(self.ops[at].flow, Flow::Branch(_))
                && (self.after[at].len() > 1 || !self.after[at].contains(&OUT))
        });
        asked || self.is_guarded(&[address])
    }

    /// Whether there is any question.
    pub fn has_questions(&self) -> bool {
        self.selects || self.question.contains(&true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::features::Arch;
    use super::super::x86;
    use super::*;

    const CACHE: u64 = 0x2000;

    /// Whether the call at the end of `code`, which begins at 0x1000, is guarded.
    fn guarded(code: &[u8], call: u64) -> bool {
        let image = Image {
            arch: Arch::X86_64,
            bits: 64,
            entry: 0,
            code: Vec::new(),
            data: Vec::new(),
            symbols: Vec::new(),
            exported: Vec::new(),
            marks: Vec::new(),
            ranges: Vec::new(),
            pointers: Vec::new(),
            resolvers: Vec::new(),
            fixed: false,
            named: true,
        };
        let mut sources = Sources::default();
        sources.add_cache(CACHE, CACHE + 8);
        let ops = x86::ops(64, false, code, 0x1000);
        let followed = Guarded::follow(&image, &sources, &ops, &mut Budget::default());
        followed.is_some_and(|followed| followed.is_guarded(&[call]))
    }

    /// `test byte [cache], 0x80`, then a jump by one byte's opcode over the call.
    fn tested(jump: u8) -> Vec<u8> {
        let mut code = vec![0xf6, 0x05, 0xf9, 0x0f, 0, 0, 0x80, jump, 5];
        code.extend([0xe8, 0, 0x10, 0, 0, 0xc3]);
        code
    }

    #[test]
    fn a_call_is_guarded_where_the_answer_is_yes() {
        // je over the call: it is made where the bit is set.
        assert!(guarded(&tested(0x74), 0x1009));
        // jne over the call: it is made on the CPU that has nothing.
        assert!(!guarded(&tested(0x75), 0x1009));
    }

    #[test]
    fn a_call_behind_both_answers_is_not_guarded() {
        // The jump leads to the call too.
        let mut code = tested(0x74);
        code[8] = 0;
        assert!(!guarded(&code, 0x1009));
    }

    #[test]
    fn a_question_about_something_else_guards_nothing() {
        // test edi, edi; je over the call.
        let code = [0x85, 0xff, 0x74, 5, 0xe8, 0, 0x10, 0, 0, 0xc3];
        assert!(!guarded(&code, 0x1004));
    }

    #[test]
    fn an_answer_is_followed_through_registers_and_the_frame() {
        // mov rax, [cache]; mov [rsp-8], rax; mov rcx, [rsp-8]; bt ecx, 5; jae over the call.
        let mut code = vec![0x48, 0x8b, 0x05, 0xf9, 0x0f, 0, 0];
        code.extend([0x48, 0x89, 0x44, 0x24, 0xf8, 0x48, 0x8b, 0x4c, 0x24, 0xf8]);
        code.extend([0x0f, 0xba, 0xe1, 5, 0x73, 5, 0xe8, 0, 0x10, 0, 0, 0xc3]);
        assert!(guarded(&code, 0x1017));
        code[21] = 0x72;
        assert!(!guarded(&code, 0x1017));
    }
}
