//! Which library search path each host executable of a tree gets, and what it would still take from
//! the host. Pure: names and needs in, strings out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Needs, RelocateError};
use crate::vocab::relpath::RelPath;

/// The dynamic ELF files of one composed tree, under all their names.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    files: BTreeMap<RelPath, Needs>,
    links: BTreeMap<RelPath, RelPath>,
}

/// What is to be done to a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositionPlan {
    /// The new search path of every file that must change.
    pub runpaths: BTreeMap<RelPath, String>,
    /// The directories that hold a needed library, sorted.
    pub library_dirs: Vec<RelPath>,
    /// Needed libraries that the tree does not have, so that the host's would be loaded.
    pub host_libraries: Vec<HostLibrary>,
}

/// A library that would come from the host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostLibrary {
    /// The needed name.
    pub library: String,
    /// The file of the tree that needs it.
    pub object: RelPath,
}

impl Objects {
    /// Adds a file of the tree with what [`super::needs`] read from it.
    pub fn add_file(&mut self, path: RelPath, needs: Needs) {
        self.files.insert(path, needs);
    }

    /// Adds a symbolic link whose final target is the file `target` of the same tree. The loader
    /// takes `$ORIGIN` from the name by which it found a library, so links count as names.
    pub fn add_link(&mut self, path: RelPath, target: RelPath) {
        self.links.insert(path, target);
    }

    /// Plans the tree for a host whose `e_machine` is `machine`; files of other machines are left
    /// alone. Files that need only the C library, or find everything through the `$ORIGIN` path that
    /// they already have, are not changed.
    pub fn plan(&self, machine: u16) -> Result<CompositionPlan, RelocateError> {
        let ours = || self.files.iter().filter(|(_, needs)| needs.machine == machine);
        let mut library_dirs = BTreeMap::new();
        let mut host_libraries = BTreeSet::new();
        for (path, needs) in ours() {
            for library in needs.needed.iter().filter(|name| !is_c_library(name)) {
                let providers: Vec<RelPath> = self.providers(library, needs).collect();
                let own = providers.iter().find(|provider| provider.parent() == path.parent());
                match own
                    .or(providers.first())
                    .and_then(|provider| Some((provider.parent()?, provider)))
                {
                    Some((dir, provider)) => {
                        library_dirs.entry(dir).or_insert_with(|| provider.clone());
                    }
                    None => {
                        host_libraries
                            .insert(HostLibrary { library: library.clone(), object: path.clone() });
                    }
                }
            }
        }
        for path in ours().map(|(path, _)| path).chain(self.links.keys()) {
            let reached = path.parent().and_then(|dir| library_dirs.get(&dir));
            if let Some(library) = reached.filter(|_| is_c_library(path.file_name())) {
                let (c_library, library) = (path.clone(), library.clone());
                return Err(RelocateError::CLibraryInReach { c_library, library });
            }
        }
        let library_dirs: Vec<RelPath> = library_dirs.into_keys().collect();
        let mut runpaths = BTreeMap::new();
        for (path, needs) in ours() {
            let names = self.names(path);
            if !names.iter().all(|name| self.is_satisfied(name, needs)) {
                runpaths.insert(path.clone(), runpath(&names, &library_dirs)?);
            }
        }
        let host_libraries = host_libraries.into_iter().collect();
        Ok(CompositionPlan { runpaths, library_dirs, host_libraries })
    }

    /// The file's own path, then the links to it.
    fn names(&self, path: &RelPath) -> Vec<RelPath> {
        let links = self.links.iter().filter(|(_, target)| *target == path);
        std::iter::once(path).chain(links.map(|(link, _)| link)).cloned().collect()
    }

    /// Names in the tree under which `library` can be loaded by a file with `needs`, sorted.
    fn providers(&self, library: &str, needs: &Needs) -> impl Iterator<Item = RelPath> {
        let files = self.files.keys().map(|path| (path, path));
        let mut found: Vec<RelPath> = files
            .chain(&self.links)
            .filter(|(name, target)| {
                name.file_name() == library
                    && self.files.get(target).is_some_and(|provider| {
                        (provider.machine, provider.wide) == (needs.machine, needs.wide)
                    })
            })
            .map(|(name, _)| name.clone())
            .collect();
        found.sort();
        found.into_iter()
    }

    /// Whether a file loaded as `name` finds all its libraries in the tree as it is.
    fn is_satisfied(&self, name: &RelPath, needs: &Needs) -> bool {
        let path = needs.runpath.as_deref().unwrap_or_default();
        let dirs: Option<Vec<RelPath>> = path
            .split(':')
            .filter(|dir| !dir.is_empty())
            .map(|dir| below_origin(name, dir))
            .collect();
        let Some(dirs) = dirs else { return false };
        let mut libraries = needs.needed.iter().filter(|library| !is_c_library(library));
        libraries.all(|library| {
            self.providers(library, needs)
                .any(|provider| provider.parent().is_some_and(|dir| dirs.contains(&dir)))
        })
    }
}

/// The directory of the tree that `$ORIGIN/…` means for a file loaded as `name`; `None` when it is
/// another place.
fn below_origin(name: &RelPath, dir: &str) -> Option<RelPath> {
    let rest = dir.strip_prefix("$ORIGIN").or_else(|| dir.strip_prefix("${ORIGIN}"))?;
    let parent = name.parent();
    let mut parts: Vec<&str> = parent.iter().flat_map(RelPath::components).collect();
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    RelPath::parse(parts.join("/").as_bytes()).ok()
}

/// The search path of a file that the loader may open under any of `names`: `library_dirs`, as seen
/// from each name's directory; the name's own directory first, the others in the order given.
pub fn runpath(names: &[RelPath], library_dirs: &[RelPath]) -> Result<String, RelocateError> {
    let mut path: Vec<String> = Vec::new();
    for name in names {
        let own = name.parent();
        let (first, others): (Vec<_>, Vec<_>) =
            library_dirs.iter().partition(|dir| Some(*dir) == own.as_ref());
        for dir in first.into_iter().chain(others) {
            if dir.as_str().contains([':', '$']) {
                return Err(RelocateError::Runpath { runpath: dir.to_string() });
            }
            let dir = origin_relative(own.as_ref(), dir);
            if !path.contains(&dir) {
                path.push(dir);
            }
        }
    }
    Ok(path.join(":"))
}

fn origin_relative(from: Option<&RelPath>, to: &RelPath) -> String {
    let from: Vec<&str> = from.iter().flat_map(|from| from.components()).collect();
    let to: Vec<&str> = to.components().collect();
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[shared..].iter().map(|_| "..");
    std::iter::once("$ORIGIN")
        .chain(up)
        .chain(to[shared..].iter().copied())
        .collect::<Vec<_>>()
        .join("/")
}

/// Whether the library `name` belongs to the C library: the loader and its siblings, which always
/// come from where the program runs, because loader and C library must be of one build.
pub fn is_c_library(name: &str) -> bool {
    const SIBLINGS: &[&str] =
        &["BrokenLocale", "anl", "c", "dl", "m", "mvec", "nsl", "pthread", "resolv", "rt", "util"];
    let sibling = name.strip_prefix("lib").and_then(|rest| rest.split_once(".so."));
    name.starts_with("ld-linux")
        || name.starts_with("ld64.so")
        || name.starts_with("ld-musl-")
        || name.starts_with("ld.so.")
        || name.starts_with("libc.musl-")
        || sibling.is_some_and(|(stem, _)| SIBLINGS.contains(&stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    const X86_64: u16 = 62;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text.as_bytes()).expect("a relative path")
    }

    fn needs(machine: u16, needed: &[&str], runpath: Option<&str>) -> Needs {
        Needs {
            machine,
            wide: true,
            needed: needed.iter().map(ToString::to_string).collect(),
            soname: None,
            runpath: runpath.map(ToOwned::to_owned),
        }
    }

    /// An executable, a private library that is also linked from the usual place, and its own need.
    fn tree() -> Objects {
        let mut tree = Objects::default();
        tree.add_file(path("usr/bin/tool"), needs(X86_64, &["libp.so.1", "libc.so.6"], None));
        tree.add_file(path("usr/lib/p/lib/libp.so.1"), needs(X86_64, &["libz.so.1"], None));
        tree.add_link(path("usr/lib/m/libp.so.1"), path("usr/lib/p/lib/libp.so.1"));
        tree.add_file(path("lib/m/libz.so.1"), needs(X86_64, &["libc.so.6"], None));
        tree.add_file(path("usr/arm/lib/libz.so.1"), needs(40, &["libq.so.1"], None));
        tree
    }

    #[test]
    fn each_name_of_a_library_gets_its_own_way() {
        let plan = tree().plan(X86_64).expect("a plan");
        assert_eq!(plan.library_dirs, [path("lib/m"), path("usr/lib/m")]);
        assert_eq!(plan.host_libraries, []);
        let runpaths: Vec<_> =
            plan.runpaths.iter().map(|(path, runpath)| (path.as_str(), runpath.as_str())).collect();
        assert_eq!(
            runpaths,
            [
                ("usr/bin/tool", "$ORIGIN/../../lib/m:$ORIGIN/../lib/m"),
                (
                    "usr/lib/p/lib/libp.so.1",
                    "$ORIGIN/../../../../lib/m:$ORIGIN/../../m:$ORIGIN:$ORIGIN/../../../lib/m"
                ),
            ]
        );
    }

    #[test]
    fn a_library_of_another_machine_does_not_count() {
        let mut tree = tree();
        tree.files.remove(&path("lib/m/libz.so.1"));
        let plan = tree.plan(X86_64).expect("a plan");
        assert_eq!(
            plan.host_libraries,
            [HostLibrary { library: "libz.so.1".into(), object: path("usr/lib/p/lib/libp.so.1") }]
        );
    }

    #[test]
    fn a_path_that_already_leads_there_is_kept() {
        let mut tree = tree();
        let runpath = Some("$ORIGIN/../lib/p/lib");
        tree.add_file(path("usr/bin/tool"), needs(X86_64, &["libp.so.1"], runpath));
        assert!(!tree.plan(X86_64).expect("a plan").runpaths.contains_key(&path("usr/bin/tool")));
        let absolute = Some("$ORIGIN/../lib/p/lib:/usr/lib");
        tree.add_file(path("usr/bin/tool"), needs(X86_64, &["libp.so.1"], absolute));
        assert!(tree.plan(X86_64).expect("a plan").runpaths.contains_key(&path("usr/bin/tool")));
    }

    #[test]
    fn another_c_library_within_reach_is_refused() {
        let mut tree = tree();
        let loader = "ld-linux-x86-64.so.2";
        tree.add_file(path("lib/m/libc.so.6"), needs(X86_64, &[loader], None));
        let error = tree.plan(X86_64).expect_err("the host's loader cannot run with it");
        assert_eq!(
            error.to_string(),
            "`lib/m/libc.so.6` is beside `lib/m/libz.so.1`, which host executables need"
        );
    }

    #[test]
    fn the_c_library_is_known_by_name() {
        for name in ["libc.so.6", "libm.so.6", "ld-linux-aarch64.so.1", "libpthread.so.0"] {
            assert!(is_c_library(name), "{name}");
        }
        for name in ["libgcc_s.so.1", "libcrypt.so.1", "libmd.so.0", "libcc1.so.0", "librt"] {
            assert!(!is_c_library(name), "{name}");
        }
    }

    #[test]
    fn the_loader_s_own_signs_are_refused_in_directories() {
        let error = runpath(&[path("bin/a")], &[path("li:b")]).expect_err("a colon separates");
        assert_eq!(error, RelocateError::Runpath { runpath: "li:b".into() });
        assert_eq!(runpath(&[path("a")], &[path("lib")]), Ok("$ORIGIN/lib".into()));
    }
}
