//! Whole builds from nothing: the pinned cargo, rustc and gcc by their paths, and xprov.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use xprov::vocab::triple::RustTriple;

use super::in_turn;
use super::sample::Sample;
use super::scratch::{Result, Scratch, TARGET, xprov};
use super::tools::Tools;

/// `runs` builds of each in `dir`, in turn: plain ones, and xprov's. The directory is one in memory:
/// disks take longer for files after others have been removed.
pub fn measure(scratch: &Scratch, dir: &Path, runs: usize) -> Result<(Sample, Sample)> {
    let project = scratch.project_in(dir, "harbor")?;
    let temp_dir = dir.join("tmp");
    fs::create_dir_all(&temp_dir)?;
    let plain = Plain::new(scratch, &project)?;
    let mut cargo = || {
        let _ = fs::remove_dir_all(project.join("plain"));
        let mut command = plain.command(&project);
        command.env("TMPDIR", &temp_dir);
        command
    };
    let mut ours = || {
        let _ = fs::remove_dir_all(project.join("target"));
        let mut command = xprov(&scratch.home(), &project);
        command.args(["build", "--offline", "--target", TARGET]);
        command
    };
    in_turn(runs, &mut cargo, &mut ours)
}

/// What somebody would set up by hand who has the tools and wants no xprov.
struct Plain {
    tools: Tools,
    cargo_home: PathBuf,
    host: RustTriple,
    host_linker: PathBuf,
    host_compiler: String,
    compiler: (PathBuf, String),
}

impl Plain {
    fn new(scratch: &Scratch, project: &Path) -> Result<Self> {
        let tools = Tools::of(scratch)?;
        let host = RustTriple::of_this_program();
        let host_compiler = host_compiler(&tools)?;
        let host_linker = host_linker(&tools, &project.with_extension("host-gcc"))?;
        let compiler = tools.behind("aarch64-linux-gnu-gcc")?;
        let cargo_home = scratch.home().join("cargo");
        Ok(Self { tools, cargo_home, host, host_linker, host_compiler, compiler })
    }

    fn command(&self, project: &Path) -> Command {
        let mut command = self.tools.plain_cargo(project);
        let (program, sysroot) = &self.compiler;
        command
            .args(["build", "--offline", "--target", TARGET])
            .env("CARGO_HOME", &self.cargo_home);
        command.env("CC_aarch64_unknown_linux_gnu", format!("{} {sysroot}", program.display()));
        command.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", program);
        command.env("RUSTFLAGS", format!("-Clink-arg={sysroot}"));
        command.env("HOST_CC", &self.host_compiler);
        let host = self.host.to_string().to_uppercase().replace('-', "_");
        command.env(format!("CARGO_TARGET_{host}_LINKER"), &self.host_linker);
        command
    }
}

/// The host's compiler with its sysroot.
fn host_compiler(tools: &Tools) -> Result<String> {
    let host = RustTriple::of_this_program();
    let (program, sysroot) = tools.behind(&format!("{}-gcc", host.tool_prefix()))?;
    Ok(format!("{} {sysroot}", program.display()))
}

/// Writes the linker of build scripts. Cargo hands it no flags under --target, so it needs a script:
/// it is called once for each of them, which a build of seconds does not notice.
pub fn host_linker(tools: &Tools, path: &Path) -> Result<PathBuf> {
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", host_compiler(tools)?);
    fs::write(path, script)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(path.to_path_buf())
}
