//! Whether recipes keep what they promise: what can be found out without network and without any
//! archive. Reading a recipe refuses what is malformed; this finds what is well-formed and wrong.

mod shape;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::collection::{Collection, Origin};
use super::model::{Recipe, Runs, Slot, Variant};
use crate::vocab::name::Name;
use crate::vocab::triple::{KNOWN, RustTriple};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The recipe.
    pub recipe: String,
    /// What, as a sentence without a full stop.
    pub what: String,
}

/// What is wrong with one recipe, in the order of the file.
pub fn check(recipe: &Recipe) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(shape::targets(recipe));
    if recipe.variants.is_empty() {
        found.push("it has no variant".to_owned());
    }
    let mut seen = BTreeSet::new();
    for host in recipe.hosts() {
        if !seen.insert(host) {
            found.push(format!("two variants are for host `{host}`"));
        }
    }
    for variant in &recipe.variants {
        if variant.hosts.is_empty() {
            found.push("a variant has no hosts".to_owned());
        }
        found.extend(shape::components(variant));
        found.extend(missing_pins(recipe, variant));
        found.extend(shape::provides(recipe, variant));
    }
    let mut said = BTreeSet::new();
    found.retain(|what| said.insert(what.clone()));
    let name = recipe.name.to_string();
    found.into_iter().map(|what| Finding { recipe: name.clone(), what }).collect()
}

/// The targets that a recipe speaks of.
fn targets(recipe: &Recipe) -> Vec<RustTriple> {
    if recipe.targets.is_empty() {
        KNOWN.iter().filter_map(|known| known.parse().ok()).collect()
    } else {
        recipe.targets.clone()
    }
}

/// Pairs of host and target that variants and targets promise, and that no pin is for.
fn missing_pins(recipe: &Recipe, variant: &Variant) -> Vec<String> {
    let all: BTreeSet<Name> = variant.components.iter().map(|own| own.name.clone()).collect();
    let mut found = Vec::new();
    for host in &variant.hosts {
        for target in targets(recipe) {
            for expansion in variant.expand(host, &target, &all) {
                let component = expansion.component;
                if !component.artifacts.is_empty() && expansion.pins().next().is_none() {
                    let pair = match (&expansion.host, &expansion.target) {
                        (Some(host), Some(target)) => {
                            format!("host `{host}` and target `{target}`")
                        }
                        (Some(host), None) => format!("host `{host}`"),
                        (None, Some(target)) => format!("target `{target}`"),
                        (None, None) => "any host".to_owned(),
                    };
                    found.push(format!("component `{}` has no pin for {pair}", component.name));
                }
                let foreign = component.runs != Runs::OnTarget && !host.is_linux();
                if !component.packages.is_empty() && foreign {
                    let name = &component.name;
                    found.push(format!(
                        "component `{name}`: packages of Debian are not for `{host}`"
                    ));
                }
            }
        }
    }
    found
}

impl Collection {
    /// What is wrong between recipes: names that differ by case only, and defaults that are equally
    /// good, of which the name alone would decide.
    pub fn clashes(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut by_case: BTreeMap<String, &Name> = BTreeMap::new();
        for selected in self.iter() {
            let name = &selected.recipe.name;
            if let Some(other) = by_case.insert(name.as_str().to_lowercase(), name) {
                let what = format!("its name differs from `{other}` by case only");
                found.push(Finding { recipe: name.to_string(), what });
            }
        }
        let mut first: BTreeMap<(Slot, Option<&Name>, bool, RustTriple, RustTriple), &Name> =
            BTreeMap::new();
        let mut said = BTreeSet::new();
        for selected in self.iter() {
            let (recipe, built_in) = (selected.recipe, *selected.origin == Origin::BuiltIn);
            for target in targets(recipe).into_iter().filter(|of| recipe.is_default_for(of)) {
                for host in recipe.hosts().filter(|host| recipe.attested(host, &target).is_some()) {
                    let key =
                        (recipe.slot, recipe.tool.as_ref(), built_in, host.clone(), target.clone());
                    let other = *first.entry(key).or_insert(&recipe.name);
                    if *other != recipe.name && said.insert((recipe.name.clone(), other.clone())) {
                        let slot = recipe.slot.as_str();
                        let what = format!(
                            "it and `{other}` are both the default {slot} for `{target}` on `{host}`"
                        );
                        found.push(Finding { recipe: recipe.name.to_string(), what });
                    }
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_recipe_passes() {
        let collection = Collection::load(&[]).expect("the built-in recipes");
        let mut found: Vec<Finding> =
            collection.iter().flat_map(|selected| check(selected.recipe)).collect();
        found.extend(collection.clashes());
        assert_eq!(found, []);
    }

    #[test]
    fn what_is_wrong_is_found() {
        let text = include_str!("../../recipes/arm-gnu.toml");
        let found = |from: &str, to: &str| -> Vec<String> {
            assert!(text.contains(from), "{from}");
            let recipe: Recipe = toml::from_str(&text.replace(from, to)).expect("a recipe");
            check(&recipe).into_iter().map(|finding| finding.what).collect()
        };
        let first = |from: &str, to: &str| found(from, to).into_iter().next().unwrap_or_default();
        assert_eq!(found("GCC", "gcc"), Vec::<String>::new());
        assert_eq!(
            first("  \"aarch64-unknown-linux-gnu\",\n", "  \"i686-unknown-linux-gnu\",\n"),
            "`provides.target` has `aarch64-unknown-linux-gnu`, which is none of its targets"
        );
        let more = "hosts = [\"aarch64-apple-darwin\", \"x86_64-unknown-linux-gnu\"";
        assert_eq!(
            first("hosts = [\"x86_64-unknown-linux-gnu\"", more),
            "component `gcc` has no pin for host `aarch64-apple-darwin` and target \
             `aarch64-unknown-linux-gnu`"
        );
        assert_eq!(
            first("https://developer.arm.com/-", "http://developer.arm.com/-"),
            "component `gcc`: http://developer.arm.com/-/media/Files/downloads/gnu/14.2.rel1/\
             binrel/arm-gnu-toolchain-14.2.rel1-x86_64-aarch64-none-linux-gnu.tar.xz is not https:"
        );
        assert_eq!(
            first(
                "host = \"aarch64-unknown-linux-gnu\"\ntarget = \"aarch64",
                "host = \"x86_64-unknown-linux-gnu\"\ntarget = \"aarch64"
            ),
            "component `gcc` has two artifacts 14.2.rel1 for `x86_64-unknown-linux-gnu` and \
             `aarch64-unknown-linux-gnu`"
        );
        assert_eq!(
            first("{sysroot}", "{sysrot}"),
            "`{sysrot}` in `--sysroot={sysrot}` is not replaced by anything"
        );
        assert_eq!(
            first("prefix = \"bin/arm-none", "prefix = \"../bin/arm-none"),
            "`../bin/arm-none-linux-gnueabihf-ar` is no path in the tree"
        );
        let default = "slot = \"cc\"\ndefault-for = [\"i686-unknown-linux-musl\"]";
        assert_eq!(
            first("slot = \"cc\"", default),
            "`default-for` has `i686-unknown-linux-musl`, which is none of its targets"
        );
        let tool = "[variant.provides.tools]\nCC = { program = \"bin/cc\", kind = \"cc\" }\n\
                    cc = { program = \"bin/cc\" }\n\n[variant.provides.target.aarch64-u";
        let two = found("[variant.provides.target.aarch64-u", tool);
        assert_eq!(two.len(), 2, "{two:?}");
        assert_eq!(two[0], "tools `CC` and `cc` differ by case only");
        assert!(two[1].starts_with("compiler `CC` begins with no target's prefix"), "{two:?}");
        assert_eq!(
            first("prefix = \"bin/aarch64-none-linux-gnu-\"\n", ""),
            "nothing is `aarch64-linux-gnu-gcc`, which builds for `aarch64-unknown-linux-gnu` call"
        );
        assert_eq!(
            first(
                "seen-in = [\"buildroot/buildroot, toolchain/toolchain-external/toolchain-external-arm-arm/toolchain-external-arm-arm.hash\", \"an index of public source code\"]",
                ""
            ),
            "component `gcc` has a pin that nobody says where it was seen"
        );
    }

    #[test]
    fn two_defaults_for_a_pair_clash() {
        let text = include_str!("../../recipes/gcc-aarch64-linux-gnu.toml");
        let own = |name: &str| {
            let text =
                text.replace("name = \"gcc-aarch64-linux-gnu\"", &format!("name = \"{name}\""));
            (format!("recipes/{name}.toml"), text)
        };
        // The project's own goes before a built-in one: no clash.
        let one = Collection::load(&[own("one")]).expect("recipes");
        assert_eq!(one.clashes(), []);
        let two = Collection::load(&[own("one"), own("two")]).expect("recipes");
        let [clash] = &two.clashes()[..] else { panic!("{:?}", two.clashes()) };
        assert_eq!(
            clash.what,
            "it and `one` are both the default cc for `aarch64-unknown-linux-gnu` on \
             `x86_64-unknown-linux-gnu`"
        );
    }
}
