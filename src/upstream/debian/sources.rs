//! The Debian archives that this machine's apt uses, from its configuration files.
//!
//! Reads what is below the directory that it is given and believes nothing of it: whether a place
//! holds Debian's archive is for its signed release to say.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::vocab::url::Url;

/// One place with the suites that apt reads there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The base, above `dists/` and `pool/`.
    pub base: Url,
    /// The suites, as configured.
    pub suites: Vec<String>,
}

/// A configuration file or directory that exists but cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", .path.display())]
pub struct SourcesError {
    /// The file or directory.
    pub path: PathBuf,
    /// The cause.
    pub source: io::Error,
}

/// The names of Debian's releases and the roles they take. A place where apt reads one of them is a
/// mirror of Debian, and has its other releases too; a place with other names (Ubuntu's, a
/// vendor's) is not asked.
const RELEASES: &[&str] = &[
    "bookworm",
    "bullseye",
    "buster",
    "duke",
    "experimental",
    "forky",
    "oldoldstable",
    "oldstable",
    "sid",
    "stable",
    "testing",
    "trixie",
    "unstable",
];

impl Source {
    /// Whether apt reads a suite of the archive `archive` here. Told by the suites, because the
    /// path of a mirror may be anything: `…-security` (once `…/updates`) is `debian-security`.
    pub fn holds(&self, archive: &str) -> bool {
        self.suites.iter().any(|suite| archive_of(suite) == Some(archive))
    }
}

fn archive_of(suite: &str) -> Option<&'static str> {
    let release = suite.split(['-', '/']).next().unwrap_or(suite);
    if !RELEASES.contains(&release) {
        return None;
    }
    let security = suite.ends_with("-security") || suite.ends_with("/updates");
    Some(if security { "debian-security" } else { "debian" })
}

/// Reads `sources.list`, `sources.list.d/*.list` and `sources.list.d/*.sources` below `apt_dir`
/// (`/etc/apt` on a Debian machine), in apt's order. What does not exist has no sources.
pub fn read(apt_dir: &Path) -> Result<Vec<Source>, SourcesError> {
    let mut sources = Vec::new();
    if let Some(text) = read_file(&apt_dir.join("sources.list"))? {
        sources.extend(parse_list(&text));
    }
    let parts_dir = apt_dir.join("sources.list.d");
    for path in files_of(&parts_dir)? {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let parse: fn(&str) -> Vec<Source> = match extension {
            Some("list") => parse_list,
            Some("sources") => parse_deb822,
            _ => continue,
        };
        if let Some(text) = read_file(&path)? {
            sources.extend(parse(&text));
        }
    }
    Ok(sources)
}

fn read_file(path: &Path) -> Result<Option<String>, SourcesError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SourcesError { path: path.to_owned(), source }),
    }
}

fn files_of(dir: &Path) -> Result<Vec<PathBuf>, SourcesError> {
    let failed = |source| SourcesError { path: dir.to_owned(), source };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The binary sources of a file in the one-line format (sources.list(5)).
pub fn parse_list(text: &str) -> Vec<Source> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Source> {
    let line = line.split('#').next().unwrap_or(line).trim();
    let rest = line.strip_prefix("deb")?;
    if !rest.starts_with([' ', '\t', '[']) {
        return None;
    }
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(options) => options.split_once(']')?.1,
        None => rest,
    };
    let mut words = rest.split_whitespace();
    let base = base_url(words.next()?)?;
    Some(Source { base, suites: vec![suite(words.next()?)?] })
}

/// The binary sources of a file of stanzas (deb822 format).
pub fn parse_deb822(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut stanza: Vec<(String, String)> = Vec::new();
    for line in text.lines().chain([""]) {
        if line.starts_with('#') {
            continue;
        }
        if line.trim().is_empty() {
            sources.extend(sources_of(&stanza));
            stanza.clear();
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = stanza.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((field, value)) = line.split_once(':') {
            stanza.push((field.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    sources
}

fn sources_of(stanza: &[(String, String)]) -> Vec<Source> {
    let words = |wanted: &str| {
        let value = stanza.iter().find(|(field, _)| field == wanted).map(|(_, value)| &**value);
        value.unwrap_or_default().split_whitespace()
    };
    // apt's own words for "no" (StringToBool).
    let disabled = words("enabled")
        .any(|word| ["no", "false", "without", "off", "disable", "0"].contains(&word));
    if disabled || !words("types").any(|kind| kind == "deb") {
        return Vec::new();
    }
    let suites: Vec<String> = words("suites").filter_map(suite).collect();
    if suites.is_empty() {
        return Vec::new();
    }
    words("uris").filter_map(base_url).map(|base| Source { base, suites: suites.clone() }).collect()
}

/// A suite; a path that ends with a slash is a flat repository without any.
fn suite(word: &str) -> Option<String> {
    (!word.ends_with('/')).then(|| word.to_owned())
}

/// The URL of a place that xprov can read itself. Methods such as `cdrom:` and `mirror+file:` and
/// places that differ by architecture are left out.
fn base_url(word: &str) -> Option<Url> {
    if word.contains("$(") {
        return None;
    }
    let spelled = match word.strip_prefix("file:/") {
        // apt also takes a single slash.
        Some(path) => format!("file:///{}", path.trim_start_matches('/')),
        None => word.to_owned(),
    };
    spelled.trim_end_matches('/').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sources: &[Source]) -> Vec<String> {
        sources.iter().map(|s| format!("{} {}", s.base, s.suites.join(","))).collect()
    }

    #[test]
    fn one_line_sources() {
        let text = "# deb http://old.example/debian bookworm main\n\
             deb http://mirror.example/debian/ bookworm main contrib # the mirror\n\
             deb [ arch=amd64,arm64 signed-by=/k.gpg ] https://sec.example/x bookworm-security main\n\
             deb-src http://mirror.example/debian bookworm main\n\
             deb file:/srv/debian trixie main\n\
             deb cdrom:[Debian]/ bookworm main\n\
             deb mirror+file:/etc/apt/mirrors bookworm main\n\
             deb http://flat.example/ ./\n\
             deb http://per.example/$(ARCH) bookworm main\n";
        assert_eq!(
            shown(&parse_list(text)),
            [
                "http://mirror.example/debian bookworm",
                "https://sec.example/x bookworm-security",
                "file:///srv/debian trixie",
            ]
        );
    }

    #[test]
    fn stanzas() {
        let text = "Types: deb deb-src\nURIs: http://a.example/debian\n# a note\n http://b.example/d\n\
             Suites: bookworm bookworm-updates\nComponents: main\n\n\
             Enabled: no\nTypes: deb\nURIs: http://off.example\nSuites: bookworm\n\n\
             types: deb\nuris: mirror+file:/etc/m http://c.example/\nsuites: bookworm-security\n\n\
             Types: deb-src\nURIs: http://src.example\nSuites: bookworm\n";
        assert_eq!(
            shown(&parse_deb822(text)),
            [
                "http://a.example/debian bookworm,bookworm-updates",
                "http://b.example/d bookworm,bookworm-updates",
                "http://c.example bookworm-security",
            ]
        );
    }

    #[test]
    fn archives_are_told_by_their_suites() {
        let source = |suites: &[&str]| Source {
            base: "http://x.example/some/path".parse().expect("a URL"),
            suites: suites.iter().map(|&suite| suite.to_owned()).collect(),
        };
        assert!(source(&["bookworm", "bookworm-updates"]).holds("debian"));
        assert!(!source(&["bookworm"]).holds("debian-security"));
        assert!(source(&["trixie-security"]).holds("debian-security"));
        assert!(source(&["buster/updates"]).holds("debian-security"));
        assert!(!source(&["noble", "jammy-security", "nodistro"]).holds("debian"));
        assert!(!source(&["jammy-security"]).holds("debian-security"));
        let both = source(&["bookworm", "bookworm-security"]);
        assert!(both.holds("debian") && both.holds("debian-security"));
    }
}
