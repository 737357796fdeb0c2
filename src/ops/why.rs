//! `why`: what a build sees of a variable, a flag, a tool, a crate or what is pinned beside them, which
//! layers spoke of it, who won and what was dropped. Makes the environment where it is not there yet,
//! as `env` does, and builds nothing.

mod calls;
mod flag;
mod native;
mod package;
mod pinned;
mod sandbox;
mod tool;
mod variable;

use std::collections::BTreeSet;

use super::at::At;
use super::context::Context;
use super::environment::Environment;
use super::error::Error;
use super::exec::{Found, found};
use super::ground::Ground;
use super::project::Project;
use super::user;
use crate::hermetic::cargo_config::ConfigFile;
use crate::hermetic::vars;
use crate::vocab::nearest::nearest;
use crate::vocab::triple::RustTriple;

/// What is known of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyOutcome {
    /// The word.
    pub subject: String,
    /// The target whose environment was asked.
    pub target: RustTriple,
    /// One answer for each thing that the word may be; none where nothing knows it.
    pub answers: Vec<Answer>,
    /// Known words that are like it, where there is no answer or hardly one.
    pub nearest: Vec<String>,
}

/// What is known of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What sort of thing.
    pub sort: Sort,
    /// What a build gets; `None` for nothing.
    pub value: Option<String>,
    /// Everything that speaks of it: from the user's environment to xprov's own plan.
    pub layers: Vec<Layer>,
}

/// Sorts of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A variable.
    Variable,
    /// An argument of rustc's or of a compiler's.
    Flag,
    /// A program.
    Tool,
    /// What confines a build.
    Sandbox,
    /// A crate of Cargo.lock.
    Crate,
    /// A pinned file of the settings.
    Input,
    /// A Debian package of a sysroot.
    Package,
}

impl Sort {
    /// The word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Variable => "variable",
            Self::Flag => "flag",
            Self::Tool => "tool",
            Self::Sandbox => "sandbox",
            Self::Crate => "crate",
            Self::Input => "input",
            Self::Package => "package",
        }
    }
}

/// One that speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Who: `your environment`, `settings, env.set`.
    pub who: String,
    /// Where it says so, if that is a file.
    pub at: Option<At>,
    /// What it says.
    pub says: String,
    /// What becomes of that.
    pub standing: Standing,
    /// Why; empty where there is nothing to add.
    pub why: String,
}

/// What becomes of what a layer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A build gets it.
    Wins,
    /// It counts, but another said otherwise and outranks it.
    Loses,
    /// No build sees it.
    Dropped,
    /// It is a rule or a record, and says no value.
    Tells,
}

impl Standing {
    /// The word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wins => "wins",
            Self::Loses => "loses",
            Self::Dropped => "dropped",
            Self::Tells => "tells",
        }
    }
}

impl Layer {
    fn new(standing: Standing, who: impl Into<String>, says: impl Into<String>) -> Self {
        let (who, says) = (who.into(), says.into().replace('\u{1f}', " "));
        Self { who, at: None, says, standing, why: String::new() }
    }

    fn at(mut self, at: impl Into<At>) -> Self {
        self.at = Some(at.into());
        self
    }

    fn because(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }
}

/// What an answer is looked up in.
struct Scene<'a> {
    context: &'a Context<'a>,
    project: &'a Project,
    target: &'a RustTriple,
    ground: &'a Ground,
    /// The project's configuration.
    configs: &'a [ConfigFile],
    /// The user's.
    users: &'a [ConfigFile],
    environment: &'a Environment,
    calls: calls::Calls,
    /// The packages of Cargo.lock.
    packages: Vec<package::Locked>,
}

/// Looks the word up in the environment of a target: the one that is named, or the first of the
/// settings, or the host.
pub fn why(
    context: &Context<'_>,
    manifest: Option<&str>,
    target: Option<&str>,
    subject: &str,
) -> Result<WhyOutcome, Error> {
    let Found { project, ground, configs, environment } = found(context, manifest, target)?;
    let target = environment.target.clone();
    let scene = Scene {
        context,
        project: &project,
        target: &target,
        ground: &ground,
        configs: &configs.files,
        users: &user::cargo_config(context, &project)?,
        environment: &environment,
        calls: calls::Calls::read(&environment.plan.ledger())?,
        packages: package::locked(&project)?,
    };
    let answers: Vec<Answer> = if subject.starts_with('-') {
        flag::answer(&scene, subject)?.into_iter().collect()
    } else {
        [
            variable::answer(&scene, subject)?,
            flag::answer(&scene, subject)?,
            tool::answer(&scene, subject)?,
            sandbox::answer(&scene, subject),
            package::answer(&scene, subject),
            pinned::input(&scene, subject),
            pinned::package(&scene, subject)?,
        ]
        .into_iter()
        .flatten()
        .collect()
    };
    let nearest = if is_guess(subject, &answers) {
        let mut words = scene.words();
        words.extend(pinned::words(&scene)?);
        let words = words.iter().map(String::as_str).filter(|word| *word != subject);
        nearest(subject, words).into_iter().map(str::to_owned).collect()
    } else {
        Vec::new()
    };
    Ok(WhyOutcome { subject: subject.to_owned(), target, answers, nearest })
}

/// Whether no answer is there, or nothing but a rule for all names that begin so.
fn is_guess(subject: &str, answers: &[Answer]) -> bool {
    let by_pattern = vars::rule_for(subject).is_some_and(|rule| rule.name.ends_with('*'));
    match answers {
        [] => true,
        [only] => by_pattern && only.layers.len() == 1,
        _ => false,
    }
}

impl Scene<'_> {
    /// Every word that has an answer, but for the programs on the user's PATH.
    fn words(&self) -> BTreeSet<String> {
        let plan = &self.environment.plan;
        let rules = vars::CATALOGUE.iter().map(|rule| rule.name);
        let words = plan.variables.iter().map(|variable| variable.name.as_str());
        let words = words.chain(rules.filter(|name| !name.ends_with('*')));
        let words = words.chain(self.ground.tools.shims.keys().map(String::as_str));
        let words = words.chain(self.ground.tools.links.keys().map(String::as_str));
        let words = words.chain(self.packages.iter().map(|package| package.name.as_str()));
        let words = words.chain([sandbox::WORD]);
        let flags = plan.rustflags.iter().map(|flag| flag.value.as_str());
        let flags = flags.filter_map(|flag| flag.split('=').next());
        words.chain(flags).map(str::to_owned).collect()
    }
}
