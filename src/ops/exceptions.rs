//! A project's own word on findings: what fails beyond the target's policy, and what is allowed
//! with a reason (`verify` of the settings).

use std::collections::BTreeSet;

use crate::inspect::{Finding, Verdict};
use crate::settings::VerifySettings;
use crate::vocab::triple::RustTriple;

/// Which exceptions of the settings concerned a file, by their places in the list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exceptions {
    /// Those that name the file.
    pub named: BTreeSet<usize>,
    /// Those without which a finding would have been worse.
    pub used: BTreeSet<usize>,
}

/// Applies the settings to the findings of the file `binary`.
pub fn apply(
    settings: &VerifySettings,
    binary: &str,
    target: &RustTriple,
    findings: &mut [Finding],
) -> Exceptions {
    let mut exceptions = Exceptions::default();
    let allow = settings.allow.iter().enumerate();
    exceptions
        .named
        .extend(allow.clone().filter(|(_, one)| one.scope.names(binary, target)).map(|(at, _)| at));
    for finding in findings.iter_mut().filter(|finding| finding.verdict != Verdict::Pass) {
        let rule = finding.rule.id();
        if settings.deny.iter().any(|scope| scope.covers(rule, binary, target)) {
            finding.verdict = Verdict::Fail;
        }
        if finding.verdict != Verdict::Fail {
            continue;
        }
        let mut covering = allow.clone().filter(|(_, one)| one.scope.covers(rule, binary, target));
        if let Some((at, exception)) = covering.next() {
            finding.verdict = Verdict::Note;
            finding.allowed = Some(exception.reason.clone());
            exceptions.used.insert(at);
        }
    }
    exceptions
}

/// What to say of exceptions that name a file of these and were not needed for any.
pub fn stale<'a>(
    settings: &VerifySettings,
    exceptions: impl Iterator<Item = &'a Exceptions>,
) -> Vec<String> {
    let (mut named, mut used) = (BTreeSet::<usize>::new(), BTreeSet::<usize>::new());
    for one in exceptions {
        named.extend(&one.named);
        used.extend(&one.used);
    }
    let unused = named.difference(&used).filter_map(|at| settings.allow.get(*at));
    let said = unused.map(|one| {
        let (scope, reason) = (&one.scope, &one.reason);
        format!("the exception for {scope} ({reason}) is not needed: take it out of `verify.allow`")
    });
    said.collect()
}
