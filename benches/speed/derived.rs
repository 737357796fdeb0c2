//! The standard library of a musl target as xprov derives it, beside a bare `cargo -Zbuild-std` of
//! the same crates by the same tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use xprov::sys::fs::remove_tree;

use super::cold::host_linker;
use super::sample::Sample;
use super::scratch::{Result, Scratch, run, xprov};
use super::tools::Tools;

/// What std is built for: its recipe has it as source only.
const MUSL: &str = "x86_64-unknown-linux-musl";

/// The crates that xprov asks for, too.
const CRATES: &str = "-Zbuild-std=std,proc_macro,test,panic_unwind,panic_abort";

/// `runs` of each, in turn: bare builds, and derivations whose inputs the store has.
pub fn measure(scratch: &Scratch, dir: &Path, runs: usize) -> Result<(Sample, Sample)> {
    let project = scratch.project_for(dir, "tiny", MUSL)?;
    let home = scratch.home();
    let bare = Bare::new(scratch, dir)?;
    let mut samples = (Sample::default(), Sample::default());
    for _ in 0..runs {
        let _ = fs::remove_dir_all(dir.join("bare-target"));
        samples.0.push(run(&mut bare.command())?);
        samples.1.push(derive(&home, &project)?);
    }
    Ok(samples)
}

/// Derives anew.
fn derive(home: &Path, project: &Path) -> Result<Duration> {
    let root = home.join("v1");
    let mut forgotten = 0;
    for entry in fs::read_dir(root.join("index"))? {
        let index = entry?.path();
        let name = fs::read_to_string(&index)?;
        let object = root.join("objects").join(name.trim());
        let own = format!("usr/lib/rustlib/{MUSL}/lib/self-contained");
        if name.contains("-rust-std-") && object.join(own).is_dir() {
            remove_tree(&object)?;
            fs::remove_file(index)?;
            forgotten += 1;
        }
    }
    if forgotten == 0 {
        return Err("the store has no derived std to forget".into());
    }
    // What remembers where the object is.
    remove_tree(&root.join("closures"))?;
    run(xprov(home, project).args(["--locked", "--offline", "restore", "--target", MUSL]))
}

/// What somebody would type who has the compiler and its source.
struct Bare {
    tools: Tools,
    dir: PathBuf,
    cargo_home: PathBuf,
    library: PathBuf,
    host_linker: PathBuf,
}

impl Bare {
    fn new(scratch: &Scratch, dir: &Path) -> Result<Self> {
        let tools = Tools::of(scratch)?;
        let package = dir.join("nothing");
        fs::create_dir_all(&package)?;
        let manifest = "[package]\nname = \"nothing\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
                        [lib]\npath = \"lib.rs\"\n[workspace]\n";
        fs::write(package.join("Cargo.toml"), manifest)?;
        fs::write(package.join("lib.rs"), "#![no_std]\n")?;
        let host_linker = host_linker(&tools, &dir.join("host-gcc"))?;
        let cargo_home = scratch.home().join("cargo");
        let library = library(&scratch.home().join("v1/objects"), &tools.rustc()?)?;
        Ok(Self { tools, dir: dir.to_path_buf(), cargo_home, library, host_linker })
    }

    fn command(&self) -> Command {
        let mut command = self.tools.plain_cargo(&self.dir.join("nothing"));
        command.args(["build", "--release", "--offline", CRATES, "--target", MUSL]);
        command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_HOME", &self.cargo_home);
        // The compiler's own tree has no source beside it.
        command.env("__CARGO_TESTS_ONLY_SRC_ROOT", &self.library);
        command.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", &self.host_linker);
        command.env("CARGO_TARGET_DIR", self.dir.join("bare-target"));
        command
    }
}

/// The directory `library` of the compiler's source in the store.
fn library(objects: &Path, rustc: &Path) -> Result<PathBuf> {
    let said = Command::new(rustc).arg("--version").output()?.stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let version = said.split(' ').nth(1).ok_or("rustc says no version")?;
    for entry in fs::read_dir(objects)? {
        let library = entry?.path().join(format!("usr/src/rustc-{version}/library"));
        if library.join("Cargo.lock").is_file() {
            return Ok(library);
        }
    }
    Err(format!("the store has no source of Rust {version}").into())
}
