//! Keys of the local index: what an object was made from.

use crate::vocab::digest::{Blake3, KeyHasher, Sha256};

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
    /// Something built.
    Derived {
        /// The digest of all that went into it.
        key: &'a Blake3,
    },
    /// An artifact kept as the one file that it is.
    File {
        /// The artifact's pin.
        artifact: &'a Sha256,
        /// The file's name.
        name: &'a str,
    },
}

impl IndexKey<'_> {
    /// The digest that names the index entry.
    pub fn digest(&self) -> Blake3 {
        match self {
            Self::Unpacked { artifact, strip, keep } => {
                let mut key = KeyHasher::new("unpacked/1");
                key.part(artifact.as_bytes()).part(strip.to_le_bytes());
                if let Some(keep) = keep {
                    key.part(keep);
                }
                key.finish()
            }
            Self::Derived { key: inputs } => {
                let mut key = KeyHasher::new("derived/1");
                key.part(inputs.as_bytes());
                key.finish()
            }
            Self::File { artifact, name } => {
                let mut key = KeyHasher::new("file/1");
                key.part(artifact.as_bytes()).part(name);
                key.finish()
            }
        }
    }
}
