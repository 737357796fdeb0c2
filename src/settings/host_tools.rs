//! The tools that the settings ask for by their names, `host-tools`. Which there are, recipes say.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Choice;
use crate::vocab::name::Name;

/// Tools by their names: `protoc = true`, `cmake = "3.25"`,
/// `ninja = { recipe = "ninja-release", version = "1.12" }`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct HostTools(BTreeMap<Name, HostTool>);

/// What the settings say of one tool. `None`: it is not wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HostTool(Option<Choice>);

impl HostTools {
    /// The tools that are asked for, by name.
    pub fn asked(&self) -> impl Iterator<Item = (&Name, &Choice)> {
        self.0.iter().filter_map(|(name, tool)| Some((name, tool.0.as_ref()?)))
    }
}

impl<'de> Deserialize<'de> for HostTool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;

        impl<'de> Visitor<'de> for Form {
            type Value = HostTool;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, a version, or a table with `recipe` and `version`")
            }

            fn visit_bool<E: de::Error>(self, wanted: bool) -> Result<HostTool, E> {
                Ok(HostTool(wanted.then(Choice::default)))
            }

            fn visit_str<E: de::Error>(self, version: &str) -> Result<HostTool, E> {
                let version = Some(version.to_owned());
                Ok(HostTool(Some(Choice { version, ..Choice::default() })))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HostTool, A::Error> {
                Choice::deserialize(de::value::MapAccessDeserializer::new(map))
                    .map(|choice| HostTool(Some(choice)))
            }
        }

        deserializer.deserialize_any(Form)
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    #[test]
    fn a_tool_is_asked_for_in_three_ways_and_wrong_ones_are_named_with_their_places() {
        let read = |lines: &str| {
            let text = format!("[workspace.metadata.xprov.host-tools]\n{lines}\n");
            Settings::parse("Cargo.toml", &text)
        };
        let settings = read(
            "protoc = true\nperl = false\ncmake = \"3.25\"\n\
             ninja = { recipe = \"ninja-release\", version = \"1.12\" }",
        )
        .expect("settings");
        let asked: Vec<String> = settings
            .host_tools
            .asked()
            .map(|(name, choice)| format!("{name} {:?} {:?}", choice.recipe, choice.version))
            .collect();
        assert_eq!(
            asked,
            [
                "cmake None Some(\"3.25\")",
                "ninja Some(Name(\"ninja-release\")) Some(\"1.12\")",
                "protoc None None"
            ]
        );
        for (lines, message) in [
            (
                "protoc = 3",
                "2:10: invalid type: integer `3`, expected `true`, a version, or a table with \
                 `recipe` and `version`",
            ),
            ("protoc = { versoin = \"3\" }", "2:12: unknown key `versoin`"),
        ] {
            let error = read(lines).expect_err(lines);
            assert_eq!(error.to_string(), format!("Cargo.toml:{message}"));
        }
    }
}
