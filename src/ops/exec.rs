//! `exec` and `env`: an environment for other programs than cargo.

use std::collections::BTreeSet;

use super::configs::Configs;
use super::context::Context;
use super::crates::Crates;
use super::environment::{Environment, Wish, environment};
use super::error::Error;
use super::ground::ground;
use super::project::Project;
use super::user::Homes;
use crate::hermetic::render::{self, Format};
use crate::hermetic::vars::{self, Fate};
use crate::sys::process::{exit_code, hermetic_command};
use crate::vocab::triple::TargetRequest;

/// Runs a command in the environment of a target; its exit code becomes ours.
pub fn exec(
    context: &Context<'_>,
    manifest: Option<&str>,
    target: Option<&str>,
    command: &[String],
) -> Result<u8, Error> {
    let environment = of(context, manifest, target)?;
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::Usage {
            message: "there is no command".to_owned(),
            help: "say for example `xprov exec -- make`".to_owned(),
        });
    };
    // The program is looked up on the environment's PATH, not on ours.
    let bin = environment.plan.bin_dir().join(program);
    let found = if program.contains('/') { context.ambient.cwd.join(program) } else { bin };
    let mut child = hermetic_command(&found);
    child.envs(environment.plan.variables.iter().map(|v| (&v.name, &v.value)));
    child.envs(Homes::of(context.ambient).variables());
    child.args(arguments).current_dir(&context.ambient.cwd);
    let status =
        child.status().map_err(|source| Error::Spawn { program: program.clone(), source })?;
    Ok(exit_code(status))
}

/// The environment of a target as text in one of the forms. Fetches no crates, so that it can
/// stand in a shell's hook.
pub fn env(
    context: &Context<'_>,
    manifest: Option<&str>,
    target: Option<&str>,
    format: Format,
) -> Result<String, Error> {
    let homes = Homes::of(context.ambient);
    let environment = of(context, manifest, target)?;
    let mut variables: Vec<(&str, &str)> = environment
        .plan
        .variables
        .iter()
        .map(|variable| (variable.name.as_str(), variable.value.as_str()))
        .collect();
    // As cargo's configuration it is for builds, which do not see the user's homes.
    if format != Format::CargoConfig {
        variables.extend(homes.variables());
        variables.sort_unstable();
    }
    let unset: BTreeSet<&str> = context
        .ambient
        .variables
        .keys()
        .map(String::as_str)
        .filter(|name| vars::fate(name) == Some(Fate::Never))
        .filter(|name| !variables.iter().any(|(have, _)| have == name))
        .collect();
    let unset: Vec<&str> = unset.into_iter().collect();
    Ok(render::render(format, &variables, &unset))
}

fn of(
    context: &Context<'_>,
    manifest: Option<&str>,
    target: Option<&str>,
) -> Result<Environment, Error> {
    let project = Project::find(context.ambient, manifest)?;
    let declared = project.settings.targets.first().map(|target| target.0.clone());
    let host = || TargetRequest { triple: context.host.clone(), glibc: None };
    let target = match target {
        Some(target) => target.parse()?,
        None => declared.unwrap_or_else(host),
    };
    let ground = ground(context, &project, &target.triple)?;
    let configs = Configs::read(&project, &[])?;
    let crates = Crates::new(context, &project, &ground, &target.triple, &configs)?;
    let registry_dirs = crates.registry_dirs();
    let wish = Wish {
        target: &target.triple,
        glibc: target.glibc,
        target_dir: None,
        registry_dirs: &registry_dirs,
        configs: &configs.files,
    };
    environment(context, &project, &ground, &wish)
}
