//! From a recipe's components to the lock entries that hosts and targets need.

use std::collections::BTreeSet;

use super::model::{Component, PinnedArtifact, Runs, Variant};
use crate::vocab::glob;
use crate::vocab::name::Name;
use crate::vocab::triple::RustTriple;

/// One lock entry that is to be resolved.
#[derive(Debug, Clone)]
pub struct Expansion<'a> {
    /// The component it comes from.
    pub component: &'a Component,
    /// The host that the entry is for; `None` where every host uses it.
    pub host: Option<RustTriple>,
    /// The target that the entry is for; `None` where every target uses it.
    pub target: Option<RustTriple>,
    /// Debian packages with their architectures: (name, architecture).
    pub packages: Vec<(String, String)>,
}

/// Debian's name for the architecture of a Linux triple.
pub fn debian_arch(triple: &RustTriple) -> Option<&'static str> {
    Some(match triple.arch() {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "armv7" => "armhf",
        "i686" => "i386",
        _ => return None,
    })
}

impl<'a> Expansion<'a> {
    /// The artifacts of the recipe that fit its host and target.
    pub fn pins(&self) -> impl Iterator<Item = &'a PinnedArtifact> {
        let same = |a: &Option<RustTriple>, b: &Option<RustTriple>| a.is_none() || a == b;
        let fits = move |pin: &&PinnedArtifact| {
            same(&pin.host, &self.host) && same(&pin.target, &self.target)
        };
        self.component.artifacts.iter().filter(fits)
    }
}

impl Variant {
    /// The entries that `host` and `target` need of this variant, with the optional components in
    /// `asked`. For `Runs::OnTarget` both the target's and the host's own.
    pub fn expand(
        &self,
        host: &RustTriple,
        target: &RustTriple,
        asked: &BTreeSet<Name>,
    ) -> Vec<Expansion<'_>> {
        let mut expansions = Vec::new();
        let taken = |component: &&Component| !component.optional || asked.contains(&component.name);
        for component in self.components.iter().filter(taken) {
            let entries = match component.runs {
                Runs::OnHost => vec![(Some(host), None)],
                Runs::OnHostForTarget => vec![(Some(host), Some(target))],
                Runs::OnTarget if host == target => vec![(None, Some(target))],
                Runs::OnTarget => vec![(None, Some(host)), (None, Some(target))],
            };
            let entries =
                entries.into_iter().filter(|(_, of)| component.is_for(of.unwrap_or(target)));
            expansions.extend(entries.map(|(host, target)| Expansion {
                component,
                packages: packages(component, host, target),
                host: host.cloned(),
                target: target.cloned(),
            }));
        }
        expansions
    }
}

impl Component {
    /// Whether it is for this target.
    fn is_for(&self, target: &RustTriple) -> bool {
        let named = |pattern: &String| glob::matches(pattern, target.as_str());
        self.targets.is_empty() || self.targets.iter().any(named)
    }
}

fn packages(
    component: &Component,
    host: Option<&RustTriple>,
    target: Option<&RustTriple>,
) -> Vec<(String, String)> {
    let arch = |triple: Option<&RustTriple>| triple.and_then(debian_arch).unwrap_or_default();
    // An entry that is the same on every host is looked up under its target's architecture.
    let own = if host.is_some() { arch(host) } else { arch(target) };
    component
        .packages
        .iter()
        .map(|package| {
            let package =
                package.replace("{host-arch}", arch(host)).replace("{target-arch}", arch(target));
            match package.split_once(':') {
                Some((name, arch)) => (name.to_owned(), arch.to_owned()),
                None => (package, own.to_owned()),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Collection, Derivation};

    /// The entries of std: (host, target, derivation, packages).
    fn std_of(target: &str) -> Vec<(bool, String, Option<Derivation>, Vec<String>)> {
        let collection = Collection::load(&[]).expect("the built-in recipes");
        let rust = collection.get("rust-debian").expect("is built in").recipe;
        let host: RustTriple = "x86_64-unknown-linux-gnu".parse().expect("a triple");
        let target = target.parse().expect("a triple");
        let variant = rust.variant(&host).expect("the host is served");
        let expansions = variant.expand(&host, &target, &BTreeSet::new());
        let of_std = expansions.into_iter().filter(|e| e.component.name.as_str() == "rust-std");
        let text = |(name, arch): (String, String)| format!("{name}:{arch}");
        of_std
            .map(|expansion| {
                let target = expansion.target.map(|target| target.to_string()).unwrap_or_default();
                let packages = expansion.packages.into_iter().map(text).collect();
                (expansion.host.is_some(), target, expansion.component.derivation, packages)
            })
            .collect()
    }

    #[test]
    fn std_for_musl_is_derived_and_the_hosts_own_is_not() {
        let own = (
            false,
            "x86_64-unknown-linux-gnu".to_owned(),
            None,
            vec!["libstd-rust-web-dev:amd64".to_owned()],
        );
        assert_eq!(std_of("x86_64-unknown-linux-gnu"), std::slice::from_ref(&own));
        let musl = "armv7-unknown-linux-musleabihf";
        let inputs = ["rust-web-src:amd64", "musl-dev:armhf", "libgcc-12-dev:armhf"];
        let derived = Some(Derivation::RustStd);
        let derived = (true, musl.to_owned(), derived, inputs.map(str::to_owned).to_vec());
        assert_eq!(std_of(musl), [own, derived]);
    }
}
