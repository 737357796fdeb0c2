//! What surrounds a build: a checkout, the folders above it, a home, programs on PATH, variables.
//! Everything lies below one folder, and is made anew for each build but for target directories.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ear::Ear;
use crate::machine::cargo_home;
use crate::projects::remove_tree;

/// The surroundings of one build.
pub struct Surroundings {
    /// The folder of all others.
    pub root: PathBuf,
    /// The project.
    pub checkout: PathBuf,
    /// `HOME`.
    pub home: PathBuf,
    /// `CARGO_HOME`.
    pub cargo_home: PathBuf,
    /// Where the build is started; the checkout if nothing is said.
    pub cwd: Option<PathBuf>,
    /// A link that leads to the checkout.
    pub link: Option<PathBuf>,
    /// `CARGO_TARGET_DIR`, if the user sets it.
    pub target_dir: Option<PathBuf>,
    /// The umask of the caller.
    pub umask: &'static str,
    /// The cargo that a user without xprov has, if it is not the pinned one.
    pub cargo: Option<PathBuf>,
    /// What is given to cargo and to xprov after `build`.
    pub arguments: Vec<String>,
    /// Who listens on loopback.
    pub ear: Ear,
    manifest: String,
    locked: bool,
    variables: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, String>,
    programs: BTreeMap<PathBuf, String>,
    commands: Vec<(PathBuf, String)>,
}

impl Surroundings {
    /// Clean ones below `root`.
    pub fn clean(root: &Path) -> Self {
        let home = root.join("home");
        let mut clean = Self {
            root: root.to_path_buf(),
            checkout: root.join("above/checkout"),
            cargo_home: home.join(".cargo"),
            home,
            cwd: None,
            link: None,
            target_dir: None,
            umask: "022",
            cargo: None,
            arguments: Vec::new(),
            manifest: String::new(),
            locked: true,
            variables: BTreeMap::new(),
            files: BTreeMap::new(),
            programs: BTreeMap::new(),
            commands: Vec::new(),
            ear: Ear::default(),
        };
        // Where crates come from, if the tester's own cargo has a mirror.
        let mirror =
            cargo_home().and_then(|home| fs::read_to_string(home.join("config.toml")).ok());
        clean.home_config(&mirror.unwrap_or_default());
        clean
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Writes a file of the project, over that of the clean one.
    pub fn project_file(&mut self, path: &str, text: &str) {
        self.files.insert(self.checkout.join(path), text.to_owned());
    }

    /// Adds to the project's Cargo.toml.
    pub fn more_manifest(&mut self, text: &str) {
        self.manifest += text;
    }

    /// Leaves Cargo.lock out, as in a project that was just written.
    pub fn without_lock(&mut self) {
        self.locked = false;
    }

    /// Writes a file below the root.
    pub fn file(&mut self, path: &str, text: &str) -> String {
        let path = self.root.join(path);
        self.files.insert(path.clone(), text.to_owned());
        path.to_str().expect("UTF-8").to_owned()
    }

    /// Adds to the cargo configuration in the home.
    pub fn home_config(&mut self, text: &str) {
        *self.files.entry(self.home.join(".cargo/config.toml")).or_default() += text;
    }

    /// Writes the cargo configuration in the folder above the checkout.
    pub fn config_above(&mut self, text: &str) {
        self.file("above/.cargo/config.toml", text);
    }

    /// Writes a program that is not on PATH; returns its path.
    pub fn program(&mut self, path: &str, script: &str) -> String {
        let path = self.root.join(path);
        self.programs.insert(path.clone(), format!("#!/bin/sh\n{script}\n"));
        path.to_str().expect("UTF-8").to_owned()
    }

    /// Writes a program that comes first on PATH.
    pub fn program_on_path(&mut self, name: &str, script: &str) {
        self.program(&format!("bin/{name}"), script);
    }

    /// Runs these lines of shell in `dir` when everything is written.
    pub fn shell(&mut self, dir: &Path, script: &str) {
        self.commands.push((dir.to_path_buf(), script.to_owned()));
    }

    /// What the ear heard, and what programs wrote to `heard.txt`.
    pub fn heard(&self) -> String {
        let written = fs::read_to_string(self.root.join("heard.txt")).unwrap_or_default();
        self.ear.heard() + &written
    }

    /// Makes all this, with the project's own files and nothing that was there before. `registry`
    /// is the folder of fetched crates.
    pub fn make(&self, project: &BTreeMap<String, String>, registry: &Path) {
        clear(&self.root, &["above", "plain"]);
        clear(&self.root.join("above"), &["checkout"]);
        clear(&self.root.join("above/checkout"), &["target"]);
        let own = project.iter().map(|(path, text)| (self.checkout.join(path), text));
        let own = own.filter(|(path, _)| !self.files.contains_key(path));
        let files = self.files.iter().map(|(path, text)| (path.clone(), text));
        for (path, text) in own.chain(files) {
            match path.file_name().and_then(OsStr::to_str) {
                Some("Cargo.lock") if !self.locked => {}
                Some("Cargo.toml") if path.parent() == Some(&self.checkout) => {
                    write(&path, &format!("{text}{}", self.manifest));
                }
                _ => write(&path, text),
            }
        }
        for (path, script) in &self.programs {
            write(path, script);
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("executable");
        }
        for dir in [&self.home, &self.cargo_home, &self.root.join("bin")] {
            fs::create_dir_all(dir).expect("a folder");
        }
        symlink(registry, self.cargo_home.join("registry")).expect("a link");
        if let Some(link) = &self.link {
            symlink(&self.checkout, link).expect("a link");
        }
        for (dir, script) in &self.commands {
            let done = Command::new("sh").args(["-ec", script]).current_dir(dir).output();
            let done = done.expect("a shell");
            assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
        }
    }

    /// A command in these surroundings, where a shell sets the umask first. `path` comes after the
    /// programs that come first on PATH.
    pub fn command(&self, program: &Path, path: &str, prepare: impl Fn(&mut Command)) -> Command {
        let mut command = Command::new("/bin/sh");
        // The shell itself would drop variables that have dashes in their names.
        command.args(["-c", "umask \"$0\"; exec /usr/bin/env \"$@\"", self.umask]);
        command.args(self.variables.iter().map(|(name, value)| format!("{name}={value}")));
        command.arg(program);
        command.current_dir(self.cwd.as_deref().unwrap_or(&self.checkout));
        prepare(&mut command);
        command.env("HOME", &self.home).env("CARGO_HOME", &self.cargo_home);
        command.env("PATH", format!("{}/bin:{path}", self.root.display()));
        command
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, text).expect("written");
}

/// Removes what is in a folder but for the names to keep.
fn clear(dir: &Path, keep: &[&str]) {
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let entry = entry.expect("an entry");
        if keep.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let kind = entry.file_type().expect("a kind");
        let path = entry.path();
        if kind.is_dir() { remove_tree(&path) } else { fs::remove_file(&path) }.expect("removable");
    }
}
