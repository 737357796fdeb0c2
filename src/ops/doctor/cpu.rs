//! What flags of rustc's ask of the CPU beyond a target's baseline, judged as a build judges it.

use super::{Area, Guard, Leak, Patient};
use crate::hermetic::build_inputs::BuildInput;
use crate::hermetic::cargo_config::ProjectConfig;
use crate::hermetic::cfg_expr::TargetCfgs;
use crate::hermetic::flags::{self, Allowed};
use crate::hermetic::{Origin, Warning};
use crate::ops::at::At;
use crate::ops::configs::Configs;
use crate::ops::error::Error;
use crate::ops::project::Project;
use crate::ops::shims;
use crate::settings::Settings;
use crate::vocab::triple::RustTriple;

/// The targets that are examined, and what each allows: the one that was asked for, or those of the
/// settings, or the host.
pub fn targets(patient: &Patient<'_>) -> Result<Vec<(RustTriple, Allowed)>, Error> {
    let none = Settings::default();
    let settings = patient.project.map_or(&none, |project| &project.settings);
    let declared = settings.targets.iter().map(|target| target.0.triple.clone());
    let mut targets: Vec<RustTriple> = match patient.target {
        Some(target) => vec![target.clone()],
        None => declared.collect(),
    };
    if targets.is_empty() {
        targets.push(patient.context.host.clone());
    }
    let allowed = |target: RustTriple| {
        let allowed = shims::allowed(&settings.isa, &settings.target(&target), &target)?;
        Ok((target, allowed))
    };
    targets.into_iter().map(allowed).collect()
}

/// Whether a key has flags beyond what the targets allow.
pub fn is_beyond(input: &BuildInput, targets: &[(RustTriple, Allowed)]) -> bool {
    let beyond = |allowed| !flags::filter_arguments(&input.words, allowed).1.is_empty();
    input.key.ends_with("rustflags") && targets.iter().any(|(_, allowed)| beyond(allowed))
}

/// What builds take out of the project's own flags. Its configuration is the project's, but what
/// CPU it runs on is not for one machine to say.
pub fn of_project(
    patient: &Patient<'_>,
    project: &Project,
    targets: &[(RustTriple, Allowed)],
) -> Result<Vec<Leak>, Error> {
    let files = Configs::read(project, &[])?.files;
    let mut leaks: Vec<Leak> = Vec::new();
    for (target, allowed) in targets {
        let cfgs = TargetCfgs::of(target);
        let config = ProjectConfig::read(&files, &patient.context.host, target, &cfgs)?;
        let rustflags = project.settings.target(target).rustflags;
        let merged = flags::merged(&config.rustflags, None, &rustflags);
        for warning in flags::filter(merged, allowed).1 {
            let Warning::BeyondBaseline { origin, what, why, allow } = warning else { continue };
            let place = match origin {
                Origin::Project(place) => place.into(),
                _ => in_settings(project, &what),
            };
            let places = vec![place];
            // Several targets may share the line.
            if leaks.iter().any(|leak| leak.what == what && leak.places == places) {
                continue;
            }
            let allow = allow.map(|line| format!(", or write `{line}` in the settings"));
            leaks.push(Leak {
                effect: format!("for {target} {why}"),
                guard: Guard::Reported,
                help: format!("take it out{}", allow.unwrap_or_default()),
                ..Leak::new(Area::Configuration, what, places)
            });
        }
    }
    Ok(leaks)
}

/// Where the settings say so: the line that has the words.
fn in_settings(project: &Project, what: &str) -> At {
    let path = project.root.join("Cargo.toml");
    match project.root_text.lines().position(|line| line.contains(what)) {
        Some(index) => At::line(path, index + 1),
        None => At::whole(path),
    }
}
