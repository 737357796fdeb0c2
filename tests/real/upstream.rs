//! A release of an upstream: a real toolchain in the layout and under the names of the Arm GNU
//! Toolchain, as one archive on a server, pinned by a recipe of the project's own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;

use xprov::vocab::digest::Sha256;

use super::machine::{Machine, base};
use super::projects::{locked_rust, remove_tree};

const TARGET: &str = "aarch64-unknown-linux-gnu";
const TOP: &str = "arm-gnu-toolchain-12.2.rel1-x86_64-aarch64-none-linux-gnu";
const OWN: &str = "aarch64-none-linux-gnu";
const DEBIANS: &str = "aarch64-linux-gnu";

const MANIFEST: &str = r#"
[package]
name = "voyage"
version = "0.1.0"
edition = "2021"
build = "build.rs"
[build-dependencies]
cc = "1"
[workspace]
[package.metadata.xprov]
targets = ["aarch64-unknown-linux-gnu"]
hosts = ["x86_64-unknown-linux-gnu"]
"#;

const CHOICE: &str = "target.aarch64-unknown-linux-gnu.cc = { recipe = \"arm-layout\" }\n";

/// The tools that the environment must have under the target's names are asked for their kind of
/// work: an archive with `ar`, and the machine of an object by `readelf`.
const BUILD: &str = r#"fn main() {
    cc::Build::new().file("src/knots.c").compile("knots");
    let run = |tool: &str, arguments: &[&str]| {
        let output = std::process::Command::new(tool).args(arguments).output();
        let output = output.unwrap_or_else(|error| panic!("{tool}: {error}"));
        assert!(output.status.success(), "{tool}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for prefix in ["aarch64-linux-gnu", "aarch64-none-linux-gnu"] {
        let tools = ["gcc", "g++", "cpp", "ar", "as", "ld", "nm", "objcopy", "objdump", "ranlib"];
        for tool in tools.into_iter().chain(["strip", "readelf"]) {
            assert!(!run(&format!("{prefix}-{tool}"), &["--version"]).is_empty());
        }
    }
    println!("cargo:rerun-if-changed=src");
}
"#;

const C: &str = "#include <math.h>\n#include <stdio.h>\nint knots(double miles) { char text[32]; \
                 return snprintf(text, sizeof text, \"%.1f\", sqrt(miles)); }\n";

const MAIN: &str = r#"extern "C" { fn knots(miles: f64) -> i32; }
fn main() {
    println!("{} letters on {}", unsafe { knots(2.25) }, std::env::consts::ARCH);
}
"#;

fn project(name: &str, settings: &str) -> PathBuf {
    let dir = base().join("projects").join(name);
    remove_tree(&dir).expect("removable");
    for folder in ["src", "recipes"] {
        fs::create_dir_all(dir.join(folder)).expect("a folder");
    }
    let manifest = format!("{MANIFEST}{settings}");
    let files = [
        ("Cargo.toml", &*manifest),
        ("build.rs", BUILD),
        ("src/knots.c", C),
        ("src/main.rs", MAIN),
    ];
    for (name, text) in files {
        fs::write(dir.join(name), text).expect("written");
    }
    dir
}

/// Where a file of Debian's composed toolchain is in the release; `None`: it is not part of it.
fn place(path: &Path) -> Option<PathBuf> {
    let text = path.to_str()?;
    let text = text.strip_prefix("usr/").unwrap_or(text);
    if let Some(name) = text.strip_prefix("bin/") {
        // What calls itself by a version has the plain name, as in all releases.
        let name = name.strip_prefix(&format!("{DEBIANS}-"))?;
        let versioned = ["gcc", "g++", "cpp"].iter().any(|tool| name == format!("{tool}-12"));
        let name = if versioned { name.strip_suffix("-12")? } else { name };
        return Some(Path::new(TOP).join(format!("bin/{OWN}-{name}")));
    }
    let of_sysroot = ["lib/", "include/"].map(|dir| format!("{DEBIANS}/{dir}"));
    if of_sysroot.iter().any(|part| text.starts_with(part)) {
        return Some(Path::new(TOP).join(OWN).join("libc/usr").join(text));
    }
    let parts = ["lib/", "libexec/", &format!("{DEBIANS}/")];
    let large = ["/lto1", "/gnat1", "san", "/plugin/"].iter().any(|part| text.contains(part));
    (parts.iter().any(|part| text.starts_with(part)) && !large).then(|| Path::new(TOP).join(text))
}

/// Packs the composition at `tree`; returns the bytes of a `.tar.xz`.
fn release(tree: &Path) -> Vec<u8> {
    let mut tar = tar::Builder::new(xz2::write::XzEncoder::new(Vec::new(), 0));
    tar.follow_symlinks(false);
    let mut todo = vec![tree.to_path_buf()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir).expect("a folder") {
            let path = entry.expect("an entry").path();
            let metadata = path.symlink_metadata().expect("metadata");
            if metadata.is_dir() {
                todo.push(path);
                continue;
            }
            let relative = path.strip_prefix(tree).expect("below");
            let Some(place) = place(relative) else { continue };
            if metadata.is_symlink() {
                let to = fs::read_link(&path).expect("a link").display().to_string();
                // Programs are linked to one another, and have other names here.
                let (from, own) = (format!("{DEBIANS}-"), format!("{OWN}-"));
                link(&mut tar, &place, Path::new(&to.replace(&from, &own)));
            } else {
                let mut header = tar::Header::new_gnu();
                header.set_size(metadata.size());
                header.set_mode(metadata.mode() & 0o755);
                header.set_cksum();
                let file = File::open(&path).expect("readable");
                tar.append_data(&mut header, place, file).expect("packed");
            }
        }
    }
    // The sysroot is where Arm has it: absolute paths of linker scripts lead to files in it only
    // where the scripts are in it as well.
    let (top, libc) = (Path::new(TOP), Path::new(OWN).join("libc"));
    let files = Path::new("usr").join(DEBIANS);
    for dir in ["lib", "include"] {
        let to = Path::new("..").join(&libc).join(&files).join(dir);
        link(&mut tar, &top.join(DEBIANS).join(dir), &to);
    }
    link(&mut tar, &top.join(&libc).join("lib"), &files.join("lib"));
    tar.into_inner().expect("packed").finish().expect("compressed")
}

fn link(tar: &mut tar::Builder<impl std::io::Write>, at: &Path, to: &Path) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    header.set_mode(0o777);
    tar.append_link(&mut header, at, to).expect("packed");
}

/// Serves `bytes` on loopback until the test process ends; returns the URL.
fn serve(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let url = format!("http://{}/{TOP}.tar.xz", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            while lines.next().is_some_and(|line| !line.is_empty()) {}
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
            // A client that goes away early is its own business.
            let _ = (&stream).write_all(head.as_bytes()).and_then(|()| (&stream).write_all(&bytes));
        }
    });
    url
}

/// The composition of Debian's compiler that `machine` has made last, without what the settings of
/// other projects add to it.
fn debians_compiler(machine: &Machine) -> PathBuf {
    let compositions = fs::read_dir(machine.store.join("v1/compositions")).expect("compositions");
    let of_target = |path: &PathBuf| {
        path.to_string_lossy().ends_with("-cc-aarch64-linux-gnu")
            && path.join("usr/bin/aarch64-linux-gnu-gcc-12").exists()
            && !path.join("usr/aarch64-linux-gnu/usr").exists()
    };
    let all = compositions.map(|entry| entry.expect("an entry").path()).filter(of_target);
    all.max_by_key(|path| path.metadata().and_then(|of| of.modified()).ok()).expect("a compiler")
}

#[test]
fn a_release_in_the_layout_of_arm_is_locked_restored_and_builds() {
    let machine = Machine::wait();
    let plain = project("voyage-debian", "");
    locked_rust(&machine.lock(&plain, &[TARGET]));
    machine.xprov(&plain, &["restore"]).ok();
    let bytes = release(&debians_compiler(&machine));
    let (sha256, size) = (Sha256::of(&bytes), bytes.len());
    let url = serve(bytes);

    let dir = project("voyage", CHOICE);
    let recipe = format!(
        "schema = 1\nname = \"arm-layout\"\nsummary = \"a release in the layout of Arm's\"\n\
         slot = \"cc\"\ntargets = [\"{TARGET}\"]\n\n\
         [[variant]]\nhosts = [\"x86_64-unknown-linux-gnu\"]\n\n\
         [[variant.component]]\nname = \"gcc\"\nruns = \"on-host-for-target\"\n\n\
         [[variant.component.artifact]]\nversion = \"12.2.rel1\"\n\
         host = \"x86_64-unknown-linux-gnu\"\ntarget = \"{TARGET}\"\nurls = [\"{url}\"]\n\
         sha256 = \"{sha256}\"\nsize = {size}\nunpack = {{ strip = 1 }}\n\
         status = \"single-source\"\nseen-in = [\"this test\"]\n\n\
         [variant.provides.target.{TARGET}]\nprefix = \"bin/{OWN}-\"\n\
         args = [\"--sysroot={{sysroot}}\"]\nsysroot = \"{OWN}/libc\"\n\
         loader-root = \"{OWN}/libc\"\nglibc = \"2.36\"\n"
    );
    fs::write(dir.join("recipes/arm-layout.toml"), recipe).expect("written");
    let direct = [("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")];
    let said = machine.xprov_with(&dir, &["lock"], &direct).ok().stderr;
    assert!(said.contains("arm-layout: the digest of gcc 12.2.rel1"), "{said}");
    let lock = fs::read_to_string(dir.join("toolchains.lock")).expect("a lock");
    assert!(lock.contains(&sha256.to_string()), "{lock}");
    machine.xprov_with(&dir, &["restore", "--locked"], &direct).ok();
    machine.xprov_with(&dir, &["build"], &direct).ok();
    let run = ["run", "--quiet"];
    machine.xprov_with(&dir, &run, &direct).prints("3 letters on aarch64\n");
}
