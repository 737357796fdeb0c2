//! What `recipes check` found, as text or JSON.

use std::fmt::Write as _;

use serde_json::json;

use super::output::document;
use super::style::Style;
use crate::ops::RecipeCheck;

/// A line for each finding, and one that counts.
pub fn text(outcome: &RecipeCheck, style: Style) -> String {
    let mut text = String::new();
    for finding in &outcome.findings {
        let _ = writeln!(text, "{} {}: {}", style.error("FAIL"), finding.recipe, finding.what);
    }
    let (recipes, findings) = (outcome.checked.len(), outcome.findings.len());
    let _ = match findings {
        0 => writeln!(text, "{recipes} recipes, nothing wrong"),
        _ => writeln!(text, "{recipes} recipes, {findings} findings"),
    };
    text
}

/// The same for machines.
pub fn json(outcome: &RecipeCheck) -> String {
    let body = json!({ "checked": outcome.checked, "findings": outcome.findings });
    document("recipes-check", body)
}
