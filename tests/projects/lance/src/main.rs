//! Distances of quantized vectors by `lance_linalg::simd::dist_table`, compared with their
//! definition. The function is inlined here, so it is here that a missing kernel is not found.

use lance_core::utils::cpu::SIMD_SUPPORT;
use lance_linalg::simd::dist_table::{sum_4bit_dist_table, BATCH_SIZE, PERM0};

const VECTORS: usize = 2 * BATCH_SIZE;
/// Bytes of a vector: two codes of four bits each.
const CODE_LEN: usize = 4;
const PARTS: usize = 2 * CODE_LEN;

/// The code of one part of a vector: any numbers below 16.
fn code(vector: usize, part: usize) -> usize {
    (vector * 7 + part * 5 + vector * part) % 16
}

/// The distance that a code of a part stands for: any numbers that fit into a byte.
fn distance(part: usize, code: usize) -> u8 {
    ((part * 53 + code * 29 + 11) % 256) as u8
}

/// The vectors in the order that the kernels want them in.
fn packed() -> Vec<u8> {
    let mut packed = Vec::new();
    for batch in (0..VECTORS).step_by(BATCH_SIZE) {
        for part in 0..PARTS {
            for low in PERM0 {
                let (low, high) = (code(batch + low, part), code(batch + low + 16, part));
                packed.push((low | high << 4) as u8);
            }
        }
    }
    packed
}

fn main() {
    let table: Vec<u8> = (0..PARTS * 16).map(|at| distance(at / 16, at % 16)).collect();
    let mut distances = vec![0; VECTORS];
    sum_4bit_dist_table(VECTORS, CODE_LEN, &packed(), &table, &mut distances);
    for (vector, found) in distances.iter().enumerate() {
        let parts = (0..PARTS).map(|part| u16::from(distance(part, code(vector, part))));
        assert_eq!(*found, parts.sum::<u16>(), "vector {vector}, {:?}", *SIMD_SUPPORT);
    }
    let sum: u32 = distances.into_iter().map(u32::from).sum();
    println!("{VECTORS} distances, together {sum}, with {:?}", *SIMD_SUPPORT);
}
