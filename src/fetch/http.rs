//! The door to the HTTP client: one GET, from a byte on, with redirects, proxies and TLS settled
//! and every failure named. Knows nothing of pins, retries or mirrors.

use std::error::Error;
use std::io::{self, Read};
use std::time::Duration;

use reqwest::blocking::{Client, ClientBuilder, Response};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, HeaderName, RANGE, RETRY_AFTER};
use reqwest::redirect::{self, Action};
use reqwest::{NoProxy, Proxy};

use crate::fetch::answer::{self, Answer};
use crate::fetch::error::SetupError;
use crate::fetch::range::ContentRange;
use crate::fetch::reason::Reason;
use crate::fetch::{Options, ProxySettings, retry, tls};
use crate::vocab::url::Url;

/// More redirects than any download site needs.
const REDIRECTS: usize = 10;

/// A client with its settings.
pub(super) struct Http {
    client: Client,
    stall: Duration,
}

/// The rest of an answer.
pub(super) struct Body {
    response: Response,
    stall: Duration,
}

impl Http {
    /// Builds the client; reads the trusted certificates.
    pub fn build(options: &Options) -> Result<Self, SetupError> {
        let tls = tls::client_config(&options.ca_files, &options.ca_dirs)?;
        let builder = Client::builder()
            .use_preconfigured_tls(tls)
            .http1_only()
            .user_agent(options.user_agent.as_str())
            .connect_timeout(options.connect_timeout)
            // In the blocking client this is the longest wait for the head of the answer, and
            // then for each read; it does not bound the whole.
            .timeout(options.stall_timeout)
            .redirect(redirect::Policy::custom(follow))
            .referer(false)
            // Also keeps the client from reading the environment.
            .no_proxy();
        let builder = proxies(&options.proxies)?.into_iter().fold(builder, ClientBuilder::proxy);
        match builder.build() {
            Ok(client) => Ok(Self { client, stall: options.stall_timeout }),
            Err(error) => Err(SetupError::Client(innermost(&error))),
        }
    }

    /// Asks for the bytes from `offset` on. A server is free to send all of them.
    pub fn get(&self, url: &Url, offset: u64) -> Result<Answer, Reason> {
        // A body that is compressed on the way would not be the pinned bytes.
        let mut request = self.client.get(url.as_str()).header(ACCEPT_ENCODING, "identity");
        if offset > 0 {
            request = request.header(RANGE, format!("bytes={offset}-"));
        }
        let response = request.send().map_err(|error| self.refine(&error))?;
        let range = header(&response, &CONTENT_RANGE).and_then(ContentRange::parse);
        let (starts_at, total) = match (response.status().as_u16(), range) {
            (200, _) => (0, response.content_length()),
            (206, Some(ContentRange { first: Some(first), total })) if first == offset => {
                (offset, total)
            }
            // Nothing is missing: the partial file was complete and its size not pinned.
            (416, Some(ContentRange { first: None, total: Some(total) })) if total == offset => {
                return Ok(Answer {
                    body: answer::Body::Nothing,
                    starts_at: offset,
                    total: Some(total),
                });
            }
            (206 | 416, _) => return Err(Reason::Range { expected: offset }),
            (404 | 410, _) => return Err(Reason::NotFound),
            (code, _) => {
                let retry_after =
                    header(&response, &RETRY_AFTER).and_then(retry::parse_retry_after);
                return Err(Reason::Status { code, retry_after });
            }
        };
        let body = answer::Body::Http(Body { response, stall: self.stall });
        Ok(Answer { body, starts_at, total })
    }

    fn refine(&self, error: &reqwest::Error) -> Reason {
        let text = innermost(error);
        if is_tls(error) {
            Reason::Tls(text)
        } else if error.is_redirect() {
            Reason::Redirect(text)
        } else if error.is_builder() {
            Reason::Url(text)
        } else if error.is_connect() {
            Reason::Connect(text)
        } else if error.is_timeout() {
            Reason::Stalled(self.stall)
        } else {
            Reason::Broken(text)
        }
    }
}

impl Body {
    /// Reads some bytes; 0 at the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Reason> {
        self.response.read(buffer).map_err(|error| {
            let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>());
            if cause.is_some_and(reqwest::Error::is_timeout) {
                Reason::Stalled(self.stall)
            } else {
                Reason::Broken(innermost(&error))
            }
        })
    }
}

fn follow(attempt: redirect::Attempt) -> Action {
    let secure = attempt.previous().last().is_some_and(|from| from.scheme() == "https");
    if secure && attempt.url().scheme() != "https" {
        return attempt.error("it leads from https to plain http");
    }
    if attempt.previous().len() > REDIRECTS {
        return attempt.error(format!("more than {REDIRECTS} in a row"));
    }
    attempt.follow()
}

type MakeProxy = fn(&str) -> reqwest::Result<Proxy>;

fn proxies(settings: &ProxySettings) -> Result<Vec<Proxy>, SetupError> {
    let ProxySettings { http, https, all, no_proxy } = settings;
    let no_proxy = no_proxy.as_deref().and_then(NoProxy::from_string);
    let kinds: [(_, _, MakeProxy); 3] = [
        ("HTTP_PROXY", http, |url| Proxy::http(url)),
        ("HTTPS_PROXY", https, |url| Proxy::https(url)),
        ("ALL_PROXY", all, |url| Proxy::all(url)),
    ];
    let mut proxies = Vec::new();
    for (variable, value, make) in kinds {
        // An empty value means no proxy, as it does to other programs.
        let Some(value) = value.as_deref().map(str::trim).filter(|v| !v.is_empty()) else {
            continue;
        };
        let url = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        // The client would silently go without a proxy whose scheme it does not know.
        let known = ["http://", "https://", "socks5://", "socks5h://"];
        let proxy = known.iter().any(|scheme| url.starts_with(scheme)).then(|| make(&url));
        match proxy {
            Some(Ok(proxy)) => proxies.push(proxy.no_proxy(no_proxy.clone())),
            _ => return Err(SetupError::Proxy { variable }),
        }
    }
    Ok(proxies)
}

fn header<'a>(response: &'a Response, name: &HeaderName) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// The text of the cause at the bottom of a chain: the outer layers only repeat that a request
/// failed, and name the URL with its credentials.
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn is_tls(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn Error>::is::<rustls::Error>)
}

/// An error and its causes. An I/O error that wraps another error passes that one over when asked
/// for its source, so it is asked for what it wraps.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(move || error.source())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(value: &str) -> ProxySettings {
        ProxySettings { all: Some(value.into()), ..ProxySettings::default() }
    }

    #[test]
    fn proxies_need_a_known_scheme_and_never_show_their_password() {
        for good in ["proxy.test:3128", "http://u:p@proxy.test", "socks5h://proxy.test:1080", " "] {
            assert!(proxies(&all(good)).is_ok(), "{good}");
        }
        for bad in ["ftp://u:secret@proxy.test", "quic://proxy.test", "http://u:secret@"] {
            let error = proxies(&all(bad)).expect_err(bad).to_string();
            assert!(error.contains("ALL_PROXY") && !error.contains("secret"), "{error}");
        }
    }
}
