//! What one pass over the bytes of a function finds.

use super::features::FeatureSet;

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Needs {
    /// What every CPU of the baseline has.
    pub baseline: FeatureSet,
}

/// What the instructions of one range need.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sweep {
    /// All features.
    pub features: FeatureSet,
    /// How many instructions are above the baseline.
    pub above: u32,
    /// The first of them; 0 where there is none.
    pub first: u64,
    /// How many bytes or words are no instruction.
    pub invalid: u32,
    /// Whether the processor is asked what it can do.
    pub asks: bool,
}

impl Sweep {
    pub(super) fn add(&mut self, set: FeatureSet, at: u64, needs: &Needs) {
        self.features.0 |= set.0;
        if set.0 & !needs.baseline.0 != 0 {
            if self.above == 0 {
                self.first = at;
            }
            self.above = self.above.saturating_add(1);
        }
    }
}

/// How one place refers to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeKind {
    /// Calls it or jumps there.
    Call,
    /// Calls what a pointer there points to.
    CallThrough,
    /// Takes its address.
    Address,
    /// Reads or writes there.
    Load,
}
