//! Recipes: where the artifacts of a toolchain come from and what they provide
//! (`docs/recipe.md`). Pure: text in, values out; `ops` finds the files.

mod builtin;
pub mod check;
mod collection;
mod error;
mod expand;
mod host_tools;
mod model;
mod offer;
mod parse;
mod provides;

pub use builtin::builtin_digest;
pub use collection::{Collection, Origin, Selected};
pub use error::RecipeError;
pub use expand::{Expansion, debian_arch};
pub use model::{
    Component, Debian, Derivation, ForTarget, Installed, PinnedArtifact, Provides, Pypi, Recipe,
    Runs, RustDist, Slot, Status, Suite, Tool, ToolKind, TreeRole, Variant,
};
