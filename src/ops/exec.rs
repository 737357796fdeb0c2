//! `exec`: a command in a target's environment and nothing else; and that environment for the
//! verbs that give it to shells.

use super::configs::Configs;
use super::context::Context;
use super::crates::Crates;
use super::environment::{Environment, Wish, environment};
use super::error::Error;
use super::ground::{Ground, ground};
use super::project::Project;
use super::user::Homes;
use crate::sys::process::{exit_code, hermetic_command};
use crate::vocab::triple::TargetRequest;

/// Runs a command in the environment of a target; its exit code becomes ours.
pub fn exec(
    context: &Context<'_>,
    manifest: Option<&str>,
    target: Option<&str>,
    command: &[String],
) -> Result<u8, Error> {
    let environment = found(context, manifest, target)?.environment;
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

/// An environment and what it was made from.
pub struct Found {
    /// The project.
    pub project: Project,
    /// The tools.
    pub ground: Ground,
    /// The project's cargo configuration.
    pub configs: Configs,
    /// The environment itself.
    pub environment: Environment,
}

/// The environment of a target, by default the first of the settings or the host's. Fetches no
/// crates, so that it can stand in a shell's hook.
pub fn found(
    context: &Context<'_>,
    manifest: Option<&str>,
    target: Option<&str>,
) -> Result<Found, Error> {
    let project = Project::find(context.ambient, manifest)?;
    let declared = project.settings.targets.first().map(|target| target.0.clone());
    let host = || TargetRequest { triple: context.host.clone(), glibc: None };
    let target = match target {
        Some(target) => target.parse()?,
        None => declared.unwrap_or_else(host),
    };
    let ground = ground(context, &project, &target.triple)?;
    let configs = Configs::read(&project, &[])?;
    let registry_dirs =
        Crates::new(context, &project, &ground, &target.triple, &configs)?.registry_dirs();
    let wish = Wish {
        target: &target.triple,
        glibc: target.glibc,
        target_dir: None,
        registry_dirs: &registry_dirs,
        configs: &configs.files,
    };
    let environment = environment(context, &project, &ground, &wish)?;
    Ok(Found { project, ground, configs, environment })
}
