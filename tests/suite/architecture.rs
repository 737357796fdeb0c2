//! The rules of `docs/architecture.md`, checked against the text of `src/`.

mod policy;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use policy::Policy;
use source::{Token, paths, production};

/// A file may have so many lines.
const MOST_LINES: usize = 500;

/// What is wrong in a file of `module` (`archive/tar`; empty for `main.rs`), as `line: reason`.
fn violations(policy: &Policy, module: &str, text: &str) -> Vec<String> {
    let tokens = production(text);
    let mut found = imports(policy, module, &tokens);
    found.extend(doors(policy, module, &tokens));
    found.extend(reserved(policy, module, &tokens));
    found.extend(forbidden(&tokens));
    let lines = text.lines().count();
    if lines > MOST_LINES {
        found.push(format!("{lines}: more than {MOST_LINES} lines"));
    }
    found
}

/// Imports that point up, to the side, or where the module must not look.
fn imports(policy: &Policy, module: &str, tokens: &[Token]) -> Vec<String> {
    let own: Vec<&str> = module.split('/').filter(|part| !part.is_empty()).collect();
    let Some((top, row)) = own.first().and_then(|top| policy.modules.get_key_value(*top)) else {
        // Nothing is above the program itself.
        return Vec::new();
    };
    let mut found = Vec::new();
    for path in paths(tokens) {
        let supers = path.parts.iter().take_while(|part| *part == "super").count();
        let target = match path.parts[0].as_str() {
            "crate" => path.parts.get(1),
            "super" if supers == own.len() => path.parts.get(supers),
            _ => None,
        };
        let Some(target) = target.filter(|target| *target != top) else { continue };
        let Some(other) = policy.modules.get(target) else {
            found.push(format!("{}: `{target}` is in no table of layers", path.line));
            continue;
        };
        let allowed = if other.layer == row.layer {
            row.beside.contains(target)
        } else {
            other.layer < row.layer && !row.never.contains(target)
        };
        if !allowed {
            found.push(format!("{}: `{top}` must not import `{target}`", path.line));
        }
    }
    found
}

/// Dependencies that are named elsewhere than in their module.
fn doors(policy: &Policy, module: &str, tokens: &[Token]) -> Vec<String> {
    let paths = paths(tokens);
    // `tar::unpack` is our own module where the file declares or imports one.
    let declared = tokens.windows(2).filter(|pair| pair[0].text == "mod").map(|pair| &pair[1].text);
    let ours = ["crate", "self", "super"];
    let imported = paths.iter().filter(|path| ours.contains(&path.parts[0].as_str()));
    let local: BTreeSet<&String> =
        declared.chain(imported.filter_map(|path| path.parts.last())).collect();
    let mut found = Vec::new();
    for path in paths.iter().filter(|path| path.parts.len() > 1 && !local.contains(&path.parts[0]))
    {
        let Some(doors) = policy.doors.get(&path.parts[0]) else { continue };
        if !doors.is_empty() && !within(module, doors) {
            found.push(format!("{}: `{}` has another door", path.line, path.parts[0]));
        }
    }
    found
}

/// What only few modules may ask of the system.
fn reserved(policy: &Policy, module: &str, tokens: &[Token]) -> Vec<String> {
    let may = |what: &str| policy.reserved.get(what).is_some_and(|list| within(module, list));
    let mut found = Vec::new();
    let mut report = |what: &str, line: usize| {
        if !may(what) {
            found.push(format!("{line}: {what} is not for this module"));
        }
    };
    for path in paths(tokens) {
        if path.names(&["io", "stdout"]) || path.names(&["io", "stderr"]) {
            report("printing", path.line);
        }
        // What the compiler knows is no surrounding.
        if path.names(&["std", "env"]) && !path.names(&["env", "consts"]) {
            report("reading the environment", path.line);
        }
        if path.names(&["Command", "new"]) {
            report("starting a process", path.line);
        }
    }
    for pair in tokens.windows(2).filter(|pair| pair[1].text == "!") {
        if ["print", "println", "eprint", "eprintln"].contains(&pair[0].text.as_str()) {
            report("printing", pair[0].line);
        }
    }
    found
}

/// What no module may do.
fn forbidden(tokens: &[Token]) -> Vec<String> {
    const FORBIDDEN: [(&[&str], &str); 8] = [
        (&["set_var"], "the environment of a running process is not changed"),
        (&["remove_var"], "the environment of a running process is not changed"),
        (&["set_current_dir"], "the working directory is passed on, not changed"),
        (&["[", "allow", "("], "say `expect` and a reason"),
        (&[".", "unwrap", "("], "`unwrap` has no message"),
        (&["dbg", "!"], "left behind"),
        (&["todo", "!"], "unfinished"),
        (&["unimplemented", "!"], "unfinished"),
    ];
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let texts = || tokens[at..].iter().map(|token| token.text.as_str());
        for (pattern, reason) in FORBIDDEN {
            if texts().take(pattern.len()).eq(pattern.iter().copied()) {
                found.push(format!("{}: `{}`: {reason}", token.line, pattern.concat()));
            }
        }
    }
    found
}

/// Whether `module` is one of `list`, or below one. `main` is the program itself.
fn within(module: &str, list: &[String]) -> bool {
    list.iter().any(|door| {
        let rest = module.strip_prefix(door.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn policy() -> Policy {
    Policy::parse(&fs::read_to_string(root().join("docs/architecture.md")).expect("the page"))
}

/// Module and text of every file in `src/`.
fn files() -> Vec<(String, String)> {
    fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let src = root().join("src");
    let mut files = Vec::new();
    walk(&src, &mut files);
    files.sort();
    let module = |path: &Path| {
        let module = path.with_extension("");
        module.strip_prefix(&src).expect("below src").to_string_lossy().replace('\\', "/")
    };
    files.iter().map(|path| (module(path), fs::read_to_string(path).expect("UTF-8"))).collect()
}

#[test]
fn the_source_keeps_the_rules() {
    let (policy, files) = (policy(), files());
    assert!(files.len() > 100, "the source was not found");
    let mut found = Vec::new();
    for (module, text) in &files {
        let violations = violations(&policy, module, text);
        found.extend(violations.into_iter().map(|text| format!("src/{module}.rs:{text}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_tables_know_every_module_and_every_dependency() {
    let policy = policy();
    let top = |(module, _): (String, String)| module.split('/').next().map(str::to_owned);
    let mut modules: BTreeSet<String> = files().into_iter().filter_map(top).collect();
    modules.retain(|module| module != "lib" && module != "main");
    assert_eq!(policy.modules.keys().cloned().collect::<BTreeSet<_>>(), modules);

    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let dependencies = manifest["dependencies"].as_table().expect("dependencies").keys();
    let dependencies: BTreeSet<String> = dependencies.map(|name| name.replace('-', "_")).collect();
    assert_eq!(policy.doors.keys().cloned().collect::<BTreeSet<_>>(), dependencies);
}

#[test]
fn every_dependency_is_used_behind_its_door() {
    let files = files();
    let named: BTreeSet<String> = files
        .iter()
        .flat_map(|(_, text)| paths(&production(text)))
        .map(|path| path.parts[0].clone())
        .collect();
    let unused: Vec<String> =
        policy().doors.into_keys().filter(|dependency| !named.contains(dependency)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn every_module_that_a_table_names_exists() {
    let policy = policy();
    let modules: BTreeSet<String> = files().into_iter().map(|(module, _)| module).collect();
    let rows = policy.modules.values().flat_map(|row| row.beside.iter().chain(&row.never));
    let lists = policy.doors.values().chain(policy.reserved.values()).flatten();
    let missing: Vec<&String> =
        rows.chain(lists).filter(|module| !modules.contains(*module)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What the rules say of a text in `module`, under tables made for the purpose.
fn caught(module: &str, text: &str) -> Vec<String> {
    let policy = Policy::parse(
        "## Layers\n\n| Layer | Module | For | Beside | Never |\n|---|---|---|---|---|\n\
         | 0 | `vocab` | words | | |\n| 1 | `sys` | doors | | |\n| 2 | `tree` | trees | | |\n\
         | 2 | `archive` | archives | `tree` | |\n| 2 | `recipe` | pure | | `sys` |\n\
         | 3 | `store` | objects | | |\n\
         ## Doors\n\n| Dependency | Only in |\n|---|---|\n| `tar` | `archive` |\n\
         | `rustls`, `rustls-pki-types` | `sys/net` |\n| `serde` | anywhere |\n\
         ## Reserved\n\n| What | Only in |\n|---|---|\n| printing | `main` |\n\
         | reading the environment | `sys/ambient` |\n| starting a process | `sys` |\n",
    );
    violations(&policy, module, text)
}

#[test]
fn an_import_up_sideways_or_of_something_forbidden_is_caught() {
    assert_eq!(caught("sys/fs", "use crate::vocab::name::Name;"), [""; 0]);
    let up = "//! Doc.\nuse crate::tree::Tree;\n";
    assert_eq!(caught("sys/fs", up), ["2: `sys` must not import `tree`"]);
    assert_eq!(caught("archive/tar", up), [""; 0]);
    assert_eq!(caught("tree/scan", "use crate::archive;").len(), 1);
    assert_eq!(caught("recipe", "fn f() { crate::sys::fs::read() }").len(), 1);
    assert_eq!(caught("vocab/name", "use crate::{sys::fs, vocab::{a, b}, tree::*};").len(), 2);
    // From a file two levels below the root, `super::super` is the root.
    assert_eq!(caught("vocab/name", "use super::super::store::Store;").len(), 1);
    assert_eq!(caught("vocab/name", "use super::store::Store;"), [""; 0]);
    assert_eq!(caught("store", "use super::sys;"), [""; 0]);
    assert_eq!(caught("sys/fs", "use crate::novel::X;"), ["1: `novel` is in no table of layers"]);
}

#[test]
fn a_second_door_is_caught() {
    assert_eq!(caught("archive/tar", "use tar::Entry;"), [""; 0]);
    assert_eq!(caught("store", "use tar::Entry;"), ["1: `tar` has another door"]);
    assert_eq!(caught("store", "fn f() { rustls_pki_types::x(); }").len(), 1);
    assert_eq!(caught("sys/network", "use rustls::X;").len(), 1);
    assert_eq!(caught("sys/net/tls", "use {rustls::X, serde::Serialize};"), [""; 0]);
    // A module or variable of that name is not the dependency.
    assert_eq!(caught("store", "mod tar;\nfn f() { tar::x(); }"), [""; 0]);
    assert_eq!(caught("store/object", "use super::tar;\nfn f() { tar::x(); }"), [""; 0]);
    assert_eq!(caught("store", "fn f(tar: u8) -> u8 { tar }"), [""; 0]);
}

#[test]
fn printing_the_environment_and_processes_are_caught() {
    for text in [
        "fn f() { println!(\"x\") }",
        "fn f() { eprintln!() }",
        "use std::io::{self, stderr};",
        "fn f() { writeln!(io::stdout(), \"x\") }",
        "use std::{env, fs};",
        "fn f() { std::env::var(\"HOME\"); }",
        "use std::process::Command;\nfn f() { Command::new(\"ls\"); }",
    ] {
        assert_eq!(caught("store", text).len(), 1, "{text}");
    }
    assert_eq!(caught("sys/ambient", "use std::env;"), [""; 0]);
    assert_eq!(caught("main", "fn main() { println!() }"), [""; 0]);
    assert_eq!(caught("store", "const A: &str = std::env::consts::ARCH;"), [""; 0]);
    assert_eq!(caught("store", "const A: &str = env!(\"CARGO_PKG_VERSION\");"), [""; 0]);
}

#[test]
fn what_no_module_may_do_is_caught() {
    for text in [
        "fn f() { set_var(\"A\", \"b\") }",
        "#[allow(dead_code)] fn f() {}",
        "#![allow(dead_code)]",
        "fn f() { g().unwrap() }",
        "fn f() { todo!() }",
        "fn f() { dbg!(1); }",
    ] {
        assert_eq!(caught("store", text).len(), 1, "{text}");
    }
    assert_eq!(caught("store", "#[expect(dead_code, reason = \"r\")] fn f() {}"), [""; 0]);
    assert_eq!(caught("store", &"\n".repeat(MOST_LINES)), [""; 0]);
    let long = "\n".repeat(MOST_LINES + 1);
    assert_eq!(caught("store", &long), ["501: more than 500 lines"]);
}

#[test]
fn comments_texts_and_tests_are_not_source() {
    let bad = "println!(\"x\")";
    for text in [
        format!("// {bad}\n"),
        format!("/* /* */ {bad} */"),
        "const A: &str = \"\\\" println!() \";".to_owned(),
        format!("const A: &str = r#\"\" {bad}\"#;"),
        format!("#[cfg(test)]\nmod tests {{ fn f() {{ {bad} }} }}"),
        "#[cfg(test)]\nuse std::{env, fs};".to_owned(),
    ] {
        assert_eq!(caught("store", &text), [""; 0], "{text}");
    }
    // What follows them is.
    for text in [
        format!("const Q: char = '\"';\nfn f<'a>() {{ {bad} }}"),
        format!("#[cfg(test)]\nmod tests {{ }}\nfn f() {{ {bad} }}"),
        format!("const A: &str = \"\n\";{bad}"),
    ] {
        assert_eq!(caught("store", &text).len(), 1, "{text}");
    }
}
