//! The door into this program under a tool's name. The one place of the library that reads the
//! process's arguments and environment: a shim is a process of its own, and nothing before it could.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::build_script::{self, Surroundings};
use super::config::{self, Kind, TOOLS_DIR, Tool};
use super::ledger::{self, LEDGER_VARIABLE, Line, Notice, NoticeKind};
use super::rewrite::{Facts, rewrite};
use super::start::{Outside, Prepared, start};
use super::unit::Unit;
use super::{CWD_VARIABLE, Error, PREFIX_MAP_VARIABLE, Step};
use crate::vocab::sandbox::{Roots, SANDBOX_VARIABLE};

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
    /// A tool that ran as a child: its exit code.
    Done(u8),
    /// A tool that could not be started; what could be started has replaced this process.
    Failed(Error),
}

/// Becomes the tool whose name this process has, if it has one.
pub fn enter() -> Entry {
    let Some(place) = place() else { return Entry::Program };
    run(place).unwrap_or_else(Entry::Failed)
}

/// Where a shim stands.
struct Place {
    env_dir: PathBuf,
    name: String,
    /// What its file says, where it has one.
    file: Option<Vec<u8>>,
    /// The running file.
    program: Option<PathBuf>,
}

/// A hard link is found by the running file's own path; a symbolic link by the path it was called
/// by, or as a shell would find it.
fn place() -> Option<Place> {
    let program = env::current_exe().ok();
    let place = program.as_deref().and_then(split).or_else(by_call)?;
    Some(Place { program, ..place })
}

fn by_call() -> Option<Place> {
    let called: PathBuf = env::args_os().next()?.into();
    if called.components().count() > 1 {
        return split_link(&called);
    }
    env::split_paths(&env::var_os("PATH")?).find_map(|dir| split_link(&dir.join(&called)))
}

fn split_link(path: &Path) -> Option<Place> {
    path.is_file().then(|| split(path))?
}

/// `<env_dir>/bin/<tool>`, where `<env_dir>` has tools.
fn split(path: &Path) -> Option<Place> {
    let name = path.file_name()?.to_str()?;
    let bin = path.parent()?;
    if matches!(name, "xprov" | "cargo-xprov") || !bin.ends_with("bin") {
        return None;
    }
    let env_dir = bin.parent()?;
    let file = std::fs::read(env_dir.join(config::file_path(name))).ok();
    (file.is_some() || env_dir.join(TOOLS_DIR).is_dir()).then(|| Place {
        env_dir: env_dir.to_path_buf(),
        name: name.to_owned(),
        file,
        program: None,
    })
}

fn run(place: Place) -> Result<Entry, Error> {
    let Place { env_dir, name, file, program } = place;
    let path = || env_dir.join(config::file_path(&name));
    let Some(file) = file else {
        return Err(Error::UnknownTool { path: path(), tool: name });
    };
    let (target, mut tool) = config::parse(&path(), &file)?;
    if tool.kind == Kind::Cargo {
        return Ok(Entry::Cargo { env_dir, target });
    }
    if let Some(why) = tool.refuse {
        return Err(refused(name, why));
    }
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if tool.kind == Kind::BuildScript {
        let around = surroundings(env_dir, program, &tool);
        return build_script::run(around, &arguments).map(Entry::Done);
    }
    complete(&mut tool, &env_dir);
    let facts = facts(env_dir, tool.kind);
    let prepared = prepare(&name, tool, &arguments, &facts)?;
    let outside = Outside {
        around: if prepared.tool.kind.is_watched() {
            surroundings(facts.env_dir, program, &prepared.tool)
        } else {
            build_script::Surroundings::default()
        },
        variables: || env::vars_os().collect(),
        cwd: env::current_dir,
        temp_dir: env::temp_dir,
    };
    start(prepared, &outside).map(Entry::Done)
}

/// Says that there is no such tool, in the ledger too: `configure` hides what its compilers say.
fn refused(tool: String, why: String) -> Error {
    let krate = env::var("CARGO_PKG_NAME").ok();
    if let Some(ledger) = env::var_os(LEDGER_VARIABLE) {
        let notice = Notice {
            kind: NoticeKind::Refused,
            what: format!("run {tool}"),
            became: None,
            why: why.clone(),
            allow: None,
        };
        let line = Line {
            tool: tool.clone(),
            krate: krate.clone(),
            version: env::var("CARGO_PKG_VERSION").ok(),
            notices: vec![notice],
            ..Line::default()
        };
        // It informs; the call ends all the same.
        let _ = ledger::append(Path::new(&ledger), &line);
    }
    Error::Refused { tool, krate, why }
}

/// What the environment says that matters to a tool of this kind.
fn facts(env_dir: PathBuf, kind: Kind) -> Facts {
    let value = |name: &str| env::var_os(name).unwrap_or_default();
    let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let facts = Facts { env_dir, ..Facts::default() };
    match kind {
        Kind::Compiler | Kind::Linker | Kind::Rustc | Kind::Wrapper => Facts {
            prefix_map: value(PREFIX_MAP_VARIABLE),
            sandbox: value(SANDBOX_VARIABLE),
            krate: text("CARGO_PKG_NAME"),
            version: text("CARGO_PKG_VERSION"),
            ..facts
        },
        Kind::Runner => Facts {
            cwd: env::current_dir().unwrap_or_else(|_| "/".into()),
            user_cwd: env::var_os(CWD_VARIABLE).map(PathBuf::from),
            ..facts
        },
        Kind::Plain | Kind::Cargo | Kind::BuildScript => facts,
    }
}

/// The call of a tool, and the ledger's line about it.
fn prepare(
    name: &str,
    tool: Tool,
    arguments: &[OsString],
    facts: &Facts,
) -> Result<Prepared, Error> {
    let read = |path: &Path| std::fs::read(path).ok();
    let rewritten = rewrite(name, &tool, arguments, facts, &read)?;
    let worth_a_line = rewritten.step != Step::Probe || !rewritten.notices.is_empty();
    let stands_in = rewritten.call.program.file_name().filter(|_| tool.kind == Kind::Wrapper);
    let line = worth_a_line.then(|| Line {
        tool: lossy(stands_in.unwrap_or(name.as_ref())),
        krate: facts.krate.clone(),
        version: facts.version.clone(),
        args: arguments.iter().map(|word| lossy(word)).collect(),
        notices: rewritten.notices,
        undefined: Vec::new(),
        lacked: Vec::new(),
    });
    let (call, step, denied) = (rewritten.call, rewritten.step, rewritten.denied);
    let unit = match tool.kind {
        Kind::Rustc | Kind::Wrapper if step != Step::Probe => Unit::parse(arguments),
        _ => Unit::default(),
    };
    Ok(Prepared { tool, call, step, unit, denied, line })
}

/// Completes the variables of the tool: by what the caller did not set, and by where it is.
fn complete(tool: &mut Tool, env_dir: &Path) {
    let values = tool.set.values_mut().chain(&mut tool.before);
    for value in values.filter(|value| value.contains("{env}")) {
        *value = value.replace("{env}", &env_dir.to_string_lossy());
    }
    if tool.zig.is_some() {
        // Beside the ledger, in the build directory: the one place that every tool may write to.
        let ledger = env::var_os(LEDGER_VARIABLE).map(PathBuf::from);
        let dir = ledger.as_deref().and_then(Path::parent).map(Path::to_path_buf);
        let cache = dir.unwrap_or_else(env::temp_dir).join("zig").to_string_lossy().into_owned();
        for name in ["ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"] {
            tool.set.insert(name.to_owned(), cache.clone());
        }
    }
    let is_set = |name: &String| env::var_os(name).is_some();
    for (name, dirs) in tool.search.drain(..) {
        let dirs = longer(&name, dirs);
        tool.set.insert(name, dirs);
    }
    if tool.fallback.first().is_some_and(|(name, _)| !is_set(name)) {
        tool.set.extend(tool.fallback.drain(..).filter(|(name, _)| !is_set(name)));
    }
}

/// The directories that the caller's variable has, and more after them.
fn longer(name: &str, more: String) -> String {
    match env::var(name) {
        Ok(dirs) if !dirs.is_empty() => format!("{dirs}:{more}"),
        _ => more,
    }
}

fn surroundings(env_dir: PathBuf, program: Option<PathBuf>, tool: &Tool) -> Surroundings {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let by_cargo = package.is_some() && !tool.hide.is_empty();
    let names = by_cargo.then(|| env::vars_os().map(|(name, _)| name)).into_iter().flatten();
    let search = tool.search.iter().cloned();
    Surroundings {
        loader: tool.program.clone().filter(|_| tool.kind == Kind::BuildScript),
        set: search.map(|(name, dirs)| (name.clone(), longer(&name, dirs))).collect(),
        hidden: names.filter(|name| name.to_str().is_some_and(|name| tool.hides(name))).collect(),
        env_dir,
        program,
        roots: env::var_os(SANDBOX_VARIABLE).and_then(|value| Roots::parse(&value)),
        broker: env::var_os("XPROV_BROKER"),
        ledger: env::var_os(LEDGER_VARIABLE).map(PathBuf::from),
        package,
        krate: env::var("CARGO_PKG_NAME").ok(),
        version: env::var("CARGO_PKG_VERSION").ok(),
    }
}

fn lossy(word: &OsStr) -> String {
    word.to_string_lossy().into_owned()
}
