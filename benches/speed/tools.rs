//! The pinned tools as they are, without xprov in front of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::scratch::{Result, Scratch, TARGET, xprov};

/// The pinned tools, without xprov in front of them.
pub struct Tools {
    /// The environment's `bin`.
    pub bin: PathBuf,
    compositions: PathBuf,
}

impl Tools {
    /// The tools of the project `tiny`.
    pub fn of(scratch: &Scratch) -> Result<Self> {
        let project = scratch.dir.join("tiny");
        let mut env = xprov(&scratch.home(), &project);
        let output = env.args(["env", "--target", TARGET, "--format", "json"]).output()?;
        let variables: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let path = variables["PATH"].as_str().ok_or("xprov env says no PATH")?;
        let bin = std::env::split_paths(path).next().ok_or("the PATH is empty")?;
        Ok(Self { bin, compositions: scratch.home().join("v1/compositions") })
    }

    /// The compiler of the target, whose real name ends with its version.
    pub fn compiler(&self) -> Result<PathBuf> {
        let dir = self.composed("-cc-aarch64-linux-gnu", "usr/bin")?;
        let named = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let version = name.strip_prefix("aarch64-linux-gnu-gcc-");
            version.is_some_and(|version| version.parse::<u32>().is_ok())
        };
        let files = fs::read_dir(dir)?.filter_map(|entry| Some(entry.ok()?.path()));
        Ok(files.into_iter().find(named).ok_or("no compiler is composed")?)
    }

    /// What the shim of this name starts, with the sysroot that it adds.
    pub fn behind(&self, name: &str) -> Result<(PathBuf, String)> {
        let (program, before) = self.started(name)?;
        let sysroot = before.into_iter().find(|argument| argument.starts_with("--sysroot="));
        Ok((program, sysroot.ok_or("no sysroot")?))
    }

    /// What the shim of this name starts, and with which arguments before the caller's.
    fn started(&self, name: &str) -> Result<(PathBuf, Vec<String>)> {
        let env_dir = self.bin.parent().ok_or("no environment")?;
        let text = fs::read_to_string(env_dir.join("tools").join(format!("{name}.json")))?;
        let file: serde_json::Value = serde_json::from_str(&text)?;
        let tool = &file["tool"];
        let program = tool["program"].as_str().ok_or("no program")?;
        let before = tool["before"].as_array().into_iter().flatten();
        let before = before.filter_map(serde_json::Value::as_str).map(str::to_owned).collect();
        Ok((env_dir.join(program), before))
    }

    /// The pinned rustc.
    pub fn rustc(&self) -> Result<PathBuf> {
        Ok(self.started("rustc")?.0)
    }

    /// A file in the composition whose name ends so.
    pub fn composed(&self, suffix: &str, path: &str) -> Result<PathBuf> {
        for entry in fs::read_dir(&self.compositions)? {
            let dir = entry?.path();
            if dir.to_string_lossy().ends_with(suffix) && dir.join(path).exists() {
                return Ok(dir.join(path));
            }
        }
        Err(format!("no composition has {path}").into())
    }

    /// The pinned cargo and rustc, with the user's settings and little else.
    pub fn plain_cargo(&self, project: &Path) -> Command {
        let rustc = self.rustc().unwrap_or_default();
        let mut command = Command::new(rustc.with_file_name("cargo"));
        command.env_clear().current_dir(project);
        for name in ["HOME", "CARGO_HOME"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("PATH", &self.bin).env("RUSTC", rustc);
        command.env(
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
            self.bin.join("aarch64-linux-gnu-gcc"),
        );
        command.env("CARGO_TARGET_DIR", project.join("plain"));
        command
    }
}
