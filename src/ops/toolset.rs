//! The programs of an environment, from the composed trees and what their recipes provide.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::closure::{Closure, variant};
use super::context::Context;
use super::error::Error;
use super::request::needs_runner;
use crate::hermetic::{CTools, Rust, plan::WRAPPER};
use crate::lockfile::{Entry, Lockfile};
use crate::recipe::{Collection, Provides, Slot, ToolKind, TreeRole};
use crate::shim::{Kind, Tool};
use crate::sys::fs::Describe as _;
use crate::vocab::triple::RustTriple;

/// The name in `bin` of what starts programs of the target.
const RUNNER: &str = "xprov-runner";

/// Everything that goes into an environment's `bin`, and where the rest is.
#[derive(Debug)]
pub struct Toolset {
    /// Programs that builds see as the shim.
    pub shims: BTreeMap<String, Tool>,
    /// Programs that are linked as they are.
    pub links: BTreeMap<String, PathBuf>,
    /// The pinned Rust.
    pub rust: Rust,
    /// The C tools of the target.
    pub target: CTools,
    /// The C tools of the host.
    pub host: CTools,
    /// The name of the runner.
    pub runner: String,
    /// The newest glibc that programs of the target may need, by the sysroot.
    pub glibc: Option<String>,
}

/// A slot of the closure: its trees and what they provide.
struct Provided<'a> {
    main: &'a Path,
    sysroot_tree: &'a Path,
    provides: &'a Provides,
}

impl Provided<'_> {
    fn sysroot(&self) -> Option<PathBuf> {
        let sysroot = self.provides.sysroot.as_deref()?;
        Some(if sysroot == "." {
            self.sysroot_tree.into()
        } else {
            self.sysroot_tree.join(sysroot)
        })
    }

    fn fill(&self, argument: &str) -> String {
        let sysroot = self.sysroot().unwrap_or_else(|| self.sysroot_tree.to_path_buf());
        argument
            .replace("{tree}", &self.main.to_string_lossy())
            .replace("{sysroot}", &sysroot.to_string_lossy())
    }

    fn c_tools(&self, triple: &RustTriple, has_pkg_config: bool) -> CTools {
        CTools {
            prefix: triple.tool_prefix(),
            sysroot: self.sysroot(),
            builtin_headers: self.provides.compiler_include.as_ref().map(|dir| self.main.join(dir)),
            pkg_config_libdirs: self
                .provides
                .pkg_config
                .iter()
                .map(|dir| self.sysroot_tree.join(dir))
                .collect(),
            has_pkg_config,
        }
    }
}

impl Toolset {
    /// Collects the programs of a closure.
    pub fn new(
        context: &Context<'_>,
        collection: &Collection,
        lock: &Lockfile,
        target: &RustTriple,
        closure: &Closure,
    ) -> Result<Self, Error> {
        let host = &context.host;
        let provided = |slot: Slot,
                        of: Option<&RustTriple>|
         -> Result<Option<Provided<'_>>, Error> {
            let entry = lock.entries_for(host, target).find(|entry: &&Entry| {
                entry.slot == slot && (of.is_none() || entry.key.target.as_ref() == of)
            });
            let role = |tree| closure.tree(slot, of, tree);
            let (Some(entry), Some(main)) = (entry, role(TreeRole::Main)) else { return Ok(None) };
            Ok(Some(Provided {
                main,
                sysroot_tree: role(TreeRole::Sysroot).unwrap_or(main),
                provides: &variant(collection, host, entry)?.provides,
            }))
        };
        let need = |slot, of| -> Result<Provided<'_>, Error> {
            provided(slot, of)?.ok_or(Error::NoSlot(slot))
        };
        let rust = need(Slot::Rust, None)?;
        let target_cc = need(Slot::Cc, Some(target))?;
        let host_cc = need(Slot::Cc, Some(host))?;
        let tools = need(Slot::Tools, None)?;
        let mut set = Self {
            shims: BTreeMap::new(),
            links: BTreeMap::new(),
            rust: Rust {
                cargo: program(&rust, "cargo"),
                rustc: program(&rust, "rustc"),
                rustdoc: program(&rust, "rustdoc"),
                version_verbose: closure.rustc_version.clone(),
            },
            target: CTools::default(),
            host: CTools::default(),
            runner: RUNNER.to_owned(),
            glibc: target_cc.provides.glibc.clone(),
        };
        for (from, aliases) in
            [(&tools, false), (&rust, false), (&target_cc, false), (&host_cc, true)]
        {
            set.add(from, aliases)?;
        }
        let has_pkg_config =
            set.shims.contains_key("pkg-config") || set.links.contains_key("pkg-config");
        set.target = target_cc.c_tools(target, has_pkg_config);
        set.host = host_cc.c_tools(host, has_pkg_config);
        set.shims.insert("cargo".to_owned(), Tool::without_program(Kind::Cargo));
        set.shims.insert(WRAPPER.to_owned(), Tool::without_program(Kind::Plain));
        // One emulator package may serve all targets, or each target have its own.
        let own = provided(Slot::Runner, Some(target))?;
        let any = own.map_or_else(|| provided(Slot::Runner, None), |own| Ok(Some(own)))?;
        let runner = match (needs_runner(host, target), any) {
            (true, Some(runner)) => emulator(&runner, &target_cc, target)?,
            (true, None) => return Err(Error::NoSlot(Slot::Runner)),
            (false, _) => Tool::without_program(Kind::Runner),
        };
        set.shims.insert(RUNNER.to_owned(), runner);
        // A shim outranks a link of the same name: the link would go around it.
        set.links.retain(|name, _| !set.shims.contains_key(name));
        Ok(set)
    }

    fn add(&mut self, from: &Provided<'_>, aliases: bool) -> Result<(), Error> {
        for (name, tool) in &from.provides.tools {
            let kind = match tool.kind {
                ToolKind::Cc | ToolKind::Cxx => Kind::Compiler,
                ToolKind::Runner => continue,
                ToolKind::Plain => Kind::Plain,
            };
            let shim = Tool::new(kind, from.main.join(&tool.program))
                .with_before(tool.args.iter().map(|argument| from.fill(argument)));
            let more = if aliases { tool.aliases.as_slice() } else { &[] };
            for name in more.iter().chain([name]) {
                self.shims.insert(name.clone(), shim.clone());
            }
        }
        for pattern in &from.provides.links {
            for (name, path) in matching(from.main, pattern)? {
                self.links.entry(name).or_insert(path);
            }
        }
        Ok(())
    }
}

fn program(from: &Provided<'_>, name: &str) -> PathBuf {
    let tool = from.provides.tools.get(name);
    from.main.join(tool.map_or(name, |tool| tool.program.as_str()))
}

/// The emulator of a target, which looks for the loader in the sysroot.
fn emulator(runner: &Provided<'_>, cc: &Provided<'_>, target: &RustTriple) -> Result<Tool, Error> {
    let arch = match target.arch() {
        "armv7" => "arm",
        "i686" => "i386",
        other => other,
    };
    let tool = runner.provides.tools.get(&format!("qemu-{arch}"));
    let tool = tool.ok_or(Error::NoSlot(Slot::Runner))?;
    let mut before: Vec<String> = tool.args.iter().map(|argument| runner.fill(argument)).collect();
    if let Some(root) = &cc.provides.loader_root {
        let root = cc.sysroot_tree.join(root);
        before.extend(["-L".to_owned(), root.to_string_lossy().into_owned()]);
    }
    Ok(Tool::new(Kind::Runner, runner.main.join(&tool.program)).with_before(before))
}

/// The files of a tree whose path is `pattern`, in whose last component one `*` is any run of
/// characters: (file name, path).
fn matching(tree: &Path, pattern: &str) -> Result<Vec<(String, PathBuf)>, Error> {
    let (dir, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
    let dir = tree.join(dir);
    let fits = |file: &str| match name.split_once('*') {
        Some((start, end)) => {
            file.len() >= start.len() + end.len() && file.starts_with(start) && file.ends_with(end)
        }
        None => file == name,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(&dir).describe("read", &dir)? {
        let entry = entry.describe("read", &dir)?;
        if let Some(name) = entry.file_name().to_str()
            && fits(name)
        {
            found.push((name.to_owned(), entry.path()));
        }
    }
    found.sort();
    Ok(found)
}
