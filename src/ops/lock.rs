//! `lock`, `update`, and the lock that every other verb begins with.

use std::path::PathBuf;

use super::context::Context;
use super::drift::drift;
use super::error::{Error, Kind};
use super::linker_choice;
use super::project::{LOCK_NAME, Project, display};
use super::request::Wanted;
use super::resolve::resolve;
use super::rust_choice;
use super::system_rust;
use crate::lockfile::{Authenticated, Entry, Key, Lockfile};
use crate::recipe::{Collection, Origin, Slot};
use crate::settings::Settings;
use crate::sys::fs::{read_text, write_atomic};
use crate::sys::lock::FileLock;
use crate::vocab::digest::Blake3;
use crate::vocab::event::Event;
use crate::vocab::triple::{RustTriple, TargetRequest};

/// What locking did.
#[derive(Debug)]
pub struct LockOutcome {
    /// The lock's path.
    pub path: PathBuf,
    /// Whether its bytes changed.
    pub changed: bool,
    /// Entries that are new.
    pub added: Vec<Key>,
    /// Entries that are gone.
    pub removed: Vec<Key>,
    /// How many entries there are.
    pub entries: usize,
}

/// `xprov lock`: brings the lock in line with settings and recipes, changing as little as needed.
pub fn lock(
    context: &Context<'_>,
    manifest: Option<&str>,
    targets: &[String],
    require_signed: bool,
) -> Result<LockOutcome, Error> {
    rewrite(context, manifest, targets, (true, require_signed))
}

/// `xprov update`: resolves everything anew.
pub fn update(
    context: &Context<'_>,
    manifest: Option<&str>,
    targets: &[String],
    require_signed: bool,
) -> Result<LockOutcome, Error> {
    rewrite(context, manifest, targets, (false, require_signed))
}

fn rewrite(
    context: &Context<'_>,
    manifest: Option<&str>,
    extra: &[String],
    (keep, require_signed): (bool, bool),
) -> Result<LockOutcome, Error> {
    let project = Project::find(context.ambient, manifest)?;
    let collection = collection(context, &project)?;
    let _alone = alone(context, &project)?;
    let old = read(context, &project)?;
    let mut targets = settings_targets(&project);
    let mut named = Vec::new();
    for target in extra {
        named.push(target.parse::<TargetRequest>()?.triple);
    }
    targets.extend(named.iter().cloned());
    // Targets that were locked by name stay, where the settings have no list of their own.
    if let (true, Some((lock, _))) = (project.settings.targets.is_empty(), &old) {
        targets.extend(lock.request.targets.iter().cloned());
    }
    if targets.is_empty() {
        targets.push(context.host.clone());
    }
    let kept = old.as_ref().map(|(lock, _)| lock);
    let held = kept.filter(|_| keep || context.mode.locked);
    let wanted = wanted(context, &project, &collection, &targets, held)?;
    let reasons = kept.map(|lock| drifted(context, &project, lock, &wanted)).transpose()?;
    if context.mode.locked {
        let path = display(context.ambient, &project.lock_path());
        let command = command(&project, &named);
        match reasons {
            None => return Err(Error::NoLock { path, command }),
            Some(reasons) if !reasons.is_empty() => {
                return Err(Error::Drift { path, reasons, command });
            }
            Some(_) => {}
        }
    }
    if let (true, true, Some(lock)) = (context.mode.locked, keep, kept) {
        attested(lock, require_signed)?;
        let (path, entries) = (project.lock_path(), lock.entries.len());
        let (added, removed) = (Vec::new(), Vec::new());
        return Ok(LockOutcome { path, changed: false, added, removed, entries });
    }
    let new = resolved(context, &project, &collection, &wanted, kept.filter(|_| keep), &named)?;
    attested(&new, require_signed)?;
    if context.mode.locked && old.as_ref().is_some_and(|(_, text)| *text != new.to_text()) {
        let path = display(context.ambient, &project.lock_path());
        let reasons = vec!["the upstreams have other versions now".to_owned()];
        return Err(Error::Drift { path, reasons, command: "xprov update".to_owned() });
    }
    store_lock(context, &project, old.as_ref(), &new)
}

/// `--require-signed`: what nobody has signed or published is refused, and nothing is written.
fn attested(lock: &Lockfile, required: bool) -> Result<(), Error> {
    // What every host of a kind has installed is not the choice of one machine.
    let is_refused = |entry: &&Entry| match entry.authenticated {
        Authenticated::Impure => entry.identity.is_some(),
        how => how == Authenticated::FirstUse,
    };
    let refused = lock.entries.iter().filter(is_refused);
    let (impure, first): (Vec<&Entry>, Vec<&Entry>) =
        refused.partition(|entry| entry.authenticated == Authenticated::Impure);
    let keys = |of: Vec<&Entry>| of.iter().map(|entry| entry.key.clone()).collect::<Vec<Key>>();
    let (entries, impure) = (keys(first), keys(impure));
    if required && !impure.is_empty() {
        return Err(Error::ImpureEntries { entries: impure });
    }
    if required && !entries.is_empty() { Err(Error::FirstUse { entries }) } else { Ok(()) }
}

/// Held while a lock is read, resolved and written: two commands that each add a target must not
/// lose one of them.
fn alone(context: &Context<'_>, project: &Project) -> Result<FileLock, Error> {
    let root = Blake3::of(project.root.as_os_str().as_encoded_bytes());
    Ok(context.store.lock(&format!("project-{root}"), || {
        let what = format!("another xprov, which writes {LOCK_NAME}");
        context.observer.event(Event::Waiting(what));
    })?)
}

/// The lock for `targets` and its text, written if it is missing or no longer answers what is
/// asked.
pub fn current(
    context: &Context<'_>,
    project: &Project,
    collection: &Collection,
    targets: &[RustTriple],
) -> Result<(Lockfile, String), Error> {
    if let Some(found) = fitting(context, project, collection, targets)? {
        return Ok(found);
    }
    let _alone = alone(context, project)?;
    // While we waited, another command may have written what we need.
    if let Some(found) = fitting(context, project, collection, targets)? {
        return Ok(found);
    }
    let old = read(context, project)?;
    let mut all = settings_targets(project);
    all.extend(targets.iter().cloned());
    // What was locked for other targets stays.
    if let (true, Some((lock, _))) = (project.settings.targets.is_empty(), &old) {
        all.extend(lock.request.targets.iter().cloned());
    }
    let kept = old.as_ref().map(|(lock, _)| lock);
    let wanted = wanted(context, project, collection, &all, kept)?;
    let outgrown = kept.map(|lock| linker_choice::outgrown(context, project, lock)).transpose()?;
    if let Some(why) = outgrown.flatten() {
        context.observer.event(Event::Note(why));
    }
    let new = resolved(context, project, collection, &wanted, kept, targets)?;
    store_lock(context, project, old.as_ref(), &new)?;
    let text = new.to_text();
    Ok((new, text))
}

/// The lock on disk, if it answers what is asked; under `--locked` it is an error if not.
fn fitting(
    context: &Context<'_>,
    project: &Project,
    collection: &Collection,
    targets: &[RustTriple],
) -> Result<Option<(Lockfile, String)>, Error> {
    let path = || display(context.ambient, &project.lock_path());
    let Some((lock, text)) = read(context, project)? else {
        if context.mode.locked {
            return Err(Error::NoLock { path: path(), command: command(project, targets) });
        }
        return Ok(None);
    };
    let mut all = settings_targets(project);
    all.extend(targets.iter().cloned());
    let wanted = wanted(context, project, collection, &all, Some(&lock))?;
    let reasons = drifted(context, project, &lock, &wanted)?;
    if reasons.is_empty() {
        return Ok(Some((lock, text)));
    }
    if context.mode.locked {
        let command = command(project, targets);
        return Err(Error::Drift { path: path(), reasons, command });
    }
    Ok(None)
}

/// Resolves. Offline that works where recipes have their pins in them; otherwise what is missing is
/// the network, whatever was tried.
fn resolved(
    context: &Context<'_>,
    project: &Project,
    collection: &Collection,
    wanted: &Wanted<'_>,
    kept: Option<&Lockfile>,
    targets: &[RustTriple],
) -> Result<Lockfile, Error> {
    for note in &project.toolchain.notes {
        context.observer.event(Event::Note(note.clone()));
    }
    linker_choice::say(context, project, wanted);
    let found = resolve(context, project, collection, wanted, kept)
        .or_else(|error| elsewhere(context, project, collection, wanted, kept, error));
    found.map_err(|error| {
        if context.mode.offline && error.kind() == Kind::Fetch {
            let path = display(context.ambient, &project.lock_path());
            Error::OfflineLock { path, command: command(project, targets) }
        } else {
            error
        }
    })
}

/// Resolves with another recipe of Rust, where the one that nobody chose has not what is asked.
fn elsewhere(
    context: &Context<'_>,
    project: &Project,
    collection: &Collection,
    wanted: &Wanted<'_>,
    kept: Option<&Lockfile>,
    error: Error,
) -> Result<Lockfile, Error> {
    let rust = wanted.demands.iter().find(|demand| demand.slot == Slot::Rust);
    let Some(chosen) = rust.map(|demand| &demand.selected.recipe.name) else { return Err(error) };
    let (settings, offline) = (&project.settings, context.mode.offline);
    let mut last = error;
    for name in rust_choice::alternatives(settings, collection, chosen, &last, offline) {
        let mut settings = settings.clone();
        let version = settings.rust.version.clone().unwrap_or_default();
        settings.rust.recipe = Some(name.clone());
        let targets = &wanted.targets;
        let settings =
            linker_choice::with_linker(context, project, settings, collection, targets, kept)?;
        let wanted = Wanted::new(&settings, collection, &context.host, targets)?;
        context.observer.event(Event::Note(format!(
            "{chosen} has no Rust {version}: {name} is asked (`rust.recipe` of the settings decides)"
        )));
        match resolve(context, project, collection, &wanted, kept) {
            Ok(lock) => return Ok(lock),
            Err(_) if offline => {}
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// What is wanted for `targets`, in the light of the lock that is there.
fn wanted<'a>(
    context: &Context<'_>,
    project: &Project,
    collection: &'a Collection,
    targets: &[RustTriple],
    lock: Option<&Lockfile>,
) -> Result<Wanted<'a>, Error> {
    let of = |settings: Settings| {
        let settings =
            linker_choice::with_linker(context, project, settings, collection, targets, lock)?;
        Wanted::new(&settings, collection, &context.host, targets)
    };
    of(rust_choice::held(&project.settings, collection, lock))
        .or_else(|_| of(project.settings.clone()))
}

/// What changed since the lock was written, one sentence each.
fn drifted(
    context: &Context<'_>,
    project: &Project,
    lock: &Lockfile,
    wanted: &Wanted<'_>,
) -> Result<Vec<String>, Error> {
    let mut reasons = drift(lock, &wanted.request());
    if reasons.is_empty() {
        reasons = system_rust::drift(context, project, lock)?;
    } else {
        reasons.extend(linker_choice::outgrown(context, project, lock)?);
    }
    Ok(reasons)
}

/// The command that locks for `targets`: those of the settings need not be named.
fn command(project: &Project, targets: &[RustTriple]) -> String {
    let declared = settings_targets(project);
    let more = targets.iter().filter(|target| !declared.contains(target));
    more.fold("xprov lock".to_owned(), |command, target| format!("{command} --target {target}"))
}

/// The lock as it is on disk, with its text.
pub fn read(context: &Context<'_>, project: &Project) -> Result<Option<(Lockfile, String)>, Error> {
    let path = project.lock_path();
    let Some(text) = read_text(&path)? else { return Ok(None) };
    let lock = Lockfile::parse(&display(context.ambient, &path), &text)?;
    Ok(Some((lock, text)))
}

/// The version of Rust that the lock pins; `None` where there is no lock.
pub fn pinned_rust(context: &Context<'_>, project: &Project) -> Result<Option<String>, Error> {
    let Some((lock, _)) = read(context, project)? else { return Ok(None) };
    let rustc = lock.entries.into_iter().find(|entry| entry.key.name.as_str() == "rustc");
    Ok(rustc.map(|rustc| rustc.key.version))
}

/// The recipes that the project can use; says which of its own hide a built-in one.
pub fn collection(context: &Context<'_>, project: &Project) -> Result<Collection, Error> {
    let collection = Collection::load(&project.recipes()?)?;
    for selected in collection.iter() {
        if let Origin::Project { path, shadows: true } = selected.origin {
            let name = &selected.recipe.name;
            let note = format!("recipe `{name}` is the project's own, from {path}");
            context.observer.event(Event::Note(note));
        }
    }
    Ok(collection)
}

fn settings_targets(project: &Project) -> Vec<RustTriple> {
    project.settings.targets.iter().map(|target| target.0.triple.clone()).collect()
}

fn store_lock(
    context: &Context<'_>,
    project: &Project,
    old: Option<&(Lockfile, String)>,
    new: &Lockfile,
) -> Result<LockOutcome, Error> {
    let text = new.to_text();
    let path = project.lock_path();
    let changed = old.is_none_or(|(_, old_text)| *old_text != text);
    if changed {
        write_atomic(&path, text.as_bytes())?;
    }
    let keys = |lock: &Lockfile| -> Vec<Key> {
        lock.entries.iter().map(|entry| entry.key.clone()).collect()
    };
    let (before, after) = (old.map_or_else(Vec::new, |(lock, _)| keys(lock)), keys(new));
    let without = |from: &[Key], other: &[Key]| -> Vec<Key> {
        from.iter().filter(|key| !other.contains(key)).cloned().collect()
    };
    if changed {
        let verb = if old.is_some() { "Updated" } else { "Wrote" };
        let count = after.len();
        context.observer.event(Event::Step {
            verb,
            subject: format!("{LOCK_NAME} ({count} toolchain entries)"),
        });
    }
    let (added, removed) = (without(&after, &before), without(&before, &after));
    Ok(LockOutcome { path, changed, added, removed, entries: after.len() })
}
