//! Host executables that find their libraries inside their own tree, wherever the tree lies.
//!
//! A tree of unpacked packages has its libraries in directories that the system's loader never
//! searches. Every dynamic ELF file of the tree gets a `DT_RUNPATH` relative to `$ORIGIN`; children
//! inherit nothing, as they would inherit `LD_LIBRARY_PATH`. [`plan`] decides which directories,
//! [`set_runpath`] writes the bytes (`docs/relocation.md`). Neither touches a file.

mod class;
mod dynamic;
mod image;
mod loader;
mod needs;
pub mod plan;
mod runpath;

pub use loader::set_runpath_and_loader;
pub use needs::{Needs, needs};
pub use plan::{CompositionPlan, HostLibrary, Objects, is_c_library};
pub use runpath::set_runpath;

use crate::vocab::relpath::RelPath;

/// The version of what [`set_runpath`] writes and [`plan`] chooses. It is part of every key under
/// which a relocated tree is remembered, and rises when either changes for the same input.
pub const RELOCATOR_VERSION: u32 = 1;

/// Why a file was not relocated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelocateError {
    /// The file has ELF's magic number but contradicts itself or is cut short.
    #[error("damaged ELF file: {what}")]
    Damaged {
        /// What is wrong, as a clause.
        what: &'static str,
    },
    /// The file may be right, but has a layout that is not edited here.
    #[error("ELF file that cannot be relocated: {what}")]
    Unsupported {
        /// What is not supported, as a clause.
        what: &'static str,
    },
    /// The loader would not read the search path as it was meant.
    #[error("`{runpath}` cannot be a library search path")]
    Runpath {
        /// The search path, or the directory that would be part of one.
        runpath: String,
    },
    /// A directory that host executables shall search holds a C library. The host's loader cannot
    /// run with another C library than its own, so every executable of the tree would crash.
    #[error("`{c_library}` is beside `{library}`, which host executables need")]
    CLibraryInReach {
        /// The C library's file.
        c_library: RelPath,
        /// A library in the same directory that is needed.
        library: RelPath,
    },
}
