//! The choice of a recipe for a tool that the settings ask for by its name.

use std::collections::BTreeSet;

use super::RecipeError;
use super::collection::{Collection, Selected, rank};
use super::model::Slot;
use crate::settings::Choice;
use crate::vocab::name::Name;

impl Collection {
    /// The recipe for a host tool: the one that `choice` names, else a default one.
    pub fn select_tool(&self, tool: &Name, choice: &Choice) -> Result<Selected<'_>, RecipeError> {
        let provides =
            |selected: &Selected<'_>, tool: &Name| selected.recipe.tool.as_ref() == Some(tool);
        let of_tool = || self.iter().filter(|selected| provides(selected, tool));
        let default = of_tool().min_by_key(rank).ok_or_else(|| {
            let known = self.tools().into_iter().collect();
            RecipeError::UnknownTool { tool: tool.clone(), known }
        })?;
        let Some(name) = &choice.recipe else { return self.with_components(default, choice) };
        let known = || of_tool().map(|selected| selected.recipe.name.clone()).collect();
        match self.get(name.as_str()) {
            Some(selected) if provides(&selected, tool) => self.with_components(selected, choice),
            Some(_) => Err(RecipeError::OtherTool {
                recipe: name.clone(),
                tool: tool.clone(),
                known: known(),
            }),
            None => Err(RecipeError::Unknown {
                name: name.clone(),
                slot: Slot::HostTools,
                known: known(),
            }),
        }
    }

    /// The host tools that recipes provide.
    pub fn tools(&self) -> BTreeSet<Name> {
        self.iter().filter_map(|selected| selected.recipe.tool.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::PinnedArtifact;

    #[test]
    fn every_host_tool_has_a_default_and_its_pins_cover_the_hosts() {
        let collection = Collection::load(&[]).expect("the built-in recipes are valid");
        assert_eq!(
            collection.tools().iter().map(Name::as_str).collect::<Vec<_>>(),
            ["cmake", "ninja", "perl", "protoc"]
        );
        for tool in collection.tools() {
            let selected = collection.select_tool(&tool, &Choice::default()).expect("a recipe");
            assert_eq!((selected.recipe.default, &selected.recipe.name), (true, &tool));
        }
        for selected in collection.iter().filter(|selected| selected.recipe.tool.is_some()) {
            let recipe = selected.recipe;
            for variant in &recipe.variants {
                let [component] = &variant.components[..] else { panic!("{}", recipe.name) };
                assert_eq!(Some(&component.name), recipe.tool.as_ref(), "{}", recipe.name);
                let versions: BTreeSet<&str> =
                    component.artifacts.iter().map(|pin| pin.version.as_str()).collect();
                for (host, version) in
                    variant.hosts.iter().flat_map(|host| versions.iter().map(move |v| (host, v)))
                {
                    let of = |pin: &&PinnedArtifact| {
                        pin.host.as_ref() == Some(host) && pin.version == **version
                    };
                    let pins = component.artifacts.iter().filter(of).count();
                    assert_eq!(pins, 1, "{} {version} {host}", recipe.name);
                }
            }
            if recipe.name.as_str().ends_with("-release") {
                assert_eq!(recipe.hosts().count(), 4, "{}", recipe.name);
            }
        }
    }
}
