//! What the shim of rustc does around a call: rustc and the proc-macros that it loads run
//! confined, and what it makes of a build script or proc-macro is looked at.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::build_script::{Surroundings, stand_before};
use super::ledger::Notice;
use super::scan;
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
}

impl Unit {
    /// Reads rustc's arguments as cargo writes them.
    pub fn parse(arguments: &[OsString]) -> Self {
        let mut unit = Self::default();
        let mut arguments = arguments.iter().filter_map(|argument| argument.to_str());
        while let Some(argument) = arguments.next() {
            let joined = argument.starts_with("--").then(|| argument.split_once('=')).flatten();
            let short = argument.strip_prefix("-C").filter(|value| !value.is_empty());
            let (key, value) = match (joined, short) {
                (Some(pair), _) => pair,
                (None, Some(value)) => ("-C", value),
                (None, None) if TAKES_VALUE.contains(&argument) => {
                    (argument, arguments.next().unwrap_or_default())
                }
                (None, None) => continue,
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

    /// Whether something is left to do after rustc.
    pub fn is_of_the_build(&self) -> bool {
        self.is_build_script() || self.is_proc_macro()
    }

    fn output(&self, suffix: &str) -> PathBuf {
        self.out_dir.join(format!("{}{}{suffix}", self.name, self.extra))
    }

    /// Looks at what rustc made of a build script or proc-macro, and puts build scripts behind
    /// the shim that confines them.
    pub fn finish(&self, around: &Surroundings, cwd: &Path) -> io::Result<Vec<Notice>> {
        let dir = around.package.as_deref().unwrap_or(cwd);
        let mut notices = scan::notices(&self.output(".d"), cwd, dir);
        let program = self.output("");
        if self.is_build_script() && around.access().is_some() && program.is_file() {
            notices.extend(stand_before(&program, &around.env_dir)?);
        }
        Ok(notices)
    }
}

/// Arguments whose value is the next one.
const TAKES_VALUE: [&str; 6] =
    ["--crate-name", "--crate-type", "--target", "--out-dir", "-C", "--codegen"];

/// The command of a rustc, confined as the surroundings say. A sandbox that only looks lets it
/// be: it is not supervised, and so nothing would be seen.
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
}
