//! Which files of a tree builds call, and for which machine a file is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::compose::merge::{LinkEnd, Merged};
use crate::inspect::elf::Machine as Processor;
use crate::ops::error::Error;
use crate::recipe::Provides;
use crate::sys::fs::Describe as _;
use crate::tree::Node;
use crate::vocab::relpath::RelPath;
use crate::vocab::triple::RustTriple;

/// The files that builds call by some name, at the ends of links.
pub fn named(merged: &Merged, provides: &Provides) -> BTreeSet<RelPath> {
    let tools = provides.tools.values().filter(|tool| tool.refuse.is_none());
    let tools = tools.map(|tool| &tool.program);
    let exact: BTreeSet<&str> = tools.chain(provides.names.values()).map(String::as_str).collect();
    let fits = |path: &str| {
        exact.contains(path)
            || provides.links.iter().any(|pattern| match pattern.split_once('*') {
                None => pattern == path,
                Some((start, end)) => {
                    path.len() >= pattern.len() - 1
                        && path.starts_with(start)
                        && path.ends_with(end)
                        && !path[start.len()..].contains('/')
                }
            })
    };
    let all = merged.iter().filter(|(path, ..)| fits(path.as_str()));
    let ends = all.filter_map(|(path, _, node)| match node {
        Node::Symlink { target } => match merged.resolve(path, target) {
            LinkEnd::Inside(end) => Some(end),
            _ => None,
        },
        _ => Some(path.clone()),
    });
    ends.collect()
}

/// What a program is for, by its first bytes, where that is not `host`; scripts are for all.
pub fn other_processor(file: &Path, host: &RustTriple) -> Result<Option<String>, Error> {
    use std::io::Read as _;
    let mut start = [0; 64];
    fs::File::open(file).and_then(|mut file| file.read_exact(&mut start)).describe("read", file)?;
    let number = |at: usize| u16::from_le_bytes([start[at], start[at + 1]]);
    let ours = match host.arch() {
        "x86_64" => Processor::X86_64,
        "aarch64" => Processor::AARCH64,
        "i686" => Processor::X86,
        _ => Processor::ARM,
    };
    if start.starts_with(b"\x7fELF") {
        let big_endian = start[5] == 2;
        let machine = Processor(if big_endian { number(18).swap_bytes() } else { number(18) });
        let fits = host.is_linux() && machine == ours;
        return Ok((!fits).then(|| format!("{machine} Linux")));
    }
    let word = u32::from_be_bytes([start[0], start[1], start[2], start[3]]);
    let is_mach_o = [0xfeed_face, 0xfeed_facf, 0xcefa_edfe, 0xcffa_edfe].contains(&word);
    // Java's classes begin as universal files do, with a version where those have a small count.
    let is_universal = [0xcafe_babe, 0xcafe_babf].contains(&word) && start[7] < 16;
    Ok((host.is_linux() && (is_mach_o || is_universal)).then(|| "macOS".to_owned()))
}
