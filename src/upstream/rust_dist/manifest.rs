//! What a release manifest says: the archives of each component, with their digests. Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

use super::Channel;
use crate::archive::UnpackSpec;
use crate::vocab::digest::Sha256;
use crate::vocab::relpath::RelPath;

/// The version of the format that is read here.
const VERSION: &str = "2";

/// One release.
#[derive(Debug)]
pub struct Manifest {
    version: String,
    packages: BTreeMap<String, Package>,
    renames: BTreeMap<String, Rename>,
}

/// Why bytes are no usable manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// They are a web page.
    #[error("it is a web page")]
    WebPage,
    /// They are no manifest.
    #[error("it cannot be read")]
    Syntax(#[source] Box<toml::de::Error>),
    /// They are not text.
    #[error("it is not text")]
    NotText,
    /// It has another format.
    #[error("its format has version {0}, and version 2 is read here")]
    Version(String),
    /// It is of another release.
    #[error("it is of Rust {rustc} of {date}")]
    OtherRelease {
        /// Its compiler's version.
        rustc: String,
        /// Its day.
        date: Date,
    },
    /// The address of an archive is not below a `dist` directory.
    #[error("`{0}` is not below a `dist` directory")]
    Address(String),
}

#[derive(Debug, Deserialize)]
struct Raw {
    #[serde(rename = "manifest-version")]
    version: String,
    #[serde(deserialize_with = "date")]
    date: Date,
    pkg: BTreeMap<String, Package>,
    #[serde(default)]
    renames: BTreeMap<String, Rename>,
}

#[derive(Debug, Deserialize)]
struct Package {
    version: String,
    git_commit_hash: Option<String>,
    target: BTreeMap<String, Archive>,
}

#[derive(Debug, Deserialize)]
struct Archive {
    available: bool,
    xz_url: Option<String>,
    xz_hash: Option<Sha256>,
}

#[derive(Debug, Deserialize)]
struct Rename {
    to: String,
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// The archive of one component for one triple.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistArtifact {
    /// Its path below `dist`: it begins with a date, and stays as it is.
    pub path: RelPath,
    /// Its digest.
    pub sha256: Sha256,
    /// The part of it that goes into a sysroot.
    pub unpack: UnpackSpec,
}

impl Manifest {
    /// Reads the manifest of `channel`. A good manifest of another release is refused: its
    /// signature would hold as well.
    pub fn parse(bytes: &[u8], channel: &Channel) -> Result<Self, ManifestError> {
        let text = std::str::from_utf8(bytes).map_err(|_| ManifestError::NotText)?;
        if text.trim_start().starts_with('<') {
            return Err(ManifestError::WebPage);
        }
        let raw: Raw =
            toml::from_str(text).map_err(|error| ManifestError::Syntax(Box::new(error)))?;
        if raw.version != VERSION {
            return Err(ManifestError::Version(raw.version));
        }
        // `1.95.0 (59807616e 2026-04-14)`
        let rustc = raw.pkg.get("rustc").map_or("", |package| package.version.as_str());
        let rustc = rustc.split(' ').next().unwrap_or_default();
        if !channel.is_answered_by(raw.date, rustc) {
            let rustc = rustc.to_owned();
            return Err(ManifestError::OtherRelease { rustc, date: raw.date });
        }
        let version = channel.locked_version(raw.date, rustc);
        Ok(Self { version, packages: raw.pkg, renames: raw.renames })
    }

    /// How a lock calls the release.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What its compiler says of itself behind its name: `1.95.0 (59807616e 2026-04-14)`.
    pub fn rustc(&self) -> &str {
        self.packages.get("rustc").map_or("", |package| package.version.as_str())
    }

    /// Whether a compiler that says `rustc` of itself, and was built from `commit`, is that of this
    /// release. Where either names no commit, the one in the version decides.
    pub fn is_of(&self, rustc: &str, commit: Option<&str>) -> bool {
        let own = self.packages.get("rustc").and_then(|package| package.git_commit_hash.as_deref());
        let same = own.zip(commit).is_none_or(|(own, commit)| own == commit);
        self.rustc() == rustc && same
    }

    /// The archive of a component for `triple`, the host that it runs on or the target that it is
    /// for. `None` where this release has none.
    pub fn artifact(
        &self,
        component: &str,
        triple: &str,
    ) -> Result<Option<DistArtifact>, ManifestError> {
        let name = self.renames.get(component).map_or(component, |rename| rename.to.as_str());
        let Some(package) = self.packages.get(name) else { return Ok(None) };
        let own = package.target.get(triple);
        // Sources are the same for all.
        let Some(archive) = own.or_else(|| package.target.get("*")) else { return Ok(None) };
        let (true, Some(url), Some(sha256)) =
            (archive.available, archive.xz_url.as_deref(), archive.xz_hash)
        else {
            return Ok(None);
        };
        let bad = || ManifestError::Address(url.to_owned());
        let (_, path) = url.split_once("/dist/").ok_or_else(bad)?;
        let path = RelPath::parse(path.as_bytes()).map_err(|_| bad())?;
        // `rustc-1.95.0-x86_64-unknown-linux-gnu/rustc/bin/…`; only that of a std has its triple.
        let keep = if name == "rust-std" { format!("{name}-{triple}") } else { name.to_owned() };
        let unpack = UnpackSpec { strip: 1, keep: Some(keep) };
        Ok(Some(DistArtifact { path, sha256, unpack }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
manifest-version = "2"
date = "2026-04-16"
[pkg.rustc]
version = "1.95.0 (59807616e 2026-04-14)"
git_commit_hash = "x"
[pkg.rustc.target.x86_64-unknown-linux-gnu]
available = true
url = "https://r.example/dist/2026-04-16/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.gz"
hash = "378f37b1fb33fa4dafba6519a48e06447ecaa58af290729cc3d357bcadd9926c"
xz_url = "https://r.example/dist/2026-04-16/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz"
xz_hash = "8426a3d170a5879f5682f5fbdd024a1779b3951e7baba685af2d6dc32a6dfc15"
components = []
[pkg.clippy-preview]
version = "0.1.95"
[pkg.clippy-preview.target.x86_64-unknown-linux-gnu]
available = false
[pkg.rust-src]
version = "1.95.0"
[pkg.rust-src.target."*"]
available = true
xz_url = "https://r.example/dist/2026-04-16/rust-src-1.95.0.tar.xz"
xz_hash = "67b09138c8db96afc4bbfc69ea771ac9a091fd777698acb43f6dfd9fb7dea363"
[renames.clippy]
to = "clippy-preview"
"#;

    fn parse(text: &str, channel: &str) -> Result<Manifest, ManifestError> {
        Manifest::parse(text.as_bytes(), &channel.parse().expect("a channel"))
    }

    #[test]
    fn components_are_found_by_triple_or_for_all() {
        let manifest = parse(TEXT, "1.95").expect("a manifest");
        assert_eq!(manifest.version(), "1.95.0");
        let find = |name, triple| manifest.artifact(name, triple).expect("an address");
        let rustc = find("rustc", "x86_64-unknown-linux-gnu").expect("rustc");
        assert_eq!(rustc.path.as_str(), "2026-04-16/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz");
        assert_eq!(rustc.unpack, UnpackSpec { strip: 1, keep: Some("rustc".to_owned()) });
        assert!(find("rust-src", "armv7-unknown-linux-gnueabihf").is_some());
        assert_eq!(find("rustc", "armv7-unknown-linux-gnueabihf"), None);
        assert_eq!(find("clippy", "x86_64-unknown-linux-gnu"), None);
        assert_eq!(find("rustfmt", "x86_64-unknown-linux-gnu"), None);
    }

    #[test]
    fn a_compiler_is_of_a_release_by_its_whole_version_and_its_commit() {
        let manifest = parse(TEXT, "1.95").expect("a manifest");
        let version = "1.95.0 (59807616e 2026-04-14)";
        for (says, commit, is) in [
            (version, Some("x"), true),
            (version, None, true),
            (version, Some("y"), false),
            ("1.95.0", Some("x"), false),
            ("1.95.0 (59807616e 2026-04-14) (built from a source tarball)", Some("x"), false),
        ] {
            assert_eq!(manifest.is_of(says, commit), is, "{says} {commit:?}");
        }
    }

    #[test]
    fn what_is_no_manifest_of_the_release_is_refused() {
        let refused = |text: &str, channel| parse(text, channel).expect_err(channel).to_string();
        assert_eq!(refused(TEXT, "1.96.0"), "it is of Rust 1.95.0 of 2026-04-16");
        assert_eq!(refused(TEXT, "stable-2026-04-17"), "it is of Rust 1.95.0 of 2026-04-16");
        assert_eq!(refused("<html>no</html>", "stable"), "it is a web page");
        assert_eq!(refused("pkg = 1", "stable"), "it cannot be read");
        let newer = TEXT.replace("version = \"2\"", "version = \"3\"");
        assert!(refused(&newer, "stable").contains("version 3"));
        let astray = TEXT.replace("r.example/dist/", "r.example/");
        let manifest = parse(&astray, "stable").expect("a manifest");
        assert!(manifest.artifact("rustc", "x86_64-unknown-linux-gnu").is_err());
        let above = TEXT.replace("/dist/2026-04-16/rustc", "/dist/../rustc");
        let manifest = parse(&above, "stable").expect("a manifest");
        assert!(manifest.artifact("rustc", "x86_64-unknown-linux-gnu").is_err());
    }
}
