//! The signatures of pinned files whose recipe names a minisign key.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;

use crate::lockfile::{Artifact, SignedFile};
use crate::ops::context::Context;
use crate::ops::error::Error;
use crate::recipe::PinnedArtifact;
use crate::upstream::minisign::{MinisignError, Signature};
use crate::upstream::{Get, GetError};
use crate::vocab::event::Event;
use crate::vocab::url::Url;

/// The signatures that one lock asks for: each once, whatever the number of hosts and targets, and
/// none at a server that did not answer.
pub struct Signatures<'a> {
    get: &'a dyn Get,
    found: RefCell<BTreeMap<Url, Option<SignedFile>>>,
    silent: RefCell<BTreeSet<String>>,
    missed: RefCell<BTreeMap<String, String>>,
}

impl<'a> Signatures<'a> {
    /// None asked for yet.
    pub fn new(get: &'a dyn Get) -> Self {
        let (found, silent, missed) = Default::default();
        Self { get, found, silent, missed }
    }

    /// The signature of a pinned file, from the first of its places that has a good one. `None`
    /// where the recipe names no key, and where no place can be reached or has any: then the digest
    /// in the recipe stands alone. A signature that is wrong is an error.
    pub fn of(&self, artifact: &PinnedArtifact, name: &str) -> Result<Option<SignedFile>, Error> {
        let Some(key) = &artifact.minisign else { return Ok(None) };
        let label = format!("{name} {}", artifact.version);
        let mut wrong = None;
        for url in &artifact.urls {
            match self.at(url, key, &label) {
                Ok(Some(signature)) => return Ok(Some(signature)),
                Ok(None) => {}
                Err(error) => wrong = wrong.or(Some(error)),
            }
        }
        match wrong {
            Some(source) => Err(Error::Minisign { artifact: label, source }),
            None => Ok(None),
        }
    }

    fn at(&self, url: &Url, key: &str, label: &str) -> Result<Option<SignedFile>, MinisignError> {
        if let Some(known) = self.found.borrow().get(url) {
            return Ok(known.clone());
        }
        let server = server(url);
        if self.silent.borrow().contains(server) {
            return Ok(None);
        }
        let signature = match Signature::fetch(self.get, url, key) {
            Ok(Signature { key, text }) => Some(SignedFile { key, signature: text }),
            Err(MinisignError::Get(error)) => {
                if let GetError::Failed { .. } = error {
                    self.silent.borrow_mut().insert(server.to_owned());
                }
                let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
                let why = format!("{error}{cause}");
                // What several tries came to has lines of its own; the last says it all.
                let why = why.lines().last().unwrap_or_default().trim().to_owned();
                self.missed.borrow_mut().entry(label.to_owned()).or_insert(why);
                None
            }
            Err(wrong) => return Err(wrong),
        };
        self.found.borrow_mut().insert(url.clone(), signature.clone());
        Ok(signature)
    }

    /// One line about those that could not be had.
    pub fn say(&self, context: &Context<'_>) {
        let missed = self.missed.borrow();
        let Some(why) = missed.values().next() else { return };
        let labels = missed.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let note = format!(
            "{labels}: without signature, by the digest in the recipe alone; `xprov update` asks \
             for it again ({why})"
        );
        context.observer.event(Event::Note(note));
    }
}

/// Scheme, name and port.
fn server(url: &Url) -> &str {
    let text = url.as_str();
    let start = text.find("://").map_or(0, |at| at + 3);
    let end = text[start..].find('/').map_or(text.len(), |at| start + at);
    &text[..end]
}

/// The signature in a lock, to check bytes with as they come, and the name that they are signed
/// under.
pub fn of_lock<'a>(artifact: &Artifact, urls: &'a [Url]) -> Option<(Signature, &'a Url)> {
    let SignedFile { key, signature } = artifact.minisign.as_ref()?;
    Some((Signature { key: key.clone(), text: signature.clone() }, urls.first()?))
}
