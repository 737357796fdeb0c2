//! What the compilers' shims do with a flag, asked of the shims themselves: their configuration in
//! this environment and the function that rewrites every call.

use std::ffi::OsString;

use super::calls::with_allow;
use super::{Layer, Scene, Standing};
use crate::shim::ledger::{Notice, NoticeKind};
use crate::shim::policy::{Action, By, Crate, crate_setting};
use crate::shim::{Facts, Kind, PREFIX_MAP_VARIABLE, Policy, Rewritten, Tool, rewrite};
use crate::vocab::isa::Baseline;
use crate::vocab::sandbox::SANDBOX_VARIABLE;

/// A tool and its name in `bin`.
type Named<'a> = (&'a String, &'a Tool);

/// What becomes of the flag in calls of the target's compilers, of the host's, and for the crates
/// that have a rule of their own; nothing where it stays as it is for all.
pub fn layers(scene: &Scene<'_>, flag: &str) -> Vec<Layer> {
    let mut layers = Vec::new();
    let (target, host) = compilers(scene);
    for (who, tool) in [("the target's compilers", target), ("the host's compilers", host)] {
        let Some((name, tool)) = tool else { continue };
        let call = rewritten(scene, name, tool, flag, Crate::default());
        layers.extend(call.iter().flat_map(|call| said(call, who, flag)));
    }
    let Some((name, tool)) = target.filter(|_| !layers.is_empty()) else { return layers };
    let Some(policy) = &tool.policy else { return layers };
    let of_settings = policy.crates.keys().map(|key| {
        let (name, version) = key.split_once('@').unwrap_or((key, ""));
        Crate { name: Some(name), version: Some(version).filter(|version| !version.is_empty()) }
    });
    let locked = scene.packages.iter().map(|package| package.as_crate());
    let known = locked.filter(|krate| policy.decide(*krate).by == By::Known);
    for krate in of_settings.chain(known) {
        let (who, decision) = (whose(scene, policy, krate), policy.decide(krate));
        let name_of = krate.name.unwrap_or_default();
        let Some(call) = rewritten(scene, name, tool, flag, krate) else { continue };
        let isa = call.notices.iter().any(|notice| notice.kind == NoticeKind::Isa);
        if isa || decision.action == Action::Native && asks_for_native(scene, name, tool, flag) {
            let says = match call.notices.first() {
                Some(notice) => happens(&call, notice),
                None => format!("`{flag}` stays"),
            };
            layers.push(Layer { says: format!("{says} for {name_of}"), ..who });
        }
    }
    layers
}

/// What a crate's own calls make of `-march=native`, and who says so.
pub fn of_crate(scene: &Scene<'_>, krate: Crate<'_>) -> Option<Layer> {
    let policy = compilers(scene).0?.1.policy.as_ref()?;
    let flags = |level: &str| {
        let flags = Baseline::level_flags(&policy.arch, level).unwrap_or_default();
        format!("`-march=native` becomes `{}`", flags.join(" "))
    };
    let says = match policy.decide(krate).action {
        Action::Baseline => flags(&policy.baseline),
        Action::Level(level) => flags(&level),
        Action::Native => "`-march=native` stays".to_owned(),
        Action::Deny => "a call with `-march=native` fails".to_owned(),
    };
    Some(Layer { says, ..whose(scene, policy, krate) })
}

/// The one who decides about `native` for a crate, without a word yet.
fn whose(scene: &Scene<'_>, policy: &Policy, krate: Crate<'_>) -> Layer {
    let decision = policy.decide(krate);
    let of = |keys: &[&str]| scene.project.setting(keys);
    let change = crate_setting(krate, "native").map(|line| format!("`{line}` would let it stay"));
    let change = change.unwrap_or_default();
    let (who, at, why) = match &decision.by {
        By::Crate(key) => {
            let at = of(&["isa", "crates", key]);
            ("settings, isa.crates", at, format!("`{}`", decision.setting))
        }
        By::Known => ("xprov's list of known crates", None, change),
        By::Native => match of(&["isa", "native"]) {
            Some(at) => ("settings, isa.native", Some(at), change),
            None => ("xprov", None, change),
        },
    };
    Layer { at, ..Layer::new(Standing::Tells, who, "").because(why) }
}

/// A compiler for the target, and one for the host where that has others. All of a sort have the
/// same policy.
fn compilers<'a>(scene: &Scene<'a>) -> (Option<Named<'a>>, Option<Named<'a>>) {
    let prefix = format!("{}-", scene.ground.tools.target.prefix);
    let tools = scene.environment.shims.tools.iter();
    let compilers = tools.filter(|(_, tool)| tool.kind == Kind::Compiler);
    let (of_target, of_host): (Vec<_>, Vec<_>) =
        compilers.partition(|(name, _)| name.starts_with(&prefix));
    (of_target.first().copied(), of_host.first().copied())
}

/// A call that compiles one file with the flag.
fn rewritten(
    scene: &Scene<'_>,
    name: &str,
    tool: &Tool,
    flag: &str,
    krate: Crate<'_>,
) -> Option<Rewritten> {
    let plan = &scene.environment.plan;
    let value = |name| OsString::from(plan.value(name).unwrap_or_default());
    let facts = Facts {
        env_dir: plan.env_dir.clone(),
        prefix_map: value(PREFIX_MAP_VARIABLE),
        sandbox: value(SANDBOX_VARIABLE),
        krate: krate.name.map(str::to_owned),
        version: krate.version.map(str::to_owned),
        ..Facts::default()
    };
    let words: Vec<OsString> =
        flag.split_whitespace().chain(["-c", "a.c"]).map(OsString::from).collect();
    // No file is read: a subject is one flag.
    rewrite(name, tool, &words, &facts, &|_| None).ok()
}

fn asks_for_native(scene: &Scene<'_>, name: &str, tool: &Tool, flag: &str) -> bool {
    let call = rewritten(scene, name, tool, flag, Crate::default());
    let is_isa = |notice: &Notice| notice.kind == NoticeKind::Isa;
    call.is_some_and(|call| call.notices.iter().any(is_isa))
}

/// What a call says of the flag.
fn said(call: &Rewritten, who: &str, flag: &str) -> Vec<Layer> {
    let anyone = Crate { name: Some("NAME"), version: None };
    let layers = call.notices.iter().map(|notice| {
        let line = match notice.kind {
            NoticeKind::Isa if flag.contains("tune") => None,
            NoticeKind::Isa => crate_setting(anyone, "native"),
            _ => notice.allow.clone(),
        };
        let why = match &call.denied {
            Some(denied) => format!("`{}`; {}", denied.setting, notice.why),
            None => notice.why.clone(),
        };
        Layer::new(Standing::Tells, who, happens(call, notice))
            .because(with_allow(&why, line.as_deref()))
    });
    layers.collect()
}

fn happens(call: &Rewritten, notice: &Notice) -> String {
    let what = &notice.what;
    match (&call.denied, &notice.became) {
        (Some(_), _) => format!("a call with `{what}` fails"),
        (None, Some(became)) => format!("`{what}` becomes `{became}`"),
        (None, None) => format!("`{what}` is left out"),
    }
}
