//! From URLs and a pin to verified bytes: mirrors, retries, resumption, proxies and trust. Never
//! heard of a store, and reads no environment: every setting is passed in.

mod answer;
mod download;
mod error;
mod http;
mod mirrors;
mod partial;
mod progress;
mod range;
mod reason;
mod retry;
mod source;
mod tls;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

pub use download::{Download, Summary};
pub use error::{Attempt, FetchError, SetupError};
pub use reason::{Actual, Reason, WrongBytes};

use crate::vocab::digest::Sha256;
use crate::vocab::event::Observer;
use crate::vocab::url::Url;
use answer::Answer;
use download::Judgement;
use http::Http;
use mirrors::{Mirrors, Next};

/// What an artifact's bytes must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// The digest of all bytes.
    pub sha256: Sha256,
    /// Their number, if it is pinned too.
    pub size: Option<u64>,
}

/// The settings of a [`Fetcher`].
#[derive(Debug, Clone)]
pub struct Options {
    /// Refuse `http:` and `https:`; `file:` still works.
    pub offline: bool,
    /// Through which proxies to go.
    pub proxies: ProxySettings,
    /// PEM files with certificates to trust beside the platform's (`SSL_CERT_FILE`, cargo's
    /// `http.cainfo`).
    pub ca_files: Vec<PathBuf>,
    /// Directories with such files (`SSL_CERT_DIR`).
    pub ca_dirs: Vec<PathBuf>,
    /// The longest wait for a connection.
    pub connect_timeout: Duration,
    /// The longest wait for an answer to begin, connection included, and then for more bytes.
    pub stall_timeout: Duration,
    /// How often a URL is tried, at least once.
    pub attempts: u32,
    /// The pause before the second try; doubled before each further one.
    pub backoff: Duration,
    /// The `User-Agent` header.
    pub user_agent: String,
}

/// The values of the proxy variables; `None` and the empty text mean the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// `HTTP_PROXY`: for `http:` URLs.
    pub http: Option<String>,
    /// `HTTPS_PROXY`: for `https:` URLs.
    pub https: Option<String>,
    /// `ALL_PROXY`: for those that the other two leave.
    pub all: Option<String>,
    /// `NO_PROXY`: hosts, domains, addresses and networks that are reached directly.
    pub no_proxy: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            offline: false,
            proxies: ProxySettings::default(),
            ca_files: Vec::new(),
            ca_dirs: Vec::new(),
            connect_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(30),
            attempts: 4,
            backoff: Duration::from_millis(500),
            user_agent: concat!("xprov/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Fetches with one set of settings; shared by threads. Making one costs nothing: the HTTP client
/// comes into being with the first request.
pub struct Fetcher {
    options: Options,
    http: OnceLock<Http>,
}

impl Fetcher {
    /// A fetcher with these settings.
    pub fn new(options: Options) -> Self {
        Self { options, http: OnceLock::new() }
    }

    /// Begins to fetch an artifact from the first URL that has it.
    ///
    /// `partial` names a file that keeps the bytes of an artifact of 8 MiB or more, or of unknown
    /// size, until it is finished: bytes that an earlier run left there are delivered first. Its
    /// directory must exist, and the name must be the pin's own.
    pub fn open<'a>(
        &'a self,
        label: &'a str,
        urls: &'a [Url],
        pin: &'a Pin,
        partial: Option<&Path>,
        observer: &'a dyn Observer,
    ) -> Result<Download<'a>, FetchError> {
        Download::open(self, (label, urls, pin), partial, observer)
    }

    /// Fetches an artifact into `consume`, which is called again from the first byte on, with
    /// another URL, if the bytes turn out wrong; what it made of them must then be thrown away.
    ///
    /// Its result counts only once the pin matches, and its error is returned only then: an
    /// unpacker that stumbles over wrong bytes is not to blame. To know, the rest is read after an
    /// error too. The partial file goes when all went well, and stays for the next run when the
    /// bytes are right but `consume` failed.
    pub fn fetch_with<T, E: From<FetchError>>(
        &self,
        label: &str,
        urls: &[Url],
        pin: &Pin,
        partial: Option<&Path>,
        observer: &dyn Observer,
        mut consume: impl FnMut(&mut (dyn Read + Send)) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut round = |urls: &[Url]| {
            let mut download = self.open(label, urls, pin, partial, observer)?;
            let consumed = consume(&mut download);
            Ok::<_, FetchError>((consumed, download.judge()?))
        };
        let settle = |consumed: Result<T, E>| {
            let value = consumed?;
            partial.map_or(Ok(()), partial::remove)?;
            Ok(value)
        };

        let mut failures = Vec::new();
        let candidates = match round(urls)? {
            (consumed, Judgement::Right(_)) => return settle(consumed),
            // Those before the culprit were given up already.
            (_, Judgement::Wrong { wrong, culprit: Some(index) }) => {
                let (url, reason) = (urls[index].clone(), Reason::Wrong(wrong));
                failures.push(Attempt { url, reason });
                &urls[index + 1..]
            }
            // The bytes came from several hands, and it is not known whose were wrong.
            (_, Judgement::Wrong { culprit: None, .. }) => urls,
        };
        for url in candidates {
            // Alone, so that no bad one can spoil the bytes of another again.
            match round(slice::from_ref(url)) {
                Ok((consumed, Judgement::Right(_))) => return settle(consumed),
                Ok((_, Judgement::Wrong { wrong, .. })) => {
                    failures.push(Attempt { url: url.clone(), reason: Reason::Wrong(wrong) });
                }
                Err(error) => failures.extend(error.into_attempts(url)?),
            }
        }
        Err(FetchError::exhausted(label, failures).into())
    }

    /// Fetches a small document that no pin describes, such as an index, of at most `limit` bytes.
    ///
    /// A broken answer is asked for again from its beginning: two halves could be of two versions.
    pub fn get(&self, url: &Url, limit: u64) -> Result<Vec<u8>, FetchError> {
        let mut mirrors = self.mirrors(slice::from_ref(url));
        while let Some((_, url)) = mirrors.current() {
            match self.ask(url, 0).and_then(|answer| answer.read_all(limit)) {
                Ok(bytes) => return Ok(bytes),
                Err(reason) => {
                    if let Next::Again(pause) = mirrors.failed(reason) {
                        thread::sleep(pause);
                    }
                }
            }
        }
        Err(mirrors.exhausted(&url.to_string()))
    }

    fn mirrors<'a>(&self, urls: &'a [Url]) -> Mirrors<'a> {
        Mirrors::new(urls, self.options.attempts, self.options.backoff)
    }

    fn ask(&self, url: &Url, offset: u64) -> Result<Answer, Reason> {
        if let Some(path) = url.file_path() {
            return answer::open_file(&path, offset);
        }
        if self.options.offline {
            return Err(Reason::Offline);
        }
        self.http().map_err(Reason::Setup)?.get(url, offset)
    }

    fn http(&self) -> Result<&Http, SetupError> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        // Two threads may both come here; one client is then dropped.
        let http = Http::build(&self.options)?;
        Ok(self.http.get_or_init(|| http))
    }
}
