//! Lines of the files that shells and sessions read when they start: which variables they export.
//! Reads them as text and runs none of it, so what a shell would compute is not known.

use std::path::{Path, PathBuf};

/// A line that exports a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The variable.
    pub name: String,
    /// Its value as it is written; `None` where that is not in the line.
    pub value: Option<String>,
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

/// How a file says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syntax {
    /// `export NAME=value`.
    Posix,
    /// `set -gx NAME value`.
    Fish,
    /// `SETUVAR --export NAME:value`.
    FishUniversal,
    /// `NAME=value`.
    Plain,
}

/// Files of a home directory.
const OF_HOME: &[(&str, Syntax)] = &[
    (".profile", Syntax::Posix),
    (".bash_profile", Syntax::Posix),
    (".bash_login", Syntax::Posix),
    (".bashrc", Syntax::Posix),
    (".zshenv", Syntax::Posix),
    (".zprofile", Syntax::Posix),
    (".zshrc", Syntax::Posix),
    (".zlogin", Syntax::Posix),
    (".config/fish/config.fish", Syntax::Fish),
    (".config/fish/fish_variables", Syntax::FishUniversal),
    (".pam_environment", Syntax::Plain),
];

/// Files of the machine.
const OF_MACHINE: &[(&str, Syntax)] = &[
    ("etc/environment", Syntax::Plain),
    ("etc/profile", Syntax::Posix),
    ("etc/bash.bashrc", Syntax::Posix),
    ("etc/zsh/zshenv", Syntax::Posix),
];

/// What the files of a home export.
pub fn of_home(home: &Path) -> Vec<Export> {
    let mut files: Vec<(PathBuf, Syntax)> =
        OF_HOME.iter().map(|(name, syntax)| (home.join(name), *syntax)).collect();
    files.extend(with_extension(&home.join(".config/fish/conf.d"), "fish", Syntax::Fish));
    files.extend(with_extension(&home.join(".config/environment.d"), "conf", Syntax::Plain));
    read(&files)
}

/// What the machine's own files export.
pub fn of_machine(root: &Path) -> Vec<Export> {
    let mut files: Vec<(PathBuf, Syntax)> =
        OF_MACHINE.iter().map(|(name, syntax)| (root.join(name), *syntax)).collect();
    files.extend(with_extension(&root.join("etc/profile.d"), "sh", Syntax::Posix));
    read(&files)
}

fn with_extension(dir: &Path, extension: &str, syntax: Syntax) -> Vec<(PathBuf, Syntax)> {
    let is = |path: &PathBuf| path.extension().is_some_and(|have| have == extension);
    super::below(dir).into_iter().filter(is).map(|path| (path, syntax)).collect()
}

/// A file that cannot be read is one that says nothing: the user's shell would not read it either.
fn read(files: &[(PathBuf, Syntax)]) -> Vec<Export> {
    let mut found = Vec::new();
    for (path, syntax) in files {
        let Ok(bytes) = std::fs::read(path) else { continue };
        for (index, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            let exported = exports(line, *syntax).into_iter();
            found.extend(exported.map(|(name, value)| Export {
                name,
                value,
                path: path.clone(),
                line: index + 1,
            }));
        }
    }
    found
}

/// A name and what is written as its value.
type Exported = (String, Option<String>);

/// What a line exports.
fn exports(line: &str, syntax: Syntax) -> Vec<Exported> {
    match syntax {
        Syntax::FishUniversal => {
            let rest = line.strip_prefix("SETUVAR --export ");
            let pair = rest.and_then(|rest| rest.split_once(':'));
            pair.map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
                .into_iter()
                .collect()
        }
        Syntax::Plain => {
            let line = line.trim_start();
            let line = line.strip_prefix("export ").unwrap_or(line);
            // `.pam_environment` has `NAME DEFAULT=value`.
            let end = line.find(['=', ' ', '\t']).unwrap_or(0);
            let value = line[end..].split_once('=').map(|(_, value)| value.trim());
            let value = value.map(|value| value.trim_matches(['"', '\'']).to_owned());
            name(&line[..end]).map(|name| (name, value)).into_iter().collect()
        }
        Syntax::Posix => commands(line).iter().flat_map(|words| posix(words)).collect(),
        Syntax::Fish => commands(line).iter().filter_map(|words| fish(words)).collect(),
    }
}

fn posix(words: &[String]) -> Vec<Exported> {
    let starts = |word: &&String| !matches!(word.as_str(), "then" | "do" | "else" | "{" | "(");
    let mut words = words.iter().skip_while(|word| !starts(word));
    let exports = match words.next().map(String::as_str) {
        Some("export") => true,
        Some("declare" | "typeset") => words.clone().any(|word| is_flag(word, 'x')),
        _ => false,
    };
    let words = words.filter(|word| exports && !word.starts_with('-'));
    let exported = words.filter_map(|word| {
        let name = name(word.split(['=', '+']).next().unwrap_or(word))?;
        // What `+=` adds to is not in the line.
        let value = word[name.len()..].strip_prefix('=').map(str::to_owned);
        Some((name, value))
    });
    exported.collect()
}

fn fish(words: &[String]) -> Option<Exported> {
    let mut words = words.iter().skip_while(|word| *word != "set").skip(1);
    let mut exported = false;
    let first = words.find(|word| {
        exported |= is_flag(word, 'x') || *word == "--export";
        !word.starts_with('-')
    })?;
    let value: Vec<&str> = words.map(String::as_str).collect();
    name(first).filter(|_| exported).map(|name| (name, Some(value.join(" "))))
}

/// Whether a cluster of short options has this letter.
fn is_flag(word: &str, letter: char) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.contains(letter)
}

fn name(text: &str) -> Option<String> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let fits = text.bytes().all(is_name) && text.starts_with(|c: char| !c.is_ascii_digit());
    (fits && !text.is_empty()).then(|| text.to_owned())
}

/// The commands of a line as words; what is quoted holds together, and a comment ends the line.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word = String::new();
    let mut quote = None;
    for c in line.chars().chain(['\n']) {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '#') if word.is_empty() => break,
            (None, ';' | '&' | '|' | ' ' | '\t' | '\n') => {
                if let Some(command) = commands.last_mut().filter(|_| !word.is_empty()) {
                    command.push(std::mem::take(&mut word));
                }
                if matches!(c, ';' | '&' | '|') {
                    commands.push(Vec::new());
                }
            }
            _ => word.push(c),
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str, syntax: Syntax) -> String {
        let exports = exports(line, syntax);
        exports.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn posix_exports_in_their_spellings() {
        let names = |line| names(line, Syntax::Posix);
        assert_eq!(names("export CFLAGS=\"-O3 CC=x\" CXX=g++ # LD=y"), "CFLAGS CXX");
        assert_eq!(names("  [ -d /opt ] && export CPATH=/opt"), "CPATH");
        assert_eq!(names("if true; then export A='b;c'; fi"), "A");
        assert_eq!(names("declare -gx RUSTFLAGS=-Cx; typeset -i CC"), "RUSTFLAGS");
        assert_eq!(names("export LDFLAGS+=' -s' -n"), "LDFLAGS");
        for nothing in ["CFLAGS=-O3", "# export CC=gcc", "echo export CC", "export \"$X\"=1"] {
            assert_eq!(names(nothing), "", "{nothing}");
        }
    }

    #[test]
    fn fish_and_environment_files() {
        assert_eq!(names("set -gx CC clang", Syntax::Fish), "CC");
        assert_eq!(names("test -d /x; and set --global --export CPATH /x", Syntax::Fish), "CPATH");
        assert_eq!(names("set -g CC clang", Syntax::Fish), "");
        let universal = "SETUVAR --export RUSTFLAGS:\\x2dCx";
        assert_eq!(names(universal, Syntax::FishUniversal), "RUSTFLAGS");
        assert_eq!(names("SETUVAR CC:gcc", Syntax::FishUniversal), "");
        assert_eq!(names("CC=gcc", Syntax::Plain), "CC");
        assert_eq!(names("CC DEFAULT=gcc", Syntax::Plain), "CC");
        assert_eq!(names("# CC=gcc", Syntax::Plain), "");
    }

    #[test]
    fn values_are_those_that_are_written() {
        let value = |line, syntax| exports(line, syntax).remove(0).1;
        let some = |value: &str| Some(value.to_owned());
        assert_eq!(value("export MAKEFLAGS=\"-j 8\"", Syntax::Posix), some("-j 8"));
        assert_eq!(value("export CC", Syntax::Posix), None);
        assert_eq!(value("export CFLAGS+=' -s'", Syntax::Posix), None);
        assert_eq!(value("set -gx MAKEFLAGS -j8", Syntax::Fish), some("-j8"));
        assert_eq!(value("MAKEFLAGS=\"-j8\"", Syntax::Plain), some("-j8"));
        assert_eq!(value("CC DEFAULT=gcc", Syntax::Plain), some("gcc"));
    }
}
