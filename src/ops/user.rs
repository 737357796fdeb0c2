//! What the user has outside of any project: homes, and the cargo configuration in them. Inside an
//! environment (`xprov exec`) HOME and CARGO_HOME are others; the user's are remembered.

use std::path::{Path, PathBuf};

use super::context::Context;
use super::error::Error;
use super::project::Project;
use crate::hermetic::cargo_config::{ConfigFile, FILE_NAMES};
use crate::sys::ambient::Ambient;
use crate::sys::fs::read_text;

/// The user's HOME and CARGO_HOME, as they wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Homes {
    home: Option<String>,
    cargo_home: Option<String>,
}

const HOME: &str = "XPROV_USER_HOME";
const CARGO_HOME: &str = "XPROV_USER_CARGO_HOME";

impl Homes {
    /// The remembered ones, or else those of this process.
    pub fn of(ambient: &Ambient) -> Self {
        let var = |name| ambient.var(name).map(str::to_owned);
        let inside = [HOME, CARGO_HOME].iter().any(|name| ambient.var(name).is_some());
        let [home, cargo_home] = if inside { [HOME, CARGO_HOME] } else { ["HOME", "CARGO_HOME"] };
        Self { home: var(home), cargo_home: var(cargo_home) }
    }

    /// The variables that remember them in an environment. No build sees them, and they are not
    /// part of env-id.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let home = self.home.as_deref().map(|home| (HOME, home));
        home.into_iter().chain(self.cargo_home.as_deref().map(|home| (CARGO_HOME, home)))
    }

    /// The home itself.
    pub fn home(&self) -> Option<&str> {
        self.home.as_deref()
    }

    /// Where the user's cargo configuration is.
    fn cargo_home(&self) -> Option<PathBuf> {
        let own = self.cargo_home.as_ref().map(PathBuf::from);
        own.or_else(|| self.home.as_ref().map(|home| PathBuf::from(home).join(".cargo")))
    }
}

/// The directories that may hold the user's cargo configuration: `.cargo` in each of `dirs`, then
/// the user's `CARGO_HOME`; each once.
pub fn config_dirs<'a>(ambient: &Ambient, dirs: impl Iterator<Item = &'a Path>) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = dirs.map(|dir| dir.join(".cargo")).collect();
    if let Some(home) = Homes::of(ambient).cargo_home().filter(|home| !found.contains(home)) {
        found.push(home);
    }
    found
}

/// The user's cargo configuration: that of the directories above the project, nearest first, then
/// that of the user's `CARGO_HOME` with its credentials. Only network settings are taken from it;
/// what else is in it the user is told.
pub fn cargo_config(context: &Context<'_>, project: &Project) -> Result<Vec<ConfigFile>, Error> {
    let dirs = config_dirs(context.ambient, project.root.ancestors().skip(1));
    let mut paths: Vec<PathBuf> =
        dirs.iter().flat_map(|dir| FILE_NAMES.map(|name| dir.join(name))).collect();
    if let Some(home) = Homes::of(context.ambient).cargo_home() {
        paths.extend(["credentials", "credentials.toml"].map(|name| home.join(name)));
    }
    read_each(paths)
}

/// Cargo configuration between the workspace's root and where the user is, which plain cargo would
/// obey and a build does not: what is built shall not depend on where it is called.
pub fn config_below_root(
    context: &Context<'_>,
    project: &Project,
) -> Result<Vec<ConfigFile>, Error> {
    let cwd = &context.ambient.cwd;
    let below = cwd.ancestors().take_while(|dir| *dir != project.root);
    let dirs = below.filter(|dir| dir.starts_with(&project.root));
    let names = |dir: &Path| FILE_NAMES.map(|name| dir.join(".cargo").join(name));
    read_each(dirs.flat_map(names).collect())
}

fn read_each(paths: Vec<PathBuf>) -> Result<Vec<ConfigFile>, Error> {
    let mut files: Vec<ConfigFile> = Vec::new();
    for path in paths {
        if let Some(text) = read_text(&path)? {
            files.push(ConfigFile::new(path, text));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn homes(variables: &[(&str, &str)]) -> Homes {
        let variables = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Homes::of(&Ambient {
            variables: variables.collect(),
            shell_cwd: "/".into(),
            cwd: PathBuf::new(),
            executable: PathBuf::new(),
            stderr_is_terminal: false,
            stdout_is_terminal: false,
        })
    }

    #[test]
    fn what_an_environment_remembers_outranks_what_it_has() {
        let outside = homes(&[("HOME", "/u"), ("CARGO_HOME", "/c")]);
        assert_eq!(outside.cargo_home(), Some("/c".into()));
        assert_eq!(homes(&[("HOME", "/u")]).cargo_home(), Some("/u/.cargo".into()));
        for outside in [outside, homes(&[("HOME", "/u")])] {
            let own = [("HOME", "/x/home"), ("CARGO_HOME", "/x/cargo")];
            let inside: Vec<_> = own.into_iter().chain(outside.variables()).collect();
            assert_eq!(homes(&inside), outside);
        }
    }
}
