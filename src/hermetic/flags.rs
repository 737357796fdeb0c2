//! Which rustflags a build gets: the project's, the settings' and xprov's own, each with its
//! origin. Does not read configuration files; `cargo_config` does.

use crate::vocab::triple::RustTriple;

use super::Error;
use super::plan::{Origin, Warning};

/// One argument of rustc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The argument.
    pub value: String,
    /// Who asked for it.
    pub origin: Origin,
}

impl Flag {
    /// A flag.
    pub fn new(value: impl Into<String>, origin: Origin) -> Self {
        Self { value: value.into(), origin }
    }
}

/// Drops `target-cpu=native` in each of its spellings: it makes the output depend on the machine
/// that builds. What was dropped is named.
pub fn without_native(flags: Vec<Flag>) -> (Vec<Flag>, Vec<Warning>) {
    let mut kept: Vec<Flag> = Vec::with_capacity(flags.len());
    let mut warnings = Vec::new();
    for flag in flags {
        let joined = ["-C", "--codegen="].iter().find_map(|way| flag.value.strip_prefix(way));
        let split = kept.last().is_some_and(|last| matches!(&*last.value, "-C" | "--codegen"));
        let codegen = if split { Some(&*flag.value) } else { joined };
        let native = codegen.and_then(|option| option.trim().strip_prefix("target-cpu="));
        if native.is_some_and(|cpu| cpu.trim() == "native") {
            if split {
                kept.pop();
            }
            warnings.push(Warning::NativeDropped { origin: flag.origin });
        } else {
            kept.push(flag);
        }
    }
    (kept, warnings)
}

/// The x86-64 levels, as the psABI names them; the other targets have one baseline each.
const X86_64: &[&str] = &["x86-64-v1", "x86-64-v2", "x86-64-v3", "x86-64-v4"];
const AARCH64: &[&str] = &["armv8-a"];
const ARMV7: &[&str] = &["armv7-a+vfpv3-d16"];
const NONE: &[&str] = &[];

/// The CPU name that rustc and gcc share for `baseline`; `None` where it is what the target
/// means anyway.
pub fn baseline_cpu(baseline: &str, target: &RustTriple) -> Result<Option<String>, Error> {
    let known = match target.arch() {
        "x86_64" => X86_64,
        "aarch64" => AARCH64,
        "armv7" => ARMV7,
        _ => NONE,
    };
    if !known.contains(&baseline) {
        return Err(Error::Baseline {
            baseline: baseline.to_owned(),
            target: target.to_string(),
            known,
        });
    }
    let raised = target.arch() == "x86_64" && baseline != "x86-64-v1";
    Ok(raised.then(|| baseline.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(flags: &[&str]) -> (Vec<String>, usize) {
        let flags = flags.iter().map(|flag| Flag::new(*flag, Origin::Xprov)).collect();
        let (kept, warnings) = without_native(flags);
        (kept.into_iter().map(|flag| flag.value).collect(), warnings.len())
    }

    #[test]
    fn every_spelling_of_native_is_dropped_and_nothing_else() {
        for flags in [
            &["-Ctarget-cpu=native"][..],
            &["-C", "target-cpu=native"],
            &["--codegen", "target-cpu=native"],
            &["--codegen=target-cpu=native"],
            &["-C target-cpu=native"],
        ] {
            assert_eq!(filtered(flags), (vec![], 1), "{flags:?}");
        }
        let kept = ["-C", "target-cpu=cortex-a53", "--cfg", "target-cpu=native", "-Copt-level=3"];
        assert_eq!(filtered(&kept), (kept.map(str::to_owned).to_vec(), 0));
    }

    #[test]
    fn baselines_belong_to_their_architecture() {
        let x86: RustTriple = "x86_64-unknown-linux-gnu".parse().expect("known");
        assert_eq!(baseline_cpu("x86-64-v3", &x86).expect("known").as_deref(), Some("x86-64-v3"));
        assert_eq!(baseline_cpu("x86-64-v1", &x86).expect("known"), None);
        assert!(baseline_cpu("armv8-a", &x86).is_err());
    }
}
