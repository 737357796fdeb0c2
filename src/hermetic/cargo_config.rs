//! Reads the project's `.cargo/config.toml` and what the user gives as `--config`: the rustflags in
//! cargo's precedence, and whatever would compete with the plan. The texts are passed in; merging
//! is as cargo does it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::vocab::document::line_of;
use crate::vocab::triple::RustTriple;

use super::Error;
use super::cfg_expr::TargetCfgs;
use super::flags::Flag;
use super::plan::Origin;

/// The names of a configuration file in `.cargo/`; where both exist, cargo reads the first.
pub const FILE_NAMES: [&str; 2] = ["config", "config.toml"];

/// A configuration file of cargo's, or a `--config KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Where it is, absolute: `<workspace>/.cargo/config.toml`. Of an argument, [`ARGUMENT`].
    pub path: PathBuf,
    /// What it says.
    pub text: String,
    /// The directory that its relative paths start from.
    base: PathBuf,
}

/// What stands for the path of a `--config KEY=VALUE`.
pub const ARGUMENT: &str = "--config";

impl ConfigFile {
    /// A file, whose relative paths start from the directory that holds `.cargo`.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let path = path.into();
        let base = path.parent().and_then(Path::parent).unwrap_or(Path::new("/")).to_path_buf();
        Self { path, text: text.into(), base }
    }

    /// A `--config KEY=VALUE` that a user wrote in `cwd`.
    pub fn argument(cwd: &Path, text: impl Into<String>) -> Self {
        Self { path: ARGUMENT.into(), text: text.into(), base: cwd.to_path_buf() }
    }

    /// Whether it is no file.
    pub fn is_argument(&self) -> bool {
        self.path == Path::new(ARGUMENT)
    }

    pub(super) fn base(&self) -> &Path {
        &self.base
    }
}

/// A place in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file == Path::new(ARGUMENT) {
            return f.write_str(ARGUMENT);
        }
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// A variable of `[env]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvEntry {
    /// Its value; absolute where it is `relative`.
    pub value: String,
    /// Whether cargo puts it above the environment.
    pub force: bool,
    /// Whether the value is a path relative to the configuration file.
    pub relative: bool,
    /// Where it was said last.
    pub place: Place,
}

/// What matters of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectConfig {
    /// Its rustflags for the target.
    pub rustflags: Vec<Flag>,
    /// Keys that lose against the plan (`build.rustc-wrapper`), and where they are.
    pub losing: BTreeMap<String, Place>,
    /// All of `[env]`: cargo rebuilds nothing when it changes, so env-id has to.
    pub env: BTreeMap<String, EnvEntry>,
    /// `target.<triple>.runner` is a list: cargo joins a later list to it and refuses a text.
    pub runner_is_list: bool,
    /// `build.target-dir`, absolute.
    pub target_dir: Option<PathBuf>,
}

/// `[build]` keys that the plan sets itself.
const LOSING_BUILD: &[&str] =
    &["build-dir", "rustc", "rustdoc", "rustc-wrapper", "rustc-workspace-wrapper"];

impl ProjectConfig {
    /// Reads the files, highest precedence first.
    pub fn read(
        files: &[ConfigFile],
        host: &RustTriple,
        target: &RustTriple,
        cfgs: &TargetCfgs,
    ) -> Result<Self, Error> {
        let mut found = Self::default();
        let (mut for_triple, mut for_cfg, mut for_build) = (Vec::new(), Vec::new(), Vec::new());
        // Cargo joins lists so that the file with more precedence comes last.
        for file in files.iter().rev() {
            let root = parse(file)?;
            let root = root.get_ref();
            let reader = Reader { file };
            if let Some(build) = table(root, "build") {
                reader.flags(build, &mut for_build);
                for &key in LOSING_BUILD {
                    if let Some(value) = build.get(key) {
                        found.losing.insert(format!("build.{key}"), reader.place(value));
                    }
                }
                if let Some(dir) = build.get("target-dir").and_then(|v| v.get_ref().as_str()) {
                    found.target_dir = Some(file.base.join(dir));
                }
            }
            for (key, value) in table(root, "target").into_iter().flatten() {
                let Some(section) = value.get_ref().as_table() else { continue };
                let name = key.get_ref().as_ref();
                let matches = name.starts_with("cfg(")
                    && cfgs.matches(name).map_err(|reason| Error::CfgExpression {
                        path: file.path.clone(),
                        line: reader.line(key.span().start),
                        key: name.to_owned(),
                        reason,
                    })?;
                if name == target.as_str() {
                    reader.flags(section, &mut for_triple);
                    let runner = section.get("runner").map(Spanned::get_ref);
                    found.runner_is_list |= runner.is_some_and(DeValue::is_array);
                } else if matches {
                    reader.flags(section, &mut for_cfg);
                }
                if matches || name == target.as_str() || name == host.as_str() {
                    for tool in ["linker", "runner"] {
                        if let Some(value) = section.get(tool) {
                            let place = reader.place(value);
                            found.losing.insert(format!("target.{name}.{tool}"), place);
                        }
                    }
                }
            }
            for (key, value) in table(root, "env").into_iter().flatten() {
                let place = reader.place(value);
                let entry = found.env.entry(key.get_ref().to_string());
                let entry = entry.or_insert_with(|| EnvEntry {
                    value: String::new(),
                    force: false,
                    relative: false,
                    place: place.clone(),
                });
                reader.variable(value.get_ref(), entry);
                entry.place = place;
            }
        }
        for_triple.append(&mut for_cfg);
        found.rustflags = if for_triple.is_empty() { for_build } else { for_triple };
        Ok(found)
    }
}

/// The files that `include` in this one names, absolute, in the order of cargo's reading: each
/// later one wins over the earlier ones, and the file itself over all of them.
pub fn includes(file: &ConfigFile) -> Result<Vec<PathBuf>, Error> {
    let root = parse(file)?;
    let base = if file.is_argument() { Some(file.base()) } else { file.path.parent() };
    let base = base.unwrap_or(Path::new("/"));
    let path = |value: &Spanned<DeValue<'_>>| {
        let value = value.get_ref();
        let path = value.as_table().and_then(|table| table.get("path")).map(Spanned::get_ref);
        path.unwrap_or(value).as_str().map(|path| base.join(path))
    };
    Ok(match root.get_ref().get("include") {
        None => Vec::new(),
        Some(value) => match value.get_ref().as_array() {
            Some(list) => list.iter().filter_map(path).collect(),
            None => path(value).into_iter().collect(),
        },
    })
}

pub(super) fn parse(file: &ConfigFile) -> Result<Spanned<DeTable<'_>>, Error> {
    DeTable::parse(&file.text).map_err(|source| {
        let at = source.span().map_or(0, |span| span.start);
        let line = line_of(&file.text, at);
        Error::Config { path: file.path.clone(), line, source: Box::new(source) }
    })
}

pub(super) fn table<'t, 'i>(root: &'t DeTable<'i>, key: &str) -> Option<&'t DeTable<'i>> {
    root.get(key).and_then(|value| value.get_ref().as_table())
}

struct Reader<'a> {
    file: &'a ConfigFile,
}

impl Reader<'_> {
    /// Cargo merges the parts of a variable one by one: `--config env.A.value=… --config
    /// env.A.force=true` is one variable.
    fn variable(&self, value: &DeValue<'_>, into: &mut EnvEntry) {
        let modifiers = value.as_table();
        let part = |name| modifiers.and_then(|table| table.get(name)).map(Spanned::get_ref);
        let is = |name| part(name).and_then(DeValue::as_bool);
        into.force = is("force").unwrap_or(into.force);
        into.relative = is("relative").unwrap_or(into.relative);
        if let Some(text) = part("value").unwrap_or(value).as_str() {
            text.clone_into(&mut into.value);
        }
        if into.relative {
            into.value = self.file.base.join(&into.value).to_string_lossy().into_owned();
        }
    }

    fn line(&self, at: usize) -> usize {
        line_of(&self.file.text, at)
    }

    fn place(&self, value: &Spanned<DeValue<'_>>) -> Place {
        Place { file: self.file.path.clone(), line: self.line(value.span().start) }
    }

    /// `rustflags`: a list, or one text that is split at spaces.
    fn flags(&self, section: &DeTable<'_>, into: &mut Vec<Flag>) {
        let Some(value) = section.get("rustflags") else { return };
        let mut add = |text: &str, place| into.push(Flag::new(text, Origin::Project(place)));
        match value.get_ref() {
            DeValue::String(text) => {
                text.split_whitespace().for_each(|flag| add(flag, self.place(value)));
            }
            DeValue::Array(list) => {
                for item in list {
                    if let Some(flag) = item.get_ref().as_str() {
                        add(flag, self.place(item));
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> ProjectConfig {
        let file =
            |(n, text): (usize, &&str)| ConfigFile::new(format!("/w{n}/.cargo/config.toml"), *text);
        let files: Vec<ConfigFile> = texts.iter().enumerate().map(file).collect();
        let host = "x86_64-unknown-linux-gnu".parse().expect("known");
        let target = "aarch64-unknown-linux-gnu".parse().expect("known");
        ProjectConfig::read(&files, &host, &target, &TargetCfgs::of(&target)).expect("TOML")
    }

    fn flags(config: &ProjectConfig) -> Vec<&str> {
        config.rustflags.iter().map(|flag| flag.value.as_str()).collect()
    }

    #[test]
    fn flags_of_the_target_shut_out_those_of_build() {
        let config = read(&[r#"
build.rustflags = "-Ca -Cb"
[target.'cfg(target_os = "linux")']
rustflags = ["-Clinux"]
[target.'cfg(windows)']
rustflags = ["-Cwindows"]
[target.aarch64-unknown-linux-gnu]
rustflags = ["-Cexact"]
"#]);
        assert_eq!(flags(&config), ["-Cexact", "-Clinux"]);
        assert_eq!(flags(&read(&["build.rustflags = \"-Ca  -Cb\""])), ["-Ca", "-Cb"]);
    }

    #[test]
    fn the_file_with_more_precedence_comes_last() {
        let config = read(&["build.rustflags = ['-C2']", "build.rustflags = ['-C1']"]);
        assert_eq!(flags(&config), ["-C1", "-C2"]);
    }

    #[test]
    fn what_loses_is_known_with_its_line() {
        let config = read(&["[build]\nrustc-wrapper = 'x'\ntarget-dir = 'out'\n\
            [target.x86_64-unknown-linux-gnu]\nlinker = 'ld'\n\
            [target.aarch64-unknown-linux-gnu]\nrunner = ['r']\n\
            [env]\nCC = { value = 'cc', force = true }\nA = 'b'\n"]);
        let losing: Vec<(&str, usize)> =
            config.losing.iter().map(|(key, place)| (key.as_str(), place.line)).collect();
        let expected = [
            ("build.rustc-wrapper", 2),
            ("target.aarch64-unknown-linux-gnu.runner", 7),
            ("target.x86_64-unknown-linux-gnu.linker", 5),
        ];
        assert_eq!(losing, expected);
        assert!(config.runner_is_list);
        let entry = |name: &str| (config.env[name].value.as_str(), config.env[name].force);
        assert_eq!((entry("CC"), entry("A")), (("cc", true), ("b", false)));
        assert_eq!(config.target_dir, Some("/w0/out".into()));
    }

    #[test]
    fn parts_of_a_variable_come_together_from_several_sources() {
        let config = read(&["env.P.force = true", "env.P.value = 'x'\nenv.P.relative = true"]);
        let entry = &config.env["P"];
        assert_eq!((entry.value.as_str(), entry.force), ("/w1/x", true));
        assert_eq!(entry.place.to_string(), "/w0/.cargo/config.toml:1");
        let inline = ConfigFile::argument(Path::new("/here"), "build.target-dir='out'");
        let host = "x86_64-unknown-linux-gnu".parse().expect("known");
        let config = ProjectConfig::read(&[inline], &host, &host, &TargetCfgs::of(&host));
        assert_eq!(config.expect("TOML").target_dir, Some("/here/out".into()));
    }
}
