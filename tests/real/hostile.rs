//! A world in which everything that is known to leak into builds says something wrong at once.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::machine::say;

/// A cargo configuration that would change every build that reads it.
const CARGO_CONFIG: &str = r#"
[build]
rustflags = ["-Ctarget-cpu=native", "-Cdebuginfo=2"]
rustc-wrapper = "/nonexistent/wrapper"
rustc-workspace-wrapper = "/nonexistent/wrapper"
target-dir = "/nonexistent/target"
[target.aarch64-unknown-linux-gnu]
linker = "/nonexistent/linker"
runner = "/nonexistent/runner"
rustflags = ["-Ctarget-feature=+sve"]
[target.'cfg(all())']
rustflags = ["-Copt-level=0"]
[env]
CFLAGS_aarch64_unknown_linux_gnu = { value = "-DHOSTILE -O0", force = true }
CC_aarch64_unknown_linux_gnu = { value = "/nonexistent/cc", force = true }
[profile.dev]
opt-level = 1
debug = false
[profile.release]
opt-level = 0
debug = true
"#;

/// Variables that would change or break every build that sees them.
const VARIABLES: &[(&str, &str)] = &[
    ("RUSTFLAGS", "-Cdebuginfo=2 -Copt-level=0"),
    ("CARGO_ENCODED_RUSTFLAGS", "-Cdebuginfo=2"),
    ("CARGO_BUILD_RUSTFLAGS", "-Cdebuginfo=2"),
    ("CARGO_BUILD_TARGET", "x86_64-unknown-linux-gnu"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "true"),
    ("CARGO_PROFILE_DEV_DEBUG", "0"),
    ("CARGO_PROFILE_DEV_OPT_LEVEL", "1"),
    ("CARGO_INCREMENTAL", "1"),
    ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "/nonexistent/linker"),
    ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-Cdebuginfo=2"),
    ("RUSTC", "/nonexistent/rustc"),
    ("RUSTC_WRAPPER", "/nonexistent/wrapper"),
    ("RUSTC_WORKSPACE_WRAPPER", "/nonexistent/wrapper"),
    ("RUSTC_BOOTSTRAP", "1"),
    ("RUSTDOC", "/nonexistent/rustdoc"),
    ("RUSTUP_TOOLCHAIN", "nightly"),
    ("RUSTUP_HOME", "/nonexistent/rustup"),
    ("CC", "/nonexistent/cc"),
    ("CXX", "/nonexistent/c++"),
    ("CC_aarch64-unknown-linux-gnu", "/nonexistent/cc"),
    ("CC_aarch64_unknown_linux_gnu", "/nonexistent/cc"),
    ("TARGET_CC", "/nonexistent/cc"),
    ("HOST_CC", "/nonexistent/cc"),
    ("CFLAGS", "-DHOSTILE -O0 -march=native"),
    ("CFLAGS_aarch64-unknown-linux-gnu", "-DHOSTILE -O0"),
    ("CFLAGS_aarch64_unknown_linux_gnu", "-DHOSTILE -O0"),
    ("TARGET_CFLAGS", "-DHOSTILE -O0"),
    ("HOST_CFLAGS", "-DHOSTILE"),
    ("CPPFLAGS", "-DHOSTILE"),
    ("CXXFLAGS", "-DHOSTILE"),
    ("LDFLAGS", "-L/usr/lib -Wl,-rpath,/nonexistent"),
    ("AR", "/nonexistent/ar"),
    ("CRATE_CC_NO_DEFAULTS", "1"),
    ("CC_FORCE_DISABLE", "1"),
    ("CPATH", "/usr/include"),
    ("C_INCLUDE_PATH", "/usr/include"),
    ("CPLUS_INCLUDE_PATH", "/usr/include"),
    ("LIBRARY_PATH", "/usr/lib"),
    ("LD_LIBRARY_PATH", "/nonexistent"),
    ("LD_PRELOAD", "/nonexistent/preload.so"),
    ("DYLD_INSERT_LIBRARIES", "/nonexistent/preload.dylib"),
    ("SDKROOT", "/nonexistent/sdk"),
    ("MACOSX_DEPLOYMENT_TARGET", "10.4"),
    ("GCC_EXEC_PREFIX", "/nonexistent/"),
    ("COMPILER_PATH", "/usr/bin"),
    ("DEPENDENCIES_OUTPUT", "/nonexistent/dependencies"),
    ("PKG_CONFIG", "/nonexistent/pkg-config"),
    ("PKG_CONFIG_PATH", "/usr/lib/pkgconfig"),
    ("PKG_CONFIG_LIBDIR", "/usr/lib/pkgconfig"),
    ("PKG_CONFIG_ALLOW_CROSS", "1"),
    ("LIBSQLITE3_SYS_USE_PKG_CONFIG", "1"),
    ("SQLITE3_LIB_DIR", "/usr/lib"),
    ("ZSTD_SYS_USE_PKG_CONFIG", "1"),
    ("LIBZ_SYS_STATIC", "0"),
    ("OPENSSL_DIR", "/usr"),
    ("PROTOC", "/nonexistent/protoc"),
    ("CMAKE_PREFIX_PATH", "/usr"),
    ("CMAKE_TOOLCHAIN_FILE", "/nonexistent/toolchain.cmake"),
    ("SOURCE_DATE_EPOCH", "1"),
    ("TZ", "Pacific/Auckland"),
    ("LANG", "tr_TR.UTF-8"),
    ("LC_ALL", "tr_TR.UTF-8"),
    ("TMPDIR", "/nonexistent"),
    ("TERM", "dumb"),
    ("COLUMNS", "17"),
    ("MAKEFLAGS", "-j1 -k"),
    ("NUM_JOBS", "1"),
    ("GIT_DIR", "/nonexistent/git"),
    ("GIT_CONFIG_GLOBAL", "/nonexistent/gitconfig"),
    ("USER", "hostile"),
    ("LOGNAME", "hostile"),
    ("HOSTNAME", "hostile"),
    ("SHELL", "/nonexistent/shell"),
    ("XPROV_PREFIX_MAP", "/=/hostile"),
    ("XPROV_LEDGER", "/nonexistent/ledger"),
    ("XPROV_SANDBOX", "off"),
    ("XPROV_BROKER", "/nonexistent/broker"),
];

/// What builds and their tools call by name.
const DECOYS: &[&str] = &[
    "ar",
    "as",
    "c++",
    "cargo",
    "cc",
    "clang",
    "cmake",
    "cpp",
    "g++",
    "gcc",
    "git",
    "ld",
    "llvm-ar",
    "make",
    "ninja",
    "perl",
    "pkg-config",
    "protoc",
    "python3",
    "ranlib",
    "rustc",
    "rustdoc",
    "sh",
    "strip",
];

/// The world: where one stands in it, and what is set there.
pub struct World {
    /// The directory to work in; not the project's.
    pub cwd: PathBuf,
    /// The project, by a path through a link.
    pub link: PathBuf,
    /// Where the project itself has to be.
    pub project: PathBuf,
    /// Where binaries go.
    pub target_dir: PathBuf,
    variables: Vec<(String, String)>,
}

impl World {
    /// Makes the world below `dir`, which is empty, for a project that is put into it then.
    pub fn new(dir: &Path) -> Self {
        let above = dir.join("zwei Wörter");
        let (home, decoys, cwd) = (dir.join("böses home"), dir.join("decoys"), dir.join("cwd"));
        let (project, link) = (above.join("hafen"), dir.join("link"));
        fs::create_dir_all(&above).expect("a folder");
        symlink(&above, &link).expect("a link");
        for place in [&above, &home, &cwd] {
            write(&place.join(".cargo/config.toml"), CARGO_CONFIG);
            write(&place.join("rust-toolchain.toml"), "[toolchain]\nchannel = \"nightly\"\n");
        }
        write(&above.join("Cargo.toml"), "[workspace]\n[profile.dev]\nopt-level = 1\n");
        write(&above.join(".git/HEAD"), "ref: refs/heads/hostile\n");
        write(&home.join(".gitconfig"), "[core]\n\tautocrlf = true\n[user]\n\tname = hostile\n");
        write(&home.join(".config/git/config"), "[core]\n\tfileMode = false\n");
        write(&home.join(".rustup/settings.toml"), "default_toolchain = \"nightly\"\n");
        for name in [".profile", ".bashrc", ".bash_profile", ".zshenv", ".cargo/env"] {
            write(&home.join(name), "export CFLAGS=-DHOSTILE\nexport RUSTFLAGS=-Copt-level=0\n");
        }
        for dir in [&decoys, &home.join(".cargo/bin")] {
            for name in DECOYS {
                let decoy = dir.join(name);
                write(&decoy, "#!/bin/sh\necho a program of the host >&2\nexit 9\n");
                fs::set_permissions(&decoy, fs::Permissions::from_mode(0o755)).expect("executable");
            }
        }
        let target_dir = dir.join("ziel dort");
        let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let mut variables: Vec<(String, String)> =
            VARIABLES.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let path = format!("{}:{}/.cargo/bin:/usr/bin:/bin", text(&decoys), text(&home));
        variables.extend([
            ("PATH".to_owned(), path),
            ("HOME".to_owned(), text(&home)),
            ("XDG_CONFIG_HOME".to_owned(), text(&home.join(".config"))),
            ("CARGO_HOME".to_owned(), text(&home.join(".cargo"))),
            ("CARGO_TARGET_DIR".to_owned(), text(&target_dir)),
            ("PWD".to_owned(), text(&project)),
        ]);
        Self { cwd, link: link.join("hafen"), project, target_dir, variables }
    }

    /// The variables.
    pub fn variables(&self) -> Vec<(&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

/// A launcher for [`super::machine::Machine::xprov_through`]: another umask, and another user where
/// the machine lets one be made up.
pub fn launcher() -> Vec<&'static str> {
    let unshare = ["/usr/bin/unshare", "--user", "--map-user=4321", "--map-group=4321", "--"];
    let works = Command::new(unshare[0])
        .args(&unshare[1..])
        .arg("/bin/true")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let mut launcher = Vec::new();
    if works {
        launcher.extend(unshare);
    } else {
        say("not as another user: this machine has no user namespaces (unshare --user)");
    }
    launcher.extend(["/bin/sh", "-c", "umask 000; exec \"$@\"", "sh"]);
    launcher
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
    fs::write(path, text).expect("written");
}
