//! What the sandbox of a build lets it reach, as paths of this machine. Confines nothing.

use std::path::Path;

use super::input::{Confinement, Paths};
use super::{Error, text};
use crate::vocab::sandbox::Roots;

/// What every build may reach, and what the settings add.
pub fn roots(paths: &Paths, build_dir: &Path, settings: &Confinement) -> Result<Roots, Error> {
    // The environments are in the store; where they are not, they are a root of their own.
    let mut read = vec![&paths.store, &paths.workspace, &paths.cargo_home, &paths.home];
    read.extend((!paths.envs_dir.starts_with(&paths.store)).then_some(&paths.envs_dir));
    read.extend(&settings.read);
    let build_dir = build_dir.to_path_buf();
    let mut write = vec![&paths.target_dir];
    for dir in [&build_dir, &paths.tmp] {
        write.extend((!dir.starts_with(&paths.target_dir)).then_some(dir));
    }
    write.extend(&settings.write);
    // They become a variable's text.
    read.iter().chain(&write).try_for_each(|path| text(path).map(drop))?;
    let owned = |paths: Vec<&std::path::PathBuf>| paths.into_iter().cloned().collect();
    Ok(Roots {
        mode: settings.mode,
        read: owned(read),
        write: owned(write),
        network: settings.network,
    })
}
