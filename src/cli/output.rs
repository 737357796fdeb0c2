//! Outcomes as text or JSON. Data goes to standard output, in sentences or in one document.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::progress::megabytes;
use super::style::Style;
use crate::inspect::{Facts, Rule, Verdict};
use crate::ops::{
    EnvFiles, LockOutcome, RecipeListing, RestoreOutcome, StoreListing, StoreSize, VerifyOutcome,
};
use crate::recipe::{Component, Origin, Provides, Recipe};
use crate::sys::ambient::Ambient;
use crate::vocab::name::Name;
use crate::vocab::triple::RustTriple;

/// Writes data to standard output. A reader that went away ends the program quietly, as with
/// other tools in a pipe.
pub fn data(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// One document, its schema first.
pub fn document(name: &str, mut body: Value) -> String {
    let mut document = serde_json::Map::new();
    document.insert("schema".to_owned(), format!("xprov/{name}/v1").into());
    if let Value::Object(fields) = &mut body {
        document.append(fields);
    }
    format!("{}\n", Value::Object(document))
}

fn triples(triples: &[RustTriple]) -> String {
    triples.iter().map(RustTriple::as_str).collect::<Vec<_>>().join(", ")
}

/// The summary of `env --write`.
pub fn env_files_text(files: &EnvFiles, ambient: &Ambient) -> String {
    let dir = ambient.shown(&files.dir).display();
    if files.written.is_empty() {
        return format!("{dir} is up to date ({} files)\n", files.unchanged.len());
    }
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().display().to_string();
    let names: Vec<String> = files.written.iter().map(name).collect();
    format!("wrote {} in {dir}\n", names.join(", "))
}

/// The same for machines.
pub fn env_files_json(files: &EnvFiles) -> String {
    document("env-files", json!({ "written": files.written, "unchanged": files.unchanged }))
}

/// The summary of `lock` and `update`.
pub fn lock_text(outcome: &LockOutcome) -> String {
    let path = outcome.path.file_name().unwrap_or_default().to_string_lossy();
    if !outcome.changed {
        return format!("{path} is up to date ({} entries)\n", outcome.entries);
    }
    let mut text = String::new();
    for (sign, keys) in [("+", &outcome.added), ("-", &outcome.removed)] {
        for key in keys {
            let _ = writeln!(text, "{sign} {key}");
        }
    }
    text
}

/// The same for machines.
pub fn lock_json(outcome: &LockOutcome) -> String {
    let keys = |keys: &[crate::lockfile::Key]| -> Vec<String> {
        keys.iter().map(ToString::to_string).collect()
    };
    let body = json!({
        "path": outcome.path,
        "changed": outcome.changed,
        "added": keys(&outcome.added),
        "removed": keys(&outcome.removed),
        "entries": outcome.entries,
    });
    document("lock", body)
}

/// The summary of `restore`, for standard error.
pub fn restore_text(outcome: &RestoreOutcome, seconds: f64) -> String {
    let reused = outcome.objects.saturating_sub(outcome.fetched);
    format!(
        "restored {} objects for {}: {} downloaded, {reused} reused, in {seconds:.1} s",
        outcome.objects,
        triples(&outcome.targets),
        megabytes(outcome.fetched_bytes),
    )
}

/// The same for machines.
pub fn restore_json(outcome: &RestoreOutcome) -> String {
    let body = json!({
        "targets": outcome.targets,
        "objects": outcome.objects,
        "fetched": outcome.fetched,
        "fetched-bytes": outcome.fetched_bytes,
    });
    document("restore", body)
}

/// What `verify` found.
pub fn verify_text(outcomes: &[VerifyOutcome], style: Style) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        let verdict = if outcome.passed() { style.good("pass") } else { style.error("FAIL") };
        let _ = writeln!(text, "{verdict} {} ({})", outcome.file.display(), outcome.target);
        for finding in &outcome.findings {
            let verdict = match finding.verdict {
                Verdict::Pass => style.good("pass"),
                Verdict::Fail => style.error("FAIL"),
                Verdict::Note => style.warning("note"),
                Verdict::Unproven => style.warning("unproven"),
            };
            let _ = writeln!(text, "  {verdict} {}: {}", finding.rule.id(), finding.evidence);
            if let Some(reason) = &finding.allowed {
                let _ = writeln!(text, "       allowed: {reason}");
            } else if let Some(help) = &finding.help {
                let _ = writeln!(text, "       {} {help}", style.help("help:"));
            }
        }
    }
    text
}

/// What a build made: a line for each binary that passed, all findings of one that did not, and
/// how to run it; `command` calls xprov again for the same directory.
pub fn built_text(outcomes: &[&VerifyOutcome], style: Style, command: &str) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        if outcome.passed() {
            let file = outcome.file.display();
            let _ = writeln!(text, "{} {file}: {}", style.good("    Verified"), brief(outcome));
        } else {
            text.push_str(&verify_text(std::slice::from_ref(*outcome), style));
        }
    }
    let runs = |outcome: &&&VerifyOutcome| match &outcome.facts {
        Facts::Elf(elf) => elf.kind.is_program(),
        // There is no emulator of a Mac.
        Facts::MachO(file) => file.is_program && cfg!(target_os = "macos"),
    };
    let programs = outcomes.iter().filter(runs);
    if let Some(first) = programs.into_iter().find(|outcome| outcome.passed()) {
        let name = first.file.file_name().unwrap_or_default().to_string_lossy();
        let run = format!("{command} run --target {} --bin {name}", first.target);
        let _ = writeln!(text, "\n  {} run it with `{run}`", style.help("help:"));
    }
    text
}

/// The target's name and what the binary needs of it.
fn brief(outcome: &VerifyOutcome) -> String {
    let system = [Rule::GlibcCeiling, Rule::MacosCeiling];
    let glibc = outcome.findings.iter().find(|finding| system.contains(&finding.rule));
    // The evidence names symbols in brackets, which are for the full report.
    let glibc = glibc.map(|finding| finding.evidence.split(" (").next().unwrap_or_default());
    match glibc {
        Some(glibc) if !glibc.is_empty() => format!("{}, {glibc}", outcome.target),
        _ => outcome.target.to_string(),
    }
}

/// The same for machines.
pub fn verify_json(outcomes: &[VerifyOutcome]) -> String {
    let files = verified(outcomes);
    format!("{}\n", json!({ "schema": "xprov/verify/v2", "files": files }))
}

/// The elements of `files`.
pub fn verified(outcomes: &[VerifyOutcome]) -> Vec<Value> {
    let file = |outcome: &VerifyOutcome| {
        json!({
            "file": outcome.file,
            "target": outcome.target,
            "passed": outcome.passed(),
            "facts": outcome.facts,
            "findings": outcome.findings,
        })
    };
    outcomes.iter().map(file).collect()
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::BuiltIn => "built-in".to_owned(),
        Origin::Project { path, shadows: false } => path.clone(),
        Origin::Project { path, shadows: true } => format!("{path}, hides the built-in one"),
    }
}

/// The table of `recipes list`.
pub fn recipes_text(listings: &[RecipeListing]) -> String {
    let width = listings.iter().map(|l| l.recipe.name.as_str().len()).max().unwrap_or(0);
    let mut text = String::new();
    for RecipeListing { recipe, origin: from } in listings {
        let _ = writeln!(
            text,
            "{:width$}  {:10}  {}  [{}]{}",
            recipe.name.as_str(),
            recipe.slot.as_str(),
            recipe.summary,
            origin(from),
            recipe.doubt().map(|doubt| format!("  ({doubt})")).unwrap_or_default()
        );
    }
    text
}

/// The same for machines.
pub fn recipes_json(listings: &[RecipeListing]) -> String {
    let recipes: Vec<Value> = listings.iter().map(recipe_value).collect();
    document("recipes", json!({ "recipes": recipes }))
}

fn recipe_value(listing: &RecipeListing) -> Value {
    let path = match &listing.origin {
        Origin::BuiltIn => Value::Null,
        Origin::Project { path, .. } => path.clone().into(),
    };
    json!({ "recipe": listing.recipe, "path": path })
}

/// The page of `recipes show`.
pub fn recipe_text(listing: &RecipeListing) -> String {
    let recipe: &Recipe = &listing.recipe;
    let mut text = format!("{} ({})\n{}\n", recipe.name, origin(&listing.origin), recipe.summary);
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name}: {value}");
        }
    };
    line("slot", recipe.slot.as_str());
    line("tool", recipe.tool.as_ref().map(Name::as_str).unwrap_or_default());
    line("homepage", recipe.homepage.as_deref().unwrap_or_default());
    line("licence", recipe.licence.as_deref().unwrap_or_default());
    let every = if recipe.targets.is_empty() { "every" } else { "" };
    line("targets", &format!("{every}{}", triples(&recipe.targets)));
    let default_for = triples(&recipe.default_for);
    let default = if default_for.is_empty() { "no" } else { &default_for };
    line("default", if recipe.default { "yes" } else { default });
    line("pins", recipe.doubt().as_deref().unwrap_or_default());
    if let Some(debian) = &recipe.debian {
        let suites: Vec<&str> = debian.suites.iter().map(|suite| suite.suite.as_str()).collect();
        line("suites", &suites.join(", "));
    }
    for variant in &recipe.variants {
        line("hosts", &triples(&variant.hosts));
        for component in &variant.components {
            let asked = if component.optional { " (on request)" } else { "" };
            let of = component.targets.join(", ");
            let of = if of.is_empty() { of } else { format!(" for {of}") };
            let built = component.derivation.map_or("", |_| "built from ");
            line(
                &format!("  {}{of}{asked}", component.name),
                &format!("{built}{}", sources(component)),
            );
        }
        let provides = &variant.provides;
        let of_targets = provides.target.keys().map(|target| provides.for_target(Some(target)));
        let all: Vec<Provides> = of_targets.chain([provides.clone()]).collect();
        let each = |list: BTreeSet<&str>| list.into_iter().collect::<Vec<_>>().join(", ");
        let tools = all.iter().flat_map(|provides| provides.tools.keys().map(String::as_str));
        line("  tools", &each(tools.collect()));
        let variables: Vec<&str> = provides.env.keys().map(String::as_str).collect();
        line("  variables", &variables.join(", "));
        line(
            "  glibc",
            &each(all.iter().filter_map(|provides| provides.glibc.as_deref()).collect()),
        );
    }
    text
}

fn sources(component: &Component) -> String {
    let versions = component
        .artifacts
        .iter()
        .map(|artifact| format!("{} ({})", artifact.version, artifact.status.as_str()));
    let release = component.dist.iter().map(|name| format!("{name} of Rust's releases"));
    let packages = component.packages.iter().cloned();
    let own = component.impure.then(|| "the machine's own".to_owned());
    let mut all: Vec<String> =
        own.into_iter().chain(packages).chain(release).chain(versions).collect();
    // One version has an artifact for each host and target.
    all.dedup();
    all.join(", ")
}

/// The same for machines.
pub fn recipe_json(listing: &RecipeListing) -> String {
    document("recipe", recipe_value(listing))
}

/// The table of `store list`.
pub fn store_list_text(listings: &[StoreListing]) -> String {
    let mut text = String::new();
    for StoreListing { object, bytes } in listings {
        let hash = object.path.tree_hash().to_string();
        let _ =
            writeln!(text, "{:>10}  {}  {}", megabytes(*bytes), &hash[..12], object.path.label());
    }
    text
}

/// The same for machines.
pub fn store_list_json(listings: &[StoreListing]) -> String {
    let objects: Vec<Value> = listings
        .iter()
        .map(|listing| {
            json!({
                "store-path": listing.object.path.to_string(),
                "tree-hash": listing.object.path.tree_hash(),
                "directory": listing.object.dir,
                "bytes": listing.bytes,
            })
        })
        .collect();
    document("store-list", json!({ "objects": objects }))
}

/// The line of `store size`.
pub fn store_size_text(size: &StoreSize) -> String {
    format!("{} in {} objects at {}\n", megabytes(size.bytes), size.objects, size.root.display())
}

/// The same for machines.
pub fn store_size_json(size: &StoreSize) -> String {
    let body = json!({ "root": size.root, "objects": size.objects, "bytes": size.bytes });
    document("store-size", body)
}
