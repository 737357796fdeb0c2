//! What one recipe offers: targets, hosts, components. Knows of no other recipe.

use std::collections::BTreeSet;

use super::RecipeError;
use super::model::{Recipe, Status, Variant};
use crate::vocab::digest::Blake3;
use crate::vocab::name::Name;
use crate::vocab::triple::RustTriple;

impl Recipe {
    /// Whether it serves the target.
    pub fn serves(&self, target: &RustTriple) -> bool {
        self.targets.is_empty() || self.targets.contains(target)
    }

    /// What it uses on `host`.
    pub fn variant(&self, host: &RustTriple) -> Result<&Variant, RecipeError> {
        self.variants.iter().find(|variant| variant.hosts.contains(host)).ok_or_else(|| {
            RecipeError::NoHost {
                recipe: self.name.clone(),
                host: host.clone(),
                served: self.hosts().cloned().collect(),
            }
        })
    }

    /// Whether it has what `host` needs to build for `target`, and how well its pins for them are
    /// attested; packages of a signed index are as good as the best, and a wheel of an index that
    /// nobody signs is like what one place says. `None`: it serves one of them or both, and not the
    /// two together.
    pub fn attested(&self, host: &RustTriple, target: &RustTriple) -> Option<Status> {
        if !self.serves(target) {
            return None;
        }
        let mut worst = Status::Confirmed;
        for expansion in self.variant(host).ok()?.expand(host, target, &BTreeSet::new()) {
            if !expansion.component.artifacts.is_empty() {
                // The best is what there is to choose; which version is newest is not known here.
                worst = worst.max(expansion.pins().map(|pin| pin.status).min()?);
            }
            if expansion.component.wheel {
                worst = Status::SingleSource;
            }
        }
        Some(worst)
    }

    /// Which of its pins are attested by one place only, as a clause; `None` where all are sure.
    pub fn doubt(&self) -> Option<String> {
        let components = self.variants.iter().flat_map(|variant| &variant.components);
        let pins: Vec<_> = components.flat_map(|component| &component.artifacts).collect();
        let single = pins.iter().filter(|pin| pin.status == Status::SingleSource).count();
        (single > 0).then(|| format!("{single} of {} pins seen in one place only", pins.len()))
    }

    /// Whether it is taken for `target` where the settings choose none.
    pub fn is_default_for(&self, target: &RustTriple) -> bool {
        self.default || self.default_for.contains(target)
    }

    /// Whether a part of it is the machine's own. Such a recipe is taken only by its name.
    pub fn is_impure(&self) -> bool {
        self.variants.iter().flat_map(|variant| &variant.components).any(|own| own.impure)
    }

    /// The hosts that it serves.
    pub fn hosts(&self) -> impl Iterator<Item = &RustTriple> {
        self.variants.iter().flat_map(|variant| &variant.hosts)
    }

    /// Whether it has the component, on each of its hosts.
    pub fn has(&self, component: &Name) -> bool {
        let of = |variant: &Variant| variant.components.iter().any(|own| own.name == *component);
        self.variants.iter().all(of)
    }

    /// The components that it has where the settings ask for them.
    pub fn on_request(&self) -> impl Iterator<Item = &Name> {
        let all = self.variants.first().into_iter().flat_map(|variant| &variant.components);
        all.filter(|component| component.optional && self.has(&component.name))
            .map(|component| &component.name)
    }

    /// The digest of what decides how it resolves: a lock notes it, so that an edited recipe is
    /// seen as drift. What the tree provides is not part of it; that is part of env-id.
    pub fn resolution_digest(&self) -> Blake3 {
        let components: Vec<_> =
            self.variants.iter().map(|variant| (&variant.hosts, &variant.components)).collect();
        let text = match (&self.rust_dist, &self.pypi) {
            (None, None) => serde_json::to_vec(&(&self.debian, components)),
            (Some(dist), None) => serde_json::to_vec(&(&self.debian, components, dist)),
            (None, Some(pypi)) => serde_json::to_vec(&(&self.debian, pypi, components)),
            (Some(dist), Some(pypi)) => serde_json::to_vec(&(&self.debian, pypi, components, dist)),
        };
        let text = text.unwrap_or_default();
        Blake3::of(&text)
    }
}
