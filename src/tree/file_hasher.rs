//! The digest of a file's contents, computed while they pass by.

use crate::vocab::digest::Blake3;

/// Hashes one file after another; fastest when fed 128 KiB or more at a time.
#[derive(Default)]
pub struct FileHasher(blake3::Hasher);

impl FileHasher {
    /// A hasher that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes of the file.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of the file, after which the hasher is ready for the next one.
    pub fn finish(&mut self) -> Blake3 {
        let digest = Blake3::from_bytes(*self.0.finalize().as_bytes());
        self.0.reset();
        digest
    }
}
