//! The options of gcc and its kin, as far as it matters what they are: which take the next word,
//! which say what a call does, which ask for this machine's CPU. Tables; decides nothing.

use super::machine::{self, Named};

/// Options whose value is the next argument: it is not looked at.
const WITH_VALUE: &[&str] = &[
    "-o",
    "-x",
    "-D",
    "-U",
    "-A",
    "-u",
    "-z",
    "-e",
    "-T",
    "-Tbss",
    "-Tdata",
    "-Ttext",
    "-l",
    "-MF",
    "-MT",
    "-MQ",
    "-include",
    "-imacros",
    "-iprefix",
    "-iwithprefix",
    "-iwithprefixbefore",
    "-imultilib",
    "-Xassembler",
    "-Xpreprocessor",
    "-Xlinker",
    "-Xclang",
    "-mllvm",
    "-arch",
    "-target",
    "-framework",
    "-aux-info",
    "-dumpbase",
    "-dumpdir",
    "-dumpbase-ext",
    "-specs",
    "-wrapper",
    "--param",
    "--for-linker",
    "--for-assembler",
    "--output",
];

/// Options after which nothing is linked.
const COMPILES: &[&str] = &["-c", "-S", "-E", "-M", "-MM", "-fsyntax-only"];

/// Options with which a compiler prints something and does nothing else.
const PRINTS: &[&str] = &["--version", "-###", "--target-help", "-V", "-qversion"];
const PRINTS_PREFIXES: &[&str] = &["-print-", "--print-", "-dump", "--dump", "--help"];

/// Whether the option's value is the next word.
pub fn takes_next(option: &str) -> bool {
    WITH_VALUE.contains(&option) || machine::directory(option) == Named::Next
}

/// Whether nothing is linked.
pub fn compiles(option: &str) -> bool {
    COMPILES.contains(&option)
}

/// Whether the compiler prints something and does nothing else.
pub fn prints(option: &str) -> bool {
    let names_outputs = ["-dumpbase", "-dumpdir", "--dumpbase", "--dumpdir"];
    PRINTS.contains(&option)
        || PRINTS_PREFIXES.iter().any(|start| option.starts_with(start))
            && !names_outputs.iter().any(|start| option.starts_with(start))
}

/// How a call says for which CPU the code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not at all.
    Unsaid,
    /// With `-march`.
    Arch,
    /// With `-mcpu`.
    Cpu,
}

/// What an option says of it.
pub fn level(option: &str) -> Level {
    match option {
        _ if option.starts_with("-mcpu=") => Level::Cpu,
        _ if option.starts_with("-march=") => Level::Arch,
        _ => Level::Unsaid,
    }
}

/// An option that asks for this machine's CPU, in its plain spelling, and how many words follow it.
/// gcc reads `--machine=arch=native`, `--machine-arch=native` and `--machine arch=native` as
/// `-march=native`.
pub fn native(text: &str, next: Option<&str>) -> Option<(&'static str, usize)> {
    let (value, length) = match text.strip_prefix("--machine") {
        Some("") => (next?, 1),
        Some(rest) => (rest.strip_prefix(['=', '-'])?, 0),
        None => (text.strip_prefix("-m")?, 0),
    };
    let option = match value {
        "arch=native" => "-march=native",
        "cpu=native" => "-mcpu=native",
        "tune=native" => "-mtune=native",
        _ => return None,
    };
    Some((option, length))
}
