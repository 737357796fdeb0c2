//! What long operations tell whoever watches. The library reports; only `cli` draws.

use std::sync::atomic::{AtomicU64, Ordering};

/// One thing that happened, or is about to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A wait that may exceed a second begins; the text says for what.
    Waiting(String),
    /// A step that is worth one line in every log (`Locking`, `Composing`, …): verb and subject.
    Step {
        /// What is done, one capitalised word.
        verb: &'static str,
        /// What it is done to.
        subject: String,
    },
    /// Bytes of an artifact start to arrive.
    FetchStarted {
        /// A number that is the same in all events of this fetch.
        id: u64,
        /// The artifact's name for the human reader.
        artifact: String,
        /// Its size in bytes where the pin or the server tells.
        size: Option<u64>,
    },
    /// So many bytes of the artifact have arrived in all.
    FetchProgress {
        /// The fetch.
        id: u64,
        /// Bytes so far.
        bytes: u64,
    },
    /// The artifact arrived whole and matches its pin, or was given up.
    FetchFinished {
        /// The fetch.
        id: u64,
        /// Bytes that came over the network, without those resumed from an earlier try.
        bytes: u64,
        /// Whether it is there now.
        complete: bool,
    },
    /// An attempt failed and another one follows.
    Retrying {
        /// What is tried again: a URL.
        subject: String,
        /// Why the last attempt failed.
        reason: String,
        /// Milliseconds until the next attempt.
        delay_ms: u64,
    },
    /// Something that the user should know although it stops nothing.
    Warning(String),
    /// Something worth saying once.
    Note(String),
}

/// Receives events, from several threads at once.
pub trait Observer: Sync {
    /// Called for every event, in the order of each thread.
    fn event(&self, event: Event);

    /// Whether a note reaches anybody: what is said once must wait for someone who hears it.
    fn hears_notes(&self) -> bool {
        true
    }

    /// Called for a line that a child process wrote to its standard output and that had to be read
    /// on its way: data for whoever called us, and no event.
    fn child_output(&self, _line: &str) {}
}

/// Watches nothing.
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: Event) {}
}

/// A number for the events of one fetch, unique in this process.
pub fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
