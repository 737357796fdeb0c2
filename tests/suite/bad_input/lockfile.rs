//! A malformed toolchains.lock: exit code 2, with file, line and column; it stays as it is.

use insta::assert_snapshot;

use super::documents::untouched;
use crate::support::project::Project;
use crate::support::sandbox::Outcome;

/// What `restore` says after one text of the lock was replaced.
fn lock(from: &str, to: &str) -> Outcome {
    let project = Project::locked();
    project.edit("toolchains.lock", from, to);
    untouched(&project, "restore")
}

#[test]
fn a_lock_with_an_unknown_key() {
    assert_snapshot!(lock("authenticated =", "autenticated ="), @r"
    exit 2
    --- stderr
    error: toolchains.lock:21:1: unknown key `autenticated`

      help: did you mean `authenticated`?
    ");
}

#[test]
fn a_lock_with_a_wrong_type() {
    assert_snapshot!(lock("hosts = [", "hosts = [3, "), @r"
    exit 2
    --- stderr
    error: toolchains.lock:5:10: invalid type: integer `3`, expected a string

      help: restore it from version control, or delete it and run `xprov lock`
    ");
    assert_snapshot!(lock("slot = \"tools\"\nrecipe", "slot = 7\nrecipe"), @r"
    exit 2
    --- stderr
    error: toolchains.lock:98:8: invalid type, expected a string

      help: restore it from version control, or delete it and run `xprov lock`
    ");
}

#[test]
fn a_lock_without_a_digest() {
    let project = Project::locked();
    let digest = project.archive(&Project::gcc()).sha256();
    project.edit("toolchains.lock", &format!(", sha256 = \"{digest}\""), "");
    assert_snapshot!(untouched(&project, "restore"), @r"
    exit 2
    --- stderr
    error: toolchains.lock:35:3: missing field `sha256`

      help: restore it from version control, or delete it and run `xprov lock`
    ");
}

#[test]
fn a_lock_of_a_newer_xprov() {
    assert_snapshot!(lock("version = 1\n", "version = 2\n"), @r"
    exit 2
    --- stderr
    error: toolchains.lock has format version 2; this xprov reads version 1

      help: use the xprov that wrote it, or delete it and run `xprov lock`
    ");
}

#[test]
fn a_lock_with_an_entry_twice() {
    let project = Project::locked();
    let text = project.read("toolchains.lock");
    let entry = &text[text.rfind("\n[[entry]]").expect("an entry")..];
    project.write("toolchains.lock", format!("{text}{entry}"));
    assert_snapshot!(untouched(&project, "restore"), @r"
    exit 2
    --- stderr
    error: toolchains.lock has two entries for tools 1.0.0 ([HOST])

      help: restore it from version control, or delete it and run `xprov lock`
    ");
}

#[test]
fn a_lock_that_was_merged_badly() {
    assert_snapshot!(lock("[request]", "<<<<<<< ours\n[request]"), @r"
    exit 2
    --- stderr
    error: toolchains.lock:4:9: key with no value, expected `=`

      help: restore it from version control, or delete it and run `xprov lock`
    ");
}
