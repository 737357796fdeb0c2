//! `rust-toolchain.toml` and the file of its older name: which Rust rustup would take for a
//! directory. Does not ask rustup, and decides nothing.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::at::At;
use crate::sys::fs::{FsError, read_text};
use crate::vocab::document::line_of;

/// rustup's files, of which it reads the first where both exist.
const NAMES: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

/// The keys that say which Rust; the first outranks the other.
const KEYS: [&str; 2] = ["channel", "path"];

/// What a file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// `channel` or `path`.
    pub key: &'static str,
    /// The channel, or the path of a toolchain.
    pub channel: String,
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

/// The wish of the file that is nearest to `dir`, in it or above; rustup reads no other. `None`
/// where there is none, or it names no Rust.
pub fn nearest(dir: &Path) -> Result<Option<Wanted>, FsError> {
    for dir in dir.ancestors() {
        for path in NAMES.map(|name| dir.join(name)) {
            if let Some(text) = read_text(&path)? {
                let wanted = wanted(&text);
                return Ok(wanted.map(|(key, channel, line)| Wanted { key, channel, path, line }));
            }
        }
    }
    Ok(None)
}

impl Wanted {
    /// Where it says so.
    pub fn at(&self) -> At {
        At::line(&self.path, self.line)
    }
}

fn wanted(text: &str) -> Option<(&'static str, String, usize)> {
    let Ok(table) = DeTable::parse(text) else {
        // The older form is one word.
        let word = text.trim();
        let is_word = !word.is_empty() && !word.contains(char::is_whitespace);
        return is_word.then(|| (KEYS[0], word.to_owned(), 1));
    };
    let toolchain = table.get_ref().get("toolchain")?.get_ref().as_table()?;
    let (key, value) = KEYS.iter().find_map(|key| Some((*key, toolchain.get(*key)?)))?;
    Some((key, value.get_ref().as_str()?.to_owned(), line_of(text, value.span().start)))
}

/// The version in a channel, without a date or a host; `None` for `stable` and its like.
pub fn version(channel: &str) -> Option<&str> {
    let version = channel.split('-').next().unwrap_or_default();
    version.starts_with(|c: char| c.is_ascii_digit()).then_some(version)
}

/// Whether a channel means this release and no other: `1.95` and `1.95.0` do, `stable` does not.
pub fn names(channel: &str, release: &str) -> bool {
    let rest = version(channel).and_then(|version| release.strip_prefix(version));
    rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with('.') && channel.contains('.')))
}

/// Whether this release is one that a channel may mean. Which of the stable ones, it leaves open.
pub fn allows(channel: &str, release: &str) -> bool {
    names(channel, release) || channel == "stable" || channel.starts_with("stable-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_version_names_a_release_and_stable_leaves_it_open() {
        for channel in ["1.95.0", "1.95", "1.95.0-x86_64-unknown-linux-gnu"] {
            assert!(names(channel, "1.95.0") && allows(channel, "1.95.0"), "{channel}");
        }
        for channel in ["stable", "stable-x86_64-unknown-linux-gnu"] {
            assert!(!names(channel, "1.95.0") && allows(channel, "1.95.0"), "{channel}");
        }
        for channel in ["1.9", "1", "nightly-2026-01-01", "1.95.1", "/opt/rust"] {
            assert!(!names(channel, "1.95.0") && !allows(channel, "1.95.0"), "{channel}");
        }
        assert_eq!(version("1.95.0-x86_64-unknown-linux-gnu"), Some("1.95.0"));
    }

    #[test]
    fn both_forms_of_the_file_are_read() {
        assert_eq!(wanted("stable\n"), Some(("channel", "stable".to_owned(), 1)));
        let table = "[toolchain]\ncomponents = []\nchannel = \"1.80\"\n";
        assert_eq!(wanted(table), Some(("channel", "1.80".to_owned(), 3)));
        assert_eq!(wanted("[toolchain]\npath = \"/x\"\n"), Some(("path", "/x".to_owned(), 2)));
        assert_eq!(wanted("[toolchain]\ncomponents = [\"clippy\"]\n"), None);
        assert_eq!(wanted(""), None);
    }

    #[test]
    fn the_nearest_file_is_read_and_no_other() {
        let root = tempfile::tempdir().expect("a directory");
        let inner = root.path().join("a/b");
        std::fs::create_dir_all(&inner).expect("made");
        std::fs::write(root.path().join("rust-toolchain"), "beta").expect("written");
        assert_eq!(nearest(&inner).expect("read").expect("a wish").channel, "beta");
        std::fs::write(root.path().join("a/rust-toolchain.toml"), "[toolchain]\n")
            .expect("written");
        assert_eq!(nearest(&inner).expect("read"), None);
    }
}
