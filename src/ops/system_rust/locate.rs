//! From the user's PATH to the directory that a Rust is installed in. Runs the compiler only where
//! its place does not say that, as with rustup's proxies, and remembers the answer under all that
//! it depends on.

use std::fs;
use std::path::{Path, PathBuf};

use super::SystemRustError;
use super::files::stamp;
use crate::ops::context::Context;
use crate::ops::error::Error;
use crate::ops::project::Project;
use crate::shim::config;
use crate::sys::fs::read_text;
use crate::sys::process::hermetic_command;
use crate::vocab::digest::KeyHasher;

/// What rustup decides by, besides files.
const VARIABLES: [&str; 5] = ["CARGO_HOME", "HOME", "PATH", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];

/// The files by which a directory chooses its toolchain.
const TOOLCHAIN_FILES: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

/// The sysroot of the first rustc on the user's PATH.
pub fn sysroot(context: &Context<'_>, project: &Project) -> Result<PathBuf, Error> {
    let program = programs(context, "rustc").next().ok_or(SystemRustError::NotFound)?;
    let sysroot = match above(&program) {
        Some(sysroot) => sysroot,
        None => asked(context, project, &program)?,
    };
    // Its real place: what `--print sysroot` says may be reached by links.
    let sysroot = sysroot.canonicalize().unwrap_or(sysroot);
    Ok(sysroot)
}

/// The cargo of a Rust; some systems install it elsewhere.
pub fn cargo(context: &Context<'_>, sysroot: &Path) -> Result<PathBuf, Error> {
    let own = sysroot.join("bin/cargo");
    if own.is_file() {
        return Ok(own);
    }
    let is_cargo = |path: &PathBuf| path.file_name().is_some_and(|name| name == "cargo");
    let others = programs(context, "cargo").filter_map(|path| path.canonicalize().ok());
    let other = others.into_iter().find(is_cargo);
    Ok(other.ok_or(SystemRustError::Incomplete { file: own })?)
}

/// The programs of a name on the PATH. In an environment of xprov's the first is a shim: what that
/// starts counts, if it is the machine's.
fn programs<'a>(context: &'a Context<'_>, name: &'a str) -> impl Iterator<Item = PathBuf> + 'a {
    let store = context.store.layout().root().to_path_buf();
    context.ambient.programs(name).filter_map(move |program| {
        if !program.starts_with(&store) {
            return Some(program);
        }
        let env_dir = program.parent()?.parent()?;
        let file = env_dir.join(config::file_path(name));
        let (_, tool) = config::parse(&file, &fs::read(&file).ok()?).ok()?;
        let real = tool.program?.canonicalize().ok()?;
        (!real.starts_with(&store)).then_some(real)
    })
}

/// The directory above the `bin` that the program is really in, if there is a std beside it.
fn above(program: &Path) -> Option<PathBuf> {
    let real = program.canonicalize().ok()?;
    let sysroot = real.parent()?.parent()?;
    let is_own = real.ends_with("bin/rustc") && sysroot.join("lib/rustlib").is_dir();
    is_own.then(|| sysroot.to_path_buf())
}

/// What the program itself says.
fn asked(context: &Context<'_>, project: &Project, program: &Path) -> Result<PathBuf, Error> {
    let mut key = KeyHasher::new("system-rust-place/1");
    key.part(stamp(program)?);
    for name in VARIABLES {
        key.part(context.ambient.var(name).unwrap_or_default());
    }
    let rustup = context.ambient.var("RUSTUP_HOME").map(PathBuf::from);
    let rustup = rustup.or_else(|| Some(context.ambient.home()?.join(".rustup")));
    let choice = rustup.map(|home| read_text(&home.join("settings.toml"))).transpose()?.flatten();
    key.part(choice.unwrap_or_default());
    for dir in project.root.ancestors() {
        for name in TOOLCHAIN_FILES {
            let text = read_text(&dir.join(name))?;
            key.part(dir.as_os_str().as_encoded_bytes()).part(text.unwrap_or_default());
        }
    }
    let note = context.store.layout().machine(&key.finish().to_string());
    let known = read_text(&note)?.map(PathBuf::from);
    if let Some(sysroot) = known.filter(|sysroot| sysroot.join("bin/rustc").is_file()) {
        return Ok(sysroot);
    }
    let failed = |said: String| SystemRustError::Silent { program: program.to_path_buf(), said };
    let variables = VARIABLES.iter().filter_map(|name| Some((*name, context.ambient.var(name)?)));
    let output = hermetic_command(program)
        .args(["--print", "sysroot"])
        .envs(variables)
        // Whoever asks where a Rust is wants none downloaded.
        .env("RUSTUP_AUTO_INSTALL", "0")
        .current_dir(&project.root)
        .output()
        .map_err(|source| failed(source.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || said.is_empty() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()).into());
    }
    context.store.write(&note, said.as_bytes())?;
    Ok(PathBuf::from(said))
}
