//! What is done with each row of a theme: a plain build shows the leak, a build with xprov does
//! not, or says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock};

use super::row::{Fate, Proof, Row};
use super::surroundings::Surroundings;
use crate::machine::{Machine, base, say};
use crate::projects::remove_tree;

/// The host, which is also the target: no emulator is needed.
pub const HOST: &str = if cfg!(target_arch = "aarch64") {
    "aarch64-unknown-linux-gnu"
} else {
    "x86_64-unknown-linux-gnu"
};

/// What the machine has on PATH.
const MACHINE_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A crate, and the leaks that are tried with it.
pub struct Theme {
    /// The name of the crate.
    pub name: &'static str,
    /// Its files, without Cargo.toml.
    pub files: Vec<(&'static str, String)>,
    /// What its Cargo.toml says after the package.
    pub manifest: &'static str,
    /// What cargo and xprov are told to do.
    pub verb: Verb,
    /// The rows.
    pub rows: Vec<Row>,
}

/// What is made of a crate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Its program.
    Build,
    /// The first page of its documentation.
    Doc,
}

/// What a build did.
struct Built {
    /// The program, if the build succeeded.
    program: Option<Vec<u8>>,
    /// What it said.
    said: String,
    /// What was heard outside.
    heard: String,
}

/// The theme on this machine.
struct Bench<'a> {
    machine: &'a Machine,
    theme: &'a Theme,
    root: PathBuf,
    files: BTreeMap<String, String>,
    /// The folder with the pinned cargo and rustc.
    rust: PathBuf,
    /// Folders of pinned programs that plain builds use beside the machine's.
    tools: String,
}

/// Tries every row, and fails with the names of those that do not hold.
pub fn check(theme: &Theme) {
    check_with(theme, "");
}

/// The same with pinned programs in the folder that `tool` of the environment lies in.
pub fn check_with(theme: &Theme, tool: &str) {
    if !theme.rows.iter().any(wanted) {
        return;
    }
    let machine = Machine::wait();
    let bench = Bench::new(&machine, theme, tool);
    let clean = || Surroundings::clean(&bench.root);
    let (ours, plain) = (bench.xprov(&clean()), bench.plain(&clean()));
    let quiet = ours.said;
    let ours = ours.program.unwrap_or_else(|| panic!("built with xprov: {quiet}"));
    let plain = plain.program.unwrap_or_else(|| panic!("built without xprov: {}", plain.said));
    // Otherwise no difference would say anything.
    assert!(bench.xprov(&clean()).program.as_ref() == Some(&ours), "{}: other bytes", theme.name);
    assert!(bench.plain(&clean()).program.as_ref() == Some(&plain), "{}: other bytes", theme.name);
    let mut failures = Vec::new();
    for row in theme.rows.iter().filter(|row| wanted(row)) {
        say(&format!("leak {}", row.id));
        if let Err(problem) = bench.check(row, &plain, &ours, &quiet) {
            failures.push(format!("{}: {problem}", row.id));
        }
    }
    assert!(failures.is_empty(), "{} rows\n{}", failures.len(), failures.join("\n\n"));
}

impl<'a> Bench<'a> {
    fn new(machine: &'a Machine, theme: &'a Theme, tool: &str) -> Self {
        static SEEN: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
        static LOCK: OnceLock<String> = OnceLock::new();
        let root = base().join("leaks").join(theme.name);
        // What an earlier run built proves nothing about this one. In one run, the tests of a theme
        // share what they need: each build compiles the crate itself anew.
        if SEEN.lock().expect("unpoisoned").insert(theme.name) {
            remove_tree(&root).expect("removable");
        }
        let mut files: BTreeMap<String, String> =
            theme.files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
        let (name, more) = (theme.name, theme.manifest);
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
             [workspace]\n[profile.dev]\ndebug = false\n[lints.rust]\n\
             unexpected_cfgs = \"allow\"\n{more}"
        );
        files.insert("Cargo.toml".to_owned(), manifest);
        let mut bench =
            Self { machine, theme, root, files, rust: PathBuf::new(), tools: String::new() };
        let surroundings = Surroundings::clean(&bench.root);
        surroundings.make(&bench.files, &bench.registry());
        let dir = surroundings.checkout;
        let lock = if bench.files.keys().any(|path| path.starts_with("recipes/")) {
            machine.lock(&dir, &[HOST])
        } else {
            LOCK.get_or_init(|| machine.lock(&dir, &[HOST])).clone()
        };
        bench.files.insert("toolchains.lock".to_owned(), lock);
        machine.xprov(&dir, &["cargo", "--", "fetch"]).ok();
        let lock = fs::read_to_string(dir.join("Cargo.lock")).expect("a lock of crates");
        bench.files.insert("Cargo.lock".to_owned(), lock);

        let exec = ["exec", "--target", HOST, "--"];
        let rustc = ["rustc", "--print", "sysroot"];
        let sysroot = machine.xprov(&dir, &[&exec[..], &rustc].concat()).ok().stdout;
        bench.rust = Path::new(sysroot.trim()).join("bin");
        if !tool.is_empty() {
            bench.tools = format!(":{}", tool_dir(machine, tool));
        }
        bench
    }

    /// The crates that xprov fetched.
    fn registry(&self) -> PathBuf {
        self.machine.store.join("cargo/registry")
    }

    /// A build without xprov: the pinned cargo, and the machine's programs.
    fn plain(&self, surroundings: &Surroundings) -> Built {
        surroundings.make(&self.files, &self.registry());
        let cargo = surroundings.cargo.clone().unwrap_or_else(|| self.rust.join("cargo"));
        let path = format!("{}{}:{MACHINE_PATH}", self.rust.display(), self.tools);
        let target = surroundings.target_dir.clone().unwrap_or_else(|| self.root.join("plain"));
        let mut command = surroundings.command(&cargo, &path, |command| {
            command.env_clear().env("CARGO_TARGET_DIR", &target);
            if !network(self.theme) {
                command.env("CARGO_NET_OFFLINE", "true");
            }
        });
        let verb = if self.theme.verb == Verb::Doc { "doc" } else { "build" };
        command.arg(verb).args(&surroundings.arguments);
        self.build(command, surroundings, &target)
    }

    /// A build with xprov.
    fn xprov(&self, surroundings: &Surroundings) -> Built {
        surroundings.make(&self.files, &self.registry());
        let program = Path::new(env!("CARGO_BIN_EXE_xprov"));
        let mut command = surroundings.command(program, MACHINE_PATH, |command| {
            self.machine.surround(command);
            command.envs(surroundings.target_dir.iter().map(|dir| ("CARGO_TARGET_DIR", dir)));
        });
        if self.theme.verb == Verb::Doc {
            command.args(["cargo", "--", "doc"]);
        } else {
            command.arg("build");
        }
        command.args(["--target", HOST]).args(&surroundings.arguments);
        let usual = || surroundings.checkout.join("target");
        let target = surroundings.target_dir.clone().unwrap_or_else(usual);
        self.build(command, surroundings, &target.join(HOST))
    }

    fn build(&self, mut command: Command, surroundings: &Surroundings, dir: &Path) -> Built {
        let name = self.theme.name;
        let (program, done) = match self.theme.verb {
            Verb::Build => (dir.join("debug").join(name), "Compiling"),
            Verb::Doc => (dir.join("doc").join(name).join("index.html"), "Documenting"),
        };
        let _ = fs::remove_file(&program);
        let Output { status, stdout, stderr } = command.output().expect("it starts");
        let said = String::from_utf8_lossy(&stderr) + String::from_utf8_lossy(&stdout);
        let program = status.success().then(|| fs::read(&program).expect("a program"));
        // A build that finds nothing to do shows nothing.
        let compiled = format!("{done} {name} ");
        assert!(program.is_none() || said.contains(&compiled), "{command:?}: {said}");
        Built { program, said: said.into_owned(), heard: surroundings.heard() }
    }

    fn check(&self, row: &Row, plain: &[u8], ours: &[u8], quiet: &str) -> Result<(), String> {
        let leaking = || {
            let mut surroundings = Surroundings::clean(&self.root);
            (row.leak)(&mut surroundings);
            surroundings
        };
        let built = self.plain(&leaking());
        if !shows(&row.proof, &built, plain) {
            return Err(format!(
                "the plain build does not show it\n{}\n{}",
                built.said, built.heard
            ));
        }
        let built = self.xprov(&leaking());
        let shown = shows(&row.proof, &built, ours);
        let wrong = match row.fate {
            // What asks for crates that nobody has fails in the end.
            Fate::Prevented | Fate::Reported if built.program.is_none() => "it fails",
            Fate::Prevented if shown => "it is not prevented",
            Fate::Kept if !shown => "it works no more",
            _ if !says(&built.said, self.theme.name, &row.report) => "it is not reported",
            _ if !row.report.is_empty() && says(quiet, self.theme.name, &row.report) => {
                "it is reported where it is not"
            }
            _ => return Ok(()),
        };
        Err(format!("with xprov {wrong}\n{}\n{}", built.said, built.heard))
    }
}

/// Whether whoever runs these tests asked for this row: for some with `LEAKS=var-cc,umask`, or else
/// for all.
fn wanted(row: &Row) -> bool {
    std::env::var("LEAKS").map_or(true, |rows| rows.split(',').any(|id| id == row.id))
}

/// Whether a build shows a leak, against the program of clean surroundings.
fn shows(proof: &Proof, built: &Built, clean: &[u8]) -> bool {
    let program = built.program.as_deref();
    match proof {
        Proof::Bytes => program.is_some_and(|program| program != clean),
        Proof::Failure => program.is_none_or(|program| program != clean),
        Proof::Text(text) => program.is_some_and(|program| contains(program, text.as_bytes())),
        Proof::Heard(text) => built.heard.to_lowercase().contains(&text.to_lowercase()),
    }
}

/// Whether the words and the crate are named, other than in cargo's list of what it does.
fn says(said: &str, name: &str, words: &[&str]) -> bool {
    let told = said.lines().filter(|line| {
        let first = line.split_whitespace().next().unwrap_or_default();
        !["Compiling", "Building", "Running", "Verified", "Finished"].contains(&first)
    });
    let told: String = told.flat_map(|line| [line, "\n"]).collect();
    let file = words.iter().any(|word| word.contains(".toml"));
    words.is_empty()
        || ((file || told.contains(name)) && words.iter().all(|word| told.contains(word)))
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// Whether a theme is about reaching the network.
fn network(theme: &Theme) -> bool {
    theme.rows.iter().any(|row| row.fate == Fate::Kept)
}

/// The folder of a composition that has this program.
fn tool_dir(machine: &Machine, tool: &str) -> String {
    let compositions = fs::read_dir(machine.store.join("v1/compositions")).expect("compositions");
    let dirs = compositions.map(|entry| entry.expect("an entry").path().join("usr/bin"));
    let dir = dirs.into_iter().find(|dir| dir.join(tool).is_file()).expect("a composed program");
    dir.to_str().expect("UTF-8").to_owned()
}
