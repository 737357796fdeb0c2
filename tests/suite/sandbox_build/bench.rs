//! An environment of scripts, whose shims are the real program, and what it noted.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use xprov::shim::build_script::{TOOL, stand_before};
use xprov::shim::ledger::{self, Line, NoticeKind};
use xprov::shim::{Config, Kind, Tool};
use xprov::sys::confine::available;
use xprov::vocab::sandbox::{Mode, Roots};

use crate::support::executable::script;

/// An environment with a compiler and a build script, both of which are shell scripts.
pub struct Bench {
    pub dir: tempfile::TempDir,
    pub roots: Roots,
}

impl Bench {
    pub fn new(mode: Mode) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().canonicalize().expect("there");
        for name in ["env/bin", "out", "crate", "outside"] {
            fs::create_dir_all(root.join(name)).expect("made");
        }
        fs::write(root.join("outside/secret"), "secret\n").expect("written");
        fs::write(root.join("crate/known"), "known\n").expect("written");
        let system = ["/usr", "/bin", "/lib", "/lib64"].map(PathBuf::from);
        let roots =
            Roots { mode, read: system.into(), write: vec![root.join("out")], network: false };
        let bench = Self { dir, roots };
        let mut tools = [
            (TOOL, Tool::without_program(Kind::BuildScript)),
            ("cc", Tool::new(Kind::Compiler, "cc.sh")),
            ("rustc", Tool::new(Kind::Rustc, "rustc.sh")),
            ("rustc-wrapper", Tool::without_program(Kind::Wrapper)),
        ];
        for (_, tool) in &mut tools {
            tool.hide = vec!["TERM".into(), "CARGO_TERM_*".into()];
            tool.show = vec!["CARGO_TERM_WIDTH".into()];
        }
        for (name, _) in &tools {
            let link = bench.path("env/bin").join(name);
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_xprov"), link).expect("linked");
        }
        let tools = tools.map(|(name, tool)| (name.to_owned(), tool)).into();
        fs::create_dir_all(bench.path("env/tools")).expect("made");
        for (file, text) in Config::new("x86_64-unknown-linux-gnu", tools).files().expect("JSON") {
            fs::write(bench.path("env").join(file), text).expect("written");
        }
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().expect("there").join(name)
    }

    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        script(&path, text);
        path
    }

    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.path("crate")).stdin(Stdio::null());
        command.env("PATH", format!("{}:/usr/bin:/bin", self.path("env/bin").display()));
        command.env("XPROV_SANDBOX", self.roots.to_variable());
        command.env("XPROV_LEDGER", self.path("out/ledger.jsonl"));
        command.env("CARGO_MANIFEST_DIR", self.path("crate")).env("CARGO_PKG_NAME", "probe");
        command.env("OUT", self.path("out")).env("OUTSIDE", self.path("outside"));
        command
    }

    /// A build script of this text behind the shim.
    pub fn build_script(&self, text: &str) -> Command {
        let program = self.script("out/build_script_build-1", text);
        let notice = stand_before(&program, &self.path("env"), true).expect("moved");
        assert_eq!(notice, None);
        self.command(&program)
    }

    pub fn run(&self, text: &str) -> Output {
        output(&mut self.build_script(text))
    }

    pub fn ledger(&self) -> Vec<Line> {
        let text = fs::read_to_string(self.path("out/ledger.jsonl")).unwrap_or_default();
        ledger::parse(&text).collect()
    }

    pub fn noted(&self, kind: NoticeKind) -> Vec<String> {
        let notices = self.ledger().into_iter().flat_map(|line| line.notices);
        let root = self.path("").display().to_string();
        notices.filter(|n| n.kind == kind).map(|n| n.what.replace(&root, "/…/")).collect()
    }
}

/// Starts the command. The file before a build script is written by this process, and is busy while
/// another thread's child has not let go of it.
pub fn started(command: &mut Command) -> Child {
    let start = Instant::now();
    loop {
        match command.spawn() {
            Err(error)
                if error.kind() == ErrorKind::ExecutableFileBusy
                    && start.elapsed() < Duration::from_secs(10) =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            child => return child.expect("started"),
        }
    }
}

/// What the command did, in at most a minute.
pub fn output(command: &mut Command) -> Output {
    let mut child = started(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("waited") {
            break status;
        }
        if start.elapsed() > Duration::from_mins(1) {
            child.kill().expect("killed");
            panic!("it hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    child.stdout.take().expect("piped").read_to_end(&mut stdout).expect("read");
    child.stderr.take().expect("piped").read_to_end(&mut stderr).expect("read");
    Output { status, stdout, stderr }
}

pub fn text(output: &Output) -> String {
    let all = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&all).into_owned()
}

/// Whether the kernel has all layers. A test that needs them says why it does nothing.
#[expect(clippy::print_stdout, reason = "a test that does nothing says so")]
pub fn complete() -> bool {
    let found = available();
    let complete = found.landlock.is_some() && found.supervision;
    if !complete {
        println!("skipped: this kernel has {found:?}");
    }
    complete
}
