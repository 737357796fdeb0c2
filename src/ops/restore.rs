//! `restore`: everything that the lock pins for this host, fetched, unpacked and composed.

use super::closure::closure;
use super::context::Context;
use super::error::Error;
use super::inputs::inputs;
use super::lock;
use super::project::{Project, display};
use super::resolve::bases;
use crate::lockfile::Lockfile;
use crate::recipe::Collection;
use crate::upstream::debian::Bases;
use crate::vocab::triple::{RustTriple, TargetRequest};

/// What restoring did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestoreOutcome {
    /// The targets that can be built for now.
    pub targets: Vec<RustTriple>,
    /// How many objects there are in all.
    pub objects: usize,
    /// How many had to be fetched.
    pub fetched: usize,
    /// The bytes of those.
    pub fetched_bytes: u64,
}

/// Realises the targets of the lock, or those that are named.
pub fn restore(
    context: &Context<'_>,
    manifest: Option<&str>,
    named: &[String],
) -> Result<RestoreOutcome, Error> {
    let project = Project::find(context.ambient, manifest)?;
    let collection = lock::collection(context, &project)?;
    let Some((locked, _)) = lock::read(context, &project)? else {
        return Err(Error::NothingLocked { path: display(context.ambient, &project.lock_path()) });
    };
    let mut targets = Vec::new();
    for name in named {
        targets.push(name.parse::<TargetRequest>()?.triple);
    }
    if targets.is_empty() {
        targets.clone_from(&locked.request.targets);
    }
    if let Some(missing) = targets.iter().find(|target| !locked.request.targets.contains(target)) {
        return Err(Error::NotLocked(missing.clone()));
    }
    // Under --locked, a lock that the settings have left behind is an error here as in `build`.
    if context.mode.locked {
        lock::current(context, &project, &collection, &targets)?;
    }
    // A build that was killed may have left something although everything is there.
    context.store.sweep()?;
    let mut outcome = RestoreOutcome { targets: targets.clone(), ..RestoreOutcome::default() };
    for target in &targets {
        let from = || places(context, &project, &collection, &locked);
        let (closure, realised) = closure(context, &project, &collection, &locked, target, &from)?;
        outcome.objects = outcome.objects.max(closure.tree_hashes.len());
        if let Some(realised) = realised {
            outcome.fetched += realised.fetched;
            outcome.fetched_bytes += realised.fetched_bytes;
        }
    }
    let inputs = inputs(context, &project)?;
    outcome.objects += inputs.pinned.len();
    outcome.fetched += inputs.fetched;
    outcome.fetched_bytes += inputs.fetched_bytes;
    Ok(outcome)
}

/// The places of the archives that the locked recipes use.
pub fn places(
    context: &Context<'_>,
    project: &Project,
    collection: &Collection,
    lock: &Lockfile,
) -> Result<Bases, Error> {
    let recipes = lock.entries.iter().filter_map(|entry| collection.get(entry.recipe.as_str()));
    bases(context, project, recipes.map(|selected| selected.recipe))
}
