//! Where execution goes on from each instruction of a function.

use std::collections::HashSet;

use super::image::Image;
use super::op::{Flow, Op, Refer};

/// A way out of the function, among the ways on.
pub const OUT: u32 = u32::MAX;

/// The number of the op at `address`.
pub fn index_of(ops: &[Op], address: u64) -> Option<u32> {
    let found = ops.binary_search_by_key(&address, |op| op.at).ok()?;
    u32::try_from(found).ok()
}

/// No table is longer, and all tables of one function together are not longer than 16 of them.
const MOST_ENTRIES: usize = 4096;

/// The targets of jump tables: addresses relative to the table, or whole ones.
fn table_targets(image: &Image<'_>, ops: &[Op], found: &mut HashSet<u32>) {
    let mut left = 16 * MOST_ENTRIES;
    for op in ops {
        let (Refer::Address(table) | Refer::Load(table)) = op.refer else { continue };
        let Some(bytes) = image.bytes_at(table) else { continue };
        let short = bytes.chunks_exact(4).map_while(|entry| {
            let offset = i32::from_le_bytes(entry.try_into().ok()?);
            index_of(ops, table.wrapping_add_signed(offset.into()))
        });
        let long = bytes
            .chunks_exact(8)
            .map_while(|entry| index_of(ops, u64::from_le_bytes(entry.try_into().ok()?)));
        for target in short.take(MOST_ENTRIES.min(left)).chain(long.take(MOST_ENTRIES.min(left))) {
            found.insert(target);
            left = left.saturating_sub(1);
        }
    }
}

/// Where execution goes on from each op, and where it may begin.
pub fn flow(image: &Image<'_>, ops: &[Op]) -> (Vec<Vec<u32>>, Vec<u32>) {
    let mut after: Vec<Vec<u32>> = vec![Vec::new(); ops.len()];
    let mut entered = vec![false; ops.len()];
    for op in ops {
        if let Flow::Branch(to) | Flow::Jump(to) = op.flow
            && let Some(to) = index_of(ops, to)
        {
            entered[to as usize] = true;
        }
    }
    let mut indirect = false;
    let mut falls = true;
    for (index, op) in ops.iter().enumerate() {
        if !falls && op.nothing && !entered[index] {
            // Padding between blocks.
            entered[index] = true;
            continue;
        }
        entered[index] |= falls;
        falls = matches!(op.flow, Flow::Next | Flow::Call(_) | Flow::Branch(_));
        let next =
            u32::try_from(index + 1).ok().filter(|next| falls && (*next as usize) < ops.len());
        indirect |= op.flow == Flow::Indirect;
        if let Flow::Branch(to) | Flow::Jump(to) = op.flow {
            // One way may leave the function.
            after[index].push(index_of(ops, to).unwrap_or(OUT));
        }
        after[index].extend(next);
    }
    let mut orphans: HashSet<u32> =
        (1..ops.len()).filter(|at| !entered[*at]).filter_map(|at| u32::try_from(at).ok()).collect();
    let mut roots = vec![0];
    if indirect {
        table_targets(image, ops, &mut orphans);
        let mut targets: Vec<u32> = orphans.into_iter().collect();
        targets.sort_unstable();
        for (index, op) in ops.iter().enumerate() {
            if op.flow == Flow::Indirect {
                // It may also leave.
                after[index].clone_from(&targets);
            }
        }
    } else {
        roots.extend(orphans);
    }
    (after, roots)
}
