//! A flag of rustc's or of a C compiler's: who asks for it, who loses, what shims do to it, and
//! which calls had it.

use super::{Answer, Layer, Scene, Sort, Standing};
use crate::hermetic::Origin;
use crate::hermetic::cargo_config::{ConfigFile, Place, ProjectConfig};
use crate::hermetic::cfg_expr::TargetCfgs;
use crate::hermetic::flags::Flag;
use crate::hermetic::vars;
use crate::ops::error::Error;

/// The answer, if anything has the flag or says something of it.
pub fn answer(scene: &Scene<'_>, subject: &str) -> Result<Option<Answer>, Error> {
    let plan = &scene.environment.plan;
    let mut layers = variables(scene, subject);
    for file in scene.users {
        for (text, place) in asked(scene, file, subject)? {
            layers.push(
                Layer::new(Standing::Dropped, "your cargo configuration", text)
                    .at(place)
                    .because("only its network settings count"),
            );
        }
    }
    let used = joined(&plan.rustflags);
    for file in scene.configs {
        for (text, place) in asked(scene, file, subject)? {
            let kept = used
                .iter()
                .any(|(kept, origin)| *kept == text && **origin == Origin::Project(place.clone()));
            if !kept {
                let why = if normal(&text).starts_with("target-cpu=native") {
                    "it would build for this machine's CPU"
                } else {
                    "`target.*.rustflags` shut out `build.rustflags`"
                };
                let layer = Layer::new(Standing::Dropped, "the project", text);
                layers.push(layer.at(place).because(why));
            }
        }
    }
    let mut value = Vec::new();
    for (text, origin) in used.iter().filter(|(text, _)| matches(text, subject)) {
        value.push(text.clone());
        let layer = Layer::new(Standing::Wins, origin.to_string(), text);
        layers.push(match origin {
            Origin::Project(place) => {
                Layer { who: "the project".into(), ..layer }.at(place.clone())
            }
            _ => layer,
        });
    }
    for (name, tool) in &scene.ground.tools.shims {
        let fixed = pieces(tool.before.iter().chain(&tool.after).map(String::as_str));
        for text in fixed.into_iter().filter(|text| matches(text, subject)) {
            value.push(text.clone());
            layers.push(
                Layer::new(Standing::Wins, format!("tool {name}"), text)
                    .because("a fixed argument of every call"),
            );
        }
    }
    layers.extend(
        policy(subject)
            .map(|(says, why)| Layer::new(Standing::Tells, "xprov's policy", says).because(why)),
    );
    let calls = scene.calls.layers(|line| {
        pieces(line.args.iter().map(String::as_str)).iter().any(|text| matches(text, subject))
            || line.notices.iter().any(|notice| matches(&notice.what, subject))
    });
    // That there is no ledger says nothing about a word that may be no flag at all.
    let known = !layers.is_empty() || !scene.calls.is_absent() && !calls.is_empty();
    layers.extend(calls);
    value.sort();
    value.dedup();
    let value = (!value.is_empty()).then(|| value.join(" "));
    Ok(known.then_some(Answer { sort: Sort::Flag, value, layers }))
}

/// Variables of the user's that have the flag among others.
fn variables(scene: &Scene<'_>, subject: &str) -> Vec<Layer> {
    let all = scene.context.ambient.variables.iter();
    let with_flags = all.filter(|(name, _)| name.contains("FLAGS"));
    let with_flags = with_flags.filter(|(_, value)| {
        let words = value.split(|c: char| c.is_whitespace() || c == '\u{1f}');
        pieces(words.filter(|word| !word.is_empty())).iter().any(|text| matches(text, subject))
    });
    let layers = with_flags.map(|(name, value)| {
        let passed = scene.environment.plan.value(name) == Some(value.as_str());
        let standing = if passed { Standing::Wins } else { Standing::Dropped };
        let reason = vars::rule_for(name).map_or("no build sees it", |rule| rule.reason);
        let why = if passed { "`env.pass` of the settings names it" } else { reason };
        Layer::new(standing, format!("your environment, {name}"), value).because(why)
    });
    layers.collect()
}

/// The flag in one file by itself, with its place.
fn asked(
    scene: &Scene<'_>,
    file: &ConfigFile,
    subject: &str,
) -> Result<Vec<(String, Place)>, Error> {
    let cfgs = TargetCfgs::of(scene.target);
    let host = &scene.context.host;
    let alone = ProjectConfig::read(std::slice::from_ref(file), host, scene.target, &cfgs)?;
    let flags = joined(&alone.rustflags).into_iter();
    let places = flags.filter_map(|(text, origin)| match origin {
        Origin::Project(place) if matches(&text, subject) => Some((text, place.clone())),
        _ => None,
    });
    Ok(places.collect())
}

/// What becomes of a flag in a call of a compiler, whoever asks for it (`docs/shim.md`).
fn policy(subject: &str) -> Option<(&'static str, &'static str)> {
    let flag = normal(subject);
    let is_codegen = flag != subject || !subject.starts_with('-');
    match flag {
        "-march=native" | "-mcpu=native" => Some((
            "becomes the baseline, unless the settings say otherwise for the crate",
            "the machine that builds is not the one that runs",
        )),
        "-mtune=native" => {
            Some(("is left out", "the machine that builds is not the one that runs"))
        }
        "target-cpu=native" if is_codegen => {
            Some(("is left out of the flags", "it would build for this machine's CPU"))
        }
        _ => {
            let dir = ["-I", "-isystem", "-idirafter", "-iquote", "-L", "-B"]
                .iter()
                .find_map(|option| flag.strip_prefix(option));
            let of_machine = ["/usr", "/lib", "/opt", "/Library", "/System"];
            dir.map(str::trim_start)
                .filter(|dir| of_machine.iter().any(|root| dir.starts_with(root)))
                .map(|_| ("is left out", "headers and libraries of the machine"))
        }
    }
}

/// Flags with their values: `-C target-cpu=x` in two arguments is one.
fn joined(flags: &[Flag]) -> Vec<(String, &Origin)> {
    let mut joined: Vec<(String, &Origin)> = Vec::new();
    for flag in flags {
        match joined.last_mut() {
            Some((text, origin)) if takes(text, &flag.value) => {
                *text = format!("{text} {}", flag.value);
                *origin = &flag.origin;
            }
            _ => joined.push((flag.value.clone(), &flag.origin)),
        }
    }
    joined
}

fn pieces<'a>(words: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for word in words {
        match pieces.last_mut() {
            Some(text) if takes(text, word) => *text = format!("{text} {word}"),
            _ => pieces.push(word.to_owned()),
        }
    }
    pieces
}

/// Whether an argument may be the value of the one before it.
fn takes(before: &str, word: &str) -> bool {
    let bare = before.starts_with('-') && !before.contains(['=', ' ']);
    bare && !word.starts_with('-')
}

/// An option of rustc's code generation without the words before it.
fn normal(flag: &str) -> &str {
    let option = ["-C ", "--codegen=", "--codegen ", "-C"];
    option.iter().find_map(|way| flag.strip_prefix(way)).unwrap_or(flag).trim()
}

fn matches(text: &str, subject: &str) -> bool {
    let (text_is_option, subject_is_option) = (text.starts_with('-'), subject.starts_with('-'));
    let (text, subject) = (normal(text), normal(subject));
    // A word without a dash names an option of code generation, and no file or value.
    let comparable =
        !subject.is_empty() && text_is_option && (subject_is_option || !text.starts_with('-'));
    comparable
        && text.strip_prefix(subject).is_some_and(|rest| {
            rest.is_empty() || subject.ends_with('=') || rest.starts_with(['=', ' ', ':', '/'])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_match_in_each_of_their_spellings() {
        for (text, subject) in [
            ("-Ctarget-cpu=native", "target-cpu"),
            ("-C target-cpu=native", "-Ctarget-cpu=native"),
            ("--codegen=target-cpu=native", "target-cpu=native"),
            ("--remap-path-prefix=/a=b", "--remap-path-prefix"),
            ("--cfg x", "--cfg"),
            ("-march=native", "-march=native"),
            ("-march=armv8-a", "-march"),
            ("-I/usr/include", "-I"),
        ] {
            assert!(matches(text, subject), "{text} {subject}");
        }
        for (text, subject) in [
            ("--cfg target-cpu=native", "target-cpu"),
            ("-Ctarget-cpu=native", "target"),
            ("target-cpu", "target-cpu"),
            ("-march=native", "march"),
            ("-mtune=native", "-march"),
        ] {
            assert!(!matches(text, subject), "{text} {subject}");
        }
    }

    #[test]
    fn arguments_are_joined_with_their_values() {
        let words = ["-C", "target-cpu=x", "-O2", "-I", "/usr/include", "-c", "-o=a", "b.c"];
        let expected = ["-C target-cpu=x", "-O2", "-I /usr/include", "-c", "-o=a", "b.c"];
        assert_eq!(pieces(words.into_iter()), expected);
    }

    #[test]
    fn the_policy_speaks_of_native_and_of_the_machines_directories() {
        for flag in ["-march=native", "-mtune=native", "-Ctarget-cpu=native", "-isystem /usr/x"] {
            assert!(policy(flag).is_some(), "{flag}");
        }
        for flag in ["-march=armv8-a", "-Iinclude", "target-cpu", "PATH"] {
            assert!(policy(flag).is_none(), "{flag}");
        }
    }
}
