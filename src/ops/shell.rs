//! `shell`: the user's own shell in an environment.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::context::Context;
use super::env::exports;
use super::environment::write_if_changed;
use super::error::Error;
use super::exec::found;
use super::user::Homes;
use crate::hermetic::startup::{self, Startup};
use crate::sys::ambient::Ambient;
use crate::sys::fs::{Umask, create_dir, restore_umask};
use crate::sys::process::{become_command, inheriting_command};
use crate::vocab::event::Event;
use crate::vocab::triple::TargetRequest;

/// How many shells of xprov's are around each other.
const LEVEL: &str = "XPROV_SHLVL";

/// Whoever sets it wants their prompt as it is.
const NO_PROMPT: &str = "XPROV_NO_PROMPT";

/// What `shell` is asked for.
pub struct ShellRequest<'a> {
    /// The project's manifest.
    pub manifest: Option<&'a str>,
    /// The target.
    pub target: Option<&'a str>,
    /// Arguments of the shell.
    pub arguments: &'a [String],
    /// The user's umask, which the shell has again.
    pub umask: Umask,
}

/// Shells whose startup files are known.
enum Family {
    Bash,
    Zsh,
    Fish,
    Posix,
}

impl Family {
    /// By the name of the program.
    fn of(program: &str) -> Option<Self> {
        match Path::new(program).file_name()?.to_str()? {
            "bash" => Some(Self::Bash),
            "zsh" => Some(Self::Zsh),
            "fish" => Some(Self::Fish),
            "sh" | "dash" | "ash" | "ksh" | "ksh93" | "mksh" | "yash" => Some(Self::Posix),
            _ => None,
        }
    }
}

/// Becomes the user's shell in the environment of a target, after `before`. Comes back only where
/// there is nothing to do, because this shell has the environment, or where it cannot.
pub fn shell(
    context: &Context<'_>,
    request: &ShellRequest<'_>,
    before: &dyn Fn(),
) -> Result<u8, Error> {
    let ambient = context.ambient;
    let level: Option<u32> = ambient.var(LEVEL).and_then(|level| level.parse().ok());
    // Inside of a shell its target is meant, unless another one is named.
    let here = level.and_then(|_| ambient.var("XPROV_TARGET"));
    if let (Some(here), Some(target)) = (here, request.target)
        && target.parse::<TargetRequest>()?.triple.as_str() != here
    {
        return Err(another(here, target));
    }
    let found = found(context, request.manifest, request.target.or(here))?;
    let (environment, exports) = (&found.environment, exports(context, &found)?);
    let (id, target) = (environment.plan.env_id.to_string(), &environment.target);
    if let Some(inside) = ambient.var("XPROV_ENV_ID").filter(|_| level.is_some()) {
        if inside != id {
            return Err(another(&format!("{target} ({inside})"), &id));
        }
        if request.arguments.is_empty() {
            let note = format!("this shell is in environment {id} for {target} already");
            context.observer.event(Event::Note(note));
            return Ok(0);
        }
    }
    let program = ambient.var("SHELL").unwrap_or("/bin/sh");
    let mut command = inheriting_command(program);
    for name in ambient.variables.keys().filter(|name| exports.takes_away(name)) {
        command.env_remove(name);
    }
    // Where this is called inside of `xprov exec`, the user's home is not that of the process.
    command.envs(Homes::of(ambient).home().map(|home| ("HOME", home)));
    command.envs(exports.of_shell().iter().map(|(name, value)| (name, value)));
    command.env("PATH", exports.path(ambient.var("PATH")));
    command.env(LEVEL, level.unwrap_or(0).saturating_add(1).to_string());
    command.current_dir(&ambient.cwd);

    let tools: Vec<&str> = found.ground.tools.shims.keys().map(String::as_str).collect();
    let mark = startup::mark(target);
    let mark = Some(mark).filter(|_| ambient.var(NO_PROMPT).is_none());
    let startup = Startup { exports: &exports, tools: &tools, mark };
    let dir = environment.plan.build_dir.join("shell");
    create_dir(&dir)?;
    let family = Family::of(program);
    if family.is_none() && request.arguments.is_empty() {
        let note =
            format!("the startup files of `{program}` come last: they may undo parts of this");
        context.observer.event(Event::Note(note));
    }
    start(&mut command, &family.unwrap_or(Family::Posix), &startup, &dir, ambient)?;
    if request.arguments.is_empty() {
        let note = format!("environment {id} for {target}; `exit` leaves it");
        context.observer.event(Event::Note(note));
    }
    before();
    restore_umask(request.umask);
    let source = become_command(command.args(request.arguments));
    Err(Error::Shell { program: program.to_owned(), source })
}

/// Environments do not nest: parts of the outer one would be left in the inner one.
fn another(here: &str, other: &str) -> Error {
    Error::Usage {
        message: format!(
            "this shell is in the environment for {here}, and another is asked for: {other}"
        ),
        help: "leave this one first: `exit`".to_owned(),
    }
}

/// Writes the startup files of a family of shells and makes the command read them.
fn start(
    command: &mut Command,
    family: &Family,
    startup: &Startup<'_>,
    dir: &Path,
    ambient: &Ambient,
) -> Result<(), Error> {
    let write = |name: &str, text: &str| -> Result<PathBuf, Error> {
        let path = dir.join(name);
        write_if_changed(&path, text)?;
        Ok(path)
    };
    let remember = |command: &mut Command, variable: &str, remembered: &str| {
        command.env_remove(remembered);
        command.envs(ambient.variables.get(variable).map(|value| (remembered, value)));
    };
    match family {
        Family::Bash => {
            if ambient.var("BASH_ENV").is_some() {
                remember(command, "BASH_ENV", startup::USER_BASH_ENV);
                command.env("BASH_ENV", write("bash-env", &startup.bash_env())?);
            }
            command.arg("--rcfile").arg(write("bashrc", &startup.bashrc())?);
        }
        Family::Zsh => {
            let dir = dir.join("zsh");
            create_dir(&dir)?;
            let text = crate::hermetic::text(&dir)?;
            for (name, text) in startup.zsh(text) {
                write_if_changed(&dir.join(name), &text)?;
            }
            remember(command, "ZDOTDIR", startup::USER_ZDOTDIR);
            command.env("ZDOTDIR", dir);
        }
        Family::Fish => {
            let path = write("init.fish", &startup.fish())?;
            let path = crate::hermetic::render::quote_fish(crate::hermetic::text(&path)?);
            command.arg("--init-command").arg(format!("source {path}"));
        }
        Family::Posix => {
            remember(command, "ENV", startup::USER_ENV);
            command.env("ENV", write("shrc", &startup.sh_env())?);
        }
    }
    Ok(())
}
