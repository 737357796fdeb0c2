//! The binaries in a directory and below: what a verification looks at where it is given a place
//! in place of files.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::sys::fs::{Describe as _, FsError};

/// What ELF files begin with, up to their kind (gABI, "ELF Header").
const HEADER: usize = 18;

/// The programs and shared libraries in `dir` and below, sorted. Links are not followed, and object
/// files are passed over, as is everything else that is no ELF file.
pub fn below(dir: &Path) -> Result<Vec<PathBuf>, FsError> {
    let (mut dirs, mut files) = (vec![dir.to_path_buf()], Vec::new());
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).describe("list", &dir)? {
            let entry = entry.describe("list", &dir)?;
            let (kind, path) = (entry.file_type().describe("read", &entry.path())?, entry.path());
            if kind.is_dir() {
                dirs.push(path);
            } else if kind.is_file() && is_binary(&path)? {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Whether it is an ELF file that is executed or loaded: `ET_EXEC` or `ET_DYN`.
fn is_binary(path: &Path) -> Result<bool, FsError> {
    let file = File::open(path).describe("read", path)?;
    let mut header = Vec::with_capacity(HEADER);
    let most = u64::try_from(HEADER).unwrap_or_default();
    file.take(most).read_to_end(&mut header).describe("read", path)?;
    let [0x7f, b'E', b'L', b'F', _, order, .., first, second] = header[..] else {
        return Ok(false);
    };
    let kind = if order == 2 { [second, first] } else { [first, second] };
    Ok(header.len() == HEADER && matches!(u16::from_le_bytes(kind), 2 | 3))
}
