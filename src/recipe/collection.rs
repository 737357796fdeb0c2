//! All recipes that a project can use: the built-in ones, shadowed by its own.

use std::collections::BTreeMap;

use super::RecipeError;
use super::builtin;
use super::model::{Recipe, Slot};
use super::parse::parse;
use crate::settings::Choice;
use crate::vocab::name::Name;
use crate::vocab::triple::RustTriple;

/// Recipes by name.
#[derive(Debug, Clone)]
pub struct Collection {
    recipes: BTreeMap<Name, (Origin, Recipe)>,
}

/// Where a recipe was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Compiled into xprov.
    BuiltIn,
    /// A file of the project.
    Project {
        /// Its path, as messages show it.
        path: String,
        /// Whether a built-in recipe of this name exists, too.
        shadows: bool,
    },
}

/// A recipe chosen for a slot.
#[derive(Debug, Clone, Copy)]
pub struct Selected<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
    /// Where it was read.
    pub origin: &'a Origin,
}

impl Collection {
    /// The built-in recipes and the project's own: (path for messages, text) of each file.
    pub fn load(project: &[(String, String)]) -> Result<Self, RecipeError> {
        let mut recipes = BTreeMap::new();
        for (name, text) in builtin::RECIPES {
            let path = format!("recipes/{name}.toml (built-in)");
            let recipe = parse(&path, name, text)?;
            recipes.insert(recipe.name.clone(), (Origin::BuiltIn, recipe));
        }
        for (path, text) in project {
            let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".toml");
            let recipe = parse(path, stem, text)?;
            let hidden = recipes.get(&recipe.name).map(|(_, built_in)| built_in);
            // A copy of a built-in recipe is that recipe.
            if hidden == Some(&recipe) {
                continue;
            }
            let shadows = hidden.is_some();
            let origin = Origin::Project { path: path.clone(), shadows };
            recipes.insert(recipe.name.clone(), (origin, recipe));
        }
        Ok(Self { recipes })
    }

    /// Every recipe, by name.
    pub fn iter(&self) -> impl Iterator<Item = Selected<'_>> {
        self.recipes.values().map(|(origin, recipe)| Selected { recipe, origin })
    }

    /// The recipe of this name.
    pub fn get(&self, name: &str) -> Option<Selected<'_>> {
        self.iter().find(|selected| selected.recipe.name.as_str() == name)
    }

    /// The recipe for a slot and target that serves each of `hosts`: the one that `choice` names,
    /// else the first in this order: defaults for the target, the project's own, those with better
    /// attested pins, by name. It has the components that `choice` asks for.
    pub fn select(
        &self,
        slot: Slot,
        target: &RustTriple,
        hosts: &[RustTriple],
        choice: &Choice,
    ) -> Result<Selected<'_>, RecipeError> {
        let selected = self.choose(slot, target, hosts, choice)?;
        self.with_components(selected, choice)
    }

    /// The recipe, if it has the components that `choice` asks for.
    pub(super) fn with_components<'a>(
        &'a self,
        selected: Selected<'a>,
        choice: &Choice,
    ) -> Result<Selected<'a>, RecipeError> {
        let recipe = selected.recipe;
        let Some(component) = choice.components.iter().find(|name| !recipe.has(name)) else {
            return Ok(selected);
        };
        let others = self.iter().map(|other| other.recipe);
        let has_it = |other: &&Recipe| {
            (other.slot, &other.tool) == (recipe.slot, &recipe.tool) && other.has(component)
        };
        Err(RecipeError::NoComponent {
            recipe: recipe.name.clone(),
            component: component.clone(),
            known: recipe.on_request().cloned().collect(),
            elsewhere: others.filter(has_it).map(|other| other.name.clone()).collect(),
        })
    }

    fn choose(
        &self,
        slot: Slot,
        target: &RustTriple,
        hosts: &[RustTriple],
        choice: &Choice,
    ) -> Result<Selected<'_>, RecipeError> {
        let of_slot = || self.iter().filter(|selected| selected.recipe.slot == slot);
        if let Some(name) = &choice.recipe {
            let named = of_slot().find(|selected| &selected.recipe.name == name);
            let selected = named.ok_or_else(|| RecipeError::Unknown {
                name: name.clone(),
                slot,
                known: of_slot().map(|selected| selected.recipe.name.clone()).collect(),
            })?;
            if selected.recipe.serves(target) {
                for host in hosts {
                    selected.recipe.variant(host)?;
                }
                return Ok(selected);
            }
        } else {
            let serving =
                || of_slot().filter(|own| own.recipe.serves(target) && !own.recipe.is_impure());
            // Recipes come by name, and the first of equals is taken.
            let ranked = serving().filter_map(|selected| {
                let recipe = selected.recipe;
                let pins = hosts.iter().map(|host| recipe.attested(host, target));
                let worst = pins.collect::<Option<Vec<_>>>()?.into_iter().max();
                let built_in = *selected.origin == Origin::BuiltIn;
                Some(((!recipe.is_default_for(target), built_in, worst), selected))
            });
            if let Some((_, selected)) = ranked.min_by_key(|(rank, _)| *rank) {
                return Ok(selected);
            }
            if let (Some(_), Some(host)) = (serving().next(), hosts.first()) {
                let elsewhere = serving().map(|selected| selected.recipe.name.clone()).collect();
                let (target, host) = (target.clone(), host.clone());
                return Err(RecipeError::NoPair { slot, target, host, elsewhere });
            }
        }
        let mut served: Vec<RustTriple> =
            of_slot().flat_map(|selected| selected.recipe.targets.clone()).collect();
        served.sort();
        served.dedup();
        Err(RecipeError::NoTarget { slot, target: target.clone(), served })
    }
}

/// What a default recipe has the least of: the project's own go before built-in ones, whatever they
/// are called.
pub(super) fn rank(selected: &Selected<'_>) -> (bool, bool) {
    (!selected.recipe.default, *selected.origin == Origin::BuiltIn)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn builtin() -> Collection {
        Collection::load(&[]).expect("the built-in recipes are valid")
    }

    #[test]
    fn a_project_recipe_shadows_a_built_in_one() {
        let text = builtin::RECIPES
            .iter()
            .find(|(name, _)| *name == "qemu-user")
            .map(|(_, text)| (*text).to_owned())
            .expect("qemu-user is built in");
        let path = "recipes/qemu-user.toml".to_owned();
        let origin = |text: String| {
            let collection = Collection::load(&[(path.clone(), text)]).expect("valid");
            collection.get("qemu-user").map(|selected| selected.origin.clone())
        };
        assert_eq!(origin(text.clone()), Some(Origin::BuiltIn));
        let origin = origin(text.replace("statically linked", "of our own"));
        assert_eq!(origin, Some(Origin::Project { path, shadows: true }));
    }

    #[test]
    fn a_default_of_the_project_goes_before_a_built_in_one() {
        let text = builtin::RECIPES
            .iter()
            .find(|(name, _)| *name == "posix-tools")
            .map(|(_, text)| text.replace("posix-tools\"\nsummary", "zzz\"\nsummary"))
            .expect("posix-tools is built in");
        let collection = Collection::load(&[("recipes/zzz.toml".to_owned(), text)]).expect("valid");
        let target: RustTriple = "x86_64-unknown-linux-gnu".parse().expect("a triple");
        let selected = collection.select(Slot::Tools, &target, &[], &Choice::default());
        assert_eq!(selected.expect("a recipe").recipe.name.as_str(), "zzz");
    }

    #[test]
    fn a_target_without_a_recipe_says_which_there_are() {
        let target: RustTriple = "i686-unknown-linux-gnu".parse().expect("a triple");
        let error = builtin().select(Slot::Cc, &target, &[], &Choice::default()).map(|_| ());
        let Err(RecipeError::NoTarget { served, .. }) = error else { panic!("{error:?}") };
        assert!(served.iter().any(|triple| triple.as_str() == "aarch64-unknown-linux-gnu"));
    }

    #[test]
    fn a_default_is_one_that_serves_the_host_too() {
        let triple = |text: &str| -> RustTriple { text.parse().expect("a triple") };
        let [mac, linux] = ["aarch64-apple-darwin", "x86_64-unknown-linux-gnu"].map(triple);
        let target = triple("aarch64-unknown-linux-musl");
        let collection = builtin();
        let on = |slot, target: &RustTriple, host: &RustTriple| {
            let hosts = std::slice::from_ref(host);
            collection
                .select(slot, target, hosts, &Choice::default())
                .map(|of| of.recipe.name.clone())
        };
        let chosen = on(Slot::Cc, &target, &mac).expect("one for the Mac");
        assert_eq!(chosen.as_str(), "macos-cross");
        assert_ne!(on(Slot::Cc, &target, &linux).expect("another one"), chosen);
        let error = on(Slot::Runner, &triple("armv7-unknown-linux-gnueabihf"), &mac);
        let Err(RecipeError::NoPair { host, elsewhere, .. }) = error else { panic!("{error:?}") };
        assert_eq!(host, mac);
        assert_eq!(elsewhere.iter().map(Name::as_str).collect::<Vec<_>>(), ["qemu-user"]);
    }

    #[test]
    fn what_is_on_request_is_of_the_compilers_version() {
        let collection = builtin();
        let of_rust = collection.iter().filter(|selected| selected.recipe.slot == Slot::Rust);
        // What the machine has, it has in one version.
        for selected in of_rust.filter(|selected| !selected.recipe.is_impure()) {
            let recipe = selected.recipe;
            let names: Vec<&str> = recipe.on_request().map(Name::as_str).collect();
            assert_eq!(
                names,
                ["clippy", "rust-analyzer", "rust-src", "rustfmt"],
                "{}",
                recipe.name
            );
            for variant in &recipe.variants {
                let pins = |name: &str| {
                    let component = variant.components.iter().find(|own| own.name.as_str() == name);
                    let artifacts = component.into_iter().flat_map(|own| &own.artifacts);
                    artifacts.map(|pin| (&pin.version, &pin.host)).collect::<BTreeSet<_>>()
                };
                for (version, host) in pins("rustc") {
                    for name in &names {
                        let there = pins(name);
                        let any = there.contains(&(version, &None));
                        assert!(any || there.contains(&(version, host)), "{name} {version}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_derived_is_made_on_a_host_for_a_target() {
        let text = builtin::RECIPES.iter().find(|(name, _)| *name == "rust-debian");
        let text = text.map(|(_, text)| text.replace("\"on-host-for-target\"", "\"on-target\""));
        let path = "recipes/rust-debian.toml".to_owned();
        let error = Collection::load(&[(path, text.expect("is built in"))]);
        assert!(matches!(error, Err(RecipeError::Invalid { .. })), "{error:?}");
    }

    #[test]
    fn a_recipe_must_have_its_files_name() {
        let text = builtin::RECIPES[0].1.to_owned();
        let error = Collection::load(&[("recipes/other.toml".to_owned(), text)]);
        assert!(matches!(error, Err(RecipeError::Invalid { .. })), "{error:?}");
    }
}
