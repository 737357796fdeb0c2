//! One slot of a closure: where its trees are, and what is where in them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::hermetic::{CTools, ToolVariable};
use crate::lockfile::Entry;
use crate::ops::closure::{Closure, Role, role_recipe, role_target, variant};
use crate::ops::error::Error;
use crate::ops::sysroot_packages;
use crate::recipe::{Collection, Provides, Slot, TreeRole};
use crate::settings::GlibcVersion;
use crate::shim::{FILES_DIR, zig_macos};
use crate::vocab::name::Name;
use crate::vocab::triple::RustTriple;

/// A slot of the closure: its trees and what they provide.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Filled {
    pub(super) slot: Slot,
    pub(super) target: Option<RustTriple>,
    #[serde(default)]
    pub(super) tool: Option<Name>,
    pub(super) main: PathBuf,
    pub(super) sysroot_tree: PathBuf,
    pub(super) provides: Provides,
    /// Whether Debian packages joined its sysroot.
    #[serde(default)]
    has_packages: bool,
}

/// The slots that `entries` fill on `host`, each once.
pub fn filled<'a>(
    collection: &Collection,
    host: &RustTriple,
    entries: impl Iterator<Item = &'a Entry>,
    closure: &Closure,
) -> Result<Vec<Filled>, Error> {
    let mut filled: Vec<Filled> = Vec::new();
    for entry in entries {
        let (slot, target) = (entry.slot, role_target(entry));
        let recipe = role_recipe(entry);
        let tree = |tree| {
            let role = Role { slot, target: target.clone(), recipe: recipe.clone(), tree };
            closure.tree_of(&role).map(Path::to_path_buf)
        };
        let Some(main) = tree(TreeRole::Main) else { continue };
        let has_packages = sysroot_packages::is(entry);
        let tool =
            recipe.as_ref().and_then(|recipe| collection.get(recipe.as_str())?.recipe.tool.clone());
        let same = |known: &&mut Filled| {
            known.slot == slot && known.target == target && known.tool == tool
        };
        if let Some(known) = filled.iter_mut().find(same) {
            known.has_packages |= has_packages;
            continue;
        }
        let sysroot_tree = tree(TreeRole::Sysroot).unwrap_or_else(|| main.clone());
        let provides = variant(collection, host, entry)?.provides.for_target(target.as_ref());
        filled.push(Filled { slot, target, tool, main, sysroot_tree, provides, has_packages });
    }
    Ok(filled)
}

impl Filled {
    /// A slot that the machine itself fills; relative paths of `provides` are below `root`.
    pub fn of_machine(
        slot: Slot,
        target: Option<RustTriple>,
        tool: Option<Name>,
        root: &Path,
        provides: Provides,
    ) -> Self {
        let (main, sysroot_tree) = (root.to_path_buf(), root.to_path_buf());
        Self { slot, target, tool, main, sysroot_tree, provides, has_packages: false }
    }

    fn sysroot(&self) -> Option<PathBuf> {
        let sysroot = self.provides.sysroot.as_deref()?;
        Some(if sysroot == "." {
            self.sysroot_tree.clone()
        } else {
            self.sysroot_tree.join(sysroot)
        })
    }

    /// What stands in for Apple's SDK where zig builds for macOS elsewhere: without the variable,
    /// rustc and build scripts start `xcrun`.
    pub(super) fn sdk(&self, host: &RustTriple, target: &RustTriple) -> Option<ToolVariable> {
        let sdk = self.main.join(zig_macos::SDK);
        let wanted = target.is_macos() && !host.is_macos() && sdk.is_dir();
        wanted.then(|| ToolVariable {
            tool: "zig".to_owned(),
            name: "SDKROOT".to_owned(),
            value: sdk.to_string_lossy().into_owned(),
        })
    }

    fn in_sysroot(&self, dirs: &[String]) -> Vec<PathBuf> {
        dirs.iter().map(|dir| self.sysroot_tree.join(dir)).collect()
    }

    pub(super) fn fill(&self, argument: &str) -> String {
        let sysroot = self.sysroot().unwrap_or_else(|| self.sysroot_tree.clone());
        argument
            .replace("{tree}", &self.main.to_string_lossy())
            .replace("{sysroot}", &sysroot.to_string_lossy())
            .replace("{files}", &format!("{{env}}/{FILES_DIR}"))
    }

    /// The recipe's directories, and those of packages beside it.
    fn pkg_config_dirs(&self, triple: &RustTriple) -> Vec<PathBuf> {
        let own = self.provides.pkg_config.clone();
        let more = sysroot_packages::pkg_config_dirs(triple);
        let more = more.into_iter().filter(|dir| self.has_packages && !own.contains(dir));
        own.iter().cloned().chain(more).map(|dir| self.sysroot_tree.join(dir)).collect()
    }

    /// Where programs that run on this machine find what packages brought to the host's sysroot.
    pub(super) fn run_dirs(&self) -> Vec<(String, String)> {
        let dir = self.sysroot_tree.join(sysroot_packages::RUN_DIR);
        let dirs = ("LD_LIBRARY_PATH".to_owned(), dir.to_string_lossy().into_owned());
        if self.has_packages { vec![dirs] } else { Vec::new() }
    }

    pub(super) fn c_tools(&self, triple: &RustTriple, has_pkg_config: bool) -> CTools {
        CTools {
            prefix: triple.tool_prefix(),
            sysroot: self.sysroot(),
            linker: self.provides.linker.clone(),
            system_headers: self.in_sysroot(&self.provides.system_include),
            builtin_headers: self.provides.compiler_include.as_ref().map(|dir| self.main.join(dir)),
            pkg_config_libdirs: self.pkg_config_dirs(triple),
            has_pkg_config,
        }
    }

    /// The glibc that output may need.
    pub(super) fn glibc(&self) -> Option<(u32, u32)> {
        let version = GlibcVersion::try_from(self.provides.glibc.clone()?).ok()?;
        Some((version.0, version.1))
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        let tool = self.provides.tools.get(name);
        self.main.join(tool.map_or(name, |tool| tool.program.as_str()))
    }

    /// rustdoc starts directly, but for one that needs arguments: builds see its shim then.
    pub(super) fn rustdoc(&self) -> PathBuf {
        let name = "rustdoc";
        let tool = self.provides.tools.get(name);
        let is_plain = tool.is_none_or(|tool| tool.args.is_empty());
        if is_plain { self.program(name) } else { Path::new("bin").join(name) }
    }
}
