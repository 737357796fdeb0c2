//! A manifest made up from a fixed seed: the same on every machine.

use crate::Consignment;

const VESSELS: [&str; 4] = ["Anna", "Bertha", "Clara", "Dora"];
const BERTHS: [char; 3] = ['A', 'B', 'C'];

/// `count` consignments.
pub fn sample(count: u32) -> Vec<Consignment> {
    // A linear congruential generator: its upper bits are random enough for cargo.
    let mut state = 20_260_401_u64;
    let mut below = |limit: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((state >> 32) % u64::from(limit)) as u32
    };
    (0..count)
        .map(|container| Consignment {
            vessel: VESSELS[below(4) as usize].to_owned(),
            container,
            weight_kg: 2_000 + below(25_000),
            berth: BERTHS[below(3) as usize],
        })
        .collect()
}
