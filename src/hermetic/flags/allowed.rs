//! What of the CPU a build's code may use, and taking out of rustc's arguments what goes beyond it.
//! Knows who asked for a flag, and not where flags come from.

use super::{Flag, Origin, Warning};
use crate::vocab::isa::Baseline;
use crate::vocab::isa::codegen::{Codegen, joined, switched_on, takes_next};
use crate::vocab::rustc_option;
use crate::vocab::triple::RustTriple;

/// What of the CPU a build's code may use: the baseline, and what the settings allow besides.
#[derive(Debug, Clone)]
pub struct Allowed {
    target: RustTriple,
    /// `None` for a target without one: then only `native` is judged.
    baseline: Option<Baseline>,
    cpus: Vec<String>,
    features: Vec<String>,
}

impl Allowed {
    /// `features` are those of `isa.features`; what the settings' own `rustflags` ask for is
    /// allowed, too.
    pub fn new(
        target: &RustTriple,
        baseline: Option<Baseline>,
        features: &[String],
        rustflags: &[String],
    ) -> Self {
        let mut allowed =
            Self { target: target.clone(), baseline, cpus: Vec::new(), features: features.into() };
        let mut after_c = false;
        for flag in rustflags.iter().flat_map(|word| rustc_option::options(word)) {
            match codegen(&flag, after_c) {
                Some(Codegen::Cpu(cpu)) if cpu != "native" => allowed.cpus.push(cpu.to_owned()),
                Some(Codegen::Features(list)) => {
                    allowed
                        .features
                        .extend(list.split(',').filter_map(switched_on).map(str::to_owned));
                }
                _ => {}
            }
            after_c = takes_next(&flag);
        }
        allowed
    }

    /// The level that the code may assume; `None` for a target without one.
    pub fn baseline(&self) -> Option<Baseline> {
        self.baseline
    }

    /// The CPUs that the settings' `rustflags` name.
    pub fn cpus(&self) -> &[String] {
        &self.cpus
    }

    /// The features that the settings name, by rustc's names; some may be other architectures'.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    fn has_cpu(&self, cpu: &str) -> bool {
        if cpu == "native" {
            return false;
        }
        let within = |baseline: &Baseline| baseline.rustc_cpu_is_within(cpu);
        self.cpus.iter().any(|known| known == cpu) || self.baseline.as_ref().is_none_or(within)
    }

    fn has_feature(&self, feature: &str) -> bool {
        let within = |baseline: &Baseline| baseline.has_feature(feature);
        self.features.iter().any(|known| known == feature)
            || self.baseline.as_ref().is_none_or(within)
    }

    /// The line of settings that allows a CPU.
    fn cpu_line(&self, cpu: &str) -> Option<String> {
        let target = &self.target;
        let level = Baseline::of(target.arch(), Some(cpu)).ok();
        if cpu == "native" {
            // What most machines of today have.
            return (target.arch() == "x86_64")
                .then(|| format!("target.{target}.baseline = \"x86-64-v3\""));
        }
        Some(match level {
            Some(level) => format!("target.{target}.baseline = \"{}\"", level.name()),
            None => format!("target.{target}.rustflags = [\"-Ctarget-cpu={cpu}\"]"),
        })
    }

    /// Why something is taken out, as the end of a sentence.
    fn why(&self, what: &str) -> String {
        match &self.baseline {
            Some(baseline) if what != "target-cpu=native" => {
                format!("it is beyond the baseline, {}", baseline.name())
            }
            _ => "it means the machine that builds, not the one that runs".to_owned(),
        }
    }
}

/// Reads an argument; `after_c` says that the one before it was `-C`.
fn codegen(flag: &str, after_c: bool) -> Option<Codegen<'_>> {
    Codegen::read(if after_c { flag } else { joined(flag)? })
}

/// Takes out CPUs and features beyond what is allowed, in each of their spellings; of a list of
/// features the rest stays. What the settings themselves ask for stays, but for `native`, which
/// makes the output depend on the machine that builds. What was taken out is named.
pub fn filter(flags: Vec<Flag>, allowed: &Allowed) -> (Vec<Flag>, Vec<Warning>) {
    let mut kept: Vec<Flag> = Vec::with_capacity(flags.len());
    let mut warnings = Vec::new();
    for mut flag in flags.into_iter().flat_map(one_by_one) {
        let after_c = kept.last().is_some_and(|last| takes_next(&last.value));
        let own = matches!(flag.origin, Origin::Setting(_));
        let (what, allow, rest) = match codegen(&flag.value, after_c) {
            Some(Codegen::Cpu(cpu)) if !allowed.has_cpu(cpu) && (!own || cpu == "native") => {
                (format!("target-cpu={cpu}"), allowed.cpu_line(cpu), None)
            }
            Some(Codegen::Features(list)) if !own => {
                let is_beyond =
                    |item: &&str| switched_on(item).is_some_and(|name| !allowed.has_feature(name));
                let (beyond, rest): (Vec<&str>, Vec<&str>) = list.split(',').partition(is_beyond);
                if beyond.is_empty() {
                    kept.push(flag);
                    continue;
                }
                let names: Vec<&str> = beyond.iter().filter_map(|item| switched_on(item)).collect();
                let allow = format!("isa.features = [\"{}\"]", names.join("\", \""));
                (format!("target-feature={}", beyond.join(",")), Some(allow), Some(rest.join(",")))
            }
            _ => {
                kept.push(flag);
                continue;
            }
        };
        let origin = flag.origin.clone();
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            let way = if after_c { "" } else { "-C" };
            flag.value = format!("{way}target-feature={rest}");
            kept.push(flag);
        } else if after_c {
            kept.pop();
        }
        let why = allowed.why(&what);
        warnings.push(Warning::BeyondBaseline { origin, what, why, allow });
    }
    (kept, warnings)
}

/// `-gCtarget-cpu=native` as rustc reads it: each option as a word of its own.
fn one_by_one(flag: Flag) -> impl Iterator<Item = Flag> {
    let words = rustc_option::options(&flag.value);
    words.into_iter().map(move |value| Flag { value, origin: flag.origin.clone() })
}

/// The same for arguments that the user gives to rustc.
pub fn filter_arguments(arguments: &[String], allowed: &Allowed) -> (Vec<String>, Vec<Warning>) {
    let flags = arguments.iter().map(|value| Flag::new(value, Origin::Argument)).collect();
    let (kept, warnings) = filter(flags, allowed);
    (kept.into_iter().map(|flag| flag.value).collect(), warnings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hermetic::flags::baseline;

    const X86: &str = "x86_64-unknown-linux-gnu";

    fn filtered(flags: &[&str], features: &[&str]) -> (Vec<String>, Vec<(String, String)>) {
        let target: RustTriple = X86.parse().expect("known");
        let features: Vec<String> = features.iter().map(|name| (*name).to_owned()).collect();
        let default = baseline(None, &target).expect("a default");
        let allowed = Allowed::new(&target, default, &features, &[]);
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let (kept, warnings) = filter_arguments(&flags, &allowed);
        let said = warnings.into_iter().map(|warning| match warning {
            Warning::BeyondBaseline { what, allow, .. } => (what, allow.unwrap_or_default()),
            other => panic!("{other:?}"),
        });
        (kept, said.collect())
    }

    fn pair(what: &str, allow: &str) -> Vec<(String, String)> {
        vec![(what.to_owned(), allow.to_owned())]
    }

    #[test]
    fn every_spelling_of_native_is_dropped_and_nothing_else() {
        let line = format!("target.{X86}.baseline = \"x86-64-v3\"");
        for flags in [
            &["-Ctarget-cpu=native"][..],
            &["-C", "target-cpu=native"],
            &["--codegen", "target-cpu=native"],
            &["--codegen=target-cpu=native"],
            &["-C target-cpu=native"],
            &["-Ctarget_cpu=native"],
        ] {
            let expected = (vec![], pair("target-cpu=native", &line));
            assert_eq!(filtered(flags, &[]), expected, "{flags:?}");
        }
        let (kept, said) = filtered(&["-gC", "target-cpu=native", "-OCtarget-cpu=native"], &[]);
        assert_eq!((kept, said.len()), (vec!["-g".to_owned(), "-O".to_owned()], 2));
        let kept = ["-C", "target-cpu=x86-64", "--cfg", "target-cpu=native", "-Copt-level=3"];
        assert_eq!(filtered(&kept, &[]), (kept.map(str::to_owned).to_vec(), vec![]));
    }

    #[test]
    fn what_is_beyond_the_baseline_is_dropped_with_the_line_that_allows_it() {
        let level = format!("target.{X86}.baseline = \"x86-64-v3\"");
        let expected = (vec![], pair("target-cpu=x86-64-v3", &level));
        assert_eq!(filtered(&["-Ctarget-cpu=x86-64-v3"], &[]), expected);
        let flags = format!("target.{X86}.rustflags = [\"-Ctarget-cpu=haswell\"]");
        let expected = (vec!["-g".to_owned()], pair("target-cpu=haswell", &flags));
        assert_eq!(filtered(&["-C", "target-cpu=haswell", "-g"], &[]), expected);
        let mixed = ["-C", "target-feature=+avx2,+crt-static,-avx,+fma,+sse2"];
        let kept = ["-C", "target-feature=+crt-static,-avx,+sse2"].map(str::to_owned).to_vec();
        let said = pair("target-feature=+avx2,+fma", "isa.features = [\"avx2\", \"fma\"]");
        assert_eq!(filtered(&mixed, &[]), (kept, said));
        let joined = filtered(&["-Ctarget-feature=+avx2,+fma"], &["avx2", "neon"]);
        let said = pair("target-feature=+fma", "isa.features = [\"fma\"]");
        assert_eq!(joined, (vec!["-Ctarget-feature=+avx2".to_owned()], said));
    }

    #[test]
    fn what_the_settings_say_stays_and_raises_what_the_project_may_say() {
        let target: RustTriple = X86.parse().expect("known");
        let own = ["-C", "target-cpu=haswell", "-Ctarget-feature=+avx512f"].map(str::to_owned);
        let allowed =
            Allowed::new(&target, Baseline::of("x86_64", Some("x86-64-v3")).ok(), &[], &own);
        assert_eq!((allowed.cpus(), allowed.features()), (&own_cpu()[..], &own_feature()[..]));
        let flags = own.iter().map(|flag| Flag::new(flag, Origin::Setting("rustflags")));
        let (kept, warnings) = filter(flags.collect(), &allowed);
        assert_eq!((kept.len(), warnings.len()), (3, 0));
        let project = ["-Ctarget-cpu=haswell", "-Ctarget-feature=+avx2,+avx512f,-sse4a"];
        let (kept, warnings) = filter_arguments(&project.map(str::to_owned), &allowed);
        assert_eq!((kept, warnings.len()), (project.map(str::to_owned).to_vec(), 0));
        let native = vec![Flag::new("-Ctarget-cpu=native", Origin::Setting("rustflags"))];
        assert_eq!(filter(native, &allowed).1.len(), 1);
    }

    fn own_cpu() -> [String; 1] {
        ["haswell".to_owned()]
    }

    fn own_feature() -> [String; 1] {
        ["avx512f".to_owned()]
    }

    #[test]
    fn native_is_dropped_for_every_target() {
        let target: RustTriple = "i686-unknown-linux-gnu".parse().expect("known");
        let allowed = Allowed::new(&target, None, &[], &[]);
        let flags = ["-Ctarget-cpu=pentium4", "-Ctarget-cpu=native"].map(str::to_owned);
        let (kept, warnings) = filter_arguments(&flags, &allowed);
        assert_eq!((kept.len(), warnings.len()), (1, 1));
    }
}
