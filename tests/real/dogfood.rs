//! xprov builds itself for musl, and the static xprov does the whole job where there is nothing but
//! a kernel: no C library, no shell, no certificates, no name service (`docs/dogfood.md`).

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use xprov::vocab::digest::Sha256;

use super::loopback::Loopback;
use super::machine::{Machine, base, say};
use super::projects::{copy, locked_rust, mirror, remove_tree};

/// What xprov's releases are for.
const OF_RELEASE: [&str; 4] = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
];
const TARGET: &str = "aarch64-unknown-linux-gnu";

/// The directories of the store in which a root of another name leaves something behind.
const MADE: [&str; 9] = [
    "compositions",
    "relocated",
    "envs",
    "closures",
    "grounds",
    "program",
    "index",
    "manifests",
    "objects",
];

/// Makes a root directory of the folder `$1` with the store `$2` in it, and starts the rest there.
/// The root has the kernel's `/proc` and four devices without contents.
const ENTER: &str = r#"
root=$1; store=$2; shift 2
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount --bind "$root" "$root"
mount --bind "$store" "$root/xprov-home"
mount --rbind /proc "$root/proc"
for device in null zero random urandom; do
    mount --bind "/dev/$device" "$root/dev/$device"
done
chroot=$(command -v chroot)
PATH=/nowhere exec "$chroot" "$root" "$@"
"#;

/// xprov's own sources with the settings of its release, but for Rust, which comes from the
/// archive, and for the optimisation, which takes minutes.
fn own(machine: &Machine, target: &str) -> PathBuf {
    let (from, dir) = (Path::new(env!("CARGO_MANIFEST_DIR")), base().join("projects/xprov"));
    for name in ["src", "recipes", "benches"] {
        mirror(&from.join(name), &dir.join(name));
    }
    fs::copy(from.join("Cargo.lock"), dir.join("Cargo.lock")).expect("copied");
    let mut manifest = fs::read_to_string(from.join("Cargo.toml")).expect("a manifest");
    let mut replace = |old: &str, new: &str| {
        assert_eq!(manifest.matches(old).count(), 1, "{old}");
        manifest = manifest.replace(old, new);
    };
    replace("rust = { recipe = \"rust-release\", version = \"1.95.0\" }\n", "");
    for other in OF_RELEASE.iter().filter(|other| **other != target) {
        replace(&format!("  \"{other}\",\n"), "");
    }
    for mac in OF_RELEASE.iter().filter(|target| target.ends_with("-apple-darwin")) {
        replace(&format!("target.{mac}.toolchain = \"zig\"\n"), "");
    }
    replace("debug = \"line-tables-only\"\n", "debug = 0\n");
    replace("[profile.dev.package.\"*\"]\nopt-level = 2\ndebug = false\n", "");
    if fs::read_to_string(dir.join("Cargo.toml")).ok().as_ref() != Some(&manifest) {
        fs::write(dir.join("Cargo.toml"), manifest).expect("written");
    }
    let (major, minor) = locked_rust(&machine.lock(&dir, &[]));
    assert!((major, minor) >= (1, 91), "the archive has no Rust but {major}.{minor}");
    dir
}

/// A root directory with one program and one project.
struct Root {
    dir: PathBuf,
    store: PathBuf,
    before: BTreeSet<PathBuf>,
}

impl Root {
    fn new(machine: &Machine, program: &Path) -> Self {
        let dir = base().join("empty-root");
        remove_tree(&dir).expect("removable");
        for name in ["proc", "dev", "tmp", "xprov-home", "project"] {
            fs::create_dir_all(dir.join(name)).expect("a folder");
        }
        for device in ["null", "zero", "random", "urandom"] {
            fs::write(dir.join("dev").join(device), "").expect("a place for a device");
        }
        fs::copy(program, dir.join("xprov")).expect("copied");
        let store = machine.store.clone();
        let before = made(&store);
        Self { dir, store, before }
    }

    /// A command line in this root, in namespaces where everybody may change roots.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command.args(["-Urm", "/bin/sh", "-euc", ENTER, "enter"]);
        command.args([&self.dir, &self.store]).args(words).stdin(Stdio::null());
        command.env_clear().env("PATH", "/usr/bin:/bin");
        command.env("HOME", "/nobody").env("XPROV_HOME", "/xprov-home");
        command
    }

    /// Runs xprov there on the project; what it prints.
    #[track_caller]
    fn xprov(&self, arguments: &[&str]) -> String {
        say(&format!("in an empty root: xprov {}", arguments.join(" ")));
        let words = [&["/xprov", "-C", "/project"], arguments].concat();
        let output = self.command(&words).output().expect("unshare starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "xprov {}: {stderr}", arguments.join(" "));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn names(&self) -> BTreeSet<OsString> {
        let entries = fs::read_dir(&self.dir).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name()).collect()
    }
}

impl Drop for Root {
    /// Takes out of the store what only programs in this root can use.
    fn drop(&mut self) {
        for path in made(&self.store).difference(&self.before) {
            let _ = if path.is_dir() { remove_tree(path) } else { fs::remove_file(path) };
        }
        let _ = remove_tree(&self.dir);
    }
}

fn made(store: &Path) -> BTreeSet<PathBuf> {
    let dirs = MADE.iter().filter_map(|name| fs::read_dir(store.join("v1").join(name)).ok());
    dirs.flatten().map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn the_static_xprov_does_the_whole_job_in_an_empty_root() {
    let machine = Machine::wait();
    let musl = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let dir = own(&machine, &musl);
    machine.xprov(&dir, &["build", "--locked"]).ok();
    let program = dir.join("target").join(&musl).join("debug/xprov");
    let text = program.to_str().expect("UTF-8");
    let document = machine.json(&dir, &["verify", "--target", &musl, text]);
    let file = &document["files"][0];
    assert_eq!(file["passed"], true, "{file}");
    assert!(file["facts"]["interpreter"].is_null(), "{file}");
    assert_eq!(file["facts"]["needed"].as_array().map_or(0, Vec::len), 0, "{file}");

    // The job: a workspace with C code, build scripts and a proc-macro, whose crates the store has,
    // since no server has a name in an empty root; and a file from a server at an address.
    let project = copy("harbor", &base().join("projects/harbor-dogfood"));
    machine.lock(&project, &[TARGET]);
    machine.xprov(&project, &["restore", "--locked"]).ok();
    machine.xprov(&project, &["cargo", "--", "fetch"]).ok();
    let folder = base().join("served");
    fs::create_dir_all(&folder).expect("a folder");
    // Other bytes in each run: the store does not have them.
    let text = format!("{:?}\n", SystemTime::now());
    fs::write(folder.join("words.txt"), &text).expect("written");
    let server = Loopback::serve(&folder);
    let manifest = fs::read_to_string(project.join("Cargo.toml")).expect("a manifest");
    let input = format!(
        "\n[profile.dev]\ndebug = 0\n\n[workspace.metadata.xprov.inputs.words]\n\
         url = \"{}/words.txt\"\nsha256 = \"{}\"\nenv = \"HARBOR_WORDS\"\nas = \"path\"\n",
        server.url,
        Sha256::of(text.as_bytes())
    );
    fs::write(project.join("Cargo.toml"), format!("{manifest}{input}")).expect("written");

    let root = Root::new(&machine, &program);
    let probe = ["-Urm", "/bin/sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; mount --bind / /"];
    let allowed = Command::new("unshare").args(probe).stdin(Stdio::null()).output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        say("skipped: this system lets nobody change roots in a namespace (unshare -Urm)");
        return;
    }
    root.xprov(&["--version"]);
    let names = root.names();
    mirror(&project, &root.dir.join("project"));
    let build = ["build", "--locked", "--target", TARGET, "--bin", "harbor-pack"];
    root.xprov(&build);
    assert_eq!(server.asked(), ["/words.txt"], "fetched there");
    let printed = root.xprov(&["run", "-q", "--target", TARGET, "--bin", "harbor-pack"]);
    let expected = fs::read_to_string(project.join("expected/harbor-pack.txt")).expect("expected");
    assert_eq!(printed, expected);
    let file = format!("target/{TARGET}/debug/harbor-pack");
    root.xprov(&["verify", "--target", TARGET, &format!("/project/{file}")]);
    assert_eq!(root.names(), names, "nothing was put beside what was there");

    // The same bytes as on this machine, where its C library starts the compilers. Debugging
    // information of C would name the composition, which is another one.
    machine.xprov(&project, &build).ok();
    let inside = fs::read(root.dir.join("project").join(&file)).expect("built there");
    assert!(inside == fs::read(project.join(&file)).expect("built here"), "other bytes");
}
