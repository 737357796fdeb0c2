//! Whether a target's programs are linked by a linker alone where the settings do not say
//! (decision 0004). No network, and nothing of this machine: the same project is the same choice.

use super::asks_for_c::{Need, need};
use super::context::Context;
use super::error::Error;
use super::ground::Ground;
use super::project::Project;
use super::request::Wanted;
use crate::lockfile::Lockfile;
use crate::recipe::{Collection, Origin, Slot};
use crate::settings::{Choice, Linker, Settings};
use crate::vocab::event::Event;
use crate::vocab::triple::{RustTriple, TargetRequest};

/// The settings, with lld alone for the musl targets of a project in which no crate asks for C. A
/// lock that has a C toolchain for a target keeps it, and no host is given up for the choice.
pub fn with_linker(
    context: &Context<'_>,
    project: &Project,
    settings: Settings,
    collection: &Collection,
    targets: &[RustTriple],
    lock: Option<&Lockfile>,
) -> Result<Settings, Error> {
    let is_open = |target: &&RustTriple| is_open(&settings, collection, lock, target);
    let open: Vec<&RustTriple> = targets.iter().filter(is_open).collect();
    if open.is_empty() || need(context.ambient, project)? != Need::None {
        return Ok(settings);
    }
    let mut alone = settings.clone();
    for target in open {
        alone.target.entry(target.clone()).or_default().linker = Some(Linker::Lld);
    }
    let hosts = |settings: &Settings| {
        Wanted::new(settings, collection, &context.host, targets).map(|wanted| wanted.hosts)
    };
    match (hosts(&settings), hosts(&alone)) {
        (Ok(before), Ok(after)) if before == after => Ok(alone),
        // Where there is no recipe of a C toolchain at all, it is no loss.
        (Err(_), Ok(_)) => Ok(alone),
        _ => Ok(settings),
    }
}

/// Whether nobody has said what links for the target: neither settings nor a recipe of the
/// project's own, nor a lock that has a C toolchain for it.
fn is_open(
    settings: &Settings,
    collection: &Collection,
    lock: Option<&Lockfile>,
    target: &RustTriple,
) -> bool {
    let own = settings.target(target);
    let serving = |origin: fn(&Origin) -> bool| {
        let mut of_slot = collection.iter().filter(|of| of.recipe.slot == Slot::Cc);
        of_slot.any(|of| origin(of.origin) && of.recipe.serves(target))
    };
    let lld = collection.get(Linker::Lld.as_str());
    let locked = lock.and_then(|lock| locked(lock, target));
    target.is_musl()
        && own.linker.is_none()
        && own.linked_by() == Choice::default()
        && own.packages.is_empty()
        && lld.is_some_and(|lld| lld.recipe.serves(target))
        && !serving(|origin| *origin != Origin::BuiltIn)
        && locked.is_none_or(|recipe| recipe == Linker::Lld.as_str())
}

/// The recipe that a lock has for the target's C toolchain.
fn locked<'a>(lock: &'a Lockfile, target: &RustTriple) -> Option<&'a str> {
    let recipes = &lock.request.recipes;
    let cc = recipes.iter().find(|of| of.slot == Slot::Cc && of.target.as_ref() == Some(target));
    cc.map(|of| of.recipe.as_str())
}

/// Whether the target has lld alone in the lock, and not because the settings say so.
fn is_by_itself(project: &Project, lock: &Lockfile, target: &RustTriple) -> bool {
    project.settings.target(target).linker.is_none()
        && locked(lock, target) == Some(Linker::Lld.as_str())
}

/// Why a lock has lld alone no longer rightly, one sentence for all of its targets.
pub fn outgrown(
    context: &Context<'_>,
    project: &Project,
    lock: &Lockfile,
) -> Result<Option<String>, Error> {
    let of_lock = |target: &&RustTriple| is_by_itself(project, lock, target);
    let Some(target) = lock.request.targets.iter().find(of_lock) else { return Ok(None) };
    Ok(match need(context.ambient, project)? {
        Need::C { krate, tool } => Some(format!(
            "crate `{krate}` asks for C (`{tool}`), and the lock has lld alone for `{target}`"
        )),
        Need::Unknown => {
            Some(format!("Cargo.lock is gone, and the lock has lld alone for `{target}`"))
        }
        Need::None => None,
    })
}

/// Whether what was made for a target has lld alone by itself, and a crate asks for C now.
pub fn is_outgrown(
    context: &Context<'_>,
    project: &Project,
    target: &TargetRequest,
    ground: &Ground,
) -> Result<bool, Error> {
    let target = &target.triple;
    let alone = ground.tools.target.linker.is_some();
    Ok(alone
        && project.settings.target(target).linked_by() == Choice::default()
        && need(context.ambient, project)? != Need::None)
}

/// Says which targets have no C toolchain although nobody wrote so.
pub fn say(context: &Context<'_>, project: &Project, wanted: &Wanted<'_>) {
    for demand in &wanted.demands {
        if let (Slot::Cc, Some(target)) = (demand.slot, &demand.target)
            && demand.selected.recipe.name.as_str() == Linker::Lld.as_str()
            && project.settings.target(target).linked_by() == Choice::default()
        {
            context.observer.event(Event::Note(format!(
                "no crate asks for C, so lld alone links for {target}; `linker = \"cc\"` in \
                 [workspace.metadata.xprov.target.{target}] takes a C toolchain"
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "aarch64-unknown-linux-musl";

    fn open(settings: &str, recipes: &[(String, String)], lock: Option<&str>) -> bool {
        let collection = Collection::load(recipes).expect("recipes");
        let text = format!("[workspace.metadata.xprov.target.{TARGET}]\n{settings}\n");
        let settings = Settings::parse("Cargo.toml", &text).expect("settings");
        let lock = lock.map(|recipe| {
            let text = format!(
                "version = 1\n[request]\nhosts = []\ntargets = []\nrecipes = [{{ slot = \"cc\", \
                 target = \"{TARGET}\", recipe = \"{recipe}\" }}]\n"
            );
            Lockfile::parse("l", &text).expect("a lock")
        });
        is_open(&settings, &collection, lock.as_ref(), &TARGET.parse().expect("a triple"))
    }

    #[test]
    fn what_somebody_said_is_not_chosen_anew() {
        assert!(open("", &[], None));
        assert!(open("baseline = \"armv8-a\"", &[], Some("lld")));
        assert!(!open("", &[], Some("gcc-aarch64-linux-musl")));
        for line in [
            "linker = \"cc\"",
            "linker = \"lld\"",
            "cc = { recipe = \"musl-cross\" }",
            "packages = [\"zlib1g-dev\"]",
        ] {
            assert!(!open(line, &[], None), "{line}");
        }
        let own = format!(
            "schema = 1\nname = \"own\"\nsummary = \"s\"\nslot = \"cc\"\ntargets = \
             [\"{TARGET}\"]\n[[variant]]\nhosts = [\"x86_64-unknown-linux-gnu\"]\n\
             [[variant.component]]\nname = \"cc\"\nruns = \"on-host\"\n\
             [[variant.component.artifact]]\nversion = \"1\"\nurls = [\"https://a.example/a\"]\n\
             sha256 = \"{}\"\nstatus = \"confirmed\"\n",
            crate::vocab::digest::Sha256::of(b"own")
        );
        assert!(!open("", &[("recipes/own.toml".to_owned(), own)], None));
    }
}
