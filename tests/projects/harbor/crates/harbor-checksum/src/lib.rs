//! CRC-32C, twice: [`crc32c`] in C, compiled by the build script, and
//! [`crc32c_table`] in Rust over a table that the build script generates.

mod ffi {
    /// `struct harbor_target` of `c/crc32c.h`.
    #[repr(C)]
    pub struct Target {
        pub pointer_bits: u32,
        pub big_endian: u32,
    }

    unsafe extern "C" {
        pub fn harbor_crc32c(crc: u32, bytes: *const u8, length: usize) -> u32;
        pub safe fn harbor_target() -> Target;
    }
}

include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// What a C compiler knows about the target that it compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CTarget {
    /// Width of `void *` in bits.
    pub pointer_bits: u32,
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
}

/// The target as the C compiler of the build script saw it.
pub fn c_target() -> CTarget {
    let ffi::Target { pointer_bits, big_endian } = ffi::harbor_target();
    CTarget { pointer_bits, big_endian: big_endian != 0 }
}

/// CRC-32C of `bytes`, computed by the C code.
///
/// ```
/// assert_eq!(harbor_checksum::crc32c(b"123456789"), 0xe306_9283);
/// ```
pub fn crc32c(bytes: &[u8]) -> u32 {
    // SAFETY: the pointer and the length are those of one live slice, which C only reads.
    unsafe { ffi::harbor_crc32c(0, bytes.as_ptr(), bytes.len()) }
}

/// CRC-32C of `bytes`, computed in Rust.
pub fn crc32c_table(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_agree() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for end in [0, 1, 31, 32, 255, 1000] {
            assert_eq!(crc32c(&bytes[..end]), crc32c_table(&bytes[..end]), "first {end} bytes");
        }
    }

    #[test]
    fn rfc_3720_vectors() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn c_and_rust_were_compiled_for_the_same_target() {
        let rust = CTarget { pointer_bits: usize::BITS, big_endian: cfg!(target_endian = "big") };
        assert_eq!(c_target(), rust);
    }
}
