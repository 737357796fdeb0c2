//! A release server on loopback: the pinned Rust of the Debian archive, packed as the Rust project
//! packs its releases, locked from its manifest, restored, and used.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use xprov::vocab::digest::Sha256;

use super::loopback::Loopback;
use super::machine::{Machine, base, say};
use super::projects::{copy, remove_tree};

const TARGET: &str = "aarch64-unknown-linux-gnu";

const DATE: &str = "2026-05-28";

fn host() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// A component as a release has it: its name in the manifest, the directory in its archive, the
/// triple, and its files, as (path in the sysroot, file).
struct Component {
    name: &'static str,
    dir: String,
    triple: String,
    files: Vec<(String, PathBuf)>,
}

/// The files of `dir`, which become those of `to`; directories in it are left out.
fn files(dir: &Path, to: &str) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(dir).expect("a directory of the pinned Rust");
    let mut files: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| !entry.path().is_dir())
        .map(|entry| (format!("{to}/{}", entry.file_name().to_string_lossy()), entry.path()))
        .collect();
    files.sort();
    files
}

fn components(sysroot: &Path) -> Vec<Component> {
    let bin = |name: &str| (format!("bin/{name}"), sysroot.join("bin").join(name));
    let host = host();
    // Debian's compiler finds its libraries in these.
    let multiarch = format!("{}-linux-gnu", std::env::consts::ARCH);
    let outer = sysroot.parent().expect("a tree").join("lib").join(&multiarch);
    let libraries = [sysroot.join("lib").join(&multiarch), outer];
    let libraries = libraries.iter().flat_map(|dir| files(dir, "lib"));
    let rustc = [bin("rustc"), bin("rustdoc")].into_iter().chain(libraries);
    let component = |name, dir: &str, triple: &str, files| Component {
        name,
        dir: dir.to_owned(),
        triple: triple.to_owned(),
        files,
    };
    let std = |triple: &str| {
        let own = format!("lib/rustlib/{triple}/lib");
        let files = files(&sysroot.join(&own), &own);
        component("rust-std", &format!("rust-std-{triple}"), triple, files)
    };
    vec![
        component("rustc", "rustc", &host, rustc.collect()),
        component("cargo", "cargo", &host, vec![bin("cargo")]),
        std(&host),
        std(TARGET),
    ]
}

/// Packs a component as rust-installer does: the installer's own files at the top, the component in
/// a directory with its list of files.
fn pack(component: &Component, top: &str, path: &Path) {
    let encoder = xz2::write::XzEncoder::new(File::create(path).expect("an archive"), 0);
    let mut tar = tar::Builder::new(encoder);
    tar.follow_symlinks(false);
    let text = |tar: &mut tar::Builder<xz2::write::XzEncoder<File>>, name: &str, text: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        header.set_cksum();
        tar.append_data(&mut header, format!("{top}/{name}"), text.as_bytes()).expect("packed");
    };
    text(&mut tar, "components", &format!("{}\n", component.dir));
    text(&mut tar, "rust-installer-version", "3\n");
    text(&mut tar, "install.sh", "#!/bin/sh\nexit 1\n");
    let list: String = component.files.iter().fold(String::new(), |mut list, (path, _)| {
        let _ = writeln!(list, "file:{path}");
        list
    });
    text(&mut tar, &format!("{}/manifest.in", component.dir), &list);
    for (path, file) in &component.files {
        let name = format!("{top}/{}/{path}", component.dir);
        tar.append_path_with_name(file, name).expect("packed");
    }
    tar.into_inner().and_then(xz2::write::XzEncoder::finish).expect("packed");
}

/// The pinned Rust, which stands for one of the Rust project's.
struct Pinned {
    sysroot: PathBuf,
    /// What it says of itself behind its name.
    version: String,
    /// The version alone.
    release: String,
}

impl Pinned {
    fn of(machine: &Machine) -> Self {
        let packer = copy("tiny", &base().join("projects").join("tiny-packer"));
        machine.lock(&packer, &[TARGET]);
        let exec = ["exec", "--target", TARGET, "--", "rustc"];
        let ask = |words: &[&str]| machine.xprov(&packer, &[&exec[..], words].concat()).ok().stdout;
        let sysroot = PathBuf::from(ask(&["--print", "sysroot"]).trim());
        let said = ask(&["-vV"]);
        let version = said.lines().next().and_then(|line| line.strip_prefix("rustc "));
        let release = said.lines().find_map(|line| line.strip_prefix("release: "));
        let text = |line: Option<&str>| line.expect("a version").to_owned();
        Self { sysroot, version: text(version), release: text(release) }
    }
}

/// The `dist` directory with this release; kept from run to run.
fn dist(pinned: &Pinned) -> PathBuf {
    let Pinned { sysroot, version, release } = pinned;
    let id = format!("{} {version}", sysroot.display());
    let id = Sha256::of(id.as_bytes()).to_string();
    let dist = base().join(format!("rust-dist-{}", &id[..16])).join("dist");
    let manifest = dist.join(format!("channel-rust-{release}.toml"));
    if !manifest.exists() {
        remove_tree(&dist).expect("removable");
        fs::create_dir_all(dist.join(DATE)).expect("a folder");
        let mut text = format!(
            "manifest-version = \"2\"\ndate = \"{DATE}\"\n\n[renames.clippy]\nto = \
             \"clippy-preview\"\n"
        );
        let mut described = Vec::new();
        let components = components(sysroot);
        say("packing the pinned Rust as a release");
        let top =
            |component: &Component| format!("{}-{release}-{}", component.name, component.triple);
        let path = |top: &str| dist.join(DATE).join(format!("{top}.tar.xz"));
        std::thread::scope(|scope| {
            for component in &components {
                scope.spawn(|| pack(component, &top(component), &path(&top(component))));
            }
        });
        for component in &components {
            let Component { name, triple, .. } = component;
            let top = top(component);
            let path = path(&top);
            let digest = Sha256::of(&fs::read(&path).expect("an archive"));
            if !described.contains(name) {
                let _ = write!(text, "\n[pkg.{name}]\nversion = \"{version}\"\n");
                described.push(*name);
            }
            let _ = write!(
                text,
                "\n[pkg.{name}.target.{triple}]\navailable = true\nxz_url = \
                 \"https://server.example/dist/{DATE}/{top}.tar.xz\"\nxz_hash = \"{digest}\"\n"
            );
        }
        let digest = Sha256::of(text.as_bytes());
        let name = manifest.file_name().expect("a name").to_string_lossy().into_owned();
        fs::write(dist.join(format!("{name}.sha256")), format!("{digest}  {name}\n"))
            .expect("written");
        fs::write(&manifest, text).expect("written");
    }
    dist
}

/// The pinned Rust without the std of [`TARGET`], as if the machine had it: outside of any store.
fn installed(pinned: &Pinned) -> PathBuf {
    let tree = pinned.sysroot.parent().expect("a tree");
    let to = base().join("machine-rust");
    remove_tree(&to).expect("removable");
    let mut todo = vec![(tree.to_path_buf(), to.clone())];
    while let Some((from, to)) = todo.pop() {
        if from.ends_with(format!("lib/rustlib/{TARGET}")) {
            continue;
        }
        fs::create_dir_all(&to).expect("a folder");
        for entry in fs::read_dir(&from).expect("a folder of the pinned Rust") {
            let from = entry.expect("an entry").path();
            let to = to.join(from.file_name().expect("a name"));
            if from.is_symlink() {
                let target = fs::read_link(&from).expect("a link");
                std::os::unix::fs::symlink(target, to).expect("linked");
            } else if from.is_dir() {
                todo.push((from, to));
            } else {
                fs::hard_link(&from, &to).expect("linked");
            }
        }
    }
    to.join(pinned.sysroot.file_name().expect("a name"))
}

fn settings(dir: &Path, rust: &str, server: &str) {
    let manifest = dir.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    let own = text.split("\n[workspace.metadata.xprov]").next().unwrap_or_default();
    let settings = format!(
        "{own}\n[workspace.metadata.xprov]\ntargets = [\"{TARGET}\"]\nhosts = [\"{}\"]\nrust = \
         {rust}\nmirrors = {{ rust = [\"{server}\"] }}\n",
        host()
    );
    fs::write(manifest, settings).expect("written");
}

#[test]
fn a_release_is_locked_from_its_manifest_and_builds_a_program_that_runs() {
    let machine = Machine::wait();
    let projects = base().join("projects");
    let pinned = Pinned::of(&machine);
    let release = &pinned.release;

    let server = Loopback::serve(dist(&pinned).parent().expect("a folder"));
    let url = format!("{}/dist", server.url);
    let dir = copy("tiny", &projects.join("tiny-dist"));
    remove_tree(&dir.join("target")).expect("removable");
    let rust = format!("{{ recipe = \"rust-dist\", version = \"{release}\" }}");
    settings(&dir, &rust, &url);
    let locked = machine.xprov(&dir, &["lock", "--require-signed"]).ok();
    assert!(locked.stderr.contains("no signature of the release manifest"), "{}", locked.stderr);
    let asked = server.asked();
    assert!(asked.iter().all(|path| path.contains("channel-rust")), "{asked:?}");
    let lock = fs::read_to_string(dir.join("toolchains.lock")).expect("a lock");
    assert!(!lock.contains("127.0.0.1"), "{lock}");
    let pin = format!("rust-dist = \"{DATE}/rustc-{release}-{}.tar.xz\"", host());
    assert!(lock.contains(&pin) && lock.contains("authenticated = \"published-digest\""), "{lock}");

    machine.xprov(&dir, &["build", "--locked"]).ok();
    machine.xprov(&dir, &["run", "-q", "--locked"]).prints("tiny on aarch64\n");
    assert!(!server.asked().iter().any(|path| path.contains("channel-rust")));
    let inside = machine.xprov(&dir, &["exec", "--", "rustc", "--print", "sysroot"]).ok().stdout;
    assert!(Path::new(inside.trim()).join("bin/rustc").is_file(), "{inside}");

    // The same pins in another project take nothing from any server.
    let other = copy("tiny", &projects.join("tiny-dist-again"));
    settings(&other, &rust, &url);
    fs::write(other.join("toolchains.lock"), &lock).expect("written");
    machine.xprov(&other, &["--frozen", "restore"]).ok();
    assert_eq!(server.asked(), Vec::<String>::new());

    // Another version is drift, and one that the server does not have is an error.
    settings(&dir, "{ recipe = \"rust-dist\", version = \"1.0.1\" }", &url);
    let drifted = machine.xprov(&dir, &["--locked", "build"]);
    assert_eq!(drifted.code, 3, "{drifted:?}");
    let unknown = machine.xprov(&dir, &["lock"]);
    assert_eq!(unknown.code, 4, "{unknown:?}");
    assert!(unknown.stderr.contains("there is no Rust 1.0.1"), "{}", unknown.stderr);
    assert_eq!(fs::read_to_string(dir.join("toolchains.lock")).expect("a lock"), lock);
}

#[test]
fn the_machines_own_compiler_builds_with_the_std_of_its_release() {
    let machine = Machine::wait();
    let pinned = Pinned::of(&machine);
    let sysroot = installed(&pinned);
    let server = Loopback::serve(dist(&pinned).parent().expect("a folder"));
    let dir = copy("harbor", &base().join("projects").join("harbor-system"));
    settings(&dir, "\"system\"", &format!("{}/dist", server.url));
    let path = sysroot.join("bin").to_string_lossy().into_owned();
    let xprov = |words: &[&str]| machine.xprov_with(&dir, words, &[("PATH", path.as_str())]);

    let locked = xprov(&["lock"]).ok();
    assert!(locked.stderr.contains("impure: Rust is this machine's own"), "{}", locked.stderr);
    let lock = fs::read_to_string(dir.join("toolchains.lock")).expect("a lock");
    assert!(lock.contains(&format!("says = \"rustc {}\"", pinned.version)), "{lock}");
    assert!(lock.contains(&format!("rust-std-{}-{TARGET}.tar.xz", pinned.release)), "{lock}");
    assert!(!lock.contains(&path) && lock.matches("\"impure\"").count() == 1, "{lock}");

    // Proc-macros, build scripts and C code, of which nothing wants more of the machine than that.
    let built = xprov(&["build", "--locked"]).ok();
    assert_eq!(built.stderr.matches("impure:").count(), 1, "{}", built.stderr);
    assert!(!built.stderr.contains("warning:"), "{}", built.stderr);
    let expected = fs::read_to_string(dir.join("expected/harbor-info.txt")).expect("a text");
    let expected = expected.replace("{arch}", "aarch64").replace("{pointer_width}", "64");
    xprov(&["run", "-q", "--locked", "--bin", "harbor-info"]).prints(&expected);
    let tested = xprov(&["test", "-q", "--locked", "--doc", "-p", "harbor"]).ok();
    assert!(tested.stdout.contains("test result: ok"), "{tested:?}");
    let own = xprov(&["exec", "--", "rustc", "--print", "sysroot"]).ok().stdout;
    assert!(!Path::new(own.trim()).starts_with(&sysroot), "{own}");

    // For the machine itself nothing is fetched: the compiler has its own std.
    server.asked();
    xprov(&["lock", "--target", &host()]).ok();
    xprov(&["build", "--target", &host(), "-p", "harbor-info"]).ok();
    assert_eq!(server.asked(), Vec::<String>::new());
}
