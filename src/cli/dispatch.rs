//! From arguments to a verb, and from its outcome to an exit code.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;

use super::args::{Cli, Global, RecipesVerb, StoreVerb, Verb};
use super::output;
use super::progress::Progress;
use super::report;
use super::style::Style;
use crate::ops::{self, Context, Error, LockMode, VerifyRequest};
use crate::sys::ambient::Ambient;
use crate::sys::fs::fix_umask;

/// Runs the program with the arguments after its name.
pub fn run(arguments: Vec<String>) -> ExitCode {
    // `cargo xprov build` starts `cargo-xprov xprov build`.
    let skip = usize::from(arguments.first().is_some_and(|first| first == "xprov"));
    let name = "xprov".to_owned();
    let cli = match Cli::try_parse_from([name].into_iter().chain(arguments.into_iter().skip(skip)))
    {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are data and no error; clap knows which stream and code.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    fix_umask();
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
    let style = Style::new(cli.global.color, &ambient);
    let Global { quiet, json, .. } = cli.global;
    let progress = Progress::new(&ambient, style, quiet, json);
    let command = Command { ambient: &ambient, progress: &progress, style, global: &cli.global };
    match command.run(&cli.verb) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            progress.clear();
            say(&if json { report::json(&error) } else { report::text(&error, style) });
            ExitCode::from(error.kind().exit_code())
        }
    }
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
    global: &'a Global,
}

impl Command<'_> {
    fn run(&self, verb: &Verb) -> Result<u8, Error> {
        let Global { locked, offline, frozen, .. } = *self.global;
        let mode = LockMode { locked: locked || frozen, offline: offline || frozen };
        let context = Context::new(self.ambient, self.progress, mode)?;
        match verb {
            Verb::Lock(args) => {
                let outcome = ops::lock(&context, args.manifest_path.as_deref(), &args.target)?;
                self.print(|| output::lock_text(&outcome), || output::lock_json(&outcome))
            }
            Verb::Update(args) => {
                let outcome = ops::update(&context, args.manifest_path.as_deref(), &args.target)?;
                self.print(|| output::lock_text(&outcome), || output::lock_json(&outcome))
            }
            Verb::Restore(args) => {
                let start = Instant::now();
                let outcome = ops::restore(&context, args.manifest_path.as_deref(), &args.target)?;
                if !self.global.quiet && !self.global.json {
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
                };
                let outcomes = ops::verify(&context, &request)?;
                self.print(
                    || output::verify_text(&outcomes, self.style, false),
                    || output::verify_json(&outcomes),
                )?;
                Ok(u8::from(!outcomes.iter().all(ops::VerifyOutcome::passed)))
            }
            Verb::Recipes(verb) => self.recipes(&context, verb),
            Verb::Store(verb) => self.store(&context, verb),
            _ => Ok(1),
        }
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
                let lines = || paths.iter().map(|path| format!("{}\n", path.display())).collect();
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
