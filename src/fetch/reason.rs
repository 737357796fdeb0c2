//! Why one try at one URL failed, and what wrong bytes were like. Decides nothing: `retry` does.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::fetch::Pin;
use crate::fetch::error::SetupError;
use crate::vocab::digest::Sha256;
use crate::vocab::url::Url;

/// Why one try at one URL failed.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// 404, 410, or no such file.
    #[error("not found")]
    NotFound,
    /// Another status than success.
    #[error("the server answered with status {code}")]
    Status {
        /// The HTTP status.
        code: u16,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// No connection: name resolution, refusal, proxy.
    #[error("no connection: {0}")]
    Connect(String),
    /// TLS failed: certificates, versions, or no TLS at the other end.
    #[error("no trusted connection: {0}")]
    Tls(String),
    /// Nothing arrived for so long.
    #[error("nothing arrived for {} s", .0.as_secs_f32())]
    Stalled(Duration),
    /// The connection ended before the bytes did.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// Too many redirects, or one that leaves https for http.
    #[error("redirect refused: {0}")]
    Redirect(String),
    /// The server answered a range request with another range.
    #[error("the server sent another range than the one from byte {expected} on")]
    Range {
        /// The first byte that was asked for.
        expected: u64,
    },
    /// Other bytes than the pinned ones.
    #[error("{0}")]
    Wrong(Box<WrongBytes>),
    /// More bytes than the limit for what has no pinned size.
    #[error("more than {0} bytes")]
    TooLarge(u64),
    /// The network may not be used.
    #[error("the network may not be used (offline)")]
    Offline,
    /// A file cannot be read.
    #[error("cannot read the file: {0}")]
    File(io::Error),
    /// The HTTP client does not take the URL.
    #[error("not a usable URL: {0}")]
    Url(String),
    /// No HTTP client.
    #[error("{0}")]
    Setup(SetupError),
}

/// Bytes that are not the pinned ones.
#[derive(Debug)]
pub struct WrongBytes {
    /// Who served them last; `None` if nobody was asked.
    pub url: Option<Url>,
    /// How many of them, at the beginning, an earlier run had left in the partial file.
    pub resumed: u64,
    /// What was expected.
    pub expected: Pin,
    /// What came.
    pub actual: Actual,
    /// Whether what came looks like HTML.
    pub web_page: bool,
}

/// How much is known of wrong bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actual {
    /// All of them came.
    Bytes {
        /// Their digest.
        sha256: Sha256,
        /// Their number.
        size: u64,
    },
    /// The server announced this number of bytes, which is not the pinned one.
    Announced(u64),
    /// More came than the pinned number.
    LongerThan(u64),
}

impl fmt::Display for WrongBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.resumed > 0 {
            writeln!(f, "  from      {} bytes kept from an earlier run", self.resumed)?;
        }
        if let Some(url) = &self.url {
            writeln!(f, "  from      {url}")?;
        }
        write!(f, "  expected  sha256 {}", self.expected.sha256)?;
        if let Some(size) = self.expected.size {
            write!(f, ", {size} bytes")?;
        }
        match self.actual {
            Actual::Bytes { sha256, size } => {
                write!(f, "\n  actual    sha256 {sha256}, {size} bytes")?;
            }
            Actual::Announced(size) => write!(f, "\n  actual    {size} bytes")?,
            Actual::LongerThan(size) => write!(f, "\n  actual    more than {size} bytes")?,
        }
        if self.web_page {
            f.write_str("\n  the server answered with a web page (HTML), not the artifact")?;
        }
        Ok(())
    }
}
