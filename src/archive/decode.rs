//! Decompression, by streams that may have several members, frames or blocks. Knows nothing of
//! what is compressed.

use std::io::{self, BufRead, Read};

use xz2::stream::{CONCATENATED, IGNORE_CHECK, Stream};

/// The most memory that an xz stream may ask for: 1 GiB. Level 9 asks for 65 MiB.
const XZ_MEMORY: u64 = 1 << 30;

/// The largest window that a zstd frame may ask for, as a power of two: 1 GiB.
/// Without `--long` it is 128 MiB at most.
const ZSTD_WINDOW_LOG: u32 = 30;

/// A compressed stream's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// One or more .xz streams.
    Xz,
    /// One or more gzip members.
    Gzip,
    /// One or more zstd frames.
    Zstd,
    /// One zlib stream.
    Zlib,
}

/// The reader of what is compressed in `input`. It reads to the end of `input`, and fails where
/// something follows that is not compressed, or where a decoder would need too much memory.
pub fn decoder<'a>(
    compression: Compression,
    input: impl BufRead + 'a,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match compression {
        Compression::Xz => {
            // The pin says more of the bytes than the checks inside, which cost a tenth of the time.
            let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED | IGNORE_CHECK)?;
            Box::new(xz2::bufread::XzDecoder::new_stream(input, stream))
        }
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Compression::Zlib => Box::new(flate2::bufread::ZlibDecoder::new(input)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
    })
}
