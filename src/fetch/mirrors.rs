//! Which URL is next: several URLs for the same bytes, each with a bounded number of tries.
//! Makes no request and never sleeps.

use std::time::Duration;

use crate::fetch::error::{Attempt, FetchError};
use crate::fetch::reason::Reason;
use crate::fetch::retry;
use crate::vocab::url::Url;

/// So many new bytes forgive the failures before them: a line that breaks now and then still
/// brings a large artifact home, and one that brings nothing is soon given up.
const FORGIVEN_AFTER: u64 = 1 << 20;

/// What to do after a failure.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask the same URL again after this pause.
    Again(Duration),
    /// Ask the next URL now, if there is one.
    Other,
}

/// The URLs of one artifact and how far through them a fetch is.
pub(super) struct Mirrors<'a> {
    urls: &'a [Url],
    current: usize,
    tries: u32,
    backoff: Duration,
    failures: u32,
    fresh: u64,
    given_up: Vec<Attempt>,
}

impl<'a> Mirrors<'a> {
    /// Starts with the first URL; each gets `tries` tries, with `backoff` before the second.
    pub fn new(urls: &'a [Url], tries: u32, backoff: Duration) -> Self {
        Self { urls, current: 0, tries, backoff, failures: 0, fresh: 0, given_up: Vec::new() }
    }

    /// The URL to ask now, and its position; `None` when all were given up.
    pub fn current(&self) -> Option<(usize, &'a Url)> {
        self.urls.get(self.current).map(|url| (self.current, url))
    }

    /// Takes note of new bytes from the current URL.
    pub fn arrived(&mut self, bytes: usize) {
        self.fresh += bytes as u64;
        if self.fresh >= FORGIVEN_AFTER {
            self.failures = 0;
            self.fresh = 0;
        }
    }

    /// Takes note of a failure of the current URL and decides what follows.
    pub fn failed(&mut self, reason: Reason) -> Next {
        self.failures += 1;
        self.fresh = 0;
        if retry::is_transient(&reason) && self.failures < self.tries {
            return Next::Again(retry::delay(self.backoff, self.failures, &reason));
        }
        if let Some(url) = self.urls.get(self.current) {
            self.given_up.push(Attempt { url: url.clone(), reason });
        }
        self.current += 1;
        self.failures = 0;
        Next::Other
    }

    /// The error for a fetch that has no URL left.
    pub fn exhausted(&mut self, label: &str) -> FetchError {
        FetchError::exhausted(label, std::mem::take(&mut self.given_up))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn urls() -> Vec<Url> {
        ["http://one.test/", "http://two.test/"].map(|url| url.parse().expect("a URL")).to_vec()
    }

    fn broken() -> Reason {
        Reason::Broken("cut".into())
    }

    #[test]
    fn each_url_has_its_own_tries() {
        let urls = urls();
        let mut mirrors = Mirrors::new(&urls, 2, MS);
        assert_eq!(mirrors.failed(broken()), Next::Again(MS));
        assert_eq!(mirrors.failed(broken()), Next::Other);
        assert_eq!(mirrors.current(), Some((1, &urls[1])));
        assert_eq!(mirrors.failed(Reason::NotFound), Next::Other);
        assert_eq!(mirrors.current(), None);
        let FetchError::Failed { attempts, .. } = mirrors.exhausted("x") else {
            panic!("the list of both");
        };
        assert_eq!(attempts.len(), 2);
    }

    #[test]
    fn much_progress_forgives_failures_and_little_does_not() {
        let urls = urls();
        let mut mirrors = Mirrors::new(&urls, 2, MS);
        mirrors.failed(broken());
        mirrors.arrived(1 << 20);
        assert_eq!(mirrors.failed(broken()), Next::Again(MS));
        mirrors.arrived(100);
        assert_eq!(mirrors.failed(broken()), Next::Other);
    }
}
