//! Compiles the C half of this crate and generates the table of its Rust half.

use std::path::Path;
use std::{env, fs};

/// Castagnoli's polynomial, bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

fn main() {
    for input in ["build.rs", "c/crc32c.c", "c/crc32c.h"] {
        println!("cargo::rerun-if-changed={input}");
    }
    cc::Build::new().file("c/crc32c.c").include("c").warnings_into_errors(true).compile("crc32c");

    let out_dir = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out_dir).join("table.rs"), table()).expect("OUT_DIR is writable");
}

/// The byte-at-a-time table as Rust source, for `include!`.
fn table() -> String {
    let entries = (0..256_u32).map(|byte| {
        (0..8).fold(byte, |crc, _| if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 })
    });
    format!("static TABLE: [u32; 256] = {:#010x?};\n", entries.collect::<Vec<_>>())
}
