//! Tools that the settings ask for, in real build scripts: protoc, cmake with ninja, perl. The
//! user's PATH has programs of these names that must play no role.

use std::fs;
use std::path::{Path, PathBuf};

use super::machine::{Done, Machine, base};
use super::projects::{copy, remove_tree};

const AARCH64: &str = "aarch64-unknown-linux-gnu";
const ARMV7: &str = "armv7-unknown-linux-gnueabihf";

/// What the decoys write, beside themselves, when they are started.
const STARTED: &str = "started";

/// A directory for the user's PATH whose programs fail and leave a mark.
fn decoys() -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = base().join("decoys");
    remove_tree(&dir).expect("removable");
    fs::create_dir_all(&dir).expect("a folder");
    let text = format!("#!/bin/sh\necho \"$0\" >> {}/{STARTED}\nexit 66\n", dir.display());
    for name in ["cmake", "ninja", "perl", "protoc"] {
        let path = dir.join(name);
        fs::write(&path, &text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    }
    dir
}

/// Runs xprov for somebody who has the decoys, by their PATH and by variables.
fn with_decoys(machine: &Machine, dir: &Path, arguments: &[&str]) -> Done {
    let decoys = decoys();
    let text = |name: &str| decoys.join(name).to_str().expect("UTF-8").to_owned();
    let (path, protoc, cmake) = (text(""), text("protoc"), text("cmake"));
    let variables = [
        ("PATH", path.as_str()),
        ("PROTOC", protoc.as_str()),
        ("CMAKE", cmake.as_str()),
        ("CMAKE_GENERATOR", "Unix Makefiles"),
        ("PERL5LIB", path.as_str()),
        ("PERL5OPT", "-MDecoy"),
    ];
    let done = machine.xprov_with(dir, arguments, &variables);
    assert!(
        !decoys.join(STARTED).exists(),
        "a program of the user's was started:\n{}",
        done.stderr
    );
    done
}

#[test]
fn build_scripts_use_the_pinned_tools_and_their_output_runs() {
    let machine = Machine::wait();
    let dir = copy("host-tools", &base().join("projects").join("host-tools"));
    let lock = machine.lock(&dir, &[]);
    for tool in ["cmake", "ninja", "perl", "protoc"] {
        assert!(lock.contains(&format!("slot = \"host-tools\", tool = \"{tool}\"")), "{lock}");
    }
    let store = machine.store.to_str().expect("UTF-8");
    let run = |package: &str, target: &str| {
        let arguments = ["-q", "run", "--locked", "-p", package, "--target", target];
        let done = with_decoys(&machine, &dir, &arguments).ok();
        done.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };

    let arrival = run("arrival", AARCH64);
    assert_eq!(arrival, ["0a064175726f726112060880e2cfaa06", "Aurora 1700000000"]);

    let tide = run("tide", ARMV7);
    let [pointers, version, root, generator, make, compiler] = &tide[..] else {
        panic!("{tide:?}");
    };
    assert_eq!((pointers.as_str(), generator.as_str()), ("4 4", "Ninja"));
    assert!(version.starts_with("3.25."), "{version}");
    for path in [root, make, compiler] {
        assert!(path.starts_with(store), "{path} is not in {store}");
    }
    assert!(compiler.ends_with("/bin/arm-linux-gnueabihf-gcc"), "{compiler}");

    let almanac = run("almanac", AARCH64);
    let [openssl, perl] = &almanac[..] else { panic!("{almanac:?}") };
    assert!(openssl.starts_with("3."), "{openssl}");
    assert!(perl.starts_with(store), "{perl} is not in {store}");
}

/// Perl finds all of its modules in the store, whatever directories it has built in.
#[test]
fn perl_takes_no_module_of_the_machine() {
    let machine = Machine::wait();
    let dir = copy("host-tools", &base().join("projects").join("host-tools"));
    machine.lock(&dir, &[]);
    let modules = ["FindBin", "IPC::Cmd", "POSIX", "Digest::SHA", "Data::Dumper", "Pod::Usage"];
    let uses: Vec<String> = modules.iter().map(|module| format!("-M{module}")).collect();
    let mut arguments = vec!["-q", "exec", "--target", AARCH64, "--", "perl"];
    arguments.extend(uses.iter().map(String::as_str));
    arguments.extend(["-e", "print \"$_\\n\" for values %INC"]);
    let loaded = with_decoys(&machine, &dir, &arguments).ok().stdout;
    assert!(loaded.lines().count() > modules.len(), "{loaded}");
    let store = machine.store.to_str().expect("UTF-8");
    for path in loaded.lines() {
        assert!(path.starts_with(store), "{path} is not in {store}");
    }
}

/// Without the settings the tools are not there, and the crate that wanted one is told the line.
#[test]
fn a_build_script_that_finds_no_tool_is_told_the_line_of_settings() {
    let machine = Machine::wait();
    let dir = base().join("projects").join("no-host-tools");
    remove_tree(&dir).expect("removable");
    fs::create_dir_all(dir.join("src")).expect("a folder");
    let write = |name: &str, text: &str| fs::write(dir.join(name), text).expect("written");
    write(
        "Cargo.toml",
        "[package]\nname = \"wanting\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n\
         [package.metadata.xprov]\ntargets = [\"aarch64-unknown-linux-gnu\"]\n",
    );
    write("src/main.rs", "fn main() {}\n");
    for (call, tool) in [
        ("Command::new(\"protoc\").status()", "protoc"),
        ("Command::new(\"sh\").args([\"-c\", \"exec cmake .\"]).status()", "cmake"),
    ] {
        write(
            "build.rs",
            &format!(
                "use std::process::Command;\nfn main() {{\n    \
                 assert!({call}.is_ok_and(|status| status.success()));\n}}\n"
            ),
        );
        let done = with_decoys(&machine, &dir, &["build"]);
        assert_ne!(done.code, 0);
        let expected = format!(
            "warning: wanting 0.1.0: `{tool}` is not in the environment: its build script looked \
             for it and failed; add it with `host-tools.{tool} = true`\n"
        );
        assert!(done.stderr.contains(&expected), "{}", done.stderr);
    }
    // One that looks for a tool and does without is told nothing.
    write("build.rs", "fn main() { let _ = std::process::Command::new(\"protoc\").status(); }\n");
    let done = with_decoys(&machine, &dir, &["build"]).ok();
    assert!(!done.stderr.contains("is not in the environment"), "{}", done.stderr);
}
