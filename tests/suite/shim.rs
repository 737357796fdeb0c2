//! The shims as processes: how they are found, what they start, what they write down.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use xprov::shim::ledger::{self, Line, NoticeKind};
use xprov::shim::{self, Action, Config, Entry, Kind, Policy, Tool};
use xprov::vocab::isa::Baseline;

use crate::support::archive_fixture::{TARGET, tool_prefix};
use crate::support::executable::{link, script};
use crate::support::project::Project;
use crate::support::sandbox::host;

/// Prints what it is given, each word in `<>`.
const SAYS: &str = "printf '<%s>' \"$MARK\" \"$@\"";

/// An environment whose tools are scripts, and the real xprov as their shims.
struct Env {
    dir: tempfile::TempDir,
}

impl Env {
    fn new(tools: &[(&str, Tool, &str)]) -> Self {
        let env = Self { dir: tempfile::tempdir().expect("a directory") };
        for part in ["bin", "tools"] {
            fs::create_dir_all(env.dir().join(part)).expect("made");
        }
        let mut config = BTreeMap::new();
        for (name, tool, text) in tools {
            if let Some(program) = &tool.program {
                script(&env.dir().join(program), text);
            }
            link(Path::new(env!("CARGO_BIN_EXE_xprov")), &env.bin(name));
            config.insert((*name).to_owned(), tool.clone());
        }
        env.write(config);
        env
    }

    fn write(&self, tools: BTreeMap<String, Tool>) {
        for (path, text) in Config::new(TARGET, tools).files().expect("JSON") {
            fs::write(self.dir().join(path), text).expect("written");
        }
    }

    fn dir(&self) -> PathBuf {
        self.dir.path().join("e é 1")
    }

    fn bin(&self, name: &str) -> PathBuf {
        self.dir().join("bin").join(name)
    }

    fn ledger(&self) -> PathBuf {
        self.dir.path().join("ledger.jsonl")
    }

    /// A call as a build script of crate `a` would make it.
    fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.bin(name));
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env_clear()
            .env(ledger::LEDGER_VARIABLE, self.ledger())
            .env("CARGO_PKG_NAME", "a")
            .env("CARGO_PKG_VERSION", "1.0.0");
        command
    }

    fn run(&self, name: &str, arguments: &[&str]) -> Output {
        self.command(name, arguments).output().expect("it starts")
    }

    fn lines(&self) -> Vec<Line> {
        let text = fs::read_to_string(self.ledger()).unwrap_or_default();
        ledger::parse(&text).collect()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn policy(name: &str) -> Policy {
    Policy::new(Baseline::of("x86_64", Some(name)).expect("known"))
}

fn gcc() -> Tool {
    Tool::new(Kind::Compiler, "real-gcc").with_policy(policy("x86-64-v2"))
}

/// Under its own name this does nothing. Linked into an environment as a tool and started with
/// this test's name, the process becomes the tool.
#[test]
fn becomes_the_tool() {
    match shim::enter() {
        Entry::Program => {}
        entry => panic!("{entry:?}"),
    }
}

#[test]
fn a_link_in_bin_starts_the_tool_however_it_is_called() {
    let mut gcc = Tool::new(Kind::Compiler, "real-gcc").with_before(["--sysroot=/s".to_owned()]);
    gcc.set.insert("MARK".to_owned(), "m".to_owned());
    let env = Env::new(&[("t-gcc", gcc, SAYS)]);
    env.write(BTreeMap::from([("gone".to_owned(), Tool::new(Kind::Plain, "nowhere"))]));
    let own = std::env::current_exe().expect("this program");
    let hard = env.bin("t-gcc");
    fs::remove_file(&hard).expect("removed");
    link(&own, &hard);
    for name in ["gone", "unknown"] {
        symlink(&own, env.bin(name)).expect("linked");
    }
    let bin = env.dir().join("bin");
    let chosen = ["shim::becomes_the_tool", "--exact", "--nocapture"];
    let run = |program: &Path| -> Output {
        Command::new(program)
            .args(chosen)
            .env("PATH", &bin)
            .env(shim::PREFIX_MAP_VARIABLE, "/a b=/x\u{1f}/c=/y")
            .output()
            .expect("it starts")
    };
    let expected = "<m><--sysroot=/s><-ffile-prefix-map=/a b=/x><-ffile-prefix-map=/c=/y>\
                    <shim::becomes_the_tool><--exact><--nocapture>";
    assert!(said(&run(&hard)).ends_with(expected), "{}", said(&run(&hard)));
    fs::remove_file(&hard).expect("removed");
    symlink(&own, &hard).expect("linked");
    assert!(said(&run(&hard)).ends_with(expected), "by a path to a symbolic link");
    let by_name = Command::new("sh")
        .args(["-c", &format!("PATH=\"$BIN\"; t-gcc {}", chosen.join(" "))])
        .env("BIN", &bin)
        .env(shim::PREFIX_MAP_VARIABLE, "/a b=/x\u{1f}/c=/y")
        .output()
        .expect("sh runs");
    assert!(said(&by_name).ends_with(expected), "by its name on PATH");
    for (name, error) in [("gone", "Start"), ("unknown", "UnknownTool")] {
        let output = run(&env.bin(name));
        let all = said(&output) + &String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && all.contains(error), "{name}: {all}");
    }
}

#[test]
fn a_call_is_one_line_of_the_ledger_and_a_question_none() {
    let env = Env::new(&[("t-gcc", gcc(), SAYS)]);
    for question in [&["-dumpversion"][..], &["--version"], &["-v"]] {
        assert!(env.run("t-gcc", question).status.success());
    }
    assert_eq!(env.lines(), []);
    fs::write(env.dir.path().join("args"), "-O2 \"-march=native\" 'b c.c'").expect("written");
    let output = env.run("t-gcc", &["-c", "@args", "-I/usr/include", "-mavx2"]);
    assert_eq!(said(&output), "<><-march=x86-64-v2><-c><-O2><b c.c><-mavx2>");
    let lines = env.lines();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((line.tool.as_str(), line.krate.as_deref()), ("t-gcc", Some("a")));
    assert_eq!(line.version.as_deref(), Some("1.0.0"));
    assert_eq!(line.args, ["-c", "@args", "-I/usr/include", "-mavx2"]);
    let kinds: Vec<NoticeKind> = line.notices.iter().map(|notice| notice.kind).collect();
    assert_eq!(kinds, [NoticeKind::Isa, NoticeKind::HostDirectory]);
    assert_eq!(line.notices[0].allow.as_deref(), Some("isa.crates.a = \"native\""));
    assert_eq!(line.notices[1].allow.as_deref(), Some("sandbox.read = [\"/usr/include\"]"));
}

#[test]
fn a_file_of_arguments_that_needs_no_change_stays_one() {
    let env = Env::new(&[("t-gcc", gcc(), SAYS)]);
    fs::write(env.dir.path().join("args"), "-O2 b.c").expect("written");
    assert_eq!(said(&env.run("t-gcc", &["-c", "@args"])), "<><-march=x86-64-v2><-c><@args>");
}

#[test]
fn arguments_too_long_for_a_command_line_get_a_file() {
    let reads = "case $1 in @*) /bin/cat \"${1#@}\" | /usr/bin/wc -l;; esac; echo \"$1\" >&2";
    let env = Env::new(&[("t-gcc", gcc(), reads)]);
    let many = "-DA=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";
    let text = format!("{}-L/usr/lib a.o\n", many.repeat(60_000));
    fs::write(env.dir.path().join("args"), text).expect("written");
    for arguments in [&["@args"][..], &["-c", "@args"]] {
        let output = env.run("t-gcc", arguments);
        let counted = (60_000 + 1 + arguments.len()).to_string();
        assert_eq!(said(&output).trim(), counted, "{output:?}");
        let file = String::from_utf8(output.stderr).expect("text");
        assert!(!Path::new(file.trim().trim_start_matches('@')).exists(), "{file}");
    }
    assert_eq!(env.lines().len(), 2);
}

#[test]
fn a_link_that_fails_names_its_symbols_and_ends_as_the_linker_did() {
    let fails = "echo out; printf '%s\\n' 'ld: a.o: in function `f'\"'\"':' \
                 'a.c:(.text+0x1): undefined reference to `sum'\"'\"'' >&2; exit 3";
    let killed = "echo gone >&2; kill -s TERM $$";
    let ended = Tool::new(Kind::Compiler, "real-killed");
    let env = Env::new(&[("t-gcc", gcc(), fails), ("t-killed", ended, killed)]);
    let output = env.run("t-gcc", &["a.o", "-o", "a"]);
    assert_eq!((output.status.code(), &*said(&output)), (Some(3), "out\n"));
    let text = "ld: a.o: in function `f':\na.c:(.text+0x1): undefined reference to `sum'\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), text);
    let missed = env.lines()[0].undefined.clone();
    assert_eq!(missed.len(), 1);
    assert_eq!((missed[0].symbol.as_str(), missed[0].by.as_deref()), ("sum", Some("a.o")));
    // What does not link is not read.
    assert_eq!(env.run("t-gcc", &["-c", "a.c"]).status.code(), Some(3));
    assert_eq!(env.lines()[1].undefined, []);
    let output = env.run("t-killed", &["a.o"]);
    assert_eq!(output.status.signal(), Some(15), "{output:?}");
    assert_eq!(output.stderr, b"gone\n");
    assert_eq!(env.lines().len(), 3);
}

#[test]
fn a_denied_call_fails_and_says_how_to_go_on() {
    let denying = Policy { native: Action::Deny, ..policy("x86-64-v1") };
    let tool = Tool::new(Kind::Compiler, "real-gcc").with_policy(denying);
    let env = Env::new(&[("t-gcc", tool, SAYS)]);
    let output = env.run("t-gcc", &["-c", "-march=native", "a.c"]);
    assert_eq!((output.status.code(), &*said(&output)), (Some(1), ""));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: crate `a` asks its C compiler for `-march=native`, which the setting \
         `isa.native = \"deny\"` forbids; `isa.crates.a = \"baseline\"` leaves the flag out\n"
    );
    assert_eq!(env.lines()[0].notices[0].became, None);
    // The built-in rule for a known crate outranks the settings' general one.
    let mut known = env.command("t-gcc", &["-c", "-march=native", "a.c"]);
    let output = known.env("CARGO_PKG_NAME", "lance-linalg").output().expect("it starts");
    assert_eq!(said(&output), "<><-march=x86-64><-c><a.c>");
}

#[test]
fn a_tool_that_is_not_there_says_why_to_whoever_calls_it() {
    let why = Some("there is none; `x = \"y\"` takes one that does".to_owned());
    let tool = Tool { refuse: why, ..Tool::without_program(Kind::Compiler) };
    let env = Env::new(&[("t-g++", tool, SAYS)]);
    for arguments in [&["-c", "a.cc"][..], &["--version"]] {
        let output = env.run("t-g++", arguments);
        assert_eq!((output.status.code(), &*said(&output)), (Some(1), ""));
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "error: crate `a` calls `t-g++`: there is none; `x = \"y\"` takes one that does\n"
        );
    }
}

#[test]
fn rustc_is_filtered_and_asked_straight_away() {
    let mut rustc = Tool::new(Kind::Rustc, "real-rustc").with_policy(policy("x86-64-v2"));
    rustc.host_policy = Some(policy("x86-64-v1"));
    let env = Env::new(&[("rustc", rustc, SAYS)]);
    assert_eq!(said(&env.run("rustc", &["-", "--print=cfg"])), "<><-><--print=cfg>");
    assert_eq!(env.lines(), []);
    // The answer is about the baseline, and says so.
    let asked = ["-", "--print=cfg", "-Ctarget-cpu=native"];
    assert_eq!(said(&env.run("rustc", &asked)), "<><-><--print=cfg>");
    assert_eq!(env.lines()[0].notices[0].what, "-Ctarget-cpu=native");
    let output = env
        .run("rustc", &["--target=t", "-Ctarget-cpu=x86-64-v2", "-Ctarget-feature=+avx", "a.rs"]);
    assert_eq!(said(&output), "<><--target=t><-Ctarget-cpu=x86-64-v2><a.rs>");
    assert_eq!(said(&env.run("rustc", &["-Ctarget-cpu=x86-64-v2", "a.rs"])), "<><a.rs>");
    assert_eq!(env.lines().len(), 3);
}

#[test]
fn arguments_and_ledgers_that_are_no_text_or_cannot_be_written_harm_nothing() {
    let env = Env::new(&[("t-gcc", gcc(), SAYS)]);
    let mut command = env.command("t-gcc", &["-c"]);
    command.arg(std::ffi::OsStr::from_bytes(b"\xff.c")).env(ledger::LEDGER_VARIABLE, "/nowhere/l");
    let output = command.output().expect("it starts");
    assert!(output.status.success());
    assert!(output.stdout.ends_with(b"<-c><\xff.c>"), "{}", said(&output));
}

#[test]
fn the_environment_of_a_project_has_shims_with_its_baselines() {
    let project = Project::locked();
    let run = |command: &[&str]| {
        let line = ["-q", "exec", "--target", TARGET, "--"];
        project.run(project.command(&[&line, command].concat())).ok().stdout
    };
    let native = ["-c", "-march=native", "a.c"];
    let target = format!("{}-gcc", tool_prefix(TARGET));
    let compiled = run(&[&[target.as_str()], &native[..]].concat());
    assert!(compiled.starts_with("gcc -march=armv7-a+vfpv3-d16 "), "{compiled}");
    assert!(compiled.ends_with(" -c a.c\n"), "{compiled}");
    let of_host = format!("{}-gcc", tool_prefix(&host()));
    let compiled = run(&[&[of_host.as_str()], &native[..]].concat());
    let arch = host().split('-').next().expect("an arch").to_owned();
    let flag = Baseline::of(&arch, None).expect("known").c_flags()[0];
    assert!(compiled.starts_with(&format!("gcc {flag} ")), "{compiled}");
    assert!(run(&["sh", "-c", "echo $RUSTC"]).trim().ends_with("/bin/rustc"));
    assert!(run(&["rustc", "-vV"]).starts_with("rustc 1.96.0\n"));
}
