//! What programs for macOS load. Apple's own libraries are everywhere, those of the tree travel with
//! it; anything else (`/opt/homebrew/…`) is there on the machine of whoever built them.

use super::{Machine, Misfit};
use crate::compose::merge::{LinkEnd, Merged};
use crate::inspect::MachO;
use crate::tree::Node;
use crate::vocab::relpath::RelPath;

/// Checks the parts of one file; only what builds call has to be for this processor.
pub fn check(
    machine: &Machine,
    merged: &Merged,
    file: &RelPath,
    parts: &[MachO],
    is_named: bool,
) -> Result<(), Misfit> {
    let arch = machine.host.arch();
    let Some(part) = parts.iter().find(|part| part.arch == arch) else {
        let made_for: Vec<&str> = parts.iter().map(|part| part.arch.as_str()).collect();
        if made_for.is_empty() || !is_named {
            return Ok(());
        }
        let made_for = format!("{} macOS", made_for.join(" and "));
        return Err(Misfit::Processor { file: file.clone(), made_for, host: machine.host.clone() });
    };
    let refused = part.libraries.iter().find(|library| !is_there(merged, file, part, library));
    match refused {
        Some(library) => Err(Misfit::Library { file: file.clone(), library: library.clone() }),
        None => Ok(()),
    }
}

fn is_there(merged: &Merged, file: &RelPath, part: &MachO, library: &str) -> bool {
    let of_system = |path: &str| path.starts_with("/usr/lib/") || path.starts_with("/System/");
    if of_system(library) {
        return true;
    }
    if let Some(rest) = library.strip_prefix("@rpath/") {
        let mut places =
            part.rpaths.iter().map(|dir| format!("{}/{rest}", dir.trim_end_matches('/')));
        // A library may count on the search path of the program that loads it.
        return places.any(|place| of_system(&place) || in_tree(merged, file, &place))
            || !part.is_program;
    }
    in_tree(merged, file, library) || (!part.is_program && library.starts_with("@executable_path/"))
}

/// Whether a path that begins at the file itself leads to a file of the tree.
fn in_tree(merged: &Merged, file: &RelPath, path: &str) -> bool {
    let rest =
        ["@loader_path/", "@executable_path/"].iter().find_map(|start| path.strip_prefix(start));
    let Some(rest) = rest else { return false };
    match merged.resolve(file, rest) {
        LinkEnd::Inside(end) => {
            merged.iter().any(|(path, _, node)| *path == end && matches!(node, Node::File { .. }))
        }
        LinkEnd::Outside | LinkEnd::Nowhere => false,
    }
}
