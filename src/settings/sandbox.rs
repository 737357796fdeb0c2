//! `sandbox`: how far the programs of a build are confined, in one word or in a table.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::vocab::sandbox::Mode;

/// The settings; what is absent is the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxSettings {
    /// What happens with accesses that are not allowed.
    pub mode: Mode,
    /// What may be read besides, relative to the workspace.
    pub read: Vec<PathBuf>,
    /// What may be written besides, relative to the workspace.
    pub write: Vec<PathBuf>,
    /// Whether there is a network.
    pub network: bool,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self { mode: Mode::On, read: Vec::new(), write: Vec::new(), network: false }
    }
}

const MODES: [&str; 3] = ["off", "report", "on"];

fn mode<E: de::Error>(word: &str) -> Result<Mode, E> {
    Mode::from_name(word).ok_or_else(|| E::unknown_variant(word, &MODES))
}

impl<'de> Deserialize<'de> for SandboxSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            #[serde(default)]
            mode: Word,
            #[serde(default)]
            read: Vec<PathBuf>,
            #[serde(default)]
            write: Vec<PathBuf>,
            #[serde(default)]
            network: bool,
        }

        /// A mode with its place in the document, for errors.
        struct Word(Mode);

        impl Default for Word {
            fn default() -> Self {
                Self(Mode::On)
            }
        }

        impl<'de> Deserialize<'de> for Word {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).and_then(|word| mode(&word)).map(Self)
            }
        }

        struct WordOrTable;

        impl<'de> Visitor<'de> for WordOrTable {
            type Value = SandboxSettings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "`off`, `report`, `on` or a table with `mode`, `read`, `write`, `network`",
                )
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<SandboxSettings, E> {
                Ok(SandboxSettings { mode: mode(word)?, ..SandboxSettings::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SandboxSettings, A::Error> {
                let Table { mode, read, write, network } =
                    Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(SandboxSettings { mode: mode.0, read, write, network })
            }
        }

        deserializer.deserialize_any(WordOrTable)
    }
}

impl SandboxSettings {
    /// All of it in one text that is the same for the same settings: part of env-id.
    pub fn canonical(&self) -> String {
        let mut lines = vec![format!("sandbox {}", self.mode.as_str())];
        let paths = |word: &str, paths: &[PathBuf]| -> Vec<String> {
            paths.iter().map(|path| format!("{word} {}", path.display())).collect()
        };
        lines.extend(paths("read", &self.read));
        lines.extend(paths("write", &self.write));
        lines.extend(self.network.then(|| "network".to_owned()));
        lines.join("\n")
    }

    /// The paths as they are on this machine: those of `read`, then those of `write`.
    pub fn roots(&self, workspace: &Path) -> [Vec<PathBuf>; 2] {
        [&self.read, &self.write]
            .map(|paths| paths.iter().map(|path| without_dots(&workspace.join(path))).collect())
    }
}

/// The same path without `.` and `..`, which the kernel's rules do not know either.
fn without_dots(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_the_workspaces() {
        let settings = SandboxSettings {
            read: vec!["../shared".into(), "/srv/./data".into()],
            write: vec!["src/generated".into()],
            ..SandboxSettings::default()
        };
        let [read, write] = settings.roots(Path::new("/h/w"));
        assert_eq!(read, [Path::new("/h/shared"), Path::new("/srv/data")]);
        assert_eq!(write, [Path::new("/h/w/src/generated")]);
        assert_eq!(
            settings.canonical(),
            "sandbox on\nread ../shared\nread /srv/./data\nwrite src/generated"
        );
    }
}
