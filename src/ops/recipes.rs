//! `recipes list`, `recipes show` and `recipes check`.

use std::path::PathBuf;

use super::context::Context;
use super::error::Error;
use super::lock::collection;
use super::project::Project;
use crate::recipe::check::{Finding, check};
use crate::recipe::{Collection, Origin, Recipe};
use crate::sys::fs::read_text;

/// One recipe and where it was read.
#[derive(Debug, Clone)]
pub struct RecipeListing {
    /// The recipe.
    pub recipe: Recipe,
    /// Where it was read.
    pub origin: Origin,
}

/// What `recipes check` found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecipeCheck {
    /// The names of the recipes that were looked at, sorted; a file that is no recipe has its path
    /// here.
    pub checked: Vec<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Checks the recipes in `files`; where none is named, every recipe that the project can use.
pub fn check_recipes(
    context: &Context<'_>,
    manifest: Option<&str>,
    files: &[PathBuf],
) -> Result<RecipeCheck, Error> {
    let mut outcome = RecipeCheck::default();
    let texts = if files.is_empty() {
        match Project::find(context.ambient, manifest) {
            Ok(project) => project.recipes()?,
            Err(Error::NoProject { .. }) => Vec::new(),
            Err(error) => return Err(error),
        }
    } else {
        let read = |file: &PathBuf| -> Result<_, Error> {
            let shown = file.display().to_string();
            let text = read_text(&context.ambient.absolute(file))?;
            let missing = || Error::NotFound { what: "file", name: shown.clone(), known: vec![] };
            Ok((shown.clone(), text.ok_or_else(missing)?))
        };
        files.iter().map(read).collect::<Result<_, Error>>()?
    };
    // One that cannot be read does not keep the others from being looked at.
    let mut readable = Vec::new();
    for text in texts {
        match Collection::load(std::slice::from_ref(&text)) {
            Ok(_) => readable.push(text),
            Err(error) => {
                outcome.findings.push(Finding { recipe: text.0.clone(), what: error.to_string() });
                outcome.checked.push(text.0);
            }
        }
    }
    let collection = Collection::load(&readable)?;
    for selected in collection.iter() {
        let named = |path: &String| readable.iter().any(|(known, _)| known == path);
        let asked = match selected.origin {
            Origin::BuiltIn => files.is_empty(),
            Origin::Project { path, .. } => named(path),
        };
        if asked {
            outcome.checked.push(selected.recipe.name.to_string());
            outcome.findings.extend(check(selected.recipe));
        }
    }
    let of_asked = |finding: &Finding| outcome.checked.contains(&finding.recipe);
    outcome.findings.extend(collection.clashes().into_iter().filter(of_asked));
    outcome.checked.sort();
    Ok(outcome)
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
