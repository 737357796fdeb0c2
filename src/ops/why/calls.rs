//! The ledger of the environment's builds, counted. Judges nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Layer, Standing};
use crate::ops::at::At;
use crate::ops::error::Error;
use crate::shim::ledger::{self, Line, Notice};
use crate::sys::fs::read_text;

/// The ledger's name in a build directory.
const NAME: &str = "ledger.jsonl";

/// Every call since the build directory was made.
pub struct Calls {
    path: PathBuf,
    /// `None` where nothing was built, or nothing wrote a ledger.
    lines: Option<Vec<Line>>,
}

impl Calls {
    /// Reads the ledger of a build directory.
    pub fn read(build_dir: &Path) -> Result<Self, Error> {
        let path = build_dir.join(NAME);
        let text = read_text(&path)?;
        Ok(Self { path, lines: text.map(|text| ledger::parse(&text).collect()) })
    }

    /// Whether there is no ledger.
    pub fn is_absent(&self) -> bool {
        self.lines.is_none()
    }

    /// The calls that `wanted` chooses, counted by tool and crate, and their notices; a layer that
    /// says so where there is no ledger, and none where no call is meant.
    pub fn layers(&self, wanted: impl Fn(&Line) -> bool) -> Vec<Layer> {
        let Some(lines) = &self.lines else {
            return vec![self.layer("there is none: no build has written one")];
        };
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut notices: BTreeMap<(String, &Notice), usize> = BTreeMap::new();
        for line in lines.iter().filter(|line| wanted(line)) {
            let of = crate_of(line);
            *counts.entry(format!("{} for {of}", line.tool)).or_default() += 1;
            for notice in &line.notices {
                *notices.entry((of.clone(), notice)).or_default() += 1;
            }
        }
        let counts =
            counts.into_iter().map(|(what, n)| self.layer(&format!("{}: {what}", calls(n))));
        let notices = notices.into_iter().map(|((of, notice), n)| {
            let Notice { what, became, why, allow, .. } = notice;
            let became = match became {
                Some(became) => format!("{what} became {became} for {of}"),
                None => format!("{what} for {of}"),
            };
            let allow = allow.as_ref().map(|allow| format!("; the settings allow it: {allow}"));
            self.layer(&format!("{}: {became}", calls(n)))
                .because(format!("{why}{}", allow.unwrap_or_default()))
        });
        counts.chain(notices).collect()
    }

    fn layer(&self, says: &str) -> Layer {
        Layer::new(Standing::Tells, "the ledger", says).at(At::whole(&self.path))
    }
}

fn calls(count: usize) -> String {
    if count == 1 { "1 call".to_owned() } else { format!("{count} calls") }
}

fn crate_of(line: &Line) -> String {
    match (&line.krate, &line.version) {
        (Some(krate), Some(version)) => format!("{krate} {version}"),
        (Some(krate), None) => krate.clone(),
        (None, _) => "no crate that cargo named".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shim::ledger::NoticeKind;

    #[test]
    fn calls_are_counted_by_tool_and_crate_and_notices_by_what_they_say() {
        let dir = tempfile::tempdir().expect("a directory");
        let none = Calls::read(dir.path()).expect("no ledger");
        assert!(none.layers(|_| true)[0].says.starts_with("there is none"));
        let notice = Notice {
            kind: NoticeKind::Isa,
            what: "-march=native".to_owned(),
            became: Some("-march=armv8-a".to_owned()),
            why: "it means this machine".to_owned(),
            allow: Some("isa.crates.a = \"native\"".to_owned()),
        };
        let line = |krate: &str, notices: Vec<Notice>| Line {
            tool: "cc".to_owned(),
            krate: Some(krate.to_owned()),
            version: Some("1.0.0".to_owned()),
            notices,
            ..Line::default()
        };
        for line in [line("a", vec![notice.clone()]), line("a", vec![notice]), line("b", vec![])] {
            ledger::append(&dir.path().join(NAME), &line).expect("written");
        }
        let read = Calls::read(dir.path()).expect("a ledger");
        let layers = read.layers(|line| line.krate.as_deref() == Some("a"));
        let said: Vec<(&str, &str)> =
            layers.iter().map(|layer| (layer.says.as_str(), layer.why.as_str())).collect();
        let allowed = "it means this machine; the settings allow it: isa.crates.a = \"native\"";
        assert_eq!(
            said,
            [
                ("2 calls: cc for a 1.0.0", ""),
                ("2 calls: -march=native became -march=armv8-a for a 1.0.0", allowed),
            ]
        );
        assert!(read.layers(|_| false).is_empty());
    }
}
