//! Packages of Debian's archive: what is asked of it for a demand, and the entries that its answer
//! makes.

use super::make_entry;
use crate::lockfile::{Artifact, Authenticated, Entry, Location};
use crate::ops::context::Context;
use crate::ops::error::Error;
use crate::ops::request::Demand;
use crate::recipe::{Debian, Expansion};
use crate::upstream::debian::relation::Relation;
use crate::upstream::debian::version::VersionRequest;
use crate::upstream::debian::{self, PackageOn, Resolution, ResolvedComponent, Suite};
use crate::vocab::event::Event;

/// Says which versions and suites were passed over.
pub(super) fn say_skipped(context: &Context<'_>, demand: &Demand<'_>, resolution: &Resolution) {
    let recipe = &demand.selected.recipe.name;
    for skipped in &resolution.skipped {
        let what = match &skipped.version {
            Some(version) => format!("{recipe} {version} was passed over"),
            None => format!("{recipe} does without {}/{}", skipped.suite, skipped.arch),
        };
        context.observer.event(Event::Note(format!("{what}: {}", skipped.reason)));
    }
}

/// What is asked for the components of a recipe, all at once.
pub(super) fn request(
    debian: &Debian,
    expansions: &[&Expansion<'_>],
    version: Option<&str>,
) -> Result<debian::Request, Error> {
    let suites = debian
        .suites
        .iter()
        .map(|suite| Suite {
            archive: suite.archive.clone(),
            name: suite.suite.clone(),
            components: suite.components.clone(),
        })
        .collect();
    let mut same_version = Vec::new();
    let mut components = Vec::new();
    for expansion in expansions {
        let mut roots = Vec::new();
        for (index, (package, arch)) in expansion.packages.iter().enumerate() {
            roots.push(Relation::parse(&format!("{package}:{arch}"))?);
            // Of a derivation's inputs the first is the compiler's, and the others have versions of
            // their own.
            let is_ours = index == 0 || expansion.component.derivation.is_none();
            if debian.version_package.is_some() && is_ours {
                same_version.push(PackageOn { package: package.clone(), arch: arch.clone() });
            }
        }
        components.push(debian::Component {
            name: expansion.component.name.to_string(),
            arch: expansion.packages.first().map_or_else(String::new, |(_, arch)| arch.clone()),
            roots,
            exclude: expansion.component.exclude.clone(),
        });
    }
    // The first of these gives the answer's version.
    let leads = |package: &PackageOn| Some(&package.package) != debian.version_package.as_ref();
    same_version.sort_by_key(leads);
    let version = version.map(VersionRequest::new);
    Ok(debian::Request { suites, components, same_version, version })
}

/// The entry of one component.
pub(super) fn entry(
    demand: &Demand<'_>,
    expansion: &Expansion<'_>,
    resolved: &ResolvedComponent,
) -> Entry {
    let lead = expansion.packages.first().map(|(name, _)| name.as_str());
    let version = resolved
        .artifacts
        .iter()
        .find(|artifact| Some(artifact.package.as_str()) == lead)
        .map_or_else(String::new, |artifact| artifact.version.clone());
    let mut artifacts: Vec<Artifact> = resolved
        .artifacts
        .iter()
        .map(|artifact| Artifact {
            name: artifact.package.clone(),
            version: artifact.version.clone(),
            location: Location::Debian {
                archive: artifact.archive.clone(),
                path: artifact.path.to_string(),
                date: artifact.index_date.to_string(),
            },
            sha256: artifact.sha256,
            size: Some(artifact.size),
            unpack: crate::archive::UnpackSpec::default(),
            minisign: None,
            tree: None,
        })
        .collect();
    artifacts.sort_by(|a, b| (&a.name, a.sha256).cmp(&(&b.name, b.sha256)));
    make_entry(demand, expansion, version, Authenticated::Signature, artifacts)
}
