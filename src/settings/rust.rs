//! The choice of Rust, where `"system"` stands for a recipe.

use serde::{Deserialize, Deserializer};

use super::Choice;
use crate::vocab::name::Name;

/// The recipe of the machine's own Rust.
pub const SYSTEM: &str = "rust-system";

/// A choice; `rust = "system"` is short for `rust = { recipe = "rust-system" }`.
pub(super) fn choice<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Choice, D::Error> {
    let choice = Choice::deserialize(deserializer)?;
    if choice.recipe.is_none() && choice.version.as_deref() == Some("system") {
        return Ok(Choice { recipe: Some(Name::mangle(SYSTEM)), version: None, ..choice });
    }
    Ok(choice)
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    #[test]
    fn system_is_a_recipe_and_any_other_word_a_version() {
        let rust = |value: &str| {
            let text = format!("[workspace.metadata.xprov]\nrust = {value}\n");
            let choice = Settings::parse("Cargo.toml", &text).expect("settings").rust;
            (choice.recipe.map(|name| name.to_string()), choice.version)
        };
        let system = Some("rust-system".to_owned());
        assert_eq!(rust("\"system\""), (system.clone(), None));
        let components = "{ version = \"system\", components = [\"clippy\"] }";
        assert_eq!(rust(components), (system.clone(), None));
        let version = Some("1.85".to_owned());
        assert_eq!(rust("\"1.85\""), (None, version.clone()));
        assert_eq!(rust("{ recipe = \"rust-system\", version = \"1.85\" }"), (system, version));
    }
}
