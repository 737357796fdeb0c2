//! All recipes that a project can use: the built-in ones, shadowed by its own.

use std::collections::BTreeMap;

use super::builtin;
use super::model::{Recipe, Runs, Slot};
use crate::settings::Choice;
use crate::vocab::document::{self, DocumentError};
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

fn parse(path: &str, stem: &str, text: &str) -> Result<Recipe, RecipeError> {
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
