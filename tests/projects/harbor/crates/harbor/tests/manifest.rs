//! Reads a file by a path relative to the package: cargo runs tests in its directory.

use harbor::{Consignment, Describe, ParseError};

const MANIFEST: &str = "tests/data/manifest.csv";

#[test]
fn the_file_is_read_from_the_package_directory() -> Result<(), Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(MANIFEST)?;
    let consignments =
        text.lines().map(str::parse).collect::<Result<Vec<Consignment>, ParseError>>()?;

    assert_eq!(consignments.len(), 3);
    assert_eq!(consignments[2].describe(), "vessel=Dora container=2 weight_kg=26999 berth=C");
    assert_eq!(harbor::manifest(&consignments), text);
    Ok(())
}

#[test]
fn the_working_directory_is_the_package() {
    let cwd = std::env::current_dir().expect("a working directory");
    assert_eq!(cwd, std::path::Path::new(env!("CARGO_MANIFEST_DIR")));
}
