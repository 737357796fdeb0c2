//! The sandbox, with real processes below the real program. Programs of the machine stand for
//! those of an environment: `/usr` and its like are roots here, and a folder beside is not.

mod bench;
mod network;

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use xprov::shim::build_script::stand_before;
use xprov::shim::ledger::NoticeKind;
use xprov::sys::confine::{Confinement, Rules};
use xprov::vocab::sandbox::Mode;

use crate::support::executable::copy;
use bench::{Bench, complete, output, started, text};

const PROBE: &str = "cat known
cat $OUTSIDE/secret
cat /proc/cpuinfo | head -1
test -e /etc/hostname && echo there
cat ../crate/../outside/secret
echo x > $OUTSIDE/new || echo not written
mkdir $OUTSIDE/dir || echo not made
echo x > $OUT/new && echo written
ls $OUTSIDE/nothing
uname -n";

#[test]
fn what_is_not_named_does_not_exist_and_is_noted() {
    if !complete() {
        return;
    }
    let bench = Bench::new(Mode::On);
    let output = bench.run(PROBE);
    let text = text(&output);
    assert!(text.starts_with("known\nnot written\nnot made\nwritten\nlocalhost\n"), "{text}");
    assert!(!text.contains("secret\nsecret") && text.contains("No such file"), "{text}");
    assert!(!bench.path("outside/new").exists() && !bench.path("outside/dir").exists());
    let noted = bench.noted(NoticeKind::Refused);
    for expected in [
        "read /…/outside/secret",
        "read /proc/cpuinfo",
        "read /etc/hostname",
        "write /…/outside/new",
        "write /…/outside/dir",
    ] {
        assert_eq!(noted.iter().filter(|what| *what == expected).count(), 1, "{noted:?}");
    }
    assert!(!noted.iter().any(|what| what.contains("nothing")), "{noted:?}");
    let line = &bench.ledger()[0];
    assert_eq!((line.tool.as_str(), line.krate.as_deref()), ("build-script", Some("probe")));
    let cpu = line.notices.iter().find(|n| n.what.ends_with("cpuinfo")).expect("noted");
    assert_eq!(cpu.allow.as_deref(), Some("sandbox.read = [\"/proc/cpuinfo\"]"));
}

#[test]
fn a_report_refuses_nothing_and_notes_the_same() {
    if !complete() {
        return;
    }
    let bench = Bench::new(Mode::Report);
    let text = text(&bench.run(PROBE));
    assert!(text.contains("known\nsecret\n") && text.contains("secret\nwritten\n"), "{text}");
    assert!(bench.path("outside/new").exists() && !text.contains("localhost"));
    let noted = bench.noted(NoticeKind::Seen);
    for expected in ["read /…/outside/secret", "read /proc/cpuinfo", "write /…/outside/new"] {
        assert!(noted.iter().any(|what| what == expected), "{noted:?}");
    }
    assert!(bench.noted(NoticeKind::Refused).is_empty());
}

#[test]
fn off_changes_nothing() {
    let bench = Bench::new(Mode::Off);
    let output = bench.run("cat $OUTSIDE/secret; echo $XPROV_BROKER; exit 3");
    assert_eq!((text(&output).as_str(), output.status.code()), ("secret\n\n", Some(3)));
    assert!(bench.ledger().is_empty());
}

#[test]
fn variables_that_only_cargo_is_to_see_are_hidden_from_what_it_starts() {
    let print = "echo $TERM-$CARGO_TERM_COLOR-$CARGO_TERM_WIDTH";
    let variables = [("TERM", "vt52"), ("CARGO_TERM_COLOR", "never"), ("CARGO_TERM_WIDTH", "80")];
    for mode in [Mode::Off, Mode::Report, Mode::On] {
        let bench = Bench::new(mode);
        bench.script("env/rustc.sh", print);
        let hidden = |command: &mut Command| text(&output(command.envs(variables)));
        assert_eq!(hidden(&mut bench.build_script(print)), "--80\n", "{mode:?}");
        let rustc = || bench.command(&bench.path("env/bin/rustc"));
        assert_eq!(hidden(rustc().arg("lib.rs")), "--80\n", "{mode:?}");
        let loads = ["lib.rs", "--extern", "m=/t/libm-1.so"];
        assert_eq!(hidden(rustc().args(loads)), "--80\n", "{mode:?}");
        // Who starts rustc by hand wants its colours.
        let by_hand = hidden(rustc().env_remove("CARGO_MANIFEST_DIR").arg("lib.rs"));
        assert_eq!(by_hand, "vt52-never-80\n", "{mode:?}");
    }
}

#[test]
fn exit_codes_signals_and_the_name_are_the_build_scripts() {
    for mode in [Mode::Off, Mode::Report, Mode::On] {
        let bench = Bench::new(mode);
        assert_eq!(bench.run("exit 7").status.code(), Some(7));
        let killed = bench.run("kill -TERM $$; sleep 60");
        assert_eq!(killed.status.signal(), Some(15), "{mode:?} {}", text(&killed));
    }
    // The program sees what cargo called; a script cannot tell, for the kernel takes its name.
    let bench = Bench::new(Mode::On);
    let program = bench.path("out/build-script-build");
    copy(Path::new("/bin/sh"), &program);
    stand_before(&program, &bench.path("env"), true).expect("moved");
    let mut command = bench.command(&program);
    let output = output(command.args(["-c", "echo $0; cat /proc/$$/cmdline | head -c 300"]));
    let text = text(&output);
    assert!(text.starts_with(&format!("{}\n", program.display())), "{text}");
}

#[test]
fn who_loads_no_library_of_the_build_is_not_told_where_they_are() {
    for (mode, loads) in [(Mode::Off, false), (Mode::On, false), (Mode::Off, true)] {
        let bench = Bench::new(mode);
        let program = bench.script("out/b", "echo $LD_LIBRARY_PATH");
        stand_before(&program, &bench.path("env"), loads).expect("moved");
        let mut command = bench.command(&program);
        let expected = if loads { "/of/cargo\n" } else { "\n" };
        assert_eq!(text(&output(command.env("LD_LIBRARY_PATH", "/of/cargo"))), expected);
    }
}

#[test]
fn a_file_that_was_moved_or_linked_still_finds_its_program() {
    let bench = Bench::new(Mode::Off);
    bench.build_script("echo here");
    let linked = bench.path("crate/build-script-build");
    fs::hard_link(bench.path("out/build_script_build-1"), &linked).expect("linked");
    assert_eq!(text(&output(&mut bench.command(&linked))), "here\n");
    fs::rename(bench.path("out"), bench.path("elsewhere")).expect("moved");
    let moved = bench.path("elsewhere/build_script_build-1");
    assert_eq!(text(&output(&mut bench.command(&moved))), "here\n");
}

#[test]
fn an_environment_with_a_long_path_leaves_the_program_and_says_so() {
    let bench = Bench::new(Mode::On);
    let program = bench.script("out/b", "echo here");
    let notice =
        stand_before(&program, &Path::new("/").join("x".repeat(300)), true).expect("looked");
    assert!(notice.expect("said").why.contains("longer"));
    assert_eq!(text(&output(&mut Command::new(&program))), "here\n");
}

#[test]
fn no_network_for_anyone() {
    let connect = "exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/1'";
    let bench = Bench::new(Mode::On);
    let refused = text(&bench.run(connect));
    assert!(refused.contains("Permission denied"), "{refused}");
    if complete() {
        let noted = bench.noted(NoticeKind::Refused);
        assert!(noted.contains(&"connect to 127.0.0.1:1".to_owned()), "{noted:?}");
    }
    let mut open = Bench::new(Mode::On);
    open.roots.network = true;
    let allowed = text(&open.run(connect));
    assert!(allowed.contains("Connection refused"), "{allowed}");
    // Without a supervisor the kernel refuses by itself.
    let rules = Rules { read: open.roots.read.clone(), ..Rules::default() };
    let mut command = Confinement::new(&rules).expect("rules").command(Path::new("/bin/bash"));
    let alone = text(&output(command.args(["-c", "exec 3<>/dev/tcp/127.0.0.1/1"])));
    assert!(alone.contains("Permission denied"), "{alone}");
}

#[test]
fn landlock_alone_refuses_what_is_not_named() {
    if !complete() {
        return;
    }
    let bench = Bench::new(Mode::On);
    let rules = Rules {
        read: bench.roots.read.clone(),
        write: vec![bench.path("out"), "/dev/null".into()],
        network: false,
    };
    let confinement = Confinement::new(&rules).expect("rules");
    let run = |script: &str| {
        let mut command = confinement.child(Path::new("/bin/sh"));
        text(&output(command.arg("-c").arg(script).current_dir(bench.path("out"))))
    };
    assert!(run("cat ../outside/secret").contains("Permission denied"));
    assert!(run("echo x > ../outside/new").contains("ermission denied"));
    assert!(run("ln -s ../outside/secret link; cat link").contains("Permission denied"));
    let moved = run("mkdir a b; echo x > a/f; mv a/f b/g; cat b/g 2>/dev/null; rm -r a b");
    assert_eq!(moved, "x\n");
    copy(Path::new("/bin/echo"), &bench.path("outside/echo"));
    assert!(run("../outside/echo x").contains("ermission denied"));
}

#[test]
fn a_compiler_runs_for_the_build_script_as_if_it_had_started_it() {
    if !complete() {
        return;
    }
    let bench = Bench::new(Mode::On);
    let compiler = "read line; echo $line-$1-$FLAVOUR-$(pwd)-$(umask)-broker=$XPROV_BROKER-$#; \
                    cat $OUTSIDE/secret; echo to stderr >&2; exit 5";
    bench.script("env/cc.sh", compiler);
    let script = "umask 027; echo input | FLAVOUR='a b' cc 'x y' '' 2> err; echo $?; cat err";
    let output = bench.run(&format!("cd $OUT; {script}"));
    let text = text(&output);
    let expected = format!("input-x y-a b-{}-0027-broker=-2\n5\n", bench.path("out").display());
    assert!(text.starts_with(&expected), "{text}");
    assert!(text.contains("to stderr") && text.contains("Permission denied"), "{text}");
}

#[test]
fn compilers_run_at_the_same_time_and_die_as_they_do() {
    if !complete() {
        return;
    }
    let bench = Bench::new(Mode::On);
    bench.script("env/cc.sh", "case $1 in die) kill -KILL $$;; esac; echo $1 > $OUT/o$1");
    let many = "for n in 1 2 3 4 5 6 7 8 9 10 11 12; do cc $n & done; wait; cat $OUT/o* | wc -l; \
                cc die; echo $?";
    let text = text(&bench.run(many));
    assert!(text.contains("12\n") && text.contains("137\n"), "{text}");
}

#[test]
fn a_compiler_ends_with_who_asked_for_it_and_everything_with_the_supervisor() {
    if !complete() {
        return;
    }
    let bench = Bench::new(Mode::On);
    bench.script("env/cc.sh", "echo $$ > $OUT/pid.new; mv $OUT/pid.new $OUT/pid; exec sleep 50");
    let wait = "n=0; while [ ! -s $OUT/pid ] && [ $n -lt 200 ]; do sleep 0.1; n=$((n+1)); done";
    let output = bench.run(&format!("cc & client=$!; {wait}; kill -KILL $client; wait; exit 0"));
    assert!(output.status.success());
    assert!(ends(&bench.path("out/pid")), "the compiler stayed");

    fs::remove_file(bench.path("out/pid")).expect("removed");
    let mut command = bench.build_script("echo $$ > $OUT/self; cc");
    let mut supervisor = started(&mut command);
    let start = Instant::now();
    while !bench.path("out/pid").exists() && start.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(10));
    }
    supervisor.kill().expect("killed");
    supervisor.wait().expect("waited");
    assert!(ends(&bench.path("out/pid")), "the compiler stayed");
    assert!(ends(&bench.path("out/self")), "the build script stayed");
}

/// Whether the process of that number in the file is gone, or soon is.
fn ends(pid_file: &Path) -> bool {
    let pid = fs::read_to_string(pid_file).expect("a number");
    let stat = PathBuf::from(format!("/proc/{}/stat", pid.trim()));
    let gone = || !fs::read_to_string(&stat).is_ok_and(|text| !text.contains(") Z "));
    let since = Instant::now();
    while !gone() && since.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(10));
    }
    gone()
}

/// A child ends while the shell looks for the next program, and dash does not expect to be
/// interrupted then.
#[test]
fn a_child_that_ends_does_not_hide_a_program() {
    if !complete() {
        return;
    }
    let bench = Bench::new(Mode::On);
    fs::create_dir(bench.path("env/first")).expect("made");
    bench.script("env/first/which", "echo first");
    let path = format!("PATH={}:$PATH", bench.path("env/first").display());
    let many = "n=0; while [ $n -lt 300 ]; do n=$((n+1)); hash -r; : | which sh; done";
    let text = text(&bench.run(&format!("{path}; {many}")));
    assert!(text.lines().all(|line| line == "first"), "{text}");
    assert_eq!(text.lines().count(), 300);
}

#[test]
fn a_sandbox_in_a_sandbox_works() {
    if !complete() {
        return;
    }
    let bench = Bench::new(Mode::On);
    let inner = bench.script("out/inner", "cat $OUTSIDE/secret; cat known; exit 4");
    stand_before(&inner, &bench.path("env"), true).expect("moved");
    // As cargo in a build script does it, and as somebody who lost the supervisor's name.
    for how in ["$OUT/inner; echo $?", "env -u XPROV_BROKER $OUT/inner; echo $?"] {
        let text = text(&bench.run(how));
        assert!(text.contains("known\n4\n") && !text.contains("\nsecret"), "{how}: {text}");
    }
}

#[test]
fn many_threads_may_ask_at_once() {
    if !complete() {
        return;
    }
    let bench = Bench::new(Mode::On);
    let text = text(&bench.run(
        "for n in 1 2 3 4 5 6 7 8; do (for m in 1 2 3 4 5; do cat known $OUTSIDE/secret; done) & \
         done 2> $OUT/err; wait; grep -o secret: $OUT/err | wc -l",
    ));
    assert_eq!(text.matches("known\n").count(), 40, "{text}");
    assert!(text.ends_with("40\n"), "{text}");
    assert_eq!(bench.noted(NoticeKind::Refused), ["read /…/outside/secret"]);
}

#[test]
fn rustc_is_confined_and_its_build_scripts_stand_behind_the_shim() {
    if !complete() {
        return;
    }
    let bench = Bench::new(Mode::On);
    bench.script(
        "env/rustc.sh",
        "cat $OUTSIDE/secret
         echo 'build.rs:' > $OUT/build_script_build-9.d
         printf '#!/bin/sh\\necho ran\\ncat /proc/cpuinfo\\n' > $OUT/build_script_build-9
         chmod 755 $OUT/build_script_build-9",
    );
    fs::write(bench.path("crate/build.rs"), "\nfn main() { is_x86_feature_detected!(\"avx\"); }")
        .expect("written");
    let mut rustc = bench.command(&bench.path("env/bin/rustc"));
    rustc.args(["--crate-name", "build_script_build", "--crate-type", "bin", "build.rs"]);
    let mut out_dir = OsString::from("--out-dir=");
    out_dir.push(bench.path("out"));
    let compiled = output(rustc.arg(out_dir).args(["-C", "extra-filename=-9"]));
    assert!(compiled.status.success() && text(&compiled).contains("Permission denied"));
    assert_eq!(bench.noted(NoticeKind::Source), ["is_x86_feature_detected! in build.rs:2"]);
    assert!(bench.path("out/build_script_build-9.real").exists());
    let ran = output(&mut bench.command(&bench.path("out/build_script_build-9")));
    assert!(text(&ran).starts_with("ran\n"), "{}", text(&ran));
    assert_eq!(bench.noted(NoticeKind::Refused), ["read /proc/cpuinfo"]);
}

#[test]
fn what_a_proc_macro_tries_is_noted_with_the_crate() {
    if !complete() {
        return;
    }
    for (mode, kind) in [(Mode::On, NoticeKind::Refused), (Mode::Report, NoticeKind::Seen)] {
        let bench = Bench::new(mode);
        bench.script(
            "env/rustc.sh",
            "cat $OUTSIDE/secret; cat known; test -e $OUTSIDE/secret
             cc -o $OUT/program a.o; echo cc=$?; exit 3",
        );
        // The linker is nobody's to look after, and says what it misses.
        bench.script(
            "env/cc.sh",
            "cat $OUTSIDE/other; echo \"a.o: undefined reference to 'sum'\" >&2; exit 4",
        );
        fs::write(bench.path("outside/other"), "other\n").expect("written");
        let mut rustc = bench.command(&bench.path("env/bin/rustc"));
        rustc.args(["--crate-name", "probe", "--crate-type", "lib", "lib.rs"]);
        let compiled = output(rustc.args(["--extern", "m=/t/libm-1.so"]));
        assert_eq!(compiled.status.code(), Some(3));
        let text = text(&compiled);
        assert!(text.contains("known\n") && text.contains("cc=4\n"), "{text}");
        assert!(text.contains("undefined reference to 'sum'"), "{text}");
        assert_eq!(text.contains("secret\n"), mode == Mode::Report, "{text}");
        assert_eq!(bench.noted(kind), ["read /…/outside/secret"]);
        let ledger = bench.ledger();
        let of = |tool: &str| ledger.iter().find(|line| line.tool == tool).expect("a line");
        assert_eq!(of("rustc").krate.as_deref(), Some("probe"));
        assert_eq!(of("cc").undefined[0].symbol, "sum");
    }
}

#[test]
fn what_stands_in_for_rustc_is_confined_like_it() {
    if !complete() {
        return;
    }
    let bench = Bench::new(Mode::On);
    let driver = bench.script("crate/clippy-driver", "shift; echo args=$*; cat $OUTSIDE/secret");
    bench.script("env/rustc.sh", "echo rustc=$*");
    let run = |arguments: &[&str]| {
        let wrapper = bench.path("env/bin/rustc-wrapper");
        text(&output(bench.command(&wrapper).args(arguments)))
    };
    let rustc = bench.path("env/bin/rustc").display().to_string();
    let driver = driver.display().to_string();
    let checked = run(&[&driver, &rustc, "lib.rs", "--extern", "m=/t/libm-1.so"]);
    assert!(checked.starts_with("args=lib.rs --extern m=/t/libm-1.so\n"), "{checked}");
    assert!(!checked.contains("secret\n"), "{checked}");
    assert_eq!(bench.noted(NoticeKind::Refused), ["read /…/outside/secret"]);
    assert_eq!(bench.ledger()[0].tool, "clippy-driver");
    assert!(run(&[&driver, &rustc, "lib.rs"]).contains("No such file"));
    // Questions, and the shim itself, which has a line of its own.
    assert!(run(&[&driver, &rustc, "-vV"]).ends_with("secret\n"));
    assert_eq!(run(&[&rustc, "lib.rs"]), "rustc=lib.rs\n");
    assert_eq!(bench.ledger().len(), 3);
}
