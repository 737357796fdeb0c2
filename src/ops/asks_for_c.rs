//! Whether a project's crates ask for C, by what is committed with the project: the crates of its
//! Cargo.lock that depend on one which compiles C, reads C's headers or looks for C libraries. No
//! crate is fetched for it and no network asked, so that everybody who locks finds the same.

use serde::Deserialize;

use super::error::Error;
use super::project::{Project, display};
use crate::sys::ambient::Ambient;
use crate::sys::fs::read_text;
use crate::vocab::document;

/// Crates that build scripts have C compiled, C's headers read or C libraries found with.
const TOOLS: [&str; 13] = [
    "autotools",
    "bindgen",
    "cc",
    "cmake",
    "cpp_build",
    "cxx-build",
    "gcc",
    "meson",
    "metadeps",
    "nasm-rs",
    "pkg-config",
    "system-deps",
    "vcpkg",
];

/// Crates that want C for an operating system only that is no target of ours: `iana-time-zone` names
/// the first for Haiku; the build script of the second asks a compiler what Android it is for, and
/// nothing where the target is another system.
const ELSEWHERE: [&str; 2] = ["iana-time-zone-haiku", "backtrace"];

/// What is known of a project's need for C.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// No crate asks for it.
    None,
    /// A crate asks for it.
    C {
        /// The crate.
        krate: String,
        /// What it asks with.
        tool: String,
    },
    /// There is no Cargo.lock, and the project has dependencies.
    Unknown,
}

/// What the project's Cargo.lock says; without one, whether its manifest can have dependencies.
pub fn need(ambient: &Ambient, project: &Project) -> Result<Need, Error> {
    let path = project.root.join("Cargo.lock");
    match read_text(&path)? {
        Some(text) => Ok(of_lock(&display(ambient, &path), &text)?),
        None if stands_alone(&project.root_text) => Ok(Need::None),
        None => Ok(Need::Unknown),
    }
}

#[derive(Deserialize)]
struct CargoLock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

fn of_lock(path: &str, text: &str) -> Result<Need, document::DocumentError> {
    let lock: CargoLock = document::parse(path, text)?;
    for package in &lock.package {
        // `cc`, or `cc 1.2.0` where the lock has several.
        let names = package.dependencies.iter().filter_map(|text| text.split(' ').next());
        let asked = names.into_iter().find(|name| TOOLS.contains(name));
        // What such a tool is made with is the host's business.
        let is_tool = TOOLS.contains(&package.name.as_str());
        let is_elsewhere = ELSEWHERE.contains(&package.name.as_str());
        if let Some(tool) = asked.filter(|_| !is_tool && !is_elsewhere) {
            return Ok(Need::C { krate: package.name.clone(), tool: tool.to_owned() });
        }
    }
    Ok(Need::None)
}

/// Whether a manifest is of one package that depends on nothing, as `cargo new` writes it.
fn stands_alone(manifest: &str) -> bool {
    let Ok(manifest) = manifest.parse::<toml::Table>() else { return false };
    let has = |table: &toml::Table, key: &str| {
        table.get(key).is_some_and(|value| value.as_table().is_none_or(|table| !table.is_empty()))
    };
    let workspace = manifest.get("workspace").and_then(toml::Value::as_table);
    manifest.contains_key("package")
        && !["dependencies", "dev-dependencies", "build-dependencies", "target"]
            .iter()
            .any(|key| has(&manifest, key))
        && !workspace.is_some_and(|workspace| workspace.contains_key("members"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &[&str])]) -> Need {
        let package = |(name, dependencies): &(&str, &[&str])| {
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\ndependencies = \
                 {dependencies:?}\n"
            )
        };
        let text: String = packages.iter().map(package).collect();
        of_lock("Cargo.lock", &text).expect("a lock")
    }

    #[test]
    fn a_crate_that_depends_on_what_compiles_c_asks_for_it() {
        let asks = |krate: &str, tool: &str| Need::C { krate: krate.into(), tool: tool.into() };
        for (packages, need) in [
            (&[("a", &["libc", "memchr"][..])][..], Need::None),
            (&[("a", &["ring"]), ("cc", &["shlex"]), ("ring", &["cc"])], asks("ring", "cc")),
            (&[("a", &["cc 1.2.0"])], asks("a", "cc")),
            (&[("libz-sys", &["libc", "pkg-config"])], asks("libz-sys", "pkg-config")),
            // A tool of the tool's own.
            (&[("cmake", &["cc"]), ("cc", &["shlex"])], Need::None),
            (&[("iana-time-zone-haiku", &["cc"]), ("chrono", &["iana-time-zone"])], Need::None),
            (&[], Need::None),
        ] {
            assert_eq!(lock(packages), need, "{packages:?}");
        }
        assert!(of_lock("Cargo.lock", "package = 1\n").is_err());
    }

    #[test]
    fn without_a_lock_only_what_has_no_dependency_is_known() {
        let package = "[package]\nname = \"a\"\nversion = \"0.1.0\"\n";
        for (rest, known) in [
            ("", true),
            ("[dependencies]\n", true),
            ("[workspace]\n", true),
            ("[dependencies]\nring = \"1\"\n", false),
            ("[build-dependencies]\ncc = \"1\"\n", false),
            ("[target.'cfg(unix)'.dependencies]\nlibc = \"1\"\n", false),
            ("[workspace]\nmembers = [\"b\"]\n", false),
        ] {
            assert_eq!(stands_alone(&format!("{package}{rest}")), known, "{rest}");
        }
        assert!(!stands_alone("[workspace]\n"));
    }
}
