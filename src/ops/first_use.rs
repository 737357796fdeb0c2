//! What is said once for each store and then no more.

use super::context::Context;
use super::error::Error;
use crate::sys::confine::{self, Available};
use crate::vocab::event::Event;
use crate::vocab::sandbox::Mode;

/// Says which sandbox there is on this machine, before the first build that is to have one.
pub fn say_sandbox(context: &Context<'_>, mode: Mode) -> Result<(), Error> {
    let marker = context.store.layout().said("sandbox");
    if mode != Mode::On || marker.exists() {
        return Ok(());
    }
    let text = describe(confine::available());
    context.store.write(&marker, format!("{text}\n").as_bytes())?;
    context.observer.event(Event::Note(text));
    Ok(())
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
        Available { landlock: None, .. } => {
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
        assert!(said(None, false).contains("without a sandbox"));
    }
}
