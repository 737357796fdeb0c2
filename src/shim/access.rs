//! What the programs of a build may reach: the roots that the build names, and of the machine
//! only what every program needs to start. Decides about names; starts and refuses nothing.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::sys::confine::{Rules, Wish};
use crate::vocab::sandbox::Roots;

/// Where Linux machines keep loader and C library.
const LIBRARY_DIRS: [&str; 10] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/local/lib",
    "/usr/local/lib64",
];

/// The loader, the C library and what compilers link to everything; `libtinfo` is the shell's
/// where that is bash.
pub(super) const LIBRARIES: [&str; 17] = [
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "ld-musl-x86_64.so.1",
    "ld-musl-aarch64.so.1",
    "libc.musl-x86_64.so.1",
    "libc.musl-aarch64.so.1",
    "libc.so.6",
    "libm.so.6",
    "libmvec.so.1",
    "libdl.so.2",
    "librt.so.1",
    "libpthread.so.0",
    "libutil.so.1",
    "libresolv.so.2",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "libtinfo.so.6",
];

/// What the C library loads to look up names.
const NAME_SERVICES: [&str; 5] = [
    "libnss_files.so.2",
    "libnss_dns.so.2",
    "libnss_resolve.so.2",
    "libnss_myhostname.so.2",
    "libnss_mdns4_minimal.so.2",
];

/// Files that have no contents of this machine's.
const DEVICES: [&str; 9] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/stderr",
    "/dev/fd",
];

/// What the loader itself reads.
const LOADER_FILES: [&str; 1] = ["/etc/ld.so.cache"];

/// Programs whose paths C libraries, make and scripts have built in.
const SHELLS: [&str; 2] = ["/bin/sh", "/usr/bin/env"];

/// What is read for names on a network, where one is allowed.
const NETWORK_FILES: [&str; 11] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/ssl",
    "/etc/pki",
    "/usr/share/ca-certificates",
    "/run/systemd/resolve",
];

/// Directories in which make looks for makefiles to be included, whatever is built. Itself: what a
/// build script wants in them is worth a notice.
const SEARCHED_BY_MAKE: [&str; 2] = ["/usr/include", "/usr/local/include"];

/// What cmake and perl look at whatever they are asked to do: which system this is, and where it has
/// its programs. Themselves: what a build script wants in these directories is worth a notice.
const LOOKED_AT_BY_TOOLS: [&str; 7] =
    ["/usr", "/opt", "/lib", "/lib64", "/etc/debian_version", "/bin/pwd", "/usr/bin/pwd"];

/// Where the pinned pkg-config would look if nobody told it where: it asks whether these directories
/// are there before it reads its variables, and then looks elsewhere. Themselves: what is opened in
/// them is worth a notice.
const LOOKED_AT_BY_PKG_CONFIG: [&str; 8] = [
    "/usr/lib/pkgconfig",
    "/usr/lib/x86_64-linux-gnu/pkgconfig",
    "/usr/lib/aarch64-linux-gnu/pkgconfig",
    "/usr/share/pkgconfig",
    "/usr/local/lib/pkgconfig",
    "/usr/local/lib/x86_64-linux-gnu/pkgconfig",
    "/usr/local/lib/aarch64-linux-gnu/pkgconfig",
    "/usr/local/share/pkgconfig",
];

/// What the C library, allocators, compilers and Rust's std ask for by themselves, in order to be
/// fast or to write in colour. It does not exist for a build, and nobody needs to know.
const ASKED_FOR_SPEED: [&str; 8] = [
    "/dev/tty",
    "/etc/ld.so.preload",
    "/sys/fs/cgroup",
    "/sys/kernel/mm/transparent_hugepage",
    "/proc/sys/vm/overcommit_memory",
    // How many processors there are: glibc's malloc, in a process with many threads.
    "/sys/devices/system/cpu/online",
    "/sys/devices/system/cpu/possible",
    "/proc/stat",
];

/// What becomes of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is granted.
    Granted,
    /// It is granted, but is of this machine.
    Noted,
    /// It does not exist, without a word.
    Hidden,
    /// It does not exist, or must not be written.
    Refused,
}

/// What may be reached.
#[derive(Debug, Clone)]
pub struct Access {
    roots: Roots,
}

impl Access {
    /// The roots of a build, and more that may be read (the environment, the crate's sources).
    /// Where a root is a symbolic link or below one, what it leads to is a root too.
    pub fn new<'a>(mut roots: Roots, readable: impl IntoIterator<Item = &'a Path>) -> Self {
        roots.read.extend(readable.into_iter().map(normal));
        for list in [&mut roots.read, &mut roots.write] {
            let real: Vec<PathBuf> =
                list.iter().filter_map(|path| path.canonicalize().ok()).collect();
            list.extend(real);
            list.retain(|path| path.is_absolute());
            list.sort();
            list.dedup();
        }
        Self { roots }
    }

    /// Whether there is a network.
    pub fn network(&self) -> bool {
        self.roots.network
    }

    /// Decides about a path without `.` and `..`; `tid` is the thread that wishes.
    pub fn verdict(&self, wish: Wish, path: &Path, tid: u32) -> Verdict {
        let is = |list: &[&str]| list.iter().any(|name| path.starts_with(name));
        let reading = matches!(wish, Wish::Look | Wish::Read | Wish::Run);
        let granted = self.roots.covers_writing(path)
            || is(&DEVICES)
            || reading && self.roots.covers(path)
            || is_own_process(path, tid)
            || reading && (is_library(path) || is(&LOADER_FILES))
            || reading && self.roots.network && (is(&NETWORK_FILES) || is_name_service(path))
            || matches!(wish, Wish::Look | Wish::MakeDir) && self.leads_to_a_root(path);
        match wish {
            _ if granted => Verdict::Granted,
            Wish::Look if is(&SHELLS) => Verdict::Granted,
            Wish::Run if is(&SHELLS) => Verdict::Noted,
            Wish::Look | Wish::Read if is(&ASKED_FOR_SPEED) => Verdict::Hidden,
            Wish::Look | Wish::Read
                if SEARCHED_BY_MAKE.iter().any(|dir| path == Path::new(dir)) =>
            {
                Verdict::Hidden
            }
            Wish::Look
                if LOOKED_AT_BY_TOOLS
                    .iter()
                    .chain(&LOOKED_AT_BY_PKG_CONFIG)
                    .any(|name| path == Path::new(name)) =>
            {
                Verdict::Hidden
            }
            _ => Verdict::Refused,
        }
    }

    /// Whether the path is above something that may be reached: who follows a path looks at each
    /// of its directories.
    fn leads_to_a_root(&self, path: &Path) -> bool {
        let others = ["/proc/self", "/dev/null"].map(Path::new);
        let roots = self.roots.read.iter().chain(&self.roots.write).map(PathBuf::as_path);
        roots.chain(others).any(|root| root.starts_with(path))
    }

    /// The same for the kernel. It knows no single process of `/proc`, so that all of it is
    /// readable where a supervisor looks after it, and nothing of it elsewhere.
    pub fn rules(&self, supervised: bool) -> Rules {
        let mut read = self.roots.read.clone();
        // Most of the directories are others under another name.
        let dirs: BTreeSet<PathBuf> =
            LIBRARY_DIRS.iter().filter_map(|dir| Path::new(dir).canonicalize().ok()).collect();
        let services = NAME_SERVICES.iter().filter(|_| self.roots.network);
        let names: Vec<&str> = LIBRARIES.iter().chain(services).copied().collect();
        let paths = dirs.iter().flat_map(|dir| names.iter().map(|name| dir.join(name)));
        read.extend(paths);
        read.extend(LOADER_FILES.iter().chain(&SHELLS).map(PathBuf::from));
        if self.roots.network {
            read.extend(NETWORK_FILES.map(PathBuf::from));
        }
        if supervised {
            read.push("/proc".into());
        }
        let mut write = self.roots.write.clone();
        // Beyond these are links into `/proc`.
        write.extend(DEVICES[..5].iter().map(PathBuf::from));
        Rules { read, write, network: self.roots.network }
    }
}

/// The path without `.` and `..`, by its text: what a link leads to is not looked up.
pub fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

/// A file of the loader's or the C library's.
/// Where this machine has a library that is none of those which every build may read.
pub fn library(name: &str) -> Option<PathBuf> {
    let mut dirs = LIBRARY_DIRS.iter().map(|dir| Path::new(dir).join(name));
    if LIBRARIES.contains(&name) { None } else { dirs.find(|path| path.is_file()) }
}

fn is_library(path: &Path) -> bool {
    is_one_of(path, &LIBRARIES)
}

fn is_name_service(path: &Path) -> bool {
    is_one_of(path, &NAME_SERVICES)
}

/// Whether the path is such a file in a directory of libraries.
fn is_one_of(path: &Path, names: &[&str]) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    let dir = path.parent().and_then(Path::to_str);
    name.is_some_and(|name| names.contains(&name))
        && dir.is_some_and(|dir| LIBRARY_DIRS.contains(&dir))
}

/// What a process finds out about itself. Not what it can reach through it: `/proc/self/root` is
/// the machine's root, and `/proc/self/fd/3/…` whatever is open.
fn is_own_process(path: &Path, tid: u32) -> bool {
    let Ok(rest) = path.strip_prefix("/proc") else { return false };
    let names: Vec<&str> = rest.iter().filter_map(|name| name.to_str()).collect();
    let [first, inner @ ..] = names.as_slice() else { return false };
    let own = ["self", "thread-self"].contains(first) || first.parse() == Ok(tid);
    match inner {
        ["task", _, inner @ ..] | inner => {
            let through = inner.iter().any(|name| ["root", "cwd", "map_files"].contains(name));
            own && inner.len() <= if through { 1 } else { 2 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(network: bool) -> Access {
        let roots = Roots {
            read: vec!["/home/u/work".into()],
            write: vec!["/home/u/work/target".into()],
            network,
            ..Roots::default()
        };
        Access::new(roots, [Path::new("/env/./x/..")])
    }

    #[test]
    fn roots_are_granted_and_the_machine_is_not() {
        let access = access(false);
        let verdict = |wish, path: &str| access.verdict(wish, &normal(Path::new(path)), 7);
        for (wish, path) in [
            (Wish::Read, "/home/u/work/src/lib.rs"),
            (Wish::Run, "/env/bin/make"),
            (Wish::Write, "/home/u/work/target/debug/out.rs"),
            (Wish::Run, "/home/u/work/target/debug/made"),
            (Wish::Look, "/home/u"),
            (Wish::MakeDir, "/home"),
            (Wish::Look, "/"),
            (Wish::Write, "/dev/null"),
            (Wish::Read, "/lib/x86_64-linux-gnu/libc.so.6"),
            (Wish::Read, "/lib64/ld-linux-x86-64.so.2"),
            (Wish::Read, "/etc/ld.so.cache"),
            (Wish::Read, "/proc/self/maps"),
            (Wish::Read, "/proc/7/task/8/stat"),
        ] {
            assert_eq!(verdict(wish, path), Verdict::Granted, "{wish:?} {path}");
        }
        for (wish, path) in [
            (Wish::Write, "/home/u/work/src/lib.rs"),
            (Wish::Read, "/home/u"),
            (Wish::Read, "/home/u/workshop"),
            (Wish::Read, "/home/u/work/../.gitconfig"),
            (Wish::MakeDir, "/home/u/other"),
            (Wish::Look, "/usr/lib/x86_64-linux-gnu/libssl.so.3"),
            (Wish::Write, "/lib/x86_64-linux-gnu/libc.so.6"),
            (Wish::Read, "/opt/libc.so.6"),
            (Wish::Run, "/usr/bin/protoc"),
            (Wish::Read, "/bin/sh"),
            (Wish::Read, "/proc/cpuinfo"),
            (Wish::Read, "/proc/self/../cpuinfo"),
            (Wish::Read, "/proc/self/root/etc/hostname"),
            (Wish::Read, "/proc/self/fd/3/x"),
            (Wish::Read, "/proc/8/environ"),
            (Wish::Read, "/etc/resolv.conf"),
        ] {
            assert_eq!(verdict(wish, path), Verdict::Refused, "{wish:?} {path}");
        }
        assert_eq!(verdict(Wish::Run, "/bin/sh"), Verdict::Noted);
        assert_eq!(verdict(Wish::Read, "/sys/fs/cgroup/cpu.max"), Verdict::Hidden);
        assert_eq!(verdict(Wish::Look, "/usr"), Verdict::Hidden);
        assert_eq!(verdict(Wish::Look, "/usr/bin"), Verdict::Refused);
        assert_eq!(verdict(Wish::Look, "/usr/lib/pkgconfig"), Verdict::Hidden);
        assert_eq!(verdict(Wish::Read, "/usr/lib/pkgconfig"), Verdict::Refused);
        assert_eq!(verdict(Wish::Look, "/usr/lib/pkgconfig/zlib.pc"), Verdict::Refused);
        assert_eq!(verdict(Wish::Read, "/etc/debian_version"), Verdict::Refused);
    }

    #[test]
    fn a_network_needs_names() {
        let verdict = |network, path: &str| {
            access(network).verdict(Wish::Read, Path::new(path), 1) == Verdict::Granted
        };
        for path in ["/etc/resolv.conf", "/lib/x86_64-linux-gnu/libnss_dns.so.2"] {
            assert!(verdict(true, path) && !verdict(false, path), "{path}");
        }
    }

    #[test]
    fn the_kernel_is_told_the_same() {
        let rules = access(false).rules(true);
        assert!(rules.read.contains(&"/env".into()) && rules.read.contains(&"/proc".into()));
        assert!(rules.write.contains(&"/dev/null".into()) && !rules.network);
        assert!(rules.read.iter().any(|path| path.to_string_lossy().contains("ld-")), "{rules:?}");
        assert!(!access(false).rules(false).read.contains(&"/proc".into()));
    }
}
