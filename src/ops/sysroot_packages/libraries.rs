//! What the packages of a sysroot bring for running: which shared libraries, and the links by which
//! loaders find them in a composed tree.

use serde::{Deserialize, Serialize};

use super::is;
use crate::lockfile::{Artifact, Entry};
use crate::ops::context::Context;
use crate::ops::error::Error;
use crate::ops::project::Project;
use crate::ops::{lock, realise};
use crate::recipe::{TreeRole, Variant};
use crate::store::Object;
use crate::tree::{Node, Tree};
use crate::vocab::relpath::RelPath;
use crate::vocab::triple::RustTriple;

/// Where the shared libraries of the packages are once more, by themselves: what runs on the
/// machine's own C library must not find the sysroot's beside them. Relative to the tree.
pub const RUN_DIR: &str = "usr/lib/xprov-packages";

/// A shared library that a package brings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Library {
    /// The target that it is for.
    pub target: RustTriple,
    /// The name of its file, by which programs need it.
    pub name: String,
    /// The package and its version.
    pub package: String,
    /// Where it is in the tree.
    pub path: String,
}

/// The tree that packages join: the compiler's sysroot.
pub fn tree_role(variant: &Variant) -> TreeRole {
    let apart = variant.components.iter().any(|component| component.tree == TreeRole::Sysroot);
    if apart { TreeRole::Sysroot } else { TreeRole::Main }
}

/// Where Debian's libraries for a target are, below `lib` and `usr/lib`.
pub fn multiarch(target: &RustTriple) -> String {
    match target.arch() {
        "i686" => "i386-linux-gnu".to_owned(),
        _ => target.tool_prefix(),
    }
}

/// Where packages for a target have their `.pc` files.
pub fn pkg_config_dirs(target: &RustTriple) -> [String; 2] {
    [format!("usr/lib/{}/pkgconfig", multiarch(target)), "usr/share/pkgconfig".to_owned()]
}

/// The shared libraries of one package, in the directories where a loader looks by itself.
pub fn libraries(target: &RustTriple, artifact: &Artifact, tree: &Tree) -> Vec<Library> {
    let multiarch = multiarch(target);
    let dirs = ["lib", "usr/lib"].map(|dir| [dir.to_owned(), format!("{dir}/{multiarch}")]);
    let dirs = dirs.concat();
    let is_library = |path: &RelPath, node: &Node| {
        let name = path.file_name();
        let named = name.contains(".so.") || name.strip_suffix(".so").is_some();
        let here = path.parent().is_some_and(|dir| dirs.iter().any(|one| one == dir.as_str()));
        named && here && !matches!(node, Node::Directory)
    };
    let found = tree.iter().filter(|(path, node)| is_library(path, node));
    let library = |(path, _): (&RelPath, &Node)| Library {
        target: target.clone(),
        name: path.file_name().to_owned(),
        package: format!("{} {}", artifact.name, artifact.version),
        path: path.as_str().to_owned(),
    };
    found.map(library).collect()
}

/// The shared libraries that the packages among `entries` bring, by target and name.
pub fn all_libraries<'a>(
    context: &Context<'_>,
    entries: &[&Entry],
    object: &dyn Fn(&Artifact) -> Option<&'a Object>,
) -> Result<Vec<Library>, Error> {
    let mut all = Vec::new();
    for entry in entries.iter().filter(|entry| is(entry)) {
        let Some(target) = &entry.key.target else { continue };
        for artifact in &entry.artifacts {
            let Some(object) = object(artifact) else { continue };
            all.extend(libraries(target, artifact, &context.store.tree(&object.path)?));
        }
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// The libraries of the packages in the lock of the project at hand, as far as their objects are
/// there; none without a project.
pub fn locked_libraries(context: &Context<'_>) -> Result<Vec<Library>, Error> {
    let Ok(project) = Project::find(context.ambient, None) else { return Ok(Vec::new()) };
    let Some((lock, _)) = lock::read(context, &project)? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for entry in lock.entries.iter().filter(|entry| is(entry)) {
        let Some(target) = &entry.key.target else { continue };
        for artifact in &entry.artifacts {
            let Some(object) = realise::find(context, artifact)? else { continue };
            all.extend(libraries(target, artifact, &context.store.tree(&object.path)?));
        }
    }
    Ok(all)
}

/// The libraries for `target`, with the package of each.
pub fn provided(
    libraries: &[Library],
    target: &RustTriple,
) -> impl Iterator<Item = (String, String)> {
    let of_target = libraries.iter().filter(move |library| library.target == *target);
    of_target.map(|library| (library.name.clone(), library.package.clone()))
}

/// Links that let loaders find the libraries in a tree that packages joined: (path, target). On
/// `host` itself the machine's own loader is told of a directory. An emulator takes `loader_root`
/// for `/`: there, files are linked into `lib`, and directories for what a library opens by its
/// whole path. The directories alone would not do, since qemu 7.2 answers `statx`, by which 32-bit
/// loaders ask for directories, with the machine's own.
pub fn links(
    libraries: &[Library],
    target: &RustTriple,
    host: &RustTriple,
    loader_root: Option<&str>,
) -> Vec<(String, String)> {
    let of_target = libraries.iter().filter(|library| library.target == *target);
    let link =
        |dir: &str, library: &Library| relative(&format!("{dir}/{}", library.name), &library.path);
    if target == host {
        return of_target.map(|library| link(RUN_DIR, library)).collect();
    }
    let Some(root) = loader_root.filter(|root| *root != ".") else { return Vec::new() };
    let multiarch = multiarch(target);
    let dirs = ["lib", "usr/lib"].map(|dir| format!("{dir}/{multiarch}"));
    let used = |dir: &&String| {
        of_target.clone().any(|library| library.path.starts_with(&format!("{dir}/")))
    };
    let whole = dirs.iter().filter(used).map(|dir| relative(&format!("{root}/{dir}"), dir));
    let root = format!("{root}/lib");
    whole.chain(of_target.clone().map(|library| link(&root, library))).collect()
}

/// A link at `path` to `target`, both relative to the tree.
fn relative(path: &str, target: &str) -> (String, String) {
    (path.to_owned(), format!("{}{target}", "../".repeat(path.matches('/').count())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::UnpackSpec;
    use crate::lockfile::Location;
    use crate::vocab::digest::{Blake3, Sha256};

    fn triple(text: &str) -> RustTriple {
        text.parse().expect("a triple")
    }

    fn artifact(name: &str, version: &str, file: &str) -> Artifact {
        Artifact {
            name: name.to_owned(),
            version: version.to_owned(),
            location: Location::Debian {
                archive: "debian".to_owned(),
                path: format!("pool/{file}"),
                date: "20261117T120000Z".to_owned(),
            },
            sha256: Sha256::of(file.as_bytes()),
            size: None,
            unpack: UnpackSpec::default(),
            tree: None,
            minisign: None,
        }
    }

    #[test]
    fn libraries_are_found_by_emulators_and_by_the_machines_own_loader() {
        let target = triple("armv7-unknown-linux-gnueabihf");
        let file = || Node::File { size: 1, executable: false, digest: Blake3::of(b"x") };
        let link = Node::Symlink { target: "libz.so.1.2".to_owned() };
        let mut tree = Tree::new();
        for (path, node) in [
            ("lib/arm-linux-gnueabihf/libz.so.1", link),
            ("lib/arm-linux-gnueabihf/libz.so.1.2", file()),
            ("usr/lib/arm-linux-gnueabihf/libz.a", file()),
            ("usr/lib/arm-linux-gnueabihf/engines-3/padlock.so", file()),
            ("usr/include/zlib.h", file()),
        ] {
            tree.insert(RelPath::parse(path.as_bytes()).expect("a path"), node).expect("new");
        }
        let package = artifact("zlib1g", "1:1.2.13", "zlib1g_armhf.deb");
        let libraries = libraries(&target, &package, &tree);
        let names: Vec<&str> = libraries.iter().map(|library| library.name.as_str()).collect();
        assert_eq!(names, ["libz.so.1", "libz.so.1.2"]);
        assert_eq!(libraries[0].package, "zlib1g 1:1.2.13");

        let host = triple("x86_64-unknown-linux-gnu");
        let pairs = |links: Vec<(String, String)>| -> Vec<String> {
            links.iter().map(|(path, target)| format!("{path} -> {target}")).collect()
        };
        let cross = pairs(links(&libraries, &target, &host, Some("usr/arm-linux-gnueabihf")));
        assert_eq!(
            cross,
            [
                "usr/arm-linux-gnueabihf/lib/arm-linux-gnueabihf -> \
                 ../../../lib/arm-linux-gnueabihf",
                "usr/arm-linux-gnueabihf/lib/libz.so.1 -> \
                 ../../../lib/arm-linux-gnueabihf/libz.so.1",
                "usr/arm-linux-gnueabihf/lib/libz.so.1.2 -> \
                 ../../../lib/arm-linux-gnueabihf/libz.so.1.2",
            ]
        );
        let own = pairs(links(&libraries, &target, &target, Some(".")));
        assert_eq!(
            own[0],
            "usr/lib/xprov-packages/libz.so.1 -> ../../../lib/arm-linux-gnueabihf/libz.so.1"
        );
        // The libraries of another target, and a tree that the loader takes as it is.
        assert_eq!(pairs(links(&libraries, &host, &host, None)), [""; 0]);
        assert_eq!(pairs(links(&libraries, &target, &host, Some("."))), [""; 0]);
        assert_eq!(provided(&libraries, &target).count(), 2);
        assert_eq!(provided(&libraries, &host).count(), 0);
    }
}
