//! Variables that a plain build would obey, and the lines of start files that export them.

use super::profiles::{self, Export};
use super::{Area, Guard, Leak, Patient, Weight, short};
use crate::hermetic::vars::{self, Fate};
use crate::ops::at::At;

/// Variables of builds that xprov always has a value of its own for, so that the catalogue of what
/// passes has no rule for them.
const REPLACED: &[(&str, &str)] = &[
    ("CARGO_ENCODED_RUSTFLAGS", "would replace the project's own flags"),
    ("RUSTC", "another compiler"),
    ("RUSTDOC", "another rustdoc"),
];

/// Says where binaries go, not what they are; xprov obeys it.
const HARMLESS: &str = "CARGO_TARGET_DIR";

/// What a variable would do to a build; `None` for one that does nothing or passes anyway.
fn harm(name: &str) -> Option<&'static str> {
    let replaced = REPLACED.iter().find(|(known, _)| *known == name).map(|(_, why)| *why);
    let rule = vars::rule_for(name).filter(|rule| rule.fate == Fate::Never);
    replaced.or(rule.map(|rule| rule.reason)).filter(|_| name != HARMLESS)
}

/// The findings.
pub fn leaks(patient: &Patient<'_>) -> Vec<Leak> {
    let ambient = patient.context.ambient;
    let home = patient.home.as_deref();
    let of_home: Vec<Export> = home.map(profiles::of_home).unwrap_or_default();
    let of_machine = profiles::of_machine(patient.root);
    let pass = patient.project.map(|project| project.settings.env.pass.as_slice());
    let is_passed = |name: &str| pass.unwrap_or_default().iter().any(|passed| passed == name);
    // In an environment of xprov's the variables are xprov's; only files are the user's.
    let inside = ambient.var("XPROV_ENV_ID").is_some();
    let is_set = |name: &str| !inside && ambient.variables.contains_key(name);
    let mut leaks = Vec::new();
    for (name, value) in ambient.variables.iter().filter(|(name, _)| is_set(name)) {
        let Some(effect) = harm(name) else { continue };
        let exports = of_home.iter().chain(&of_machine).filter(|export| export.name == *name);
        let places: Vec<At> = exports.map(Export::at).collect();
        let help = match (is_passed(name), places.is_empty()) {
            (true, _) => "take it out of `env.pass` in the settings unless builds need it".into(),
            (false, true) => format!("unset {name} where it is set"),
            (false, false) => "take it out of that file".to_owned(),
        };
        let chosen = is_passed(name);
        leaks.push(Leak {
            area: Area::Variables,
            weight: if chosen { Weight::Note } else { Weight::Leak },
            what: format!("{name}={}", short(value)),
            places,
            effect: effect.to_owned(),
            guard: if chosen { Guard::Chosen } else { Guard::Prevented },
            help,
        });
    }
    for export in of_home.iter().filter(|export| !is_set(&export.name)) {
        let Some(effect) = harm(&export.name) else { continue };
        leaks.push(Leak {
            area: Area::Profiles,
            weight: Weight::Leak,
            what: export.name.clone(),
            places: vec![export.at()],
            effect: format!("{effect}, in every shell that reads this file"),
            guard: Guard::Prevented,
            help: "take it out of that file".to_owned(),
        });
    }
    leaks
}

impl Export {
    fn at(&self) -> At {
        At::line(&self.path, self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_chooses_flags_or_compilers_is_harmful_and_where_output_goes_is_not() {
        for name in ["CFLAGS", "CC_aarch64-unknown-linux-gnu", "RUSTC", "CARGO_ENCODED_RUSTFLAGS"] {
            assert!(harm(name).is_some(), "{name}");
        }
        for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_JOBS", "PATH", "EDITOR", "HTTPS_PROXY"] {
            assert!(harm(name).is_none(), "{name}");
        }
    }
}
