//! `recipes list` and `recipes show`.

use super::context::Context;
use super::error::Error;
use super::lock::collection;
use super::project::Project;
use crate::recipe::{Collection, Origin, Recipe};

/// One recipe and where it was read.
#[derive(Debug, Clone)]
pub struct RecipeListing {
    /// The recipe.
    pub recipe: Recipe,
    /// Where it was read.
    pub origin: Origin,
}

/// Every recipe that the project here can use; outside of a project the built-in ones.
pub fn list_recipes(
    context: &Context<'_>,
    manifest: Option<&str>,
) -> Result<Vec<RecipeListing>, Error> {
    Ok(load(context, manifest)?
        .iter()
        .map(|selected| RecipeListing {
            recipe: selected.recipe.clone(),
            origin: selected.origin.clone(),
        })
        .collect())
}

/// One recipe by name.
pub fn show_recipe(
    context: &Context<'_>,
    manifest: Option<&str>,
    name: &str,
) -> Result<RecipeListing, Error> {
    let listings = list_recipes(context, manifest)?;
    let known = || listings.iter().map(|listing| listing.recipe.name.to_string()).collect();
    listings
        .iter()
        .find(|listing| listing.recipe.name.as_str() == name)
        .cloned()
        .ok_or_else(|| Error::NotFound { what: "recipe", name: name.to_owned(), known: known() })
}

fn load(context: &Context<'_>, manifest: Option<&str>) -> Result<Collection, Error> {
    match Project::find(context.ambient, manifest) {
        Ok(project) => collection(context, &project),
        Err(Error::NoProject { .. }) => Ok(Collection::load(&[])?),
        Err(error) => Err(error),
    }
}
