//! Whether the programs of a tree run on this machine. Asked once, before the tree is composed: a
//! tree that is there has passed.
//!
//! Looked at are the programs that builds call by name, all other programs of the host's processor
//! outside of the sysroot, and the libraries of the tree that they load. What is for the target is
//! none of the machine's business.

mod mac;
mod machine;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::error::Error;
use crate::compose::merge::{LinkEnd, Merged};
use crate::inspect::elf::{ElfFacts, Machine as Processor};
use crate::inspect::glibc::glibc_need;
use crate::inspect::{Facts, facts, mach_o};
use crate::recipe::Provides;
use crate::sys::fs::Describe as _;
use crate::tree::Node;
use crate::vocab::relpath::RelPath;
use crate::vocab::triple::RustTriple;

pub use machine::Machine;

/// Why a program does not run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It is for another system or processor.
    #[error("`{file}` is a program for {made_for}, and this machine is `{host}`")]
    Processor {
        /// The program.
        file: RelPath,
        /// What it is for.
        made_for: String,
        /// The machine.
        host: RustTriple,
    },
    /// It needs a newer C library.
    #[error("`{file}` needs glibc {}.{} (`{symbol}`), and this machine has {}.{}", needs.0, needs.1, has.0, has.1)]
    Glibc {
        /// The program, or a library that programs of the tree load.
        file: RelPath,
        /// The version it needs.
        needs: (u32, u32),
        /// One of the symbols that need it.
        symbol: String,
        /// The machine's.
        has: (u32, u32),
    },
    /// What starts it is not there.
    #[error("`{file}` needs the loader `{loader}`, which this machine does not have{}", if *musl { ": its C library is musl" } else { "" })]
    Loader {
        /// The program.
        file: RelPath,
        /// Its interpreter.
        loader: String,
        /// Whether the machine's C library is another one.
        musl: bool,
    },
    /// It loads a library that is neither the system's nor of the tree.
    #[error("`{file}` loads `{library}`, which is neither part of macOS nor of this toolchain")]
    Library {
        /// The program or library.
        file: RelPath,
        /// What it loads.
        library: String,
    },
}

impl Misfit {
    /// What helps.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Processor { .. } => {
                "the recipe's artifact is for another host: correct its `host`, or choose another \
                 recipe (`xprov recipes list`)"
            }
            Self::Glibc { .. } => {
                "choose a recipe whose programs are older or statically linked \
                 (`xprov recipes list`), or a newer system"
            }
            Self::Loader { musl: true, .. } => {
                "toolchains for Linux hosts are made for glibc; machines with musl, such as \
                 Alpine, are not supported: run xprov in a system with glibc, such as Debian"
            }
            Self::Loader { musl: false, .. } => {
                "install the C library of this system's distribution, or choose a recipe whose \
                 programs are statically linked"
            }
            Self::Library { .. } => {
                "choose another recipe, such as `zig`; xprov uses no library of Homebrew or \
                 MacPorts"
            }
        }
    }
}

/// Refuses a tree whose programs do not run on `machine`; `dirs` are the layers' directories.
pub fn check(
    machine: &Machine,
    merged: &Merged,
    dirs: &[&Path],
    provides: &Provides,
) -> Result<(), Error> {
    let named = named(merged, provides);
    let of_target = [&provides.sysroot, &provides.loader_root];
    let of_target: Vec<RelPath> = of_target
        .into_iter()
        .flatten()
        .filter_map(|dir| RelPath::parse(dir.as_bytes()).ok())
        .collect();
    let for_target = |path: &RelPath| {
        of_target.iter().any(|dir| path.under(Path::new("")).starts_with(dir.as_str()))
    };
    let mut programs = BTreeMap::new();
    let mut libraries: BTreeMap<String, Vec<(RelPath, ElfFacts)>> = BTreeMap::new();
    for (path, layer, node) in merged.iter() {
        let Node::File { size, executable, .. } = node else { continue };
        let is_named = named.contains(path);
        let is_library = path.file_name().contains(".so");
        if *size < 64 || (for_target(path) && !is_named) || !(*executable || is_library) {
            continue;
        }
        let file = path.under(dirs[layer]);
        if let Some(made_for) = other_processor(&file, &machine.host)? {
            if is_named {
                let (file, host) = (path.clone(), machine.host.clone());
                return Err(Misfit::Processor { file, made_for, host }.into());
            }
            continue;
        }
        let bytes = fs::read(&file).describe("read", &file)?;
        if !machine.host.is_linux() {
            mac::check(machine, merged, path, &mach_o(&bytes).unwrap_or_default(), is_named)?;
            continue;
        }
        // A damaged one is not the machine's fault, and fails with its own words when it is used.
        let Ok(Facts::Elf(elf)) = facts(&bytes) else { continue };
        if elf.kind.is_program() {
            programs.insert(path.clone(), elf);
        } else if is_library {
            libraries.entry(path.file_name().to_owned()).or_default().push((path.clone(), elf));
        }
    }
    for (path, elf) in &programs {
        machine.starts(path, elf)?;
    }
    let mut todo: Vec<&str> =
        programs.values().flat_map(|elf| elf.needed.iter().map(String::as_str)).collect();
    let mut seen = BTreeSet::new();
    while let Some(name) = todo.pop() {
        // Where two libraries have one name, which of them is the host's is not known here.
        let Some([(path, elf)]) = libraries.get(name).map(Vec::as_slice) else { continue };
        if seen.insert(name) {
            machine.loads(path, elf)?;
            todo.extend(elf.needed.iter().map(String::as_str));
        }
    }
    Ok(())
}

/// The files that builds call by some name, at the ends of links.
fn named(merged: &Merged, provides: &Provides) -> BTreeSet<RelPath> {
    let tools = provides.tools.values().map(|tool| &tool.program);
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
fn other_processor(file: &Path, host: &RustTriple) -> Result<Option<String>, Error> {
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

impl Machine {
    /// Whether the program can be started.
    fn starts(&self, file: &RelPath, elf: &ElfFacts) -> Result<(), Misfit> {
        if let Some(loader) = elf.interpreter.clone().filter(|loader| !self.has(loader)) {
            return Err(Misfit::Loader { file: file.clone(), loader, musl: self.is_musl });
        }
        self.loads(file, elf)
    }

    /// Whether the machine's C library has what a file asks of it.
    fn loads(&self, file: &RelPath, elf: &ElfFacts) -> Result<(), Misfit> {
        let need = glibc_need(elf);
        match (need.version, self.glibc) {
            (Some(needs), Some(has)) if needs > has => {
                let symbol = need.symbols.into_iter().next().unwrap_or_default();
                Err(Misfit::Glibc { file: file.clone(), needs, symbol, has })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
