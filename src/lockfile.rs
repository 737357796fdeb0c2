//! `toolchains.lock`: what was asked for, and the pins of everything that answers it
//! (`docs/lockfile.md`). Pure: text in, text out.

mod model;
mod read;
mod write;

pub use model::{
    Artifact, Authenticated, Derived, Entry, INSTALLED, Identity, Key, Location, Lockfile, Request,
    RequestedRecipe, SignedFile, VERSION,
};
pub use read::LockError;
