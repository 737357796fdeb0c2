//! The program run in a world of its own: home, search path, store, project and apt configuration
//! are the sandbox's, and nothing of the machine's environment reaches it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::redact::Redactor;

/// The program under test.
pub const XPROV: &str = env!("CARGO_BIN_EXE_xprov");

/// The sandbox; its directory goes when it is dropped.
pub struct Sandbox {
    root: tempfile::TempDir,
    /// `HOME`.
    pub home: PathBuf,
    /// `XPROV_HOME`.
    pub xprov_home: PathBuf,
    /// The working directory.
    pub project: PathBuf,
    /// What is replaced in what the program prints.
    pub redactor: Redactor,
    variables: Vec<(String, String)>,
}

/// What a run did, redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Sandbox {
    /// An empty world.
    pub fn new() -> Self {
        Self::named("home", "project")
    }

    /// An empty world whose home and project directories have these names.
    pub fn named(home: &str, project: &str) -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        // As the system spells it: the program sees its working directory so.
        let path = root.path().canonicalize().expect("the directory");
        let (home, xprov_home, project) = (path.join(home), path.join("xprov"), path.join(project));
        for dir in [&home, &project, &path.join("apt"), &path.join("path")] {
            fs::create_dir_all(dir).expect("a directory");
        }
        let mut redactor = Redactor::default();
        redactor.know(path.to_string_lossy(), "[ROOT]");
        redactor.know(home.to_string_lossy(), "[HOME]");
        redactor.know(xprov_home.to_string_lossy(), "[XPROV_HOME]");
        redactor.know(project.to_string_lossy(), "[PROJECT]");
        let mut sandbox = Self { root, home, xprov_home, project, redactor, variables: Vec::new() };
        for (name, dir) in [("XPROV_APT_DIR", "apt"), ("PATH", "path")] {
            sandbox.set(name, &path.join(dir).to_string_lossy());
        }
        // Failures are tried again; nobody has to wait for that here.
        sandbox.set("XPROV_FETCH_BACKOFF_MS", "1");
        let (home, xprov_home) = (sandbox.home.clone(), sandbox.xprov_home.clone());
        sandbox.set("HOME", &home.to_string_lossy());
        sandbox.set("XPROV_HOME", &xprov_home.to_string_lossy());
        sandbox
    }

    /// The directory that everything is in.
    pub fn root(&self) -> PathBuf {
        self.root.path().canonicalize().expect("the directory")
    }

    /// Sets a variable for the runs to come.
    pub fn set(&mut self, name: &str, value: &str) {
        self.unset(name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a variable away.
    pub fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// Writes a file of the project, and its directories.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.project.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    /// Reads a file of the project.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.project.join(path)).expect(path)
    }

    /// Replaces a text that occurs in a file of the project.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "`{from}` in {path}:\n{text}");
        self.write(path, text.replace(from, to));
    }

    /// Makes any command see this world.
    pub fn dress(&self, command: &mut Command) {
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(&self.project).stdin(Stdio::null());
    }

    /// The program with these arguments, not yet started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(XPROV);
        self.dress(&mut command);
        command.args(arguments);
        command
    }

    /// Runs the program with the words of `line` as arguments.
    pub fn xprov(&self, line: &str) -> Outcome {
        self.run(self.command(&line.split_whitespace().collect::<Vec<_>>()))
    }

    /// Runs a command to its end.
    pub fn run(&self, mut command: Command) -> Outcome {
        self.outcome(&command.output().expect("the command starts"))
    }

    /// What a finished process did.
    pub fn outcome(&self, output: &Output) -> Outcome {
        let text = |bytes: &[u8]| self.redactor.apply(&String::from_utf8_lossy(bytes));
        Outcome {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// The names in a directory of the store, sorted; none where it does not exist.
    pub fn store_names(&self, dir: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.xprov_home.join("v1").join(dir)) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// The labels of the objects in the store, sorted.
    pub fn objects(&self) -> Vec<String> {
        let label = |name: &String| name.split_once('-').expect("a label").1.to_owned();
        let mut labels: Vec<String> = self.store_names("objects").iter().map(label).collect();
        labels.sort();
        labels
    }

    /// What no run that has ended may leave behind: private directories and partial downloads.
    pub fn leftovers(&self) -> Vec<String> {
        [self.store_names("staging"), self.store_names("partial")].concat()
    }
}

impl Outcome {
    /// The outcome, which must be a success.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => writeln!(f, "exit {code}")?,
            None => writeln!(f, "ended by a signal")?,
        }
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "--- {name}\n{}", text.trim_end_matches('\n'))?;
            }
        }
        Ok(())
    }
}

/// The triple of the machine that the tests run on, as xprov names it.
pub fn host() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// All files below a directory with their sizes and times: equal before and after means that
/// nothing was touched.
pub fn state(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else { return found };
    for entry in entries {
        let path = entry.expect("an entry").path();
        let metadata = fs::symlink_metadata(&path).expect("metadata");
        if metadata.is_dir() {
            found.extend(state(&path));
        }
        let time = metadata.modified().expect("a time");
        found.push(format!("{} {} {time:?}", path.display(), metadata.len()));
    }
    found.sort();
    found
}
