//! Renders the last `--config` file of a cargo call: what must win over the project's own
//! configuration. Everything in it is absolute.

use toml::Table;

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
    /// The shim for `rustc`.
    pub rustc: &'a str,
    /// `rustdoc`.
    pub rustdoc: &'a str,
    /// The linker for the target.
    pub linker: &'a str,
    /// The linker for build scripts and proc-macros.
    pub host_linker: &'a str,
    /// What starts binaries of the target.
    pub runner: Option<&'a str>,
    /// The shim that starts its arguments. Written only where the project names a wrapper: an empty
    /// one would make cargo ask rustc four questions anew in every build (80 ms).
    pub wrapper: &'a str,
    /// Where users expect binaries.
    pub target_dir: &'a str,
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
        if self.has_build_dir {
            set("build-dir", self.build_dir);
            // It may come from a variable that the build does not see.
            set("target-dir", self.target_dir);
        } else {
            set("target-dir", self.build_dir);
        }
        if project.losing.contains_key("build.rustc-wrapper") {
            set("rustc-wrapper", self.wrapper);
        }
        if project.losing.contains_key("build.rustc-workspace-wrapper") {
            // A path would enter cargo's -Cmetadata, and with it the bytes.
            set("rustc-workspace-wrapper", "");
        }
        let mut triples = Table::new();
        let mut target = Table::new();
        target.insert("linker".into(), self.linker.into());
        if let Some(runner) = self.runner.filter(|_| !project.runner_is_list) {
            target.insert("runner".into(), runner.into());
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
        for (name, theirs) in project.env.iter().filter(|(_, entry)| entry.force) {
            let Some(ours) = self.variables.iter().find(|variable| variable.name == *name) else {
                continue;
            };
            let mut entry = Table::new();
            entry.insert("value".into(), ours.value.clone().into());
            entry.insert("force".into(), true.into());
            entry.insert("relative".into(), false.into());
            environment.insert(name.clone(), entry.into());
            let place = theirs.place.clone();
            warnings.push(Warning::Overridden { key: format!("env.{name}"), place });
        }
        if !environment.is_empty() {
            root.insert("env".into(), environment.into());
        }
        let exact_runner = format!("target.{}.runner", self.target);
        for (key, place) in &project.losing {
            let place = place.clone();
            if *key == exact_runner && project.runner_is_list {
                warnings.push(Warning::RunnerIsList { key: key.clone(), place });
            } else if !key.ends_with(".runner")
                || (self.runner.is_some() && !project.runner_is_list)
            {
                warnings.push(Warning::Overridden { key: key.clone(), place });
            }
        }
        (root.to_string(), warnings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hermetic::cargo_config::Place;

    fn render(project: &ProjectConfig) -> (Table, usize) {
        let host = "x86_64-unknown-linux-gnu".parse().expect("known");
        let target = "aarch64-unknown-linux-gnu".parse().expect("known");
        let overlay = Overlay {
            host: &host,
            target: &target,
            rustc: "/r/rustc",
            rustdoc: "/r/rustdoc",
            linker: "/b/t-gcc",
            host_linker: "/b/h-gcc",
            runner: Some("/b/runner"),
            wrapper: "/b/rustc-wrapper",
            target_dir: "/w/target",
            build_dir: "/w/target/xprov/0",
            has_build_dir: true,
            variables: &[],
        };
        let (text, warnings) = overlay.render(project);
        (text.parse().expect("TOML"), warnings.len())
    }

    #[test]
    fn a_wrapper_is_written_only_where_the_project_has_one() {
        let mut project = ProjectConfig::default();
        let (config, _) = render(&project);
        assert!(config["build"].get("rustc-wrapper").is_none());
        assert_eq!(
            config["target"]["aarch64-unknown-linux-gnu"]["runner"].as_str(),
            Some("/b/runner")
        );
        let place = Place { file: "/w/.cargo/config.toml".into(), line: 1 };
        project.losing.insert("build.rustc-wrapper".into(), place);
        let (config, warnings) = render(&project);
        assert_eq!(config["build"]["rustc-wrapper"].as_str(), Some("/b/rustc-wrapper"));
        assert_eq!(warnings, 1);
    }

    #[test]
    fn a_runner_that_is_a_list_stays_and_is_named() {
        let mut project = ProjectConfig { runner_is_list: true, ..ProjectConfig::default() };
        let place = Place { file: "/w/.cargo/config.toml".into(), line: 1 };
        project.losing.insert("target.aarch64-unknown-linux-gnu.runner".into(), place);
        let (config, warnings) = render(&project);
        assert!(config["target"]["aarch64-unknown-linux-gnu"].get("runner").is_none());
        assert_eq!(warnings, 1);
    }
}
