//! What comes before any build of a project for a target: composed trees and the programs in them.
//!
//! What the project's files came to is remembered under a key of them all, so that a warm command
//! parses neither the lock nor a recipe.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::c_library;
use super::closure::{Closure, closure};
use super::context::Context;
use super::derive;
use super::error::Error;
use super::inputs::inputs;
use super::lock;
use super::mac::Mac;
use super::project::Project;
use super::restore::places;
use super::sysroot_packages::Library;
use super::system_rust;
use super::toolset::{Filled, Toolset, filled};
use crate::hermetic::inputs::PinnedInput;
use crate::recipe::{Slot, builtin_digest};
use crate::sys::fs::{read_optional, read_text};
use crate::vocab::digest::{Blake3, KeyHasher, TreeHash};
use crate::vocab::event::Event;
use crate::vocab::triple::RustTriple;

/// What is needed before crates can be fetched.
pub struct Ground {
    /// The programs.
    pub tools: Toolset,
    /// The inputs of the settings.
    pub inputs: Vec<PinnedInput>,
    /// The tree hashes of all objects, sorted.
    pub tree_hashes: Vec<TreeHash>,
    /// What the lock's entries are called: (name, version, slot).
    pub components: Vec<(String, String, Slot)>,
    /// The shared libraries that the sysroot's packages bring.
    pub libraries: Vec<Library>,
    /// What the machine itself brings, where that is a Mac.
    pub mac: Option<Mac>,
}

/// What is remembered.
#[derive(Serialize, Deserialize)]
struct Note {
    closure: Closure,
    filled: Vec<Filled>,
}

/// Locks, realises and composes what `target` needs.
pub fn ground(
    context: &Context<'_>,
    project: &Project,
    target: &RustTriple,
) -> Result<Ground, Error> {
    // A project's own recipes are said aloud each time, so they are read each time.
    let memorable = project.recipes()?.is_empty();
    let system = system_rust::is_asked(&project.settings)
        .then(|| system_rust::find(context, project))
        .transpose()?;
    let system = system.map(|rust| rust.key(target)).transpose()?;
    let mac = Mac::of(context)?;
    let of_machine = OfMachine { system: system.as_ref(), mac: mac.as_ref() };
    let note = match remembered(context, project, of_machine, target)?.filter(|_| memorable) {
        Some(note) => note,
        None => make(context, project, of_machine, target, memorable)?,
    };
    if let Some(mac) = &mac {
        mac.announce(context);
    }
    let mut tools = Toolset::new(&context.host, target, &note.filled, &note.closure.rustc_version)?;
    let Closure { mut tree_hashes, components, libraries, machine, c_library, .. } = note.closure;
    if let Some(machine) = &machine {
        system_rust::announce(context, &machine.says, &machine.sysroot);
    }
    tools.rust.machine = machine;
    c_library::start_on(&mut tools, c_library.as_ref(), &context.host, target);
    let inputs = inputs(context, project)?;
    tree_hashes.extend(inputs.tree_hashes);
    tree_hashes.sort();
    tree_hashes.dedup();
    Ok(Ground { tools, inputs: inputs.pinned, tree_hashes, components, libraries, mac })
}

/// What the machine itself brings, and a note of what was made is named by.
#[derive(Debug, Clone, Copy, Default)]
struct OfMachine<'a> {
    system: Option<&'a Blake3>,
    mac: Option<&'a Mac>,
}

fn remembered(
    context: &Context<'_>,
    project: &Project,
    of_machine: OfMachine<'_>,
    target: &RustTriple,
) -> Result<Option<Note>, Error> {
    let Some(lock_text) = read_text(&project.lock_path())? else { return Ok(None) };
    let bytes = read_optional(&path(context, project, of_machine, target, &lock_text)?)?;
    let note = bytes.and_then(|bytes| serde_json::from_slice::<Note>(&bytes).ok());
    Ok(note.filter(|note| note.closure.exists()))
}

fn make(
    context: &Context<'_>,
    project: &Project,
    of_machine: OfMachine<'_>,
    target: &RustTriple,
    memorable: bool,
) -> Result<Note, Error> {
    let collection = lock::collection(context, project)?;
    let (lock, lock_text) =
        lock::current(context, project, &collection, std::slice::from_ref(target))?;
    let bases = || places(context, project, &collection, &lock);
    let (closure, realised) = closure(context, project, &collection, &lock, target, &bases)?;
    if let Some(realised) = realised.filter(|realised| realised.fetched > 0) {
        let (objects, megabytes) = (realised.objects.len(), realised.fetched_bytes / 1_000_000);
        let reused = objects - realised.fetched;
        let subject = format!("{objects} objects: {megabytes} MB downloaded, {reused} reused");
        context.observer.event(Event::Step { verb: "Restored", subject });
    }
    let mut filled =
        filled(&collection, &context.host, lock.entries_for(&context.host, target), &closure)?;
    if let Some(mac) = of_machine.mac {
        let entries = lock.entries_for(&context.host, target);
        filled.extend(mac.filled(&collection, &context.host, entries)?);
    }
    let note = Note { closure, filled };
    if memorable {
        let bytes = serde_json::to_vec(&note).unwrap_or_default();
        let place = path(context, project, of_machine, target, &lock_text)?;
        context.store.write(&place, &bytes)?;
    }
    Ok(note)
}

/// The place of the note: named by all that decides what is in it.
fn path(
    context: &Context<'_>,
    project: &Project,
    of_machine: OfMachine<'_>,
    target: &RustTriple,
    lock_text: &str,
) -> Result<PathBuf, Error> {
    let mut key = KeyHasher::new("ground/3");
    // The paths in it are those of a store at this place: it may have been moved or copied.
    key.part(context.store.layout().root().as_os_str().as_encoded_bytes());
    key.part(env!("CARGO_PKG_VERSION")).part(builtin_digest().as_bytes());
    key.part(context.host.as_str()).part(target.as_str());
    if c_library::is_missing(&context.host) {
        key.part("on a C library of the store's");
    }
    // The settings are in the root manifest, or what they leave open in the toolchain's file.
    key.part(&project.root_text).part(&project.toolchain.text).part(lock_text);
    key.part(derive::version().as_bytes());
    if let Some(system) = of_machine.system {
        key.part("system").part(system.as_bytes());
    }
    if let Some(mac) = of_machine.mac {
        key.part("mac").part(mac.key().as_bytes());
    }
    if target.is_musl() {
        // A crate that is added may ask for C (`linker_choice`).
        key.part(read_optional(&project.root.join("Cargo.lock"))?.unwrap_or_default());
    }
    Ok(context.store.layout().ground(&key.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::LockMode;
    use crate::ops::toolchain_file::Honoured;
    use crate::settings::Settings;
    use crate::sys::ambient::Ambient;
    use crate::vocab::event::Silent;

    #[test]
    fn settings_lock_and_target_each_name_another_note() {
        let ambient = Ambient {
            variables: [("XPROV_HOME".to_owned(), "/x".to_owned())].into(),
            shell_cwd: "/".into(),
            cwd: PathBuf::new(),
            executable: PathBuf::new(),
            stderr_is_terminal: false,
            stdout_is_terminal: false,
        };
        let context = Context::new(&ambient, &Silent, LockMode::default()).expect("a context");
        let name = |root_text: &str, target: &str, lock_text: &str, toolchain: &str| {
            let text = toolchain.to_owned();
            let project = Project {
                manifest: PathBuf::new(),
                root: PathBuf::new(),
                settings: Settings::default(),
                root_text: root_text.to_owned(),
                toolchain: Honoured { text, ..Honoured::default() },
            };
            let target = target.parse().expect("a triple");
            path(&context, &project, OfMachine::default(), &target, lock_text).expect("a path")
        };
        let (arm, intel) = ("aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu");
        let first = name("a", arm, "b", "");
        assert_eq!(first, name("a", arm, "b", ""));
        assert!(first.starts_with("/x/v1/grounds"));
        for (root_text, target, lock_text, toolchain) in [
            ("a ", arm, "b", ""),
            ("a", intel, "b", ""),
            ("a", arm, "b\n", ""),
            ("a", arm, "b", "c"),
        ] {
            assert_ne!(name(root_text, target, lock_text, toolchain), first);
        }
    }
}
