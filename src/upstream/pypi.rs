//! A Python package index as an upstream: programs that come as wheels, by the package's name.
//!
//! An index lists the files of a package with their digests ([`page`]); what a file is for stands
//! in its name ([`wheel`]). Which index this machine uses, its pip is configured for ([`config`]).
//! Nothing is signed: the index is believed at lock time, and the lock pins the digest.
//! `docs/upstream-pypi.md` explains it.

pub mod config;
pub mod page;
pub mod wheel;

use super::{Get, GetError};
use crate::vocab::url::Url;
use page::{File, PageError};

/// How long the list of a package's files may be, in bytes. The longest ones known are of some ten
/// megabytes.
const PAGE_LIMIT: u64 = 64 << 20;

/// Why a package has no files.
#[derive(Debug, thiserror::Error)]
pub enum PypiError {
    /// The list of its files could not be had.
    #[error("the index has no list of `{package}`")]
    Get {
        /// The package.
        package: String,
        /// Why not.
        #[source]
        source: GetError,
    },
    /// What came is no list of files.
    #[error("{url} is no list of a package's files")]
    Page {
        /// Where it was.
        url: Url,
        /// What is wrong with it.
        #[source]
        source: PageError,
    },
    /// The package has nothing for a host.
    #[error("no index has a wheel of `{package}`{} for {hosts}{}", of(" ", .wanted.as_deref()), there(.seen))]
    NoWheel {
        /// The package.
        package: String,
        /// The version that was asked for.
        wanted: Option<String>,
        /// The hosts that one version must serve.
        hosts: String,
        /// The versions that the index has, newest first.
        seen: Vec<String>,
    },
    /// A file that the lock names is not listed.
    #[error("no index has the file `{file}` of `{package}` any more")]
    Gone {
        /// The package.
        package: String,
        /// The file.
        file: String,
    },
}

impl PypiError {
    /// What to do about it, as a sentence without a full stop.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Get { .. } | Self::Page { .. } => {
                "name an index in Cargo.toml: `mirrors = { pypi = [\"https://…/simple\"] }` in the \
                 settings"
            }
            Self::NoWheel { .. } => "ask for another version, or for fewer `hosts` in the settings",
            Self::Gone { .. } => "run `xprov update`, or name another index in the settings",
        }
    }
}

fn of(prefix: &str, value: Option<&str>) -> String {
    value.map(|value| format!("{prefix}{value}")).unwrap_or_default()
}

fn there(seen: &[String]) -> String {
    const SHOWN: usize = 8;
    match seen {
        [] => String::new(),
        _ => format!(" (there is {})", seen[..seen.len().min(SHOWN)].join(", ")),
    }
}

/// The files of `package` in the index at `index`.
pub fn files(get: &dyn Get, index: &Url, package: &str) -> Result<Vec<File>, PypiError> {
    let url = page_url(index, package);
    let bytes = get
        .get(&url, PAGE_LIMIT)
        .map_err(|source| PypiError::Get { package: package.to_owned(), source })?;
    page::parse(&url, &bytes).map_err(|source| PypiError::Page { url, source })
}

/// `<index>/<package>/`, with the name as indexes write it (PEP 503). A directory has no list of
/// its own: there it is `index.html`.
fn page_url(index: &Url, package: &str) -> Url {
    let end = if index.file_path().is_some() { "index.html" } else { "" };
    index.join(&format!("{}/{end}", normal(package)))
}

/// A package's name in lower case, with one dash for each run of dashes, dots and underscores.
pub fn normal(package: &str) -> String {
    let mut name = String::new();
    for c in package.chars() {
        match c {
            '-' | '_' | '.' if name.ends_with('-') => {}
            '-' | '_' | '.' => name.push('-'),
            c => name.push(c.to_ascii_lowercase()),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_found_under_the_normal_name() {
        let of = |index: &str, package: &str| {
            page_url(&index.parse().expect("a URL"), package).to_string()
        };
        assert_eq!(
            of("https://i.example/simple/", "Zig_.Lang"),
            "https://i.example/simple/zig-lang/"
        );
        assert_eq!(of("file:///srv/simple", "ziglang"), "file:///srv/simple/ziglang/index.html");
    }
}
