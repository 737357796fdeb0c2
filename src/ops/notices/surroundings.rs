//! What in the user's surroundings would have changed a build: variables, cargo configuration
//! outside of the project, `rust-toolchain.toml`. Reads the last only; all else is passed in.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::{Notice, NoticeKind, Subject, at};
use crate::hermetic::cargo_config::ConfigFile;
use crate::hermetic::cfg_expr::TargetCfgs;
use crate::hermetic::elsewhere::build_inputs;
use crate::hermetic::vars::{self, Fate};
use crate::hermetic::{self, Origin, Plan};
use crate::sys::ambient::Ambient;
use crate::sys::fs::{FsError, read_text};
use crate::vocab::triple::RustTriple;

/// The notices that are known before cargo starts. `elsewhere` are configurations that are not the
/// project's; `release` is the pinned Rust.
pub fn surroundings(
    ambient: &Ambient,
    plan: &Plan,
    elsewhere: &[&ConfigFile],
    (host, target): (&RustTriple, &RustTriple),
    release: &str,
) -> Result<Vec<Notice>, crate::ops::Error> {
    let mut notices = super::of_warnings(ambient, &plan.warnings);
    notices.extend(variables(ambient, plan));
    notices.extend(configuration(ambient, elsewhere, host, target)?);
    notices.extend(toolchain(ambient, release)?);
    Ok(notices)
}

/// Variables that no build sees, though they are set.
fn variables(ambient: &Ambient, plan: &Plan) -> Vec<Notice> {
    let mut notices = Vec::new();
    for (name, value) in &ambient.variables {
        let Some(rule) = vars::rule_for(name).filter(|rule| rule.fate == Fate::Never) else {
            continue;
        };
        let planned = plan.variables.iter().find(|variable| variable.name == *name);
        // Through a door of the settings, or from an environment that we are called in.
        let arrives = planned.is_some_and(|planned| {
            planned.value == *value || matches!(planned.origin, Origin::Setting(_))
        });
        // It says where binaries go, which xprov heeds.
        let heeded = name == "CARGO_TARGET_DIR";
        if value.is_empty() || arrives || heeded || is_rustups(ambient, name, value) {
            continue;
        }
        let passable = ["CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS"];
        let base = name.split('_').next().unwrap_or(name);
        notices.push(Notice {
            kind: NoticeKind::Variable,
            subject: Subject::Variable { variable: name.clone() },
            what: name.clone(),
            became: None,
            why: rule.reason.to_owned(),
            allow: passable.contains(&base).then(|| format!("env.pass = [\"{name}\"]")),
        });
    }
    notices
}

/// Whether rustup's `cargo` set it on the way to `cargo xprov`, and not the user.
fn is_rustups(ambient: &Ambient, name: &str, value: &str) -> bool {
    let Some(toolchain) = ambient.var("RUSTUP_TOOLCHAIN") else { return false };
    if ambient.var("RUST_RECURSION_COUNT").is_none() {
        return false;
    }
    let lib = format!("toolchains/{toolchain}/lib");
    match name {
        "RUSTUP_TOOLCHAIN" => true,
        "LD_LIBRARY_PATH" => value.split(':').all(|dir| Path::new(dir).ends_with(&lib)),
        _ => false,
    }
}

fn configuration(
    ambient: &Ambient,
    files: &[&ConfigFile],
    host: &RustTriple,
    target: &RustTriple,
) -> Result<Vec<Notice>, hermetic::Error> {
    let cfgs = TargetCfgs::of(target);
    let mut notices = Vec::new();
    for file in files {
        for (key, place) in build_inputs(file, host, target, &cfgs)? {
            notices.push(Notice {
                kind: NoticeKind::Configuration,
                subject: at(ambient, &place),
                what: key,
                became: None,
                why: "only the workspace's own configuration reaches a build".to_owned(),
                allow: None,
            });
        }
    }
    Ok(notices)
}

/// `rust-toolchain.toml`, or the file of the older name, nearest to where the user is: as rustup
/// finds it. Only one that asks for another Rust is worth a word.
fn toolchain(ambient: &Ambient, release: &str) -> Result<Option<Notice>, FsError> {
    for dir in ambient.cwd.ancestors() {
        for name in ["rust-toolchain", "rust-toolchain.toml"] {
            let path = dir.join(name);
            if let Some(text) = read_text(&path)? {
                let wish = wish(&text).filter(|wish| !wish.is_met_by(release));
                return Ok(wish.map(|wish| wish.notice(ambient, &path, release)));
            }
        }
    }
    Ok(None)
}

/// What a toolchain file asks for.
struct Wish {
    channel: String,
    line: usize,
}

fn wish(text: &str) -> Option<Wish> {
    #[derive(Deserialize)]
    struct File {
        toolchain: Table,
    }
    #[derive(Deserialize)]
    struct Table {
        channel: Option<Spanned<String>>,
        path: Option<Spanned<String>>,
    }
    let Ok(File { toolchain }) = toml::from_str(text) else {
        // The older form is one word.
        let channel = text.trim();
        let is_word = !channel.is_empty() && !channel.contains(char::is_whitespace);
        return is_word.then(|| Wish { channel: channel.to_owned(), line: 1 });
    };
    let value = toolchain.channel.or(toolchain.path)?;
    let line = text[..value.span().start].matches('\n').count() + 1;
    Some(Wish { channel: value.into_inner(), line })
}

impl Wish {
    /// The version in it, without a date or a host.
    fn version(&self) -> Option<&str> {
        let version = self.channel.split('-').next().unwrap_or_default();
        version.starts_with(|c: char| c.is_ascii_digit()).then_some(version)
    }

    fn is_met_by(&self, release: &str) -> bool {
        match self.version() {
            Some(version) => release
                .strip_prefix(version)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
            // Which stable one, the lock says.
            None => self.channel == "stable" || self.channel.starts_with("stable-"),
        }
    }

    fn notice(self, ambient: &Ambient, path: &Path, release: &str) -> Notice {
        let allow = self.version().map(|version| format!("rust = \"{version}\""));
        let file: PathBuf = ambient.shown(path).to_path_buf();
        Notice {
            kind: NoticeKind::Toolchain,
            subject: Subject::File { file, line: self.line },
            what: self.channel,
            became: Some(release.to_owned()),
            why: "toolchains.lock pins Rust".to_owned(),
            allow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toolchain_file_is_met_by_the_release_that_it_means() {
        let met = |text: &str, release: &str| wish(text).expect("a wish").is_met_by(release);
        assert!(met("[toolchain]\nchannel = \"1.85\"\n", "1.85.1"));
        assert!(met("1.85.0-x86_64-unknown-linux-gnu\n", "1.85.0"));
        assert!(met("[toolchain]\nchannel = \"stable\"\n", "1.85.0"));
        assert!(!met("[toolchain]\nchannel = \"1.8\"\n", "1.85.0"));
        assert!(!met("nightly-2026-01-01\n", "1.85.0"));
        assert!(!met("[toolchain]\npath = \"/opt/rust\"\n", "1.85.0"));
        assert!(wish("[toolchain]\ncomponents = [\"clippy\"]\n").is_none() && wish("").is_none());
        let wish = wish("[toolchain]\ncomponents = []\nchannel = \"1.8\"\n").expect("a wish");
        assert_eq!((wish.line, wish.version()), (3, Some("1.8")));
    }

    #[test]
    fn what_rustups_cargo_sets_is_not_the_users() {
        let ambient = |count: &str| Ambient {
            variables: [
                ("RUSTUP_TOOLCHAIN".to_owned(), "stable".to_owned()),
                ("RUST_RECURSION_COUNT".to_owned(), count.to_owned()),
            ]
            .into(),
            shell_cwd: "/".into(),
            cwd: "/".into(),
            executable: PathBuf::new(),
            stderr_is_terminal: false,
            stdout_is_terminal: false,
        };
        let (by_rustup, by_user) = (ambient("1"), ambient(""));
        assert!(is_rustups(&by_rustup, "RUSTUP_TOOLCHAIN", "stable"));
        assert!(!is_rustups(&by_user, "RUSTUP_TOOLCHAIN", "stable"));
        let lib = "/h/.rustup/toolchains/stable/lib";
        assert!(is_rustups(&by_rustup, "LD_LIBRARY_PATH", lib));
        assert!(!is_rustups(&by_rustup, "LD_LIBRARY_PATH", &format!("{lib}:/opt/lib")));
    }
}
