//! Which rustflags a build gets: the project's, the settings' and xprov's own, each with its
//! origin. Does not read configuration files; `cargo_config` does.

mod allowed;

use crate::vocab::isa::Baseline;
use crate::vocab::triple::RustTriple;

use super::Error;
use super::plan::{Origin, Warning};

pub use allowed::{Allowed, filter, filter_arguments};

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

/// The flags of the project, the baseline and the settings; rustc lets the last of two win.
pub fn merged(project: &[Flag], baseline: Option<&Baseline>, rustflags: &[String]) -> Vec<Flag> {
    let mut flags = project.to_vec();
    let raised = baseline.into_iter().flat_map(Baseline::rustc_flags);
    flags.extend(raised.map(|flag| Flag::new(flag, Origin::Setting("baseline"))));
    flags.extend(rustflags.iter().map(|flag| Flag::new(flag, Origin::Setting("rustflags"))));
    flags
}

/// What the output for `target` may assume; `name` is that of the settings. `None`: nothing is said
/// and nothing is known about such machines.
pub fn baseline(name: Option<&str>, target: &RustTriple) -> Result<Option<Baseline>, Error> {
    match (Baseline::of(target.arch(), name), name) {
        (Ok(baseline), _) => Ok(Some(baseline)),
        (Err(_), None) => Ok(None),
        (Err(unknown), Some(name)) => Err(Error::Baseline {
            baseline: name.to_owned(),
            target: target.to_string(),
            known: unknown.known,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X86: &str = "x86_64-unknown-linux-gnu";

    #[test]
    fn baselines_belong_to_their_architecture() {
        let x86: RustTriple = X86.parse().expect("known");
        let name = |name| baseline(name, &x86).expect("known").map(|level| level.name());
        assert_eq!(name(Some("x86-64-v3")), Some("x86-64-v3"));
        assert!(name(None).is_some() && baseline(Some("armv8-a"), &x86).is_err());
    }
}
