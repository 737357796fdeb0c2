//! What a Mac itself brings to builds: the programs of macOS, which Apple protects against changes,
//! and its command line tools with their SDK, which nobody else may pass on. No digest can pin
//! them, so what they are becomes part of env-id and is said at each use.
//!
//! The host is a value here: everything works the same on any machine whose root has an `xcrun`.

mod ask;
mod stamp;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::closure::{role_target, variant};
use super::context::Context;
use super::error::Error;
use super::toolset::Filled;
use crate::hermetic::ToolVariable;
use crate::lockfile::Entry;
use crate::recipe::{Collection, Installed, Provides, Slot};
use crate::sys::fs::read_optional;
use crate::vocab::digest::Blake3;
use crate::vocab::event::Event;
use crate::vocab::triple::RustTriple;
use stamp::Stamp;

pub use ask::MacError;

/// The tools of Apple's that recipes may name without a path.
const TOOLS: [&str; 12] = [
    "ar",
    "clang",
    "clang++",
    "install_name_tool",
    "libtool",
    "lipo",
    "make",
    "nm",
    "otool",
    "ranlib",
    "size",
    "strip",
];

/// The variable of the oldest macOS that host units are made for.
const DEPLOYMENT_TARGET: &str = "MACOSX_DEPLOYMENT_TARGET";

/// A Mac's own tools, as they were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mac {
    /// The machine's root directory: `/`.
    root: PathBuf,
    /// What `xcode-select` chose.
    developer_dir: PathBuf,
    /// The SDK of macOS in it.
    sdk: PathBuf,
    /// The SDK's version: `15.4`.
    sdk_version: String,
    /// The first line of `clang --version`.
    clang: String,
    /// The version of macOS and its build: `15.4.1 (24E263)`.
    macos: String,
    /// The tools of [`TOOLS`].
    programs: BTreeMap<String, PathBuf>,
    /// What would have changed if any of this had.
    stamps: Vec<Stamp>,
}

impl Mac {
    /// The tools of the machine that the command runs on; `None` where that is no Mac. Asks `xcrun`
    /// only where a file that it goes by has changed since it was asked last.
    pub fn of(context: &Context<'_>) -> Result<Option<Self>, Error> {
        if context.host.is_linux() {
            return Ok(None);
        }
        let note = context.store.layout().machine("macos");
        let known =
            read_optional(&note)?.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        let root = context.machine_root.as_path();
        if let Some(known) = known.filter(|known| known.root == root && known.is_current()) {
            return Ok(Some(known));
        }
        let found = Self::ask(root)?;
        context.store.write(&note, &serde_json::to_vec(&found).unwrap_or_default())?;
        Ok(Some(found))
    }

    fn is_current(&self) -> bool {
        self.stamps.iter().all(Stamp::is_current)
    }

    /// Says what is used and pinned by nothing.
    pub fn announce(&self, context: &Context<'_>) {
        context.observer.event(Event::Note(format!(
            "this Mac's own tools are used, which no lock pins: {self}"
        )));
    }

    /// All of it that can change what a build makes, as lines.
    pub fn identity(&self) -> String {
        let Self { root: _, developer_dir, sdk, sdk_version, clang, macos, programs, stamps: _ } =
            self;
        let mut text = format!(
            "macos {macos}\nclang {clang}\nsdk {sdk_version} {}\ndeveloper-dir {}\n",
            sdk.display(),
            developer_dir.display()
        );
        for (name, program) in programs {
            let _ = writeln!(text, "{name} {}", program.display());
        }
        text
    }

    /// Its name among the keys of what is remembered.
    pub fn key(&self) -> Blake3 {
        Blake3::of(self.identity().as_bytes())
    }

    /// What builds may read of it.
    pub fn read_roots(&self) -> Vec<PathBuf> {
        let mut roots = vec![self.developer_dir.clone()];
        roots.extend((!self.sdk.starts_with(&self.developer_dir)).then(|| self.sdk.clone()));
        roots
    }

    /// The variables by which rustc, cc-rs and clang find the SDK without asking anybody, and the
    /// oldest macOS that they make code for. `named` are those that the settings give.
    pub fn variables(
        &self,
        host: &RustTriple,
        target: &RustTriple,
        named: &[String],
    ) -> Vec<ToolVariable> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let all = [
            ("DEVELOPER_DIR", text(&self.developer_dir)),
            ("SDKROOT", text(&self.sdk)),
            (DEPLOYMENT_TARGET, deployment_target(host).to_owned()),
        ];
        // A target of macOS has its own, which is said with the target.
        let is_open = |name: &str| {
            name != DEPLOYMENT_TARGET || !(target.is_macos() || named.iter().any(|own| own == name))
        };
        let all = all.into_iter().filter(|(name, _)| is_open(name));
        all.map(|(name, value)| ToolVariable {
            tool: "xcrun".to_owned(),
            name: name.to_owned(),
            value,
        })
        .collect()
    }

    /// The slots of the lock that the machine fills.
    pub fn filled<'a>(
        &self,
        collection: &Collection,
        host: &RustTriple,
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Result<Vec<Filled>, Error> {
        let mut filled = Vec::new();
        for entry in entries {
            let variant = variant(collection, host, entry)?;
            if !variant.components.iter().any(|own| own.machine == Some(Installed::Macos)) {
                continue;
            }
            let target = role_target(entry);
            let tool =
                collection.get(entry.recipe.as_str()).and_then(|own| own.recipe.tool.clone());
            let provides = self.found(entry.slot, &variant.provides.for_target(target.as_ref()))?;
            filled.push(Filled::of_machine(entry.slot, target, tool, &self.root, provides));
        }
        Ok(filled)
    }

    /// A recipe's programs with the places of those that it names without one.
    fn found(&self, slot: Slot, provides: &Provides) -> Result<Provides, MacError> {
        let place = |program: &str| -> Result<String, MacError> {
            if program.contains('/') {
                return Ok(program.to_owned());
            }
            let found = self.programs.get(program);
            let found = found.ok_or_else(|| MacError::NoTool { tool: program.to_owned() })?;
            Ok(found.to_string_lossy().into_owned())
        };
        let mut provides = provides.clone();
        for tool in provides.tools.values_mut() {
            tool.program = place(&tool.program)?;
        }
        // What a version of the tools lacks is called by few, and they say so.
        provides.names.retain(|_, program| place(program).map(|found| *program = found).is_ok());
        if slot == Slot::Cc {
            provides.sysroot = Some(self.sdk.to_string_lossy().into_owned());
        }
        Ok(provides)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clang, sdk_version, developer_dir, macos, .. } = self;
        write!(f, "{clang}, SDK {sdk_version} in {}, macOS {macos}", developer_dir.display())
    }
}

/// The oldest macOS that Rust itself makes programs for: what `rustc --print deployment-target`
/// says of 1.95. Apple's tools would take the machine's own version instead.
fn deployment_target(host: &RustTriple) -> &'static str {
    if host.arch() == "aarch64" { "11.0" } else { "10.12" }
}

/// What a call of the runner is told on a Mac, where there is no emulator for programs of Linux.
pub fn no_runner(target: &RustTriple) -> String {
    format!(
        "programs for {target} do not run on macOS; run them on Linux or in a container, say \
         `docker run --rm -v \"$PWD\":/w alpine /w/PROGRAM`"
    )
}
