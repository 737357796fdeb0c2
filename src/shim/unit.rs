//! What the shim of rustc does around a call: rustc and the proc-macros that it loads run
//! confined, and what it makes of a build script or proc-macro is looked at.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::build_script::{Surroundings, stand_before};
use super::ledger::Notice;
use super::{access, scan};
use crate::inspect::{self, Facts};
use crate::sys::confine::Confinement;
use crate::vocab::sandbox::Mode;

/// What a call of rustc compiles, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    name: String,
    types: Vec<String>,
    has_target: bool,
    out_dir: PathBuf,
    extra: String,
    crates: Vec<PathBuf>,
    search_dirs: Vec<PathBuf>,
    has_file: bool,
    has_native_libraries: bool,
}

impl Unit {
    /// Reads rustc's arguments as cargo writes them.
    pub fn parse(arguments: &[OsString]) -> Self {
        let mut unit = Self::default();
        let mut arguments = arguments.iter().filter_map(|argument| argument.to_str());
        while let Some(argument) = arguments.next() {
            let joined = argument.starts_with("--").then(|| argument.split_once('=')).flatten();
            let short = argument
                .split_at_checked(2)
                .filter(|(key, value)| ["-C", "-L"].contains(key) && !value.is_empty());
            let (key, value) = match (joined, short) {
                (Some(pair), _) | (None, Some(pair)) => pair,
                (None, None) if TAKES_VALUE.contains(&argument) => {
                    (argument, arguments.next().unwrap_or_default())
                }
                (None, None) => {
                    unit.has_file |= argument.starts_with('@');
                    continue;
                }
            };
            unit.set(key, value);
        }
        unit
    }

    fn set(&mut self, key: &str, value: &str) {
        match key {
            "--crate-name" => value.clone_into(&mut self.name),
            "--crate-type" => self.types.extend(value.split(',').map(str::to_owned)),
            "--target" => self.has_target = true,
            "--out-dir" => self.out_dir = value.into(),
            "--extern" => self.crates.extend(value.split_once('=').map(|(_, path)| path.into())),
            "-L" => match value.split_once('=') {
                Some(("native" | "framework", _)) => self.has_native_libraries = true,
                Some(("dependency" | "crate", dir)) => self.search_dirs.push(dir.into()),
                other => {
                    self.has_native_libraries = true;
                    self.search_dirs.push(other.map_or(value, |(_, dir)| dir).into());
                }
            },
            "-C" | "--codegen" => {
                if let Some(extra) = value.strip_prefix("extra-filename=") {
                    extra.clone_into(&mut self.extra);
                }
            }
            _ => {}
        }
    }

    /// Whether it is a build script: a program for the host, which under xprov only they are,
    /// since a target is always named.
    fn is_build_script(&self) -> bool {
        !self.has_target && self.types == ["bin"] && self.name.starts_with("build_script_")
    }

    fn is_proc_macro(&self) -> bool {
        self.types == ["proc-macro"]
    }

    /// Whether rustc may load proc-macros: its own, or those that the crates it reads depend on,
    /// which it finds in the directories it was given.
    pub fn may_load_macros(&self) -> bool {
        let is_library = |path: &Path| {
            path.extension().is_some_and(|extension| extension == "so" || extension == "dylib")
        };
        let has_library = |dir: &PathBuf| {
            let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
            entries.into_iter().any(|entry| is_library(Path::new(&entry.file_name())))
        };
        self.has_file
            || self.crates.iter().any(|path| is_library(path))
            || !self.crates.is_empty() && self.search_dirs.iter().any(has_library)
    }

    /// Whether something is left to do after rustc.
    pub fn is_of_the_build(&self) -> bool {
        self.is_build_script() || self.is_proc_macro()
    }

    fn output(&self, suffix: &str) -> PathBuf {
        self.out_dir.join(format!("{}{}{suffix}", self.name, self.extra))
    }

    /// Whether the program may load libraries that the build made: it was given directories with
    /// such, or needs more than every Rust program does.
    fn loads_libraries(&self, program: &Path) -> bool {
        let is_known = |name: &String| access::LIBRARIES.contains(&name.as_str());
        let facts = std::fs::read(program).map(|bytes| inspect::facts(&bytes));
        self.has_native_libraries
            || !matches!(facts, Ok(Ok(Facts::Elf(elf))) if elf.needed.iter().all(is_known))
    }

    /// Looks at what rustc made of a build script or proc-macro, and puts build scripts behind
    /// the shim that confines them.
    pub fn finish(&self, around: &Surroundings, cwd: &Path) -> io::Result<Vec<Notice>> {
        let dir = around.package.as_deref().unwrap_or(cwd);
        let mut notices = scan::notices(&self.output(".d"), cwd, dir);
        let program = self.output("");
        if self.is_build_script() && around.stand_between() && program.is_file() {
            let outside = stand_before(&program, &around.env_dir, self.loads_libraries(&program))?;
            notices.extend(outside.filter(|_| around.access().is_some()));
        }
        Ok(notices)
    }
}

/// Arguments whose value is the next one.
const TAKES_VALUE: [&str; 8] =
    ["--crate-name", "--crate-type", "--target", "--out-dir", "--extern", "-C", "--codegen", "-L"];

/// The command of a rustc that nobody looks after, confined as the surroundings say.
pub fn command(around: &Surroundings, program: &Path) -> io::Result<Command> {
    let confinement = match around.access() {
        Some((Mode::On, access)) => Confinement::new(&access.rules(false))?,
        _ => Confinement::none(),
    };
    Ok(confinement.command(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Unit {
        Unit::parse(&text.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn build_scripts_and_proc_macros_are_known_by_their_arguments() {
        let script = parse(
            "--crate-name build_script_build --edition=2021 build.rs --crate-type bin \
             --emit=dep-info,link -C embed-bitcode=no -C extra-filename=-12ab --out-dir /t/a-12ab",
        );
        assert!(script.is_build_script() && script.is_of_the_build());
        assert_eq!(script.output(".d"), Path::new("/t/a-12ab/build_script_build-12ab.d"));
        let other =
            "--crate-name build_script_x --crate-type=bin --target=aarch64-x -Cextra-filename=-a";
        assert_eq!(parse(other).extra, "-a");
        assert!(!parse(other).is_of_the_build());
        assert!(!parse("--crate-name app --crate-type bin").is_of_the_build());
        assert!(parse("--crate-name m --crate-type proc-macro").is_proc_macro());
        assert!(!parse("-vV").is_of_the_build());
    }

    #[test]
    fn proc_macros_are_loaded_by_name_or_from_where_crates_are() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = dir.path().display();
        let loads = |text: &str| parse(text).may_load_macros();
        assert!(loads("--crate-name a --extern m=/t/libm-1.so a.rs"));
        assert!(loads("--extern=priv:m=/t/libm-1.dylib a.rs") && loads("@arguments"));
        let depends = format!("--extern b=/t/libb.rmeta -L dependency={at} a.rs");
        assert!(!loads(&depends) && !loads("--extern proc_macro a.rs"));
        std::fs::write(dir.path().join("libm-1.so"), "").expect("written");
        assert!(loads(&depends) && loads(&format!("--extern b=/t/libb.rlib -L{at} a.rs")));
        assert!(!loads(&format!("-L dependency={at} a.rs")));
        assert!(!loads(&format!("--extern b=/t/libb.rlib -Lnative={at} a.rs")));
    }
}
