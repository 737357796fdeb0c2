//! Which recipe fills the slot of Rust where the settings name none (decision 0003). No network:
//! what an upstream turns out not to have is told by whoever asked it.

use super::error::Error;
use crate::lockfile::Lockfile;
use crate::recipe::{Collection, Origin, Recipe, Selected, Slot};
use crate::settings::{Choice, Settings};
use crate::upstream::debian::DebianError;
use crate::vocab::name::Name;
use crate::vocab::triple::RustTriple;

/// The settings' choice of Rust, with the recipe that is taken where they name none: a default one
/// of the project's own, else the best that serves all of these hosts and targets.
pub fn choice(
    settings: &Settings,
    collection: &Collection,
    hosts: &[RustTriple],
    targets: &[&RustTriple],
) -> Choice {
    let candidates = candidates(&settings.rust, collection);
    // A default one of the project's own is the project's word, whatever it serves.
    let own =
        |selected: &&Selected<'_>| selected.recipe.default && *selected.origin != Origin::BuiltIn;
    let serving = |selected: &&Selected<'_>| serves(selected.recipe, hosts, targets);
    let best = candidates.first().filter(own).or_else(|| candidates.iter().find(serving));
    let best = best.map(|selected| selected.recipe.name.clone());
    let Choice { recipe, version, components } = settings.rust.clone();
    Choice { recipe: recipe.or(best), version, components }
}

/// The settings with the recipe that the lock has, where they name none: a lock that exists keeps
/// its choice. A recipe of the project's own is the project's word, and needs no memory.
pub fn held(settings: &Settings, collection: &Collection, lock: Option<&Lockfile>) -> Settings {
    let mut settings = settings.clone();
    let candidates = candidates(&settings.rust, collection);
    let of_lock = |lock: &Lockfile| {
        let rust = lock.request.recipes.iter().find(|recipe| recipe.slot == Slot::Rust);
        rust.map(|rust| rust.recipe.clone())
    };
    let is_ours = |name: &Name| {
        let own = candidates.iter().find(|selected| selected.recipe.name == *name);
        // The default one is taken anyway, where it serves.
        own.is_some_and(|selected| !selected.recipe.default)
    };
    if candidates.first().is_some_and(|first| *first.origin == Origin::BuiltIn)
        && let Some(name) = lock.and_then(of_lock).filter(is_ours)
    {
        settings.rust.recipe.get_or_insert(name);
    }
    settings
}

/// What to try after `error`: the releases, where Debian's archive has no such version; offline,
/// those with their pins built in. Only where the settings name no recipe.
pub fn alternatives(
    settings: &Settings,
    collection: &Collection,
    chosen: &Name,
    error: &Error,
    offline: bool,
) -> Vec<Name> {
    let no_version = matches!(
        error,
        Error::Debian { recipe, source }
            if recipe == chosen && matches!(**source, DebianError::NoVersion { .. })
    );
    let built_in = collection.get(chosen.as_str()).map(|own| own.origin) == Some(&Origin::BuiltIn);
    let asked = settings.rust.version.is_some() && settings.rust.recipe.is_none();
    if !asked || !built_in || !(no_version || offline) {
        return Vec::new();
    }
    let others = candidates(&settings.rust, collection).into_iter().map(|other| other.recipe);
    others
        .filter(|recipe| recipe.name != *chosen)
        .filter(|recipe| pins(recipe, &settings.rust) || (!offline && recipe.rust_dist.is_some()))
        .map(|recipe| recipe.name.clone())
        .collect()
}

/// The recipes that may be taken, best first: the project's own, the default, one whose pins have
/// the version that is asked for, any other. Releases without the version in their pins are none.
fn candidates<'a>(choice: &Choice, collection: &'a Collection) -> Vec<Selected<'a>> {
    let of_slot = collection
        .iter()
        .filter(|selected| selected.recipe.slot == Slot::Rust && !selected.recipe.is_impure());
    let mut candidates: Vec<_> = of_slot
        .filter(|selected| {
            !pinned(selected.recipe) || pins(selected.recipe, choice) || selected.recipe.default
        })
        .collect();
    candidates.sort_by_key(|selected| {
        let Selected { recipe, origin } = *selected;
        (!recipe.default, *origin == Origin::BuiltIn, !pins(recipe, choice))
    });
    candidates
}

fn serves(recipe: &Recipe, hosts: &[RustTriple], targets: &[&RustTriple]) -> bool {
    targets.iter().all(|target| recipe.serves(target))
        && hosts.iter().all(|host| recipe.variant(host).is_ok())
}

/// Whether its compiler has pins of its own.
fn pinned(recipe: &Recipe) -> bool {
    versions(recipe).next().is_some()
}

/// Whether its pins have the version that is asked for.
fn pins(recipe: &Recipe, choice: &Choice) -> bool {
    let wanted = choice.version.as_deref();
    versions(recipe)
        .any(|version| wanted.is_none_or(|wanted| super::resolve::is_version(wanted, version)))
}

/// The versions of the compiler that have pins.
fn versions(recipe: &Recipe) -> impl Iterator<Item = &str> {
    let components = recipe.variants.iter().flat_map(|variant| &variant.components);
    let rustc = components.filter(|component| component.name.as_str() == "rustc");
    rustc.flat_map(|component| &component.artifacts).map(|artifact| artifact.version.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triple(text: &str) -> RustTriple {
        text.parse().expect("a triple")
    }

    fn chosen(version: Option<&str>, hosts: &[&str], targets: &[&str]) -> String {
        let collection = Collection::load(&[]).expect("the built-in recipes");
        let mut settings = Settings::default();
        settings.rust.version = version.map(str::to_owned);
        let hosts: Vec<RustTriple> = hosts.iter().copied().map(triple).collect();
        let targets: Vec<RustTriple> = targets.iter().copied().map(triple).collect();
        let targets: Vec<&RustTriple> = targets.iter().chain(&hosts).collect();
        choice(&settings, &collection, &hosts, &targets).recipe.expect("a recipe").to_string()
    }

    const LINUX: &[&str] = &["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];
    const ALL: &[&str] = &["x86_64-unknown-linux-gnu", "aarch64-apple-darwin"];

    #[test]
    fn debian_serves_linux_and_the_releases_what_it_does_not() {
        let arm = ["armv7-unknown-linux-gnueabihf"];
        assert_eq!(chosen(None, LINUX, &arm), "rust-debian");
        assert_eq!(chosen(Some("1.85"), LINUX, &arm), "rust-debian");
        assert_eq!(chosen(None, ALL, &arm), "rust-release");
        assert_eq!(chosen(Some("1.95"), ALL, &arm), "rust-release");
        assert_eq!(chosen(Some("1.94"), ALL, &arm), "rust-dist");
        assert_eq!(chosen(None, LINUX, &["i686-unknown-linux-musl"]), "rust-debian");
        assert_eq!(chosen(None, ALL, &["i686-unknown-linux-musl"]), "rust-release");
        assert_eq!(chosen(None, LINUX, &["i686-unknown-linux-gnu"]), "rust-dist");
    }

    #[test]
    fn a_lock_keeps_its_choice_unless_the_settings_make_one() {
        let collection = Collection::load(&[]).expect("the built-in recipes");
        let lock = |name: &str| {
            let text = format!(
                "version = 1\n[request]\nhosts = []\ntargets = []\nrecipes = [{{ slot = \"rust\", \
                 recipe = \"{name}\" }}]\n"
            );
            Lockfile::parse("l", &text).expect("a lock")
        };
        let held_by = |settings: &Settings, name: &str| {
            let held = held(settings, &collection, Some(&lock(name)));
            held.rust.recipe.map(|name| name.to_string())
        };
        let mut settings = Settings::default();
        assert_eq!(held_by(&settings, "rust-release").as_deref(), Some("rust-release"));
        assert_eq!(held_by(&settings, "rust-dist").as_deref(), Some("rust-dist"));
        assert_eq!(held_by(&settings, "gone"), None);
        settings.rust.recipe = Some("rust-debian".parse().expect("a name"));
        assert_eq!(held_by(&settings, "rust-dist").as_deref(), Some("rust-debian"));
    }
}
