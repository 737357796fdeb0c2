//! Upstreams: from what a recipe asks for to artifacts with pins, at lock time.
//!
//! Nothing here knows of a store or of a socket: bytes come through [`Get`], and what an upstream
//! says is believed only after its signature and digests have been checked.

pub mod debian;
pub mod minisign;
pub mod pypi;
pub mod rust_dist;
pub mod signature;

use std::error::Error;

use crate::vocab::url::Url;

/// Small documents by URL: the only way by which an upstream reaches the world.
pub trait Get: Sync {
    /// The bytes at `url`; more than `limit` bytes are a failure.
    fn get(&self, url: &Url, limit: u64) -> Result<Vec<u8>, GetError>;
}

/// Why a document could not be had.
#[derive(Debug, thiserror::Error)]
pub enum GetError {
    /// The server answered, and has no such document (404, 410, or no such file).
    #[error("{url} does not exist")]
    NotFound {
        /// What was asked for.
        url: Url,
    },
    /// Anything else: no network, a server in trouble, too many bytes.
    #[error("could not get {url}")]
    Failed {
        /// What was asked for.
        url: Url,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
}
