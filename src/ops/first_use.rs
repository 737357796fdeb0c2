//! What is said of the sandbox before a build: once for each store which one there is, and each
//! time that the settings name a path in vain. How it works is not known here.

use std::path::Path;

use super::context::Context;
use super::error::Error;
use crate::settings::SandboxSettings;
use crate::sys::confine::{self, Available};
use crate::vocab::event::Event;
use crate::vocab::sandbox::Mode;

/// Says which sandbox there is on this machine, before the first build that is to have one and that
/// somebody watches.
pub fn say_sandbox(context: &Context<'_>, mode: Mode) -> Result<(), Error> {
    let marker = context.store.layout().said("sandbox");
    if mode != Mode::On || !context.observer.hears_notes() || marker.exists() {
        return Ok(());
    }
    let text = describe(confine::available());
    context.store.write(&marker, format!("{text}\n").as_bytes())?;
    context.observer.event(Event::Note(text));
    Ok(())
}

/// Says which paths of the settings are not there: they open nothing, and nobody would know why.
pub fn say_missing_paths(context: &Context<'_>, settings: &SandboxSettings, workspace: &Path) {
    if settings.mode == Mode::Off {
        return;
    }
    let keys = ["sandbox.read", "sandbox.write"].into_iter();
    for (key, paths) in keys.zip(settings.roots(workspace)) {
        for path in paths.iter().filter(|path| !path.exists()) {
            let path = context.ambient.shown(path).display();
            let text = format!("`{key}` of the settings names `{path}`, which is not there");
            context.observer.event(Event::Warning(text));
        }
    }
}

fn describe(available: Available) -> String {
    match available {
        Available { landlock: Some(version), supervision: true } => format!(
            "build scripts run in a sandbox (Landlock {version}, supervised); \
             `sandbox = \"off\"` in the settings turns it off"
        ),
        Available { landlock: Some(version), supervision: false } => format!(
            "build scripts run in a sandbox (Landlock {version}); this kernel cannot tell what it \
             refused them; `sandbox = \"off\"` in the settings turns it off"
        ),
        Available { landlock: None, supervision: true } => {
            "build scripts run in half a sandbox: supervised, but this kernel has no Landlock"
                .to_owned()
        }
        Available { landlock: None, supervision: false } => {
            "build scripts run without a sandbox: this kernel has no Landlock".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_machine_has_its_sentence() {
        let said = |landlock, supervision| describe(Available { landlock, supervision });
        assert!(said(Some(4), true).contains("(Landlock 4, supervised)"));
        assert!(said(Some(1), false).contains("cannot tell what it refused"));
        assert!(said(None, true).contains("supervised, but"));
        assert!(said(None, false).contains("without a sandbox"));
    }
}
