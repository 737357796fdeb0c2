//! Which part of an archive becomes the tree: a value that recipes and lockfiles carry. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which part of an archive becomes the tree. The default is all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnpackSpec {
    /// How many leading components of every name are dropped; entries with no more than these
    /// are dropped too.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub strip: u32,
    /// The directory, named as it is after stripping, whose contents are kept and become the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl fmt::Display for UnpackSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "strip = {}", self.strip)?;
        match &self.keep {
            Some(keep) => write!(f, ", keep = \"{keep}\""),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_not_written_and_unknown_fields_are_refused() {
        let rust = UnpackSpec { strip: 1, keep: Some("rustc".into()) };
        assert_eq!(toml::to_string(&rust).as_deref(), Ok("strip = 1\nkeep = \"rustc\"\n"));
        assert_eq!(toml::from_str("strip = 1\nkeep = \"rustc\"\n"), Ok(rust));
        assert_eq!(toml::to_string(&UnpackSpec::default()).as_deref(), Ok(""));
        assert_eq!(toml::from_str(""), Ok(UnpackSpec::default()));
        assert!(toml::from_str::<UnpackSpec>("skip = 1").is_err());
    }
}
