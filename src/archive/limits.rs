//! How much an archive may unpack to, so that a small download cannot fill a disk or memory.

/// The most bytes that an archive may hold unpacked: 16 GiB. The largest toolchain archives
/// unpack to about 2 GiB. For tar it counts headers too.
pub const MAX_UNPACKED_BYTES: u64 = 16 << 30;

/// The most entries that an archive may have. A Rust source tree has about 50 000.
pub const MAX_ENTRIES: u64 = 2_000_000;

/// The limits of one unpacking; tests use small ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes in all.
    pub bytes: u64,
    /// Entries.
    pub entries: u64,
}

impl Limits {
    /// What holds outside of tests.
    pub const DEFAULT: Self = Self { bytes: MAX_UNPACKED_BYTES, entries: MAX_ENTRIES };
}
