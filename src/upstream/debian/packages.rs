//! The packages that an index describes, with what a closure and a pin need to know of them.
//!
//! Pure: text in, packages out. Knows of no suite and no digest of the text itself.

use std::collections::HashMap;

use super::version::Version;
use crate::vocab::digest::{InvalidDigest, Sha256};
use crate::vocab::relpath::{InvalidRelPath, RelPath};

/// Why a package's stanza cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InvalidStanza {
    /// A field that every package has is missing.
    #[error("the field `{0}` is missing")]
    NoField(&'static str),
    /// The digest is none.
    #[error("the digest is not valid")]
    Digest(#[source] InvalidDigest),
    /// The size is no number.
    #[error("the size `{0}` is not a number of bytes")]
    Size(String),
    /// The path leaves the archive.
    #[error("the path `{path}` is not valid")]
    Path {
        /// The path.
        path: String,
        /// The cause.
        source: InvalidRelPath,
    },
}

/// One package of an index.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its name.
    pub name: Box<str>,
    /// Its version.
    pub version: Version,
    /// Its architecture, or `all`.
    pub arch: Box<str>,
    /// `Pre-Depends` and `Depends`, joined.
    pub depends: Box<str>,
    /// `Provides`.
    pub provides: Box<str>,
    /// The path in the archive.
    pub path: RelPath,
    /// Bytes of the `.deb`.
    pub size: u64,
    /// Digest of the `.deb`.
    pub sha256: Sha256,
}

/// The packages of one index.
#[derive(Debug)]
pub struct Packages {
    all: Vec<Package>,
    by_name: HashMap<Box<str>, Vec<usize>>,
    /// Which packages offer a virtual name; the offers' versions are in their `Provides`.
    by_provided: HashMap<Box<str>, Vec<usize>>,
}

impl Packages {
    /// Reads the decompressed text of an index. The error says which stanza, counted from 1.
    pub fn parse(text: &str) -> Result<Self, (usize, InvalidStanza)> {
        let mut packages = Vec::with_capacity(text.len() / 800);
        for (at, stanza) in text.split("\n\n").enumerate() {
            if stanza.trim().is_empty() {
                continue;
            }
            packages.push(Package::parse(stanza).map_err(|error| (at + 1, error))?);
        }
        let mut by_name: HashMap<Box<str>, Vec<usize>> = HashMap::with_capacity(packages.len());
        let mut by_provided: HashMap<Box<str>, Vec<usize>> = HashMap::new();
        for (at, package) in packages.iter().enumerate() {
            by_name.entry(package.name.clone()).or_default().push(at);
            for offer in package.provides.split(',') {
                let offered = offer.split(['(', ':']).next().unwrap_or(offer).trim();
                if !offered.is_empty() {
                    by_provided.entry(offered.into()).or_default().push(at);
                }
            }
        }
        Ok(Self { all: packages, by_name, by_provided })
    }

    /// The versions of the package `name`.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Package> {
        self.by_name.get(name).into_iter().flatten().map(|&at| &self.all[at])
    }

    /// The packages that provide `name`.
    pub fn providing(&self, name: &str) -> impl Iterator<Item = &Package> {
        self.by_provided.get(name).into_iter().flatten().map(|&at| &self.all[at])
    }
}

impl Package {
    fn parse(stanza: &str) -> Result<Self, InvalidStanza> {
        let (mut name, mut version, mut arch, mut path) = (None, None, None, None);
        let (mut size, mut sha256) = (None, None);
        let (mut depends, mut provides) = (String::new(), "");
        for line in stanza.split('\n') {
            let Some((field, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match field {
                "Package" => name = Some(value),
                "Version" => version = Some(value),
                "Architecture" => arch = Some(value),
                "Filename" => path = Some(value),
                "Size" => size = Some(value),
                "SHA256" => sha256 = Some(value),
                "Provides" => provides = value,
                "Depends" | "Pre-Depends" => {
                    if !depends.is_empty() {
                        depends.push_str(", ");
                    }
                    depends.push_str(value);
                }
                _ => {}
            }
        }
        let need = |value: Option<_>, field| value.ok_or(InvalidStanza::NoField(field));
        let (path, size) = (need(path, "Filename")?, need(size, "Size")?);
        Ok(Self {
            name: need(name, "Package")?.into(),
            version: Version::new(need(version, "Version")?),
            arch: need(arch, "Architecture")?.into(),
            depends: depends.into(),
            provides: provides.into(),
            path: RelPath::parse(path.as_bytes())
                .map_err(|source| InvalidStanza::Path { path: path.to_owned(), source })?,
            size: size.parse().map_err(|_| InvalidStanza::Size(size.to_owned()))?,
            sha256: need(sha256, "SHA256")?.parse().map_err(InvalidStanza::Digest)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza(fields: &str) -> String {
        format!(
            "Package: a\nVersion: 1\nArchitecture: amd64\nFilename: pool/a.deb\nSize: 1\n\
             SHA256: {}\n{fields}\n",
            Sha256::of(b"a")
        )
    }

    #[test]
    fn stanzas_are_found_by_name_and_by_what_they_provide() {
        let text = stanza(
            "Depends: b\nPre-Depends: c (>= 1)\nDescription: Package\n Package: no\nProvides: v (= 2), w:any\n",
        );
        let index = Packages::parse(&text).expect("an index");
        let package = index.named("a").next().expect("the package");
        assert_eq!(&*package.depends, "b, c (>= 1)");
        assert_eq!(index.providing("v").count(), 1);
        assert_eq!(index.providing("w").count(), 1);
        assert_eq!(index.named("no").count() + index.providing("a").count(), 0);
    }

    #[test]
    fn a_broken_stanza_is_named() {
        let text = format!("{}\n{}", stanza(""), stanza("").replace("pool/", "../"));
        let error = Packages::parse(&text).expect_err("a path that leaves the archive");
        assert!(matches!(error, (2, InvalidStanza::Path { .. })), "{error:?}");
    }
}
