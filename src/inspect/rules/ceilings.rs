//! The ceilings of gcc's run-time libraries. That of glibc is older, and beside the other rules.

use std::collections::BTreeSet;

use super::{Finding, Rule, Verdict, named};
use crate::inspect::ceilings::{Ceiling, Number, Runtime, RuntimeNeed, need};
use crate::inspect::{ElfFacts, Policy};

/// One finding for each interface.
pub(super) fn check(elf: &ElfFacts, policy: &Policy) -> Vec<Finding> {
    let finding = |runtime| {
        let rule = match runtime {
            Runtime::Libgcc => Rule::LibgccCeiling,
            Runtime::Glibcxx => Rule::GlibcxxCeiling,
            Runtime::Cxxabi => Rule::CxxabiCeiling,
        };
        one(rule, runtime, &need(elf, runtime), policy.runtimes.get(&runtime))
    };
    Runtime::ALL.into_iter().map(finding).collect()
}

fn one(rule: Rule, runtime: Runtime, need: &RuntimeNeed, ceiling: Option<&Ceiling>) -> Finding {
    let finding = |verdict, evidence: String| Finding::new(rule, verdict, evidence);
    if need.newest.is_none() && need.named.is_empty() {
        return finding(Verdict::Pass, format!("no {}… version is needed", runtime.prefix()));
    }
    let seen = seen(runtime, need.newest.as_ref(), &need.symbols, &need.named);
    let Some(ceiling) = ceiling else {
        return finding(Verdict::Pass, format!("{seen}; no ceiling is known"));
    };
    let allowed = format!("{}{}", runtime.prefix(), ceiling.newest);
    if need.newest.as_ref() > Some(&ceiling.newest) {
        return finding(Verdict::Fail, format!("{seen}; at most {allowed} is allowed")).with_help(
            "a library of a newer gcc than the target's was linked: link it statically, or build \
             it with the target's compiler",
        );
    }
    let missing: Vec<String> = need.named.difference(&ceiling.named).cloned().collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return finding(Verdict::Fail, format!("{seen}; the target's library has no {missing}"))
            .with_help("build what needs it with the target's compiler");
    }
    finding(Verdict::Pass, format!("{seen}; {allowed} is allowed"))
}

fn seen(
    runtime: Runtime,
    newest: Option<&Number>,
    symbols: &[String],
    names: &BTreeSet<String>,
) -> String {
    let number = newest.map(|newest| {
        let symbols = named(symbols);
        format!("{}{newest} ({symbols})", runtime.prefix())
    });
    let all: Vec<String> = number.into_iter().chain(names.iter().cloned()).collect();
    format!("needs {}", all.join(", "))
}
