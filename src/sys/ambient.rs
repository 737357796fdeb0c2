//! Ambient state (variables, working directory, terminal), captured once when the program starts
//! and handed on as a value. Nothing else in xprov reads the environment.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// What the process was started with.
#[derive(Debug, Clone)]
pub struct Ambient {
    /// Environment variables whose names and values are UTF-8.
    pub variables: BTreeMap<String, String>,
    /// The working directory as the user's shell spells it.
    pub cwd: PathBuf,
    /// The path of this executable.
    pub executable: PathBuf,
    /// Whether standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// Whether standard output is a terminal.
    pub stdout_is_terminal: bool,
}

impl Ambient {
    /// Captures the state of this process; fails where the working directory is gone.
    pub fn capture() -> io::Result<Self> {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Ok(Self {
            variables,
            cwd: std::env::current_dir()?,
            executable: std::env::current_exe()?,
            stderr_is_terminal: io::stderr().is_terminal(),
            stdout_is_terminal: io::stdout().is_terminal(),
        })
    }

    /// A variable that is set and not empty.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The user's home directory.
    pub fn home(&self) -> Option<PathBuf> {
        self.var("HOME").map(PathBuf::from)
    }

    /// Whether this looks like a build service, where progress bars are noise.
    pub fn is_ci(&self) -> bool {
        self.var("CI").is_some_and(|value| value != "false" && value != "0")
    }

    /// `path` made absolute against the working directory, without touching the disk.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        let joined = self.cwd.join(path);
        let mut normal = PathBuf::new();
        for component in joined.components() {
            match component {
                std::path::Component::CurDir => {}
                // `a/link/..` would be wrong to fold; only a leading run of plain components is.
                std::path::Component::ParentDir if normal.is_symlink() => normal.push(".."),
                std::path::Component::ParentDir => {
                    normal.pop();
                }
                other => normal.push(other),
            }
        }
        normal
    }
}
