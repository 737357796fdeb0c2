//! A Mac as a host, as far as it can be had without one: the host is a value, and below a directory
//! are stand-ins for `xcrun`, `xcode-select`, `sw_vers` and the programs that they name. What they
//! answer is what Apple's say; everything else is xprov itself.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use xprov::archive::{UnpackSpec, unpack_on};
use xprov::lockfile::Lockfile;
use xprov::ops::{self, Context, LockMode};
use xprov::sys::ambient::Ambient;
use xprov::tree::Folding;
use xprov::vocab::event::{Event, Observer};
use xprov::vocab::triple::RustTriple;

use crate::support::archive_fixture::{TARGET, tar_gz, tool_prefix};
use crate::support::project::Project;
use crate::support::sandbox::{Sandbox, XPROV, host};

const MAC: &str = "aarch64-apple-darwin";

/// Where the stand-in's tools are: Xcode's may be in a directory with a space.
const DEVELOPER: &str = "Applications/Xcode 16.app/Contents/Developer";

/// A project, and a Mac beside it.
struct Machine {
    project: Project,
    root: PathBuf,
    /// What the disk takes for one name, if that is to be another than the real one's.
    disk: Option<Folding>,
}

/// Remembers what was said.
#[derive(Default)]
struct Said(Mutex<Vec<String>>);

impl Observer for Said {
    fn event(&self, event: Event) {
        if let Event::Note(text) = event {
            self.0.lock().expect("not poisoned").push(text);
        }
    }
}

/// What an environment on the Mac came to.
struct Seen {
    env_id: String,
    bin: PathBuf,
    variables: Vec<(String, String)>,
    notes: Vec<String>,
}

impl Seen {
    fn value(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A tool of Apple's: it says which it is, and what it was given.
fn tool(name: &str) -> String {
    format!(
        "#!/bin/sh\n[ \"$1\" != --version ] || \
         {{ echo 'Apple clang version 17.0.0 (clang-1700.0.13.3)'; exit; }}\n\
         echo {name} \"$@\" SDKROOT=\"$SDKROOT\"\n"
    )
}

impl Machine {
    /// The project's lock is written on this machine, for the Mac as well.
    fn new() -> Self {
        let project = Project::new();
        let root = project.root().join("mac");
        let machine = Self { project, root, disk: None };
        machine.serve_mac();
        machine.install();
        machine
    }

    /// Recipes that serve the Mac, too.
    fn serve_mac(&self) {
        let project = &self.project;
        let from = format!("hosts = [\"{}\"]", host());
        for name in ["fake-rust", "fake-gcc-arm"] {
            let both = format!("hosts = [\"{}\", \"{MAC}\"]", host());
            project.edit(&format!("recipes/{name}.toml"), &from, &both);
        }
        let targets = format!("targets = [\"{TARGET}\", \"{}\"]", host());
        let more = format!("targets = [\"{TARGET}\", \"{}\", \"{MAC}\"]", host());
        project.edit("recipes/fake-rust.toml", &targets, &more);
        let std = project.archive(&format!("rust-std-{}", host()));
        let std = project.artifact(std, &format!("target = \"{MAC}\""));
        let provides = "\n[variant.provides]\n";
        project.edit("recipes/fake-rust.toml", provides, &format!("\n{std}{provides}"));
        project.settings(&format!("targets = [\"{TARGET}\"]\n"));
    }

    /// Apple's programs.
    fn install(&self) {
        self.program("usr/bin/xcode-select", &self.answers("DEVELOPER"));
        self.program("usr/bin/xcrun", &self.xcrun());
        let version = "ProductName:\t\tmacOS\nProductVersion:\t\t15.4.1\nBuildVersion:\t\t24E263";
        self.program("usr/bin/sw_vers", &format!("#!/bin/sh\necho '{version}'\n"));
        self.program("bin/sh", "#!/bin/sh\nexec /bin/sh \"$@\"\n");
        self.program("usr/bin/sed", "#!/bin/sh\nexec /bin/sed \"$@\"\n");
        for name in ["clang", "clang++", "ar", "ranlib", "strip", "make"] {
            self.program(&format!("{DEVELOPER}/usr/bin/{name}"), &tool(name));
        }
        self.write(&format!("{DEVELOPER}/SDKs/MacOSX15.4.sdk/SDKSettings.json"), "{}");
        let link = self.root.join(DEVELOPER).join("SDKs/MacOSX.sdk");
        symlink("MacOSX15.4.sdk", link).expect("linked");
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(&path, text).expect("written");
        path
    }

    fn program(&self, path: &str, text: &str) {
        let path = self.write(path, text);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("executable");
    }

    fn developer(&self) -> String {
        self.root.join(DEVELOPER).to_string_lossy().into_owned()
    }

    /// A script that notes that it was called.
    fn answers(&self, answer: &str) -> String {
        let (calls, answer) =
            (self.root.join("calls"), answer.replace("DEVELOPER", &self.developer()));
        format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\necho '{answer}'\n", calls.display())
    }

    /// It answers only where nothing of a user's environment reaches it.
    fn xcrun(&self) -> String {
        let (calls, developer) = (self.root.join("calls"), self.developer());
        format!(
            "#!/bin/sh\necho \"$0 $*\" >> '{}'\n\
             [ -z \"$DEVELOPER_DIR$SDKROOT$HOME\" ] || exit 3\n\
             case \"$*\" in\n\
             '--sdk macosx --show-sdk-path') echo '{developer}/SDKs/MacOSX.sdk' ;;\n\
             '--sdk macosx --show-sdk-version') echo 15.4 ;;\n\
             '--sdk macosx --find '*)\n\
             [ -x '{developer}/usr/bin/'\"$4\" ] && echo '{developer}/usr/bin/'\"$4\" && exit\n\
             echo \"xcrun: error: unable to find utility \\\"$4\\\", not a developer tool or in PATH\" >&2\n\
             exit 72 ;;\n\
             esac\n",
            calls.display()
        )
    }

    fn calls(&self) -> usize {
        let text = fs::read_to_string(self.root.join("calls")).unwrap_or_default();
        text.lines().count()
    }

    /// What the user's shell has besides: it reaches nothing.
    fn ambient(&self) -> Ambient {
        let variables = [
            ("XPROV_HOME", self.project.xprov_home.to_string_lossy().into_owned()),
            ("HOME", self.project.home.to_string_lossy().into_owned()),
            ("SDKROOT", "/elsewhere.sdk".to_owned()),
            ("DEVELOPER_DIR", "/elsewhere".to_owned()),
            ("MACOSX_DEPLOYMENT_TARGET", "15.0".to_owned()),
            ("DYLD_LIBRARY_PATH", "/elsewhere".to_owned()),
        ];
        Ambient {
            variables: variables.map(|(name, value)| (name.to_owned(), value)).into(),
            cwd: self.project.project.clone(),
            shell_cwd: self.project.project.clone(),
            executable: PathBuf::from(XPROV),
            stderr_is_terminal: false,
            stdout_is_terminal: false,
        }
    }

    /// `xprov build` on the Mac.
    fn build(&self) -> Result<Seen, Box<ops::Error>> {
        let (ambient, said) = (self.ambient(), Said::default());
        let mode = LockMode { locked: true, ..LockMode::default() };
        let mut context = Context::new(&ambient, &said, mode)?;
        context.host = MAC.parse().expect("a triple");
        context.machine_root.clone_from(&self.root);
        context.disk = self.disk;
        let seen = RefCell::new(None);
        let arguments = ["build", "--locked"].map(str::to_owned);
        ops::cargo(&mut context, &arguments, None, &|_, environment, _, _| {
            let variables = environment.plan.variables.iter();
            *seen.borrow_mut() = Some(Seen {
                env_id: environment.plan.env_id.to_string(),
                bin: environment.plan.bin_dir(),
                variables: variables.map(|own| (own.name.clone(), own.value.clone())).collect(),
                notes: Vec::new(),
            });
        })?;
        let notes = said.0.lock().expect("not poisoned").clone();
        let seen = seen.into_inner().expect("cargo was about to start");
        Ok(Seen { notes, ..seen })
    }
}

/// What a program of the environment prints, called as a build script calls it.
fn call(program: &Path, arguments: &[&str], seen: &Seen) -> String {
    let variables = seen.variables.iter().map(|(name, value)| (name, value));
    let output = Command::new(program).args(arguments).env_clear().envs(variables).output();
    let output = output.expect("it starts");
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn a_mac_builds_with_its_own_tools_by_a_lock_from_linux() {
    let machine = Machine::new();
    machine.project.xprov("lock").ok();
    let lock = machine.project.read("toolchains.lock");
    let entry = "name = \"apple-clang\"\nversion = \"installed\"\nhost = \"aarch64-apple-darwin\"\n\
                 target = \"aarch64-apple-darwin\"\nslot = \"cc\"\nrecipe = \"apple-clang\"\n\
                 authenticated = \"impure\"\nartifacts = [\n]\n";
    assert!(lock.contains(entry), "{lock}");
    assert!(lock.contains("name = \"macos-tools\"\nversion = \"installed\"\n"), "{lock}");
    assert!(!lock.contains("Xcode") && !lock.contains("15.4"), "nothing of one Mac: {lock}");

    let seen = machine.build().expect("built");
    let developer = machine.developer();
    let sdk = format!("{developer}/SDKs/MacOSX.sdk");
    let said = format!(
        "this Mac's own tools are used, which no lock pins: Apple clang version 17.0.0 \
         (clang-1700.0.13.3), SDK 15.4 in {developer}, macOS 15.4.1 (24E263)"
    );
    assert!(seen.notes.contains(&said), "{:?}", seen.notes);
    assert_eq!(seen.value("SDKROOT"), Some(sdk.as_str()));
    assert_eq!(seen.value("DEVELOPER_DIR"), Some(developer.as_str()));
    assert_eq!(seen.value("MACOSX_DEPLOYMENT_TARGET"), Some("11.0"));
    assert_eq!(seen.value("DYLD_LIBRARY_PATH"), None);
    let bin = |name: &str| seen.bin.join(name);
    let text = |name: &str| bin(name).to_string_lossy().into_owned();
    assert_eq!(seen.value("HOST_CC"), Some(text("aarch64-darwin-gcc").as_str()));
    assert_eq!(
        seen.value("CARGO_TARGET_AARCH64_APPLE_DARWIN_LINKER"),
        Some(text("aarch64-darwin-gcc").as_str())
    );
    let expected = format!("clang -isysroot {sdk}");
    for name in ["aarch64-darwin-gcc", "cc", "clang"] {
        let said = call(&bin(name), &["-c", "a.c"], &seen);
        assert!(said.starts_with(&expected), "{name}: {said}");
        assert!(said.contains(" -c a.c ") && said.ends_with(&format!("SDKROOT={sdk}\n")), "{said}");
    }
    // The SDK is no directory of a machine that has to be kept out.
    let given = call(&bin("cc"), &["-isysroot", &sdk, "a.c"], &seen);
    assert!(given.contains(&format!("-isysroot {sdk} a.c")), "{given}");
    assert!(call(&bin("c++"), &["a.cc"], &seen).starts_with("clang++ -isysroot"));
    assert!(call(&bin("aarch64-darwin-ar"), &["crs", "x.a"], &seen).starts_with("ar crs x.a"));
    assert!(call(&bin("make"), &["all"], &seen).starts_with("make all"));
    assert_eq!(call(&bin("sh"), &["-c", "echo $0"], &seen), "/bin/sh\n");
    assert_eq!(fs::read_link(bin("sed")).expect("a link"), machine.root.join("usr/bin/sed"));
    assert!(!bin("awk").exists(), "what this machine lacks is no link to nowhere");
    // No emulator: what would run it says so.
    let refused = call(&bin("xprov-runner"), &["w/app"], &seen);
    assert!(refused.contains("do not run on macOS"), "{refused}");
}

#[test]
fn xcrun_is_asked_again_only_when_something_changed_and_that_is_another_environment() {
    let machine = Machine::new();
    machine.project.xprov("lock").ok();
    let first = machine.build().expect("built");
    let calls = machine.calls();
    assert!(calls > 10, "{calls}");
    let second = machine.build().expect("built");
    assert_eq!((second.env_id.as_str(), machine.calls()), (first.env_id.as_str(), calls));
    let said = |seen: &Seen| seen.notes.iter().any(|note| note.starts_with("this Mac's own tools"));
    assert!(said(&first) && said(&second), "it is said each time");

    // An update of the tools: the same places, another compiler.
    let clang = tool("clang").replace("17.0.0", "17.0.1");
    machine.program(&format!("{DEVELOPER}/usr/bin/clang"), &clang);
    let updated = machine.build().expect("built");
    assert_ne!(updated.env_id, first.env_id);
    assert!(machine.calls() > calls);

    // An oldest macOS of the project's own.
    let lines =
        format!("targets = [\"{TARGET}\"]\nenv.set = {{ MACOSX_DEPLOYMENT_TARGET = \"12.0\" }}\n");
    machine.project.settings(&lines);
    let own = machine.build().expect("built");
    assert_eq!(own.value("MACOSX_DEPLOYMENT_TARGET"), Some("12.0"));
    assert_ne!(own.env_id, updated.env_id);
}

#[test]
fn a_mac_without_its_tools_is_told_what_installs_them() {
    let machine = Machine::new();
    machine.project.xprov("lock").ok();
    let failing = |text: &str| format!("#!/bin/sh\necho '{text}' >&2\nexit 2\n");
    let missing = "xcode-select: error: unable to get active developer directory";
    machine.program("usr/bin/xcode-select", &failing(missing));
    let error = machine.build().err().expect("no tools");
    assert_eq!(
        error.to_string(),
        format!("the command line tools of macOS are not installed: {missing}")
    );
    assert_eq!(error.hints(), ["install them with `xcode-select --install`"]);
    assert_eq!(error.kind(), ops::Kind::Machine);
    machine.program("usr/bin/xcode-select", &machine.answers("DEVELOPER"));
    machine
        .program("usr/bin/xcrun", &failing("You have not agreed to the Xcode license agreements."));
    let error = machine.build().err().expect("no licence");
    assert_eq!(error.hints(), ["read and agree to it with `sudo xcodebuild -license`"]);
    machine.program("usr/bin/xcrun", &machine.xcrun());
    machine.build().expect("built");
}

#[test]
fn a_lock_for_macs_alone_is_written_without_network() {
    let mut sandbox = Sandbox::new();
    sandbox.set("XPROV_APT_DIR", "/nonexistent");
    sandbox.write("src/main.rs", "fn main() {}\n");
    sandbox.write(
        "Cargo.toml",
        "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [package.metadata.xprov]\nrust = \"1.95\"\n\
         hosts = [\"aarch64-apple-darwin\", \"x86_64-apple-darwin\"]\n\
         targets = [\"x86_64-unknown-linux-musl\", \"aarch64-unknown-linux-musl\"]\n",
    );
    sandbox.xprov("--offline lock").ok();
    let lock = sandbox.read("toolchains.lock");
    let lock = Lockfile::parse("toolchains.lock", &lock).expect("a lock");
    for mac in ["aarch64-apple-darwin", "x86_64-apple-darwin"] {
        let host: RustTriple = mac.parse().expect("a triple");
        let target = "aarch64-unknown-linux-musl".parse().expect("a triple");
        let mut found: Vec<String> = lock
            .entries_for(&host, &target)
            .map(|entry| {
                format!("{} {} {}", entry.key, entry.authenticated.as_str(), entry.artifacts.len())
            })
            .collect();
        found.sort();
        let expected = [
            format!("apple-clang installed ({mac} for {mac}) impure 0"),
            format!("cargo 1.95.0 ({mac}) published-digest 1"),
            format!("gcc 15.2.0 ({mac} for aarch64-unknown-linux-musl) published-digest 1"),
            format!("macos-tools installed ({mac}) impure 0"),
            "rust-std 1.95.0 (aarch64-unknown-linux-musl) published-digest 1".to_owned(),
            format!("rust-std 1.95.0 ({mac}) published-digest 1"),
            format!("rustc 1.95.0 ({mac}) published-digest 1"),
        ];
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_disk_that_ignores_case_gets_no_header_under_the_name_of_another() {
    let mut machine = Machine::new();
    let prefix = tool_prefix(TARGET);
    let gcc = format!("usr/bin/{prefix}-gcc");
    let files: Vec<(&str, u32, &str)> = vec![
        (&gcc, 0o755, "#!/bin/sh\n"),
        ("usr/include/linux/netfilter/xt_TCPMSS.h", 0o644, "struct xt_tcpmss_info;\n"),
        ("usr/include/linux/netfilter/xt_mark.h", 0o644, "struct xt_mark_tginfo2;\n"),
        ("usr/include/linux/netfilter/xt_tcpmss.h", 0o644, "struct xt_tcpmss_match_info;\n"),
    ];
    machine.project.replace(&Project::gcc(), tar_gz(&files));
    machine.serve_mac();
    machine.project.xprov("lock").ok();
    machine.disk = Some(Folding::MAC);
    let seen = machine.build().expect("built");
    let note = seen.notes.iter().find(|note| note.contains("are left out")).expect("it is said");
    assert!(note.contains("2 files are left out, since this disk, which ignores case"), "{note}");
    let headers = |dir: &str| -> Vec<String> {
        let names = machine.project.store_names(dir);
        let dirs =
            names.iter().map(|name| machine.project.xprov_home.join("v1").join(dir).join(name));
        let dirs = dirs.map(|dir| dir.join("usr/include/linux/netfilter"));
        let mut found: Vec<String> = dirs
            .filter_map(|dir| fs::read_dir(dir).ok())
            .flatten()
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        found.sort();
        found
    };
    assert_eq!(headers("objects"), ["xt_mark.h"]);
    assert_eq!(headers("compositions"), ["xt_mark.h"]);
    // The object has the name that it has on every disk.
    let folded: Vec<String> = machine.project.store_names("objects");
    let gcc = folded.iter().find(|name| name.ends_with("-gcc-12.2.0")).expect("the object");
    let room = tempfile::tempdir().expect("a directory");
    let spec = UnpackSpec::default();
    for name in ["dest", "scratch"] {
        fs::create_dir(room.path().join(name)).expect("a directory");
    }
    let [dest, scratch] = ["dest", "scratch"].map(|name| room.path().join(name));
    let apart = unpack_on(Folding::default(), &tar_gz(&files)[..], &spec, &dest, &scratch);
    let hash = apart.expect("unpacked").tree.hash().to_string();
    assert!(gcc.starts_with(&hash), "{gcc} {hash}");
}
