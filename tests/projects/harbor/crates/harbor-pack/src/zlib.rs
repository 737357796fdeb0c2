//! A safe face for the two one-shot functions of zlib that this tool needs.

use std::ffi::c_ulong;

use libz_sys::{Z_OK, compress2, compressBound, uncompress};

/// `bytes` as a zlib stream; the error is zlib's code.
pub fn compress(bytes: &[u8], level: i32) -> Result<Vec<u8>, i32> {
    // SAFETY: a pure function of its argument.
    let bound = unsafe { compressBound(bytes.len() as c_ulong) };
    call(bound as usize, |to, length| {
        // SAFETY: `to` has room for `*length` bytes, and `bytes` is only read.
        unsafe { compress2(to, length, bytes.as_ptr(), bytes.len() as c_ulong, level) }
    })
}

/// The `size` bytes that `stream` was made from; the error is zlib's code.
pub fn decompress(stream: &[u8], size: usize) -> Result<Vec<u8>, i32> {
    call(size, |to, length| {
        // SAFETY: `to` has room for `*length` bytes, and `stream` is only read.
        unsafe { uncompress(to, length, stream.as_ptr(), stream.len() as c_ulong) }
    })
}

/// Lends `function` a buffer of `capacity` bytes and returns as much as it wrote.
fn call(
    capacity: usize,
    function: impl FnOnce(*mut u8, *mut c_ulong) -> i32,
) -> Result<Vec<u8>, i32> {
    let mut buffer = vec![0; capacity];
    let mut length = capacity as c_ulong;
    match function(buffer.as_mut_ptr(), &mut length) {
        Z_OK => {
            buffer.truncate(length as usize);
            Ok(buffer)
        }
        code => Err(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_input_survives() {
        let stream = compress(b"", 6).expect("a stream");
        assert_eq!(decompress(&stream, 0), Ok(Vec::new()));
    }

    #[test]
    fn damage_is_noticed() {
        let mut stream = compress(b"ballast ballast ballast", 6).expect("a stream");
        *stream.last_mut().expect("a byte") ^= 1;
        assert_eq!(decompress(&stream, 23), Err(libz_sys::Z_DATA_ERROR));
    }
}
