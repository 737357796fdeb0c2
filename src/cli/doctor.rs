//! What `doctor` found, as text or JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::output::document;
use super::style::Style;
use crate::ops::{Area, At, DoctorOutcome, Guard, Leak, Weight};
use crate::sys::ambient::Ambient;

/// How many places of one finding are listed.
const PLACES: usize = 8;

/// The report, by area, and a summary.
pub fn text(outcome: &DoctorOutcome, ambient: &Ambient, style: Style) -> String {
    let mut text = String::new();
    let mut area = None;
    for leak in &outcome.leaks {
        if area != Some(leak.area) {
            area = Some(leak.area);
            let _ = writeln!(text, "{}\n", heading(leak.area));
        }
        let mark = match leak.weight {
            Weight::Leak => style.warning("leak"),
            Weight::Note => style.help("note"),
        };
        let _ = writeln!(text, "  {mark} {}", leak.what);
        for at in leak.places.iter().take(PLACES) {
            let _ = writeln!(text, "       in {}", at.shown(ambient));
        }
        if leak.places.len() > PLACES {
            let _ = writeln!(text, "       and {} more", leak.places.len() - PLACES);
        }
        let _ = writeln!(text, "       {}", leak.effect);
        let _ = writeln!(text, "       xprov: {}", sentence(leak.guard));
        let _ = writeln!(text, "       {} {}\n", style.help("help:"), leak.help);
    }
    let of = |weight| outcome.leaks.iter().filter(|leak| leak.weight == weight).count();
    let summary = match (of(Weight::Leak), of(Weight::Note)) {
        (0, 0) => "nothing found".to_owned(),
        (0, notes) => format!("no leaks, {}", count(notes, "note")),
        (leaks, 0) => count(leaks, "leak"),
        (leaks, notes) => format!("{}, {}", count(leaks, "leak"), count(notes, "note")),
    };
    let scope = match &outcome.project {
        Some(_) => "",
        None => " (no project here: only the machine was examined)",
    };
    let _ = writeln!(text, "{summary}{scope}");
    text
}

fn heading(area: Area) -> &'static str {
    match area {
        Area::Variables => "Variables of this shell",
        Area::Profiles => "Files that your shells read",
        Area::Configuration => "Configuration of cargo",
        Area::Toolchains => "Choice of Rust",
        Area::Machine => "Programs and libraries of this machine",
        Area::EarlierBuilds => "Earlier builds",
    }
}

fn sentence(guard: Guard) -> &'static str {
    match guard {
        Guard::Prevented => "no build sees it",
        Guard::Reported => "builds leave it out and say so",
        Guard::Refused => "builds nothing while it is there",
        Guard::Chosen => "builds see it, because the settings say so; it is part of env-id",
        Guard::Open => "does without it",
    }
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// The same for machines.
pub fn json(outcome: &DoctorOutcome) -> String {
    let place = |at: &At| json!({ "path": at.path, "line": at.line });
    let finding = |leak: &Leak| {
        json!({
            "area": leak.area.as_str(),
            "weight": match leak.weight { Weight::Leak => "leak", Weight::Note => "note" },
            "what": leak.what,
            "places": leak.places.iter().map(place).collect::<Vec<Value>>(),
            "effect": leak.effect,
            "guard": leak.guard.as_str(),
            "help": leak.help,
        })
    };
    let body = json!({
        "project": outcome.project,
        "clean": outcome.is_clean(),
        "findings": outcome.leaks.iter().map(finding).collect::<Vec<Value>>(),
    });
    document("doctor", body)
}
