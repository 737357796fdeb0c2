//! What an environment adds to that of a shell or of another program, as values. Knows no form that
//! it is written in.

use super::plan::{Origin, Plan, Variable};
use super::render::is_shell_name;
use super::vars::{CATALOGUE, Fate, fate};
use super::{Error, text};

/// What is right for a build and wrong for whoever goes on living in a shell: their files, their
/// programs, their language and their clock.
const FOR_BUILDS: [&str; 5] = ["HOME", "LC_ALL", "PATH", "TMPDIR", "TZ"];

/// Variables that the catalogue takes away and that still stay in a shell, because xprov reads
/// them itself.
const READ_BY_XPROV: [&str; 1] = ["CARGO_TARGET_DIR"];

/// What xprov adds to an environment. What it takes from the user's is not in here: whoever reads
/// one of the forms has it, and it may be secret.
#[derive(Debug, Clone)]
pub struct Exports {
    /// Everything that xprov sets, as `xprov exec` has it, by name.
    pub(super) all: Vec<(String, String)>,
    /// What a shell gets of it.
    pub(super) shell: Vec<(String, String)>,
    /// The environment's `bin`.
    pub(super) bin: String,
    /// Where the `bin` of every environment is: `<envs>/*/bin`.
    pub(super) envs: String,
    /// Names that are not unset, whatever the catalogue says.
    pub(super) keep: Vec<String>,
}

impl Exports {
    /// The exports of a plan; `more` are variables that only shells and `exec` have, `pass` the
    /// names that the settings let through.
    pub fn new(plan: &Plan, more: &[(&str, &str)], pass: &[String]) -> Result<Self, Error> {
        let ours = |variable: &&Variable| {
            !matches!(variable.origin, Origin::PassedThrough | Origin::Setting("env.pass"))
        };
        let lives = |variable: &&Variable| {
            variable.origin != Origin::Xprov || !FOR_BUILDS.contains(&variable.name.as_str())
        };
        let pair = |variable: &Variable| (variable.name.clone(), variable.value.clone());
        let more = || more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let ours: Vec<&Variable> = plan.variables.iter().filter(ours).collect();
        let mut shell: Vec<_> = ours.iter().copied().filter(lives).map(pair).collect();
        let mut all: Vec<_> = ours.into_iter().map(pair).collect();
        for list in [&mut shell, &mut all] {
            list.extend(more());
            list.sort();
        }
        let envs = plan.env_dir.parent().unwrap_or(&plan.env_dir);
        let (bin, envs) = (text(&plan.bin_dir())?.to_owned(), text(envs)?.to_owned());
        Ok(Self { all, shell, bin, envs, keep: pass.to_vec() })
    }

    /// The variables of a shell, but for PATH.
    pub fn of_shell(&self) -> &[(String, String)] {
        &self.shell
    }

    /// Whether a shell loses this variable.
    pub fn takes_away(&self, name: &str) -> bool {
        fate(name) == Some(Fate::Never)
            && !READ_BY_XPROV.contains(&name)
            && !self.keep.iter().any(|keep| keep == name)
    }

    /// A search path with the environment's `bin` before everything else, and that of no other.
    pub fn path(&self, users: Option<&str>) -> String {
        let is_ours = |dir: &str| {
            let inner = dir.strip_prefix(&self.envs).and_then(|rest| rest.strip_suffix("/bin"));
            inner.is_some_and(|name| name.starts_with('/'))
        };
        let users = users.filter(|users| !users.is_empty());
        let others = users.into_iter().flat_map(|users| users.split(':'));
        let dirs: Vec<&str> =
            [self.bin.as_str()].into_iter().chain(others.filter(|dir| !is_ours(dir))).collect();
        dirs.join(":")
    }

    /// The names that shells lose: (exact ones, prefixes, those with one of the prefixes that stay).
    pub(super) fn names(&self) -> (Vec<&str>, Vec<&str>, Vec<&str>) {
        let never = || CATALOGUE.iter().filter(|rule| rule.fate == Fate::Never);
        let exact = never().map(|rule| rule.name).filter(|name| !name.ends_with('*'));
        let prefixes: Vec<&str> = never().filter_map(|rule| rule.name.strip_suffix('*')).collect();
        let stays = CATALOGUE.iter().filter(|rule| rule.fate != Fate::Never).map(|rule| rule.name);
        let stays = stays.chain(READ_BY_XPROV).chain(self.keep.iter().map(String::as_str));
        let stays = stays.filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)));
        let exact = exact.filter(|name| self.takes_away(name)).collect();
        (exact, prefixes.clone(), stays.filter(|name| is_shell_name(name)).collect())
    }
}
