//! What a build says at its end: what was left out, changed or refused, and why a link failed; for
//! people as lines, for programs as one document (`docs/schemas/build.json`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::output::{document, verified};
use super::style::Style;
use crate::ops::{Built, CargoOutcome, Download, LinkFailure, Notice, NoticeKind, Subject};

/// So many lines of one kind are said aloud.
const LINES_OF_A_KIND: usize = 12;

/// Where a line that allows something is to be written.
const SETTINGS: &str = "settings stand in the root Cargo.toml, below `[workspace.metadata.xprov]`, \
                        or `[package.metadata.xprov]` where there is no workspace";

/// One line for each notice; what several targets have in common is said once. What is no news is
/// only named: variables on one line, keys on one for each file.
pub fn notices_text<'a>(
    notices: impl IntoIterator<Item = &'a Notice>,
    is_news: bool,
    style: Style,
) -> String {
    let mut distinct: Vec<&Notice> = Vec::new();
    for notice in notices {
        if !distinct.contains(&notice) {
            distinct.push(notice);
        }
    }
    let mut kinds: Vec<NoticeKind> = distinct.iter().map(|notice| notice.kind).collect();
    kinds.sort();
    kinds.dedup();
    let warning = style.warning("warning:");
    let mut text = String::new();
    for kind in kinds {
        let of_kind: Vec<&Notice> =
            distinct.iter().copied().filter(|notice| notice.kind == kind).collect();
        if let (false, [_, _, ..]) = (is_news, &of_kind[..])
            && let Some(lines) = named(kind, &of_kind)
        {
            for line in lines {
                let _ = writeln!(text, "{warning} {line}");
            }
            continue;
        }
        for notice in of_kind.iter().take(LINES_OF_A_KIND) {
            let _ = writeln!(text, "{warning} {}", sentence(notice));
        }
        let more = of_kind.len().saturating_sub(LINES_OF_A_KIND);
        if more > 0 {
            let _ = writeln!(text, "{warning} and {more} more of this kind (--json lists all)");
        }
    }
    if distinct.iter().any(|notice| notice.allow.is_some()) && is_news {
        let help = style.help("help:");
        let _ = writeln!(text, "  {help} {SETTINGS}");
    }
    text
}

/// What was left out, by its names alone.
fn named(kind: NoticeKind, notices: &[&Notice]) -> Option<Vec<String>> {
    match kind {
        NoticeKind::Variable => {
            let names: Vec<&str> = notices.iter().map(|notice| notice.what.as_str()).collect();
            let (list, first) = (names.join(", "), names.first()?);
            Some(vec![format!(
                "{list} of your environment are left out (`xprov why {first}` says why)"
            )])
        }
        NoticeKind::Configuration => {
            let mut files: BTreeMap<String, Vec<&str>> = BTreeMap::new();
            for notice in notices {
                let place = match &notice.subject {
                    Subject::File { file, .. } => file.display().to_string(),
                    other => other.to_string(),
                };
                files.entry(place).or_default().push(&notice.what);
            }
            let line = |(file, keys): (&String, &Vec<&str>)| {
                let is = if keys.len() == 1 { "is" } else { "are" };
                format!("{file}: `{}` {is} left out", keys.join("`, `"))
            };
            Some(files.iter().map(line).collect())
        }
        _ => None,
    }
}

fn sentence(notice: &Notice) -> String {
    let Notice { kind, subject, what, became, why, allow } = notice;
    let is = match (kind, became) {
        (NoticeKind::Refused, _) => " is refused".to_owned(),
        (NoticeKind::Seen, _) => " would be refused".to_owned(),
        (NoticeKind::Kept, _) => " is used".to_owned(),
        (NoticeKind::Tool, _) => " is not in the environment".to_owned(),
        (NoticeKind::Source, _) => String::new(),
        (_, Some(became)) => format!(" becomes `{became}`"),
        (_, None) => " is left out".to_owned(),
    };
    let mut text = match (kind, subject) {
        (_, Subject::Variable { variable }) => format!("{variable} of your environment{is}"),
        (NoticeKind::Source, subject) => format!("{subject}: {what}"),
        (_, subject) => format!("{subject}: `{what}`{is}"),
    };
    if !why.is_empty() {
        let _ = write!(text, ": {why}");
    }
    if let Some(allow) = allow {
        let verb = if *kind == NoticeKind::Tool { "add" } else { "allow" };
        let _ = write!(text, "; {verb} it with `{allow}`");
    }
    text
}

/// The explanation of a failed link, after what cargo and the linker said.
pub fn link_failure_text(failure: &LinkFailure, style: Style) -> String {
    let mut name = failure.name.clone();
    if let Some(version) = &failure.version {
        let _ = write!(name, " {version}");
    }
    let symbols = failure.symbols.join("`, `");
    let note = style.help("note:");
    let mut text = format!(
        "\n{note} {name} refers to `{symbols}`, and its build script left something out. It said:\n  \
         {}\n",
        failure.warning
    );
    if let Some(fixed) = &failure.fixed {
        let (version, how) = (fixed.version, fixed.how);
        let update = format!("use {} {version} or later: {how}", failure.name);
        let _ = writeln!(text, "  {} {update}", style.help("help:"));
    }
    if let Some(allow) = &failure.allow {
        let help = style.help("help:");
        let _ = writeln!(text, "  {help} say in the settings what `native` means there: `{allow}`");
    }
    text
}

/// What a crate of a failed build wanted of a network, and how to pin it.
pub fn download_text(download: &Download, style: Style) -> String {
    let mut name = download.name.clone();
    if let Some(version) = &download.version {
        let _ = write!(name, " {version}");
    }
    let wanted = download.wanted.join("`, `");
    let (note, help) = (style.help("note:"), style.help("help:"));
    let mut text = format!(
        "\n{note} {name} wanted `{wanted}` while it was built, and a build has no network\n  \
         {help} pin the file in the root Cargo.toml, and it comes from the store:\n\n"
    );
    for line in download.settings.lines() {
        let _ = writeln!(text, "    {line}");
    }
    if !download.candidates.is_empty() {
        let names = download.candidates.join(", ");
        let _ = writeln!(text, "\n  its build script reads {names}: one of them may be `env`");
    }
    if let Some(remark) = download.remark {
        let _ = writeln!(text, "\n  {remark}");
    }
    text
}

/// The same for programs, where there is no document that has it.
pub fn download_event(download: &Download) -> String {
    event("download", &json!(download))
}

/// A notice for programs, as one line among the events.
pub fn notice_event(notice: &Notice) -> String {
    event("notice", &json!(notice))
}

fn event(reason: &str, fields: &Value) -> String {
    let mut event = serde_json::Map::new();
    event.insert("reason".to_owned(), reason.into());
    event.extend(fields.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
    Value::Object(event).to_string()
}

/// The explanation of a failed link for programs, where there is no document that has it.
pub fn link_failure_event(failure: &LinkFailure) -> String {
    event("link-failure", &json!(failure))
}

/// The document of a build: an element for each target that cargo was started for.
pub fn build_json(outcome: &CargoOutcome) -> String {
    let targets: Vec<Value> = outcome.built.iter().map(target_value).collect();
    document("build", json!({ "targets": targets }))
}

fn target_value(built: &Built) -> Value {
    let mut value = json!({
        "target": built.target,
        "env-id": built.env_id,
        "exit-code": built.code,
        "files": verified(&built.binaries),
        "notices": built.notices,
    });
    if !built.downloads.is_empty() {
        value["downloads"] = json!(built.downloads);
    }
    if let Some(failure) = &built.link_failure {
        value["link-failure"] = json!(failure);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(kind: NoticeKind, subject: Subject, what: &str) -> Notice {
        let (became, allow) = (None, None);
        Notice { kind, subject, what: what.into(), became, why: "it is so".into(), allow }
    }

    fn krate(version: &str) -> Subject {
        Subject::Crate { name: "a-sys".to_owned(), version: Some(version.to_owned()) }
    }

    #[test]
    fn each_kind_has_its_words() {
        let variable = Subject::Variable { variable: "CC".to_owned() };
        let allow = Some("isa.crates.a-sys = \"native\"".to_owned());
        let became = Some("-march=x86-64".to_owned());
        let isa = notice(NoticeKind::Isa, krate("1.0.0"), "-march=native");
        let notices = [
            notice(NoticeKind::Source, krate("1.0.0"), "build.rs:3 asks for the CPU"),
            Notice {
                allow: Some("host-tools.protoc = true".to_owned()),
                ..notice(NoticeKind::Tool, krate("1.0.0"), "protoc")
            },
            notice(NoticeKind::Refused, krate("1.0.0"), "read /proc/cpuinfo"),
            notice(NoticeKind::Seen, krate("1.0.0"), "read /etc/os-release"),
            notice(NoticeKind::Variable, variable, "CC"),
            Notice { became, allow, ..isa.clone() },
            isa.clone(),
            isa,
        ];
        let text = notices_text(&notices, true, Style::plain());
        let expected = "\
warning: CC of your environment is left out: it is so
warning: a-sys 1.0.0: `-march=native` becomes `-march=x86-64`: it is so; allow it with `isa.crates.a-sys = \"native\"`
warning: a-sys 1.0.0: `-march=native` is left out: it is so
warning: a-sys 1.0.0: `read /proc/cpuinfo` is refused: it is so
warning: a-sys 1.0.0: `read /etc/os-release` would be refused: it is so
warning: a-sys 1.0.0: build.rs:3 asks for the CPU: it is so
warning: a-sys 1.0.0: `protoc` is not in the environment: it is so; add it with `host-tools.protoc = true`
  help: settings stand in the root Cargo.toml, below `[workspace.metadata.xprov]`, or `[package.metadata.xprov]` where there is no workspace
";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_was_said_before_is_only_named() {
        let variable = |name: &str| Subject::Variable { variable: name.to_owned() };
        let key = |file: &str, line| Subject::File { file: file.into(), line };
        let notices = [
            notice(NoticeKind::Variable, variable("CC"), "CC"),
            notice(NoticeKind::Variable, variable("CFLAGS"), "CFLAGS"),
            notice(NoticeKind::Configuration, key("/h/config.toml", 2), "build.rustflags"),
            notice(NoticeKind::Configuration, key("/h/config.toml", 3), "env.A"),
            notice(NoticeKind::Configuration, key("config.toml", 1), "env.B"),
            notice(NoticeKind::Toolchain, key("rust-toolchain", 1), "1.80"),
        ];
        let expected = "\
warning: CC, CFLAGS of your environment are left out (`xprov why CC` says why)
warning: /h/config.toml: `build.rustflags`, `env.A` are left out
warning: config.toml: `env.B` is left out
warning: rust-toolchain:1: `1.80` is left out: it is so
";
        assert_eq!(notices_text(&notices, false, Style::plain()), expected);
        let one = notices_text(&notices[..1], false, Style::plain());
        assert_eq!(one, "warning: CC of your environment is left out: it is so\n");
    }

    #[test]
    fn many_of_a_kind_are_counted() {
        let version = |number: usize| krate(&format!("1.0.{number}"));
        let notices: Vec<Notice> =
            (0..17).map(|number| notice(NoticeKind::Isa, version(number), "x")).collect();
        let text = notices_text(&notices, true, Style::plain());
        assert_eq!(text.lines().count(), 13);
        assert!(text.ends_with("warning: and 5 more of this kind (--json lists all)\n"), "{text}");
    }
}
