//! Debian packages that the settings add to a target's sysroot (`docs/sysroot-packages.md`): asked
//! for, locked, and joined with the compiler's own sysroot. Says what of their dependencies is
//! left out, and refuses what the sysroot's C library is too old for.

mod libraries;

use std::collections::BTreeSet;

pub use libraries::{
    Library, RUN_DIR, all_libraries, links, locked_libraries, multiarch, pkg_config_dirs, provided,
    tree_role,
};

use super::context::Context;
use super::error::Error;
use super::request::Demand;
use crate::lockfile::{Artifact, Authenticated, Entry, Key, Location, Lockfile};
use crate::recipe::{Slot, debian_arch};
use crate::settings::Settings;
use crate::upstream::debian::closure::{ClosureError, LeftOut};
use crate::upstream::debian::relation::{Constraint, Relation};
use crate::upstream::debian::version::Version;
use crate::upstream::debian::{
    self, DebianArtifact, DebianError, ResolvedComponent, Resolver, Suite,
};
use crate::vocab::event::Event;
use crate::vocab::glob;
use crate::vocab::name::Name;
use crate::vocab::triple::RustTriple;

/// The name of the lock entry, which no component of a recipe for C compilers may have.
pub const NAME: &str = "packages";

/// What every C toolchain of Debian's brings with it: the C library and gcc's own libraries, which
/// must be those of the compiler.
const OF_THE_SYSROOT: &[&str] = &[
    "libc6",
    "libc6-dev",
    "libc-dev",
    "libc-bin",
    "libc-dev-bin",
    "libgcc-s1",
    "libgcc-*-dev",
    "libstdc++6",
    "libstdc++-*-dev",
    "gcc-*-base",
    "linux-libc-dev",
    "libatomic1",
    "libgomp1",
];

/// What installs and configures packages, and programs for development: nothing of it runs here.
const PROGRAMS: &[&str] = &[
    "adduser",
    "debconf*",
    "cdebconf*",
    "dpkg*",
    "init-system-helpers",
    "install-info",
    "passwd",
    "perl*",
    "pkg-config",
    "pkgconf*",
    "python3*",
    "libpython3*",
    "sensible-utils",
    "ucf",
];

/// Adds what the settings ask for to the demands for C toolchains.
pub fn ask(settings: &Settings, demands: &mut [Demand<'_>]) {
    for demand in demands.iter_mut().filter(|demand| demand.slot == Slot::Cc) {
        if let Some(target) = &demand.target {
            demand.packages = settings.target(target).packages;
        }
    }
}

/// Refuses packages for a target that cannot have any.
pub fn check(demand: &Demand<'_>) -> Result<(), Error> {
    let Some(target) = demand.target.as_ref().filter(|_| !demand.packages.is_empty()) else {
        return Ok(());
    };
    let setting = format!("`target.{target}.packages`");
    let usage = |message: String, help: &str| Err(Error::Usage { message, help: help.to_owned() });
    if !target.is_gnu_libc() || debian_arch(target).is_none() {
        return usage(
            format!(
                "{setting}: the packages are Debian's, which are made for glibc and its architectures"
            ),
            "build the library from source for this target, as many crates do with a feature \
             named `vendored` or `bundled`",
        );
    }
    let recipe = demand.selected.recipe;
    if recipe.debian.is_none() {
        return usage(
            format!("{setting}: recipe `{}` does not come from Debian's archive", recipe.name),
            "choose a C toolchain of Debian's with `cc = { recipe = \"…\" }`: packages have to fit \
             its C library",
        );
    }
    let own = |name: &&String| OF_THE_SYSROOT.iter().any(|glob| glob::matches(glob, name));
    if let Some(name) = demand.packages.iter().find(own) {
        return usage(
            format!("{setting}: `{name}` belongs to the C toolchain"),
            "leave it out: the sysroot has it",
        );
    }
    Ok(())
}

/// The entry that answers `demand`, if it asks for packages: that of `kept` where nothing was asked
/// to change, or a new one. `toolchain` are the entries of the compiler and its sysroot.
pub fn entry(
    context: &Context<'_>,
    resolver: &mut Resolver<'_>,
    demand: &Demand<'_>,
    toolchain: &[Entry],
    kept: Option<&Lockfile>,
) -> Result<Option<Entry>, Error> {
    let (Some(target), Some(debian)) = (&demand.target, &demand.selected.recipe.debian) else {
        return Ok(None);
    };
    let Some(arch) = debian_arch(target).filter(|_| !demand.packages.is_empty()) else {
        return Ok(None);
    };
    if let Some(entry) = kept.and_then(|lock| known(lock, demand, target)) {
        return Ok(Some(entry.clone()));
    }
    let subject = format!("packages for {target}");
    context.observer.event(Event::Step { verb: "Resolving", subject });
    let exclude = OF_THE_SYSROOT.iter().chain(PROGRAMS).map(ToString::to_string).collect();
    let roots: Result<Vec<Relation>, _> =
        demand.packages.iter().map(|name| Relation::parse(&format!("{name}:{arch}"))).collect();
    let suites = debian.suites.iter().map(|suite| Suite {
        archive: suite.archive.clone(),
        name: suite.suite.clone(),
        components: suite.components.clone(),
    });
    let component =
        debian::Component { name: NAME.into(), arch: arch.to_owned(), roots: roots?, exclude };
    let request = debian::Request {
        suites: suites.collect(),
        components: vec![component],
        same_version: Vec::new(),
        version: None,
    };
    let resolution = resolver.resolve(&request).map_err(|error| refused(demand, target, error))?;
    for skipped in &resolution.skipped {
        let (suite, arch) = (&skipped.suite, &skipped.arch);
        let text = format!("packages for {target} do without {suite}/{arch}: {}", skipped.reason);
        context.observer.event(Event::Note(text));
    }
    let Some(answer) = resolution.components.into_iter().next() else { return Ok(None) };
    fits(demand, target, arch, toolchain, &answer.left_out)?;
    if let Some(text) = left_out(target, &answer.left_out) {
        context.observer.event(Event::Note(text));
    }
    Ok(Some(made(demand, target, answer)))
}

fn known<'a>(lock: &'a Lockfile, demand: &Demand<'_>, target: &RustTriple) -> Option<&'a Entry> {
    let same = |recipe: &&crate::lockfile::RequestedRecipe| {
        recipe.slot == demand.slot && recipe.target.as_ref() == Some(target)
    };
    let asked = lock.request.recipes.iter().find(same)?;
    lock.entries.iter().find(|entry| {
        is(entry)
            && entry.key.target.as_ref() == Some(target)
            && entry.recipe == demand.selected.recipe.name
            && asked.packages == demand.packages
    })
}

/// Whether an entry is the packages of a target.
pub fn is(entry: &Entry) -> bool {
    entry.slot == Slot::Cc && entry.key.host.is_none() && entry.key.name.as_str() == NAME
}

/// The archive is not to blame for a name that the settings have.
fn refused(demand: &Demand<'_>, target: &RustTriple, error: DebianError) -> Error {
    match error {
        DebianError::Closure(ClosureError::NoRoot { root, arch, suites, .. }) => {
            let name = root.split(':').next().unwrap_or(&root);
            let message =
                format!("`target.{target}.packages`: {suites} has no package `{name}` for {arch}");
            let help = "correct the name: what has headers and pkg-config's files is usually named \
                        after the library, with `-dev` at the end";
            Error::Usage { message, help: help.to_owned() }
        }
        error => {
            Error::Debian { recipe: demand.selected.recipe.name.clone(), source: Box::new(error) }
        }
    }
}

/// What the sysroot has must be what the packages need of it.
fn fits(
    demand: &Demand<'_>,
    target: &RustTriple,
    arch: &str,
    toolchain: &[Entry],
    left_out: &[LeftOut],
) -> Result<(), Error> {
    let artifacts = || toolchain.iter().flat_map(|entry| &entry.artifacts);
    for LeftOut { relation, asked_by } in left_out {
        let Some(bound) = &relation.constraint else { continue };
        let provided = artifacts().filter(|artifact| provides(artifact, &relation.name, arch));
        for artifact in provided {
            if admits(bound, &Version::new(&artifact.version)) {
                continue;
            }
            let (recipe, version) = (&demand.selected.recipe.name, &artifact.version);
            let name = &relation.name;
            return Err(Error::Usage {
                message: format!(
                    "`target.{target}.packages`: {asked_by} needs `{relation}`, and the sysroot \
                     of recipe `{recipe}` has {name} {version}"
                ),
                help: "choose a C toolchain whose sysroot is as new as the package, or do without \
                       the package"
                    .to_owned(),
            });
        }
    }
    Ok(())
}

/// Whether a package of the toolchain is `name` for the target: by its own name where the compiler
/// runs on the target, repacked for cross compilers elsewhere.
fn provides(artifact: &Artifact, name: &str, arch: &str) -> bool {
    let Location::Debian { path, .. } = &artifact.location else { return false };
    artifact.name == format!("{name}-{arch}-cross")
        || (artifact.name == name && path.ends_with(&format!("_{arch}.deb")))
}

/// Packages for cross compilers are the same sources with revisions of their own, so that a bound
/// which names a revision says nothing of them: then the upstream's versions are compared.
fn admits(bound: &Constraint, version: &Version) -> bool {
    let upstream = |version: &Version| Version::new(version.upstream());
    let without = Constraint { version: upstream(&bound.version), ..bound.clone() };
    bound.admits(version) || without.admits(&upstream(version))
}

fn left_out(target: &RustTriple, left_out: &[LeftOut]) -> Option<String> {
    let names: BTreeSet<&str> = left_out.iter().map(|left| left.relation.name.as_str()).collect();
    let is_own = |name: &&str| OF_THE_SYSROOT.iter().any(|glob| glob::matches(glob, name));
    let (own, programs): (Vec<&str>, Vec<&str>) = names.into_iter().partition(is_own);
    let mut parts = Vec::new();
    if !own.is_empty() {
        parts.push(format!("{} (the sysroot has its own)", own.join(", ")));
    }
    if !programs.is_empty() {
        parts.push(format!("{} (programs for installing)", programs.join(", ")));
    }
    let said = format!("packages for {target} come without {}", parts.join(" and "));
    (!parts.is_empty()).then_some(said)
}

fn made(demand: &Demand<'_>, target: &RustTriple, resolved: ResolvedComponent) -> Entry {
    // The packages have a version each: what they have in common is the newest index among theirs.
    let date = |artifact: &DebianArtifact| artifact.index_date.to_string();
    let version = resolved.artifacts.iter().map(date).max().unwrap_or_default();
    let mut artifacts: Vec<Artifact> = resolved
        .artifacts
        .into_iter()
        .map(|artifact| Artifact {
            name: artifact.package,
            version: artifact.version,
            location: Location::Debian {
                archive: artifact.archive,
                path: artifact.path.to_string(),
                date: artifact.index_date.to_string(),
            },
            sha256: artifact.sha256,
            size: Some(artifact.size),
            unpack: crate::archive::UnpackSpec::default(),
            tree: None,
            minisign: None,
        })
        .collect();
    artifacts.sort_by(|a, b| (&a.name, a.sha256).cmp(&(&b.name, b.sha256)));
    Entry {
        key: Key { name: Name::mangle(NAME), version, host: None, target: Some(target.clone()) },
        slot: demand.slot,
        recipe: demand.selected.recipe.name.clone(),
        authenticated: Authenticated::Signature,
        artifacts,
        derivation: None,
        identity: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::UnpackSpec;
    use crate::vocab::digest::Sha256;

    fn triple(text: &str) -> RustTriple {
        text.parse().expect("a triple")
    }

    fn artifact(name: &str, version: &str, file: &str) -> Artifact {
        Artifact {
            name: name.to_owned(),
            version: version.to_owned(),
            location: Location::Debian {
                archive: "debian".to_owned(),
                path: format!("pool/{file}"),
                date: "20261117T120000Z".to_owned(),
            },
            sha256: Sha256::of(file.as_bytes()),
            size: None,
            unpack: UnpackSpec::default(),
            tree: None,
            minisign: None,
        }
    }

    #[test]
    fn the_sysroot_has_what_is_of_the_targets_architecture_or_repacked_for_it() {
        let cross = artifact("libc6-arm64-cross", "2.36-8cross1", "libc6-arm64-cross_all.deb");
        let own = artifact("libc6", "2.36-9+deb12u10", "libc6_2.36_arm64.deb");
        let of_the_host = artifact("libc6", "2.31-1", "libc6_2.31_amd64.deb");
        assert!(provides(&cross, "libc6", "arm64") && provides(&own, "libc6", "arm64"));
        assert!(!provides(&of_the_host, "libc6", "arm64"));
        assert!(!provides(&cross, "libc6", "armhf") && !provides(&cross, "libc", "arm64"));
    }

    #[test]
    fn revisions_of_cross_packages_are_their_own() {
        let admits = |bound: &str, version: &str| {
            let relation = Relation::parse(&format!("libc6 ({bound})")).expect("a relation");
            admits(&relation.constraint.expect("a bound"), &Version::new(version))
        };
        assert!(admits(">= 2.36", "2.36-8cross1") && admits(">= 2.36-9", "2.36-8cross1"));
        assert!(admits("<< 2.37", "2.36-8cross1") && admits("= 2.36-9+deb12u10", "2.36-8cross1"));
        assert!(!admits(">= 2.37", "2.36-8cross1") && !admits("<< 2.36", "2.36-8cross1"));
    }

    #[test]
    fn what_was_left_out_is_said_once_and_with_its_reason() {
        let left = |name: &str| LeftOut {
            relation: Relation::parse(name).expect("a relation"),
            asked_by: "liba 1".to_owned(),
        };
        let target = triple("aarch64-unknown-linux-gnu");
        let all = ["libc6 (>= 2.34)", "debconf (>= 0.5)", "libc6", "libgcc-12-dev"].map(left);
        assert_eq!(
            left_out(&target, &all).as_deref(),
            Some(
                "packages for aarch64-unknown-linux-gnu come without libc6, libgcc-12-dev (the \
                 sysroot has its own) and debconf (programs for installing)"
            )
        );
        assert_eq!(left_out(&target, &[]), None);
    }

    #[test]
    fn only_gcc_of_debians_for_glibc_can_have_packages() {
        let collection = crate::recipe::Collection::load(&[]).expect("the built-in recipes");
        let selected = collection.get("gcc-aarch64-linux-gnu").expect("a recipe");
        let refused = |target: &str, package: &str| {
            let demand = Demand {
                slot: Slot::Cc,
                tool: None,
                host: None,
                target: Some(triple(target)),
                selected,
                version: None,
                components: BTreeSet::new(),
                packages: [package.to_owned()].into(),
            };
            check(&demand).err().map(|error| error.to_string())
        };
        assert_eq!(refused("aarch64-unknown-linux-gnu", "libssl-dev"), None);
        assert_eq!(
            refused("aarch64-unknown-linux-gnu", "libstdc++-12-dev").as_deref(),
            Some(
                "`target.aarch64-unknown-linux-gnu.packages`: `libstdc++-12-dev` belongs to the \
                 C toolchain"
            )
        );
        let musl = refused("aarch64-unknown-linux-musl", "libssl-dev").expect("refused");
        assert!(musl.contains("made for glibc"), "{musl}");
    }
}
