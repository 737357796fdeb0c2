//! Where paths of this machine become names that every machine shares, for rustc and for C.
//! Knows nothing of variables.

use crate::vocab::handover::SEPARATOR;
use std::path::PathBuf;

use super::input::Paths;
use super::{Error, text};

/// One replacement of a path prefix in what compilers write down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixMap {
    /// The directory on this machine.
    pub from: String,
    /// What stands for it in the output.
    pub to: &'static str,
}

/// All maps, the most general first: both rustc and gcc let the last match win.
pub fn maps(paths: &Paths, env_dir: &str, build_dir: &str) -> Result<Vec<PrefixMap>, Error> {
    let mut maps = Vec::new();
    let mut add = |from: &str, to: &'static str| {
        if !from.is_empty() && from != "/" {
            maps.push(PrefixMap { from: from.to_owned(), to });
        }
    };
    add(text(&paths.store)?, "/xprov/store");
    add(env_dir, "/xprov/env");
    add(text(&paths.cargo_home)?, "/xprov/cargo");
    add(text(&paths.workspace)?, "/xprov/workspace");
    for dir in &paths.registry_dirs {
        add(text(dir)?, "/xprov/registry");
    }
    add(text(&paths.target_dir)?, "/xprov/target");
    add(build_dir, "/xprov/build");
    // A directory inside another one has the longer path; the sort is stable.
    maps.sort_by_key(|map| map.from.len());
    Ok(maps)
}

/// The maps as the value of [`PREFIX_MAP_VARIABLE`](crate::vocab::handover::PREFIX_MAP_VARIABLE).
pub fn to_variable(maps: &[PrefixMap]) -> String {
    let pairs: Vec<String> = maps.iter().map(|map| format!("{}={}", map.from, map.to)).collect();
    pairs.join(&SEPARATOR.to_string())
}

/// The directories and what replaces them in values that users wrote, the longest first.
pub fn placeholders(paths: &Paths) -> Result<Vec<(String, &'static str)>, Error> {
    let mut list: Vec<(&PathBuf, &'static str)> = vec![
        (&paths.store, "@store@"),
        (&paths.envs_dir, "@envs@"),
        (&paths.cargo_home, "@cargo-home@"),
        (&paths.workspace, "@workspace@"),
        (&paths.target_dir, "@target@"),
        (&paths.home, "@home@"),
        (&paths.tmp, "@tmp@"),
    ];
    list.sort_by_key(|(path, _)| std::cmp::Reverse(path.as_os_str().len()));
    let named: Result<Vec<_>, Error> =
        list.into_iter().map(|(path, name)| Ok((text(path)?.to_owned(), name))).collect();
    // Replacing these would replace too much.
    Ok(named?.into_iter().filter(|(path, _)| !path.is_empty() && path != "/").collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_specific_directory_comes_later() {
        let paths = Paths {
            workspace: "/h/w".into(),
            target_dir: "/h/w/target".into(),
            envs_dir: "/x/envs".into(),
            store: "/x/store".into(),
            cargo_home: "/x/cargo".into(),
            registry_dirs: vec!["/x/cargo/registry/src/index-1".into()],
            home: "/x/home".into(),
            tmp: "/x/tmp".into(),
        };
        let maps = maps(&paths, "/x/envs/0", "/h/w/target/xprov/0").expect("text");
        let at = |to: &str| maps.iter().position(|map| map.to == to).expect("is there");
        assert!(at("/xprov/workspace") < at("/xprov/target"));
        assert!(at("/xprov/target") < at("/xprov/build"));
        assert!(at("/xprov/cargo") < at("/xprov/registry"));
    }
}
