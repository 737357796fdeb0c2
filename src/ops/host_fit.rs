//! Whether the programs of a tree run on this machine. Asked once, before the tree is composed: a
//! tree that is there has passed.
//!
//! Looked at are the programs that builds call by name, all other programs of the host's processor
//! outside of the sysroot, and the libraries of the tree that they load. What is for the target is
//! none of the machine's business.

mod mac;
mod machine;
mod programs;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::error::Error;
use crate::compose::merge::Merged;
use crate::inspect::elf::ElfFacts;
use crate::inspect::glibc::glibc_need;
use crate::inspect::{Facts, facts, image, mach_o};
use crate::recipe::Provides;
use crate::sys::fs::Describe as _;
use crate::tree::Node;
use crate::vocab::relpath::RelPath;
use crate::vocab::triple::RustTriple;

pub use machine::{Machine, loader_of};

use programs::{named, other_processor};

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
                "toolchains for Linux hosts are made for glibc; on machines with musl, such as \
                 Alpine, xprov uses the one of Debian's C toolchain for the host: leave the \
                 choice of that to xprov, or run it in a system with glibc"
            }
            Self::Loader { musl: false, .. } => {
                "install the C library of this system's distribution, or choose a recipe whose \
                 programs are statically linked"
            }
            Self::Library { .. } => {
                "choose another recipe; xprov uses no library of Homebrew or MacPorts"
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
        if !machine.host.is_linux() {
            let bytes = fs::read(&file).describe("read", &file)?;
            mac::check(machine, merged, path, &mach_o(&bytes).unwrap_or_default(), is_named)?;
            continue;
        }
        let bytes = fs::File::open(&file).and_then(image).describe("read", &file)?;
        // A damaged one is not the machine's fault, and fails with its own words when it is used.
        let Ok(Facts::Elf(elf)) = facts(&bytes) else { continue };
        if elf.kind.is_program() {
            programs.insert(path.clone(), elf);
        } else if is_library {
            libraries.entry(path.file_name().to_owned()).or_default().push((path.clone(), *elf));
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
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::*;
    use crate::compose::merge::Layer;
    use crate::compose::relocation::CLibrary;
    use crate::inspect::mach_o::tests::program as mac_program;
    use crate::recipe::{Tool, ToolKind};
    use crate::tree::Tree;
    use crate::vocab::digest::Blake3;

    const ARM64: u32 = 0x0100_000c;
    const X86_64: u32 = 0x0100_0007;
    const LOAD: u32 = 0xc;

    fn triple(text: &str) -> RustTriple {
        text.parse().expect("a triple")
    }

    /// A tree of these files on disk; `bin/tool` is what builds call.
    fn fits(machine: &Machine, files: &[(&str, &[u8])]) -> Result<(), String> {
        let dir = tempfile::tempdir().expect("a directory");
        let mut tree = Tree::new();
        for (path, bytes) in files {
            let file = dir.path().join(path);
            fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
            fs::write(&file, bytes).expect("written");
            let size = u64::try_from(bytes.len()).expect("small");
            let node = Node::File { size, executable: true, digest: Blake3::of(bytes) };
            tree.insert(RelPath::parse(path.as_bytes()).expect("a path"), node)
                .expect("no conflict");
        }
        let merged = Merged::new(&[Layer { label: "one", tree: &tree }], &[]).expect("merged");
        let tool = Tool {
            program: "bin/tool".to_owned(),
            refuse: None,
            args: Vec::new(),
            kind: ToolKind::Plain,
            aliases: Vec::new(),
        };
        let provides = Provides {
            sysroot: Some("sysroot".to_owned()),
            tools: [("tool".to_owned(), tool)].into(),
            ..Provides::default()
        };
        check(machine, &merged, &[dir.path()], &provides).map_err(|error| error.to_string())
    }

    /// This very program, which is dynamically linked, and its loader.
    fn own() -> (Vec<u8>, String) {
        let bytes = fs::read(std::env::current_exe().expect("a path")).expect("readable");
        let Ok(Facts::Elf(elf)) = facts(&bytes) else { panic!("not ELF") };
        let loader = elf.interpreter.expect("a dynamic program");
        (bytes, loader)
    }

    fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let mut bytes = bytes.to_vec();
        let at = bytes.windows(from.len()).position(|part| part == from.as_bytes()).expect(from);
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        bytes
    }

    #[test]
    fn a_program_of_this_machine_fits_and_the_glibc_is_found_without_running_anything() {
        let machine = Machine::this(&RustTriple::of_this_program());
        assert!(
            machine.glibc.is_some_and(|(major, minor)| major == 2 && minor >= 17),
            "{machine:?}"
        );
        assert!(!machine.is_musl);
        assert_eq!(fits(&machine, &[("bin/tool", &own().0)]), Ok(()));
        let script = [&b"#!/nowhere/sh\n"[..], &[b'#'; 80]].concat();
        assert_eq!(fits(&machine, &[("bin/tool", &script)]), Ok(()));
    }

    #[test]
    fn another_processor_or_system_is_refused_where_builds_call_it() {
        let machine = Machine::this(&RustTriple::of_this_program());
        let host = machine.host.clone();
        let mut foreign = own().0;
        foreign[18..20].copy_from_slice(&243_u16.to_le_bytes());
        let expected =
            format!("`bin/tool` is a program for machine 243 Linux, and this machine is `{host}`");
        assert_eq!(fits(&machine, &[("bin/tool", &foreign)]), Err(expected));
        // Programs of the target lie in many places.
        assert_eq!(fits(&machine, &[("t/bin/gdbserver", &foreign)]), Ok(()));
        let mac = mac_program(ARM64, &[(LOAD, "/usr/lib/libSystem.B.dylib")], &[]);
        let error = fits(&machine, &[("bin/tool", &mac)]).expect_err("of macOS");
        assert!(error.starts_with("`bin/tool` is a program for macOS"), "{error}");
    }

    #[test]
    fn a_newer_glibc_is_refused_in_programs_and_their_libraries_and_not_in_the_sysroot() {
        let machine = Machine::this(&RustTriple::of_this_program());
        let old = Machine { glibc: Some((2, 5)), ..machine };
        let (program, _) = own();
        let error = fits(&old, &[("libexec/cc1", &program)]).expect_err("too new");
        assert!(error.starts_with("`libexec/cc1` needs glibc 2."), "{error}");
        assert!(error.ends_with("and this machine has 2.5"), "{error}");
        assert_eq!(fits(&old, &[("sysroot/bin/tool", &program)]), Ok(()));
        let unknown = Machine { glibc: None, ..old };
        assert_eq!(fits(&unknown, &[("libexec/cc1", &program)]), Ok(()));
    }

    #[test]
    fn a_missing_loader_is_refused_and_a_musl_machine_is_told_what_it_is() {
        let (program, loader) = own();
        let other = loader.replace("ld-", "dl-");
        let machine = Machine::this(&RustTriple::of_this_program());
        let moved = replaced(&program, &loader, &other);
        let error = fits(&machine, &[("bin/tool", &moved)]).expect_err("no loader");
        assert_eq!(
            error,
            format!("`bin/tool` needs the loader `{other}`, which this machine does not have")
        );
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(root.path().join("lib")).expect("a directory");
        let arch = std::env::consts::ARCH;
        fs::write(root.path().join(format!("lib/ld-musl-{arch}.so.1")), "").expect("written");
        let alpine = Machine::at(&RustTriple::of_this_program(), root.path());
        assert_eq!((alpine.is_musl, alpine.glibc), (true, None));
        let error = fits(&alpine, &[("bin/tool", &program)]).expect_err("no loader");
        assert!(error.ends_with("does not have: its C library is musl"), "{error}");
    }

    #[test]
    fn a_c_library_of_the_stores_stands_in_for_the_machines() {
        let host = RustTriple::of_this_program();
        let (program, loader) = own();
        let empty = tempfile::tempdir().expect("a directory");
        let bare = Machine::at(&host, empty.path());
        assert!(fits(&bare, &[("bin/tool", &program)]).is_err());
        let loader = crate::sys::fs::real_path(Path::new(&loader));
        let dir = loader.parent().expect("a parent").to_path_buf();
        let library = CLibrary { loader, dir };
        let machine = bare.on(Some(&library));
        assert_eq!(machine.glibc, Machine::this(&host).glibc);
        assert_eq!(fits(&machine, &[("bin/tool", &program)]), Ok(()));
        // It stands in for the one loader, not for any.
        let other = own().1.replace("ld-", "dl-");
        let moved = replaced(&program, &own().1, &other);
        assert!(fits(&machine, &[("bin/tool", &moved)]).is_err());
    }

    #[test]
    fn a_glibc_beside_its_loader_is_found_through_links() {
        let this = Machine::this(&RustTriple::of_this_program());
        let (_, loader) = own();
        let root = tempfile::tempdir().expect("a directory");
        let real: PathBuf = root.path().join("usr/lib/somewhere");
        fs::create_dir_all(&real).expect("a directory");
        let loader = root.path().join(loader.trim_start_matches('/'));
        fs::create_dir_all(loader.parent().expect("a parent")).expect("a directory");
        fs::write(real.join("ld.so"), "").expect("written");
        symlink(real.join("ld.so"), &loader).expect("linked");
        let host = RustTriple::of_this_program();
        assert_eq!(Machine::at(&host, root.path()).glibc, None);
        let dir = crate::sys::fs::real_path(Path::new(&own().1));
        let libc = dir.parent().expect("a parent").join("libc.so.6");
        fs::copy(libc, real.join("libc.so.6")).expect("copied");
        assert_eq!(Machine::at(&host, root.path()).glibc, this.glibc);
    }

    #[test]
    fn libraries_of_homebrew_are_refused_on_a_mac() {
        let root = tempfile::tempdir().expect("a directory");
        let machine = Machine::at(&triple("aarch64-apple-darwin"), root.path());
        let tool = |libraries: &[&str], rpaths: &[&str]| {
            let libraries: Vec<(u32, &str)> = libraries.iter().map(|name| (LOAD, *name)).collect();
            mac_program(ARM64, &libraries, rpaths)
        };
        let system = ["/usr/lib/libSystem.B.dylib", "/System/Library/Frameworks/A.framework/A"];
        assert_eq!(fits(&machine, &[("bin/tool", &tool(&system, &[]))]), Ok(()));
        let brew = tool(&["/opt/homebrew/opt/zstd/lib/libzstd.1.dylib"], &[]);
        assert_eq!(
            fits(&machine, &[("libexec/cc1", &brew)]),
            Err("`libexec/cc1` loads `/opt/homebrew/opt/zstd/lib/libzstd.1.dylib`, which is neither \
                 part of macOS nor of this toolchain"
                .to_owned())
        );
        let library = tool(&system, &[]);
        let relative =
            tool(&["@loader_path/../lib/a.dylib", "@rpath/a.dylib"], &["@loader_path/../lib"]);
        assert_eq!(fits(&machine, &[("bin/tool", &relative), ("lib/a.dylib", &library)]), Ok(()));
        let error = fits(&machine, &[("bin/tool", &relative)]).expect_err("it is not there");
        assert!(error.contains("loads `@loader_path/../lib/a.dylib`"), "{error}");
        let out = tool(&["@rpath/libz.dylib"], &["/opt/homebrew/lib"]);
        assert!(fits(&machine, &[("bin/tool", &out)]).is_err());
        let intel = mac_program(X86_64, &[], &[]);
        let error = fits(&machine, &[("bin/tool", &[&intel[..], &[0; 64]].concat())]);
        assert!(error.is_err_and(|error| error.contains("a program for x86_64 macOS")));
        let elf = own().0;
        let error = fits(&machine, &[("bin/tool", &elf)]);
        assert!(error.is_err_and(|error| error.contains("Linux, and this machine is")));
    }
}
