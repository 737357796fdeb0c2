//! `build`, `check`, `test`, `run` and any other cargo command, in a hermetic environment.

use std::path::Path;
use std::process::Command;

use super::binaries;
use super::configs::Configs;
use super::context::Context;
use super::crates::Crates;
use super::download::{self, Download};
use super::environment::{self, Environment, Wish};
use super::error::Error;
use super::first_use;
use super::ground::{Ground, ground};
use super::link_failure::{self, LinkFailure};
use super::linker_choice;
use super::lock;
use super::notices::{self, Ledger, Notice};
use super::project::Project;
use super::user;
use super::verify::VerifyOutcome;
use crate::hermetic::build_inputs::build_inputs;
use crate::hermetic::cargo_args::{CargoArgs, Surroundings, is_question};
use crate::hermetic::flags::filter_arguments;
use crate::hermetic::{Plan, Warning};
use crate::recipe::Collection;
use crate::shim::CWD_VARIABLE;
use crate::shim::ledger::Line;
use crate::sys::process::{exit_code, hermetic_command};
use crate::vocab::event::Event;
use crate::vocab::triple::{RustTriple, TargetRequest};

/// With it rust-analyzer makes a stable cargo take the options of [`CargoArgs::analyses`].
const ANALYSIS_CHANNEL: &str = "__CARGO_TEST_CHANNEL_OVERRIDE_DO_NOT_USE_THIS";

/// What a cargo command did.
pub struct CargoOutcome {
    /// Cargo's exit code; of several targets the first that is not 0.
    pub code: u8,
    /// What it did for each target, up to the first that failed. Empty where nothing was asked
    /// to be compiled.
    pub built: Vec<Built>,
    /// Why there is none for the next target, after others were built.
    pub error: Option<Error>,
}

/// What a cargo command did for one target.
pub struct Built {
    /// The target.
    pub target: RustTriple,
    /// The environment's name.
    pub env_id: String,
    /// Cargo's exit code.
    pub code: u8,
    /// The binaries of a build and what was found in them.
    pub binaries: Vec<VerifyOutcome>,
    /// What was left out, changed, refused or seen: first what was known before cargo started.
    pub notices: Vec<Notice>,
    /// How many of them were known then.
    pub known: usize,
    /// Whether a compiler was called, or never yet: otherwise all of them were said before.
    pub is_news: bool,
    /// Why a link failed, where that can be said.
    pub link_failure: Option<LinkFailure>,
    /// What crates of a failed build wanted of a network.
    pub downloads: Vec<Download>,
}

/// Told before cargo starts, so that the environment can be shown, and what did not reach it; and
/// whether nothing was compiled there yet.
pub type BeforeCargo<'a> = &'a dyn Fn(&Ground, &Environment, &[Notice], bool);

/// Runs cargo with `arguments` (the command first) for each target that they name, or that the
/// settings name, or for the host.
pub fn cargo(
    context: &mut Context<'_>,
    arguments: &[String],
    default_target: Option<&str>,
    before: BeforeCargo<'_>,
) -> Result<CargoOutcome, Error> {
    if is_question(arguments) {
        return about_cargo(context, arguments, default_target);
    }
    let is_file = |path: &Path| path.is_file();
    let chooses = arguments.first().is_some_and(|first| first.starts_with('+'));
    let pinned = if chooses {
        lock::pinned_rust(context, &Project::find(context.ambient, None)?)?
    } else {
        None
    };
    let args = CargoArgs::parse(arguments, &context.ambient.cwd, pinned.as_deref(), &is_file)?;
    // Cargo's flags mean the same to xprov.
    context.mode.locked |= args.locked;
    context.mode.offline |= args.offline;
    let manifest = args.manifest_path.as_deref().map(Path::to_string_lossy);
    let project = Project::find(context.ambient, manifest.as_deref())?;
    let targets = targets(context, &project, &args, default_target)?;
    let mut outcome = CargoOutcome { code: 0, built: Vec::new(), error: None };
    for target in &targets {
        if targets.len() > 1 {
            let subject = target.triple.to_string();
            context.observer.event(Event::Step { verb: "Target", subject });
        }
        let built = match one(context, &project, &args, target, before) {
            Ok(built) => built,
            Err(error) if outcome.built.is_empty() => return Err(error),
            Err(error) => {
                outcome.error = Some(error);
                break;
            }
        };
        outcome.code = built.code;
        outcome.built.push(built);
        if outcome.code != 0 {
            break;
        }
    }
    Ok(outcome)
}

/// `cargo --version` and its like are questions to the pinned cargo, about no build: they pin
/// nothing.
fn about_cargo(
    context: &mut Context<'_>,
    arguments: &[String],
    target: Option<&str>,
) -> Result<CargoOutcome, Error> {
    context.mode.locked = true;
    let project = Project::find(context.ambient, None)?;
    let target = if let Some(target) = target {
        target.parse::<TargetRequest>()?.triple
    } else {
        // Any target will do, if it is locked.
        let lock = lock::read(context, &project)?;
        let locked = lock.and_then(|(lock, _)| lock.request.targets.into_iter().next());
        locked.unwrap_or_else(|| context.host.clone())
    };
    let program = ground(context, &project, &target)?.tools.rust.cargo;
    let status = hermetic_command(&program).args(arguments).status().map_err(|source| {
        let program = program.display().to_string();
        Error::Spawn { program, source }
    })?;
    Ok(CargoOutcome { code: exit_code(status), built: Vec::new(), error: None })
}

/// The targets of a command.
fn targets(
    context: &Context<'_>,
    project: &Project,
    args: &CargoArgs,
    default: Option<&str>,
) -> Result<Vec<TargetRequest>, Error> {
    let mut targets: Vec<TargetRequest> = Vec::new();
    // `cargo tree --target all` is about crates, and not about an environment.
    if !args.compiles_nothing() {
        for target in &args.targets {
            targets.push(target.parse()?);
        }
    }
    if let (true, Some(default)) = (targets.is_empty(), default) {
        targets.push(default.parse()?);
    }
    if targets.is_empty() {
        targets = project.settings.targets.iter().map(|target| target.0.clone()).collect();
    }
    if targets.is_empty() {
        let note = format!("no target is named, so this is for the host, {}", context.host);
        context.observer.event(Event::Note(note));
        targets.push(TargetRequest { triple: context.host.clone(), glibc: None });
    }
    if args.compiles_nothing() || args.fetches_and_compiles() || args.formats() {
        // `update` and `publish` do for all targets what they do.
        targets.truncate(1);
    }
    let single = ["run", "r", "rustc", "rustdoc"];
    if targets.len() > 1 && single.contains(&args.command.as_str()) {
        return Err(Error::Usage {
            message: format!(
                "`{}` takes one target, and there are {}",
                args.command,
                targets.len()
            ),
            help: "name one with --target TRIPLE".to_owned(),
        });
    }
    Ok(targets)
}

fn one(
    context: &Context<'_>,
    project: &Project,
    args: &CargoArgs,
    target: &TargetRequest,
    before: BeforeCargo<'_>,
) -> Result<Built, Error> {
    refuse_root_config()?;
    let triple: &RustTriple = &target.triple;
    let ground = ground(context, project, triple)?;
    refuse_missing_component(args, &ground)?;
    let configs = Configs::read(project, &args.configs)?;
    let mut crates = Crates::new(context, project, &ground, triple, &configs)?;
    let before_fetch = crates.registry_dirs();
    let mut wish = Wish {
        target: triple,
        glibc: target.glibc,
        target_dir: args.target_dir.as_deref(),
        registry_dirs: &before_fetch,
        configs: &configs.files,
    };
    let mut environment = environment::environment(context, project, &ground, &wish)?;
    // What compiles nothing fetches what it wants.
    let fetched = !args.compiles_nothing() && !args.formats() && crates.fetch(&environment.plan)?;
    let after_fetch = crates.registry_dirs();
    // Cargo.lock may have crates now that the toolchains were not locked for.
    if fetched && linker_choice::is_outgrown(context, project, target, &ground)? {
        return one(context, project, args, target, before);
    }
    if fetched && before_fetch != after_fetch {
        // Where crates are is known only now; it changes flags, and not the env-id.
        wish.registry_dirs = &after_fetch;
        environment = environment::environment(context, project, &ground, &wish)?;
    }
    let (args, mut notices) = if args.compiles_nothing() {
        (args.clone(), Vec::new())
    } else {
        let sandbox = &project.settings.sandbox;
        first_use::say_sandbox(context, sandbox.mode)?;
        first_use::say_missing_paths(context, sandbox, &project.root);
        let (args, warnings) = within_baseline(args, &environment.plan);
        let mut notices = notices::of_warnings(context.ambient, &warnings);
        let below = user::config_below_root(context, project)?;
        let mut outside = Vec::new();
        for file in &below {
            outside.extend(build_inputs(file)?);
        }
        outside.extend_from_slice(crates.outside());
        notices.extend(notices::surroundings(
            context.ambient,
            &environment.plan,
            &outside,
            (&context.host, triple),
            ground.tools.rust.release(),
        )?);
        (args, notices)
    };
    let ledger = Ledger::before(environment.plan.ledger());
    before(&ground, &environment, &notices, ledger.is_new());
    let has_build_dir = ground.tools.rust.has_build_dir();
    let command_line = args.to_argv(&Surroundings {
        manifest_path: &project.manifest,
        target: triple.as_str(),
        locked: context.mode.locked,
        offline: context.mode.offline,
        first_configs: &crates.first_configs(),
        last_config: &environment.plan.config.path,
        own_target_dir: !has_build_dir,
    })?;
    let mut command = hermetic_command(&ground.tools.rust.cargo);
    let variables = &environment.plan.variables;
    command.envs(variables.iter().map(|variable| (&variable.name, &variable.value)));
    if args.compiles_nothing() {
        command.envs(crates.network_variables());
    } else if args.fetches_and_compiles() {
        let own = |name: &String| matches!(name.as_str(), "HOME" | "PATH");
        command.envs(crates.network_variables().into_iter().filter(|(name, _)| !own(name)));
    }
    let dir = if args.formats() { context.ambient.cwd.as_path() } else { Path::new("/") };
    command.args(command_line).current_dir(dir);
    let channel = context.ambient.var(ANALYSIS_CHANNEL).filter(|_| args.analyses());
    command.envs(channel.map(|channel| (ANALYSIS_CHANNEL, channel)));
    if context.mode.offline {
        // For those whose options are not known, and what they start.
        command.env("CARGO_NET_OFFLINE", "true");
    }
    if matches!(args.command.as_str(), "run" | "r") {
        command.env(CWD_VARIABLE, &context.ambient.cwd);
    }
    let (code, files) = if args.reads_messages() {
        let (code, files) = binaries::reading_messages(context, command, &ground, &environment)?;
        (code, if has_build_dir { files } else { binaries::bring_home(files, &environment)? })
    } else {
        (status(command, &ground)?, Vec::new())
    };
    let known = notices.len();
    let lines = ledger.since()?;
    let is_news = ledger.is_new() || !lines.is_empty();
    notices.extend(of_lines(project, &lines)?);
    let build_dir = &environment.plan.build_dir;
    let (binaries, link_failure) = if code == 0 {
        (binaries::verify(context, &environment, &files)?, None)
    } else {
        (Vec::new(), link_failure::explain(project, build_dir, triple, &lines)?)
    };
    let refused = if code == 0 { &[][..] } else { &lines };
    let downloads = download::explain(project, &after_fetch, refused);
    let env_id = environment.plan.env_id.to_string();
    let target = triple.clone();
    Ok(Built { target, env_id, code, binaries, notices, known, is_news, link_failure, downloads })
}

/// The notices of what the shims wrote down.
fn of_lines(project: &Project, lines: &[Line]) -> Result<Vec<Notice>, Error> {
    let mut notices = notices::of_ledger(lines);
    if lines.iter().any(|line| !line.lacked.is_empty()) {
        let known = Collection::load(&project.recipes()?)?.tools();
        notices.extend(notices::of_lacking(lines, &known));
    }
    Ok(notices)
}

fn status(mut command: Command, ground: &Ground) -> Result<u8, Error> {
    let program = ground.tools.rust.cargo.display().to_string();
    let status = command.status().map_err(|source| Error::Spawn { program, source })?;
    Ok(exit_code(status))
}

/// The arguments without those for rustc (`cargo rustc -- ARGS`) that go beyond the baseline.
fn within_baseline(args: &CargoArgs, plan: &Plan) -> (CargoArgs, Vec<Warning>) {
    let mut args = args.clone();
    let for_rustc = matches!(args.command.as_str(), "rustc" | "rustdoc");
    let dashes = args.rest.iter().position(|argument| argument == "--");
    let Some(at) = dashes.filter(|_| for_rustc) else { return (args, Vec::new()) };
    let theirs = args.rest.split_off(at + 1);
    let (kept, warnings) = filter_arguments(&theirs, &plan.allowed);
    args.rest.extend(kept);
    (args, warnings)
}

/// `clippy` and `fmt` are programs of their own, which a project has if it asks for them.
fn refuse_missing_component(args: &CargoArgs, ground: &Ground) -> Result<(), Error> {
    let Some((program, component)) = args.on_request() else { return Ok(()) };
    if ground.tools.links.contains_key(program) || ground.tools.shims.contains_key(program) {
        return Ok(());
    }
    Err(Error::Usage {
        message: format!("`cargo {}` needs Rust's component `{component}`", args.command),
        help: format!("add `rust.components = [\"{component}\"]` to the settings"),
    })
}

/// Cargo reads the configuration of its working directory, which is `/`; nothing can switch that
/// off.
pub fn refuse_root_config() -> Result<(), Error> {
    for name in ["/.cargo/config.toml", "/.cargo/config"] {
        let path = Path::new(name);
        if path.is_file() {
            return Err(Error::RootConfig { path: path.to_path_buf() });
        }
    }
    Ok(())
}
