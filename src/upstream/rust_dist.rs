//! The Rust project's releases as an upstream: components with their pins, from a release manifest.
//!
//! The chain of trust is the manifest (`OpenPGP` signature, or where a server has none, the digest
//! beside it) → component archive (digest in the manifest, pinned in the lock). It runs at lock time
//! only; restoring needs a server, the dated path and the pin. `docs/upstream-rust.md` explains it.

mod channel;
mod manifest;

pub use channel::{Channel, InvalidChannel};
pub use manifest::{DistArtifact, Manifest, ManifestError};

use super::signature::{Keyring, SignatureError};
use super::{Get, GetError};
use crate::vocab::digest::Sha256;
use crate::vocab::url::Url;

/// The key of the Rust project's releases, 108F 6620 5EAE B0AA A8DD 5E1C 85AB 96E6 FA1B E5FE, as
/// Debian's source package of rustc (1.63.0+dfsg1-2, `debian/upstream/signing-key.asc`) carries it.
const RELEASE_KEY: &str = include_str!("keys/rust-release.asc");

/// The embedded key of Rust's releases.
pub fn release_keyring() -> Result<Keyring, SignatureError> {
    Keyring::parse([RELEASE_KEY])
}

/// Why a release cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RustDistError {
    /// No server is known.
    #[error("no server of Rust's releases is known")]
    NoServer,
    /// A server has no such release.
    #[error("there is no Rust {channel} at {server}")]
    NoRelease {
        /// What was asked for.
        channel: Channel,
        /// The server that was asked first.
        server: Url,
    },
    /// A document could not be had.
    #[error("the release manifest of Rust {channel} cannot be had")]
    Get {
        /// What was asked for.
        channel: Channel,
        /// The cause.
        source: GetError,
    },
    /// There is a signature, and it does not hold.
    #[error("the signature of {url} does not hold")]
    Signature {
        /// The manifest.
        url: Url,
        /// What is wrong with it.
        source: Box<SignatureError>,
    },
    /// The manifest has neither a signature nor a digest beside it.
    #[error("{url} has neither a signature nor a digest beside it")]
    Unattested {
        /// The manifest.
        url: Url,
    },
    /// The digest beside the manifest is another.
    #[error("{url} has the digest {actual}, and {expected} is published beside it")]
    Digest {
        /// The manifest.
        url: Url,
        /// What `.sha256` says.
        expected: String,
        /// What was served.
        actual: Sha256,
    },
    /// What was served as a manifest is none.
    #[error("{url} is no manifest of Rust {channel}: {source}")]
    Manifest {
        /// Where it was.
        url: Url,
        /// What was asked for.
        channel: Channel,
        /// What is wrong.
        source: ManifestError,
    },
    /// A manifest names an archive where none can be.
    #[error("a release manifest cannot be used: {source}")]
    Address {
        /// What is wrong.
        source: ManifestError,
    },
}

impl RustDistError {
    /// Whether bytes were had and are not to be trusted, as opposed to not had at all.
    pub fn is_integrity(&self) -> bool {
        match self {
            Self::NoServer | Self::NoRelease { .. } | Self::Get { .. } => false,
            Self::Signature { .. }
            | Self::Unattested { .. }
            | Self::Digest { .. }
            | Self::Manifest { .. }
            | Self::Address { .. } => true,
        }
    }

    /// What to do about it, as a sentence without a full stop.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoServer => {
                "name one in the settings: `mirrors = { rust = [\"https://…/dist\"] }`"
            }
            Self::NoRelease { .. } => {
                "ask for another version in the settings, say `rust.version = \"1.95.0\"`, or for a \
                 dated nightly, `\"nightly-2026-05-20\"`"
            }
            Self::Get { .. } => {
                "check the network and the proxy variables, or name a mirror in the settings: \
                 `mirrors = { rust = [\"https://…/dist\"] }`; `rust.recipe = \"rust-debian\"` takes \
                 Debian's Rust"
            }
            Self::Signature { .. }
            | Self::Unattested { .. }
            | Self::Digest { .. }
            | Self::Manifest { .. }
            | Self::Address { .. } => {
                "try again later, or name another mirror in the settings: \
                 `mirrors = { rust = [\"https://…/dist\"] }`"
            }
        }
    }
}

/// A release, as far as it can be trusted.
#[derive(Debug)]
pub struct Release {
    /// What it consists of.
    pub manifest: Manifest,
    /// The fingerprint of the key that signed the manifest; `None` where the server has no
    /// signature, and only the digest beside the manifest attests it.
    pub signer: Option<String>,
}

/// That of 1.95.0 has 1 MB.
const LIMIT: u64 = 16 << 20;

/// A digest or a signature.
const SMALL: u64 = 1 << 16;

/// Fetches the manifest of a release from the first of `servers` that has it, and checks it. A
/// server is the URL of a `dist` directory.
pub fn release(
    get: &dyn Get,
    servers: &[Url],
    keyring: &Keyring,
    channel: &Channel,
) -> Result<Release, RustDistError> {
    let first = servers.first().ok_or(RustDistError::NoServer)?;
    let mut failure = None;
    for server in servers {
        let url = server.join(&channel.manifest_path());
        match get.get(&url, LIMIT) {
            Ok(bytes) => return checked(get, keyring, channel, &url, &bytes),
            Err(GetError::NotFound { .. }) => {}
            Err(source) => failure = failure.or(Some(source)),
        }
    }
    Err(match failure {
        Some(source) => RustDistError::Get { channel: channel.clone(), source },
        None => RustDistError::NoRelease { channel: channel.clone(), server: first.clone() },
    })
}

fn checked(
    get: &dyn Get,
    keyring: &Keyring,
    channel: &Channel,
    url: &Url,
    bytes: &[u8],
) -> Result<Release, RustDistError> {
    let beside = |suffix: &str| {
        let url: Url = format!("{}.{suffix}", url.as_str()).parse().unwrap_or_else(|_| url.clone());
        match get.get(&url, SMALL) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(GetError::NotFound { .. }) => Ok(None),
            Err(source) => Err(RustDistError::Get { channel: channel.clone(), source }),
        }
    };
    let signer = if let Some(armoured) = beside("asc")? {
        let signer = keyring.verify_detached(&armoured, bytes);
        Some(signer.map_err(|source| RustDistError::Signature {
            url: url.clone(),
            source: Box::new(source),
        })?)
    } else {
        let beside = beside("sha256")?;
        let beside = beside.ok_or_else(|| RustDistError::Unattested { url: url.clone() })?;
        let expected = beside.split_whitespace().next().unwrap_or_default();
        let actual = Sha256::of(bytes);
        if !expected.eq_ignore_ascii_case(&actual.to_string()) {
            let expected = expected.to_owned();
            return Err(RustDistError::Digest { url: url.clone(), expected, actual });
        }
        None
    };
    let manifest = Manifest::parse(bytes, channel).map_err(|source| RustDistError::Manifest {
        url: url.clone(),
        channel: channel.clone(),
        source,
    })?;
    Ok(Release { manifest, signer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_key_is_the_one_of_rusts_releases_and_may_sign() {
        let keyring = release_keyring().expect("a key");
        let signers: Vec<String> = keyring.signers().collect();
        assert!(
            signers.contains(&"108F66205EAEB0AAA8DD5E1C85AB96E6FA1BE5FE".to_owned()),
            "{signers:?}"
        );
        assert!(
            signers.contains(&"C13466B7E169A085188632165CB4A9347B3B09DC".to_owned()),
            "{signers:?}"
        );
    }
}
