//! The programs of an environment, from the composed trees and what their recipes provide.

mod filled;

pub use filled::{Filled, filled};

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::mac;
use super::request::needs_runner;
use crate::hermetic::{CTools, Rust, ToolVariable, plan::RUSTC, plan::WRAPPER};
use crate::recipe::{Slot, ToolKind};
use crate::shim::{Kind, Tool, build_script, zig_target};
use crate::sys::fs::Describe as _;
use crate::vocab::name::Name;
use crate::vocab::triple::RustTriple;

/// The name in `bin` of what starts programs of the target.
const RUNNER: &str = "xprov-runner";

/// The program that is `cargo clippy`.
const CLIPPY: &str = "cargo-clippy";

/// What a build that compiles C for a target calls, behind the target's prefix.
const C_TOOLS: [&str; 6] = ["gcc", "g++", "cpp", "ar", "ranlib", "strip"];

/// Everything that goes into an environment's `bin`, and where the rest is.
#[derive(Debug)]
pub struct Toolset {
    /// Programs that builds see as the shim.
    pub shims: BTreeMap<String, Tool>,
    /// Programs that are linked as they are.
    pub links: BTreeMap<String, PathBuf>,
    /// Files that the shims' programs read, by name.
    pub files: BTreeMap<String, String>,
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
    /// What the host tools say of themselves: (tool, variable, value).
    pub variables: Vec<ToolVariable>,
}

impl Toolset {
    /// Collects the programs of the slots.
    pub fn new(
        host: &RustTriple,
        target: &RustTriple,
        slots: &[Filled],
        rustc_version: &str,
    ) -> Result<Self, Error> {
        let find = |slot, of: Option<&RustTriple>| {
            slots.iter().find(|filled| filled.slot == slot && filled.target.as_ref() == of)
        };
        let need = |slot, of| find(slot, of).ok_or(Error::NoSlot(slot));
        let rust = need(Slot::Rust, None)?;
        let target_cc = need(Slot::Cc, Some(target))?;
        let host_cc = need(Slot::Cc, Some(host))?;
        let tools = need(Slot::Tools, None)?;
        let mut set = Self {
            shims: BTreeMap::new(),
            links: BTreeMap::new(),
            files: BTreeMap::new(),
            rust: Rust {
                cargo: rust.program("cargo"),
                rustc: rust.program("rustc"),
                rustdoc: rust.rustdoc(),
                version_verbose: rustc_version.to_owned(),
                machine: None,
            },
            target: CTools::default(),
            host: CTools::default(),
            runner: RUNNER.to_owned(),
            glibc: target_cc.provides.glibc.clone(),
            variables: Vec::new(),
        };
        for (from, of, aliases) in [
            (tools, host, false),
            (rust, host, false),
            (target_cc, target, false),
            (host_cc, host, true),
        ] {
            set.add(from, of, aliases)?;
        }
        for tool in slots.iter().filter(|filled| filled.slot == Slot::HostTools) {
            set.add_host_tool(tool, host)?;
        }
        set.variables.extend(target_cc.sdk(host, target));
        if target_cc.provides.linker.is_some() {
            set.refuse_c(target);
        }
        let has_pkg_config =
            set.shims.contains_key("pkg-config") || set.links.contains_key("pkg-config");
        set.target = target_cc.c_tools(target, has_pkg_config);
        set.host = host_cc.c_tools(host, has_pkg_config);
        if let Some(pkg_config) = set.shims.get_mut("pkg-config") {
            pkg_config.fallback = packages(&set.host);
        }
        set.shims.insert("cargo".to_owned(), Tool::without_program(Kind::Cargo));
        // Whatever the recipe says of it besides its arguments: builds see rustc as this shim only.
        let rustc =
            set.shims.remove(RUSTC).unwrap_or_else(|| Tool::new(Kind::Rustc, &set.rust.rustc));
        let rustc_args = rustc.before.clone();
        set.shims.insert(RUSTC.to_owned(), Tool { kind: Kind::Rustc, ..rustc });
        set.shims.insert(WRAPPER.to_owned(), Tool::without_program(Kind::Wrapper));
        // It makes cargo start its driver, which it looks for beside itself: not in `bin`.
        if let Some(program) = set.links.get(CLIPPY) {
            let mut clippy = Tool::new(Kind::Plain, program);
            if !rustc_args.is_empty() {
                // Its driver knows no other way to be told.
                clippy.set.insert("SYSROOT".to_owned(), rust.main.to_string_lossy().into_owned());
            }
            clippy.set.insert("RUSTC_WRAPPER".to_owned(), format!("{{env}}/bin/{WRAPPER}"));
            set.shims.insert(CLIPPY.to_owned(), clippy);
        }
        let mut before = Tool::without_program(Kind::BuildScript);
        before.search = host_cc.run_dirs();
        set.shims.insert(build_script::TOOL.to_owned(), before);
        // One emulator package may serve all targets, or each target have its own.
        let any = find(Slot::Runner, Some(target)).or_else(|| find(Slot::Runner, None));
        let runner = match (needs_runner(host, target), any) {
            (true, Some(runner)) => emulator(runner, target_cc, target)?,
            (true, None) => return Err(Error::NoSlot(Slot::Runner)),
            (false, _) if target.is_linux() && !host.is_linux() => {
                let refuse = Some(mac::no_runner(target));
                Tool { refuse, ..Tool::without_program(Kind::Runner) }
            }
            (false, _) if target.is_macos() && !host.is_macos() => {
                let why =
                    format!("programs for {target} run on a Mac: nothing on {host} runs them");
                Tool { refuse: Some(why), ..Tool::without_program(Kind::Runner) }
            }
            (false, _) => {
                let search = if host == target { host_cc.run_dirs() } else { Vec::new() };
                Tool { search, ..Tool::without_program(Kind::Runner) }
            }
        };
        set.shims.insert(RUNNER.to_owned(), runner);
        let more = second_names(&set.shims, &set.links);
        set.shims.extend(more);
        // A shim outranks a link of the same name: the link would go around it.
        set.links.retain(|name, _| !set.shims.contains_key(name));
        Ok(set)
    }

    /// A tool that the settings ask for by its name goes before whatever has that name, too.
    fn add_host_tool(&mut self, from: &Filled, host: &RustTriple) -> Result<(), Error> {
        for pattern in &from.provides.links {
            for (name, _) in matching(&from.main, pattern)? {
                self.shims.remove(&name);
                self.links.remove(&name);
            }
        }
        self.add(from, host, true)?;
        let tool = from.tool.as_ref().map(Name::to_string).unwrap_or_default();
        let variables = from.provides.env.iter().map(|(name, value)| ToolVariable {
            tool: tool.clone(),
            name: name.clone(),
            value: from.fill(value),
        });
        self.variables.extend(variables);
        Ok(())
    }

    /// Where a linker serves the target by itself, whoever asks for a compiler is told so.
    fn refuse_c(&mut self, target: &RustTriple) {
        let prefix = target.tool_prefix();
        let why = format!(
            "there is no C toolchain for {target}: toolchains.lock has lld alone for it, by \
             `linker = \"lld\"` of the settings or because no crate of Cargo.lock asked for C; \
             `linker = \"cc\"` in [workspace.metadata.xprov.target.{target}] takes one"
        );
        let tool = Tool { refuse: Some(why), ..Tool::without_program(Kind::Compiler) };
        for word in C_TOOLS {
            self.shims.entry(format!("{prefix}-{word}")).or_insert_with(|| tool.clone());
        }
    }

    fn add(&mut self, from: &Filled, of: &RustTriple, aliases: bool) -> Result<(), Error> {
        for (name, tool) in &from.provides.tools {
            let kind = match tool.kind {
                ToolKind::Cc | ToolKind::Cxx | ToolKind::ZigCc => Kind::Compiler,
                ToolKind::Linker => Kind::Linker,
                ToolKind::Runner => continue,
                ToolKind::Zig | ToolKind::Plain => Kind::Plain,
            };
            let mut shim = Tool::new(kind, from.main.join(&tool.program))
                .with_before(tool.args.iter().map(|argument| from.fill(argument)));
            if tool.refuse.is_some() {
                shim = Tool { refuse: tool.refuse.clone(), ..Tool::without_program(kind) };
            }
            if matches!(tool.kind, ToolKind::ZigCc | ToolKind::Zig) {
                shim.zig = Some(zig_target(of, from.glibc()));
            }
            let more = if aliases { tool.aliases.as_slice() } else { &[] };
            for name in more.iter().chain([name]) {
                self.shims.insert(name.clone(), shim.clone());
            }
        }
        for (name, path) in &from.provides.names {
            let path = from.main.join(path);
            if path.symlink_metadata().is_ok() {
                self.links.entry(name.clone()).or_insert(path);
            }
        }
        for (name, text) in &from.provides.files {
            self.files.insert(name.clone(), from.fill(text));
        }
        for pattern in &from.provides.links {
            for (name, path) in matching(&from.main, pattern)? {
                self.links.entry(name).or_insert(path);
            }
        }
        Ok(())
    }
}

/// What the names of compilers have in them: only such links are looked at, for each call of xprov
/// does this.
const COMPILERS: [&str; 4] = ["cc", "++", "cpp", "clang"];

/// A compiler has names with its version, too (`gcc-12`), and whoever calls it by one must meet the
/// shim as well: the links that lead to a compiler which is a shim under another name.
fn second_names(
    shims: &BTreeMap<String, Tool>,
    links: &BTreeMap<String, PathBuf>,
) -> BTreeMap<String, Tool> {
    let file = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let compilers = shims.values().filter(|tool| tool.kind == Kind::Compiler);
    let by_program: BTreeMap<&Path, &Tool> =
        compilers.filter_map(|tool| Some((tool.program.as_deref()?, tool))).collect();
    // The trees of two targets may have one file in common, of which each makes another compiler.
    let place = |path: &Path| Some((path.parent().map(Path::to_path_buf), file(path)?));
    let by_file: BTreeMap<_, &Tool> =
        by_program.into_iter().filter_map(|(path, tool)| Some((place(path)?, tool))).collect();
    let likely = links.iter().filter(|(name, _)| COMPILERS.iter().any(|word| name.contains(word)));
    let found = likely.filter_map(|(name, path)| Some((name, *by_file.get(&place(path)?)?)));
    found.map(|(name, tool)| (name.clone(), tool.clone())).collect()
}

/// Where pkg-config looks when nobody tells it: in the host's sysroot, and not on the machine.
fn packages(host: &CTools) -> Vec<(String, String)> {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    let dirs: Vec<String> = host.pkg_config_libdirs.iter().map(text).collect();
    let root = host.sysroot.as_ref().map(text);
    let root = root.map(|root| ("PKG_CONFIG_SYSROOT_DIR".to_owned(), root));
    [("PKG_CONFIG_LIBDIR".to_owned(), dirs.join(":"))].into_iter().chain(root).collect()
}

/// The emulator of a target, which looks for the loader in the sysroot.
fn emulator(runner: &Filled, cc: &Filled, target: &RustTriple) -> Result<Tool, Error> {
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
    let Some((start, end)) = name.split_once('*') else {
        let path = dir.join(name);
        let there = path.symlink_metadata().is_ok();
        return Ok(there.then(|| (name.to_owned(), path)).into_iter().collect());
    };
    let fits = |file: &str| {
        file.len() >= start.len() + end.len() && file.starts_with(start) && file.ends_with(end)
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_compiler_is_a_shim_by_each_of_its_names() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        for name in ["t-gcc-12", "t-ld"] {
            fs::write(path(name), "").expect("written");
        }
        symlink("t-gcc-12", path("gcc-12")).expect("linked");
        let tool = Tool::new(Kind::Compiler, path("t-gcc-12")).with_before(["--sysroot=/s".into()]);
        let shims = BTreeMap::from([
            ("t-gcc".to_owned(), tool.clone()),
            ("sh".to_owned(), Tool::new(Kind::Plain, path("t-ld"))),
        ]);
        let names = ["gcc-12", "t-gcc-12", "t-ld"];
        let links = names.iter().map(|name| ((*name).to_owned(), path(name))).collect();
        let more = second_names(&shims, &links);
        assert_eq!(more.keys().collect::<Vec<_>>(), ["gcc-12", "t-gcc-12"]);
        assert_eq!(more["gcc-12"], tool);
    }

    #[test]
    fn one_file_in_two_trees_is_two_compilers() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        for tree in ["a", "b"] {
            fs::create_dir(path(tree)).expect("a folder");
        }
        fs::write(path("a/gcc-12"), "").expect("written");
        fs::hard_link(path("a/gcc-12"), path("b/gcc-12")).expect("linked");
        let tool = |tree: &str| Tool::new(Kind::Compiler, path(tree).join("gcc-12"));
        let shims = ["a", "b"].map(|tree| (format!("{tree}-gcc"), tool(tree)));
        let links = BTreeMap::from([("gcc-12".to_owned(), path("a/gcc-12"))]);
        assert_eq!(second_names(&shims.into(), &links)["gcc-12"], tool("a"));
    }
}
