//! `verify`: which rules have to be shown to hold, and which may be broken, with a reason.

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::vocab::glob;
use crate::vocab::rule::NAMES;
use crate::vocab::triple::RustTriple;

/// The policy beyond the target's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VerifySettings {
    /// Rules of which a note or an unproven finding fails too.
    pub deny: Vec<Scope>,
    /// Rules that may be broken.
    pub allow: Vec<Exception>,
}

/// A rule, for some binaries of some targets. Written as a table, or as the rule's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The rule's name.
    pub rule: String,
    /// A pattern for the binary's file name; by default any.
    pub binary: Option<String>,
    /// The target; by default any.
    pub target: Option<RustTriple>,
}

/// A rule that may be broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Which, and where.
    pub scope: Scope,
    /// Why.
    pub reason: String,
}

impl Scope {
    /// Whether it is about the finding of `rule` for the file `binary`.
    pub fn covers(&self, rule: &str, binary: &str, target: &RustTriple) -> bool {
        self.rule == rule && self.names(binary, target)
    }

    /// Whether it is about the file `binary`.
    pub fn names(&self, binary: &str, target: &RustTriple) -> bool {
        self.binary.as_ref().is_none_or(|pattern| glob::matches(pattern, binary))
            && self.target.as_ref().is_none_or(|own| own == target)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.rule)?;
        if let Some(binary) = &self.binary {
            write!(f, " of `{binary}`")?;
        }
        self.target.as_ref().map_or(Ok(()), |target| write!(f, " for {target}"))
    }
}

/// A rule's name with its place in the document, for errors.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct RuleName(String);

impl TryFrom<String> for RuleName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if NAMES.contains(&text.as_str()) {
            return Ok(Self(text));
        }
        Err(format!("unknown variant `{text}`, expected one of `{}`", NAMES.join("`, `")))
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Reason(String);

impl TryFrom<String> for Reason {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if text.trim().is_empty() { Err("the reason is empty") } else { Ok(Self(text)) }
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            rule: RuleName,
            binary: Option<String>,
            target: Option<RustTriple>,
        }

        struct NameOrTable;

        impl<'de> Visitor<'de> for NameOrTable {
            type Value = Scope;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rule, or a table with `rule`, `binary` and `target`")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Scope, E> {
                let RuleName(rule) = RuleName::try_from(name.to_owned()).map_err(E::custom)?;
                Ok(Scope { rule, binary: None, target: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scope, A::Error> {
                let Table { rule, binary, target } =
                    Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Scope { rule: rule.0, binary, target })
            }
        }

        deserializer.deserialize_any(NameOrTable)
    }
}

impl<'de> Deserialize<'de> for Exception {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            rule: RuleName,
            binary: Option<String>,
            target: Option<RustTriple>,
            reason: Reason,
        }

        let Table { rule, binary, target, reason } = Table::deserialize(deserializer)?;
        Ok(Self { scope: Scope { rule: rule.0, binary, target }, reason: reason.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn read(lines: &str) -> Result<VerifySettings, String> {
        let text = format!("[package.metadata.xprov.verify]\n{lines}\n");
        let settings = Settings::parse("Cargo.toml", &text);
        settings.map(|settings| settings.verify).map_err(|error| {
            let help = error.help.clone().unwrap_or_default();
            format!("{error} {help}").trim_end().to_owned()
        })
    }

    #[test]
    fn rules_are_denied_and_allowed_for_binaries_and_targets() {
        let settings = read(
            "deny = [\"paths\", { rule = \"relro\", binary = \"server-*\" }]\n\
             allow = [{ rule = \"needed\", target = \"aarch64-unknown-linux-gnu\", reason = \"r\" }]",
        )
        .expect("settings");
        let [arm, intel] = ["aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"]
            .map(|triple| triple.parse().expect("a triple"));
        let [paths, relro] = &settings.deny[..] else { panic!("{settings:?}") };
        assert!(paths.covers("paths", "any", &arm) && !paths.covers("relro", "any", &arm));
        assert!(relro.covers("relro", "server-a", &intel) && !relro.covers("relro", "a", &intel));
        let [needed] = &settings.allow[..] else { panic!("{settings:?}") };
        assert!(needed.scope.covers("needed", "a", &arm));
        assert!(!needed.scope.covers("needed", "a", &intel));
        assert_eq!(needed.scope.to_string(), "`needed` for aarch64-unknown-linux-gnu");
        assert_eq!(relro.to_string(), "`relro` of `server-*`");
    }

    #[test]
    fn every_exception_has_a_reason_and_a_rule_that_there_is() {
        for (lines, error) in [
            ("allow = [{ rule = \"needed\" }]", "Cargo.toml:2:10: missing field `reason`"),
            (
                "allow = [{ rule = \"needed\", reason = \" \" }]",
                "Cargo.toml:2:38: the reason is empty",
            ),
            (
                "allow = [{ rule = \"neded\", reason = \"r\" }]",
                "Cargo.toml:2:19: unknown value `neded` did you mean `needed`?",
            ),
            ("deny = [\"path\"]", "Cargo.toml:2:9: unknown value `path` did you mean `paths`?"),
            (
                "deny = [{ rule = \"paths\", binaries = \"a\" }]",
                "Cargo.toml:2:27: unknown key `binaries` did you mean `binary`?",
            ),
        ] {
            assert_eq!(read(lines).expect_err(lines), error);
        }
    }
}
