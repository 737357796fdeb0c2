//! Keys of the local index: what an object was made from.

use crate::vocab::digest::{Blake3, KeyHasher, Sha256, TreeHash};

/// What an object was made from. Each variant is hashed in a domain of its own.
#[derive(Debug, Clone, Copy)]
pub enum IndexKey<'a> {
    /// An unpacked artifact.
    Unpacked {
        /// The artifact's pin.
        artifact: &'a Sha256,
        /// How many leading path components were dropped.
        strip: u32,
        /// The subdirectory that was kept.
        keep: Option<&'a str>,
    },
    /// A raw object whose programs were given a RUNPATH.
    Relocated {
        /// The raw object.
        raw: &'a TreeHash,
        /// The version of the relocator.
        relocator: u32,
        /// The library directories of the composed tree.
        libraries: &'a [String],
        /// The machine of the host's programs; others are left alone.
        machine: &'a str,
    },
}

impl IndexKey<'_> {
    /// The digest that names the index entry.
    pub fn digest(&self) -> Blake3 {
        match self {
            Self::Unpacked { artifact, strip, keep } => {
                let mut key = KeyHasher::new("unpacked/1");
                key.part(artifact.as_bytes()).part(strip.to_le_bytes());
                keep.iter().for_each(|keep| {
                    key.part(keep);
                });
                key.finish()
            }
            Self::Relocated { raw, relocator, libraries, machine } => {
                let mut key = KeyHasher::new("relocated/1");
                key.part(raw.as_bytes()).part(relocator.to_le_bytes()).part(machine);
                libraries.iter().for_each(|library| {
                    key.part(library);
                });
                key.finish()
            }
        }
    }
}
