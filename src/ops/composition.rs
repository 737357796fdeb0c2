//! Compositions: the objects of a slot joined into one directory of the store, side by side where
//! there are several.

use std::collections::{BTreeMap, BTreeSet};
use std::panic;
use std::path::{Path, PathBuf};
use std::thread;

use super::closure::Role;
use super::context::Context;
use super::error::Error;
use super::host_fit::{self, Machine};
use crate::compose::merge::{Layer, Merged};
use crate::compose::relocation::CLibrary;
use crate::compose::{link, relocation};
use crate::recipe::{Provides, TreeRole};
use crate::store::Object;
use crate::sys::fs::create_dir;
use crate::tree::Tree;
use crate::vocab::digest::{Blake3, KeyHasher};
use crate::vocab::event::Event;
use crate::vocab::relpath::RelPath;

/// A directory that is to be.
pub struct Composition<'a> {
    role: Role,
    omit: &'a [String],
    objects: Vec<&'a Object>,
    links: Vec<(String, String)>,
    checked: Option<Provides>,
    c_library: Option<&'a CLibrary>,
    name: String,
    dir: PathBuf,
}

impl<'a> Composition<'a> {
    /// The composition of `objects` without the paths in `omit` and with `links` (path, target);
    /// named by all that goes into it. One for every target is not named for the role's.
    pub fn new(
        context: &Context<'_>,
        role: Role,
        omit: &'a [String],
        every_target: bool,
        mut objects: Vec<&'a Object>,
        links: Vec<(String, String)>,
    ) -> Self {
        objects.sort_by(|a, b| a.path.cmp(&b.path));
        objects.dedup();
        let mut id = KeyHasher::new("composition/1");
        id.part(context.host.as_str()).part(relocation::VERSION.to_le_bytes());
        for object in &objects {
            id.part(object.path.tree_hash().as_bytes());
        }
        id.part([u8::from(role.tree == TreeRole::Sysroot)]);
        for path in omit {
            id.part(path);
        }
        for (path, target) in &links {
            id.part(path).part(target);
        }
        // 32 hexadecimal digits keep the paths short that end up in linker commands; 128 bits of
        // BLAKE3 do not collide by accident.
        let named = if every_target { Role { target: None, ..role.clone() } } else { role.clone() };
        let name = format!("{}-{}", &id.finish().to_string()[..32], label(&named));
        let dir = context.store.layout().compositions_dir().join(&name);
        Self { role, omit, objects, links, checked: None, c_library: None, name, dir }
    }

    /// The same with programs that are started by a C library of the store's, if one is given.
    #[must_use]
    pub fn on(self, context: &Context<'_>, c_library: Option<&'a CLibrary>) -> Self {
        let Some(library) = c_library.filter(|_| self.role.tree == TreeRole::Main) else {
            return self;
        };
        let mut id = KeyHasher::new("composition/1 on a C library");
        id.part(&self.name).part(library.loader.as_os_str().as_encoded_bytes());
        // What it is called stays: a composition of many targets has none in its name.
        let own = self.name.split_once('-').map_or("", |(_, own)| own);
        let name = format!("{}-{own}", &id.finish().to_string()[..32]);
        let dir = context.store.layout().compositions_dir().join(&name);
        Self { c_library, name, dir, ..self }
    }

    /// The same, refused where the programs that `provides` names do not run on this machine.
    #[must_use]
    pub fn checked(self, provides: Provides) -> Self {
        Self { checked: Some(provides), ..self }
    }

    fn make(&self, context: &Context<'_>) -> Result<(), Error> {
        let Context { store, observer, host, .. } = context;
        let _lock = store.lock(&self.name, || {
            let what = format!("another xprov, which composes {}", label(&self.role));
            observer.event(Event::Waiting(what));
        })?;
        // While we waited, the other process may have done it.
        if self.dir.is_dir() {
            return Ok(());
        }
        let mut trees: Vec<(&str, Tree)> = Vec::new();
        for object in &self.objects {
            trees.push((object.path.label(), store.tree(&object.path)?));
        }
        let layers: Vec<Layer<'_>> =
            trees.iter().map(|(label, tree)| Layer { label, tree }).collect();
        let mut merged = Merged::new(&layers, self.omit)?;
        let staging = store.stage()?;
        let folding = context.folding(staging.dir())?;
        let left_out = merged.leave_out(folding, &layers)?;
        if let Some(example) = left_out.first() {
            observer.event(Event::Note(left_out_note(&label(&self.role), left_out.len(), example)));
        }
        for (path, target) in &self.links {
            merged.link(RelPath::parse(path.as_bytes())?, target);
        }
        let dirs: Vec<&Path> = self.objects.iter().map(|object| object.dir.as_path()).collect();
        if let Some(provides) = &self.checked
            && self.role.tree == TreeRole::Main
        {
            let machine = Machine::this(host).on(self.c_library);
            host_fit::check(&machine, &merged, &dirs, provides)?;
        }
        let root = staging.dir().join("tree");
        create_dir(&root)?;
        let relocated = match self.role.tree {
            TreeRole::Main => {
                let cache = |key: &Blake3| store.layout().relocated(key);
                create_dir(&store.layout().root().join("relocated"))?;
                relocation::relocate(&merged, &dirs, host, self.c_library, &cache)?
            }
            TreeRole::Sysroot => BTreeMap::new(),
        };
        link::build(&merged, &dirs, &relocated, &root)?;
        staging.publish(&root, &self.dir)?;
        Ok(())
    }
}

/// Makes the compositions that are not there yet, each on a thread of its own, and says where all
/// of them are.
pub fn compose(
    context: &Context<'_>,
    compositions: Vec<Composition<'_>>,
) -> Result<Vec<(Role, PathBuf)>, Error> {
    // One for many targets is made once.
    let mut met = BTreeSet::new();
    let is_missing = |of: &&Composition<'_>| !of.dir.is_dir() && met.insert(of.dir.clone());
    let missing: Vec<&Composition<'_>> = compositions.iter().filter(is_missing).collect();
    for composition in &missing {
        let subject = label(&composition.role);
        context.observer.event(Event::Step { verb: "Composing", subject });
    }
    thread::scope(|scope| {
        let threads: Vec<_> = missing
            .iter()
            .map(|composition| scope.spawn(move || composition.make(context)))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
        })
    })?;
    Ok(compositions.into_iter().map(|composition| (composition.role, composition.dir)).collect())
}

/// What is said where a disk does not get everything.
pub fn left_out_note(what: &str, count: usize, example: &RelPath) -> String {
    format!(
        "{what}: {count} files are left out, since this disk, which ignores case, takes their names \
         for those of others, such as `{example}`; a store on a disk that does not has them \
         (docs/macos.md)"
    )
}

fn label(role: &Role) -> String {
    let mut label = role.slot.as_str().to_owned();
    if let Some(target) = &role.target {
        label.push('-');
        label.push_str(&target.tool_prefix());
    }
    if let Some(recipe) = &role.recipe {
        label.push('-');
        label.push_str(recipe.as_str());
    }
    if role.tree == TreeRole::Sysroot {
        label.push_str("-sysroot");
    }
    label
}
