//! What these tests run xprov on: one store for all of them, and a home and a PATH with nothing in
//! them. A test has the machine to itself, or shares it with others of its kind.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use serde_json::Value;

use super::projects::remove_tree;

/// The variables that say how this machine reaches the network: the only ones that these tests
/// hand on to xprov.
const NETWORK: &[&str] = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CARGO_HTTP_CAINFO",
];

/// Verbs that may take minutes, and so are announced.
const LONG: &[&str] = &["lock", "restore", "build", "test"];

/// The machine, for as long as one test uses it.
pub struct Machine {
    /// `XPROV_HOME`.
    pub store: PathBuf,
    /// Who xprov runs as, where that is somebody else; root alone can choose.
    pub user: Option<u32>,
    used: Mutex<BTreeSet<PathBuf>>,
    _turn: File,
}

/// What a command did.
#[derive(Debug)]
pub struct Done {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
    command: String,
}

/// The folder of everything that these tests leave behind.
pub fn base() -> PathBuf {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real");
    assert!(
        !base.to_string_lossy().contains(char::is_whitespace),
        "a store cannot be at `{}`: set CARGO_TARGET_DIR to a path without white space",
        base.display()
    );
    base
}

/// One line for whoever waits; not captured, as the output of tests is.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "  {line}");
}

impl Machine {
    /// Waits until no other test, and no other run of these tests, uses the machine.
    pub fn wait() -> Self {
        Self::take(File::lock)
    }

    /// Waits until no test has the machine to itself. For a test with projects of its own that
    /// does not look at what the store has become: the next one can compile while this one waits
    /// for an archive, a linker or `configure`.
    pub fn share() -> Self {
        Self::take(File::lock_shared)
    }

    fn take(turn_of: impl Fn(&File) -> std::io::Result<()>) -> Self {
        let base = base();
        for dir in ["home", "empty", "projects"] {
            fs::create_dir_all(base.join(dir)).expect("a folder for the tests");
        }
        let turn = File::create(base.join("lock")).expect("a file lock");
        turn_of(&turn).expect("a turn");
        Self { store: base.join("store"), user: None, used: Mutex::default(), _turn: turn }
    }

    /// Runs xprov in `dir` with nothing in its environment but a home, an empty PATH and the way
    /// to the network.
    pub fn xprov(&self, dir: &Path, arguments: &[&str]) -> Done {
        self.xprov_with(dir, arguments, &[])
    }

    /// The same with more or other variables.
    pub fn xprov_with(&self, dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Done {
        self.xprov_through(&[], dir, arguments, variables)
    }

    /// The same, started by another program: `launcher` is a command line that xprov's is added to.
    pub fn xprov_through(
        &self,
        launcher: &[&str],
        dir: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Done {
        self.used.lock().expect("no panic elsewhere").insert(dir.to_path_buf());
        let mut words = launcher.iter().copied().chain([env!("CARGO_BIN_EXE_xprov")]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).args(arguments).current_dir(dir);
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        self.surround(&mut command);
        command.envs(variables.iter().copied());
        let line = format!("xprov {}", arguments.join(" "));
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        if LONG.iter().any(|verb| arguments.contains(verb)) {
            say(&format!("{name}: {line}"));
        }
        let start = Instant::now();
        let output = command.output().expect("xprov starts");
        let code = output.status.code().unwrap_or(-1);
        if start.elapsed().as_secs() >= 2 {
            say(&format!("    {:.1} s", start.elapsed().as_secs_f64()));
        }
        Done {
            code,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            command: format!("{line} (in {})", dir.display()),
        }
    }

    /// Whether [`Machine::user`] may start xprov in `dir` and read what these tests hand on.
    pub fn reaches(&self, dir: &Path) -> bool {
        let readable = |file: &Path| {
            let mut cat = Command::new("/bin/cat");
            cat.arg(file).stdout(Stdio::null()).stderr(Stdio::null());
            self.user.inspect(|user| {
                cat.uid(*user).gid(*user);
            });
            cat.status().is_ok_and(|status| status.success())
        };
        let config = cargo_home().map(|home| home.join("config.toml"));
        let mut files = vec![PathBuf::from(env!("CARGO_BIN_EXE_xprov")), dir.join("Cargo.toml")];
        files.extend(config.filter(|config| config.is_file()));
        files.iter().all(|file| readable(file))
    }

    /// Takes the tester's environment from a command, but for the way to the network.
    pub fn surround(&self, command: &mut Command) {
        let base = base();
        command.env_clear().env("HOME", base.join("home")).env("PATH", base.join("empty"));
        command.env("XPROV_HOME", &self.store);
        command.envs(NETWORK.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        if let Some(cargo_home) = cargo_home() {
            // For its `[source]` and `[net]`, where crates come through a mirror.
            command.env("CARGO_HOME", cargo_home);
        }
    }

    /// Locks `targets` for the project in `dir`; returns the lock.
    pub fn lock(&self, dir: &Path, targets: &[&str]) -> String {
        let targets = targets.iter().flat_map(|target| ["--target", target]);
        let arguments: Vec<&str> = ["lock"].into_iter().chain(targets).collect();
        self.xprov(dir, &arguments).ok();
        fs::read_to_string(dir.join("toolchains.lock")).expect("a lock beside Cargo.lock")
    }

    /// What `xprov --json` prints.
    pub fn json(&self, dir: &Path, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
        let done = self.xprov(dir, &arguments).ok();
        serde_json::from_str(&done.stdout).expect("one JSON document")
    }
}

/// The projects whose builds several tests go on with.
const SHARED: [&str; 4] = ["harbor", "harbor-musl", "host-tools", "lance"];

impl Drop for Machine {
    /// Where nobody comes back to it, what a project built goes with the test: all of it together
    /// would be 12 GB.
    fn drop(&mut self) {
        if std::env::var_os("CI").is_none() || std::thread::panicking() {
            return;
        }
        let projects = base().join("projects");
        let used = std::mem::take(&mut self.used).into_inner().unwrap_or_default();
        let is_own = |name: &OsStr| SHARED.iter().all(|shared| name != *shared);
        for dir in used.iter().filter(|dir| dir.parent() == Some(&projects)) {
            if dir.file_name().is_some_and(is_own) {
                let _ = remove_tree(&dir.join("target"));
            }
        }
    }
}

impl Done {
    /// Fails the test unless the command succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(
            self.code != 4,
            "these tests need a Debian archive and a crate registry that this machine reaches:\n{}",
            self.stderr
        );
        assert_eq!(self.code, 0, "{}\n{}{}", self.command, self.stdout, self.stderr);
        self
    }

    /// Fails the test unless the command succeeded and printed exactly this.
    #[track_caller]
    pub fn prints(self, expected: &str) -> Self {
        let done = self.ok();
        assert_eq!(done.stdout, expected, "{}\n{}", done.command, done.stderr);
        done
    }
}

/// The `CARGO_HOME` of whoever runs these tests, if it configures anything.
pub fn cargo_home() -> Option<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = set.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")))?;
    ["config", "config.toml"].iter().any(|name| home.join(name).is_file()).then_some(home)
}
