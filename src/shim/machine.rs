//! Which directories are the machine's own, and which arguments of a compiler name one. Lexical:
//! no file is looked at.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::vocab::sandbox;

/// Where machines keep headers and libraries.
const MACHINE: &[&str] = &[
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/bin",
    "/sbin",
    "/opt",
    "/etc",
    "/Library",
    "/System",
    "/Applications",
    "/sw",
];

/// Options with a directory: joined, `=`-joined where the option is a long one, or as the next word.
const OPTIONS: &[&str] = &[
    "-isystem",
    "-idirafter",
    "-iquote",
    "-I",
    "-L",
    "-B",
    "--include-directory",
    "--include-directory-after",
    "--library-directory",
    "--prefix",
];

/// The same of linkers, behind `-Wl,` and `-Xlinker`. `-rpath` is not among them: it says where the
/// binary looks when it runs.
const LINKER_OPTIONS: &[&str] =
    &["-L", "--library-path", "-library-path", "-rpath-link", "--rpath-link"];

/// The directories that a call may name although they are below one of the machine's: the
/// project's, the store's and what the settings allow.
#[derive(Debug, Clone, Default)]
pub struct Roots(Vec<PathBuf>);

impl Roots {
    /// From the values of `XPROV_SANDBOX` and `XPROV_PREFIX_MAP`, and the environment's directory.
    /// The directory `/` is no root.
    pub fn of(sandbox: &OsStr, prefix_map: &OsStr, env_dir: &Path) -> Self {
        let mut roots = vec![env_dir.to_path_buf()];
        if let Some(sandbox) = sandbox::Roots::parse(sandbox) {
            roots.extend(sandbox.read.into_iter().chain(sandbox.write));
        }
        for pair in prefix_map.to_string_lossy().split('\u{1f}') {
            roots.extend(pair.split_once('=').map(|(from, _)| PathBuf::from(from)));
        }
        roots.retain(|root| root.is_absolute() && root.parent().is_some());
        Self(roots)
    }

    fn contain(&self, path: &Path) -> bool {
        self.0.iter().any(|root| path.starts_with(root))
    }
}

/// What an argument says about directories.
#[derive(Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// Nothing.
    No,
    /// This one, within the argument.
    Here(&'a str),
    /// The one that is the next argument.
    Next,
}

/// The directory that a compiler's argument names.
pub fn directory(argument: &str) -> Named<'_> {
    named(argument, OPTIONS)
}

fn named<'a>(argument: &'a str, options: &[&str]) -> Named<'a> {
    for option in options {
        let Some(rest) = argument.strip_prefix(option) else { continue };
        if rest.is_empty() {
            return Named::Next;
        }
        let long = option.starts_with("--") || option.ends_with("path") || option.ends_with("link");
        match (long, rest.strip_prefix('=')) {
            (true, Some(rest)) => return Named::Here(rest),
            (true, None) => {}
            (false, _) => return Named::Here(rest),
        }
    }
    Named::No
}

/// Whether `path` is in a directory of the machine's and below no root. `roots` is asked only for
/// the first.
pub fn is_machine(path: &str, roots: &mut impl FnMut() -> Roots) -> bool {
    if !path.starts_with('/') {
        return false;
    }
    let mut plain = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    MACHINE.iter().any(|dir| plain.starts_with(dir)) && !roots().contain(&plain)
}

/// `-Wl,…` without the machine's directories: the argument (`None` where nothing is left), and what
/// was taken out. `None` where nothing was.
pub fn linker_words(
    argument: &str,
    roots: &mut impl FnMut() -> Roots,
) -> Option<(Option<String>, Vec<String>)> {
    let words: Vec<&str> = argument.strip_prefix("-Wl,")?.split(',').collect();
    let (mut kept, mut dropped): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    let mut index = 0;
    while let Some(word) = words.get(index) {
        let (dir, length) = match named(word, LINKER_OPTIONS) {
            Named::Here(dir) => (Some(dir), 1),
            Named::Next => (words.get(index + 1).copied(), 2),
            Named::No => (None, 1),
        };
        let end = words.len().min(index + length);
        match dir {
            Some(dir) if is_machine(dir, roots) => dropped.push(dir.to_owned()),
            _ => kept.extend(&words[index..end]),
        }
        index = end;
    }
    let left = (!kept.is_empty()).then(|| format!("-Wl,{}", kept.join(",")));
    (!dropped.is_empty()).then_some((left, dropped))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots() -> Roots {
        Roots::of(
            OsStr::new("on\u{1f}r=/usr/src/app\u{1f}w=/tmp\u{1f}n="),
            OsStr::new("/opt/store=/s"),
            Path::new("/e"),
        )
    }

    #[test]
    fn directories_of_the_machine_are_known_unless_they_are_below_a_root() {
        for (path, expected) in [
            ("/usr/include", true),
            ("/usr/src/app/include", false),
            ("/usr/src/app/../../include", true),
            ("/opt/store/v1", false),
            ("/opt/homebrew/lib", true),
            ("/libx", false),
            ("/home/u/include", false),
            ("include", false),
            ("=/usr/include", false),
        ] {
            assert_eq!(is_machine(path, &mut roots), expected, "{path}");
        }
    }

    #[test]
    fn arguments_name_directories_in_three_ways() {
        for (argument, expected) in [
            ("-I/usr/include", Named::Here("/usr/include")),
            ("-isystem/x", Named::Here("/x")),
            ("-isystem", Named::Next),
            ("-L", Named::Next),
            ("--library-directory=/x", Named::Here("/x")),
            ("--include-directory-after=/x", Named::Here("/x")),
            ("--prefix", Named::Next),
            ("-isysroot", Named::No),
            ("-include", Named::No),
            ("-lz", Named::No),
        ] {
            assert_eq!(directory(argument), expected, "{argument}");
        }
    }

    #[test]
    fn the_linkers_words_are_taken_out_one_by_one() {
        let words = |argument| linker_words(argument, &mut roots);
        let of = |left: Option<&str>, dropped: &[&str]| {
            let dropped = dropped.iter().map(|dir| (*dir).to_owned()).collect();
            Some((left.map(str::to_owned), dropped))
        };
        assert_eq!(words("-Wl,-L/usr/lib"), of(None, &["/usr/lib"]));
        assert_eq!(words("-Wl,-z,now,-rpath-link,/lib"), of(Some("-Wl,-z,now"), &["/lib"]));
        assert_eq!(
            words("-Wl,-L,/usr/lib,--gc-sections"),
            of(Some("-Wl,--gc-sections"), &["/usr/lib"])
        );
        assert_eq!(words("-Wl,-rpath,/usr/lib"), None);
        assert_eq!(words("-Wl,-rpath-link=/tmp/x"), None);
    }
}
