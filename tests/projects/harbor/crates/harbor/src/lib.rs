//! What the tools of the harbour share: consignments, and the manifest that lists them.

// The code that the derive macro generates says `::harbor`, here too.
extern crate self as harbor;

mod consignment;
mod sample;

pub use consignment::{Consignment, ParseError};
pub use harbor_checksum::{CTarget, c_target, crc32c};
pub use harbor_derive::Describe;
pub use sample::sample;

/// Field names and values of a record; derive it.
pub trait Describe {
    /// Field names in the order of their declaration.
    const FIELDS: &'static [&'static str];
    /// `name=value` for each field, separated by spaces.
    fn describe(&self) -> String;
}

/// The manifest as text: one consignment a line.
///
/// ```
/// let manifest = harbor::manifest(&harbor::sample(2));
/// assert_eq!(manifest.lines().count(), 2);
/// ```
pub fn manifest(consignments: &[Consignment]) -> String {
    consignments.iter().map(|consignment| format!("{consignment}\n")).collect()
}
