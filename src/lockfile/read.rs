//! Reading a lock: strict, with file, line and column in every complaint.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::model::{
    Artifact, Authenticated, Derived, Entry, INSTALLED, Identity, Key, Location, Lockfile, Request,
    RequestedRecipe, SignedFile, VERSION,
};
use crate::archive::UnpackSpec;
use crate::recipe::{Derivation, Slot};
use crate::vocab::digest::{Blake3, Sha256, TreeHash};
use crate::vocab::document::{self, DocumentError};
use crate::vocab::name::Name;
use crate::vocab::relpath::RelPath;
use crate::vocab::triple::RustTriple;
use crate::vocab::url::Url;

/// Why a lock cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It is malformed.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// It was written by a newer xprov.
    #[error("{path} has format version {version}; this xprov reads version {VERSION}")]
    Version {
        /// The lock.
        path: String,
        /// Its version.
        version: u32,
    },
    /// Two entries have one key.
    #[error("{path} has two entries for {key}")]
    Duplicate {
        /// The lock.
        path: String,
        /// The key.
        key: Box<Key>,
    },
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    version: u32,
    request: RawRequest,
    #[serde(default, rename = "entry")]
    entries: Vec<RawEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequest {
    hosts: Vec<RustTriple>,
    targets: Vec<RustTriple>,
    recipes: Vec<RawRecipe>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRecipe {
    slot: Slot,
    target: Option<RustTriple>,
    tool: Option<Name>,
    host: Option<RustTriple>,
    recipe: Name,
    version: Option<String>,
    #[serde(default)]
    components: BTreeSet<Name>,
    #[serde(default)]
    packages: BTreeSet<String>,
    digest: Option<Blake3>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    name: Name,
    version: String,
    host: Option<RustTriple>,
    target: Option<RustTriple>,
    slot: Slot,
    recipe: Name,
    authenticated: toml::Spanned<RawAuthenticated>,
    derivation: Option<RawDerived>,
    identity: Option<Identity>,
    #[serde(default)]
    artifacts: Vec<toml::Spanned<RawArtifact>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDerived {
    name: Derivation,
    tree: Option<TreeHash>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawAuthenticated {
    Signature,
    PublishedDigest,
    FirstUse,
    Impure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawArtifact {
    name: String,
    version: String,
    urls: Option<Vec<Url>>,
    archive: Option<String>,
    path: Option<String>,
    date: Option<String>,
    #[serde(rename = "rust-dist")]
    rust_dist: Option<String>,
    pypi: Option<String>,
    file: Option<String>,
    sha256: Sha256,
    size: Option<u64>,
    #[serde(default)]
    unpack: UnpackSpec,
    minisign: Option<SignedFile>,
    tree: Option<TreeHash>,
}

impl Lockfile {
    /// Reads the lock `text`; `path` is how messages call it.
    pub fn parse(path: &str, text: &str) -> Result<Self, LockError> {
        let raw = document::parse::<RawLock>(path, text);
        // A newer format may have keys that this one does not know: its version is the error then.
        let version = match &raw {
            Ok(raw) => Some(raw.version),
            Err(_) => toml::from_str(text).ok().map(|VersionOnly { version }| version),
        };
        if let Some(version) = version.filter(|version| *version != VERSION) {
            return Err(LockError::Version { path: path.to_owned(), version });
        }
        let raw = raw?;
        let mut entries = Vec::with_capacity(raw.entries.len());
        for entry in raw.entries {
            entries.push(convert(path, text, entry)?);
        }
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        if let Some(pair) = entries.windows(2).find(|pair| pair[0].key == pair[1].key) {
            let key = Box::new(pair[0].key.clone());
            return Err(LockError::Duplicate { path: path.to_owned(), key });
        }
        let RawRequest { hosts, targets, recipes } = raw.request;
        let recipes = recipes.into_iter().map(requested).collect();
        Ok(Self { request: Request { hosts, targets, recipes }, entries })
    }
}

fn requested(raw: RawRecipe) -> RequestedRecipe {
    let RawRecipe { slot, target, tool, host, recipe, version, components, packages, digest } = raw;
    RequestedRecipe { slot, target, tool, host, recipe, version, components, packages, digest }
}

fn convert(path: &str, text: &str, raw: RawEntry) -> Result<Entry, DocumentError> {
    let RawEntry { name, version, host, target, slot, recipe, authenticated, artifacts, .. } = raw;
    let (at, authenticated) = (authenticated.span().start, authenticated.into_inner());
    let identity = raw.identity;
    let is_impure = matches!(authenticated, RawAuthenticated::Impure);
    // What is installed on every host of a kind has no identity of one machine.
    let of_one = is_impure && version != INSTALLED;
    if of_one != identity.is_some() || artifacts.is_empty() != is_impure {
        let message = "an entry has either `artifacts`, or is `impure` and has an `identity`";
        return Err(document::at(path, text, at, message));
    }
    let derivation = raw.derivation.map(|RawDerived { name, tree }| Derived { name, tree });
    let artifacts = artifacts
        .into_iter()
        .map(|artifact| {
            let start = artifact.span().start;
            let raw = artifact.into_inner();
            let wrong = |message: &str| document::at(path, text, start, message);
            let debian = (raw.archive, raw.path, raw.date);
            let location = match (raw.urls, debian, raw.rust_dist, (raw.pypi, raw.file)) {
                (Some(urls), (None, None, None), None, (None, None)) if !urls.is_empty() => {
                    Location::Urls(urls)
                }
                (None, (Some(archive), Some(path), Some(date)), None, (None, None)) => {
                    Location::Debian { archive, path, date }
                }
                (None, (None, None, None), Some(below), (None, None)) => Location::RustDist(
                    RelPath::parse(below.as_bytes()).map_err(|error| wrong(&error.to_string()))?,
                ),
                (None, (None, None, None), None, (Some(package), Some(file))) => {
                    Location::Pypi { package, file }
                }
                _ => {
                    return Err(wrong(
                        "an artifact has either `urls`, or `archive`, `path` and `date`, or \
                         `rust-dist`, or `pypi` and `file`",
                    ));
                }
            };
            Ok(Artifact {
                name: raw.name,
                version: raw.version,
                location,
                sha256: raw.sha256,
                size: raw.size,
                unpack: raw.unpack,
                minisign: raw.minisign,
                tree: raw.tree,
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Entry {
        key: Key { name, version, host, target },
        slot,
        recipe,
        authenticated: match authenticated {
            RawAuthenticated::Signature => Authenticated::Signature,
            RawAuthenticated::PublishedDigest => Authenticated::PublishedDigest,
            RawAuthenticated::FirstUse => Authenticated::FirstUse,
            RawAuthenticated::Impure => Authenticated::Impure,
        },
        derivation,
        identity,
        artifacts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Lockfile {
        let triple = |text: &str| -> RustTriple { text.parse().expect("a triple") };
        let name = |text: &str| -> Name { text.parse().expect("a name") };
        let artifact = |name: &str, location| Artifact {
            name: name.to_owned(),
            version: "1:2.40-2~deb12u1".to_owned(),
            location,
            sha256: Sha256::of(name.as_bytes()),
            size: Some(7),
            unpack: UnpackSpec { strip: 1, keep: Some("rustc".to_owned()) },
            minisign: Some(SignedFile { key: "RWQ".to_owned(), signature: "a\nb".to_owned() }),
            tree: None,
        };
        Lockfile {
            request: Request {
                hosts: vec![triple("x86_64-unknown-linux-gnu")],
                targets: vec![triple("aarch64-unknown-linux-gnu")],
                recipes: vec![RequestedRecipe {
                    slot: Slot::Rust,
                    tool: None,
                    target: None,
                    host: Some(triple("x86_64-unknown-linux-gnu")),
                    recipe: name("rust-debian"),
                    version: Some("1.85".to_owned()),
                    components: [name("clippy"), name("rustfmt")].into(),
                    packages: BTreeSet::new(),
                    digest: Some(Blake3::of(b"r")),
                }],
            },
            entries: vec![Entry {
                key: Key {
                    name: name("gcc"),
                    version: "12.2.0-14cross1".to_owned(),
                    host: Some(triple("x86_64-unknown-linux-gnu")),
                    target: Some(triple("aarch64-unknown-linux-gnu")),
                },
                slot: Slot::Cc,
                recipe: name("gcc-aarch64-linux-gnu"),
                authenticated: Authenticated::Signature,
                derivation: Some(Derived {
                    name: Derivation::RustStd,
                    tree: Some(TreeHash::from_bytes([7; 32])),
                }),
                identity: None,
                artifacts: vec![
                    artifact(
                        "binutils",
                        Location::Debian {
                            archive: "debian".to_owned(),
                            path: "pool/b.deb".to_owned(),
                            date: "20261117T223339Z".to_owned(),
                        },
                    ),
                    artifact(
                        "odd \"name\"\\\n",
                        Location::Urls(vec!["https://a.example/b".parse().expect("a URL")]),
                    ),
                    artifact(
                        "rustc",
                        Location::RustDist(
                            RelPath::parse(b"2026-04-16/rustc.tar.xz").expect("a path"),
                        ),
                    ),
                    artifact(
                        "wheel",
                        Location::Pypi { package: "p".to_owned(), file: "p-1.whl".to_owned() },
                    ),
                ],
            }],
        }
    }

    #[test]
    fn what_is_written_is_read_and_written_again_alike() {
        let text = example().to_text();
        let read = Lockfile::parse("toolchains.lock", &text).expect("our own lock");
        assert_eq!(read, example());
        assert_eq!(read.to_text(), text);
    }

    #[test]
    fn the_order_of_entries_does_not_reach_the_bytes() {
        let mut shuffled = example();
        let mut second = shuffled.entries[0].clone();
        second.key.version = "13".to_owned();
        shuffled.entries.push(second);
        let text = shuffled.to_text();
        shuffled.entries.reverse();
        assert_eq!(shuffled.to_text(), text);
    }

    #[test]
    fn an_entry_without_a_digest_is_an_error_with_its_place() {
        let digest = Sha256::of(b"binutils").to_string();
        let text = example().to_text().replace(&format!(", sha256 = \"{digest}\""), "");
        let error = Lockfile::parse("toolchains.lock", &text).expect_err("no digest");
        assert_eq!(error.to_string(), "toolchains.lock:21:3: missing field `sha256`");
    }

    #[test]
    fn what_is_impure_has_an_identity_in_place_of_artifacts() {
        let mut lock = example();
        let entry = &mut lock.entries[0];
        (entry.authenticated, entry.derivation) = (Authenticated::Impure, None);
        entry.artifacts.clear();
        entry.identity = Some(Identity {
            says: "rustc 1.95.0 (59807616e 2026-04-14)".to_owned(),
            commit: Some("59807616e1fa".to_owned()),
            digest: Blake3::of(b"files"),
        });
        let text = lock.to_text();
        assert_eq!(Lockfile::parse("l", &text).expect("our own lock"), lock);
        for (from, to) in [("\"impure\"", "\"signature\""), ("\nidentity = ", "\n# ")] {
            let error = Lockfile::parse("l", &text.replace(from, to)).expect_err(to);
            assert_eq!(
                error.to_string(),
                "l:18:17: an entry has either `artifacts`, or is `impure` and has an `identity`"
            );
        }
    }

    #[test]
    fn unknown_keys_new_versions_and_duplicates_are_errors() {
        let text = example().to_text();
        let parse = |text: &str| Lockfile::parse("l", text).expect_err("an error").to_string();
        assert_eq!(
            parse(&text.replace("slot = \"cc\"", "slto = \"cc\"")),
            "l:16:1: unknown key `slto`"
        );
        assert!(parse(&text.replace("version = 1\n", "version = 9\n")).contains("version 9"));
        let entry = text[text.find("\n[[entry]]").expect("an entry")..].to_owned();
        assert!(parse(&format!("{text}{entry}")).contains("two entries for gcc 12.2.0-14cross1"));
    }
}
