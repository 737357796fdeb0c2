//! Objects that are built from other objects (`docs/derivations.md`): what the store has of them,
//! and what it takes to make one. How they are built is the business of the modules below.

mod inputs;
mod rust_std;
mod unwind;

use super::c_library;
use super::closure::{Closure, closure, variant};
use super::context::Context;
use super::error::Error;
use super::ground::Ground;
use super::mac::Mac;
use super::project::Project;
use super::realise::{Realised, realise};
use super::toolset::{Toolset, filled};
use crate::lockfile::{Artifact, Derived, Entry, Lockfile};
use crate::recipe::{Collection, Derivation};
use crate::store::{IndexKey, Object};
use crate::upstream::debian::Bases;
use crate::vocab::digest::{Blake3, KeyHasher, TreeHash};
use crate::vocab::event::Event;
use crate::vocab::triple::RustTriple;

/// The version of what is done here.
const VERSION: &str = "derivation/3";

/// What is done with inputs, and what of our own is added; another digest makes other objects.
pub fn version() -> Blake3 {
    let mut version = KeyHasher::new(VERSION);
    version.part(unwind::SOURCE);
    version.finish()
}

/// What all derivations of a closure share.
pub struct Deriver<'a> {
    /// The surroundings.
    pub context: &'a Context<'a>,
    /// The project, whose cargo configuration says how registries are reached.
    pub project: &'a Project,
    /// The recipes.
    pub collection: &'a Collection,
    /// The whole lock.
    pub lock: &'a Lockfile,
    /// Where archives are.
    pub bases: &'a dyn Fn() -> Result<Bases, Error>,
}

impl Deriver<'_> {
    /// The object of an entry, built unless the store has it; and what had to be fetched.
    pub fn derive(
        &self,
        entry: &Entry,
        derived: Derived,
        target: &RustTriple,
    ) -> Result<(Object, Realised), Error> {
        let context = self.context;
        let key = key(context, self.collection, self.lock, entry, derived.name)?;
        let index = IndexKey::Derived { key: &key };
        if let Some(object) = self.find(&index, entry, derived)? {
            return Ok((object, Realised::default()));
        }
        let _lock = context.store.lock(&format!("derive-{key}"), || {
            let what = format!("another xprov, which builds {}", entry.key);
            context.observer.event(Event::Waiting(what));
        })?;
        // While we waited, the other process may have done it.
        if let Some(object) = self.find(&index, entry, derived)? {
            return Ok((object, Realised::default()));
        }
        let artifacts: Vec<&Artifact> = entry.artifacts.iter().collect();
        let mut realised = realise(context, &artifacts, self.bases)?;
        let (ground, earlier) = self.ground(entry)?;
        let subject = format!("{} (once; it takes a minute or two)", entry.key);
        context.observer.event(Event::Step { verb: "Building", subject });
        let staging = context.store.stage()?;
        let work = rust_std::Work {
            context,
            project: self.project,
            ground: &ground,
            inputs: &realised.objects,
            target,
            label: entry.key.to_string(),
            dir: staging.dir(),
        };
        let root = match derived.name {
            Derivation::RustStd => work.build()?,
        };
        let tree = crate::tree::scan(&root).map_err(|source| Error::DerivedTree {
            entry: entry.key.to_string(),
            source: Box::new(source),
        })?;
        check(entry, derived, tree.hash())?;
        let named = (entry.key.name.as_str(), entry.key.version.as_str());
        let object = context.store.add(&staging, &root, &tree, named, &index)?;
        realised.add(earlier);
        Ok((object, realised))
    }

    fn find(
        &self,
        index: &IndexKey<'_>,
        entry: &Entry,
        derived: Derived,
    ) -> Result<Option<Object>, Error> {
        let object = self.context.store.find(index)?;
        if let Some(object) = &object {
            check(entry, derived, object.path.tree_hash())?;
        }
        Ok(object)
    }

    /// What a build for the host stands on, without what the settings ask for beyond that.
    /// The compiler has the derivation's source beside it: names of crates have hashes in them, of
    /// where their sources are in the compiler's tree, or else on this machine.
    fn ground(&self, entry: &Entry) -> Result<(Ground, Realised), Error> {
        let Self { context, project, collection, lock, bases } = self;
        let host = &context.host;
        let mut entries: Vec<Entry> =
            builders(context, collection, lock)?.into_iter().cloned().collect();
        let mut source = Entry { derivation: None, ..entry.clone() };
        source.key.target = None;
        // Inputs for the target are no part of a compiler.
        source.artifacts.retain(|artifact| artifact.version == entry.key.version);
        entries.push(source);
        let lock = Lockfile { request: lock.request.clone(), entries };
        let (made, realised) = closure(context, project, collection, &lock, host, bases)?;
        let mut slots = filled(collection, host, lock.entries.iter(), &made)?;
        let mac = Mac::of(context)?;
        if let Some(mac) = &mac {
            slots.extend(mac.filled(collection, host, lock.entries.iter())?);
        }
        let mut tools = Toolset::new(host, host, &slots, &made.rustc_version)?;
        let Closure { tree_hashes, components, libraries, c_library, .. } = made;
        c_library::start_on(&mut tools, c_library.as_ref(), host, host);
        let inputs = Vec::new();
        let ground = Ground { tools, inputs, tree_hashes, components, libraries, mac };
        Ok((ground, realised.unwrap_or_default()))
    }
}

/// The tree hash of a derived entry whose object this store has; what the lock says already stays.
pub fn known_tree(
    context: &Context<'_>,
    collection: &Collection,
    lock: &Lockfile,
    entry: &Entry,
) -> Result<Option<TreeHash>, Error> {
    let Some(Derived { name, tree }) = entry.derivation else { return Ok(None) };
    // Other hosts' objects are not here.
    if tree.is_some() || entry.key.host.as_ref() != Some(&context.host) {
        return Ok(tree);
    }
    let key = key(context, collection, lock, entry, name)?;
    let object = context.store.find(&IndexKey::Derived { key: &key })?;
    Ok(object.map(|object| object.path.tree_hash()))
}

fn check(entry: &Entry, derived: Derived, actual: TreeHash) -> Result<(), Error> {
    match derived.tree {
        Some(expected) if expected != actual => {
            Err(Error::DerivedMismatch { entry: entry.key.to_string(), expected, actual })
        }
        _ => Ok(()),
    }
}

/// The entries that build on this host: its own as a target, downloaded all, none on request.
fn builders<'a>(
    context: &'a Context<'_>,
    collection: &Collection,
    lock: &'a Lockfile,
) -> Result<Vec<&'a Entry>, Error> {
    let mut builders = Vec::new();
    for entry in lock.entries_for(&context.host, &context.host) {
        let components = &variant(collection, &context.host, entry)?.components;
        let own = components.iter().find(|component| component.name == entry.key.name);
        if entry.derivation.is_none() && !own.is_some_and(|component| component.optional) {
            builders.push(entry);
        }
    }
    Ok(builders)
}

/// Everything that decides what the result is.
fn key(
    context: &Context<'_>,
    collection: &Collection,
    lock: &Lockfile,
    entry: &Entry,
    name: Derivation,
) -> Result<Blake3, Error> {
    let mut key = KeyHasher::new("derivation");
    key.part(version().as_bytes()).part(name.as_str());
    key.part(context.host.as_str());
    key.part(entry.key.target.as_ref().map_or("", RustTriple::as_str));
    for entry in std::iter::once(entry).chain(builders(context, collection, lock)?) {
        key.part(entry.key.to_string());
        for artifact in &entry.artifacts {
            key.part(artifact.sha256.as_bytes());
            key.part(artifact.unpack.strip.to_le_bytes());
            key.part(artifact.unpack.keep.as_deref().unwrap_or_default());
        }
    }
    Ok(key.finish())
}
