//! Gives a program another loader: where the machine has no glibc, programs are started by one of
//! the store's.
//!
//! The loader's path goes behind the library search path, at the end of the string table, which is
//! in memory; `PT_INTERP` then points there. The kernel reads it from the file, and the loader from
//! memory, to know its own name.

use super::RelocateError;
use super::dynamic::{DT_STRTAB, Dynamic, to_usize};
use super::image::{Image, PT_INTERP};
use super::runpath::{append, set_runpath};

/// Gives the ELF file `bytes` the library search path `runpath`, and, if it is a program, the
/// loader at the absolute path `loader`. `None` where it is no dynamic ELF file, or needs no
/// library. The same input always gives the same bytes.
pub fn set_runpath_and_loader(
    bytes: &[u8],
    runpath: &str,
    loader: &str,
) -> Result<Option<Vec<u8>>, RelocateError> {
    for path in [runpath, loader] {
        if path.is_empty() || path.contains('\0') {
            return Err(RelocateError::Runpath { runpath: path.to_owned() });
        }
    }
    let Some(image) = Image::parse(bytes)? else { return Ok(None) };
    if !image.segments.iter().any(|segment| segment.kind == PT_INTERP) {
        return set_runpath(bytes, runpath);
    }
    let Some(dynamic) = Dynamic::read(&image, bytes)?.filter(Dynamic::needs_a_library) else {
        return Ok(None);
    };
    let mut out = append(&image, &dynamic, bytes, &format!("{runpath}\0{loader}"))?;
    point(&mut out, loader.len() + 1)?;
    Ok(Some(out))
}

/// Makes `PT_INTERP` the last `size` bytes of the string table.
fn point(out: &mut [u8], size: usize) -> Result<(), RelocateError> {
    let damaged = RelocateError::Damaged { what: "strings that are not where they were put" };
    let image = Image::parse(out)?.ok_or_else(|| damaged.clone())?;
    let dynamic = Dynamic::read(&image, out)?.ok_or_else(|| damaged.clone())?;
    let table = dynamic.entries.iter().find(|entry| entry.0 == DT_STRTAB).map(|entry| entry.1);
    let start = dynamic.strings.len().checked_sub(size).ok_or_else(|| damaged.clone())?;
    let address = table.ok_or(damaged)? + start as u64;
    let place = to_usize(image.file_offset(address)?)? as u64;
    for segment in image.segments.iter().filter(|segment| segment.kind == PT_INTERP) {
        let [offset, vaddr, paddr, filesz, memsz] = image.segment_fields(segment.header);
        for (field, value) in [
            (offset, place),
            (vaddr, address),
            (paddr, address),
            (filesz, size as u64),
            (memsz, size as u64),
        ] {
            image.class.put_word(out, field, value)?;
        }
    }
    Ok(())
}
