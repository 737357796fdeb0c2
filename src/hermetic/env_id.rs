//! The name of an environment: a digest of everything that can change a build's output, and of
//! nothing that differs between two machines that build the same.

use std::fmt;

use crate::vocab::digest::{Blake3, KeyHasher};

use super::cargo_config::ProjectConfig;
use super::flags::Flag;
use super::input::PlanInput;
use super::plan::{Origin, Variable};

/// An environment's digest. It reads as its first 16 hexadecimal digits: among ten thousand
/// environments two collide with probability 3·10⁻¹², and whoever opens one compares
/// [`EnvId::digest`] with what it recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnvId(Blake3);

impl EnvId {
    /// The whole digest.
    pub fn digest(&self) -> Blake3 {
        self.0
    }
}

impl fmt::Display for EnvId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_bytes().iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Digests the input and a draft of the plan whose paths are placeholders.
/// `replace` takes this machine's paths out of what settings and projects say.
pub(super) fn compute(
    input: &PlanInput<'_>,
    draft: &[Variable],
    flags: &[Flag],
    cmake: &str,
    project: &ProjectConfig,
    replace: &[(String, &'static str)],
) -> EnvId {
    let mut hasher = KeyHasher::new("xprov env-id v3");
    hasher.part(input.shim_version.to_le_bytes()).part(env!("CARGO_PKG_VERSION"));
    hasher.part(without_paths(input.shims, replace));
    hasher.part(input.links.len().to_le_bytes());
    for (name, path) in input.links {
        hasher.part(name).part(without_paths(&path.to_string_lossy(), replace));
    }
    hasher.part(input.host.as_str()).part(input.target.as_str());
    if let Some(machine) = &input.rust.machine {
        hasher.part("machine").part(machine.identity.as_bytes());
    }
    hasher.part(&input.rust.version_verbose).part(without_paths(cmake, replace));
    hasher.part(input.settings.baseline.as_deref().unwrap_or_default());
    // What the machine's kernel can confine is no part of it: no output byte depends on that.
    hasher.part(without_paths(&input.settings.policy, replace));
    let mut closure: Vec<_> = input.closure.to_vec();
    closure.sort_unstable();
    closure.dedup();
    hasher.part(closure.len().to_le_bytes());
    for object in closure {
        hasher.part(object.as_bytes());
    }
    let mut variables: Vec<(&str, String)> = draft
        .iter()
        .filter(|variable| variable.origin != Origin::PassedThrough)
        .map(|variable| (variable.name.as_str(), without_paths(&variable.value, replace)))
        .collect();
    variables.sort_unstable();
    hasher.part(variables.len().to_le_bytes());
    for (name, value) in variables {
        hasher.part(name).part(value);
    }
    hasher.part(project.env.len().to_le_bytes());
    for (name, entry) in &project.env {
        hasher.part(name).part(without_paths(&entry.value, replace));
        hasher.part([u8::from(entry.force), u8::from(entry.relative)]);
    }
    for flag in flags {
        hasher.part(without_paths(&flag.value, replace));
    }
    EnvId(hasher.finish())
}

fn without_paths(value: &str, replace: &[(String, &'static str)]) -> String {
    let mut value = value.to_owned();
    for (path, placeholder) in replace {
        if value.contains(path.as_str()) {
            value = value.replace(path.as_str(), placeholder);
        }
    }
    value
}
