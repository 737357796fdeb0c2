//! A program: what the environment starts under its name, which package that is of, and what of
//! the name is on the user's PATH and is not used.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Answer, Layer, Scene, Sort, Standing};
use crate::lockfile::Entry;
use crate::ops::closure::{role_recipe, role_target};
use crate::ops::error::Error;
use crate::ops::{lock, realise};
use crate::shim::Kind;

/// The answer, if the environment or the user has such a program.
pub fn answer(scene: &Scene<'_>, name: &str) -> Result<Option<Answer>, Error> {
    // A path, or nothing that a PATH could have.
    if name.is_empty() || name.contains('/') {
        return Ok(None);
    }
    let tools = &scene.ground.tools;
    let bin = scene.environment.plan.bin_dir();
    let mut layers = unused(scene, name);
    let mut value = None;
    if let Some(tool) = tools.shims.get(name) {
        let starts = match (&tool.program, tool.kind) {
            (Some(program), _) => program.display().to_string(),
            (None, Kind::Cargo) => "xprov's own cargo: `xprov cargo`".to_owned(),
            (None, _) => "its first argument".to_owned(),
        };
        let at = bin.join(name).display().to_string();
        layers.push(
            Layer::new(Standing::Wins, "the environment", at)
                .because(format!("a shim, which starts {starts}")),
        );
        for (what, arguments) in [("before", &tool.before), ("after", &tool.after)] {
            if !arguments.is_empty() {
                let who = format!("arguments {what} the caller's");
                layers.push(Layer::new(Standing::Tells, who, arguments.join(" ")));
            }
        }
        if let Some(program) = &tool.program {
            layers.extend(package(scene, program)?);
        }
        value = Some(starts);
    } else if let Some(program) = tools.links.get(name) {
        let at = bin.join(name).display().to_string();
        let starts = program.display().to_string();
        layers.push(Layer::new(Standing::Wins, "the environment", at).because("a link"));
        layers.extend(package(scene, program)?);
        value = Some(starts);
    } else if !layers.is_empty() {
        let says = format!("has no `{name}`");
        layers.push(Layer::new(Standing::Tells, "the environment", says));
    }
    if layers.is_empty() {
        return Ok(None);
    }
    Ok(Some(Answer { sort: Sort::Tool, value, layers }))
}

/// Programs of the name on the user's PATH, in its order.
fn unused(scene: &Scene<'_>, name: &str) -> Vec<Layer> {
    let bin = scene.environment.plan.bin_dir();
    let mut seen = BTreeSet::new();
    let path = scene.context.ambient.search_path().into_iter();
    let found = path
        .filter(|dir| *dir != bin)
        // `/bin` may be a link to `/usr/bin`.
        .filter(|dir| seen.insert(dir.canonicalize().unwrap_or_else(|_| dir.clone())))
        .map(|dir| dir.join(name))
        .filter(|path| path.is_file());
    let layers = found.map(|path| {
        Layer::new(Standing::Dropped, "your PATH", path.display().to_string())
            .because("builds have the environment's bin alone on their PATH")
    });
    layers.collect()
}

/// The locked package that a program of a composed tree is of.
fn package(scene: &Scene<'_>, program: &Path) -> Result<Vec<Layer>, Error> {
    let compositions = scene.context.store.layout().compositions_dir();
    let Ok(below) = program.strip_prefix(&compositions) else { return Ok(Vec::new()) };
    let mut parts = below.components();
    let name = parts.next().map(|part| part.as_os_str().to_string_lossy()).unwrap_or_default();
    let label = name.split_once('-').map_or("", |(_, label)| label);
    let Some((lock, _)) = lock::read(scene.context, scene.project)? else { return Ok(Vec::new()) };
    let entries = lock.entries_for(&scene.context.host, scene.target);
    let mut layers = Vec::new();
    for entry in entries.filter(|entry| slot_label(entry) == label) {
        if let Some(identity) = entry.identity.as_ref().filter(|_| is_link(program)) {
            let says = format!("{}, impure: {identity}", entry.key);
            let place = program.canonicalize().unwrap_or_else(|_| program.to_path_buf());
            let layer = Layer::new(Standing::Tells, "toolchains.lock", says);
            layers.push(layer.because(format!("this machine's own, {}", place.display())));
        }
        for artifact in &entry.artifacts {
            let Some(object) = realise::find(scene.context, artifact)? else { continue };
            if std::fs::symlink_metadata(object.dir.join(parts.as_path())).is_ok() {
                let says = format!("{} {}, of {}", artifact.name, artifact.version, entry.key);
                layers.push(
                    Layer::new(Standing::Tells, "toolchains.lock", says)
                        .because(format!("unpacked in {}", object.dir.display())),
                );
            }
        }
    }
    Ok(layers)
}

/// Whether a program of a tree is a link, as those to the machine's are.
fn is_link(program: &Path) -> bool {
    std::fs::symlink_metadata(program).is_ok_and(|file| file.is_symlink())
}

/// What the compositions of an entry's slot are called.
fn slot_label(entry: &Entry) -> String {
    let slot = entry.slot.as_str();
    match (role_target(entry), role_recipe(entry)) {
        (Some(target), _) => format!("{slot}-{}", target.tool_prefix()),
        (None, Some(recipe)) => format!("{slot}-{recipe}"),
        (None, None) => slot.to_owned(),
    }
}
