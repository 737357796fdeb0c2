//! The page of the leak corpus and the rows of its tests agree: no row has lost its test, and no
//! test its row. The tests themselves need real toolchains (`tests/real/leaks`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of the page: name and test, both as they stand between backticks.
fn page() -> Vec<(String, String)> {
    let page = read("docs/leaks.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix("` |"));
    rows.map(|row| {
        let (id, rest) = row.split_once('`').expect("a name");
        let (_, test) = rest.rsplit_once('`').expect("a test");
        (id.to_owned(), test.to_owned())
    })
    .collect()
}

/// The texts of a source file that are names like those of rows.
fn names(source: &str) -> Vec<String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: Vec<&str> = code.collect();
    let code = code.join("\n");
    let texts = code.split('"').map(str::to_owned);
    let is_name = |text: &String| {
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !text.is_empty() && text.chars().all(letters) && !text.starts_with('-')
    };
    texts.filter(is_name).collect()
}

/// The tests of the corpus: `module::function`, with the text from one to the next.
fn tests(module: &str, source: &str) -> BTreeMap<String, String> {
    let parts = source.split("#[test]\nfn ").skip(1);
    parts
        .map(|part| {
            let (name, _) = part.split_once('(').expect("a function");
            (format!("{module}::{name}"), part.to_owned())
        })
        .collect()
}

#[test]
fn every_row_of_the_page_has_its_test_and_every_test_its_rows() {
    let modules = read("tests/real/leaks.rs");
    let modules = modules.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut functions = BTreeMap::new();
    for module in modules {
        let source = read(&format!("tests/real/leaks/{module}.rs"));
        for name in names(&source) {
            *found.entry(name).or_default() += 1;
        }
        functions.extend(tests(module, &source));
    }
    let page = page();
    let ids: BTreeSet<&str> = page.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids.len(), page.len(), "a name is there twice");
    assert!(ids.len() > 100, "the page was not read");

    let mut tested = BTreeSet::new();
    for (id, test) in page.iter().filter(|(id, _)| !id.starts_with("stale-")) {
        let uses = found.get(id).copied().unwrap_or_default();
        assert_eq!(uses, 1, "`{id}` of docs/leaks.md is in tests/real/leaks {uses} times");
        let function = functions.get(test);
        let function = function.unwrap_or_else(|| panic!("`{id}`: there is no test `{test}`"));
        tested.insert(test.as_str());
        assert!(function.contains("check"), "`{test}` checks no rows");
    }
    // A row whose kind the page knows, but not the row itself.
    let kinds: BTreeSet<&str> =
        ids.iter().filter_map(|id| id.split_once('-').map(|(kind, _)| kind)).collect();
    for name in found.keys() {
        let kind = name.split_once('-').map(|(kind, _)| kind);
        let is_row = kind.is_some_and(|kind| kinds.contains(kind));
        assert!(!is_row || ids.contains(name.as_str()), "`{name}` is not in docs/leaks.md");
    }
    for (test, text) in &functions {
        let has_rows = text.contains("check(&") || text.contains("check_with(&");
        assert!(!has_rows || tested.contains(test.as_str()), "docs/leaks.md never says `{test}`");
    }
}

#[test]
fn stale_results_have_their_tests() {
    let functions = tests("stale", &read("tests/real/stale.rs"));
    let rows = page();
    let rows: Vec<_> = rows.iter().filter(|(id, _)| id.starts_with("stale-")).collect();
    assert!(rows.len() >= 8, "{rows:?}");
    for (id, test) in rows {
        assert!(functions.contains_key(test), "`{id}`: there is no test `{test}`");
    }
}
