//! Which keys of cargo configurations other than the project's own (the user's home, directories
//! above) would have changed a build: they do not reach it, and the user is told. Network settings
//! are no build input; `network` keeps them.

use toml::Spanned;
use toml::de::DeValue;

use super::Error;
use super::cargo_config::{ConfigFile, Place, line_of, parse};
use super::cfg_expr::TargetCfgs;
use crate::vocab::triple::RustTriple;

/// `[build]` keys that change what is built, or where it goes.
const BUILD: &[&str] = &[
    "build-dir",
    "incremental",
    "rustc",
    "rustc-workspace-wrapper",
    "rustc-wrapper",
    "rustdoc",
    "rustdocflags",
    "rustflags",
    "target",
    "target-dir",
];

/// Whole tables, whose entries are named one by one.
const TABLES: &[&str] = &["env", "host", "patch", "profile", "resolver", "unstable"];

/// Keys that stand alone.
const SINGLE: &[&str] = &["include", "paths"];

/// The build inputs of one file, in its order, with their places.
pub fn build_inputs(
    file: &ConfigFile,
    host: &RustTriple,
    target: &RustTriple,
    cfgs: &TargetCfgs,
) -> Result<Vec<(String, Place)>, Error> {
    let root = parse(file)?;
    let mut found = Vec::new();
    let mut add = |key: String, value: &Spanned<DeValue<'_>>| {
        found.push((value.span().start, key));
    };
    for (key, value) in root.get_ref() {
        let name = key.get_ref().as_ref();
        let entries = value.get_ref().as_table().into_iter().flatten();
        for (entry, inner) in entries {
            let entry = entry.get_ref().as_ref();
            match name {
                "build" if BUILD.contains(&entry) => add(format!("build.{entry}"), inner),
                "target" => {
                    // What cannot be read as a condition could have meant this target.
                    let matches = || !entry.starts_with("cfg(") || cfgs.matches(entry) == Ok(true);
                    let concerns = entry == host.as_str()
                        || entry == target.as_str()
                        || (entry.starts_with("cfg(") && matches());
                    let settings = inner.get_ref().as_table().into_iter().flatten();
                    for (setting, value) in settings.filter(|_| concerns) {
                        add(format!("target.{entry}.{}", setting.get_ref()), value);
                    }
                }
                name if TABLES.contains(&name) => add(format!("{name}.{entry}"), inner),
                _ => {}
            }
        }
        if SINGLE.contains(&name) {
            add(name.to_owned(), value);
        }
    }
    found.sort();
    let place = |at| Place { file: file.path.clone(), line: line_of(&file.text, at) };
    Ok(found.into_iter().map(|(at, key)| (key, place(at))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_a_build_is_named_with_its_line_and_the_rest_is_not() {
        let text = "[build]\nrustflags = ['-Cx']\njobs = 3\ntarget-dir = 'out'\n\
                    [target.aarch64-unknown-linux-gnu]\nlinker = 'ld'\n\
                    [target.'cfg(unix)']\nrunner = 'r'\n\
                    [target.'cfg(windows)']\nrunner = 'r'\n\
                    [target.s390x-unknown-linux-gnu]\nrunner = 'r'\n\
                    [env]\nA = 'b'\nC = { value = 'd' }\n\
                    [profile.release]\nlto = true\n[net]\nretry = 1\n[alias]\nb = 'build'\n";
        let file = ConfigFile::new("/h/.cargo/config.toml", text);
        let host = "x86_64-unknown-linux-gnu".parse().expect("known");
        let target = "aarch64-unknown-linux-gnu".parse().expect("known");
        let inputs = build_inputs(&file, &host, &target, &TargetCfgs::of(&target)).expect("TOML");
        let inputs: Vec<(&str, usize)> =
            inputs.iter().map(|(key, place)| (key.as_str(), place.line)).collect();
        let expected = [
            ("build.rustflags", 2),
            ("build.target-dir", 4),
            ("target.aarch64-unknown-linux-gnu.linker", 6),
            ("target.cfg(unix).runner", 8),
            ("env.A", 14),
            ("env.C", 15),
            ("profile.release", 16),
        ];
        assert_eq!(inputs, expected);
    }
}
