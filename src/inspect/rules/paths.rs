//! What of the building machine can be read in a file.

use super::{Finding, Rule, Verdict};
use crate::inspect::paths::{Leak, Scan};

/// A path is a note: it says where a file was built, and breaks nothing.
pub(super) fn check(scan: &Scan) -> Finding {
    let finding = |verdict, evidence: String| Finding::new(Rule::Paths, verdict, evidence);
    if !scan.leaks.is_empty() {
        let leaks: Vec<String> = scan.leaks.iter().map(shown).collect();
        return finding(Verdict::Note, leaks.join("; ")).with_help(
            "a crate writes it down at build time (`env!(\"CARGO_MANIFEST_DIR\")`, a build \
             script), or a compiler was called without `-ffile-prefix-map`",
        );
    }
    if !scan.unread.is_empty() {
        let unread = scan.unread.join(", ");
        return finding(Verdict::Unproven, format!("cannot be unpacked, or not whole: {unread}"));
    }
    finding(Verdict::Pass, "no path of a building machine".to_owned())
}

fn shown(leak: &Leak) -> String {
    let Leak { what, path, section, count } = leak;
    let section = section.as_ref().map(|name| format!(" in {name}")).unwrap_or_default();
    let times = if *count == 1 { String::new() } else { format!(", {count} times in all") };
    format!("{what}: {path}{section}{times}")
}
