//! What an ELF file asks of the loader: the part of a file that a composition must look at.

use super::RelocateError;
use super::dynamic::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME, Dynamic};
use super::image::Image;

/// The loader's view of one dynamic executable or shared library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// `e_machine`: 62 for x86-64, 183 for aarch64, 40 for arm. A library serves only its equals.
    pub machine: u16,
    /// 64-bit words; with `machine` it tells i386 from x32 and the like.
    pub wide: bool,
    /// Names of the needed libraries, in the loader's order.
    pub needed: Vec<String>,
    /// The library's own name, where it has one.
    pub soname: Option<String>,
    /// `DT_RUNPATH`, else `DT_RPATH`, as in the file.
    pub runpath: Option<String>,
}

/// Reads what `bytes` needs; `None` when it is not ELF, or has no dynamic section.
pub fn needs(bytes: &[u8]) -> Result<Option<Needs>, RelocateError> {
    let Some(image) = Image::parse(bytes)? else { return Ok(None) };
    let Some(dynamic) = Dynamic::read(&image, bytes)? else { return Ok(None) };
    let texts = |tag| -> Result<Vec<String>, RelocateError> {
        let strings = dynamic.strings_of(tag)?;
        Ok(strings.into_iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    };
    let first = |tag| texts(tag).map(|texts| texts.into_iter().next());
    Ok(Some(Needs {
        machine: u16::try_from(image.machine).unwrap_or_default(),
        wide: image.class.wide,
        needed: texts(DT_NEEDED)?,
        soname: first(DT_SONAME)?,
        runpath: first(DT_RUNPATH)?.or(first(DT_RPATH)?),
    }))
}
