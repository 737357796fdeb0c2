//! A variable: from the user's environment over configurations and settings to the plan.

use super::{Answer, Layer, Scene, Sort, Standing};
use crate::hermetic::Origin;
use crate::hermetic::build_inputs::{BuildInput, build_inputs};
use crate::hermetic::cargo_config::{ConfigFile, ProjectConfig};
use crate::hermetic::cfg_expr::TargetCfgs;
use crate::hermetic::plan::Warning;
use crate::hermetic::vars::{self, Fate};
use crate::ops::error::Error;

/// The answer, if the name is known anywhere.
pub fn answer(scene: &Scene<'_>, name: &str) -> Result<Option<Answer>, Error> {
    let plan = &scene.environment.plan;
    let planned = plan.variables.iter().find(|variable| variable.name == name);
    let mut layers: Vec<Layer> = users_own(scene, name).into_iter().collect();
    for file in scene.users {
        for input in spoken(file, name)? {
            let says = format!("{} = {}", input.key, input.value);
            layers.push(
                Layer::new(Standing::Dropped, "your cargo configuration", says)
                    .at(input.place)
                    .because("only its network settings count"),
            );
        }
    }
    for file in scene.configs {
        for input in spoken(file, name)? {
            layers.push(of_project(scene, file, &input, name));
        }
    }
    layers.extend(settings(scene, name));
    if let Some(rule) = vars::rule_for(name) {
        let fate = match rule.fate {
            Fate::Passes => "passes",
            Fate::FetchOnly => "only for fetching",
            Fate::Never => "never passes",
        };
        let says = format!("{}: {fate}", rule.name);
        let said = layers.iter().any(|layer| layer.why == rule.reason);
        let why = if said { "" } else { rule.reason };
        layers.push(Layer::new(Standing::Tells, "the catalogue", says).because(why));
    }
    if let Some(variable) = planned
        && matches!(variable.origin, Origin::Xprov | Origin::Tool(_))
    {
        layers.push(Layer::new(Standing::Wins, variable.origin.to_string(), &variable.value));
    }
    if layers.is_empty() {
        return Ok(None);
    }
    if planned.is_none() && name.ends_with("RUSTFLAGS") {
        let says = plan.value("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
        layers.push(
            Layer::new(Standing::Tells, "CARGO_ENCODED_RUSTFLAGS", says)
                .because("cargo reads no other source of flags where it is set"),
        );
    }
    let value = match planned {
        Some(variable) => Some(variable.value.replace('\u{1f}', " ")),
        None => table_value(scene, name)?,
    };
    Ok(Some(Answer { sort: Sort::Variable, value, layers }))
}

fn users_own(scene: &Scene<'_>, name: &str) -> Option<Layer> {
    let value = scene.context.ambient.variables.get(name)?;
    let plan = &scene.environment.plan;
    let origin = plan.variables.iter().find(|variable| variable.name == name);
    let layer = |standing| Layer::new(standing, "your environment", value);
    let rule = vars::rule_for(name);
    Some(match (origin.map(|variable| &variable.origin), rule) {
        (Some(Origin::PassedThrough), _) => layer(Standing::Wins),
        (Some(Origin::Setting("env.pass")), _) => {
            layer(Standing::Wins).because("`env.pass` of the settings names it")
        }
        _ if name == "CARGO_TARGET_DIR" => {
            layer(Standing::Wins).because("it says where binaries go, and is no variable of builds")
        }
        (Some(Origin::Setting(_)), _) => layer(Standing::Loses).because("the settings outrank it"),
        (_, Some(rule)) if rule.fate == Fate::Never => {
            layer(Standing::Dropped).because(rule.reason)
        }
        (_, Some(rule)) if rule.fate == Fate::FetchOnly => {
            layer(Standing::Dropped).because("only fetching sees it")
        }
        (Some(_), _) => layer(Standing::Dropped).because("xprov sets it"),
        (None, _) => layer(Standing::Dropped)
            .because("a build starts with no variables; `env.pass` of the settings lets it in"),
    })
}

fn settings(scene: &Scene<'_>, name: &str) -> Vec<Layer> {
    let env = &scene.project.settings.env;
    let mut layers = Vec::new();
    if env.pass.iter().any(|passed| passed == name) {
        let has = scene.context.ambient.variables.contains_key(name);
        let says = if has { "lets it in" } else { "would let it in; your environment has none" };
        layers.push(Layer::new(Standing::Tells, "settings, env.pass", says));
    }
    if let Some(value) = env.set.get(name) {
        layers.push(Layer::new(Standing::Wins, "settings, env.set", value));
    }
    layers
}

/// The keys of a file that say the same as the variable would.
fn spoken(file: &ConfigFile, name: &str) -> Result<Vec<BuildInput>, Error> {
    let mut inputs = build_inputs(file)?;
    inputs.retain(|input| speaks_of(&input.key, name));
    Ok(inputs)
}

/// Whether a key of cargo's configuration is the variable's, by cargo's own rule or by name.
fn speaks_of(key: &str, name: &str) -> bool {
    let unquoted: String = key.chars().filter(|c| !matches!(c, '\'' | '"')).collect();
    let as_variable = format!("CARGO_{}", unquoted.to_uppercase().replace(['.', '-'], "_"));
    let short = name.starts_with("RUST")
        && unquoted == format!("build.{}", name.to_lowercase().replace('_', "-"));
    let flags = matches!(name, "RUSTFLAGS" | "CARGO_ENCODED_RUSTFLAGS");
    unquoted == format!("env.{name}")
        || as_variable == name
        || short
        || (flags && unquoted.ends_with(".rustflags"))
}

fn of_project(scene: &Scene<'_>, file: &ConfigFile, input: &BuildInput, name: &str) -> Layer {
    let plan = &scene.environment.plan;
    let overridden = plan.warnings.iter().any(|warning| match warning {
        Warning::Overridden { key, place } => *key == input.key && place.file == file.path,
        _ => false,
    });
    let gives_flags = plan.rustflags.iter().any(|flag| match &flag.origin {
        Origin::Project(place) => place.file == file.path,
        _ => false,
    });
    let is_env = input.key.starts_with("env.");
    let is_flags = input.key.ends_with("rustflags");
    let (standing, why) = match () {
        () if is_env && plan.value(name).is_some() => (Standing::Loses, "the environment has it"),
        () if is_env => (Standing::Wins, "cargo sets it for rustc and build scripts"),
        () if overridden => (Standing::Loses, "xprov overrides it"),
        () if is_flags && gives_flags => {
            (Standing::Wins, "as far as it is for this target; ask for a flag to see it alone")
        }
        () if is_flags => (Standing::Loses, "it is not for this target, or another shuts it out"),
        () => (Standing::Tells, ""),
    };
    Layer::new(standing, "the project", format!("{} = {}", input.key, input.value))
        .at(input.place.clone())
        .because(why)
}

/// What cargo's `[env]` table sets.
fn table_value(scene: &Scene<'_>, name: &str) -> Result<Option<String>, Error> {
    let cfgs = TargetCfgs::of(scene.target);
    let mut read = ProjectConfig::read(scene.configs, &scene.context.host, scene.target, &cfgs)?;
    Ok(read.env.remove(name).map(|entry| entry.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_speak_of_the_variables_that_cargo_reads_in_their_place() {
        for (key, name) in [
            ("env.CC", "CC"),
            ("build.rustflags", "RUSTFLAGS"),
            ("build.rustflags", "CARGO_BUILD_RUSTFLAGS"),
            ("target.'cfg(unix)'.rustflags", "CARGO_ENCODED_RUSTFLAGS"),
            (
                "target.x86_64-unknown-linux-gnu.linker",
                "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
            ),
            ("build.rustc-wrapper", "RUSTC_WRAPPER"),
        ] {
            assert!(speaks_of(key, name), "{key} {name}");
        }
        for (key, name) in
            [("env.CC", "CC_x"), ("build.rustdocflags", "RUSTFLAGS"), ("build.rustc", "CC")]
        {
            assert!(!speaks_of(key, name), "{key} {name}");
        }
    }
}
