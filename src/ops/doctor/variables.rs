//! Variables that a plain build would obey, and the lines of start files that export them.

use super::profiles::{self, Export};
use super::{Area, Guard, Leak, Patient, short};
use crate::hermetic::dropped::{dropped, harm};
use crate::ops::at::At;

/// The findings.
pub fn leaks(patient: &Patient<'_>) -> Vec<Leak> {
    let ambient = patient.context.ambient;
    let home = patient.home.as_deref();
    let of_home: Vec<Export> = home.map(profiles::of_home).unwrap_or_default();
    let of_machine = profiles::of_machine(patient.root);
    // In an environment of xprov's the variables are xprov's; only files are the user's.
    let inside = ambient.var("XPROV_ENV_ID").is_some();
    let set = if inside { Vec::new() } else { dropped(&ambient.variables, &[]) };
    let mut leaks = Vec::new();
    for variable in &set {
        let name = variable.name;
        let exports = of_home.iter().chain(&of_machine).filter(|export| export.name == name);
        // A line with a value that does nothing is not where this one is from.
        let exports = exports.filter(|export| harm(name, export.value.as_deref()).is_some());
        let places: Vec<At> = exports.map(Export::at).collect();
        let help = if places.is_empty() {
            format!("unset {name} where it is set")
        } else {
            "take it out of that file".to_owned()
        };
        let leak = Leak {
            effect: variable.why.to_owned(),
            help,
            ..Leak::new(Area::Variables, format!("{name}={}", short(variable.value)), places)
        };
        leaks.push(chosen(patient, name, leak));
    }
    for export in of_home.iter().filter(|export| inside || !ambient.is_set(&export.name)) {
        let Some(rule) = harm(&export.name, export.value.as_deref()) else { continue };
        leaks.push(Leak {
            effect: format!("{}, in every shell that reads this file", rule.reason),
            help: "take it out of that file".to_owned(),
            ..Leak::new(Area::Profiles, &export.name, vec![export.at()])
        });
    }
    leaks
}

/// The finding as a note, where the settings decide about the variable.
fn chosen(patient: &Patient<'_>, name: &str, leak: Leak) -> Leak {
    let Some(env) = patient.project.map(|project| &project.settings.env) else { return leak };
    let note = Leak { weight: super::Weight::Note, ..leak };
    if env.set.contains_key(name) {
        return Leak { help: "nothing: `env.set` of the settings has another".to_owned(), ..note };
    }
    if env.pass.iter().any(|passed| passed == name) {
        let help = "take it out of `env.pass` in the settings unless builds need it".to_owned();
        return Leak { guard: Guard::Chosen, help, ..note };
    }
    Leak { weight: super::Weight::Leak, ..note }
}

impl Export {
    fn at(&self) -> At {
        At::line(&self.path, self.line)
    }
}
