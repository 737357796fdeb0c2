//! Which keys of a cargo configuration file change what is built, and where they stand. Network
//! settings (`[source]`, `[registries]`, `[net]`, `[http]`) do not: Cargo.lock's checksums hold
//! wherever the bytes come from. Knows nothing of whose file it is.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Error;
use super::cargo_config::{ConfigFile, Place, parse};
use super::cfg_expr::TargetCfgs;
use crate::vocab::document::line_of;
use crate::vocab::triple::RustTriple;

/// A key that changes what is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildInput {
    /// The key, dotted, its parts quoted where TOML needs it: `target.'cfg(unix)'.rustflags`.
    pub key: String,
    /// The line of the key.
    pub place: Place,
    /// The value as it is written, on one line.
    pub value: String,
    /// Its words, where it is a text or a list of texts.
    pub words: Vec<String>,
    /// The `<triple>` or `cfg(…)` of a key below `target`.
    section: Option<String>,
    /// What it does to a build.
    pub why: &'static str,
}

impl BuildInput {
    /// Whether it changes builds for `target` on `host`. An expression that cannot be evaluated may
    /// be about anything.
    pub fn concerns(&self, host: &RustTriple, target: &RustTriple, cfgs: &TargetCfgs) -> bool {
        self.section.as_deref().is_none_or(|section| {
            [host, target].iter().any(|triple| section == triple.as_str())
                || (section.starts_with("cfg(") && cfgs.matches(section).unwrap_or(true))
        })
    }
}

/// A key and those below it. `*` stands for any one part; `depth` is how many parts a reported key
/// has at most, so that the fields of one thing are reported once.
struct Rule {
    key: &'static [&'static str],
    depth: usize,
    why: &'static str,
}

const fn rule(key: &'static [&'static str], depth: usize, why: &'static str) -> Rule {
    Rule { key, depth, why }
}

/// By cargo's reference of its configuration; the first that matches says why.
const RULES: &[Rule] = &[
    rule(&["include"], 1, "reads another configuration file"),
    rule(&["paths"], 1, "takes crates from local directories"),
    rule(&["patch"], 3, "takes a crate from elsewhere"),
    rule(&["build", "rustflags"], 2, "flags for rustc"),
    rule(&["build", "rustdocflags"], 2, "flags for rustdoc"),
    rule(&["build", "rustc"], 2, "another compiler"),
    rule(&["build", "rustc-wrapper"], 2, "a program in front of the compiler"),
    rule(&["build", "rustc-workspace-wrapper"], 2, "a program in front of the compiler"),
    rule(&["build", "rustdoc"], 2, "another rustdoc"),
    rule(&["build", "target"], 2, "another target, where none is named"),
    rule(&["build", "target-dir"], 2, "another directory for what is built"),
    rule(&["build", "build-dir"], 2, "another directory for what is built"),
    rule(&["build", "incremental"], 2, "divides code in another way"),
    rule(&["target", "*", "rustflags"], 3, "flags for rustc"),
    rule(&["target", "*", "rustdocflags"], 3, "flags for rustdoc"),
    rule(&["target", "*", "linker"], 3, "another linker"),
    rule(&["target", "*", "runner"], 3, "a program in front of tests and programs that run"),
    // Obsolete: cargo reads it no longer.
    rule(&["target", "*", "ar"], 0, ""),
    rule(&["target"], 3, "replaces what a build script finds out"),
    rule(&["host"], 3, "flags and tools for build scripts"),
    rule(&["env"], 2, "a variable that build scripts and `env!` see"),
    rule(&["profile"], usize::MAX, "how code is optimised"),
    rule(&["resolver"], 2, "chooses other versions where Cargo.lock is written"),
    rule(&["unstable"], 2, "another language or another cargo"),
];

/// The keys of `file` that change what is built, in the order of their lines.
pub fn build_inputs(file: &ConfigFile) -> Result<Vec<BuildInput>, Error> {
    Ok(of_root(file, parse(file)?.get_ref()))
}

/// The same of a file that was parsed already.
pub(super) fn of_root(file: &ConfigFile, root: &DeTable<'_>) -> Vec<BuildInput> {
    let mut found = Vec::new();
    walk(file, root, &mut Vec::new(), &mut found);
    found.sort_by_key(|input| input.place.line);
    found
}

fn walk<'t>(
    file: &ConfigFile,
    table: &'t DeTable<'_>,
    above: &mut Vec<&'t str>,
    found: &mut Vec<BuildInput>,
) {
    for (key, value) in table {
        above.push(key.get_ref().as_ref());
        let inner = value.get_ref().as_table();
        let rule = RULES.iter().find(|rule| rule.matches(above));
        match (rule, inner) {
            (Some(rule), Some(inner)) if above.len() < rule.depth => {
                walk(file, inner, above, found);
            }
            (Some(_), Some(inner)) if inner.is_empty() => {}
            (Some(rule), _) if above.len() <= rule.depth => {
                let line = line_of(&file.text, key.span().start);
                let section = above.get(1).filter(|_| above[0] == "target");
                found.push(BuildInput {
                    key: dotted(above),
                    place: Place { file: file.path.clone(), line },
                    value: one_line(&file.text, value),
                    words: words(value.get_ref()),
                    section: section.map(|section| (*section).to_owned()),
                    why: rule.why,
                });
            }
            // `build` itself says nothing, but what is below it may.
            (None, Some(inner)) if RULES.iter().any(|rule| rule.key[0] == above[0]) => {
                walk(file, inner, above, found);
            }
            (Some(_) | None, _) => {}
        }
        above.pop();
    }
}

/// As cargo splits what may be a text or a list.
fn words(value: &DeValue<'_>) -> Vec<String> {
    match value {
        DeValue::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        DeValue::Array(list) => {
            let texts = list.iter().filter_map(|item| item.get_ref().as_str());
            texts.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

impl Rule {
    fn matches(&self, path: &[&str]) -> bool {
        self.key.len() <= path.len()
            && self.key.iter().zip(path).all(|(rule, part)| *rule == "*" || rule == part)
    }
}

fn dotted(parts: &[&str]) -> String {
    let is_bare = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let quoted = |part: &&str| match part {
        part if is_bare(part) => (*part).to_owned(),
        part if part.contains('\'') => format!("{part:?}"),
        part => format!("'{part}'"),
    };
    parts.iter().map(quoted).collect::<Vec<_>>().join(".")
}

/// The value as written; of a table under a header of its own, its fields.
fn one_line(text: &str, value: &Spanned<DeValue<'_>>) -> String {
    let written = |value: &Spanned<DeValue<'_>>| text.get(value.span()).unwrap_or("").to_owned();
    let whole = match value.get_ref() {
        DeValue::Table(table) if !written(value).starts_with('{') => {
            let field = |(key, value): (&Spanned<_>, _)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                format!("{key} = {}", written(value))
            };
            table.iter().map(field).collect::<Vec<_>>().join(", ")
        }
        _ => written(value),
    };
    whole.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let file = ConfigFile::new("/h/.cargo/config.toml", text);
        let inputs = build_inputs(&file).expect("TOML");
        inputs.iter().map(|i| format!("{} {} = {}", i.place.line, i.key, i.value)).collect()
    }

    #[test]
    fn build_inputs_are_found_with_their_lines() {
        let text = "\
[build]
jobs = 4
rustflags = [
  \"-Ctarget-cpu=native\",
]
rustc-wrapper = 'sccache'
[target.x86_64-unknown-linux-gnu]
linker = 'clang'
ar = 'ar'
[target.'cfg(unix)']
runner = 'sudo'
[target.x86_64-unknown-linux-gnu.z]
rustc-link-lib = ['z']
[profile.release.package.'*']
opt-level = 3
[env]
CC = { value = 'cc', force = true }
[patch.crates-io]
a = { path = '../a' }
[patch.crates-io.b]
git = 'https://x.invalid/b'
";
        assert_eq!(
            found(text),
            [
                "3 build.rustflags = [ \"-Ctarget-cpu=native\", ]",
                "6 build.rustc-wrapper = 'sccache'",
                "8 target.x86_64-unknown-linux-gnu.linker = 'clang'",
                "11 target.'cfg(unix)'.runner = 'sudo'",
                "12 target.x86_64-unknown-linux-gnu.z = rustc-link-lib = ['z']",
                "15 profile.release.package.'*'.opt-level = 3",
                "17 env.CC = { value = 'cc', force = true }",
                "19 patch.crates-io.a = { path = '../a' }",
                "20 patch.crates-io.b = git = 'https://x.invalid/b'",
            ]
        );
        assert_eq!(
            found("build.rustflags = '-Ca'\nprofile.dev.lto = true"),
            ["1 build.rustflags = '-Ca'", "2 profile.dev.lto = true"]
        );
    }

    #[test]
    fn network_settings_and_habits_are_none() {
        let text = "[source.crates-io]\nreplace-with = 'm'\n[net]\noffline = true\n[http]\n\
            proxy = 'p'\n[registries.a]\nindex = 'i'\n[alias]\nb = 'build'\n[term]\nquiet = true\n\
            [build]\njobs = 1\n[profile]\n";
        assert_eq!(found(text), [""; 0]);
    }

    #[test]
    fn what_is_no_toml_is_an_error_with_its_line() {
        let file = ConfigFile::new("/h/.cargo/config.toml", "a = 1\nb\n");
        assert!(matches!(build_inputs(&file), Err(Error::Config { line: 2, .. })));
    }

    #[test]
    fn keys_of_other_targets_do_not_concern_this_one() {
        let text = "build.rustflags = '-Ca -Cb'\n\
            [target.aarch64-unknown-linux-gnu]\nlinker = 'ld'\n\
            [target.x86_64-unknown-linux-gnu]\nlinker = 'ld'\n\
            [target.'cfg(unix)']\nrunner = 'r'\n\
            [target.'cfg(windows)']\nrunner = 'r'\n\
            [target.s390x-unknown-linux-gnu]\nrunner = 'r'\n";
        let inputs = build_inputs(&ConfigFile::new("/h/.cargo/config.toml", text)).expect("TOML");
        assert_eq!(inputs[0].words, ["-Ca", "-Cb"]);
        let host = "x86_64-unknown-linux-gnu".parse().expect("known");
        let target = "aarch64-unknown-linux-gnu".parse().expect("known");
        let cfgs = TargetCfgs::of(&target);
        let lines = inputs.iter().filter(|input| input.concerns(&host, &target, &cfgs));
        assert_eq!(lines.map(|input| input.place.line).collect::<Vec<_>>(), [1, 3, 5, 7]);
    }
}
