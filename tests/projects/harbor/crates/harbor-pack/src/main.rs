//! Compresses a manifest with zlib and with zstd and proves that it comes back.
//!
//! `harbor-pack` takes the sample manifest, `harbor-pack -` what is on stdin.

mod zlib;

use std::error::Error;
use std::fmt::Write as _;
use std::io::Read as _;

const ZLIB_LEVEL: i32 = 6;
const ZSTD_LEVEL: i32 = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let mut input = Vec::new();
    if std::env::args().nth(1).as_deref() == Some("-") {
        std::io::stdin().read_to_end(&mut input)?;
    } else {
        input = harbor::manifest(&harbor::sample(5_000)).into_bytes();
    }
    print!("{}", report(&input)?);
    Ok(())
}

fn report(input: &[u8]) -> Result<String, Box<dyn Error>> {
    let mut report =
        format!("input    {} bytes, crc32c {:08x}\n", input.len(), harbor::crc32c(input));

    let packed = zlib::compress(input, ZLIB_LEVEL).map_err(|code| format!("zlib: error {code}"))?;
    let back =
        zlib::decompress(&packed, input.len()).map_err(|code| format!("zlib: error {code}"))?;
    line(&mut report, "zlib", &packed, back == input)?;

    let mut packed = Vec::with_capacity(zstd_safe::compress_bound(input.len()));
    zstd_safe::compress(&mut packed, input, ZSTD_LEVEL).map_err(zstd_safe::get_error_name)?;
    let mut back = Vec::with_capacity(input.len());
    zstd_safe::decompress(&mut back, &packed).map_err(zstd_safe::get_error_name)?;
    line(&mut report, "zstd", &packed, back == input)?;

    Ok(report)
}

fn line(report: &mut String, name: &str, packed: &[u8], same: bool) -> Result<(), String> {
    if !same {
        return Err(format!("{name}: the round trip changed the input"));
    }
    let crc = harbor::crc32c(packed);
    writeln!(report, "{name}     {} bytes, crc32c {crc:08x}, round trip ok", packed.len())
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_report_is_the_expected_one() {
        let input = harbor::manifest(&harbor::sample(5_000));
        let expected = std::fs::read_to_string("../../expected/harbor-pack.txt").expect("a file");
        assert_eq!(super::report(input.as_bytes()).expect("a report"), expected);
    }

    #[test]
    fn nothing_packs_too() {
        assert!(super::report(b"").expect("a report").contains("zstd"));
    }
}
