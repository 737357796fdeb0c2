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
    /// The directory that relative paths of arguments belong to: the working directory, or that
    /// of `-C`.
    pub cwd: PathBuf,
    /// The working directory, which paths in messages are relative to.
    pub shell_cwd: PathBuf,
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
        let cwd = std::env::current_dir()?;
        Ok(Self {
            variables,
            shell_cwd: cwd.clone(),
            cwd,
            executable: std::env::current_exe()?,
            stderr_is_terminal: io::stderr().is_terminal(),
            stdout_is_terminal: io::stdout().is_terminal(),
        })
    }

    /// A path as messages show it: relative to the shell's directory where it is below.
    pub fn shown<'a>(&self, path: &'a Path) -> &'a Path {
        match path.strip_prefix(&self.shell_cwd) {
            Ok(below) if below.as_os_str().is_empty() => Path::new("."),
            Ok(below) => below,
            Err(_) => path,
        }
    }

    /// How the user would call this program again: by name where the shell finds it.
    pub fn own_command(&self) -> String {
        let name = self.executable.file_name().unwrap_or_default();
        let found = self.programs(name).next();
        let same = found.and_then(|path| path.canonicalize().ok());
        let command = if same.is_some() && same == self.executable.canonicalize().ok() {
            Path::new(name)
        } else {
            self.shown(&self.executable)
        };
        command.display().to_string()
    }

    /// All variables, as pairs.
    pub fn pairs(&self) -> Vec<(String, String)> {
        self.variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// A variable that is set and not empty.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a variable is set, be it to nothing.
    pub fn is_set(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    /// The user's home directory.
    pub fn home(&self) -> Option<PathBuf> {
        self.var("HOME").map(PathBuf::from)
    }

    /// The directories of `PATH`, in its order.
    pub fn search_path(&self) -> Vec<PathBuf> {
        self.var("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default()
    }

    /// The programs of a name on `PATH`, in its order.
    pub fn programs(&self, name: impl AsRef<Path>) -> impl Iterator<Item = PathBuf> {
        let paths = self.search_path().into_iter().map(move |dir| dir.join(name.as_ref()));
        paths.filter(|path| path.is_file())
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
