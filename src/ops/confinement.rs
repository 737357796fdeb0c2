//! What a build's sandbox lacks on this machine, in words.

use crate::sys::confine::Available;

/// Something that the kernel cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lack {
    /// What.
    pub what: &'static str,
    /// What that means for a build.
    pub effect: &'static str,
}

/// What is missing for the whole sandbox; `None` where nothing is, or where the system's own is used
/// instead.
pub fn lack(available: Available) -> Option<Lack> {
    if cfg!(target_os = "macos") {
        return None;
    }
    let (what, effect) = match (available.landlock.is_some(), available.supervision) {
        (true, true) => return None,
        (true, false) => (
            "the kernel cannot supervise system calls",
            "what the sandbox refuses to a build script is not named, and it can see this \
             machine's name",
        ),
        (false, true) => (
            "the kernel has no Landlock of version 2 or later",
            "build scripts are supervised, but compilers and proc-macros can read and write every \
             file that you can",
        ),
        (false, false) => (
            "the kernel has neither Landlock of version 2 or later nor supervision",
            "build scripts and proc-macros can read and write every file that you can",
        ),
    };
    Some(Lack { what, effect })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_lacks_is_said_and_nothing_where_it_has_all() {
        let said = |landlock, supervision| {
            lack(Available { landlock, supervision }).map(|lack| lack.what).unwrap_or_default()
        };
        assert_eq!(said(Some(4), true), "");
        if !cfg!(target_os = "macos") {
            assert!(said(Some(4), false).contains("cannot supervise"));
            assert!(said(None, true).contains("no Landlock"));
            assert!(said(None, false).contains("neither Landlock"));
        }
    }
}
