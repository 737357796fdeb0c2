//! The standard library of a target, built from its source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::inputs::Inputs;
use super::unwind;
use crate::hermetic::Plan;
use crate::hermetic::outside::Outside;
use crate::hermetic::vars;
use crate::ops::cargo::refuse_root_config;
use crate::ops::context::Context;
use crate::ops::crates::{below, write_network};
use crate::ops::environment::{Wish, environment};
use crate::ops::error::Error;
use crate::ops::ground::Ground;
use crate::ops::project::Project;
use crate::ops::user::{self, Homes};
use crate::settings::Settings;
use crate::store::Object;
use crate::sys::fs::{Describe as _, create_dir, link_or_copy, write_atomic};
use crate::sys::process::{hermetic_command, with_output};
use crate::vocab::event::Event;
use crate::vocab::triple::RustTriple;

/// Panics unwind or abort, as a project chooses; `test` and `proc_macro` are for those that use them.
const CRATES: &str = "-Zbuild-std=std,proc_macro,test,panic_unwind,panic_abort";

/// The crate that is built for the sake of what it depends on.
const MANIFEST: &str = "\
[package]
name = \"nothing\"
version = \"0.0.0\"
edition = \"2021\"
[lib]
path = \"lib.rs\"
[workspace]
";

/// What rustc starts and ends programs with, and the C library.
const START_FILES: &[&str] = &[
    "crt1.o",
    "Scrt1.o",
    "rcrt1.o",
    "crti.o",
    "crtn.o",
    "crtbegin.o",
    "crtbeginS.o",
    "crtend.o",
    "crtendS.o",
    "libc.a",
];

/// One build.
pub struct Work<'a> {
    pub context: &'a Context<'a>,
    /// The user's project.
    pub project: &'a Project,
    /// What builds for the host.
    pub ground: &'a Ground,
    pub inputs: &'a [Object],
    pub target: &'a RustTriple,
    /// The entry, for people.
    pub label: String,
    /// Where everything happens.
    pub dir: &'a Path,
}

impl Work<'_> {
    /// Builds, and says where the tree is.
    pub fn build(&self) -> Result<PathBuf, Error> {
        refuse_root_config()?;
        let inputs = Inputs::new(self.context, self.inputs, &self.label)?;
        let (_, lock) = inputs.find("library/Cargo.lock")?;
        let object = self.composition();
        let library = object.join(lock.trim_end_matches("/Cargo.lock"));
        let project = self.project()?;
        self.fetch(&project, &library)?;
        let source = Path::new(&lock).parent().and_then(Path::parent).unwrap_or(Path::new(""));
        let rlibs = self.compile(&project, &library, (&object.join(source), source))?;
        let root = self.dir.join("tree");
        let sysroot = root.join(self.prefix());
        let lib = sysroot.join("lib/rustlib").join(self.target.as_str()).join("lib");
        create_dir(&lib)?;
        for rlib in &rlibs {
            link_or_copy(rlib, &lib.join(rlib.file_name().unwrap_or_default()))?;
        }
        if self.target.is_musl() {
            self.self_contained(&inputs, &sysroot, &lib)?;
        }
        Ok(root)
    }

    /// The C library, its start files and an unwinder. Other targets have them elsewhere: for macOS
    /// they are the system's, and a linker's to find.
    fn self_contained(&self, inputs: &Inputs, sysroot: &Path, lib: &Path) -> Result<(), Error> {
        let own = lib.join("self-contained");
        create_dir(&own)?;
        for name in START_FILES {
            let path = inputs.path(name)?;
            fs::copy(&path, own.join(name)).describe("copy", &path)?;
        }
        unwind::write(self, &inputs.path("libgcc_eh.a")?, sysroot, &own.join("libunwind.a"))
    }

    /// The tree of the compiler.
    fn composition(&self) -> PathBuf {
        let rustc = &self.ground.tools.rust.rustc;
        let depth = self.prefix().components().count() + 2;
        rustc.ancestors().nth(depth).unwrap_or(rustc).to_path_buf()
    }

    /// Where rustc's sysroot is in the tree that it is composed into: above its `bin`.
    fn prefix(&self) -> PathBuf {
        let rustc = &self.ground.tools.rust.rustc;
        let compositions = self.context.store.layout().compositions_dir();
        let inside = rustc.strip_prefix(&compositions).unwrap_or(rustc);
        let sysroot = inside.parent().and_then(Path::parent).unwrap_or(Path::new(""));
        // Without the composition's own name.
        sysroot.components().skip(1).collect()
    }

    /// The empty library, with the environment of a project that has no settings.
    fn project(&self) -> Result<Project, Error> {
        let root = self.dir.join("std");
        create_dir(&root)?;
        let manifest = root.join("Cargo.toml");
        write_atomic(&manifest, MANIFEST.as_bytes())?;
        write_atomic(&root.join("lib.rs"), b"#![no_std]\n")?;
        let (settings, root_text) = (Settings::default(), MANIFEST.to_owned());
        let toolchain = crate::ops::toolchain_file::Honoured::default();
        Ok(Project { manifest, root, settings, root_text, toolchain })
    }

    /// The crates that std is built from, by its own Cargo.lock.
    fn fetch(&self, project: &Project, library: &Path) -> Result<(), Error> {
        let Self { context, ground, .. } = self;
        let files = user::cargo_config(context, self.project)?;
        let network = Outside::read(&files)?.network;
        let config = write_network(context, &network)?;
        context
            .observer
            .event(Event::Step { verb: "Fetching", subject: format!("crates for {}", self.label) });
        let rust = &ground.tools.rust;
        let mut command = hermetic_command(&rust.cargo);
        let mut ambient = context.ambient.pairs();
        if let Some(home) = Homes::of(context.ambient).home() {
            ambient.retain(|(name, _)| name != "HOME");
            ambient.push(("HOME".to_owned(), home.to_owned()));
        }
        command.envs(vars::for_fetch(
            &ambient,
            &context.dirs.cargo_home().to_string_lossy(),
            &rust.rustc.to_string_lossy(),
            &network.credentials,
        ));
        command.arg("fetch");
        if let Some(config) = &config {
            command.arg("--config").arg(config);
        }
        self.common(&mut command, project, library);
        if context.mode.offline {
            command.arg("--offline");
        }
        self.run(&mut command, "cargo fetch")?;
        Ok(())
    }

    /// Builds, and says where the rlibs of std and its crates are.
    fn compile(
        &self,
        project: &Project,
        library: &Path,
        (source, installed): (&Path, &Path),
    ) -> Result<Vec<PathBuf>, Error> {
        let Self { context, ground, .. } = self;
        let registry_dirs = below(&context.dirs.cargo_home().join("registry").join("src"))?;
        let wish = Wish {
            target: &context.host,
            glibc: None,
            target_dir: Some(&self.dir.join("target")),
            registry_dirs: &registry_dirs,
            configs: &[],
        };
        let plan = environment(context, project, ground, &wish)?.plan;
        let mut command = hermetic_command(&ground.tools.rust.cargo);
        let variables = &plan.variables;
        command.envs(variables.iter().map(|variable| (&variable.name, &variable.value)));
        command.env("CARGO_ENCODED_RUSTFLAGS", flags(&plan, source, installed));
        command.args([
            "build",
            "--release",
            "--offline",
            "--message-format=json-render-diagnostics",
        ]);
        self.common(&mut command, project, library);
        command.arg("--config").arg(&plan.config.path);
        let messages = self.run(&mut command, "cargo build")?;
        Ok(rlibs(&messages, project, self.target))
    }

    /// What fetching and building have in common.
    fn common(&self, command: &mut Command, project: &Project, library: &Path) {
        command.args([CRATES, "--target", self.target.as_str(), "--manifest-path"]);
        command.arg(&project.manifest).current_dir("/");
        // Building std is not stable. The directory is that of the source, which has no place in
        // a composed compiler; cargo's name for the variable is older than this use.
        command.env("RUSTC_BOOTSTRAP", "1").env("__CARGO_TESTS_ONLY_SRC_ROOT", library);
    }

    /// Runs a command whose messages are of interest only if it fails; what it printed otherwise.
    pub fn run(&self, command: &mut Command, name: &'static str) -> Result<Vec<u8>, Error> {
        let log = self.dir.join("log");
        let file = fs::File::create(&log).describe("write", &log)?;
        command.stdin(std::process::Stdio::null()).stderr(file);
        let (status, output) = with_output(command, self.dir)
            .map_err(|source| Error::Spawn { program: name.to_owned(), source })?;
        if status.success() {
            return Ok(output);
        }
        let said = fs::read(&log).describe("read", &log)?;
        let kept = self.context.store.layout().log(&format!("rust-std-{}", self.target));
        self.context.store.write(&kept, &said)?;
        let said = String::from_utf8_lossy(&said);
        let from = said.find("error").unwrap_or(0);
        let said = said[from..].lines().take(LINES).collect::<Vec<_>>().join("\n  ");
        Err(Error::Derivation { label: self.label.clone(), command: name, said, log: kept })
    }
}

/// How much of a log an error shows.
const LINES: usize = 12;

/// The flags of what is compiled for the target: paths that every machine shares, and bitcode, with
/// which a project can use LTO.
fn flags(plan: &Plan, source: &Path, installed: &Path) -> String {
    let mut flags: Vec<String> = plan
        .prefix_maps
        .iter()
        .map(|map| format!("--remap-path-prefix={}={}", map.from, map.to))
        .collect();
    // The last one wins, and this is inside of the store's.
    flags.push(format!("--remap-path-prefix={}=/{}", source.display(), installed.display()));
    flags.push("-Cembed-bitcode=yes".to_owned());
    flags.join("\u{1f}")
}

/// The rlibs among what cargo says it made for the target, without the empty library.
fn rlibs(messages: &[u8], project: &Project, target: &RustTriple) -> Vec<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        manifest_path: PathBuf,
        filenames: Vec<PathBuf>,
    }
    let lines = messages.split(|byte| *byte == b'\n');
    let made = lines.filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    let of_std = made.filter(|message| message.manifest_path != project.manifest);
    let files = of_std.flat_map(|message| message.filenames);
    // Those of build scripts are the host's.
    let is_ours = |file: &PathBuf| {
        let for_target = file.iter().any(|part| part == target.as_str());
        for_target && file.extension().is_some_and(|is| is == "rlib")
    };
    let mut rlibs: Vec<PathBuf> = files.filter(is_ours).collect();
    rlibs.sort();
    rlibs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_cargo_made_only_the_targets_rlibs_are_taken() {
        let project = Project {
            manifest: "/s/std/Cargo.toml".into(),
            root: "/s/std".into(),
            settings: Settings::default(),
            root_text: String::new(),
            toolchain: crate::ops::toolchain_file::Honoured::default(),
        };
        let message = |manifest: &str, file: &str| {
            format!("{{\"manifest_path\":\"{manifest}\",\"filenames\":[\"{file}\"]}}\n")
        };
        let dir = "/s/target/armv7-unknown-linux-musleabihf/release/deps";
        let messages = [
            "{\"reason\":\"build-script-executed\"}\n".to_owned(),
            message("/l/std/Cargo.toml", &format!("{dir}/libstd-1.rlib")),
            message("/l/std/Cargo.toml", "/s/target/release/build/std-2/build-script-build"),
            message("/r/cc/Cargo.toml", "/s/target/release/deps/libcc-3.rlib"),
            message("/s/std/Cargo.toml", &format!("{dir}/libnothing-4.rlib")),
            message("/l/core/Cargo.toml", &format!("{dir}/libcore-5.rlib")),
        ];
        let target = "armv7-unknown-linux-musleabihf".parse().expect("a triple");
        let found = rlibs(messages.concat().as_bytes(), &project, &target);
        let expected = ["libcore-5.rlib", "libstd-1.rlib"].map(|name| Path::new(dir).join(name));
        assert_eq!(found, expected);
    }
}
