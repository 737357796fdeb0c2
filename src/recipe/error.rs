//! Why there is no recipe.

use super::model::Slot;
use crate::vocab::document::DocumentError;
use crate::vocab::name::Name;
use crate::vocab::triple::RustTriple;

/// Why there is no recipe.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// A recipe file is malformed.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A recipe whose file has another name, another format version or no variant.
    #[error("{path}: {reason}")]
    Invalid {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The settings name a recipe that does not exist, or one of another slot.
    #[error("no recipe `{name}` for {}", slot.as_str())]
    Unknown {
        /// The name in the settings.
        name: Name,
        /// The slot it was chosen for.
        slot: Slot,
        /// What there is for that slot.
        known: Vec<Name>,
    },
    /// No recipe serves this target at all.
    #[error("no recipe provides {} for target `{target}`", slot.as_str())]
    NoTarget {
        /// The slot.
        slot: Slot,
        /// The target.
        target: RustTriple,
        /// The targets that some recipe of the slot serves.
        served: Vec<RustTriple>,
    },
    /// Recipes serve the target, but on no host that is asked for.
    #[error("no recipe provides {} for target `{target}` on host `{host}`", slot.as_str())]
    NoPair {
        /// The slot.
        slot: Slot,
        /// The target.
        target: RustTriple,
        /// The host.
        host: RustTriple,
        /// The recipes that serve the target on other hosts.
        elsewhere: Vec<Name>,
    },
    /// The recipe does not serve a host.
    #[error("recipe `{recipe}` does not serve host `{host}`")]
    NoHost {
        /// The recipe.
        recipe: Name,
        /// The host.
        host: RustTriple,
        /// The hosts that it serves.
        served: Vec<RustTriple>,
    },
    /// The settings ask for a host tool that no recipe provides.
    #[error("there is no host tool `{tool}`")]
    UnknownTool {
        /// The tool.
        tool: Name,
        /// Those that there are.
        known: Vec<Name>,
    },
    /// The settings name a recipe of another host tool.
    #[error("recipe `{recipe}` provides no `{tool}`")]
    OtherTool {
        /// The recipe.
        recipe: Name,
        /// The tool.
        tool: Name,
        /// The recipes that provide it.
        known: Vec<Name>,
    },
    /// The settings ask for a component that the recipe does not have.
    #[error("recipe `{recipe}` has no component `{component}`")]
    NoComponent {
        /// The recipe.
        recipe: Name,
        /// The component.
        component: Name,
        /// The components that can be asked for.
        known: Vec<Name>,
        /// Other recipes of the slot that have it.
        elsewhere: Vec<Name>,
    },
}
