//! The door into this program under a tool's name. The one place of the library that reads the
//! process's arguments and environment: a shim is a process of its own, and nothing before it could.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::config::{Config, Kind};
use super::rewrite::{Facts, rewrite};
use super::{CONFIG_FILE, CWD_VARIABLE, Error, PREFIX_MAP_VARIABLE};

/// What this process is.
#[derive(Debug)]
pub enum Entry {
    /// `xprov` under its own name.
    Program,
    /// `cargo` in an environment's `bin`: to be dispatched as `xprov cargo`.
    Cargo {
        /// The environment's directory.
        env_dir: PathBuf,
        /// The target that the environment is for.
        target: String,
    },
    /// A tool that could not be started; what could be started has replaced this process.
    Failed(Error),
}

/// Becomes the tool whose name this process has, if it has one.
pub fn enter() -> Entry {
    let Some((env_dir, name)) = place() else { return Entry::Program };
    match start(&env_dir, &name) {
        Ok(target) => Entry::Cargo { env_dir, target },
        Err(error) => Entry::Failed(error),
    }
}

/// The environment's directory and the tool's name. A hard link is found by the running file's
/// own path; a symbolic link by the path it was called by, or as a shell would find it.
fn place() -> Option<(PathBuf, String)> {
    let called: PathBuf = env::args_os().next()?.into();
    let by_call = || {
        let direct = called.components().count() > 1;
        let searched = env::var_os("PATH").filter(|_| !direct);
        let on_path = searched.iter().flat_map(env::split_paths).map(|dir| dir.join(&called));
        direct.then(|| called.clone()).into_iter().chain(on_path).find_map(|path| split(&path))
    };
    env::current_exe().ok().and_then(|path| split(&path)).or_else(by_call)
}

/// `<env_dir>/bin/<tool>`, where `<env_dir>` has a configuration.
fn split(path: &Path) -> Option<(PathBuf, String)> {
    let name = path.file_name()?.to_str()?;
    let bin = path.parent()?;
    if matches!(name, "xprov" | "cargo-xprov") || !bin.ends_with("bin") {
        return None;
    }
    let env_dir = bin.parent()?;
    let there = path.is_file() && env_dir.join(CONFIG_FILE).is_file();
    there.then(|| (env_dir.to_path_buf(), name.to_owned()))
}

/// Replaces this process with the tool. `Ok` only for cargo, which is xprov itself: the target.
fn start(env_dir: &Path, name: &str) -> Result<String, Error> {
    let path = env_dir.join(CONFIG_FILE);
    let text = std::fs::read_to_string(&path)
        .map_err(|source| Error::Read { path: path.clone(), source })?;
    let config = Config::parse(&path, &text)?;
    let Some(tool) = config.tools.get(name) else {
        return Err(Error::UnknownTool { path, tool: name.to_owned() });
    };
    if tool.kind == Kind::Cargo {
        return Ok(config.target);
    }
    let facts = Facts {
        env_dir: env_dir.to_path_buf(),
        cwd: env::current_dir().unwrap_or_else(|_| "/".into()),
        prefix_map: env::var_os(PREFIX_MAP_VARIABLE).unwrap_or_default(),
        user_cwd: env::var_os(CWD_VARIABLE).map(PathBuf::from),
    };
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let call = rewrite(name, tool, &arguments, &facts)?;
    let mut command = Command::new(&call.program);
    command.args(&call.arguments).envs(&tool.set).env_remove(CWD_VARIABLE);
    if let Some(cwd) = &call.cwd {
        command.current_dir(cwd);
    }
    let source = command.exec();
    Err(Error::Start { program: call.program, source })
}
