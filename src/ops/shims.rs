//! What the shims of an environment are told: its tools, and what the settings say of instruction
//! sets.

use std::collections::BTreeMap;

use super::error::Error;
use super::toolset::Toolset;
use crate::hermetic::flags::{self, Allowed};
use crate::hermetic::plan::RUSTC;
use crate::hermetic::vars::{self, Fate};
use crate::settings::{IsaSettings, TargetSettings};
use crate::shim::{Action, Config, Kind, Policy, Tool, zig_macos, zig_target};
use crate::vocab::isa::Baseline;
use crate::vocab::triple::RustTriple;

/// What the settings say of instruction sets.
pub struct Isa {
    /// The level that the target's output may assume. `None`: nothing is known of its levels.
    pub baseline: Option<Baseline>,
    /// What becomes of `native`.
    pub native: Action,
    /// The same for single crates, by `name` or `name@version`.
    pub crates: BTreeMap<String, Action>,
    /// rustc's target features that are allowed beyond the baseline.
    pub features: Vec<String>,
    /// rustc's target CPUs that are allowed beyond it.
    pub cpus: Vec<String>,
}

/// What of the CPU the target's Rust code may use: the baseline, `isa.features`, and what the
/// settings' own `rustflags` ask for.
pub fn allowed(
    isa: &IsaSettings,
    settings: &TargetSettings,
    target: &RustTriple,
) -> Result<Allowed, Error> {
    let baseline = flags::baseline(settings.baseline.as_deref(), target)?;
    let features: Vec<String> = isa.features.iter().map(|feature| feature.0.clone()).collect();
    Ok(Allowed::new(target, baseline, &features, &settings.rustflags))
}

impl Isa {
    /// The settings' rules, and what Rust code is allowed.
    pub fn new(isa: &IsaSettings, allowed: &Allowed) -> Self {
        let action = |word: &str| Action::from(word.to_owned());
        let crates = isa.crates.iter().map(|(of, what)| (of.to_string(), action(what.as_str())));
        Self {
            baseline: allowed.baseline(),
            native: action(isa.native.as_str()),
            crates: crates.collect(),
            features: allowed.features().to_vec(),
            cpus: allowed.cpus().to_vec(),
        }
    }

    fn policy(&self, level: Baseline) -> Policy {
        let (native, crates) = (self.native.clone(), self.crates.clone());
        Policy { native, crates, ..Policy::new(level) }
    }
}

/// The configuration of the shims. What compiles for the target has the settings' baseline, and
/// what compiles for the host the host's own; where both are the same, so are the compilers.
/// `named` are the variables of the settings: of what passes only these reach other people's code.
/// `glibc` is what output for the target may need at most: of compilers that have a choice, what they
/// link against.
pub fn config(
    tools: &Toolset,
    host: &RustTriple,
    target: &RustTriple,
    isa: &Isa,
    named: &[String],
    glibc: Option<(u32, u32)>,
) -> Config {
    let of_host = Baseline::of(host.arch(), None).ok();
    let of_host = if host == target { isa.baseline } else { of_host };
    let for_target = isa.baseline.map(|level| isa.policy(level));
    let for_host = of_host.map(|level| isa.policy(level));
    let prefix = format!("{}-", tools.target.prefix);
    let mut shims = tools.shims.clone();
    let shown: Vec<String> =
        named.iter().filter(|name| vars::fate(name) == Some(Fate::Passes)).cloned().collect();
    for (name, tool) in &mut shims {
        if matches!(tool.kind, Kind::Rustc | Kind::Wrapper | Kind::BuildScript) {
            tool.hide = vars::passing().map(str::to_owned).collect();
            tool.show.clone_from(&shown);
        }
        let for_output = host == target || name.starts_with(&prefix);
        if let (true, Some(zig)) = (for_output, &mut tool.zig) {
            *zig = zig_target(target, glibc);
        }
        match tool.kind {
            Kind::Compiler if name.starts_with(&prefix) => tool.policy.clone_from(&for_target),
            Kind::Compiler => tool.policy.clone_from(&for_host),
            Kind::Rustc => rustc(tool, for_target.as_ref(), for_host.as_ref(), isa),
            Kind::Linker
            | Kind::Plain
            | Kind::Wrapper
            | Kind::Runner
            | Kind::Cargo
            | Kind::BuildScript => {}
        }
    }
    let mut files = tools.files.clone();
    if links_macos_elsewhere(&shims, host, target) {
        shims.entry(RUSTC.to_owned()).and_modify(|rustc| rustc.link_strips = true);
        // It is for those who look for an SDK. Zig looks into what it names and finds less.
        for tool in shims.values_mut().filter(|tool| tool.zig.is_some()) {
            tool.set.insert("SDKROOT".to_owned(), String::new());
        }
        let (name, text) = zig_macos::LIBICONV;
        files.insert(name.to_owned(), text.to_owned());
    }
    Config::new(target.as_str(), shims).with_files(files)
}

/// Whether programs for macOS are linked by zig, with nothing of Apple's at hand.
fn links_macos_elsewhere(
    shims: &BTreeMap<String, Tool>,
    host: &RustTriple,
    target: &RustTriple,
) -> bool {
    let compiler = shims.get(&format!("{}-gcc", target.tool_prefix()));
    target.is_macos() && !host.is_macos() && compiler.is_some_and(|tool| tool.zig.is_some())
}

/// rustc asks for no `native` of a C compiler's: of the rules, features and CPUs concern it. They
/// are for the target; build scripts get no flags of the settings.
fn rustc(tool: &mut Tool, target: Option<&Policy>, host: Option<&Policy>, isa: &Isa) {
    let bare = |policy: &Policy| Policy { crates: BTreeMap::new(), ..policy.clone() };
    tool.policy = target.map(|policy| Policy {
        features: isa.features.clone(),
        cpus: isa.cpus.clone(),
        ..bare(policy)
    });
    tool.host_policy = host.map(bare);
}
