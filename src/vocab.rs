//! The words every other layer speaks: validated values without I/O.
//!
//! Nothing here opens a file, reads the environment or knows of a store.

pub mod digest;
pub mod document;
pub mod event;
pub mod glob;
pub mod handover;
pub mod isa;
pub mod name;
pub mod nearest;
pub mod relpath;
pub mod rule;
pub mod rustc_option;
pub mod sandbox;
pub mod storepath;
pub mod triple;
pub mod url;
