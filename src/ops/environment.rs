//! The environment of one project and target: planned as values, and made on disk where it is
//! not there yet.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use super::context::Context;
use super::error::Error;
use super::ground::Ground;
use super::mac::Mac;
use super::project::Project;
use super::shims::{self, Isa};
use super::sysroot_packages::Library;
use super::target_libraries;
use super::toolset::Toolset;
use crate::hermetic::cargo_config::{ConfigFile, ProjectConfig};
use crate::hermetic::cfg_expr::TargetCfgs;
use crate::hermetic::plan::{OLDEST_MACOS, Variable};
use crate::hermetic::{Confinement, Paths, Plan, PlanInput, Settings};
use crate::settings::{GlibcVersion, VerifySettings};
use crate::shim;
use crate::sys::fs::{
    Describe as _, FsError, create_dir, link_or_copy, read_text, real_path, remove_tree,
    write_atomic, write_atomic_with_mode,
};
use crate::vocab::digest::Blake3;
use crate::vocab::event::Event;
use crate::vocab::triple::RustTriple;

/// An environment that is ready for use.
pub struct Environment {
    /// Everything that a build sees.
    pub plan: Plan,
    /// What its shims are told.
    pub shims: shim::Config,
    /// The target.
    pub target: RustTriple,
    /// Where cargo puts binaries.
    pub target_dir: PathBuf,
    /// The newest glibc that binaries may need.
    pub max_glibc: Option<(u32, u32)>,
    /// The shared libraries that the sysroot's packages bring.
    pub libraries: Vec<Library>,
    /// Where the target's toolchain has shared libraries; empty where it has none.
    pub library_dirs: Vec<PathBuf>,
    /// The project's root.
    pub workspace: PathBuf,
    /// What the project's settings say of findings.
    pub verify: VerifySettings,
}

impl Environment {
    /// The newest macOS that binaries may need: what they are built for.
    pub fn max_macos(&self) -> Option<(u32, u32)> {
        let of_mac = |variable: &&Variable| variable.name == OLDEST_MACOS;
        let said = self.plan.variables.iter().find(of_mac).filter(|_| self.target.is_macos())?;
        let mut numbers = said.value.split('.').map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next().flatten().unwrap_or(0)))
    }
}

/// What an environment is made for.
pub struct Wish<'a> {
    /// The target.
    pub target: &'a RustTriple,
    /// The glibc floor from the command line.
    pub glibc: Option<(u32, u32)>,
    /// `--target-dir` from the command line.
    pub target_dir: Option<&'a Path>,
    /// The directories of unpacked crates.
    pub registry_dirs: &'a [PathBuf],
    /// The configuration of the user's arguments and of the project.
    pub configs: &'a [ConfigFile],
}

/// Plans the environment, and makes its directory unless it is there.
pub fn environment(
    context: &Context<'_>,
    project: &Project,
    ground: &Ground,
    wish: &Wish<'_>,
) -> Result<Environment, Error> {
    let target = wish.target;
    let settings = project.settings.target(target);
    // Compilers that run in it write down its real place.
    let target_dir = real_path(&target_dir(context, project, wish)?);
    let ambient = context.ambient.pairs();
    let pass = &project.settings.env.pass;
    let pass = pass.iter().map(|name| (name.clone(), context.ambient.variables.get(name).cloned()));
    let set = project.settings.env.set.iter();
    let paths = Paths {
        workspace: project.root.clone(),
        target_dir: target_dir.clone(),
        envs_dir: context.store.layout().envs_dir(),
        store: context.store.layout().root().to_path_buf(),
        cargo_home: context.dirs.cargo_home(),
        registry_dirs: wish.registry_dirs.to_vec(),
        home: context.dirs.build_home(),
        tmp: target_dir.join("xprov").join("tmp"),
    };
    let (isa, sandbox) = (&project.settings.isa, &project.settings.sandbox);
    let [mut read, write] = sandbox.roots(&project.root);
    read.extend(ground.tools.rust.machine.iter().flat_map(|rust| rust.read.clone()));
    let policies = Isa::new(isa, &shims::allowed(isa, &settings, target)?);
    let named = &project.settings.env;
    let named: Vec<String> = named.pass.iter().chain(named.set.keys()).cloned().collect();
    let floor = ground.tools.glibc.clone().and_then(|text| GlibcVersion::try_from(text).ok());
    let ceiling = settings.glibc.or(floor).map(|version| (version.0, version.1));
    let max_glibc = wish.glibc.or(ceiling);
    let shims = shims::config(&ground.tools, &context.host, target, &policies, &named, max_glibc);
    let shim_text = shims.to_text().map_err(Error::ShimConfig)?;
    let mut tool_variables = ground.tools.variables.clone();
    if let Some(mac) = &ground.mac {
        read.extend(mac.read_roots());
        tool_variables.extend(mac.variables(&context.host, target, &named));
    }
    let machine = ground.mac.as_ref().map(Mac::identity).unwrap_or_default();
    let plan = Plan::new(&PlanInput {
        host: &context.host,
        target,
        rust: ground.tools.rust.clone(),
        target_tools: ground.tools.target.clone(),
        host_tools: ground.tools.host.clone(),
        runner: Some(ground.tools.runner.clone()),
        settings: Settings {
            pass: pass.collect(),
            set: set.map(|(name, value)| (name.clone(), value.clone())).collect(),
            inputs: ground.inputs.clone(),
            rustflags: settings.rustflags,
            baseline: settings.baseline,
            features: isa.features.iter().map(|feature| feature.0.clone()).collect(),
            sandbox: Confinement { mode: sandbox.mode, read, write, network: sandbox.network },
            policy: format!("{}\n{}{machine}", isa.canonical(), sandbox.canonical()),
        },
        paths,
        project: wish.configs,
        cfgs: &TargetCfgs::of(target),
        ambient: &ambient,
        closure: &ground.tree_hashes,
        shims: &shim_text,
        links: &ground.tools.links,
        tool_variables: &tool_variables,
        shim_version: shim::VERSION,
    })?;
    make(context, &plan, &ground.tools, &shims)?;
    for dir in [&context.dirs.build_home(), &context.dirs.cargo_home(), &plan.build_dir] {
        create_dir(dir)?;
    }
    create_dir(&target_dir.join("xprov").join("tmp"))?;
    write_if_changed(&plan.config.path, &plan.config.text)?;
    let (target, libraries) = (target.clone(), ground.libraries.clone());
    let sysroot = ground.tools.target.sysroot.as_deref();
    let library_dirs = sysroot.map(|dir| target_libraries::dirs(dir, &target)).unwrap_or_default();
    let workspace = project.root.clone();
    Ok(Environment {
        plan,
        shims,
        target,
        target_dir,
        max_glibc,
        libraries,
        library_dirs,
        workspace,
        verify: project.settings.verify.clone(),
    })
}

/// `--target-dir`, `CARGO_TARGET_DIR`, the project's configuration, `target`: it says where
/// binaries go, not what they are.
fn target_dir(context: &Context<'_>, project: &Project, wish: &Wish<'_>) -> Result<PathBuf, Error> {
    let target = wish.target;
    if let Some(dir) = wish.target_dir {
        return Ok(dir.to_path_buf());
    }
    if let Some(dir) = context.ambient.var("CARGO_TARGET_DIR") {
        return Ok(context.ambient.absolute(Path::new(dir)));
    }
    let read = ProjectConfig::read(wish.configs, &context.host, target, &TargetCfgs::of(target))?;
    Ok(read.target_dir.unwrap_or_else(|| project.root.join("target")))
}

/// Makes `envs/<env-id>`, or brings its shims up to this xprov.
fn make(
    context: &Context<'_>,
    plan: &Plan,
    tools: &Toolset,
    shims: &shim::Config,
) -> Result<(), Error> {
    let digest_path = plan.env_dir.join("env-id");
    let digest = format!("{}\n", plan.env_id.digest());
    let place = format!("{}\n", plan.env_dir.display());
    let stamp = executable_stamp(&context.ambient.executable)? + &place;
    // Two environments with the same 16 digits are not expected in this world; they would be the
    // worst of all stale builds.
    if read_text(&digest_path)?.is_some_and(|there| there != digest) {
        return Err(Error::EnvCollision { dir: plan.env_dir.clone() });
    }
    let stamp_path = plan.env_dir.with_extension("stamp");
    // A shim that became xprov again, as `cargo` does, is not what others should be made of.
    let own = context.ambient.executable.starts_with(context.store.layout().root());
    // In a store that was moved or copied, what an environment says of paths is wrong.
    let seen = || -> Result<(bool, bool), FsError> {
        let text = read_text(&stamp_path)?.unwrap_or_default();
        let is_here = plan.env_dir.is_dir() && text.ends_with(&place);
        Ok((is_here, is_here && (own || text == stamp)))
    };
    if seen()?.1 {
        return Ok(());
    }
    let name = plan.env_id.to_string();
    let _lock = context.store.lock(&format!("env-{name}"), || {
        let what = format!("another xprov, which makes environment {name}");
        context.observer.event(Event::Waiting(what));
    })?;
    let program = store_program(context)?;
    if seen()?.0 {
        for name in tools.shims.keys() {
            replace_link(&program, &plan.bin_dir().join(name))?;
        }
    } else {
        remove_tree(&plan.env_dir)?;
        let staging = context.store.stage()?;
        let dir = staging.dir().join("env");
        let bin = dir.join("bin");
        create_dir(&bin)?;
        for name in tools.shims.keys() {
            link_or_copy(&program, &bin.join(name))?;
        }
        for (name, path) in &tools.links {
            symlink(path, bin.join(name)).describe("create the link", &bin.join(name))?;
        }
        create_dir(&dir.join(shim::TOOLS_DIR))?;
        create_dir(&dir.join(shim::FILES_DIR))?;
        for (path, text) in shims.files().map_err(Error::ShimConfig)? {
            write_atomic(&dir.join(path), text.as_bytes())?;
        }
        write_atomic(&dir.join("env-id"), digest.as_bytes())?;
        if let Ok(inner) = plan.cmake.path.strip_prefix(&plan.env_dir) {
            let path = dir.join(inner);
            create_dir(path.parent().unwrap_or(&dir))?;
            write_atomic(&path, plan.cmake.text.as_bytes())?;
        }
        staging.publish(&dir, &plan.env_dir)?;
    }
    Ok(write_atomic(&stamp_path, stamp.as_bytes())?)
}

/// What tells one build of xprov from another without reading it.
fn executable_stamp(path: &Path) -> Result<String, FsError> {
    let metadata = fs::metadata(path).describe("read", path)?;
    let (size, time) = (metadata.size(), metadata.mtime());
    Ok(format!("{} {size} {time}.{}\n", path.display(), metadata.mtime_nsec()))
}

/// This executable in the store: shims are links to it, and must outlive an upgrade or a move of
/// the one that the user called.
fn store_program(context: &Context<'_>) -> Result<PathBuf, Error> {
    let own = &context.ambient.executable;
    let bytes = fs::read(own).describe("read", own)?;
    let path = context.store.layout().program(&Blake3::of(&bytes));
    if !path.is_file() {
        create_dir(path.parent().unwrap_or(Path::new("/")))?;
        write_atomic_with_mode(&path, &bytes, 0o555)?;
    }
    Ok(path)
}

fn replace_link(program: &Path, link: &Path) -> Result<(), FsError> {
    let new = link.with_extension("xprov-new");
    remove_tree(&new).or_else(|_| fs::remove_file(&new).describe("remove", &new))?;
    link_or_copy(program, &new)?;
    fs::rename(&new, link).describe("replace", link)
}

/// Leaves an unchanged file alone, so that its time does not change either. Says whether it wrote.
pub fn write_if_changed(path: &Path, text: &str) -> Result<bool, FsError> {
    if read_text(path)?.as_deref() == Some(text) {
        return Ok(false);
    }
    write_atomic(path, text.as_bytes()).map(|()| true)
}
