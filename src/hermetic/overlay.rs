//! Renders the last `--config` file of a cargo call: what must win over the project's own
//! configuration. Everything in it is absolute.

use toml::{Table, Value};

use crate::vocab::triple::RustTriple;

use super::cargo_config::ProjectConfig;
use super::plan::{Variable, Warning};

/// What the file says.
#[derive(Debug, Clone)]
pub struct Overlay<'a> {
    /// Where the tools run.
    pub host: &'a RustTriple,
    /// Where the output runs.
    pub target: &'a RustTriple,
    /// `rustc`.
    pub rustc: &'a str,
    /// `rustdoc`.
    pub rustdoc: &'a str,
    /// The linker for the target.
    pub linker: &'a str,
    /// The linker for build scripts and proc-macros.
    pub host_linker: &'a str,
    /// What starts binaries of the target.
    pub runner: Option<&'a str>,
    /// What starts rustc: the compiler cache of the settings, or the shim that starts its
    /// arguments. Written only where there is a cache or the project names a wrapper: an empty
    /// wrapper would make cargo ask rustc four questions anew in every build (80 ms).
    pub wrapper: &'a str,
    /// Whether `wrapper` is a cache.
    pub cached: bool,
    /// Where cargo keeps intermediate files.
    pub build_dir: &'a str,
    /// Whether cargo has `build.build-dir`; else all of its output goes to `build_dir`.
    pub has_build_dir: bool,
    /// The plan's variables.
    pub variables: &'a [Variable],
}

impl Overlay<'_> {
    /// The TOML text, and what it overrides.
    pub fn render(&self, project: &ProjectConfig) -> (String, Vec<Warning>) {
        let mut build = Table::new();
        let mut set = |key: &str, value: &str| build.insert(key.into(), value.into());
        set("rustc", self.rustc);
        set("rustdoc", self.rustdoc);
        set(if self.has_build_dir { "build-dir" } else { "target-dir" }, self.build_dir);
        if self.cached || project.losing.contains_key("build.rustc-wrapper") {
            set("rustc-wrapper", self.wrapper);
        }
        if project.losing.contains_key("build.rustc-workspace-wrapper") {
            // A path would enter cargo's -Cmetadata, and with it the bytes.
            set("rustc-workspace-wrapper", "");
        }
        let mut triples = Table::new();
        let mut target = Table::new();
        target.insert("linker".into(), self.linker.into());
        if let Some(runner) = self.runner {
            let value = Value::from(runner);
            let list = project.runner_is_list;
            target.insert("runner".into(), if list { vec![value].into() } else { value });
        }
        triples.insert(self.target.to_string(), target.into());
        if self.host != self.target {
            let linker = Table::from_iter([("linker".to_owned(), self.host_linker.into())]);
            triples.insert(self.host.to_string(), linker.into());
        }
        let mut root = Table::new();
        root.insert("build".into(), build.into());
        root.insert("target".into(), triples.into());
        let mut warnings = Vec::new();
        let mut environment = Table::new();
        for (name, place) in &project.forced_env {
            let Some(ours) = self.variables.iter().find(|variable| variable.name == *name) else {
                continue;
            };
            let mut entry = Table::new();
            entry.insert("value".into(), ours.value.clone().into());
            entry.insert("force".into(), true.into());
            entry.insert("relative".into(), false.into());
            environment.insert(name.clone(), entry.into());
            warnings.push(Warning::Overridden { key: format!("env.{name}"), place: place.clone() });
        }
        if !environment.is_empty() {
            root.insert("env".into(), environment.into());
        }
        for (key, place) in &project.losing {
            if key.ends_with(".runner") && self.runner.is_none() {
                continue;
            }
            warnings.push(Warning::Overridden { key: key.clone(), place: place.clone() });
        }
        (root.to_string(), warnings)
    }
}
