//! The tables of `docs/architecture.md`, which say what may import what.

use std::collections::BTreeMap;

/// What the documentation prescribes.
#[derive(Debug, Default)]
pub struct Policy {
    /// By name of the top-level module.
    pub modules: BTreeMap<String, Module>,
    /// By name of the dependency in source: the modules that may name it; empty: all.
    pub doors: BTreeMap<String, Vec<String>>,
    /// By what is asked of the system (the first words of the row): the modules that may.
    pub reserved: BTreeMap<String, Vec<String>>,
}

/// A row of the table of layers.
#[derive(Debug, Default)]
pub struct Module {
    pub layer: u32,
    /// Modules of the same layer that it may import.
    pub beside: Vec<String>,
    /// Modules of lower layers that it must not import.
    pub never: Vec<String>,
}

impl Policy {
    /// Reads the tables by their headings.
    pub fn parse(text: &str) -> Self {
        let mut policy = Self::default();
        let mut heading = "";
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                heading = title;
            }
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            if !line.starts_with('|') || cells[0].is_empty() || cells[0].starts_with("---") {
                continue;
            }
            match (heading, cells.as_slice()) {
                ("Layers", [layer, module, _, beside, never]) => {
                    let Ok(layer) = layer.parse() else { continue };
                    let row = Module { layer, beside: names(beside), never: names(never) };
                    policy.modules.extend(names(module).pop().map(|name| (name, row)));
                }
                ("Doors", [dependency, only_in]) => {
                    let door = |name: String| (name.replace('-', "_"), names(only_in));
                    policy.doors.extend(names(dependency).into_iter().map(door));
                }
                ("Reserved", [what, only_in]) => {
                    policy.reserved.insert((*what).to_owned(), names(only_in));
                }
                _ => {}
            }
        }
        policy
    }
}

/// What stands between backticks.
fn names(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
