//! A flag of rustc's or of a C compiler's: who asks for it, who loses, what shims do to it, and
//! which calls had it.

use super::calls::with_allow;
use super::{Answer, Layer, Scene, Sort, Standing, native};
use crate::hermetic::cargo_config::{ConfigFile, Place, ProjectConfig};
use crate::hermetic::cfg_expr::TargetCfgs;
use crate::hermetic::flags::{Flag, filter_arguments};
use crate::hermetic::vars;
use crate::hermetic::{Origin, Warning};
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
    let (beyond, layers_beyond) = beyond(scene, subject);
    layers.extend(layers_beyond);
    for file in scene.configs {
        for (text, place) in asked(scene, file, subject)? {
            let kept = used
                .iter()
                .any(|(kept, origin)| *kept == text && **origin == Origin::Project(place.clone()));
            let option = |text: &str| normal(text).split('=').next().map(str::to_owned);
            let is_beyond =
                beyond.iter().any(|(what, at)| *at == place && option(what) == option(&text));
            if !kept && !is_beyond {
                let layer = Layer::new(Standing::Dropped, "the project", text);
                let why = "`target.*.rustflags` shut out `build.rustflags`";
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
    layers.extend(policy(scene, subject));
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

/// What was taken out of the flags because it is beyond the baseline: what and where in the
/// project's configuration, and everything of it as layers.
fn beyond(scene: &Scene<'_>, subject: &str) -> (Vec<(String, Place)>, Vec<Layer>) {
    let (mut places, mut layers) = (Vec::new(), Vec::new());
    for warning in &scene.environment.plan.warnings {
        let Warning::BeyondBaseline { origin, what, why, allow } = warning else { continue };
        if !matches(&format!("-C{what}"), subject) {
            continue;
        }
        let layer = Layer::new(Standing::Dropped, origin.to_string(), what)
            .because(with_allow(why, allow.as_deref()));
        layers.push(match origin {
            Origin::Project(place) => {
                places.push((what.clone(), place.clone()));
                Layer { who: "the project".into(), ..layer }.at(place.clone())
            }
            _ => layer,
        });
    }
    (places, layers)
}

/// What becomes of a flag, whoever asks for it.
fn policy(scene: &Scene<'_>, subject: &str) -> Vec<Layer> {
    let flag = normal(subject);
    let names = ["target-cpu", "target-feature"];
    let of_cpu = names.iter().any(|name| {
        flag.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    if !of_cpu || flag == subject && subject.starts_with('-') {
        return if subject.starts_with('-') { native::layers(scene, subject) } else { Vec::new() };
    }
    let allowed = &scene.environment.plan.allowed;
    let level = allowed.baseline().map_or("no baseline is known", |level| level.name());
    let besides: Vec<&str> =
        allowed.cpus().iter().chain(allowed.features()).map(String::as_str).collect();
    let besides = match besides.as_slice() {
        [] => String::new(),
        besides => format!("; the settings allow {} besides", besides.join(", ")),
    };
    let tells = |says: String| Layer::new(Standing::Tells, "xprov's policy", says);
    if !flag.contains('=') {
        return vec![tells(format!("the project may ask for what {level} has{besides}"))];
    }
    let warnings = filter_arguments(&[format!("-C{flag}")], allowed).1;
    let mut layers: Vec<Layer> = Vec::new();
    for warning in warnings {
        let Warning::BeyondBaseline { what, why, allow, .. } = warning else { continue };
        let says = format!("`{what}` is left out of the project's flags");
        layers.push(tells(says).because(with_allow(&why, allow.as_deref())));
    }
    if layers.is_empty() {
        layers.push(tells(format!("`{flag}` may stay: {level}{besides}")));
    }
    layers
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
    // Of a list of features, one is enough.
    let list = |text: &'_ str| text.strip_prefix("target-feature=").map(str::to_owned);
    if let (true, Some(has), Some(asked)) = (text_is_option, list(text), list(subject)) {
        let is = |feature: &str| has.split(',').any(|one| one.trim() == feature);
        return asked.split(',').any(|feature| is(feature.trim()));
    }
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
            ("-Ctarget-feature=+neon,+aes", "-C target-feature=+aes"),
        ] {
            assert!(matches(text, subject), "{text} {subject}");
        }
        for (text, subject) in [
            ("--cfg target-cpu=native", "target-cpu"),
            ("-Ctarget-cpu=native", "target"),
            ("target-cpu", "target-cpu"),
            ("-march=native", "march"),
            ("-mtune=native", "-march"),
            ("-Ctarget-feature=+avx2", "target-feature=+avx"),
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
}
