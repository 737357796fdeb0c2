//! `libunwind.a`, which std for musl links: GCC's unwinder, with the function that it misses where
//! there is no glibc, and what GCC calls for operations that a processor does not have. Rust's own
//! `compiler_builtins` has only what Rust needs of these; C code may count bits, say.

use std::fs;
use std::path::Path;

use super::rust_std::Work;
use crate::ops::error::Error;
use crate::sys::fs::{Describe as _, create_dir, write_atomic};
use crate::sys::process::hermetic_command;

/// The function.
const SYMBOL: &[u8] = b"_dl_find_object";

/// The crate that has it.
pub const SOURCE: &str = include_str!("find_object.rs");

/// A crate without anything.
const NOTHING: &str = "#![no_std]\n";

/// Writes `to` from GCC's `unwinder`, with rustc, which finds `core` in `sysroot`.
pub fn write(work: &Work<'_>, unwinder: &Path, sysroot: &Path, to: &Path) -> Result<(), Error> {
    let archive = fs::read(unwinder).describe("read", unwinder)?;
    // That of arm finds tables by symbols of the linker.
    let misses = archive.windows(SYMBOL.len()).any(|window| window == SYMBOL);
    let text = if misses { SOURCE } else { NOTHING };
    let dir = work.dir.join("unwind");
    create_dir(&dir)?;
    let source = dir.join("find_object.rs");
    write_atomic(&source, text.as_bytes())?;
    let mut command = hermetic_command(&work.ground.tools.rust.rustc);
    // An rlib is an archive with an index, whatever the target is; rustc adds native ones to it.
    command.args(["--edition=2021", "--crate-type=rlib", "--crate-name=unwind_musl"]);
    command.args(["-Copt-level=3", "-Ccodegen-units=1", "-Cpanic=abort", "-Cmetadata=xprov"]);
    command.args(["--target", work.target.as_str(), "-lstatic=gcc_eh", "-lstatic=gcc"]);
    command.arg("--sysroot").arg(sysroot);
    command.arg("-L").arg(unwinder.parent().unwrap_or(Path::new("/")));
    let mut remap = dir.clone().into_os_string();
    remap.push("=/xprov/derive");
    command.arg("--remap-path-prefix").arg(remap);
    command.arg("-o").arg(to).arg(&source).current_dir(&dir);
    work.run(&mut command, "rustc")?;
    Ok(())
}
