//! Which instruction sets a tool's output may use, and what becomes of a request for this
//! machine's. Values that the settings decide elsewhere; pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::vocab::isa::{Baseline, UnknownBaseline};

/// What becomes of `-march=native`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Action {
    /// It is left out; the baseline stands.
    Baseline,
    /// It stays.
    Native,
    /// The call fails.
    Deny,
    /// It becomes the level of this name.
    Level(String),
}

impl From<String> for Action {
    fn from(text: String) -> Self {
        match &*text {
            "baseline" => Self::Baseline,
            "native" => Self::Native,
            "deny" => Self::Deny,
            _ => Self::Level(text),
        }
    }
}

impl From<Action> for String {
    fn from(action: Action) -> Self {
        match action {
            Action::Baseline => "baseline".to_owned(),
            Action::Native => "native".to_owned(),
            Action::Deny => "deny".to_owned(),
            Action::Level(name) => name,
        }
    }
}

/// Crates whose code is known to be behind run-time checks of its own, or to gain nothing: their
/// `native` is left out even where the settings deny the others'.
///
/// `lance-linalg` from 0.38 to 7.1 compiles its AVX-512 kernel with `-mavx512bw -march=native`: the first
/// is enough, and where a compiler rejects the second, the build script leaves the kernel out and
/// the link misses it.
const KNOWN: &[(&str, Action)] = &[("lance-linalg", Action::Baseline)];

/// The policy for one tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The architecture that it makes code for, as the first component of a Rust triple.
    pub arch: String,
    /// The level that its output may assume.
    pub baseline: String,
    /// What becomes of `native` where no crate's own rule says otherwise.
    pub native: Action,
    /// The settings' rules, by `name` or `name@version`, where a version may be the beginning of
    /// one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub crates: BTreeMap<String, Action>,
    /// rustc's target features beyond the baseline that the settings allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// rustc's target CPUs beyond the baseline that the settings allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpus: Vec<String>,
}

/// The crate that a call is for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Crate<'a> {
    /// Its name, where cargo said it.
    pub name: Option<&'a str>,
    /// Its version.
    pub version: Option<&'a str>,
}

/// What becomes of `native` in a call, and the line of settings that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What.
    pub action: Action,
    /// The setting: `isa.native = "deny"`.
    pub setting: String,
    /// Who decided.
    pub by: By,
}

/// Who decides what becomes of `native` in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// The settings, by this key of `isa.crates`.
    Crate(String),
    /// The built-in list of known crates.
    Known,
    /// The settings, for every crate, or their default.
    Native,
}

impl Policy {
    /// The policy for a level, without any rules.
    pub fn new(level: Baseline) -> Self {
        Self {
            arch: level.arch().to_owned(),
            baseline: level.name().to_owned(),
            native: Action::Baseline,
            crates: BTreeMap::new(),
            features: Vec::new(),
            cpus: Vec::new(),
        }
    }

    /// The level that output may assume.
    pub fn level(&self) -> Result<Baseline, UnknownBaseline> {
        Baseline::of(&self.arch, Some(&self.baseline))
    }

    /// What becomes of `native` in a call for `krate`. The first that speaks wins: the settings
    /// for this version of the crate, for the crate, the known crates, `isa.native`.
    pub fn decide(&self, krate: Crate<'_>) -> Decision {
        let name = krate.name.unwrap_or_default();
        let rules = self.crates.iter().filter(|(key, _)| matches(key, krate));
        // The longer version is the nearer rule.
        if let Some((key, action)) = rules.max_by_key(|(key, _)| key.len()) {
            let (action, by) = (action.clone(), By::Crate(key.clone()));
            let key = quoted(key);
            let setting = format!("isa.crates.{key} = \"{}\"", String::from(action.clone()));
            return Decision { action, setting, by };
        }
        let known = KNOWN.iter().find(|(known, _)| *known == name);
        let action = known.map_or(&self.native, |(_, action)| action).clone();
        let setting = format!("isa.native = \"{}\"", String::from(action.clone()));
        let by = if known.is_some() { By::Known } else { By::Native };
        Decision { action, setting, by }
    }
}

/// Whether the rule for `key` is one for the crate: `foo`, `foo@1.2` (which is every 1.2.x).
fn matches(key: &str, krate: Crate<'_>) -> bool {
    let (name, version) = key.split_once('@').unwrap_or((key, ""));
    let rest = krate.version.unwrap_or_default().strip_prefix(version);
    let fits = |rest: &str| rest.is_empty() || rest.starts_with(['.', '-', '+']);
    krate.name == Some(name) && (version.is_empty() || rest.is_some_and(fits))
}

/// The line of settings with this rule for the crate.
pub fn crate_setting(krate: Crate<'_>, action: &str) -> Option<String> {
    Some(format!("isa.crates.{} = \"{action}\"", quoted(krate.name?)))
}

/// A key as TOML writes it.
fn quoted(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if key.bytes().all(bare) { key.to_owned() } else { format!("\"{key}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rule_wins() {
        let mut policy = Policy::new(Baseline::of("x86_64", None).expect("known"));
        policy.native = Action::Deny;
        policy.crates.insert("a".to_owned(), Action::Native);
        policy.crates.insert("a@1.0".to_owned(), Action::Level("x86-64-v3".to_owned()));
        for (name, version, action, setting, by) in [
            (
                "a",
                "1.0.0",
                Action::Level("x86-64-v3".into()),
                r#"isa.crates."a@1.0" = "x86-64-v3""#,
                By::Crate("a@1.0".into()),
            ),
            (
                "a",
                "1.0-rc.1",
                Action::Level("x86-64-v3".into()),
                r#"isa.crates."a@1.0" = "x86-64-v3""#,
                By::Crate("a@1.0".into()),
            ),
            ("a", "1.00.0", Action::Native, r#"isa.crates.a = "native""#, By::Crate("a".into())),
            ("lance-linalg", "0.38.2", Action::Baseline, r#"isa.native = "baseline""#, By::Known),
            ("b", "1.0.0", Action::Deny, r#"isa.native = "deny""#, By::Native),
        ] {
            let decision = policy.decide(Crate { name: Some(name), version: Some(version) });
            assert_eq!(decision, Decision { action, setting: setting.to_owned(), by }, "{name}");
        }
        assert_eq!(policy.decide(Crate::default()).action, Action::Deny);
    }
}
