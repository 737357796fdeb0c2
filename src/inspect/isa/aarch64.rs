//! The instructions of 64-bit Arm: what they need and where they refer to.
//!
//! No disassembler: the words are compared with the encodings of each extension, which the Arm
//! Architecture Reference Manual gives as fixed and free bits.

mod needs;
mod ops;

use super::features::FeatureSet;
use super::sweep::{EdgeKind, Needs, Sweep};

pub use needs::{Encodings, encodings};
pub use ops::ops;

/// The words of a range with their addresses. Code is aligned; a rest is left out.
fn words(bytes: &[u8], address: u64) -> impl Iterator<Item = (u64, u32)> {
    let words =
        bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    words.zip(0..).map(move |(word, index): (u32, u64)| (address.wrapping_add(4 * index), word))
}

/// What the instructions of one range need.
pub fn sweep(encodings: &Encodings, needs: &Needs, bytes: &[u8], address: u64) -> Sweep {
    let mut found = Sweep::default();
    for (at, word) in words(bytes, address) {
        let set = encodings.needs(word);
        if set.0 != 0 {
            found.add(set, at, needs);
        } else if word >> 16 == 0 {
            found.invalid += 1;
        } else if ops::asks(word) {
            found.asks = true;
        }
    }
    found
}

/// Where the instructions above the baseline are.
pub fn above(encodings: &Encodings, needs: &Needs, bytes: &[u8], address: u64) -> Vec<u64> {
    let needs = |word| encodings.needs(word).without(needs.baseline) != FeatureSet::EMPTY;
    words(bytes, address).filter(|(_, word)| needs(*word)).map(|(at, _)| at).collect()
}

/// Whether there is nothing but padding.
pub fn is_padding(bytes: &[u8], address: u64) -> bool {
    words(bytes, address).all(|(_, word)| matches!(word, 0 | 0xd503_201f))
}

/// Where the instructions of one range refer to outside of it.
pub fn edges(bytes: &[u8], address: u64, mut sink: impl FnMut(EdgeKind, u64)) {
    let size = bytes.len() as u64;
    let mut pages = ops::Pages::default();
    for (at, word) in words(bytes, address) {
        if let Some(target) = ops::branch(at, word) {
            if target.wrapping_sub(address) >= size {
                sink(EdgeKind::Call, target);
            }
        } else if let Some((target, loads)) = pages.next(at, word) {
            sink(if loads { EdgeKind::Load } else { EdgeKind::Address }, target);
        }
    }
}
