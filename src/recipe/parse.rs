//! From the text of one recipe to a recipe that says nothing contradictory.

use super::RecipeError;
use super::model::{Recipe, Runs, Slot};
use crate::vocab::document;

/// Reads the recipe of the file `path`, whose name without its end is `stem`.
pub(super) fn parse(path: &str, stem: &str, text: &str) -> Result<Recipe, RecipeError> {
    let recipe: Recipe = document::parse(path, text)?;
    let invalid = |reason: String| RecipeError::Invalid { path: path.to_owned(), reason };
    if recipe.schema != 1 {
        return Err(invalid(format!(
            "schema {} is not known; this xprov reads schema 1",
            recipe.schema
        )));
    }
    if recipe.name.as_str() != stem {
        return Err(invalid(format!("the recipe is named `{}`, its file `{stem}`", recipe.name)));
    }
    if (recipe.slot == Slot::HostTools) != recipe.tool.is_some() {
        return Err(invalid("`tool` is for the slot `host-tools`, which needs it".to_owned()));
    }
    if recipe.tool.is_none() && recipe.variants.iter().any(|own| !own.provides.env.is_empty()) {
        return Err(invalid("`provides.env` is for the slot `host-tools`".to_owned()));
    }
    for component in recipe.variants.iter().flat_map(|variant| &variant.components) {
        // The lock's name for what the settings add to a sysroot.
        if recipe.slot == Slot::Cc && component.name.as_str() == "packages" {
            let reason = "no component of a C toolchain can be called `packages`: the packages \
                          that settings add to its sysroot are called so in the lock";
            return Err(invalid(reason.to_owned()));
        }
        if component.dist.is_some() && recipe.rust_dist.is_none() {
            return Err(invalid(format!(
                "component `{}` names a part of Rust's releases, but the recipe has no [rust-dist] \
                 table",
                component.name
            )));
        }
        let sources = [
            !component.packages.is_empty(),
            !component.artifacts.is_empty(),
            component.dist.is_some(),
            component.wheel,
            component.impure,
            component.machine.is_some(),
        ];
        if sources.iter().filter(|source| **source).count() != 1 {
            return Err(invalid(format!(
                "component `{}` needs either packages or artifacts, or is a wheel",
                component.name
            )));
        }
        if component.wheel && recipe.pypi.is_none() {
            return Err(invalid(format!(
                "component `{}` is a wheel, but the recipe has no [pypi] table",
                component.name
            )));
        }
        if component.derivation.is_some() && component.runs != Runs::OnHostForTarget {
            return Err(invalid(format!(
                "component `{}` is derived, so it has to run on-host-for-target",
                component.name
            )));
        }
        if !component.packages.is_empty() && recipe.debian.is_none() {
            return Err(invalid(format!(
                "component `{}` names packages, but the recipe has no [debian] table",
                component.name
            )));
        }
    }
    for (name, tool) in recipe.variants.iter().flat_map(|variant| &variant.provides.tools) {
        if tool.program.is_empty() == tool.refuse.is_none() {
            return Err(invalid(format!(
                "tool `{name}` needs either a program or what it refuses"
            )));
        }
    }
    Ok(recipe)
}
