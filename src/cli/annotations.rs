//! Findings as annotations of GitHub Actions ("Workflow commands for GitHub Actions").

use std::fmt::Write as _;

use crate::inspect::Verdict;
use crate::ops::VerifyOutcome;

/// A line for each finding that did not pass: `error` for what failed, `notice` for the rest.
pub fn text(outcomes: &[VerifyOutcome]) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        let file = property(&outcome.file.to_string_lossy());
        for finding in &outcome.findings {
            let (command, verdict) = match finding.verdict {
                Verdict::Pass => continue,
                Verdict::Fail => ("error", ""),
                Verdict::Note => ("notice", ""),
                Verdict::Unproven => ("notice", "unproven: "),
            };
            let title = property(&format!("xprov verify: {}", finding.rule.id()));
            let help = finding.help.as_ref().map(|help| format!("\nhelp: {help}"));
            let message =
                format!("{verdict}{}{}", finding.evidence, help.as_deref().unwrap_or_default());
            let message = data(&message);
            let _ = writeln!(text, "::{command} file={file},title={title}::{message}");
        }
    }
    text
}

/// What would end the line, or an escape.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same where a colon ends the properties, and a comma one of them.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_line_or_a_property_is_escaped() {
        assert_eq!(data("50 %\nof a: b, c\r"), "50 %25%0Aof a: b, c%0D");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}
