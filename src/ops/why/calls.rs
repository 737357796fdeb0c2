//! The ledger of the environment's builds, counted. Judges nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Layer, Standing};
use crate::ops::at::At;
use crate::ops::error::Error;
use crate::ops::notices::Ledger;
use crate::shim::ledger::{Line, Notice, NoticeKind};

/// Every call since the build directory was made.
pub struct Calls {
    path: PathBuf,
    /// `None` where nothing was built, or nothing wrote a ledger.
    lines: Option<Vec<Line>>,
}

impl Calls {
    /// Reads a ledger.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Ok(Self { path: path.to_path_buf(), lines: Ledger::whole(path)? })
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
            let said = format!("{}: {} for {of}", calls(n), what_happened(notice));
            self.layer(&said).because(with_allow(&notice.why, notice.allow.as_deref()))
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

/// What became of what a notice is about.
pub fn what_happened(notice: &Notice) -> String {
    let what = &notice.what;
    match (notice.kind, &notice.became) {
        (NoticeKind::Source, _) => what.clone(),
        (NoticeKind::Seen, _) => format!("`{what}`, which the sandbox would refuse,"),
        (NoticeKind::Refused, _) => format!("`{what}` was refused"),
        (_, Some(became)) => format!("`{what}` became `{became}`"),
        (_, None) => format!("`{what}` was left out"),
    }
}

/// A reason, and the line of settings that would allow the thing.
pub fn with_allow(why: &str, allow: Option<&str>) -> String {
    match allow {
        Some(line) => format!("{why}; allow it with `{line}`"),
        None => why.to_owned(),
    }
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
    use crate::shim::ledger;

    #[test]
    fn calls_are_counted_by_tool_and_crate_and_notices_by_what_they_say() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("ledger.jsonl");
        let none = Calls::read(&path).expect("no ledger");
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
            ledger::append(&path, &line).expect("written");
        }
        let read = Calls::read(&path).expect("a ledger");
        let layers = read.layers(|line| line.krate.as_deref() == Some("a"));
        let said: Vec<(&str, &str)> =
            layers.iter().map(|layer| (layer.says.as_str(), layer.why.as_str())).collect();
        let allowed = "it means this machine; allow it with `isa.crates.a = \"native\"`";
        assert_eq!(
            said,
            [
                ("2 calls: cc for a 1.0.0", ""),
                ("2 calls: `-march=native` became `-march=armv8-a` for a 1.0.0", allowed),
            ]
        );
        assert!(read.layers(|_| false).is_empty());
    }
}
