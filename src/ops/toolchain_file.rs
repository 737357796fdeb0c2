//! `rust-toolchain.toml` and the file of its older name: which Rust rustup would take for a
//! directory. The project's own is its request where the settings say nothing; never a toolchain of
//! rustup's.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::DeTable;

use super::at::At;
use crate::settings::{Settings, Target};
use crate::sys::ambient::Ambient;
use crate::sys::fs::{FsError, read_text};
use crate::upstream::rust_dist::Channel;
use crate::vocab::document::line_of;
use crate::vocab::triple::KNOWN;

/// rustup's files, of which it reads the first where both exist.
const NAMES: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

/// The keys that say which Rust; the first outranks the other.
const KEYS: [&str; 2] = [KEY, "path"];
const KEY: &str = "channel";

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

/// What the project's own file brought into its settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Honoured {
    /// Sentences for whoever writes the lock.
    pub notes: Vec<String>,
    /// The file.
    pub text: String,
}

/// What a file says besides the channel.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    toolchain: RawToolchain,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawToolchain {
    components: Vec<String>,
    targets: Vec<String>,
}

/// Components that recipes have on request. Those of any Rust need no asking.
const COMPONENTS: [&str; 4] = ["clippy", "rust-analyzer", "rust-src", "rustfmt"];
const ALWAYS: [&str; 3] = ["cargo", "rust-std", "rustc"];

/// Takes what the file beside the root manifest asks for into `settings`, where they say nothing:
/// the version, the components, the targets.
pub fn honour(
    ambient: &Ambient,
    root: &Path,
    settings: &mut Settings,
) -> Result<Honoured, FsError> {
    let mut honoured = Honoured::default();
    let notes = &mut honoured.notes;
    for path in NAMES.map(|name| root.join(name)) {
        let Some(text) = read_text(&path)? else { continue };
        let file = ambient.shown(&path).display().to_string();
        if settings.rust.recipe.is_none()
            && settings.rust.version.is_none()
            && let Some((KEY, channel, _)) = wanted(&text)
            && let Some(version) = request(&channel)
        {
            notes.push(format!("{file} asks for Rust {version}"));
            settings.rust.version = Some(version);
        }
        let Raw { toolchain } = toml::from_str(&text).unwrap_or_default();
        let mut left_out = Vec::new();
        if settings.rust.components.is_empty() {
            for component in toolchain.components {
                let name = component.strip_suffix("-preview").unwrap_or(&component);
                match name.parse() {
                    Ok(known) if COMPONENTS.contains(&name) => {
                        settings.rust.components.insert(known);
                    }
                    _ if ALWAYS.contains(&name) => {}
                    _ => left_out.push(component),
                }
            }
        }
        if settings.targets.is_empty() {
            for target in toolchain.targets {
                match Target::try_from(target.clone()) {
                    Ok(target) => settings.targets.push(target),
                    Err(_) => left_out.push(target),
                }
            }
        }
        if !left_out.is_empty() {
            let names = left_out.join("`, `");
            notes.push(format!("`{names}` of {file} is left out: xprov does not have it"));
        }
        honoured.text = text;
        break;
    }
    Ok(honoured)
}

/// The version of the settings that a channel means; `None` where it leaves it open, as `stable`
/// does, or is the name of a toolchain of rustup's own.
fn request(channel: &str) -> Option<String> {
    let hostless = KNOWN.iter().find_map(|host| channel.strip_suffix(host)?.strip_suffix('-'));
    let channel = hostless.unwrap_or(channel);
    let is_release = channel.parse::<Channel>().is_ok();
    (is_release && channel != "stable").then(|| channel.to_owned())
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
    if request(channel).is_some_and(|named| named == release) {
        return true;
    }
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
    fn a_channel_is_a_request_where_it_names_a_release() {
        for (channel, version) in [
            ("1.95.0", Some("1.95.0")),
            ("1.95", Some("1.95")),
            ("1.95.0-x86_64-unknown-linux-gnu", Some("1.95.0")),
            ("nightly", Some("nightly")),
            ("nightly-2026-05-20-aarch64-apple-darwin", Some("nightly-2026-05-20")),
            ("stable", None),
            ("other", None),
        ] {
            assert_eq!(request(channel).as_deref(), version, "{channel}");
        }
        assert!(names("nightly-2026-05-20", "nightly-2026-05-20"));
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
