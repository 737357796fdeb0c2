//! The project `stale` behind xprov.

use std::fs;
use std::path::{Path, PathBuf};

use xprov::vocab::triple::RustTriple;

use super::marked::{self, Marks};
use super::plain::Built;
use crate::machine::{Done, Machine, base, say};
use crate::projects::{copy, remove_tree};

/// Has baselines to choose from.
pub const TARGET: &str = "x86_64-unknown-linux-gnu";
/// One of the two is foreign on every machine.
pub const OTHER: &str = "aarch64-unknown-linux-gnu";

/// The project, its checkout and its turn.
pub struct Project {
    /// The machine.
    pub machine: Machine,
    /// Where it is.
    pub dir: PathBuf,
    /// This machine.
    pub host: RustTriple,
}

/// A build behind xprov.
pub struct Under {
    /// The environment.
    pub id: String,
    /// What came out.
    pub built: Built,
    /// What xprov said.
    pub done: Done,
}

impl Project {
    /// The project with nothing built and nothing locked.
    pub fn new(name: &str) -> Self {
        let machine = Machine::wait();
        let dir = base().join("projects").join(name);
        remove_tree(&dir).expect("removable");
        copy("stale", &dir);
        let project = Self { machine, dir, host: RustTriple::of_this_program() };
        project.settings("");
        project
    }

    /// Gives the project these settings.
    pub fn settings(&self, lines: &str) {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/stale/Cargo.toml");
        let own = fs::read_to_string(own).expect("a manifest");
        let text =
            format!("{own}\n[workspace.metadata.xprov]\nhosts = [\"{}\"]\n{lines}", self.host);
        fs::write(self.dir.join("Cargo.toml"), text).expect("written");
    }

    /// Gives the project this configuration of cargo.
    pub fn config(&self, text: &str) {
        fs::create_dir_all(self.dir.join(".cargo")).expect("a folder");
        fs::write(self.dir.join(".cargo/config.toml"), text).expect("written");
    }

    /// Locks with these marks in the compilers of both targets.
    pub fn lock(&self, target: Marks, other: Marks) {
        for (triple, marks) in [(TARGET, target), (OTHER, other)] {
            marked::mark(&self.dir, &self.host, &triple.parse().expect("known"), marks);
        }
        self.machine.lock(&self.dir, &[TARGET, OTHER]);
    }

    /// Builds it.
    pub fn build(&self, target: &str) -> Under {
        self.build_with(target, &[])
    }

    /// Builds it with these variables of the user.
    pub fn build_with(&self, target: &str, variables: &[(&str, &str)]) -> Under {
        let build = ["build", "--locked", "--target", target];
        let done = self.machine.xprov_with(&self.dir, &build, variables).ok();
        let env = self.machine.json(&self.dir, &["env", "--target", target]);
        let program = self.dir.join("target").join(target).join("debug/stale");
        Under {
            id: env["XPROV_ENV_ID"].as_str().expect("an env-id").to_owned(),
            built: Built {
                compiled: done.stderr.contains("Compiling"),
                bytes: fs::read(program).expect("a program"),
            },
            done,
        }
    }

    /// After `change`, another env-id and other bytes; after `back`, the old ones, and nothing to
    /// do for them.
    pub fn notices(
        &self,
        what: &str,
        target: &str,
        before: &Under,
        change: impl FnOnce(),
        back: impl FnOnce(),
    ) {
        say(what);
        change();
        let after = self.build(target);
        assert_ne!(after.id, before.id, "{what}");
        assert!(after.built.compiled && after.built.bytes != before.built.bytes, "{what}");
        back();
        self.is_as(what, target, before);
    }

    /// The same environment as before, nothing to do, and the same bytes.
    pub fn is_as(&self, what: &str, target: &str, before: &Under) {
        let again = self.build(target);
        assert_eq!(again.id, before.id, "{what}");
        assert!(!again.built.compiled, "{what}: {}", again.done.stderr);
        assert!(again.built.bytes == before.built.bytes, "{what}");
    }
}
