//! Host tools that a failed build script looked for and that the settings do not ask for.

use std::collections::BTreeSet;

use super::{Notice, NoticeKind, subject};
use crate::shim::ledger::Line;
use crate::vocab::name::Name;

/// One notice for each crate and tool. `known` are the tools that recipes provide: of other
/// programs nothing can be said.
pub fn of_lacking(lines: &[Line], known: &BTreeSet<Name>) -> Vec<Notice> {
    let mut notices = BTreeSet::new();
    for line in lines {
        let tools =
            line.lacked.iter().filter(|name| known.iter().any(|tool| tool.as_str() == *name));
        notices.extend(tools.map(|tool| Notice {
            kind: NoticeKind::Tool,
            subject: subject(line),
            what: tool.clone(),
            became: None,
            why: "its build script looked for it and failed".to_owned(),
            allow: Some(format!("host-tools.{tool} = true")),
        }));
    }
    notices.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_known_is_named_once_with_its_line() {
        let line = |krate: &str, lacked: &[&str]| Line {
            tool: "build-script".to_owned(),
            krate: Some(krate.to_owned()),
            lacked: lacked.iter().map(|name| (*name).to_owned()).collect(),
            ..Line::default()
        };
        let known = ["cmake", "protoc"].map(|name| name.parse().expect("a name")).into();
        let lines = [line("b", &["git", "protoc"]), line("a", &[]), line("b", &["protoc"])];
        let notices = of_lacking(&lines, &known);
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].subject.to_string(), "b");
        assert_eq!(notices[0].allow.as_deref(), Some("host-tools.protoc = true"));
    }
}
