//! A build script that writes down whatever it can find out, without asking anybody but variables,
//! programs on PATH, files and the system.

use super::corpus::{Theme, Verb, check};
use super::row::{Row, row, variable};
use super::surroundings::Surroundings;

/// What is specific to the process, or is xprov's own, is left out.
const BUILD_SCRIPT: &str = r#"
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn said(program: &str, arguments: &[&str]) -> String {
    match Command::new(program).args(arguments).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(_) => "not there".to_owned(),
    }
}

fn main() {
    let mut report = String::new();
    let mut variables: Vec<_> = env::vars().collect();
    variables.sort();
    for (name, value) in variables {
        if !name.starts_with("XPROV_") && name != "CARGO_MAKEFLAGS" {
            report += &format!("variable {name}={value}\n");
        }
    }
    for program in ["protoc", "cmake", "perl", "pkg-config", "rustc", "cargo", "clang"] {
        report += &format!("{program} {}\n", said(program, &["--version"]));
    }
    report += &format!("branch {}\n", said("git", &["describe", "--all", "--always", "--dirty"]));
    report += &format!("author {}\n", said("git", &["config", "user.name"]));
    report += &format!("zone {}\n", said("date", &["-d", "@0", "+%H %Z"]));
    report += &format!("sorted {}\n", said("sh", &["-c", "printf 'b\nB\na\n' | sort"]));
    report += &format!("temporary {}\n", env::temp_dir().display());
    let home = env::var("HOME").unwrap_or_default();
    report += &format!("rc {:?}\n", fs::read_to_string(Path::new(&home).join(".nosyrc")));
    report += &format!("neighbour {:?}\n", fs::read_to_string("../neighbour.txt").ok());
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let file = Path::new(&out).join("new");
    let _ = fs::remove_file(&file);
    fs::write(&file, "").expect("written");
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    report += &format!("mode {mode:o}\n");
    fs::write(Path::new(&out).join("report.txt"), report).expect("written");
}
"#;

const MAIN: &str =
    r#"fn main() { print!("{}", include_str!(concat!(env!("OUT_DIR"), "/report.txt"))); }"#;

fn theme(rows: Vec<Row>) -> Theme {
    let files = vec![("src/main.rs", MAIN.into()), ("build.rs", BUILD_SCRIPT.into())];
    Theme { name: "nosy", files, manifest: "", verb: Verb::Build, rows }
}

/// A library that does not exist: the loader says so at each start, and starts the program.
const NO_LIBRARY: &str = "/nonexistent/library.so";

#[test]
fn variables_that_a_build_script_sees() {
    check(&theme(vec![
        variable("var-ld-library-path", "LD_LIBRARY_PATH", "/nonexistent"),
        variable("var-ld-preload", "LD_PRELOAD", NO_LIBRARY),
        row("var-dyld", |s| {
            s.set("DYLD_LIBRARY_PATH", "/opt/homebrew/lib");
            s.set("DYLD_FALLBACK_LIBRARY_PATH", "/opt/homebrew/lib");
            s.set("DYLD_INSERT_LIBRARIES", NO_LIBRARY);
        }),
        variable("var-sdkroot", "SDKROOT", "/nonexistent/MacOSX.sdk"),
        variable("var-deployment-target", "MACOSX_DEPLOYMENT_TARGET", "10.7"),
        row("var-terminal", |s| {
            for (name, value) in [
                ("TERM", "vt52"),
                ("COLORTERM", "truecolor"),
                ("COLUMNS", "33"),
                ("CLICOLOR", "1"),
                ("NO_COLOR", "1"),
                ("TERM_PROGRAM", "teletype"),
            ] {
                s.set(name, value);
            }
        }),
        row("var-passing", |s| {
            s.set("RUST_BACKTRACE", "full");
            s.set("RUST_LOG", "nosy");
        }),
        variable("var-user", "USER", "somebody"),
        row("var-locale", |s| {
            s.set("LANG", "tr_TR.UTF-8");
            s.set("LC_ALL", "tr_TR.UTF-8");
            s.set("LANGUAGE", "tr");
        }),
        variable("var-tz", "TZ", "Pacific/Auckland"),
        variable("var-source-date-epoch", "SOURCE_DATE_EPOCH", "1"),
        row("var-tmpdir", |s| {
            let file = s.file("tmp/file", "");
            s.set("TMPDIR", file.strip_suffix("/file").expect("a folder"));
        }),
        variable("var-openssl-dir", "OPENSSL_DIR", "/opt/homebrew/opt/openssl"),
        variable("var-protoc", "PROTOC", "/usr/bin/protoc"),
        variable("var-libclang-path", "LIBCLANG_PATH", "/usr/lib/llvm-14/lib"),
        variable("var-bindgen", "BINDGEN_EXTRA_CLANG_ARGS", "-I/usr/include"),
        variable("var-anything", "DATABASE_URL", "postgres://me@localhost/mine"),
        row("umask", |s| s.umask = "077"),
    ]));
}

/// A program of the machine that comes first on PATH.
fn program(id: &'static str, name: &'static str) -> Row {
    row(id, move |s| s.program_on_path(name, &format!("echo the machine has {name} 99")))
}

/// The same for one that cargo itself calls as well.
fn tool_of_rust(id: &'static str, name: &'static str) -> Row {
    row(id, move |s| {
        let script = format!(
            "[ \"$*\" != --version ] || exec echo the machine has {name} 99\n\
             PATH=${{PATH#*:}}; exec {name} \"$@\""
        );
        s.program_on_path(name, &script);
    })
}

#[test]
fn programs_on_path() {
    check(&theme(vec![
        program("path-protoc", "protoc"),
        program("path-cmake", "cmake"),
        program("path-perl", "perl"),
        program("path-pkg-config", "pkg-config"),
        program("path-clang", "clang"),
        tool_of_rust("path-rustc-in-build-script", "rustc"),
        tool_of_rust("path-cargo-in-build-script", "cargo"),
    ]));
}

/// Makes the checkout a git repository with one commit, without the tester's configuration.
fn commit(s: &mut Surroundings) {
    let checkout = s.checkout.clone();
    s.shell(
        &checkout,
        "export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
         git init --quiet --initial-branch=trunk
         git -c user.name=a -c user.email=a@invalid commit --quiet --allow-empty -m one",
    );
}

#[test]
fn files_of_the_user() {
    check(&theme(vec![
        row("home-dotfile", |s| {
            s.file("home/.nosyrc", "level = 11\n");
        }),
        row("home-git-config", |s| {
            s.file("home/.gitconfig", "[user]\nname = Somebody\n");
        }),
        row("git-state", commit),
        row("file-outside", |s| {
            s.file("above/neighbour.txt", "of another project\n");
        }),
    ]));
}
