//! The rules for Mach-O files: pure functions from facts and policy to one finding each.

use super::mach_o::{Kind, MachO};
use super::policy::Policy;
use super::rules::{Finding, Rule, Verdict};

/// Where every Mac has what it has. Which of it an older macOS has is not in the file.
const OF_THE_SYSTEM: [&str; 2] = ["/usr/lib/", "/System/Library/"];

/// One finding for each rule.
pub(super) fn check(file: &MachO, policy: &Policy) -> Vec<Finding> {
    [arch, linkage, needed, macos_ceiling, signature].map(|rule| rule(file, policy)).into()
}

fn arch(file: &MachO, policy: &Policy) -> Finding {
    let expected = policy.target.arch();
    let system = match file.is_macos {
        Some(true) => "macOS",
        Some(false) => "another of Apple's systems",
        None => "a system that the file does not name",
    };
    let seen = format!("{} for {system}", file.arch);
    if file.arch == expected && file.is_macos != Some(false) {
        let verdict = if file.is_macos.is_some() { Verdict::Pass } else { Verdict::Unproven };
        return Finding::new(Rule::Arch, verdict, seen);
    }
    let text = format!("{seen}; expected {expected} for macOS");
    Finding::new(Rule::Arch, Verdict::Fail, text)
        .with_help(format!("build it with `--target {}`", policy.target))
}

fn linkage(file: &MachO, _: &Policy) -> Finding {
    let linked = !matches!(file.kind, Kind::Relocatable | Kind::Other);
    // Apple's own processors start no program at a fixed address.
    let starts = file.kind != Kind::Program || file.arch != "aarch64";
    let verdict = if linked && starts { Verdict::Pass } else { Verdict::Fail };
    Finding::new(Rule::Linkage, verdict, file.kind.to_string())
}

fn needed(file: &MachO, policy: &Policy) -> Finding {
    let allowed = |library: &String| {
        OF_THE_SYSTEM.iter().any(|start| library.starts_with(start))
            || policy.allowed_needed.contains(library)
    };
    let surplus: Vec<&str> =
        file.libraries.iter().filter(|one| !allowed(one)).map(String::as_str).collect();
    if surplus.is_empty() {
        let seen = file.libraries.join(", ");
        let seen = if seen.is_empty() { "none".to_owned() } else { seen };
        return Finding::new(Rule::Needed, Verdict::Pass, seen);
    }
    let text = format!("needs {}, which other Macs may not have", surplus.join(", "));
    Finding::new(Rule::Needed, Verdict::Fail, text).with_help("link it statically")
}

fn macos_ceiling(file: &MachO, policy: &Policy) -> Finding {
    let finding = |verdict, text: String| Finding::new(Rule::MacosCeiling, verdict, text);
    let Some((major, minor)) = file.oldest_system else {
        return finding(Verdict::Unproven, "the file names no oldest system".to_owned());
    };
    let seen = format!("needs macOS {major}.{minor}");
    match policy.max_macos {
        Some(most) if (u32::from(major), u32::from(minor)) > most => {
            let text = format!("{seen}; at most {}.{} is allowed", most.0, most.1);
            finding(Verdict::Fail, text).with_help("MACOSX_DEPLOYMENT_TARGET says what it is for")
        }
        Some((major, minor)) => {
            finding(Verdict::Pass, format!("{seen}; {major}.{minor} is allowed"))
        }
        None => finding(Verdict::Pass, format!("{seen}; no ceiling is set")),
    }
}

fn signature(file: &MachO, policy: &Policy) -> Finding {
    let finding = |verdict, text: &str| Finding::new(Rule::Signature, verdict, text);
    match (file.signed, policy.target.arch()) {
        (true, _) => finding(Verdict::Pass, "signed"),
        (false, "aarch64") if !matches!(file.kind, Kind::Relocatable | Kind::Other) => {
            finding(Verdict::Fail, "not signed; Apple's own processors start nothing unsigned")
                .with_help("a tool changed it after the link: on a Mac, `codesign -f -s - FILE`")
        }
        (false, _) => finding(Verdict::Pass, "not signed, which the processor does not ask for"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Fail, Pass};

    fn verdicts(file: &MachO, target: &str) -> Vec<Verdict> {
        let policy = Policy::of(&target.parse().expect("a triple")).expect("rules");
        let policy = policy.with_max_macos(Some((11, 0)));
        check(file, &policy).iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn each_rule_has_its_failure() {
        let good = MachO {
            arch: "aarch64".to_owned(),
            is_program: true,
            kind: Kind::PieProgram,
            is_macos: Some(true),
            oldest_system: Some((11, 0)),
            signed: true,
            libraries: vec!["/usr/lib/libSystem.B.dylib".to_owned()],
            rpaths: Vec::new(),
        };
        let arm = |file: &MachO| verdicts(file, "aarch64-apple-darwin");
        assert_eq!(arm(&good), [Pass; 5]);
        assert_eq!(verdicts(&good, "x86_64-apple-darwin"), [Fail, Pass, Pass, Pass, Pass]);
        let of_ios = MachO { is_macos: Some(false), ..good.clone() };
        assert_eq!(arm(&of_ios), [Fail, Pass, Pass, Pass, Pass]);
        let fixed = MachO { kind: Kind::Program, ..good.clone() };
        assert_eq!(arm(&fixed), [Pass, Fail, Pass, Pass, Pass]);
        let brewed = MachO { libraries: vec!["/opt/homebrew/lib/x.dylib".into()], ..good.clone() };
        assert_eq!(arm(&brewed), [Pass, Pass, Fail, Pass, Pass]);
        let newer = MachO { oldest_system: Some((13, 0)), ..good.clone() };
        assert_eq!(arm(&newer), [Pass, Pass, Pass, Fail, Pass]);
        let bare = MachO { signed: false, ..good.clone() };
        assert_eq!(arm(&bare), [Pass, Pass, Pass, Pass, Fail]);
        let intel = MachO { arch: "x86_64".to_owned(), ..bare };
        assert_eq!(verdicts(&intel, "x86_64-apple-darwin"), [Pass; 5]);
    }
}
