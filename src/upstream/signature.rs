//! Clear-signed and detached `OpenPGP` signatures against a set of trusted keys.
//!
//! Knows nothing of what the signed text means, nor of where keys or messages come from.

use std::io::Cursor;

use pgp::composed::{CleartextSignedMessage, Deserializable, DetachedSignature, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{PublicKey, PublicSubkey, Signature, SignatureType};
use pgp::types::{Fingerprint, KeyDetails, KeyId, Tag};

/// Why a message or a key is not to be trusted.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// A trusted key could not be read, or its own signatures do not hold.
    #[error("a trusted key cannot be read")]
    Key {
        /// The cause.
        source: pgp::errors::Error,
    },
    /// There is no clear-signed message, or text stands outside of it.
    #[error("it is not one clear-signed message and nothing else")]
    NotClearSigned {
        /// The cause.
        source: pgp::errors::Error,
    },
    /// There is no detached signature.
    #[error("it is not a detached signature")]
    NotDetached {
        /// The cause.
        source: pgp::errors::Error,
    },
    /// Every signature is by a key that is not trusted here.
    #[error("no signature is by a known key (signed by {})", or_nobody(.signers))]
    UnknownKey {
        /// Who signed, as the signatures themselves say.
        signers: Vec<String>,
    },
    /// A known key's signature does not match the text: one of both was changed.
    #[error("the signature of key {fingerprint} does not match the text")]
    Bad {
        /// The known key.
        fingerprint: String,
        /// The cause.
        source: pgp::errors::Error,
    },
    /// A known key signed when it was not valid: before it existed, or after it expired.
    #[error("key {fingerprint} was not valid when it signed")]
    NotValidThen {
        /// The known key.
        fingerprint: String,
    },
    /// A known key signed with a digest that can be forged.
    #[error("key {fingerprint} signed over a {algorithm} digest, which can be forged")]
    WeakDigest {
        /// The known key.
        fingerprint: String,
        /// The digest.
        algorithm: HashAlgorithm,
    },
}

fn or_nobody(signers: &[String]) -> String {
    if signers.is_empty() { "nobody".to_owned() } else { signers.join(", ") }
}

/// The keys that are trusted to sign.
pub struct Keyring {
    signers: Vec<Signer>,
}

/// A primary key or a subkey that may sign, and when.
struct Signer {
    key: SignerKey,
    fingerprint: Fingerprint,
    id: KeyId,
    created: u64,
    expires: Option<u64>,
}

enum SignerKey {
    Primary(PublicKey),
    Sub(PublicSubkey),
}

/// Text that a trusted key has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Exactly what was signed, with `\n` line ends.
    pub text: String,
    /// The fingerprint of the key or subkey that signed, in upper-case hexadecimal digits.
    pub signer: String,
}

impl Keyring {
    /// The keyring of these armoured public keys; each text may hold several.
    pub fn parse<'a>(armoured: impl IntoIterator<Item = &'a str>) -> Result<Self, SignatureError> {
        let bad = |source| SignatureError::Key { source };
        let mut signers = Vec::new();
        for text in armoured {
            let (keys, _) = SignedPublicKey::from_armor_many(Cursor::new(text)).map_err(bad)?;
            for key in keys {
                signers.extend(signers_of(key.map_err(bad)?).map_err(bad)?);
            }
        }
        Ok(Self { signers })
    }

    /// The fingerprints of the keys and subkeys that may sign.
    pub fn signers(&self) -> impl Iterator<Item = String> {
        self.signers.iter().map(Signer::name)
    }

    /// Checks a clear-signed message. One good signature by a trusted key, valid when it signed,
    /// is enough; signatures by other keys are ignored.
    pub fn verify(&self, message: &str) -> Result<Signed, SignatureError> {
        let (message, _) = CleartextSignedMessage::from_string(message.trim_end())
            .map_err(|source| SignatureError::NotClearSigned { source })?;
        let text = message.signed_text();
        let signer = self.signer_of(message.signatures().iter(), text.as_bytes())?;
        Ok(Signed { text: text.replace("\r\n", "\n"), signer })
    }

    /// Checks the armoured signatures that came beside `content`, by the same rules; returns the
    /// fingerprint of the key or subkey that signed.
    pub fn verify_detached(
        &self,
        signatures: &str,
        content: &[u8],
    ) -> Result<String, SignatureError> {
        let bad = |source| SignatureError::NotDetached { source };
        let (found, _) =
            DetachedSignature::from_armor_many(Cursor::new(signatures)).map_err(bad)?;
        let found = found.collect::<Result<Vec<_>, _>>().map_err(bad)?;
        self.signer_of(found.iter().map(|detached| &detached.signature), content)
    }

    fn signer_of<'a>(
        &self,
        signatures: impl Iterator<Item = &'a Signature> + Clone,
        content: &[u8],
    ) -> Result<String, SignatureError> {
        let mut refused = None;
        for signature in signatures.clone() {
            for signer in self.signers.iter().filter(|signer| signer.issued(signature)) {
                match signer.check(signature, content) {
                    Ok(()) => return Ok(signer.name()),
                    Err(error) => refused = refused.or(Some(error)),
                }
            }
        }
        Err(refused.unwrap_or_else(|| SignatureError::UnknownKey {
            signers: signatures.flat_map(claimed_signers).collect(),
        }))
    }
}

impl Signer {
    fn name(&self) -> String {
        format!("{:X}", self.fingerprint)
    }

    /// Whether the signature says that this key made it.
    fn issued(&self, signature: &Signature) -> bool {
        signature.issuer_fingerprint().contains(&&self.fingerprint)
            || signature.issuer_key_id().contains(&&self.id)
    }

    fn check(&self, signature: &Signature, content: &[u8]) -> Result<(), SignatureError> {
        let fingerprint = self.name();
        let bad = |source| SignatureError::Bad { fingerprint: self.name(), source };
        if !matches!(signature.typ(), Some(SignatureType::Text | SignatureType::Binary)) {
            return Err(bad("it is not a signature of a text".to_owned().into()));
        }
        match signature.hash_alg() {
            Some(HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512) => {}
            other => {
                let algorithm = other.unwrap_or(HashAlgorithm::None);
                return Err(SignatureError::WeakDigest { fingerprint, algorithm });
            }
        }
        match &self.key {
            SignerKey::Primary(key) => signature.verify(key, content),
            SignerKey::Sub(key) => signature.verify(key, content),
        }
        .map_err(bad)?;
        let made = signature.created().map(|time| u64::from(time.as_secs()));
        let valid = made
            .is_some_and(|made| made >= self.created && self.expires.is_none_or(|end| made < end));
        if valid { Ok(()) } else { Err(SignatureError::NotValidThen { fingerprint }) }
    }
}

fn claimed_signers(signature: &Signature) -> Vec<String> {
    let fingerprints = signature.issuer_fingerprint();
    if fingerprints.is_empty() {
        return signature.issuer_key_id().iter().map(|id| id.to_string().to_uppercase()).collect();
    }
    fingerprints.iter().map(|print| format!("{print:X}")).collect()
}

/// The parts of a key that may sign. A revoked key or subkey may not.
fn signers_of(key: SignedPublicKey) -> pgp::errors::Result<Vec<Signer>> {
    let SignedPublicKey { primary_key, details, public_subkeys } = key;
    let mut signers = Vec::new();
    if !details.revocation_signatures.is_empty() {
        return Ok(signers);
    }
    let mut self_signatures: Vec<&Signature> = details.direct_signatures.iter().collect();
    for signature in &self_signatures {
        signature.verify_key(&primary_key)?;
    }
    for user in &details.users {
        for signature in user.signatures.iter().filter(|s| is_by(s, &primary_key)) {
            signature.verify_certification(&primary_key, Tag::UserId, &user.id)?;
            self_signatures.push(signature);
        }
    }
    let newest = self_signatures.into_iter().max_by_key(|signature| signature.created());
    let Some(newest) = newest else { return Ok(signers) };
    let primary_end = end_of(&primary_key, newest);
    for subkey in public_subkeys {
        let revoked =
            subkey.signatures.iter().any(|s| s.typ() == Some(SignatureType::SubkeyRevocation));
        let Some(binding) = subkey.signatures.iter().max_by_key(|s| s.created()) else { continue };
        if revoked || !binding.key_flags().sign() {
            continue;
        }
        subkey.verify_bindings(&primary_key)?;
        let end = end_of(&subkey.key, binding);
        let expires = [primary_end, end].into_iter().flatten().min();
        signers.push(signer(SignerKey::Sub(subkey.key.clone()), &subkey.key, expires));
    }
    if newest.key_flags().sign() {
        signers.push(signer(SignerKey::Primary(primary_key.clone()), &primary_key, primary_end));
    }
    Ok(signers)
}

fn signer(key: SignerKey, details: &impl KeyDetails, expires: Option<u64>) -> Signer {
    Signer {
        key,
        fingerprint: details.fingerprint(),
        id: details.legacy_key_id(),
        created: u64::from(details.created_at().as_secs()),
        expires,
    }
}

fn is_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    signature.issuer_fingerprint().contains(&&key.fingerprint())
        || signature.issuer_key_id().contains(&&key.legacy_key_id())
}

/// When a key ends, in seconds since 1970; the signature counts from the key's creation.
fn end_of(key: &impl KeyDetails, signature: &Signature) -> Option<u64> {
    let lifetime = signature.key_expiration_time()?.as_secs();
    (lifetime > 0).then(|| u64::from(key.created_at().as_secs()) + u64::from(lifetime))
}
