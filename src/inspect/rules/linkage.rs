//! Where a program looks for libraries, and whether they have what it wants of them.

use std::collections::BTreeSet;

use super::{Finding, Rule, Verdict, named};
use crate::inspect::dynamic::Import;
use crate::inspect::elf::Kind;
use crate::inspect::{ElfFacts, Policy};

/// Directories that are one person's, or gone tomorrow.
const PASSING: [&str; 6] = ["/home", "/Users", "/root", "/tmp", "/var/tmp", "/private"];

/// `DT_RUNPATH` or `DT_RPATH`.
pub(super) fn runpath(elf: &ElfFacts, policy: &Policy) -> Finding {
    let finding = |verdict, evidence: String| Finding::new(Rule::Runpath, verdict, evidence);
    let Some(runpath) = &elf.runpath else { return finding(Verdict::Pass, "none".to_owned()) };
    let is_origin = |dir: &str| dir.starts_with("$ORIGIN") || dir.starts_with("${ORIGIN}");
    let (mut relative, mut passing, mut absolute) = (Vec::new(), Vec::new(), Vec::new());
    for dir in runpath.split(':').filter(|dir| !is_origin(dir)) {
        let is_below = |root: &str| {
            dir.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if !dir.starts_with('/') {
            relative.push(if dir.is_empty() {
                "an empty entry".to_owned()
            } else {
                dir.to_owned()
            });
        } else if PASSING.iter().any(|root| is_below(root))
            || policy.build_roots.iter().any(|root| is_below(&root.path))
        {
            passing.push(dir.to_owned());
        } else {
            absolute.push(dir.to_owned());
        }
    }
    let help = "leave out `-Wl,-rpath`, or make it relative to the program: \
                `-C link-arg=-Wl,-rpath,$ORIGIN/../lib`";
    let evidence = |what: &str, dirs: &[String]| format!("{what}: {}", dirs.join(", "));
    if !relative.is_empty() {
        let what = "libraries are looked for in the working directory";
        finding(Verdict::Fail, evidence(what, &relative)).with_help(help)
    } else if !passing.is_empty() {
        let what = "libraries are looked for where only this machine has them";
        finding(Verdict::Fail, evidence(what, &passing)).with_help(help)
    } else if !absolute.is_empty() {
        let what = "libraries are looked for in fixed directories";
        finding(Verdict::Note, evidence(what, &absolute)).with_help(help)
    } else {
        finding(Verdict::Pass, runpath.clone())
    }
}

/// Symbols that no needed library has.
pub(super) fn undefined(elf: &ElfFacts, policy: &Policy) -> Finding {
    let finding = |verdict, evidence: String| Finding::new(Rule::Undefined, verdict, evidence);
    let Some(imports) = &elf.imports else {
        let evidence = "the symbols cannot be read: there are no section headers";
        return finding(Verdict::Unproven, evidence.to_owned());
    };
    let wanted: Vec<&Import> = imports.iter().filter(|import| !import.weak).collect();
    if elf.kind == Kind::Relocatable {
        return finding(Verdict::Pass, "an object file may leave symbols open".to_owned());
    }
    if wanted.is_empty() {
        return finding(Verdict::Pass, "no symbol is left open".to_owned());
    }
    let Some(libraries) = &policy.libraries else {
        let evidence = format!("{} symbols, and no library of the target to ask", wanted.len());
        return finding(Verdict::Unproven, evidence)
            .with_help("name a directory with the target's libraries: `--sysroot DIR`");
    };
    let is_there = |import: &Import| libraries.found.values().any(|library| library.has(import));
    let missing: BTreeSet<String> =
        wanted.iter().filter(|import| !is_there(import)).map(|import| shown(import)).collect();
    let missing: Vec<String> = missing.into_iter().collect();
    if missing.is_empty() {
        let count = wanted.len();
        let names: Vec<&str> = libraries.found.keys().map(String::as_str).collect();
        return finding(Verdict::Pass, format!("{count} symbols, all in {}", names.join(", ")));
    }
    if !libraries.missing.is_empty() {
        let libraries = libraries.missing.join(", ");
        let evidence = format!("{} may be in {libraries}, which is not at hand", named(&missing));
        return finding(Verdict::Unproven, evidence);
    }
    let evidence = format!("no needed library has {}", named(&missing));
    if elf.kind == Kind::SharedLibrary {
        let evidence = format!("{evidence}: the program that loads it has to");
        return finding(Verdict::Note, evidence);
    }
    finding(Verdict::Fail, evidence)
        .with_help("link the library that has them, or one of the target's versions of it")
}

fn shown(import: &Import) -> String {
    match &import.version {
        Some(version) => format!("{}@{version}", import.name),
        None => import.name.clone(),
    }
}
