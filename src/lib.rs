//! xprov: pinned cross toolchains for Rust, a hermetic environment around cargo, and proof of the
//! result.

pub mod archive;
pub mod cli;
pub mod compose;
pub mod fetch;
pub mod hermetic;
pub mod inspect;
pub mod lockfile;
pub mod ops;
pub mod recipe;
pub mod settings;
pub mod shim;
pub mod store;
pub mod sys;
pub mod tree;
pub mod upstream;
pub mod vocab;
