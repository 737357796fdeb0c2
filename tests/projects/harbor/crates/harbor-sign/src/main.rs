//! Hashes, authenticates, signs and seals a manifest with ring, and checks each result.
//!
//! The keys are constants, so that the output is too: an example, not a way to keep secrets.

use std::fmt::Write as _;

use ring::error::Unspecified;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use ring::{aead, digest, hmac};

const KEY: [u8; 32] = *b"thirty-two bytes of harbour key!";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let manifest = harbor::manifest(&harbor::sample(100));
    print!("{}", report(manifest.as_bytes()).map_err(|_| "a cryptographic check failed")?);
    Ok(())
}

fn report(manifest: &[u8]) -> Result<String, Unspecified> {
    Ok(format!(
        "sha256       {}\nhmac-sha256  {}\ned25519      {}\naes-256-gcm  {}\nrandom       {}\n",
        hex(digest::digest(&digest::SHA256, manifest).as_ref()),
        authenticate(manifest)?,
        sign(manifest)?,
        seal(manifest)?,
        random()?,
    ))
}

fn authenticate(manifest: &[u8]) -> Result<String, Unspecified> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &KEY);
    let tag = hmac::sign(&key, manifest);
    hmac::verify(&key, manifest, tag.as_ref())?;
    Ok(hex(tag.as_ref()))
}

fn sign(manifest: &[u8]) -> Result<String, Unspecified> {
    let pair = Ed25519KeyPair::from_seed_unchecked(&KEY).map_err(|_| Unspecified)?;
    let signature = pair.sign(manifest);
    let public = UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref());
    public.verify(manifest, signature.as_ref())?;
    let tampered = [manifest, b"one more container"].concat();
    match public.verify(&tampered, signature.as_ref()) {
        Ok(()) => Err(Unspecified),
        Err(Unspecified) => Ok(format!("{}, tampering noticed", hex(&signature.as_ref()[..16]))),
    }
}

fn seal(manifest: &[u8]) -> Result<String, Unspecified> {
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, &KEY)?);
    let nonce = || aead::Nonce::assume_unique_for_key([7; aead::NONCE_LEN]);
    let mut sealed = manifest.to_vec();
    key.seal_in_place_append_tag(nonce(), aead::Aad::empty(), &mut sealed)?;
    let tag = hex(&sealed[manifest.len()..]);
    match key.open_in_place(nonce(), aead::Aad::empty(), &mut sealed)? {
        opened if opened == manifest => Ok(tag),
        _ => Err(Unspecified),
    }
}

/// Two reads from the system's generator, which must differ.
fn random() -> Result<&'static str, Unspecified> {
    let (mut first, mut second) = ([0; 32], [0; 32]);
    let system = SystemRandom::new();
    system.fill(&mut first)?;
    system.fill(&mut second)?;
    if first == second { Err(Unspecified) } else { Ok("ok") }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_the_expected_one() {
        let manifest = harbor::manifest(&harbor::sample(100));
        let expected = std::fs::read_to_string("../../expected/harbor-sign.txt").expect("a file");
        assert_eq!(report(manifest.as_bytes()).expect("a report"), expected);
    }

    #[test]
    fn sha256_of_nothing_is_the_known_one() {
        let text = hex(digest::digest(&digest::SHA256, b"").as_ref());
        assert!(text.starts_with("e3b0c44298fc1c14"), "{text}");
    }
}
