//! A terminal that a test types into: a session of tmux on a socket of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// How long a text may take to appear; a build is among what is waited for.
const PATIENCE: Duration = Duration::from_mins(2);

/// The session; it ends when it is dropped.
pub struct Terminal {
    tmux: PathBuf,
    terminfo: String,
    /// The path of a socket may have about a hundred bytes, which a target directory may exceed.
    dir: tempfile::TempDir,
}

impl Terminal {
    /// Starts sh of `bin` in `dir`, with these variables and no others but tmux's own.
    pub fn start(bin: &Path, dir: &Path, variables: &[(&str, String)]) -> Self {
        let terminfo = variables.iter().find(|(name, _)| *name == "TERMINFO");
        let terminal = Self {
            tmux: bin.join("tmux"),
            terminfo: terminfo.map(|(_, value)| value.clone()).unwrap_or_default(),
            dir: tempfile::tempdir().expect("a folder"),
        };
        let mut command = terminal.command(&["new-session", "-d", "-x", "250", "-y", "100", "-c"]);
        command.arg(dir).arg(bin.join("env"));
        command.args(["-u", "TMUX", "-u", "TMUX_PANE"]);
        command.args(variables.iter().map(|(name, value)| format!("{name}={value}")));
        terminal.run(command.arg(bin.join("sh")));
        terminal
    }

    /// Types a line.
    pub fn enter(&self, line: &str) {
        self.run(&mut self.command(&["send-keys", "-l", line]));
        self.run(&mut self.command(&["send-keys", "Enter"]));
    }

    /// Waits until the screen shows this text, and returns all that it shows. A line that was typed
    /// is on it as well.
    #[track_caller]
    pub fn shows(&self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let output = self.run(&mut self.command(&["capture-pane", "-p", "-J", "-S", "-"]));
            let screen = String::from_utf8_lossy(&output.stdout).into_owned();
            if screen.contains(text) {
                return screen;
            }
            assert!(Instant::now() < end, "`{text}` did not appear:\n{}", screen.trim_end());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.tmux);
        command.env_clear().env("TERM", "screen").env("TERMINFO", &self.terminfo);
        command.env("SHELL", "/bin/sh").env("LC_ALL", "C.UTF-8").env("PATH", "/usr/bin:/bin");
        command.args(["-f", "/dev/null", "-S"]).arg(self.dir.path().join("socket"));
        command.args(arguments);
        command
    }

    fn run(&self, command: &mut Command) -> Output {
        let output = command.output().expect("tmux starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux in {}: {said}", self.dir.path().display());
        output
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A session whose shell has ended is gone by itself.
        let _ = self.command(&["kill-server"]).output();
        let _ = fs::remove_file(self.dir.path().join("socket"));
    }
}
