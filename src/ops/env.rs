//! `env`: the environment of a target as text, for shells and other programs.

use std::path::PathBuf;

use super::context::Context;
use super::environment::write_if_changed;
use super::error::Error;
use super::exec::{Found, found};
use super::user::Homes;
use crate::hermetic::exports::Exports;
use crate::hermetic::render::{Format, render};
use crate::sys::fs::create_dir;

/// direnv sets it for the hook of a directory.
const IN_DIRENV: &str = "DIRENV_IN_ENVRC";

/// The directory of a project that `env --write` keeps.
const DIR: &str = ".xprov";

/// The files of `env --write`.
pub struct EnvFiles {
    /// Their directory.
    pub dir: PathBuf,
    /// Those that were written.
    pub written: Vec<PathBuf>,
    /// Those that had the same text already.
    pub unchanged: Vec<PathBuf>,
}

/// The environment of a target in one of the forms. In a hook of direnv's it neither uses the
/// network nor changes the lock: a prompt must not wait.
pub fn env(
    context: &mut Context<'_>,
    manifest: Option<&str>,
    target: Option<&str>,
    format: Format,
) -> Result<String, Error> {
    if context.ambient.var(IN_DIRENV).is_some() {
        context.mode.locked = true;
        context.mode.offline = true;
    }
    Ok(render(format, &exports(context, &found(context, manifest, target)?)?))
}

/// Writes the environment of a target in every form into `.xprov/` of the project.
pub fn write_env(
    context: &Context<'_>,
    manifest: Option<&str>,
    target: Option<&str>,
) -> Result<EnvFiles, Error> {
    let found = found(context, manifest, target)?;
    let exports = exports(context, &found)?;
    let dir = found.project.root.join(DIR);
    create_dir(&dir)?;
    // The files are of this machine.
    write_if_changed(&dir.join(".gitignore"), "*\n")?;
    let mut files = EnvFiles { dir: dir.clone(), written: Vec::new(), unchanged: Vec::new() };
    for (format, name) in Format::FILES {
        let (path, text) = (dir.join(name), render(format, &exports));
        if write_if_changed(&path, &text)? {
            files.written.push(path);
        } else {
            files.unchanged.push(path);
        }
    }
    Ok(files)
}

/// What the environment adds to that of a shell.
pub fn exports(context: &Context<'_>, found: &Found) -> Result<Exports, Error> {
    let homes = Homes::of(context.ambient);
    let homes: Vec<(&str, &str)> = homes.variables().collect();
    Ok(Exports::new(&found.environment.plan, &homes, &found.project.settings.env.pass)?)
}
