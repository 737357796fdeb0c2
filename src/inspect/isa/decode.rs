//! The decoder of the file's architecture behind one interface.

use super::features::{Arch, FeatureSet};
use super::functions::Function;
use super::image::Image;
use super::op::{Flow, Op, Refer};
use super::sweep::{EdgeKind, Needs, Sweep};
use super::{aarch64, arm, x86};

/// What each instruction needs, in the decoder's own terms.
enum Table {
    X86(Vec<FeatureSet>),
    Aarch64(Box<aarch64::Encodings>),
    Arm(arm::Marks),
}

/// Decodes for one file.
pub struct Decode<'i, 'a> {
    image: &'i Image<'a>,
    needs: Needs,
    table: Table,
}

impl<'i, 'a> Decode<'i, 'a> {
    /// For `image`, held to `baseline`.
    pub fn new(image: &'i Image<'a>, baseline: FeatureSet) -> Self {
        let table = match image.arch {
            Arch::X86 | Arch::X86_64 => Table::X86(x86::table()),
            Arch::Aarch64 => Table::Aarch64(Box::new(aarch64::encodings())),
            Arch::Arm => Table::Arm(arm::Marks::of(image)),
        };
        Self { image, needs: Needs { baseline }, table }
    }

    fn bytes(&self, function: &Function<'_>) -> &'a [u8] {
        let region = self.image.region(function.address);
        let bytes = region.and_then(|region| {
            let from = usize::try_from(function.address - region.address).ok()?;
            region.bytes.get(from..from.checked_add(usize::try_from(function.size).ok()?)?)
        });
        bytes.unwrap_or_default()
    }

    /// What the instructions need.
    pub fn sweep(&self, function: &Function<'_>) -> Sweep {
        let (bytes, at) = (self.bytes(function), function.address);
        match &self.table {
            Table::X86(table) => x86::sweep(self.image.bits, table, &self.needs, bytes, at),
            Table::Aarch64(table) => aarch64::sweep(table, &self.needs, bytes, at),
            Table::Arm(marks) => arm::sweep(marks, &self.needs, bytes, at),
        }
    }

    /// Whether there is nothing but padding.
    pub fn is_padding(&self, function: &Function<'_>) -> bool {
        let (bytes, at) = (self.bytes(function), function.address);
        match &self.table {
            Table::X86(_) => x86::is_padding(self.image.bits, bytes, at),
            Table::Aarch64(_) => aarch64::is_padding(bytes, at),
            Table::Arm(_) => arm::is_padding(bytes),
        }
    }

    /// Where the function refers to outside of itself.
    pub fn edges(&self, function: &Function<'_>, sink: impl FnMut(EdgeKind, u64)) {
        let (bytes, at) = (self.bytes(function), function.address);
        match &self.table {
            Table::X86(_) => x86::edges(self.image.bits, self.image.fixed, bytes, at, sink),
            Table::Aarch64(_) => aarch64::edges(bytes, at, sink),
            Table::Arm(marks) => arm::edges(marks, bytes, at, sink),
        }
    }

    /// Where the instructions above the baseline are.
    pub fn above(&self, function: &Function<'_>) -> Vec<u64> {
        let (bytes, at) = (self.bytes(function), function.address);
        match &self.table {
            Table::X86(table) => x86::above(self.image.bits, table, &self.needs, bytes, at),
            Table::Aarch64(table) => aarch64::above(table, &self.needs, bytes, at),
            Table::Arm(_) => Vec::new(),
        }
    }

    /// The instructions; none for 32-bit Arm, whose questions are not followed.
    pub fn ops(&self, function: &Function<'_>) -> Vec<Op> {
        let (bytes, at) = (self.bytes(function), function.address);
        let mut ops = match &self.table {
            Table::X86(_) => x86::ops(self.image.bits, self.image.fixed, bytes, at),
            Table::Aarch64(_) => aarch64::ops(bytes, at),
            Table::Arm(_) => Vec::new(),
        };
        for op in &mut ops {
            if let Refer::Load(slot) = op.refer
                && let Some(target) = self.image.linkage(slot)
            {
                // Reading the linker's table is taking the address.
                op.refer = Refer::Address(target);
                if op.flow == Flow::Call(None) {
                    op.flow = Flow::Call(Some(target));
                }
            }
        }
        ops
    }
}
