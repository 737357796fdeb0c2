//! The signatures of pinned files whose recipe names a minisign key.

use crate::lockfile::{Artifact, SignedFile};
use crate::recipe::PinnedArtifact;
use crate::upstream::Get;
use crate::upstream::minisign::{MinisignError, Signature};
use crate::vocab::url::Url;

/// The signature of a pinned file, from the first of its places that has one; `None` where the
/// recipe names no key.
pub fn signature(
    get: &dyn Get,
    artifact: &PinnedArtifact,
) -> Result<Option<SignedFile>, MinisignError> {
    let Some(key) = &artifact.minisign else { return Ok(None) };
    let mut last = None;
    for url in &artifact.urls {
        match Signature::fetch(get, url, key) {
            Ok(Signature { key, text }) => return Ok(Some(SignedFile { key, signature: text })),
            Err(error) => last = last.or(Some(error)),
        }
    }
    last.map_or(Ok(None), Err)
}

/// The signature in a lock, to check bytes with as they come, and the name that they are signed
/// under.
pub fn of_lock<'a>(artifact: &Artifact, urls: &'a [Url]) -> Option<(Signature, &'a Url)> {
    let SignedFile { key, signature } = artifact.minisign.as_ref()?;
    Some((Signature { key: key.clone(), text: signature.clone() }, urls.first()?))
}
