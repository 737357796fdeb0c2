//! From arguments to a verb, and from its outcome to an exit code.

mod cargo;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;

use super::annotations;
use super::args::{Cli, EnvArgs, Global, RecipesVerb, StoreVerb, Verb, VerifyFormat};
use super::doctor;
use super::output;
use super::progress::Progress;
use super::recipes;
use super::report;
use super::split::split;
use super::style::Style;
use super::why;
use crate::hermetic::render::Format;
use crate::ops::{self, Context, Error, LockMode, ShellRequest, VerifyRequest};
use crate::sys::ambient::Ambient;
use crate::sys::fs::{Umask, fix_umask};

/// Runs the program with the arguments after its name.
pub fn run(arguments: Vec<String>) -> ExitCode {
    run_in(arguments, None, None)
}

/// `default_target` and `root`, our folder, are those of the environment that we are called in.
fn run_in(arguments: Vec<String>, default_target: Option<&str>, root: Option<PathBuf>) -> ExitCode {
    // `cargo xprov build` starts `cargo-xprov xprov build`.
    let skip = usize::from(arguments.first().is_some_and(|first| first == "xprov"));
    if let Some(toolchain) = arguments.get(skip).filter(|first| first.starts_with('+')) {
        let error = Error::Usage {
            message: format!("`{toolchain}` cannot choose a toolchain: toolchains.lock pins it"),
            help: "say it in the settings: rust = \"VERSION\"".to_owned(),
        };
        say(&report::text(&error, Style::plain()));
        return ExitCode::from(error.kind().exit_code());
    }
    let (ours, theirs) = split(arguments.into_iter().skip(skip).collect());
    let name = "xprov".to_owned();
    let cli = match Cli::try_parse_from([name].into_iter().chain(ours)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are data and no error; clap knows which stream and code.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let umask = fix_umask();
    let mut ambient = match Ambient::capture() {
        Ok(ambient) => ambient,
        Err(error) => {
            say(&format!("error: the working directory cannot be read: {error}"));
            return ExitCode::from(6);
        }
    };
    if let Some(dir) = &cli.global.directory {
        ambient.cwd = ambient.absolute(dir);
    }
    if let Some(root) = root {
        let root = root.to_string_lossy().into_owned();
        ambient.variables.insert("XPROV_HOME".to_owned(), root);
    }
    let style = Style::new(cli.global.color, &ambient, ambient.stderr_is_terminal);
    let data_style = Style::new(cli.global.color, &ambient, ambient.stdout_is_terminal);
    let Global { json, .. } = cli.global;
    let quiet = cli.global.quiet || cargos(&theirs).any(|a| a == "-q" || a == "--quiet");
    let progress = Progress::new(&ambient, style, quiet, json);
    let command = Command {
        ambient: &ambient,
        progress: &progress,
        style,
        data_style,
        cargo_args: &theirs,
        global: &cli.global,
        quiet,
        umask,
        default_target,
    };
    match command.run(&cli.verb) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            progress.clear();
            say(&if json { report::json(&error) } else { report::text(&error, style) });
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// Runs the program that is `cargo` in the environment at `env_dir`, which is for `target`.
pub fn run_cargo(arguments: Vec<String>, env_dir: &Path, target: Option<&str>) -> ExitCode {
    let verb = ["cargo", "--"].map(str::to_owned);
    let root = env_dir.ancestors().nth(3).map(Path::to_path_buf);
    run_in(verb.into_iter().chain(arguments).collect(), target, root)
}

/// The options that are cargo's own: what follows `--`, or a word of its own that could begin the
/// arguments of a program, is not looked at.
fn cargos(arguments: &[String]) -> impl Iterator<Item = &str> {
    let option = |argument: &&str| argument.starts_with('-') && *argument != "--";
    let words = arguments.iter().map(String::as_str);
    words.scan(false, move |was_option, word| {
        let is_option = option(&word);
        // One word after an option may be its value.
        let goes_on = is_option || *was_option;
        *was_option = is_option && word != "--";
        (goes_on && word != "--").then_some(word)
    })
}

fn say(text: &str) {
    // Nobody is left to tell if standard error is gone.
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end_matches('\n'));
}

/// One run of the program.
struct Command<'a> {
    ambient: &'a Ambient,
    progress: &'a Progress,
    style: Style,
    data_style: Style,
    global: &'a Global,
    quiet: bool,
    umask: Umask,
    cargo_args: &'a [String],
    default_target: Option<&'a str>,
}

impl Command<'_> {
    fn run(&self, verb: &Verb) -> Result<u8, Error> {
        let Global { locked, offline, frozen, .. } = *self.global;
        let mode = LockMode { locked: locked || frozen, offline: offline || frozen };
        let mut context = Context::new(self.ambient, self.progress, mode)?;
        context.complete_reports = self.global.json;
        match verb {
            Verb::Lock(args) => {
                let manifest = args.manifest_path.as_deref();
                let outcome = ops::lock(&context, manifest, &args.target, args.require_signed)?;
                self.print(|| output::lock_text(&outcome), || output::lock_json(&outcome))
            }
            Verb::Update(args) => {
                let manifest = args.manifest_path.as_deref();
                let outcome = ops::update(&context, manifest, &args.target, args.require_signed)?;
                self.print(|| output::lock_text(&outcome), || output::lock_json(&outcome))
            }
            Verb::Restore(args) => {
                let start = Instant::now();
                let outcome = ops::restore(&context, args.manifest_path.as_deref(), &args.target)?;
                if !self.quiet && !self.global.json {
                    self.progress.clear();
                    say(&output::restore_text(&outcome, start.elapsed().as_secs_f64()));
                }
                self.print(String::new, || output::restore_json(&outcome))
            }
            Verb::Verify(args) => {
                let request = VerifyRequest {
                    files: args.files.clone(),
                    target: args.target.clone(),
                    max_glibc: args.max_glibc.clone(),
                    sysroot: args.sysroot.clone(),
                };
                let (outcomes, error) = ops::verify(&context, &request)?;
                self.print(
                    || match args.format {
                        VerifyFormat::Text => output::verify_text(&outcomes, self.data_style),
                        VerifyFormat::Github => annotations::text(&outcomes),
                    },
                    || output::verify_json(&outcomes),
                )?;
                match error {
                    Some(error) => Err(error),
                    None => Ok(u8::from(!outcomes.iter().all(ops::VerifyOutcome::passed))),
                }
            }
            Verb::Why(args) => {
                let (manifest, target) = (args.manifest_path.as_deref(), args.target.as_deref());
                let outcome = ops::why(&context, manifest, target, &args.subject)?;
                self.print(
                    || why::text(&outcome, self.ambient, self.data_style),
                    || why::json(&outcome),
                )?;
                Ok(u8::from(outcome.answers.is_empty()))
            }
            Verb::Doctor(args) => {
                let (manifest, target) = (args.manifest_path.as_deref(), args.target.as_deref());
                let outcome = ops::doctor(&context, manifest, target)?;
                self.print(
                    || doctor::text(&outcome, self.ambient, self.data_style),
                    || doctor::json(&outcome),
                )?;
                Ok(u8::from(!outcome.is_clean()))
            }
            Verb::Recipes(verb) => self.recipes(&context, verb),
            Verb::Store(verb) => self.store(&context, verb),
            Verb::Build(_) => self.cargo(context, "build", self.cargo_args),
            Verb::Check(_) => self.cargo(context, "check", self.cargo_args),
            Verb::Test(_) => self.cargo(context, "test", self.cargo_args),
            Verb::Run(_) => self.cargo(context, "run", self.cargo_args),
            Verb::Cargo(_) => {
                let all = self.cargo_args;
                match all.strip_prefix(&["--".to_owned()]).unwrap_or(all).split_first() {
                    Some((command, rest)) => self.cargo(context, command, rest),
                    None => Err(Error::Usage {
                        message: "there is no cargo command".to_owned(),
                        help: "say for example `xprov cargo -- tree`".to_owned(),
                    }),
                }
            }
            Verb::Env(args) => self.env(&mut context, args),
            Verb::Exec(args) => {
                self.progress.clear();
                let (manifest, target) = (args.manifest_path.as_deref(), args.target.as_deref());
                ops::exec(&context, manifest, target, &args.command)
            }
            Verb::Shell(args) => {
                let request = ShellRequest {
                    manifest: args.manifest_path.as_deref(),
                    target: args.target.as_deref(),
                    arguments: &args.arguments,
                    umask: self.umask,
                };
                ops::shell(&context, &request, &|| self.progress.clear())
            }
        }
    }

    fn env(&self, context: &mut Context<'_>, args: &EnvArgs) -> Result<u8, Error> {
        let format = args.format.into();
        let (manifest, target) = (args.manifest_path.as_deref(), args.target.as_deref());
        if args.write {
            let files = ops::write_env(context, manifest, target)?;
            if !self.quiet && !self.global.json {
                self.progress.clear();
                say(&output::env_files_text(&files, self.ambient));
            }
            return self.print(String::new, || output::env_files_json(&files));
        }
        let format = if self.global.json { Format::Json } else { format };
        let text = ops::env(context, manifest, target, format)?;
        self.print(|| text.clone(), || text.clone())
    }

    fn recipes(&self, context: &Context<'_>, verb: &RecipesVerb) -> Result<u8, Error> {
        match verb {
            RecipesVerb::List(project) => {
                let listings = ops::list_recipes(context, project.manifest_path.as_deref())?;
                self.print(|| output::recipes_text(&listings), || output::recipes_json(&listings))
            }
            RecipesVerb::Show { name, project } => {
                let listing = ops::show_recipe(context, project.manifest_path.as_deref(), name)?;
                self.print(|| output::recipe_text(&listing), || output::recipe_json(&listing))
            }
            RecipesVerb::Check { files, project } => {
                let manifest = project.manifest_path.as_deref();
                let outcome = ops::check_recipes(context, manifest, files)?;
                self.print(
                    || recipes::text(&outcome, self.data_style),
                    || recipes::json(&outcome),
                )?;
                Ok(u8::from(!outcome.findings.is_empty()))
            }
        }
    }

    fn store(&self, context: &Context<'_>, verb: &StoreVerb) -> Result<u8, Error> {
        match verb {
            StoreVerb::List => {
                let listings = ops::store_list(context)?;
                self.print(
                    || output::store_list_text(&listings),
                    || output::store_list_json(&listings),
                )
            }
            StoreVerb::Path { name } => {
                let paths = ops::store_path(context, name.as_deref())?;
                let lines = || {
                    let lines: Vec<String> =
                        paths.iter().map(|path| path.display().to_string()).collect();
                    lines.join("\n") + "\n"
                };
                let json = serde_json::json!({ "paths": paths });
                self.print(lines, || output::document("store-path", json))
            }
            StoreVerb::Size => {
                let size = ops::store_size(context)?;
                self.print(|| output::store_size_text(&size), || output::store_size_json(&size))
            }
        }
    }

    fn print(
        &self,
        text: impl FnOnce() -> String,
        json: impl FnOnce() -> String,
    ) -> Result<u8, Error> {
        self.progress.clear();
        let data = if self.global.json { json() } else { text() };
        output::data(&data).map_err(|source| Error::Output { source })?;
        Ok(0)
    }
}
