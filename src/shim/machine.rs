//! Which directories are the machine's own, and which arguments of a compiler name one. Lexical:
//! no file is looked at.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::access;
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

/// Options with a directory that stands for the machine's root.
const ROOT_OPTIONS: &[&str] = &["--sysroot", "-isysroot"];

/// How a compiler passes words on to another program, and that one's options with a directory.
struct Behind {
    /// Before words with commas between them.
    list: &'static str,
    /// Before a word of its own.
    single: &'static str,
    options: &'static [&'static str],
}

/// `-rpath` is not among the linker's: it says where the binary looks when it runs.
const BEHIND: &[Behind] = &[
    Behind {
        list: "-Wl,",
        single: "-Xlinker",
        options: &[
            "-L",
            "--library-path",
            "-library-path",
            "-rpath-link",
            "--rpath-link",
            "--sysroot",
        ],
    },
    Behind { list: "-Wp,", single: "-Xpreprocessor", options: OPTIONS },
];

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
    match named(argument, OPTIONS) {
        Named::No => named(argument, ROOT_OPTIONS),
        found => found,
    }
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

/// Whether an option names a directory of the machine's. `--sysroot=/`, and without a directory,
/// is the machine itself.
fn is_of_machine(option: &str, dir: &str, roots: &mut impl FnMut() -> Roots) -> bool {
    let is_root = dir.is_empty() || normal(dir).is_some_and(|dir| dir.parent().is_none());
    ROOT_OPTIONS.iter().any(|name| option.starts_with(name)) && is_root || is_machine(dir, roots)
}

/// Whether `path` is in a directory of the machine's and below no root. `roots` is asked only for
/// the first.
pub fn is_machine(path: &str, roots: &mut impl FnMut() -> Roots) -> bool {
    normal(path).is_some_and(|path| {
        MACHINE.iter().any(|dir| path.starts_with(dir)) && !roots().contain(&path)
    })
}

/// An absolute path without `.` and `..`.
fn normal(path: &str) -> Option<PathBuf> {
    path.starts_with('/').then(|| access::normal(Path::new(path)))
}

/// What is left out of a compiler's arguments.
#[derive(Debug, PartialEq, Eq)]
pub struct Dropped {
    /// What was there.
    pub what: String,
    /// What is there now.
    pub left: Option<String>,
    /// How many of the words after the first are gone, too.
    pub length: usize,
    /// The directories.
    pub dirs: Vec<String>,
}

/// Takes the machine's directories out of an argument and those that belong to it; `after` is what
/// follows it. `None`: there are none.
pub fn without_machine<S: AsRef<OsStr>>(
    argument: &str,
    after: &[S],
    roots: &mut impl FnMut() -> Roots,
) -> Option<Dropped> {
    let word = |index: usize| after.get(index).and_then(|word| word.as_ref().to_str());
    let (option, dir, length) = match directory(argument) {
        Named::Here(dir) => (argument, dir, 0),
        Named::Next => (argument, word(0)?, 1),
        Named::No => {
            let list = BEHIND.iter().find(|behind| argument.starts_with(behind.list));
            if let Some(behind) = list {
                return passed_in_a_list(argument, behind, roots);
            }
            let behind = BEHIND.iter().find(|behind| argument == behind.single)?;
            let option = word(0)?;
            match named(option, behind.options) {
                Named::Here(dir) => (option, dir, 1),
                Named::Next if word(1)? == behind.single => (option, word(2)?, 3),
                _ => return None,
            }
        }
    };
    is_of_machine(option, dir, roots).then(|| {
        let words = (0..length).filter_map(word);
        let what: Vec<&str> = std::iter::once(argument).chain(words).collect();
        Dropped { what: what.join(" "), left: None, length, dirs: vec![dir.to_owned()] }
    })
}

fn passed_in_a_list(
    argument: &str,
    behind: &Behind,
    roots: &mut impl FnMut() -> Roots,
) -> Option<Dropped> {
    let words: Vec<&str> = argument.strip_prefix(behind.list)?.split(',').collect();
    let (mut kept, mut dirs): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    let mut index = 0;
    while let Some(word) = words.get(index) {
        let (dir, length) = match named(word, behind.options) {
            Named::Here(dir) => (Some(dir), 1),
            Named::Next => (words.get(index + 1).copied(), 2),
            Named::No => (None, 1),
        };
        let end = words.len().min(index + length);
        match dir {
            Some(dir) if is_of_machine(word, dir, roots) => dirs.push(dir.to_owned()),
            _ => kept.extend(&words[index..end]),
        }
        index = end;
    }
    let left = (!kept.is_empty()).then(|| format!("{}{}", behind.list, kept.join(",")));
    let what = argument.to_owned();
    (!dirs.is_empty()).then_some(Dropped { what, left, length: 0, dirs })
}

#[cfg(test)]
mod tests;
