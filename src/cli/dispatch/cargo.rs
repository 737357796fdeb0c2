//! The verbs that are cargo's: what is said before, between and after.

use super::{Command, cargos, say};
use crate::cli::args::ColorChoice;
use crate::cli::{configuration, output, summary};
use crate::ops::{self, Context, Error, Notice, VerifyOutcome};

impl Command<'_> {
    pub(super) fn cargo(
        &self,
        mut context: Context<'_>,
        command: &str,
        rest: &[String],
    ) -> Result<u8, Error> {
        let mut arguments = vec![command.to_owned()];
        // What was said before the verb is for cargo, too, unless it is only asked a question.
        let question = command.starts_with('-');
        if self.global.quiet && !question {
            arguments.push("--quiet".to_owned());
        }
        match self.global.color {
            ColorChoice::Auto => {}
            _ if question => {}
            ColorChoice::Always => arguments.push("--color=always".to_owned()),
            ColorChoice::Never => arguments.push("--color=never".to_owned()),
        }
        arguments.extend_from_slice(rest);
        let verbose =
            cargos(rest).any(|argument| argument == "--verbose" || argument.starts_with("-v"));
        // A program that runs may never end: what is known is said before.
        let first = matches!(command, "run" | "r");
        let before = |ground: &ops::Ground,
                      environment: &ops::Environment,
                      known: &[Notice],
                      is_news: bool| {
            self.progress.clear();
            if verbose {
                say(&configuration::text(ground, environment));
            }
            if first {
                self.notices(known.iter(), is_news);
            }
        };
        let outcome = ops::cargo(&mut context, &arguments, self.default_target, &before)?;
        let is_build = matches!(command, "build" | "b");
        if !(is_build && self.global.json) {
            let skipped = |built: &ops::Built| if first { built.known } else { 0 };
            let is_news = outcome.built.iter().any(|built| built.is_news);
            let said = outcome.built.iter().flat_map(|built| &built.notices[skipped(built)..]);
            self.notices(said, is_news);
        }
        let binaries: Vec<&VerifyOutcome> =
            outcome.built.iter().flat_map(|built| &built.binaries).collect();
        if self.global.json {
            if is_build {
                self.print(String::new, || summary::build_json(&outcome))?;
            }
        } else if !self.quiet && !binaries.is_empty() {
            say(&output::built_text(&binaries, self.style, &self.own_command()));
        }
        let explained = outcome.built.iter().filter_map(|built| built.link_failure.as_ref());
        for failure in explained {
            if !self.global.json {
                say(&summary::link_failure_text(failure, self.style));
            } else if !is_build {
                say(&summary::link_failure_event(failure));
            }
        }
        for download in outcome.built.iter().flat_map(|built| &built.downloads) {
            if !self.global.json {
                say(&summary::download_text(download, self.style));
            } else if !is_build {
                say(&summary::download_event(download));
            }
        }
        let failed = binaries.iter().any(|binary| !binary.passed());
        if let Some(error) = outcome.error {
            return Err(error);
        }
        Ok(if outcome.code == 0 { u8::from(failed) } else { outcome.code })
    }

    /// Says what was left out, changed or refused: nothing of it is an error.
    fn notices<'n>(&self, notices: impl Iterator<Item = &'n Notice>, is_news: bool) {
        if self.global.json {
            notices.for_each(|notice| say(&summary::notice_event(notice)));
        } else if !self.quiet {
            let text = summary::notices_text(notices, is_news, self.style);
            if !text.is_empty() {
                say(&text);
            }
        }
    }

    /// What the user types to call xprov for the same directory again.
    fn own_command(&self) -> String {
        let command = self.ambient.own_command();
        match &self.global.directory {
            Some(dir) => format!("{command} -C {}", dir.display()),
            None => command,
        }
    }
}
