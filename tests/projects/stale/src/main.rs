//! Says what it was made from.

include!(concat!(env!("OUT_DIR"), "/made.rs"));

fn main() {
    let flagged = if cfg!(of_a_flag) { "a flag" } else { "no flag" };
    println!("target: {TARGET}; host: {HOST}; project: {PROJECT}; {flagged}");
    // Another instruction set, other bytes; and a sentence of the standard library.
    let count = std::env::args().count();
    println!("{}", count.count_ones());
    (count > 9).then_some(()).xor(Some(())).unwrap();
}
