//! The table of hosts and targets in docs/targets.md says what the built-in recipes say.

use std::fmt::Write as _;

use xprov::recipe::{Collection, Slot};
use xprov::settings::Choice;
use xprov::vocab::triple::RustTriple;

const HOSTS: [&str; 4] = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
];

const TARGETS: [&str; 7] = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "armv7-unknown-linux-gnueabihf",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "armv7-unknown-linux-musleabihf",
    "i686-unknown-linux-musl",
];

/// What may be said of a pair: what was done with what the toolchain made.
const TRIED: [&str; 4] = ["run", "linked", "checked", "not tried"];

const PAGE: &str = include_str!("../../docs/targets.md");

/// The columns that follow from the recipes: host, target, default recipe, its pins, the others.
fn rows() -> Vec<[String; 5]> {
    let collection = Collection::load(&[]).expect("the built-in recipes");
    let mut rows = Vec::new();
    for (host, target) in HOSTS.iter().flat_map(|host| TARGETS.map(|target| (*host, target))) {
        let [on, to]: [RustTriple; 2] = [host, target].map(|text| text.parse().expect("a triple"));
        let hosts = std::slice::from_ref(&on);
        let chosen = collection.select(Slot::Cc, &to, hosts, &Choice::default());
        let first = chosen.ok().map(|selected| selected.recipe.name.clone());
        let of_slot = collection.iter().map(|of| of.recipe).filter(|of| of.slot == Slot::Cc);
        let (mut pins, mut others) = (String::new(), Vec::new());
        for recipe in of_slot {
            let Some(status) = recipe.attested(&on, &to) else { continue };
            let taken = recipe.variants.iter().flat_map(|variant| &variant.components);
            let taken: Vec<_> = taken.filter(|component| !component.optional).collect();
            let status = if taken.iter().any(|component| component.wheel) {
                "package index"
            } else if taken.iter().any(|component| !component.packages.is_empty()) {
                "signed index"
            } else {
                status.as_str()
            };
            if Some(&recipe.name) == first.as_ref() {
                status.clone_into(&mut pins);
            } else {
                others.push(format!("{} ({status})", recipe.name));
            }
        }
        let first = first.map_or_else(|| "none".to_owned(), |name| name.to_string());
        rows.push([host.to_owned(), target.to_owned(), first, pins, others.join(", ")]);
    }
    rows
}

/// The cells of the page's table.
fn page() -> Vec<Vec<&'static str>> {
    let lines = PAGE.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    let cells = lines.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    cells.filter(|cells| cells.len() == 6 && HOSTS.contains(&cells[0])).collect()
}

#[test]
fn the_page_of_targets_is_what_the_recipes_say() {
    let page = page();
    let mut expected = String::new();
    for row in rows() {
        let known = page.iter().find(|cells| cells[..2] == [row[0].as_str(), row[1].as_str()]);
        // What was tried with another toolchain says nothing of this one.
        let tried = known.filter(|cells| cells[2] == row[2]).map_or("not tried", |cells| cells[5]);
        assert!(TRIED.contains(&tried), "`{tried}` for {} on {}", row[1], row[0]);
        let _ = writeln!(expected, "| {} | {tried} |", row.join(" | "));
    }
    let mut found = String::new();
    for cells in &page {
        let _ = writeln!(found, "| {} |", cells.join(" | "));
    }
    assert!(found == expected, "the table in docs/targets.md has to be:\n\n{expected}");
}
