//! Errors as the user sees them: what, why, and the command that helps.

use std::error::Error as _;
use std::fmt::Write as _;

use serde_json::json;

use super::style::Style;
use crate::ops::Error;

/// The error as text: `error:`, `caused by:` for each cause, an empty line, `help:` for each hint.
pub fn text(error: &Error, style: Style) -> String {
    let mut text = format!("{} {error}\n", style.error("error:"));
    for cause in causes(error) {
        // A cause of several lines stays below its heading.
        let _ = writeln!(text, "  caused by: {}", cause.replace('\n', "\n  "));
    }
    let hints = error.hints();
    if !hints.is_empty() {
        text.push('\n');
    }
    for hint in hints {
        let _ = writeln!(text, "  {} {hint}", style.help("help:"));
    }
    text
}

/// The error as one JSON object.
pub fn json(error: &Error) -> String {
    json!({
        "reason": "error",
        "kind": error.kind().as_str(),
        "message": error.to_string(),
        "causes": causes(error),
        "help": error.hints(),
    })
    .to_string()
}

/// The chain of causes; one that only repeats what was said before is left out.
fn causes(error: &Error) -> Vec<String> {
    let mut said = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.iter().any(|before| before.contains(&text)) {
            said.push(text);
        }
        cause = error.source();
    }
    said.split_off(1)
}
