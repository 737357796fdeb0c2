//! What rustup would choose, where the project's lock says otherwise. Does not ask rustup.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::{Area, Guard, Leak, Patient};
use crate::ops::at::At;
use crate::ops::error::Error;
use crate::ops::{lock, system_rust, toolchain_file};
use crate::sys::fs::read_text;
use crate::vocab::document::line_of;

/// The findings.
pub fn leaks(patient: &Patient<'_>) -> Result<Vec<Leak>, Error> {
    let cwd = &patient.context.ambient.cwd;
    let own = patient.project.map(|project| project.root.as_path());
    let locked = match patient.project {
        Some(project) => lock::pinned_rust(patient.context, project)?,
        None => None,
    };
    // Without a lock there is nothing that the project's own word contradicts.
    let agrees = |channel: &str, of_project: bool| {
        locked.as_ref().map_or(of_project, |version| toolchain_file::names(channel, version))
    };
    let start = own.filter(|root| !cwd.starts_with(root)).unwrap_or(cwd);
    let mut leaks = Vec::new();
    let of_machine = patient.project.filter(|project| system_rust::is_asked(&project.settings));
    leaks.extend(of_machine.map(|project| Leak {
        effect:
            "the compiler is this machine's own; another machine may have another one".to_owned(),
        guard: Guard::Chosen,
        help: "take it out of the settings, and xprov brings a pinned Rust".to_owned(),
        ..Leak::note(
            Area::Toolchains,
            "rust = \"system\"",
            project.setting(&["rust"]).into_iter().collect(),
        )
    }));
    for (channel, at) in overrides(patient, start)? {
        if !agrees(&channel, false) {
            let what = format!("override = \"{channel}\"");
            let help = "`rustup override unset` in that directory takes it away".to_owned();
            leaks.push(leak(what, at, locked.as_deref(), help));
        }
    }
    if let Some(wanted) = toolchain_file::nearest(start)? {
        let of_project = own.is_some_and(|root| wanted.path.starts_with(root));
        if !agrees(&wanted.channel, of_project) {
            let what = format!("{} = \"{}\"", wanted.key, wanted.channel);
            let help = match (of_project, &locked) {
                (true, Some(version)) => {
                    format!("write `channel = \"{version}\"`, or delete the file")
                }
                _ => "delete it, or move it to where it belongs".to_owned(),
            };
            leaks.push(leak(what, wanted.at(), locked.as_deref(), help));
        }
    }
    Ok(leaks)
}

fn leak(what: String, place: At, locked: Option<&str>, help: String) -> Leak {
    let against = match locked {
        Some(version) => format!("another Rust than {version}, which toolchains.lock pins"),
        None => "a Rust that no project chose".to_owned(),
    };
    Leak {
        effect: format!("a cargo of rustup's would take {against}"),
        help,
        ..Leak::new(Area::Toolchains, what, vec![place])
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
