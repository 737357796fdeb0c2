//! What the source of a build script says by itself: the URLs and the names of variables in it.

use std::path::{Path, PathBuf};

use super::is_of_host;
use crate::shim::ledger::Wanted;
use crate::sys::fs::read_optional;
use crate::vocab::url::Url;

/// Longer files are generated, and say nothing about downloads.
const LONGEST: usize = 1 << 20;

/// So many files of a build script are read.
const MOST_FILES: usize = 32;

/// What cargo sets; it announces no file.
const CARGOS: [&str; 12] = [
    "OUT_DIR",
    "TARGET",
    "HOST",
    "NUM_JOBS",
    "OPT_LEVEL",
    "PROFILE",
    "DEBUG",
    "RUSTC",
    "RUSTDOC",
    "RUSTC_LINKER",
    "DOCS_RS",
    "CARGO",
];

/// Words in the names of variables that announce files.
const WORDS: [&str; 13] = [
    "URL", "URI", "DOWNLOAD", "PATH", "DIR", "LOCATION", "FILE", "ARCHIVE", "ZIP", "TARBALL",
    "MIRROR", "ROOT", "BINARY",
];

/// The texts between quotes in a build script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    urls: Vec<Url>,
    names: Vec<String>,
}

impl Source {
    /// Reads `build.rs` and the Rust files below `build/` of an unpacked crate; what is not there
    /// says nothing.
    pub fn of(registries: &[PathBuf], name: &str, version: Option<&str>) -> Self {
        let Some(version) = version else { return Self::default() };
        let dirs = registries.iter().map(|dir| dir.join(format!("{name}-{version}")));
        let Some(dir) = dirs.into_iter().find(|dir| dir.is_dir()) else { return Self::default() };
        let mut files = vec![dir.join("build.rs")];
        rust_files(&dir.join("build"), 2, &mut files);
        let mut text = String::new();
        for file in files.iter().take(MOST_FILES) {
            let bytes = read_optional(file).ok().flatten().filter(|bytes| bytes.len() <= LONGEST);
            text.push_str(&String::from_utf8_lossy(&bytes.unwrap_or_default()));
            text.push('\n');
        }
        Self::parse(&text)
    }

    /// Finds the texts between quotes.
    pub fn parse(text: &str) -> Self {
        let mut source = Self::default();
        for literal in literals(text) {
            if let Ok(url) = literal.parse::<Url>() {
                // One that is filled in later is none yet.
                if !literal.contains(['{', '}', '\\']) && !source.urls.contains(&url) {
                    source.urls.push(url);
                }
            } else if is_variable(literal) && !source.names.iter().any(|name| name == literal) {
                source.names.push(literal.to_owned());
            }
        }
        source
    }

    /// The URL of what is wanted, where the source has exactly one of that host.
    pub fn url(&self, wanted: Wanted<'_>) -> Option<String> {
        let Wanted::Address(address) = wanted else { return None };
        let mut urls = self.urls.iter().filter(|url| is_of_host(url, address));
        match (urls.next(), urls.next()) {
            (Some(only), None) => Some(only.to_string()),
            _ => None,
        }
    }

    /// The variables that may announce a file.
    pub fn variables(&self) -> Vec<String> {
        self.names.clone()
    }
}

/// The texts between double quotes on each line. A quote in a comment may hide one of its line.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('"').skip(1).step_by(2))
}

fn is_variable(literal: &str) -> bool {
    let shouted = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    literal.len() > 3
        && literal.contains('_')
        && literal.starts_with(|c: char| c.is_ascii_uppercase())
        && literal.chars().all(shouted)
        && !literal.starts_with("CARGO_")
        && !literal.starts_with("DEP_")
        && !CARGOS.contains(&literal)
        && literal.split('_').any(|word| WORDS.contains(&word))
}

fn rust_files(dir: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && depth > 0 {
            rust_files(&path, depth - 1, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_variables_are_what_stands_between_quotes() {
        let source = Source::parse(
            "env::var(\"CARGO_CFG_TARGET_OS\"); env::var(\"W_MIRROR_URL\");\n\
             format!(\"https://a.example/{version}.zip\"); \"https://b.example/x.zip\"\n\
             \"W_MIRROR_URL\" \"HTTP_OK\"",
        );
        assert_eq!(source.variables(), ["W_MIRROR_URL"]);
        let url = |address| source.url(Wanted::Address(address));
        assert_eq!(url("b.example").as_deref(), Some("https://b.example/x.zip"));
        assert_eq!((url("a.example"), url("x.example")), (None, None));
        let two = Source::parse("\"https://b.example/x.zip\" \"https://b.example:80/y.zip\"");
        assert_eq!(two.url(Wanted::Address("b.example")), None);
        let one = two.url(Wanted::Address("b.example:80"));
        assert_eq!(one.as_deref(), Some("https://b.example:80/y.zip"));
    }

    #[test]
    fn a_crate_without_sources_says_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let registries = [dir.path().to_path_buf()];
        assert_eq!(Source::of(&registries, "a", Some("1.0.0")), Source::default());
        let build = dir.path().join("a-1.0.0/build");
        std::fs::create_dir_all(&build).expect("made");
        std::fs::write(build.join("main.rs"), "\"A_LIB_DIR\"").expect("written");
        assert_eq!(Source::of(&registries, "a", Some("1.0.0")).variables(), ["A_LIB_DIR"]);
        assert_eq!(Source::of(&registries, "a", None), Source::default());
    }
}
