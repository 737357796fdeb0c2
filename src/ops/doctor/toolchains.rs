//! What rustup would choose, where the project's lock says otherwise. Does not ask rustup.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::{Area, Guard, Leak, Patient, Weight};
use crate::ops::at::At;
use crate::ops::error::Error;
use crate::ops::lock;
use crate::sys::fs::read_text;

/// rustup's files, of which it reads the first where both exist.
const NAMES: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

/// The findings.
pub fn leaks(patient: &Patient<'_>) -> Result<Vec<Leak>, Error> {
    let cwd = &patient.context.ambient.cwd;
    let own = patient.project.map(|project| project.root.as_path());
    let locked = match patient.project {
        Some(project) => lock::read(patient.context, project)?.and_then(|(lock, _)| {
            let rustc = lock.entries.into_iter().find(|entry| entry.key.name.as_str() == "rustc");
            rustc.map(|rustc| rustc.key.version)
        }),
        None => None,
    };
    // Without a lock there is nothing that the project's own word contradicts.
    let agrees = |channel: &str, of_project: bool| {
        locked.as_ref().map_or(of_project, |version| is_version(channel, version))
    };
    let start = own.filter(|root| !cwd.starts_with(root)).unwrap_or(cwd);
    let mut leaks = Vec::new();
    for (channel, at) in overrides(patient, start)? {
        if !agrees(&channel, false) {
            let what = format!("override = \"{channel}\"");
            let help = "`rustup override unset` in that directory takes it away".to_owned();
            leaks.push(leak(what, at, locked.as_deref(), help));
        }
    }
    for dir in start.ancestors() {
        let paths: [PathBuf; 2] = NAMES.map(|name| dir.join(name));
        let Some(path) = paths.into_iter().find(|path| path.is_file()) else { continue };
        let Some((channel, line)) = channel(&path)? else { continue };
        let of_project = own.is_some_and(|root| dir.starts_with(root));
        if !agrees(&channel, of_project) {
            let what = format!("channel = \"{channel}\"");
            let help = match (of_project, &locked) {
                (true, Some(version)) => {
                    format!("write `channel = \"{version}\"`, or delete the file")
                }
                _ => "delete it, or move it to where it belongs".to_owned(),
            };
            leaks.push(leak(what, At::line(path, line), locked.as_deref(), help));
        }
        // rustup reads the nearest only.
        break;
    }
    Ok(leaks)
}

fn leak(what: String, place: At, locked: Option<&str>, help: String) -> Leak {
    let against = match locked {
        Some(version) => format!("another Rust than {version}, which toolchains.lock pins"),
        None => "a Rust that no project chose".to_owned(),
    };
    Leak {
        area: Area::Toolchains,
        weight: Weight::Leak,
        what,
        places: vec![place],
        effect: format!("a cargo of rustup's would take {against}"),
        guard: Guard::Prevented,
        help,
    }
}

/// The toolchains that rustup remembers for `dir` and directories above it.
fn overrides(patient: &Patient<'_>, dir: &Path) -> Result<Vec<(String, At)>, Error> {
    let own = patient.context.ambient.var("RUSTUP_HOME").map(PathBuf::from);
    let default = || patient.home.as_ref().map(|home| home.join(".rustup"));
    let Some(home) = own.or_else(default) else { return Ok(Vec::new()) };
    let path = home.join("settings.toml");
    let Some(text) = read_text(&path)? else { return Ok(Vec::new()) };
    let Ok(table) = DeTable::parse(&text) else { return Ok(Vec::new()) };
    let overrides = table.get_ref().get("overrides").and_then(|value| value.get_ref().as_table());
    let here = overrides.into_iter().flatten().filter_map(|(of, value)| {
        let channel = value.get_ref().as_str()?.to_owned();
        let at = At::line(&path, line_of(&text, value.span().start));
        dir.starts_with(Path::new(of.get_ref().as_ref())).then_some((channel, at))
    });
    Ok(here.collect())
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The channel that a file names and its line; `None` where it names a path, or nothing.
fn channel(path: &Path) -> Result<Option<(String, usize)>, Error> {
    let Some(text) = read_text(path)? else { return Ok(None) };
    let Ok(table) = DeTable::parse(&text) else {
        // The old form is the channel and nothing else.
        let line = text.trim();
        let is_word = !line.is_empty() && !line.contains(char::is_whitespace);
        return Ok(is_word.then(|| (line.to_owned(), 1)));
    };
    let toolchain = table.get_ref().get("toolchain").and_then(|value| value.get_ref().as_table());
    let value = toolchain.and_then(|table| table.get("channel"));
    Ok(value.and_then(|value| {
        Some((value.get_ref().as_str()?.to_owned(), line_of(&text, value.span().start)))
    }))
}

/// Whether a channel means this version: `1.95` and `1.95.0` do, `stable` may mean any.
fn is_version(channel: &str, version: &str) -> bool {
    let rest = version.strip_prefix(channel);
    rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with('.') && channel.contains('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_version_agrees_with_a_version() {
        assert!(is_version("1.95.0", "1.95.0") && is_version("1.95", "1.95.0"));
        for other in ["stable", "1.9", "1", "nightly-2026-01-01", "1.95.1"] {
            assert!(!is_version(other, "1.95.0"), "{other}");
        }
    }

    #[test]
    fn both_forms_of_the_file_are_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("rust-toolchain");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("written");
            channel(&path).expect("readable")
        };
        assert_eq!(read("stable\n"), Some(("stable".to_owned(), 1)));
        let table = "[toolchain]\ncomponents = []\nchannel = \"1.80\"\n";
        assert_eq!(read(table), Some(("1.80".to_owned(), 3)));
        assert_eq!(read("[toolchain]\npath = \"x\"\n"), None);
    }
}
