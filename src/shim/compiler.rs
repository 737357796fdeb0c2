//! The arguments of a C or C++ compiler: what asks for this machine's instruction set or names its
//! directories is taken out, and it is told apart what the call is for. Pure.

use std::ffi::OsString;
use std::path::Path;

use super::ledger::{Notice, NoticeKind};
use super::machine::{self, Roots};
use super::option::{self, Level};
use super::policy::{Action, Crate, Decision, Policy, crate_setting};
use super::{Denied, ReadFile, response};
use crate::vocab::isa::Baseline;

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It asks the tool about itself.
    Probe,
    /// It makes anything but a linked file.
    Compile,
    /// It links.
    Link,
}

/// The arguments after the rewriting, and what was found.
#[derive(Debug)]
pub struct Arguments {
    /// What the tool gets.
    pub words: Vec<OsString>,
    /// What was changed.
    pub notices: Vec<Notice>,
    /// What the call does.
    pub step: Step,
    /// Why the call may not happen.
    pub denied: Option<Denied>,
    /// Whether they name a CPU with `-mcpu`.
    pub cpu: bool,
}

/// What a rewriting goes by.
pub struct Rules<'a> {
    /// The policy for instruction sets.
    pub policy: Option<&'a Policy>,
    /// The crate that the call is for.
    pub krate: Crate<'a>,
    /// Makes the directories that may be named although they are below one of the machine's.
    pub roots: &'a dyn Fn() -> Roots,
    /// Reads an `@file`.
    pub read: ReadFile<'a>,
}

/// How many files may name files, a loop or not; gcc allows 2000 in all.
const DEPTH: usize = 16;

/// Rewrites the caller's arguments.
pub fn rewrite(arguments: &[OsString], rules: &Rules<'_>) -> Arguments {
    let mut scan = Scan::new(rules);
    let mut words = Vec::with_capacity(arguments.len() + 8);
    scan.words(arguments, DEPTH, &mut words);
    let step = match (scan.prints, scan.compiles, scan.inputs) {
        (true, ..) | (_, _, false) => Step::Probe,
        (_, true, _) => Step::Compile,
        _ => Step::Link,
    };
    Arguments {
        words,
        notices: scan.notices,
        step,
        denied: scan.denied,
        cpu: scan.level == Level::Cpu,
    }
}

struct Scan<'a> {
    rules: &'a Rules<'a>,
    roots: Option<Roots>,
    decision: Option<Decision>,
    notices: Vec<Notice>,
    denied: Option<Denied>,
    prints: bool,
    compiles: bool,
    inputs: bool,
    level: Level,
}

impl<'a> Scan<'a> {
    fn new(rules: &'a Rules<'a>) -> Self {
        Self {
            rules,
            roots: None,
            decision: None,
            notices: Vec::new(),
            denied: None,
            prints: false,
            compiles: false,
            inputs: false,
            level: Level::Unsaid,
        }
    }

    /// Appends what becomes of `words` to `out`, and says whether that is something else.
    fn words(&mut self, words: &[OsString], depth: usize, out: &mut Vec<OsString>) -> bool {
        let mut changed = false;
        let mut rest = words;
        while let [word, after @ ..] = rest {
            rest = after;
            // What is no text is a file's name.
            let Some(text) = word.to_str() else {
                self.inputs = true;
                out.push(word.clone());
                continue;
            };
            if let Some(path) = text.strip_prefix('@')
                && let Some(contents) = self.file(path, depth)
            {
                let mut inner = Vec::with_capacity(contents.len());
                if self.words(&contents, depth - 1, &mut inner) {
                    changed = true;
                    out.append(&mut inner);
                } else {
                    out.push(word.clone());
                }
                continue;
            }
            let length = if let Some(length) = self.option(text, after, out) {
                changed = true;
                length
            } else {
                let length = self.look(text);
                out.push(word.clone());
                out.extend_from_slice(&rest[..words_of(rest, length)]);
                length
            };
            rest = &rest[words_of(rest, length)..];
        }
        changed
    }

    fn file(&self, path: &str, depth: usize) -> Option<Vec<OsString>> {
        let text = (depth > 0).then(|| (self.rules.read)(Path::new(path)))?;
        Some(response::words(&text?))
    }

    /// Takes an option out or puts others in its place: how many words it has, including the first,
    /// less one. `None` where it stays.
    fn option(&mut self, text: &str, after: &[OsString], out: &mut Vec<OsString>) -> Option<usize> {
        if !text.starts_with('-') {
            return None;
        }
        let next = after.first().and_then(|next| next.to_str());
        if let Some((option, length)) = option::native(text, next) {
            return self.native(option, out).then_some(length);
        }
        let roots = self.rules.roots;
        let known = &mut self.roots;
        let mut roots = || known.get_or_insert_with(roots).clone();
        let dropped = machine::without_machine(text, after, &mut roots)?;
        for dir in &dropped.dirs {
            self.host_directory(dropped.what.clone(), dropped.left.clone(), dir);
        }
        out.extend(dropped.left.map(OsString::from));
        Some(dropped.length)
    }

    /// Notes what a word that stays says of the call: the number of words after it that belong to it.
    fn look(&mut self, text: &str) -> usize {
        if !text.starts_with('-') || text == "-" || text.starts_with("-l") {
            self.inputs = true;
        }
        self.compiles |= option::compiles(text);
        self.prints |= option::prints(text);
        self.level = self.level.max(option::level(text));
        usize::from(option::takes_next(text))
    }

    fn host_directory(&mut self, what: String, became: Option<String>, dir: &str) {
        self.notices.push(Notice {
            kind: NoticeKind::HostDirectory,
            what,
            became,
            why: "it is a directory of this machine".to_owned(),
            allow: Some(format!("sandbox.read = [\"{dir}\"]")),
        });
    }

    /// Whether the option was taken out.
    fn native(&mut self, option: &str, out: &mut Vec<OsString>) -> bool {
        let Some(policy) = self.rules.policy else { return false };
        let decision = self.decision.get_or_insert_with(|| policy.decide(self.rules.krate));
        let tune = option.starts_with("-mtune");
        let baseline = Baseline::of(&policy.arch, Some(&policy.baseline));
        let flags: &[&str] = match &decision.action {
            Action::Native => return false,
            _ if tune => &[],
            Action::Level(level) => Baseline::level_flags(&policy.arch, level).unwrap_or_default(),
            // It is before all of them already; after another level it has to be said again.
            Action::Baseline if self.level != Level::Unsaid => {
                baseline.as_ref().map(Baseline::c_flags).unwrap_or_default()
            }
            Action::Baseline | Action::Deny => &[],
        };
        out.extend(flags.iter().map(OsString::from));
        let denies = decision.action == Action::Deny && !tune;
        let became = match &baseline {
            _ if denies || tune => None,
            _ if !flags.is_empty() => Some(flags.join(" ")),
            Ok(baseline) => Some(baseline.c_flags().join(" ")),
            Err(_) => None,
        };
        if denies {
            self.denied = Some(Denied {
                krate: self.rules.krate.name.map(str::to_owned),
                flag: option.to_owned(),
                setting: decision.setting.clone(),
                instead: crate_setting(self.rules.krate, "baseline"),
            });
        }
        let why = "it means the machine that builds, not the one that runs";
        self.notices.push(Notice {
            kind: NoticeKind::Isa,
            what: option.to_owned(),
            became,
            why: why.to_owned(),
            allow: crate_setting(self.rules.krate, "native"),
        });
        true
    }
}

/// As many of `rest` as there are, and no more than `length`.
fn words_of(rest: &[OsString], length: usize) -> usize {
    rest.len().min(length)
}

#[cfg(test)]
mod tests;
