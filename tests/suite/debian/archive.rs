//! An archive of made-up packages in memory, signed with a key of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::Mutex;

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, Deserializable, DetachedSignature, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::{KeyDetails, Password, Timestamp};
use xprov::upstream::debian::{Bases, Component, Suite, relation::Relation};
use xprov::upstream::signature::Keyring;
use xprov::upstream::{Get, GetError};
use xprov::vocab::digest::Sha256;
use xprov::vocab::url::Url;

/// Trusted by nobody but these tests: a key and a signing subkey, valid from 2020 to 2030.
const SECRET_KEY: &str = include_str!("../../vectors/debian/test-archive-key.secret.asc");

/// The base of the archive in most tests.
pub const BASE: &str = "http://mirror.example/debian";

/// The keyring that trusts the tests' key.
pub fn keyring() -> Keyring {
    let key = secret_key().to_public_key();
    let armoured = key.to_armored_string(ArmorOptions::default()).expect("an armoured key");
    Keyring::parse([armoured.as_str()]).expect("a keyring")
}

fn secret_key() -> SignedSecretKey {
    SignedSecretKey::from_string(SECRET_KEY).expect("the tests' key").0
}

/// A point in time, as `2026-11-17T12:00:00Z`.
pub fn time(text: &str) -> jiff::Timestamp {
    text.parse().expect("a time")
}

/// Clear-signs `text` at `at` with the tests' subkey.
pub fn sign(text: &str, at: jiff::Timestamp) -> String {
    let secret = secret_key();
    let key = &secret.secret_subkeys[0].key;
    let at = Timestamp::from_secs(u32::try_from(at.as_second()).expect("seconds"));
    let mut config =
        SignatureConfig::v4(SignatureType::Text, key.algorithm(), HashAlgorithm::Sha512);
    config.hashed_subpackets = [
        SubpacketData::SignatureCreationTime(at),
        SubpacketData::IssuerFingerprint(key.fingerprint()),
    ]
    .map(|data| Subpacket::regular(data).expect("a subpacket"))
    .into();
    CleartextSignedMessage::new(text, config, key, &Password::empty())
        .and_then(|message| message.to_armored_string(ArmorOptions::default()))
        .expect("a signed message")
}

/// The detached signature of `bytes` at `at` by the tests' subkey.
pub fn sign_beside(bytes: &[u8], at: jiff::Timestamp) -> String {
    let secret = secret_key();
    let key = &secret.secret_subkeys[0].key;
    let at = Timestamp::from_secs(u32::try_from(at.as_second()).expect("seconds"));
    let mut config =
        SignatureConfig::v4(SignatureType::Binary, key.algorithm(), HashAlgorithm::Sha512);
    config.hashed_subpackets = [
        SubpacketData::SignatureCreationTime(at),
        SubpacketData::IssuerFingerprint(key.fingerprint()),
    ]
    .map(|data| Subpacket::regular(data).expect("a subpacket"))
    .into();
    config
        .sign(key, &Password::empty(), bytes)
        .and_then(|signature| {
            DetachedSignature::new(signature).to_armored_string(ArmorOptions::default())
        })
        .expect("a signature")
}

/// The files of places, by URL, and what was asked of them.
#[derive(Default)]
pub struct Mirror {
    pub files: BTreeMap<String, Vec<u8>>,
    /// URLs that fail as an unreachable place does.
    pub unreachable: Vec<String>,
    asked: Mutex<Vec<String>>,
}

impl Get for Mirror {
    fn get(&self, url: &Url, limit: u64) -> Result<Vec<u8>, GetError> {
        self.asked.lock().expect("no panic before").push(url.to_string());
        let failed = |why: &str| GetError::Failed { url: url.clone(), source: why.into() };
        if self.unreachable.iter().any(|start| url.as_str().starts_with(start)) {
            return Err(failed("no route to host"));
        }
        match self.files.get(url.as_str()) {
            None => Err(GetError::NotFound { url: url.clone() }),
            Some(bytes) if bytes.len() as u64 > limit => Err(failed("too many bytes")),
            Some(bytes) => Ok(bytes.clone()),
        }
    }
}

impl Mirror {
    /// What was asked for since the last time, sorted.
    pub fn take_asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().expect("no panic before"));
        asked.sort();
        asked
    }

    /// The only file whose URL ends so.
    pub fn file(&mut self, end: &str) -> &mut Vec<u8> {
        let mut found = self.files.iter_mut().filter(|(url, _)| url.ends_with(end));
        let (_, bytes) = found.next().expect("such a file");
        assert!(found.next().is_none(), "only one file ends in {end}");
        bytes
    }

    /// Publishes a suite with one index for each architecture.
    pub fn publish(&mut self, release: &ReleaseText, indexes: &[(&str, &str)]) {
        let mut text = release.fields();
        text.push_str("SHA256:\n");
        for (arch, packages) in indexes {
            let (file, bytes) = release.pack(packages);
            let digest = Sha256::of(&bytes);
            let dir = format!("main/binary-{arch}");
            let size = bytes.len();
            writeln!(text, " {digest} {size} {dir}/{file}").expect("memory");
            let dir = format!("{}/dists/{}/{dir}", release.base, release.served_as);
            if release.by_hash {
                self.files.insert(format!("{dir}/by-hash/SHA256/{digest}"), bytes.clone());
            }
            self.files.insert(format!("{dir}/{file}"), bytes);
        }
        let signed = sign(&text, release.signed_at);
        let url = format!("{}/dists/{}/InRelease", release.base, release.served_as);
        self.files.insert(url, signed.into_bytes());
    }
}

/// What a release says.
pub struct ReleaseText {
    pub base: String,
    pub served_as: String,
    pub origin: &'static str,
    pub codename: &'static str,
    pub valid_until: Option<&'static str>,
    pub signed_at: jiff::Timestamp,
    pub by_hash: bool,
    pub gzip: bool,
}

impl ReleaseText {
    /// A release by Debian, good in every respect.
    pub fn of(codename: &'static str) -> Self {
        Self {
            base: BASE.to_owned(),
            served_as: codename.to_owned(),
            origin: "Debian",
            codename,
            valid_until: Some("Tue, 24 Nov 2026 12:00:00 UTC"),
            signed_at: time("2026-11-17T12:00:00Z"),
            by_hash: false,
            gzip: false,
        }
    }

    fn fields(&self) -> String {
        let Self { origin, codename, .. } = self;
        let mut text = format!(
            "Origin: {origin}\nSuite: role\nCodename: {codename}\n\
             Date: Tue, 17 Nov 2026 12:00:00 UTC\n"
        );
        if let Some(end) = self.valid_until {
            writeln!(text, "Valid-Until: {end}").expect("memory");
        }
        if self.by_hash {
            text.push_str("Acquire-By-Hash: yes\n");
        }
        text
    }

    fn pack(&self, packages: &str) -> (&'static str, Vec<u8>) {
        if self.gzip {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(packages.as_bytes()).expect("memory");
            return ("Packages.gz", gzip.finish().expect("memory"));
        }
        let mut xz = xz2::write::XzEncoder::new(Vec::new(), 0);
        xz.write_all(packages.as_bytes()).expect("memory");
        ("Packages.xz", xz.finish().expect("memory"))
    }
}

/// An index from lines `name version arch [field: value; field: value]`.
pub fn packages(lines: &[&str]) -> String {
    lines.iter().map(|line| stanza(line)).collect::<Vec<_>>().join("\n")
}

fn stanza(line: &str) -> String {
    let (head, fields) = line.split_once('[').unwrap_or((line, ""));
    let words: Vec<&str> = head.split_whitespace().collect();
    let [name, version, arch] = words[..] else { panic!("name, version, arch: {line}") };
    let file = format!("pool/main/{name}_{version}_{arch}.deb");
    let digest = Sha256::of(file.as_bytes());
    let fields = fields.trim_end_matches(']').replace("; ", "\n");
    let end = if fields.is_empty() { "" } else { "\n" };
    format!(
        "Package: {name}\nVersion: {version}\nArchitecture: {arch}\nFilename: {file}\nSize: 7\n\
         SHA256: {digest}\n{fields}{end}"
    )
}

/// Places: `debian` and `debian-security` at [`BASE`].
pub fn bases() -> Bases {
    let base: Url = BASE.parse().expect("a URL");
    let settings = ["debian", "debian-security"].map(|name| (name.to_owned(), vec![base.clone()]));
    Bases { settings: settings.into(), ..Bases::default() }
}

/// A suite with the component `main`.
pub fn suite(archive: &str, name: &str) -> Suite {
    Suite {
        archive: archive.to_owned(),
        name: name.to_owned(),
        components: vec!["main".to_owned()],
    }
}

/// A set of packages for amd64.
pub fn component(roots: &[&str], exclude: &[&str]) -> Component {
    Component {
        name: "tools".to_owned(),
        arch: "amd64".to_owned(),
        roots: relations(roots),
        exclude: exclude.iter().map(|&glob| glob.to_owned()).collect(),
    }
}

/// Relations, each from its text.
pub fn relations(texts: &[&str]) -> Vec<Relation> {
    texts.iter().map(|text| Relation::parse(text).expect("a relation")).collect()
}
