//! What can go wrong with a fetch, in words for the reader and in variants for the caller; knows
//! nothing of how a request is made.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use crate::fetch::reason::{Reason, WrongBytes};
use crate::vocab::url::Url;

/// Why an artifact or a document could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Every URL answered that it does not have it (404, 410, no such file).
    #[error("`{label}` is not there: {}", list(urls))]
    NotFound {
        /// The artifact's name for the reader.
        label: String,
        /// Where it was looked for.
        urls: Vec<Url>,
    },
    /// No URL served the pinned bytes and at least one served others.
    #[error("`{label}` does not match its pin\n{wrong}{}", lines(others))]
    Mismatch {
        /// The artifact's name for the reader.
        label: String,
        /// What came instead.
        wrong: Box<WrongBytes>,
        /// How the other URLs failed.
        others: Vec<Attempt>,
    },
    /// What a server sends exceeds the limit for something whose size is not pinned.
    #[error("{url} sends more than {limit} bytes for `{label}`")]
    TooLarge {
        /// The artifact's name for the reader.
        label: String,
        /// Who sends it.
        url: Url,
        /// The limit in bytes.
        limit: u64,
    },
    /// All URLs failed, each for its reason.
    #[error("`{label}` cannot be fetched{}", lines(attempts))]
    Failed {
        /// The artifact's name for the reader.
        label: String,
        /// Each URL that was tried and why it failed.
        attempts: Vec<Attempt>,
    },
    /// The network would be needed and may not be used.
    #[error("`{label}` is not here, and the network may not be used (offline)")]
    Offline {
        /// The artifact's name for the reader.
        label: String,
    },
    /// The bytes that are kept for a later run could not be read, written or removed; a full
    /// disk shows here.
    #[error("cannot {action} the partial download {}", path.display())]
    Partial {
        /// What was to be done with the file, a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason of the operating system.
        #[source]
        source: io::Error,
    },
    /// The HTTP client cannot be built from these settings.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

/// Settings from which no HTTP client can be built.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file or directory of trusted certificates that was named cannot be read.
    #[error("cannot read the trusted certificates in {}", path.display())]
    Certificates {
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// A file of trusted certificates that was named holds none.
    #[error("{} holds no trusted certificate in PEM form", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The TLS library refuses its configuration.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// A proxy setting is no URL of a kind of proxy that can be used. The value stays out of the
    /// message, because it may hold a password.
    #[error("the value of {variable} is not a proxy URL (http:, https:, socks5: or socks5h:)")]
    Proxy {
        /// The setting, by the name of its environment variable.
        variable: &'static str,
    },
    /// The HTTP client refuses its configuration.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

/// One URL that was given up.
#[derive(Debug)]
pub struct Attempt {
    /// The URL.
    pub url: Url,
    /// Why its last try failed.
    pub reason: Reason,
}

impl FetchError {
    /// Sums up a fetch whose URLs have all failed.
    pub(super) fn exhausted(label: &str, mut attempts: Vec<Attempt>) -> Self {
        let label = label.to_owned();
        let all = |wanted: fn(&Reason) -> bool| {
            !attempts.is_empty() && attempts.iter().all(|attempt| wanted(&attempt.reason))
        };
        if all(|reason| matches!(reason, Reason::NotFound)) {
            return Self::NotFound { label, urls: attempts.into_iter().map(|a| a.url).collect() };
        }
        if all(|reason| matches!(reason, Reason::Offline)) {
            return Self::Offline { label };
        }
        let telling = attempts.iter().position(|attempt| {
            matches!(attempt.reason, Reason::Setup(_) | Reason::Wrong(_) | Reason::TooLarge(_))
        });
        let Some(Attempt { url, reason }) = telling.map(|index| attempts.remove(index)) else {
            return Self::Failed { label, attempts };
        };
        match reason {
            Reason::Setup(error) => Self::Setup(error),
            Reason::Wrong(wrong) => Self::Mismatch { label, wrong, others: attempts },
            Reason::TooLarge(limit) => Self::TooLarge { label, url, limit },
            reason => Self::Failed { label, attempts: vec![Attempt { url, reason }] },
        }
    }

    /// Whether every URL answered that it does not have the artifact, or all those for which
    /// `counts` holds did, and there are some.
    pub fn is_gone_from(&self, counts: impl Fn(&Url) -> bool) -> bool {
        match self {
            Self::NotFound { .. } => true,
            Self::Failed { attempts, .. } => {
                let mut counting = attempts.iter().filter(|a| counts(&a.url)).peekable();
                counting.peek().is_some()
                    && counting.all(|attempt| matches!(attempt.reason, Reason::NotFound))
            }
            _ => false,
        }
    }

    /// Takes the failure of a fetch from `from` alone apart, or hands it back if it is not one of
    /// that URL.
    pub(super) fn into_attempts(self, from: &Url) -> Result<Vec<Attempt>, Self> {
        let reason = match self {
            Self::NotFound { .. } => Reason::NotFound,
            Self::Mismatch { wrong, .. } => Reason::Wrong(wrong),
            Self::TooLarge { limit, .. } => Reason::TooLarge(limit),
            Self::Offline { .. } => Reason::Offline,
            Self::Failed { attempts, .. } => return Ok(attempts),
            Self::Partial { .. } | Self::Setup(_) => return Err(self),
        };
        Ok(vec![Attempt { url: from.clone(), reason }])
    }
}

fn list(urls: &[Url]) -> String {
    urls.iter().map(Url::to_string).collect::<Vec<_>>().join(", ")
}

fn lines(attempts: &[Attempt]) -> String {
    attempts.iter().fold(String::new(), |mut text, Attempt { url, reason }| {
        // Writing to a String cannot fail. A report of wrong bytes names its URL itself.
        let _ = match reason {
            Reason::Wrong(_) => write!(text, "\n{reason}"),
            _ => write!(text, "\n  {url}: {reason}"),
        };
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::{Actual, Pin};
    use crate::vocab::digest::Sha256;

    fn attempt(url: &str, reason: Reason) -> Attempt {
        Attempt { url: url.parse().expect("a URL"), reason }
    }

    #[test]
    fn wrong_bytes_outrank_what_else_failed() {
        let wrong = WrongBytes {
            url: Some("http://u:secret@one.test/f".parse().expect("a URL")),
            resumed: 0,
            expected: Pin { sha256: Sha256::of(b"a"), size: Some(1) },
            actual: Actual::Bytes { sha256: Sha256::of(b"b"), size: 1 },
            web_page: true,
        };
        let error = FetchError::exhausted(
            "gcc",
            vec![
                attempt("http://v:secret@two.test/f", Reason::NotFound),
                attempt("http://u:secret@one.test/f", Reason::Wrong(Box::new(wrong))),
            ],
        );
        let text = error.to_string();
        assert!(matches!(error, FetchError::Mismatch { .. }));
        assert!(text.contains("web page (HTML)") && text.contains("two.test/f: not found"));
        assert!(text.contains(&Sha256::of(b"a").to_string()));
        assert!(!text.contains("secret"));
    }

    #[test]
    fn what_is_gone_is_told_by_those_that_count() {
        let one = || attempt("http://one.test/", Reason::NotFound);
        let two = || attempt("http://two.test/", Reason::Connect("refused".into()));
        let failed = FetchError::exhausted("x", vec![one(), two()]);
        assert!(failed.is_gone_from(|url| url.as_str().contains("one")));
        assert!(!failed.is_gone_from(|_| true));
        assert!(!failed.is_gone_from(|_| false), "nobody said so");
        assert!(FetchError::exhausted("x", vec![one()]).is_gone_from(|_| false));
    }

    #[test]
    fn not_found_is_said_only_when_every_url_says_so() {
        let one = attempt("http://one.test/", Reason::NotFound);
        let two = attempt("http://two.test/", Reason::Connect("refused".into()));
        assert!(matches!(FetchError::exhausted("x", vec![one, two]), FetchError::Failed { .. }));
        let one = attempt("http://one.test/", Reason::NotFound);
        assert!(matches!(FetchError::exhausted("x", vec![one]), FetchError::NotFound { .. }));
        assert!(matches!(FetchError::exhausted("x", vec![]), FetchError::Failed { .. }));
    }
}
