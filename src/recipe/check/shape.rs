//! The parts of a recipe, each looked at by itself: names, URLs, paths, placeholders.

use std::collections::{BTreeMap, BTreeSet};

use super::super::model::{Component, Provides, Recipe, Slot, Status, ToolKind, Variant};
use super::targets as all_targets;
use crate::vocab::relpath::RelPath;
use crate::vocab::triple::RustTriple;
use crate::vocab::url::Url;

/// What `args` of tools may have in braces, and what names of packages.
const IN_ARGS: &[&str] = &["tree", "sysroot", "files"];
const IN_PACKAGES: &[&str] = &["host-arch", "target-arch"];

/// Lists of targets that contradict each other.
pub fn targets(recipe: &Recipe) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for target in recipe.targets.iter().filter(|target| !seen.insert(*target)) {
        found.push(format!("`targets` has `{target}` twice"));
    }
    let foreign =
        |key: &str, target| format!("`{key}` has `{target}`, which is none of its targets");
    let defaults = recipe.default_for.iter().filter(|target| !recipe.serves(target));
    found.extend(defaults.map(|target| foreign("default-for", target)));
    let provides = recipe.variants.iter().flat_map(|variant| variant.provides.target.keys());
    let provides = provides.filter(|target| !recipe.serves(target));
    found.extend(provides.map(|target| foreign("provides.target", target)));
    found
}

/// Components: their names, pins and packages.
pub fn components(variant: &Variant) -> Vec<String> {
    let mut found = Vec::new();
    let mut names = BTreeSet::new();
    for component in &variant.components {
        let name = &component.name;
        // What is for other targets may be another component of the same name.
        if !names.insert((name.as_str().to_lowercase(), &component.targets)) {
            found.push(format!("two components are `{name}`"));
        }
        found.extend(pins(component));
        for package in &component.packages {
            found.extend(placeholders(package, IN_PACKAGES));
        }
    }
    found
}

fn pins(component: &Component) -> Vec<String> {
    let name = &component.name;
    let mut found = Vec::new();
    let mut keys = BTreeSet::new();
    for pin in &component.artifacts {
        if !keys.insert((&pin.version, &pin.host, &pin.target)) {
            let of: Vec<String> = [&pin.host, &pin.target]
                .into_iter()
                .flatten()
                .map(|of| format!("`{of}`"))
                .collect();
            let of = if of.is_empty() { "every host".to_owned() } else { of.join(" and ") };
            found.push(format!("component `{name}` has two artifacts {} for {of}", pin.version));
        }
        if pin.urls.is_empty() {
            found.push(format!("component `{name}` has a pin without a URL"));
        }
        for url in pin.urls.iter().filter(|url| !is_private(url)) {
            found.push(format!("component `{name}`: {url} is not https:"));
        }
        if pin.seen_in.is_empty() && pin.status != Status::VerifiedBytes {
            found.push(format!("component `{name}` has a pin that nobody says where it was seen"));
        }
    }
    found
}

/// Whether nobody on the way can see or change what is asked for: https, a file, this machine.
fn is_private(url: &Url) -> bool {
    let loopback = ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"];
    ["https://", "file://"].iter().chain(&loopback).any(|start| url.as_str().starts_with(start))
}

/// What the trees provide: names of tools, paths, placeholders.
pub fn provides(recipe: &Recipe, variant: &Variant) -> Vec<String> {
    let mut found = Vec::new();
    let targets = all_targets(recipe);
    for target in &targets {
        let provides = variant.provides.for_target(Some(target));
        let needed = match recipe.slot {
            Slot::Cc if provides.linker.is_some() => Vec::new(),
            Slot::Cc => vec![format!("{}-gcc", target.tool_prefix())],
            Slot::Rust => ["cargo", "rustc", "rustdoc"].map(str::to_owned).to_vec(),
            Slot::Runner | Slot::Tools | Slot::HostTools => Vec::new(),
        };
        for name in needed.iter().filter(|name| !provides.tools.contains_key(*name)) {
            found.push(format!("nothing is `{name}`, which builds for `{target}` call"));
        }
        found.extend(names(&provides));
        found.extend(paths(&provides));
    }
    if recipe.slot == Slot::Cc {
        let prefixes: Vec<String> = targets.iter().map(RustTriple::tool_prefix).collect();
        let compilers = variant.provides.tools.iter().filter(|(name, tool)| {
            matches!(tool.kind, ToolKind::Cc | ToolKind::Cxx | ToolKind::ZigCc)
                && !name.starts_with("{prefix}-")
                && !prefixes.iter().any(|prefix| name.starts_with(&format!("{prefix}-")))
        });
        let hint = prefixes.first().map_or("", String::as_str);
        found.extend(compilers.map(|(name, _)| {
            format!("compiler `{name}` begins with no target's prefix, such as `{hint}-`")
        }));
    }
    found
}

fn names(provides: &Provides) -> Vec<String> {
    let mut found = Vec::new();
    let mut by_case: BTreeMap<String, &str> = BTreeMap::new();
    for name in provides.tools.keys().chain(provides.names.keys()) {
        if name.is_empty() || name.contains(|c: char| c == '/' || c.is_whitespace()) {
            found.push(format!("`{name}` is no name of a program"));
        }
        if let Some(other) = by_case.insert(name.to_lowercase(), name) {
            found.push(format!("tools `{other}` and `{name}` differ by case only"));
        }
    }
    for argument in provides.tools.values().flat_map(|tool| &tool.args) {
        found.extend(placeholders(argument, IN_ARGS));
    }
    found
}

fn paths(provides: &Provides) -> Vec<String> {
    let tools =
        provides.tools.values().filter(|tool| tool.refuse.is_none()).map(|tool| &tool.program);
    let dirs = [&provides.sysroot, &provides.loader_root, &provides.compiler_include];
    let lists = [&provides.omit, &provides.pkg_config, &provides.links];
    let all = provides.names.values().chain(tools).chain(lists.into_iter().flatten());
    let all = all.chain(dirs.into_iter().flatten()).filter(|path| *path != ".");
    let wrong = all.filter(|path| RelPath::parse(path.as_bytes()).is_err());
    wrong.map(|path| format!("`{path}` is no path in the tree")).collect()
}

/// What is in braces and not known.
fn placeholders(text: &str, known: &[&str]) -> Vec<String> {
    let inside = text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
    let unknown = inside.filter(|name| !known.contains(name));
    unknown.map(|name| format!("`{{{name}}}` in `{text}` is not replaced by anything")).collect()
}
