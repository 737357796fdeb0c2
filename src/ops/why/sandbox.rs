//! The sandbox: its mode and who says so, what a build may reach, what the kernel can do, and what
//! was refused.

use std::ffi::OsStr;

use super::{Answer, Layer, Scene, Sort, Standing};
use crate::ops::confinement::lack;
use crate::settings::SandboxSettings;
use crate::shim::ledger::NoticeKind;
use crate::sys::confine;
use crate::vocab::sandbox::{Mode, Roots, SANDBOX_VARIABLE};

/// The word that asks for it, besides the variable.
pub const WORD: &str = "sandbox";

/// The answer, if that is what is asked.
pub fn answer(scene: &Scene<'_>, subject: &str) -> Option<Answer> {
    if subject != WORD && subject != SANDBOX_VARIABLE {
        return None;
    }
    let roots = Roots::parse(OsStr::new(scene.environment.plan.value(SANDBOX_VARIABLE)?))?;
    let tells = |who: &str, says: String| Layer::new(Standing::Tells, who, says);
    let settings = &scene.project.settings.sandbox;
    let mode = roots.mode.as_str();
    let mut layers = vec![match scene.project.setting(&["sandbox"]) {
        Some(at) => Layer::new(Standing::Wins, "settings, sandbox", said(settings)).at(at),
        None => Layer::new(Standing::Wins, "xprov", mode).because("the settings say nothing"),
    }];
    let (machine, effect) = match lack(confine::available()) {
        Some(lack) => (lack.what, lack.effect),
        None => ("all that the sandbox needs", ""),
    };
    layers.push(tells("this machine", machine.to_owned()).because(effect));
    if roots.mode != Mode::Off {
        let (read, write) = (&roots.read, &roots.write);
        layers.extend(read.iter().map(|dir| tells("may be read", dir.display().to_string())));
        layers.extend(write.iter().map(|dir| tells("may be written", dir.display().to_string())));
        let network = if roots.network { "every one" } else { "none but sockets of this machine" };
        layers.push(tells("network", network.to_owned()));
        layers.extend(scene.calls.layers(|line| {
            let of_sandbox = |kind| matches!(kind, NoticeKind::Refused | NoticeKind::Seen);
            line.notices.iter().any(|notice| of_sandbox(notice.kind))
        }));
    }
    Some(Answer { sort: Sort::Sandbox, value: Some(mode.to_owned()), layers })
}

/// The settings on one line.
fn said(settings: &SandboxSettings) -> String {
    let text = settings.canonical();
    let lines: Vec<&str> = text.trim_start_matches("sandbox ").lines().collect();
    lines.join(", ")
}
