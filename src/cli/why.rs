//! What `why` found out, as text or JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::output::document;
use super::style::Style;
use crate::ops::{Answer, Layer, Sort, Standing, WhyOutcome};
use crate::sys::ambient::Ambient;

/// Each answer with its layers; or that there is none, and what there is instead.
pub fn text(outcome: &WhyOutcome, ambient: &Ambient, style: Style) -> String {
    let WhyOutcome { subject, target, answers, nearest } = outcome;
    let mut text = String::new();
    if answers.is_empty() {
        let _ = writeln!(text, "nothing knows `{subject}` in the environment of {target}");
    }
    for (index, answer) in answers.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let a = if answer.sort == Sort::Input { "an" } else { "a" };
        let _ = writeln!(text, "{subject}, {a} {} of builds for {target}", answer.sort.as_str());
        let value = answer.value.as_deref().unwrap_or(match answer.sort {
            Sort::Variable => "not set",
            Sort::Flag => "not used",
            Sort::Tool | Sort::Sandbox | Sort::Crate | Sort::Input | Sort::Package => "none",
        });
        let _ = writeln!(text, "  value    {value}");
        for layer in &answer.layers {
            text.push_str(&line(layer, ambient, style));
        }
    }
    if !nearest.is_empty() {
        let _ = writeln!(text, "  {} there is {}", style.help("help:"), nearest.join(", "));
    }
    text
}

fn line(layer: &Layer, ambient: &Ambient, style: Style) -> String {
    let word = layer.standing.as_str();
    let room = " ".repeat(8_usize.saturating_sub(word.len()));
    let word = match layer.standing {
        Standing::Wins => style.good(word),
        Standing::Loses | Standing::Dropped => style.warning(word),
        Standing::Tells => word.to_owned(),
    };
    let place = layer.at.as_ref().map(|at| format!(", {}", at.shown(ambient)));
    let mut text =
        format!("  {word}{room} {}{}: {}\n", layer.who, place.unwrap_or_default(), layer.says);
    if !layer.why.is_empty() {
        let _ = writeln!(text, "           {}", layer.why);
    }
    text
}

/// The same for machines.
pub fn json(outcome: &WhyOutcome) -> String {
    let layer = |layer: &Layer| {
        let place = layer.at.as_ref().map(|at| json!({ "path": at.path, "line": at.line }));
        json!({
            "who": layer.who,
            "place": place,
            "says": layer.says,
            "standing": layer.standing.as_str(),
            "why": layer.why,
        })
    };
    let answer = |answer: &Answer| {
        json!({
            "sort": answer.sort.as_str(),
            "value": answer.value,
            "layers": answer.layers.iter().map(layer).collect::<Vec<Value>>(),
        })
    };
    let body = json!({
        "subject": outcome.subject,
        "target": outcome.target,
        "answers": outcome.answers.iter().map(answer).collect::<Vec<Value>>(),
        "nearest": outcome.nearest,
    });
    document("why", body)
}
