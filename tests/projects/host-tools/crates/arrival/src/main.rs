//! Prints a message in bytes and what was read back from them.

use prost::Message as _;

mod harbor {
    include!(concat!(env!("OUT_DIR"), "/harbor.rs"));
}

fn main() {
    let at = prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 };
    let bytes = harbor::Arrival { ship: "Aurora".to_owned(), at: Some(at) }.encode_to_vec();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let back = harbor::Arrival::decode(bytes.as_slice()).expect("a message");
    println!("{hex}");
    println!("{} {}", back.ship, back.at.map_or(0, |at| at.seconds));
}
