//! Whether a lock still answers what is asked: no network, no recipe is resolved.

use crate::lockfile::{Lockfile, Request, RequestedRecipe};
use crate::vocab::triple::RustTriple;

/// What changed since the lock was written, one sentence each; empty if nothing did.
/// A lock that answers more targets than are asked for now is fine.
pub fn drift(lock: &Lockfile, wanted: &Request) -> Vec<String> {
    let mut reasons = Vec::new();
    let have = &lock.request;
    missing(&mut reasons, "target", &have.targets, &wanted.targets);
    missing(&mut reasons, "host", &have.hosts, &wanted.hosts);
    for recipe in &wanted.recipes {
        let missing_host = !wanted.hosts.iter().all(|host| have.hosts.contains(host));
        let hosts = wanted.hosts.iter().filter(|host| {
            have.hosts.contains(host) && recipe.host.as_ref().is_none_or(|of| of == *host)
        });
        for host in hosts {
            let reason = match have.recipe_on(host, recipe) {
                // A missing slot comes with a missing target or host, which was said above.
                None if reasons.is_empty() && !missing_host || recipe.tool.is_some() => {
                    format!("{} is not locked", slot(recipe))
                }
                None => continue,
                Some(known)
                    if RequestedRecipe { host: recipe.host.clone(), ..known.clone() }
                        == *recipe =>
                {
                    continue;
                }
                Some(known) => difference(known, recipe),
            };
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    // One that nobody asks for any more would still be seen by builds.
    let gone = |known: &&RequestedRecipe| {
        known.tool.is_some() && !wanted.recipes.iter().any(|recipe| recipe.fills_as(known))
    };
    let gone = have.recipes.iter().filter(gone);
    reasons.extend(gone.map(|known| format!("{} is locked and not asked for", slot(known))));
    reasons
}

fn missing(reasons: &mut Vec<String>, what: &str, have: &[RustTriple], want: &[RustTriple]) {
    for triple in want.iter().filter(|triple| !have.contains(triple)) {
        reasons.push(format!("{what} `{triple}` is not in the lock"));
    }
}

fn slot(recipe: &RequestedRecipe) -> String {
    let slot = match (&recipe.target, &recipe.tool) {
        (Some(target), _) => format!("{} for `{target}`", recipe.slot.as_str()),
        (None, Some(tool)) => format!("host tool `{tool}`"),
        (None, None) => recipe.slot.as_str().to_owned(),
    };
    match &recipe.host {
        Some(host) => format!("{slot} on `{host}`"),
        None => slot,
    }
}

fn difference(locked: &RequestedRecipe, wanted: &RequestedRecipe) -> String {
    let slot = slot(wanted);
    let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "newest".to_owned());
    if locked.recipe != wanted.recipe {
        format!("{slot}: recipe `{}` is locked, `{}` is asked for", locked.recipe, wanted.recipe)
    } else if locked.version != wanted.version {
        let (have, want) = (version(&locked.version), version(&wanted.version));
        format!("{slot}: version `{have}` is locked, `{want}` is asked for")
    } else if let Some(new) = wanted.components.difference(&locked.components).next() {
        format!("{slot}: component `{new}` is asked for and not locked")
    } else if let Some(old) = locked.components.difference(&wanted.components).next() {
        format!("{slot}: component `{old}` is locked and not asked for")
    } else if let Some(new) = wanted.packages.difference(&locked.packages).next() {
        format!("{slot}: package `{new}` is asked for and not locked")
    } else if let Some(old) = locked.packages.difference(&wanted.packages).next() {
        format!("{slot}: package `{old}` is locked and not asked for")
    } else {
        format!("{slot}: recipe `{}` was changed since", wanted.recipe)
    }
}
