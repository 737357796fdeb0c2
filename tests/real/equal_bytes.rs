//! The same project, wherever it lies and whatever surrounds it: the same bytes.

use std::fs;
use std::path::{Path, PathBuf};

use super::machine::{Machine, base, say};
use super::projects::{copy, remove_tree};

const TARGET: &str = "aarch64-unknown-linux-gnu";
const BUILD: [&str; 6] = ["build", "--release", "--target", TARGET, "-p", "harbor-info"];

/// A cargo configuration that would change every build that reads it.
const HOSTILE_CONFIG: &str = r#"
[build]
rustflags = ["-Ctarget-cpu=native", "-Cdebuginfo=2"]
rustc-wrapper = "/nonexistent/wrapper"
target-dir = "/nonexistent/target"
[target.aarch64-unknown-linux-gnu]
linker = "/nonexistent/linker"
runner = "/nonexistent/runner"
[env]
CFLAGS_aarch64_unknown_linux_gnu = { value = "-DHOSTILE -O0", force = true }
CC_aarch64_unknown_linux_gnu = { value = "/nonexistent/cc", force = true }
[profile.release]
opt-level = 0
debug = true
"#;

/// Variables that would change or break every build that sees them.
const HOSTILE_VARIABLES: &[(&str, &str)] = &[
    ("RUSTFLAGS", "-Cdebuginfo=2 -Copt-level=0"),
    ("CARGO_ENCODED_RUSTFLAGS", "-Cdebuginfo=2"),
    ("CARGO_BUILD_RUSTFLAGS", "-Cdebuginfo=2"),
    ("CARGO_BUILD_TARGET", "x86_64-unknown-linux-gnu"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "true"),
    ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "/nonexistent/linker"),
    ("RUSTC", "/nonexistent/rustc"),
    ("RUSTC_WRAPPER", "/nonexistent/wrapper"),
    ("RUSTC_BOOTSTRAP", "1"),
    ("RUSTUP_TOOLCHAIN", "nightly"),
    ("CC", "/nonexistent/cc"),
    ("CC_aarch64-unknown-linux-gnu", "/nonexistent/cc"),
    ("CC_aarch64_unknown_linux_gnu", "/nonexistent/cc"),
    ("TARGET_CC", "/nonexistent/cc"),
    ("HOST_CC", "/nonexistent/cc"),
    ("CFLAGS", "-DHOSTILE -O0"),
    ("CFLAGS_aarch64_unknown_linux_gnu", "-DHOSTILE -O0"),
    ("HOST_CFLAGS", "-DHOSTILE"),
    ("AR", "/nonexistent/ar"),
    ("CPATH", "/usr/include"),
    ("LIBRARY_PATH", "/usr/lib"),
    ("LD_LIBRARY_PATH", "/nonexistent"),
    ("GCC_EXEC_PREFIX", "/nonexistent/"),
    ("COMPILER_PATH", "/usr/bin"),
    ("PKG_CONFIG_PATH", "/usr/lib/pkgconfig"),
    ("SOURCE_DATE_EPOCH", "1"),
    ("TZ", "Pacific/Auckland"),
    ("LANG", "tr_TR.UTF-8"),
    ("LC_ALL", "tr_TR.UTF-8"),
    ("TMPDIR", "/nonexistent"),
    ("MAKEFLAGS", "-j1"),
];

/// A checkout without anything built, with this lock.
fn checkout(dir: &Path, lock: Option<&str>) -> PathBuf {
    remove_tree(dir).expect("removable");
    copy("harbor", dir);
    if let Some(lock) = lock {
        fs::write(dir.join("toolchains.lock"), lock).expect("written");
    }
    dir.to_path_buf()
}

fn binary(target_dir: &Path) -> Vec<u8> {
    fs::read(target_dir.join(TARGET).join("release/harbor-info")).expect("a binary")
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn equal_inputs_make_equal_bytes() {
    let machine = Machine::wait();
    let base = base().join("equal");
    let one = checkout(&base.join("one"), None);
    let lock = machine.lock(&one, &[TARGET]);
    machine.xprov(&one, &BUILD).ok();
    let expected = binary(&one.join("target"));

    say("in another checkout, with a hostile home, hostile variables, a hostile folder above");
    let above = base.join("zwei Wörter");
    let two = checkout(&above.join("hafen"), Some(&lock));
    let home = base.join("böses home");
    for dir in [&above, &home] {
        fs::create_dir_all(dir.join(".cargo")).expect("a folder");
        fs::write(dir.join(".cargo/config.toml"), HOSTILE_CONFIG).expect("written");
    }
    let home = home.to_str().expect("UTF-8");
    let cargo_home = format!("{home}/.cargo");
    let mut variables = HOSTILE_VARIABLES.to_vec();
    variables.extend([("HOME", home), ("CARGO_HOME", &cargo_home)]);
    variables.push(("PATH", "/usr/local/bin:/usr/bin:/bin"));
    machine.xprov_with(&two, &BUILD, &variables).ok();
    assert!(binary(&two.join("target")) == expected, "hostile surroundings");

    say("with cargo inside of the environment");
    let inside = base.join("inside");
    remove_tree(&inside).expect("removable");
    let mut exec = vec!["exec", "--target", TARGET, "--", "cargo"];
    exec.extend(BUILD);
    exec.extend(["--target-dir", inside.to_str().expect("UTF-8")]);
    machine.xprov(&one, &exec).ok();
    assert!(binary(&inside) == expected, "cargo inside of the environment");

    let tester = std::env::var("HOME").ok().filter(|home| home.len() > 1);
    for path in [
        base.to_str().expect("UTF-8"),
        machine.store.to_str().expect("UTF-8"),
        env!("CARGO_MANIFEST_DIR"),
        "zwei Wörter",
        tester.as_deref().unwrap_or("/home/"),
        "/.cargo/",
    ] {
        assert!(!contains(&expected, path), "`{path}` is in the binary");
    }
    a_new_store_makes_them_too(machine, &one, &expected);
}

/// A store that was deleted comes back from the lock alone, and at another path.
fn a_new_store_makes_them_too(mut machine: Machine, project: &Path, expected: &[u8]) {
    machine.store = base().join("another-store");
    remove_tree(&machine.store).expect("removable");
    remove_tree(&project.join("target")).expect("removable");
    let missing = machine.xprov(project, &["--offline", "restore", "--locked"]);
    assert_eq!(missing.code, 4, "{missing:?}");
    let restore = ["restore", "--locked", "--target", TARGET];
    let restored = machine.xprov(project, &restore).ok();
    assert!(restored.stderr.contains("MB downloaded"), "{}", restored.stderr);
    machine.xprov(project, &BUILD).ok();
    assert!(binary(&project.join("target")) == expected, "another store");
    let again = machine.xprov(project, &["restore", "--frozen"]).ok();
    assert!(again.stderr.contains(" 0.0 MB downloaded"), "{}", again.stderr);
    remove_tree(&machine.store).expect("removable");
}
