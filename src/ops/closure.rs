//! From the locked entries of one host and target to composed trees on disk.
//!
//! What was composed once is remembered under a key of everything it was made from, so that a
//! warm command reads one small file and looks at no object.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::c_library;
use super::composition::{Composition, compose};
use super::context::Context;
use super::derive::{self, Deriver};
use super::error::Error;
use super::project::Project;
use super::realise::{Realised, realise};
use super::sysroot_packages::{self, Library};
use super::system_rust;
use crate::compose::relocation::{self, CLibrary};
use crate::hermetic::MachineRust;
use crate::lockfile::{Artifact, Authenticated, Entry, Key, Lockfile};
use crate::recipe::{Collection, Provides, Slot, TreeRole, Variant};
use crate::store::Object;
use crate::sys::fs::read_optional;
use crate::sys::process::hermetic_command;
use crate::upstream::debian::Bases;
use crate::vocab::digest::{Blake3, KeyHasher, TreeHash};
use crate::vocab::name::Name;
use crate::vocab::triple::RustTriple;

/// One composed tree: which slot, for which target (`None`: for all), and which of its trees.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Role {
    /// The slot.
    pub slot: Slot,
    /// The target.
    pub target: Option<RustTriple>,
    /// The recipe, for `host-tools`: each has trees of its own.
    #[serde(default)]
    pub recipe: Option<Name>,
    /// The tree.
    pub tree: TreeRole,
}

/// Everything that builds of one target on this host need, on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// The composed trees.
    pub trees: Vec<(Role, PathBuf)>,
    /// The tree hashes of all objects, sorted.
    pub tree_hashes: Vec<TreeHash>,
    /// What `rustc -vV` prints.
    pub rustc_version: String,
    /// What each entry is called, for the human reader: (name, version, slot).
    pub components: Vec<(String, String, Slot)>,
    /// The shared libraries that packages bring.
    #[serde(default)]
    pub libraries: Vec<Library>,
    /// What of it is the machine's own Rust.
    #[serde(default)]
    pub machine: Option<MachineRust>,
    /// What starts the programs, where the machine has no C library for them.
    #[serde(default)]
    pub c_library: Option<CLibrary>,
}

/// A composition that is to be made.
struct Group<'a> {
    role: Role,
    omit: &'a [String],
    provides: &'a Provides,
    artifacts: Vec<&'a Artifact>,
    derived: Vec<&'a Entry>,
    /// Where loaders look, if packages join the tree.
    loader_root: Option<&'a str>,
    has_packages: bool,
}

impl<'a> Group<'a> {
    fn new(role: Role, provides: &'a Provides) -> Self {
        let (omit, loader_root) = (provides.omit.as_slice(), provides.loader_root.as_deref());
        Self {
            role,
            omit,
            provides,
            artifacts: Vec::new(),
            derived: Vec::new(),
            loader_root,
            has_packages: false,
        }
    }

    fn links(&self, libraries: &[Library], host: &RustTriple) -> Vec<(String, String)> {
        match &self.role.target {
            Some(target) if self.has_packages => {
                sysroot_packages::links(libraries, target, host, self.loader_root)
            }
            _ => Vec::new(),
        }
    }
}

impl Closure {
    /// Whether its trees are still there.
    pub fn exists(&self) -> bool {
        self.trees.iter().all(|(_, dir)| dir.is_dir())
            && self.c_library.iter().all(|library| library.loader.is_file())
    }

    /// The directory of a tree.
    pub fn tree(&self, slot: Slot, target: Option<&RustTriple>, tree: TreeRole) -> Option<&Path> {
        let role = Role { slot, target: target.cloned(), recipe: None, tree };
        self.tree_of(&role)
    }

    /// The same for any role.
    pub fn tree_of(&self, wanted: &Role) -> Option<&Path> {
        let found = self.trees.iter().find(|(role, _)| role == wanted);
        found.map(|(_, dir)| dir.as_path())
    }
}

/// Realises and composes what `target` needs; fast where that was done before.
pub fn closure(
    context: &Context<'_>,
    project: &Project,
    collection: &Collection,
    lock: &Lockfile,
    target: &RustTriple,
    bases: &dyn Fn() -> Result<Bases, Error>,
) -> Result<(Closure, Option<Realised>), Error> {
    let entries: Vec<&Entry> = lock.entries_for(&context.host, target).collect();
    let groups = groups(context, collection, &entries)?;
    let system = system_rust::of_entries(context, project, &entries)?;
    let machine = system.as_ref().map(|rust| rust.for_builds(&entries));
    let key = key(context, &groups, machine.as_ref());
    let note = context.store.layout().closure(&key);
    if let Some(bytes) = read_optional(&note)?
        && let Ok(closure) = serde_json::from_slice::<Closure>(&bytes)
        && closure.exists()
    {
        return Ok((closure, None));
    }
    context.store.sweep()?;
    let downloaded = entries.iter().copied().filter(|entry| entry.derivation.is_none());
    let artifacts = Lockfile::artifacts(downloaded);
    let mut realised = realise(context, &artifacts, bases)?;
    let deriver = Deriver { context, project, collection, lock, bases };
    let mut built: BTreeMap<&Key, Object> = BTreeMap::new();
    let mut inputs = Realised::default();
    for entry in &entries {
        if let Some(derivation) = entry.derivation {
            let (object, more) = deriver.derive(entry, derivation, target)?;
            built.insert(&entry.key, object);
            inputs.add(more);
        }
    }
    let objects: BTreeMap<_, &Object> = artifacts
        .iter()
        .map(|artifact| (artifact.sha256, &artifact.unpack))
        .zip(&realised.objects)
        .map(|((sha256, unpack), object)| ((sha256, unpack.strip, unpack.keep.clone()), object))
        .collect();
    let object = |artifact: &Artifact| {
        let unpack = &artifact.unpack;
        objects.get(&(artifact.sha256, unpack.strip, unpack.keep.clone())).copied()
    };
    let of_group = |group: &Group<'_>| {
        let own = group.derived.iter().filter_map(|entry| built.get(&entry.key));
        group
            .artifacts
            .iter()
            .filter_map(|artifact| object(artifact))
            .chain(own)
            .collect::<Vec<_>>()
    };
    let libraries = sysroot_packages::all_libraries(context, &entries, &object)?;
    let c_library = c_library::stand_in(&context.host, &entries, &object);
    let compositions: Vec<Composition<'_>> = groups
        .into_iter()
        .map(|group| {
            let objects = of_group(&group);
            let mut links = group.links(&libraries, &context.host);
            let of_machine = system.as_ref().filter(|_| group.role.slot == Slot::Rust);
            links.extend(of_machine.iter().flat_map(|rust| rust.links(&entries)));
            let provides = group.provides.for_target(group.role.target.as_ref());
            let every_target = group.provides.every_target;
            Composition::new(context, group.role, group.omit, every_target, objects, links)
                .on(context, c_library.as_ref())
                .checked(provides)
        })
        .collect();
    let trees = compose(context, compositions)?;
    let objects = realised.objects.iter().chain(built.values());
    let mut tree_hashes: Vec<TreeHash> = objects.map(|object| object.path.tree_hash()).collect();
    tree_hashes.sort();
    tree_hashes.dedup();
    let components = entries
        .iter()
        .map(|entry| (entry.key.name.to_string(), entry.key.version.clone(), entry.slot))
        .collect();
    let rustc_version = String::new();
    let mut closure =
        Closure { trees, tree_hashes, rustc_version, components, libraries, machine, c_library };
    closure.rustc_version = ask_rustc(context, collection, &entries, &closure)?;
    let bytes = serde_json::to_vec(&closure).unwrap_or_default();
    context.store.write(&note, &bytes)?;
    realised.add(inputs);
    Ok((closure, Some(realised)))
}

/// The compositions that the entries make. All slots but `cc` and `runner` are one tree for all
/// targets of the closure.
fn groups<'a>(
    context: &Context<'_>,
    collection: &'a Collection,
    entries: &[&'a Entry],
) -> Result<Vec<Group<'a>>, Error> {
    let mut groups: BTreeMap<Role, Group<'_>> = BTreeMap::new();
    // What every machine of a kind has installed is no tree.
    let is_installed =
        |entry: &Entry| entry.authenticated == Authenticated::Impure && entry.identity.is_none();
    for entry in entries.iter().filter(|entry| !is_installed(entry)) {
        let variant = variant(collection, &context.host, entry)?;
        let component =
            variant.components.iter().find(|component| component.name == entry.key.name);
        let role = Role {
            slot: entry.slot,
            target: role_target(entry),
            recipe: role_recipe(entry),
            tree: match component {
                Some(component) => component.tree,
                None if sysroot_packages::is(entry) => sysroot_packages::tree_role(variant),
                None => TreeRole::default(),
            },
        };
        let group = groups.entry(role.clone());
        let group = group.or_insert_with(|| Group::new(role, &variant.provides));
        group.has_packages |= sysroot_packages::is(entry);
        if entry.derivation.is_some() {
            group.derived.push(entry);
        } else {
            group.artifacts.extend(&entry.artifacts);
        }
    }
    Ok(groups.into_values().collect())
}

/// The target of the trees that an entry becomes part of.
pub fn role_target(entry: &Entry) -> Option<RustTriple> {
    entry.key.target.clone().filter(|_| matches!(entry.slot, Slot::Cc | Slot::Runner))
}

/// The recipe of the trees that an entry becomes part of, where the slot has several.
pub fn role_recipe(entry: &Entry) -> Option<Name> {
    (entry.slot == Slot::HostTools).then(|| entry.recipe.clone())
}

/// The recipe variant that an entry came from.
pub fn variant<'a>(
    collection: &'a Collection,
    host: &RustTriple,
    entry: &Entry,
) -> Result<&'a Variant, Error> {
    let selected = collection.get(entry.recipe.as_str()).ok_or_else(|| Error::RecipeGone {
        recipe: entry.recipe.clone(),
        entry: entry.key.clone(),
    })?;
    Ok(selected.recipe.variant(host)?)
}

fn key(context: &Context<'_>, groups: &[Group<'_>], machine: Option<&MachineRust>) -> Blake3 {
    let mut key = KeyHasher::new("closure/1");
    // The note names directories of this store, which may be the copy of another.
    key.part(context.store.layout().root().as_os_str().as_encoded_bytes());
    key.part(context.host.as_str());
    key.part(relocation::VERSION.to_le_bytes());
    if let Some(MachineRust { sysroot, identity, .. }) = machine {
        key.part("machine").part(sysroot.as_os_str().as_encoded_bytes()).part(identity.as_bytes());
    }
    if c_library::is_missing(&context.host) {
        key.part("on a C library of the store's");
    }
    // Rust, cargo and the rest are told apart by what they are made of.
    for group in groups {
        key.part(group.role.slot.as_str());
        key.part(group.role.target.as_ref().map_or("", RustTriple::as_str));
        key.part([group.role.tree as u8]);
        if let Some(recipe) = &group.role.recipe {
            key.part(recipe.as_str());
        }
        for path in group.omit {
            key.part(path);
        }
        for artifact in &group.artifacts {
            key.part(artifact.sha256.as_bytes());
            key.part(artifact.unpack.strip.to_le_bytes());
            key.part(artifact.unpack.keep.as_deref().unwrap_or_default());
            // A lock that says what was unpacked is to be heard, whatever is remembered.
            key.part(artifact.tree.map(|tree| tree.to_string()).unwrap_or_default());
        }
        for entry in &group.derived {
            let version = derive::version();
            key.part(version.as_bytes()).part(entry.key.to_string());
            let tree = entry.derivation.and_then(|derivation| derivation.tree);
            key.part(tree.map(|tree| tree.to_string()).unwrap_or_default());
            for artifact in &entry.artifacts {
                key.part(artifact.sha256.as_bytes());
            }
        }
    }
    key.finish()
}

/// Asks the pinned rustc itself, which also shows that it runs on this machine.
fn ask_rustc(
    context: &Context<'_>,
    collection: &Collection,
    entries: &[&Entry],
    closure: &Closure,
) -> Result<String, Error> {
    let entry = entries.iter().find(|entry| entry.slot == Slot::Rust);
    let tree = closure.tree(Slot::Rust, None, TreeRole::Main);
    let (Some(entry), Some(tree)) = (entry, tree) else { return Err(Error::NoSlot(Slot::Rust)) };
    let tools = &variant(collection, &context.host, entry)?.provides.tools;
    let program = tree.join(tools.get("rustc").map_or("rustc", |tool| tool.program.as_str()));
    let output = hermetic_command(&program)
        .arg("-vV")
        .output()
        .map_err(|source| Error::Unusable { program: program.clone(), said: source.to_string() })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Unusable { program, said });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
