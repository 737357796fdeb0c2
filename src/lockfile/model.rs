//! What a lock holds.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::archive::UnpackSpec;
use crate::recipe::{Derivation, Slot};
use crate::vocab::digest::{Blake3, Sha256, TreeHash};
use crate::vocab::name::Name;
use crate::vocab::relpath::RelPath;
use crate::vocab::triple::RustTriple;
use crate::vocab::url::Url;

/// The version of the format that this xprov writes.
pub const VERSION: u32 = 1;

/// A whole lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lockfile {
    /// What it answers.
    pub request: Request,
    /// The pins, ordered by key.
    pub entries: Vec<Entry>,
}

/// What settings, recipes and command line asked for. A difference to what they ask now is drift.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The hosts, sorted.
    pub hosts: Vec<RustTriple>,
    /// The targets, sorted.
    pub targets: Vec<RustTriple>,
    /// The chosen recipes, ordered by slot, target and host.
    pub recipes: Vec<RequestedRecipe>,
}

/// The recipe chosen for one slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestedRecipe {
    /// The slot.
    pub slot: Slot,
    /// The target, for slots that are filled for each target.
    pub target: Option<RustTriple>,
    /// The tool, for `host-tools`.
    pub tool: Option<Name>,
    /// The host, where hosts have different recipes; `None`: all of them.
    pub host: Option<RustTriple>,
    /// The recipe.
    pub recipe: Name,
    /// The version that was asked for; `None` for the newest.
    pub version: Option<String>,
    /// The components that were asked for beside those that are always there.
    pub components: BTreeSet<Name>,
    /// The Debian packages that were asked for to join the sysroot.
    pub packages: BTreeSet<String>,
    /// For a project's own recipe, the digest of how it resolves (`Recipe::resolution_digest`).
    /// A built-in recipe may change with xprov and leaves existing locks as they are.
    pub digest: Option<Blake3>,
}

/// What identifies an entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The component.
    pub name: Name,
    /// Its version.
    pub version: String,
    /// The host it runs on; `None` for every host.
    pub host: Option<RustTriple>,
    /// The target it is for; `None` for every target.
    pub target: Option<RustTriple>,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)?;
        match (&self.host, &self.target) {
            (Some(host), Some(target)) => write!(f, " ({host} for {target})"),
            (Some(only), None) | (None, Some(only)) => write!(f, " ({only})"),
            (None, None) => Ok(()),
        }
    }
}

/// One pinned component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// The slot it belongs to.
    pub slot: Slot,
    /// The recipe that it was resolved from.
    pub recipe: Name,
    /// How the pins were authenticated when they were locked.
    pub authenticated: Authenticated,
    /// What is made of the artifacts; `None` where they are the component.
    pub derivation: Option<Derived>,
    /// What it is, where it is the machine's own and nothing is downloaded; `None`: it is pinned.
    pub identity: Option<Identity>,
    /// What is downloaded for it.
    pub artifacts: Vec<Artifact>,
}

/// What a part of the machine is, as it was when it was locked (`docs/impure.md`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// What it says of itself: `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub says: String,
    /// The commit that it was built from, where it says one.
    pub commit: Option<String>,
    /// The digest of its files.
    pub digest: Blake3,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Twelve digits tell apart what says the same of itself.
        write!(f, "{}, files {:.12}", self.says, self.digest.to_string())
    }
}

/// What becomes of an entry's artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Derived {
    /// The derivation.
    pub name: Derivation,
    /// The tree hash of the result, if it was known when the lock was written.
    pub tree: Option<TreeHash>,
}

/// The version of what every host of a kind has installed: whichever is there.
pub const INSTALLED: &str = "installed";

/// How pins came to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authenticated {
    /// An index with a good signature of a known key lists the digests.
    Signature,
    /// The digest stands in the recipe, where it was copied from a published one.
    PublishedDigest,
    /// Nobody has published the digest: it is that of the bytes which somebody once saw.
    FirstUse,
    /// Nothing is pinned: it is what the machine has, whose identity is part of env-id.
    Impure,
}

impl Authenticated {
    /// The word in the lock.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::PublishedDigest => "published-digest",
            Self::FirstUse => "first-use",
            Self::Impure => "impure",
        }
    }
}

/// One download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its name: the package's, or the component's.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// Where it is.
    pub location: Location,
    /// Its pin.
    pub sha256: Sha256,
    /// Its size in bytes, if known.
    pub size: Option<u64>,
    /// How it is unpacked.
    pub unpack: UnpackSpec,
    /// The minisign signature that its bytes are checked against when they come.
    pub minisign: Option<SignedFile>,
    /// The tree hash of the unpacked object, if it was known when the lock was written.
    pub tree: Option<TreeHash>,
}

/// A minisign signature of one file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedFile {
    /// The public key, in base 64.
    pub key: String,
    /// The lines of the `.minisig` file.
    pub signature: String,
}

/// Where an artifact is, without naming any mirror of the machine that wrote the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// At any of these.
    Urls(Vec<Url>),
    /// In a Debian archive.
    Debian {
        /// `debian` or `debian-security`.
        archive: String,
        /// The path below the archive's base.
        path: String,
        /// The date of the index that listed it, for the snapshot service: `20261117T223339Z`.
        date: String,
    },
    /// Below the `dist` directory of a server that has Rust's releases.
    RustDist(RelPath),
    /// In a Python package index.
    Pypi {
        /// The package.
        package: String,
        /// The name of its file.
        file: String,
    },
}

impl RequestedRecipe {
    /// Whether it is for the same job as `other`, whichever recipe does it on whichever host.
    pub fn fills_as(&self, other: &Self) -> bool {
        (self.slot, &self.target, &self.tool) == (other.slot, &other.target, &other.tool)
    }

    /// Whether what `other` asks for is of the same recipe and version, whatever the components,
    /// packages and hosts.
    pub fn chooses_as(&self, other: &Self) -> bool {
        self.fills_as(other)
            && (&self.recipe, &self.version, &self.digest)
                == (&other.recipe, &other.version, &other.digest)
    }
}

impl Request {
    /// What does the same job as `asked` on one host.
    pub fn recipe_on(
        &self,
        host: &RustTriple,
        asked: &RequestedRecipe,
    ) -> Option<&RequestedRecipe> {
        let is_for = |recipe: &RequestedRecipe| recipe.host.as_ref().is_none_or(|of| of == host);
        self.recipes.iter().find(|recipe| recipe.fills_as(asked) && is_for(recipe))
    }

    /// Whether an entry that names no host is for this one: not where only other hosts have its
    /// recipe.
    fn asks_on(&self, host: &RustTriple, entry: &Entry) -> bool {
        let mut of_recipe = self
            .recipes
            .iter()
            .filter(|of| of.slot == entry.slot && of.recipe == entry.recipe)
            .map(|of| of.host.as_ref().is_none_or(|of| of == host))
            .peekable();
        of_recipe.peek().is_none() || of_recipe.any(|is_for| is_for)
    }
}

impl Lockfile {
    /// The entries that `host` needs to build for `target`: its own, and those for every host.
    pub fn entries_for<'a>(
        &'a self,
        host: &'a RustTriple,
        target: &'a RustTriple,
    ) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| {
            let key = &entry.key;
            let for_host = key
                .host
                .as_ref()
                .map_or_else(|| self.request.asks_on(host, entry), |entry_host| entry_host == host);
            // The host's own compiler and std serve build scripts.
            let wanted = |triple: &RustTriple| {
                triple == target || (triple == host && entry.slot != Slot::Runner)
            };
            // One emulator for all targets is of no use where nothing is foreign.
            let for_all = entry.slot != Slot::Runner || target != host;
            for_host && key.target.as_ref().map_or(for_all, wanted)
        })
    }

    /// The distinct artifacts of some entries, in order.
    pub fn artifacts<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<&'a Artifact> {
        let mut seen = std::collections::HashSet::new();
        entries
            .into_iter()
            .flat_map(|entry| &entry.artifacts)
            .filter(|artifact| seen.insert((artifact.sha256, artifact.unpack.clone())))
            .collect()
    }
}
