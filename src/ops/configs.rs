//! The configuration that a cargo command obeys: the user's `--config`s, then the project's own.
//! What the user's machine says elsewhere is `crates`' business, and only about the network.

use std::path::PathBuf;

use super::error::Error;
use super::project::Project;
use crate::hermetic::cargo_args::ConfigArgument;
use crate::hermetic::cargo_config::{self, ConfigFile};
use crate::sys::fs::read_text;

/// The configuration of one command.
#[derive(Debug, Default)]
pub struct Configs {
    /// The root's `.cargo/config.toml` (or `config`, its old name).
    pub of_project: Option<PathBuf>,
    /// The user's arguments, in order.
    pub arguments: Vec<ConfigArgument>,
    /// Every text with those that it includes, highest precedence first.
    pub files: Vec<ConfigFile>,
}

impl Configs {
    /// Reads them all. No other configuration reaches a build.
    pub fn read(project: &Project, arguments: &[ConfigArgument]) -> Result<Self, Error> {
        let dir = project.root.join(".cargo");
        let names = cargo_config::FILE_NAMES.map(|name| dir.join(name));
        let of_project = names.into_iter().find(|path| path.is_file());
        let mut files = Vec::new();
        for argument in arguments.iter().rev() {
            match argument {
                ConfigArgument::File(path) => add_file(path.clone(), &mut files)?,
                ConfigArgument::Inline(inline) => add(inline.clone(), &mut files)?,
            }
        }
        if let Some(path) = &of_project {
            add_file(path.clone(), &mut files)?;
        }
        Ok(Self { of_project, arguments: arguments.to_vec(), files })
    }
}

fn add_file(path: PathBuf, files: &mut Vec<ConfigFile>) -> Result<(), Error> {
    // The first of two readings has the precedence; includes may go round in circles.
    if files.iter().any(|known| known.path == path) {
        return Ok(());
    }
    match read_text(&path)? {
        Some(text) => add(ConfigFile::new(path, text), files),
        None => Ok(()),
    }
}

/// Adds a text, which wins over what it includes, of which the last wins.
fn add(file: ConfigFile, files: &mut Vec<ConfigFile>) -> Result<(), Error> {
    let includes = cargo_config::includes(&file)?;
    files.push(file);
    includes.into_iter().rev().try_for_each(|path| add_file(path, files))
}
