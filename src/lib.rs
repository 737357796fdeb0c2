//! xprov: pinned cross toolchains for Rust, a hermetic environment around cargo, and proof of the
//! result.

pub mod archive;
pub mod compose;
pub mod fetch;
pub mod hermetic;
pub mod inspect;
pub mod shim;
pub mod tree;
pub mod upstream;
pub mod vocab;
