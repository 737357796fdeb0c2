//! What a project asks for: recipes for each slot, from settings and command line.

use std::collections::BTreeSet;

use super::error::Error;
use super::resolve::is_version;
use super::rust_choice;
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
    /// The host, where hosts have different recipes; `None`: all of them.
    pub host: Option<RustTriple>,
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
                host: demand.host.clone(),
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
    /// Whether `host` needs this slot filled so: an emulator is of use only where programs are
    /// foreign.
    pub fn is_for(&self, host: &RustTriple) -> bool {
        let foreign = || self.target.as_ref().is_some_and(|target| needs_runner(host, target));
        self.host.as_ref().is_none_or(|own| own == host) && (self.slot != Slot::Runner || foreign())
    }

    /// Whether its recipe serves `host`; of a tool whose pins stand in the recipe, in the version
    /// that is asked for. What an index has is not known before it is read.
    fn serves(&self, host: &RustTriple) -> bool {
        let Ok(variant) = self.selected.recipe.variant(host) else { return false };
        let Some(version) = self.version.as_ref().filter(|_| self.tool.is_some()) else {
            return true;
        };
        variant.components.iter().all(|component| {
            (component.artifacts.is_empty() && component.machine.is_none())
                || component.artifacts.iter().any(|artifact| {
                    artifact.host.as_ref().is_none_or(|own| own == host)
                        && is_version(version, &artifact.version)
                })
        })
    }
}

/// Whether programs of `target` need an emulator on `host`. Linux on x86-64 runs 32-bit programs.
pub fn needs_runner(host: &RustTriple, target: &RustTriple) -> bool {
    let runs = host.arch() == target.arch() || (host.arch(), target.arch()) == ("x86_64", "i686");
    !runs && host.is_linux() && target.is_linux()
}

fn demands<'a>(
    settings: &Settings,
    collection: &'a Collection,
    hosts: &[RustTriple],
    targets: &[RustTriple],
) -> Result<Vec<Demand<'a>>, Error> {
    let mut demands = Vec::new();
    let mut demand = |slot,
                      target: Option<&RustTriple>,
                      for_target: &RustTriple,
                      choice: &Choice,
                      hosts: &[RustTriple]| {
        for (host, selected) in on_hosts(collection, slot, for_target, hosts, choice)? {
            demands.push(Demand {
                slot,
                target: target.cloned(),
                tool: None,
                host,
                selected,
                version: choice.version.clone(),
                components: choice.components.clone(),
                packages: BTreeSet::new(),
            });
        }
        Ok::<(), Error>(())
    };
    // Build scripts and proc-macros need a compiler for each host.
    let mut compiled: Vec<&RustTriple> = targets.iter().chain(hosts).collect();
    compiled.sort();
    compiled.dedup();
    let rust = rust_choice::choice(settings, collection, hosts, &compiled);
    for target in &compiled {
        // Asked for each target, although one recipe fills the slot: it must know them all.
        collection.select(Slot::Rust, target, hosts, &rust)?;
    }
    if let Some(first) = compiled.first() {
        demand(Slot::Rust, None, first, &rust, hosts)?;
    }
    for target in &compiled {
        // A C compiler for a machine that is only a host is needed on that machine only.
        let asked = targets.contains(target);
        let on: Vec<RustTriple> =
            hosts.iter().filter(|host| asked || host == target).cloned().collect();
        demand(Slot::Cc, Some(target), target, &settings.target(target).linked_by(), &on)?;
    }
    for target in targets {
        let on: Vec<RustTriple> =
            hosts.iter().filter(|host| needs_runner(host, target)).cloned().collect();
        demand(Slot::Runner, Some(target), target, &settings.target(target).runner, &on)?;
    }
    if let Some(first) = hosts.first() {
        demand(Slot::Tools, None, first, &settings.tools, hosts)?;
    }
    sysroot_packages::ask(settings, &mut demands);
    for (tool, choice) in settings.host_tools.asked() {
        demands.push(Demand {
            slot: Slot::HostTools,
            target: None,
            tool: Some(tool.clone()),
            host: None,
            selected: collection.select_tool(tool, choice)?,
            version: choice.version.clone(),
            components: choice.components.clone(),
            packages: BTreeSet::new(),
        });
    }
    Ok(demands)
}

/// The recipes that fill a slot: one for all hosts where one is first on each of them, else one for
/// each host. All hosts of a lock have one Rust.
fn on_hosts<'a>(
    collection: &'a Collection,
    slot: Slot,
    target: &RustTriple,
    hosts: &[RustTriple],
    choice: &Choice,
) -> Result<Vec<(Option<RustTriple>, Selected<'a>)>, Error> {
    if slot == Slot::Rust {
        return Ok(vec![(None, collection.select(slot, target, hosts, choice)?)]);
    }
    let mut chosen = Vec::new();
    for host in hosts {
        let selected = collection.select(slot, target, std::slice::from_ref(host), choice)?;
        chosen.push((Some(host.clone()), selected));
    }
    let name = |of: &(Option<RustTriple>, Selected<'_>)| of.1.recipe.name.clone();
    if let Some(first) = chosen.first().map(name)
        && chosen.iter().all(|of| name(of) == first)
    {
        chosen.truncate(1);
        chosen[0].0 = None;
    }
    Ok(chosen)
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
        let of_host = demands(settings, collection, std::slice::from_ref(host), targets);
        let served =
            |demands: Vec<Demand<'_>>| demands.iter().all(|of| !of.is_for(host) || of.serves(host));
        if of_host.is_ok_and(served) {
            hosts.push(host.clone());
        }
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_the_version_of_a_tool_is_not_served() {
        let triple = |text: &str| -> RustTriple { text.parse().expect("a triple") };
        let collection = Collection::load(&[]).expect("the built-in recipes");
        let hosts = [triple("x86_64-unknown-linux-gnu")];
        for (version, on_mac) in [("3.25", false), ("3.31", true), ("=4.4.2", true)] {
            let text = format!("[workspace.metadata.xprov]\nhost-tools.cmake = \"{version}\"\n");
            let settings = Settings::parse("Cargo.toml", &text).expect("settings");
            let demands = demands(&settings, &collection, &hosts, &hosts).expect("recipes");
            let cmake = demands.last().expect("the tool");
            assert!(cmake.serves(&hosts[0]));
            assert_eq!(cmake.serves(&triple("aarch64-apple-darwin")), on_mac, "{version}");
        }
    }

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

    /// A recipe that serves one Mac and every target of its slot.
    fn of_the_mac(slot: &str) -> (String, String) {
        let text = format!(
            "schema = 1\nname = \"mac-{slot}\"\nsummary = \"s\"\nslot = \"{slot}\"\n\
             [[variant]]\nhosts = [\"aarch64-apple-darwin\", \"x86_64-unknown-linux-gnu\"]\n\
             [[variant.component]]\nname = \"{slot}\"\nruns = \"on-host\"\n\
             [[variant.component.artifact]]\nversion = \"1\"\nurls = [\"https://a.example/a\"]\n\
             sha256 = \"{}\"\nstatus = \"confirmed\"\n",
            crate::vocab::digest::Sha256::of(slot.as_bytes())
        );
        (format!("recipes/mac-{slot}.toml"), text)
    }

    /// Every pair of docs/targets.md, with the built-in recipes: what a Mac builds for itself with is
    /// its own, and stands here in recipes of the project's.
    #[test]
    fn every_pair_has_one_c_compiler_whichever_host_asks() {
        let macs = ["aarch64-apple-darwin", "x86_64-apple-darwin"];
        let linux = ["aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"];
        let own = ["cc", "tools"].map(|slot| {
            let (name, text) = of_the_mac(slot);
            let targets = format!("slot = \"{slot}\"\ntargets = {macs:?}");
            let text = text.replace(&format!("slot = \"{slot}\""), &targets);
            (name, text.replace(linux[1], macs[1]))
        });
        let collection = Collection::load(&own).expect("recipes");
        let triple = |text: &str| -> RustTriple { text.parse().expect("a triple") };
        let of_musl =
            ["aarch64", "i686", "x86_64"].map(|arch| format!("{arch}-unknown-linux-musl"));
        let of_arm = ["armv7-unknown-linux-gnueabihf", "armv7-unknown-linux-musleabihf"];
        let targets: Vec<RustTriple> =
            of_musl.iter().map(String::as_str).chain(of_arm).chain(linux).map(triple).collect();
        let hosts: Vec<RustTriple> = macs.into_iter().chain(linux).map(triple).collect();
        let settings = Settings { hosts: Some(hosts.clone()), ..Settings::default() };
        let from = |here| Wanted::new(&settings, &collection, here, &targets).expect("served");
        let wanted = from(&hosts[0]);
        for here in &hosts {
            assert_eq!(from(here).request(), wanted.request());
        }
        for (host, target) in hosts.iter().flat_map(|host| targets.iter().map(move |of| (host, of)))
        {
            let of_pair = |demand: &&Demand<'_>| {
                demand.slot == Slot::Cc
                    && demand.target.as_ref() == Some(target)
                    && demand.is_for(host)
            };
            let found: Vec<_> = wanted.demands.iter().filter(of_pair).collect();
            assert_eq!(found.len(), 1, "{target} on {host}: {found:?}");
            assert!(found[0].serves(host) && found[0].selected.recipe.serves(target));
        }
    }

    #[test]
    fn hosts_may_have_recipes_of_their_own_and_one_rust() {
        let own = ["rust", "cc", "tools"].map(of_the_mac);
        let collection = Collection::load(&own).expect("recipes");
        let triple = |text: &str| -> RustTriple { text.parse().expect("a triple") };
        let [mac, linux] = ["aarch64-apple-darwin", "x86_64-unknown-linux-gnu"].map(triple);
        let target = triple("aarch64-unknown-linux-gnu");
        let hosts = Some(vec![linux.clone(), mac.clone()]);
        let settings = Settings { hosts, ..Settings::default() };
        let from = |here| {
            Wanted::new(&settings, &collection, here, std::slice::from_ref(&target))
                .expect("all is served")
        };
        let request = from(&mac).request();
        assert_eq!(request, from(&linux).request());
        let shown: Vec<String> = request
            .recipes
            .iter()
            .map(|of| {
                let target = of.target.as_ref().map_or("-", RustTriple::as_str);
                let host = of.host.as_ref().map_or("-", RustTriple::as_str);
                format!("{} {target} {host} {}", of.slot.as_str(), of.recipe)
            })
            .collect();
        let expected = [
            "rust - - mac-rust",
            "cc aarch64-apple-darwin - apple-clang",
            "cc aarch64-unknown-linux-gnu aarch64-apple-darwin mac-cc",
            "cc aarch64-unknown-linux-gnu x86_64-unknown-linux-gnu gcc-aarch64-linux-gnu",
            "cc x86_64-unknown-linux-gnu - gcc-x86_64-linux-gnu",
            "runner aarch64-unknown-linux-gnu - qemu-user",
            "tools - aarch64-apple-darwin macos-tools",
            "tools - x86_64-unknown-linux-gnu posix-tools",
        ];
        assert_eq!(shown, expected);
        let asked = request.recipes.iter().find(|of| of.target.as_ref() == Some(&target));
        let on = |host| request.recipe_on(host, asked?).map(|of| of.recipe.as_str());
        assert_eq!((on(&mac), on(&linux)), (Some("mac-cc"), Some("gcc-aarch64-linux-gnu")));
        let lock = crate::lockfile::Lockfile { request: request.clone(), entries: Vec::new() };
        assert_eq!(super::super::drift::drift(&lock, &request), Vec::<String>::new());
        // One host alone asks for a part of it: the lock still answers.
        let alone = Settings { hosts: Some(vec![linux.clone()]), ..settings.clone() };
        let alone = Settings {
            rust: Choice { recipe: "mac-rust".parse().ok(), ..Choice::default() },
            ..alone
        };
        let wanted = Wanted::new(&alone, &collection, &linux, std::slice::from_ref(&target));
        let drifted = super::super::drift::drift(&lock, &wanted.expect("served").request());
        assert_eq!(drifted, Vec::<String>::new());
    }
}
