//! What a project asks for: recipes for each slot, from settings and command line.

use std::collections::BTreeSet;

use super::error::Error;
use super::sysroot_packages;
use crate::lockfile::{Request, RequestedRecipe};
use crate::recipe::{Collection, Origin, Selected, Slot};
use crate::settings::{Choice, Settings};
use crate::vocab::name::Name;
use crate::vocab::triple::RustTriple;

/// A slot that is to be filled.
#[derive(Debug, Clone)]
pub struct Demand<'a> {
    /// The slot.
    pub slot: Slot,
    /// The target; `None` for slots that serve all targets at once.
    pub target: Option<RustTriple>,
    /// The tool, for `host-tools`.
    pub tool: Option<Name>,
    /// The recipe that fills it.
    pub selected: Selected<'a>,
    /// The version asked for.
    pub version: Option<String>,
    /// The components asked for beside those that are always there.
    pub components: BTreeSet<Name>,
    /// The Debian packages asked for to join the sysroot.
    pub packages: BTreeSet<String>,
}

/// Everything that is to be locked.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// For which hosts.
    pub hosts: Vec<RustTriple>,
    /// For which targets, without those that are only hosts.
    pub targets: Vec<RustTriple>,
    /// The slots, in the order of the lock.
    pub demands: Vec<Demand<'a>>,
}

impl<'a> Wanted<'a> {
    /// Chooses recipes for `targets` on the settings' hosts. Where the settings name none, the
    /// hosts are those that every chosen recipe serves, `here` in any case.
    pub fn new(
        settings: &Settings,
        collection: &'a Collection,
        here: &RustTriple,
        targets: &[RustTriple],
    ) -> Result<Self, Error> {
        let mut targets = targets.to_vec();
        targets.sort();
        targets.dedup();
        let declared = settings.hosts.clone();
        let mut hosts =
            declared.unwrap_or_else(|| served_hosts(settings, collection, here, &targets));
        hosts.sort();
        hosts.dedup();
        let demands = demands(settings, collection, &hosts, &targets)?;
        for demand in &demands {
            sysroot_packages::check(demand)?;
            for host in hosts.iter().filter(|host| demand.is_for(host)) {
                demand.selected.recipe.variant(host)?;
            }
        }
        Ok(Self { hosts, targets, demands })
    }

    /// The request as the lock records it.
    pub fn request(&self) -> Request {
        let recipes = self
            .demands
            .iter()
            .map(|demand| RequestedRecipe {
                slot: demand.slot,
                target: demand.target.clone(),
                tool: demand.tool.clone(),
                recipe: demand.selected.recipe.name.clone(),
                version: demand.version.clone(),
                components: demand.components.clone(),
                packages: demand.packages.clone(),
                digest: match demand.selected.origin {
                    Origin::BuiltIn => None,
                    Origin::Project { .. } => Some(demand.selected.recipe.resolution_digest()),
                },
            })
            .collect();
        Request { hosts: self.hosts.clone(), targets: self.targets.clone(), recipes }
    }
}

impl Demand<'_> {
    /// Whether `host` needs this slot: an emulator is of use only where programs are foreign.
    pub fn is_for(&self, host: &RustTriple) -> bool {
        self.slot != Slot::Runner
            || self.target.as_ref().is_some_and(|target| needs_runner(host, target))
    }
}

/// Whether programs of `target` need an emulator on `host`.
pub fn needs_runner(host: &RustTriple, target: &RustTriple) -> bool {
    host.arch() != target.arch() && host.is_linux() && target.is_linux()
}

fn demands<'a>(
    settings: &Settings,
    collection: &'a Collection,
    hosts: &[RustTriple],
    targets: &[RustTriple],
) -> Result<Vec<Demand<'a>>, Error> {
    let mut demands = Vec::new();
    let mut demand =
        |slot, target: Option<&RustTriple>, for_target: &RustTriple, choice: &Choice| {
            let selected = collection.select(slot, for_target, choice)?;
            demands.push(Demand {
                slot,
                target: target.cloned(),
                tool: None,
                selected,
                version: choice.version.clone(),
                components: choice.components.clone(),
                packages: BTreeSet::new(),
            });
            Ok::<(), Error>(())
        };
    // Build scripts and proc-macros need a compiler for each host.
    let mut compiled: Vec<&RustTriple> = targets.iter().chain(hosts).collect();
    compiled.sort();
    compiled.dedup();
    for target in &compiled {
        // Asked for each target, although one recipe fills the slot: it must know them all.
        collection.select(Slot::Rust, target, &settings.rust)?;
    }
    if let Some(first) = compiled.first() {
        demand(Slot::Rust, None, first, &settings.rust)?;
    }
    for target in &compiled {
        demand(Slot::Cc, Some(target), target, &settings.target(target).cc)?;
    }
    for target in targets {
        if hosts.iter().any(|host| needs_runner(host, target)) {
            demand(Slot::Runner, Some(target), target, &settings.target(target).runner)?;
        }
    }
    if let Some(first) = hosts.first() {
        demand(Slot::Tools, None, first, &settings.tools)?;
    }
    sysroot_packages::ask(settings, &mut demands);
    for (tool, choice) in settings.host_tools.asked() {
        demands.push(Demand {
            slot: Slot::HostTools,
            target: None,
            tool: Some(tool.clone()),
            selected: collection.select_tool(tool, choice)?,
            version: choice.version.clone(),
            components: choice.components.clone(),
            packages: BTreeSet::new(),
        });
    }
    Ok(demands)
}

/// The hosts that all recipes serve which `here` would choose.
fn served_hosts(
    settings: &Settings,
    collection: &Collection,
    here: &RustTriple,
    targets: &[RustTriple],
) -> Vec<RustTriple> {
    let mut hosts = vec![here.clone()];
    let Ok(chosen) = demands(settings, collection, &hosts, targets) else { return hosts };
    let Some(rust) = chosen.first() else { return hosts };
    for host in rust.selected.recipe.hosts().filter(|host| *host != here) {
        let Ok(demands) = demands(settings, collection, std::slice::from_ref(host), targets) else {
            continue;
        };
        let served = demands
            .iter()
            .all(|demand| !demand.is_for(host) || demand.selected.recipe.variant(host).is_ok());
        if served {
            hosts.push(host.clone());
        }
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_asks_for_the_same() {
        let triple = |text: &str| -> RustTriple { text.parse().expect("a triple") };
        let collection = Collection::load(&[]).expect("the built-in recipes");
        let targets = ["armv7-unknown-linux-gnueabihf", "aarch64-unknown-linux-gnu"].map(triple);
        let from = |host: &str| {
            Wanted::new(&Settings::default(), &collection, &triple(host), &targets)
                .expect("all is served")
                .request()
        };
        let request = from("x86_64-unknown-linux-gnu");
        assert_eq!(request, from("aarch64-unknown-linux-gnu"));
        assert_eq!(request.hosts.len(), 2);
    }
}
