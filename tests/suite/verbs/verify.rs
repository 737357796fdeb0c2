//! `verify` in a project whose settings have a word on findings.

use std::process::Command;

use crate::support::project::Project;

/// A program of the host that looks for libraries where only this machine has them.
fn project(settings: &str) -> Project {
    let project = Project::new();
    project.settings(settings);
    project.write("a.c", "int main(void) { return 0; }\n");
    let dir = &project.project;
    let mut gcc = Command::new("gcc");
    gcc.arg("-Wl,-rpath,/tmp/lib").arg(dir.join("a.c")).arg("-o").arg(dir.join("tool"));
    assert!(gcc.status().expect("gcc").success());
    project
}

#[test]
fn a_failure_with_a_reason_is_a_note() {
    let plain = project("").xprov("verify tool");
    assert_eq!(plain.code, Some(1), "{plain}");
    assert!(plain.stdout.contains("  FAIL runpath: "), "{plain}");

    let allow = "verify.allow = [{ rule = \"runpath\", binary = \"to*\", reason = \"a test\" }]";
    let project = project(allow);
    let allowed = project.xprov("verify tool").ok();
    assert!(allowed.stdout.contains("  note runpath: "), "{allowed}");
    assert!(allowed.stdout.contains("       allowed: a test\n"), "{allowed}");
    assert!(!allowed.stderr.contains("exception"), "{allowed}");
    let json = project.xprov("--json verify tool").ok().stdout;
    assert!(json.contains("\"allowed\":\"a test\""), "{json}");
}

#[test]
fn an_exception_that_nothing_needs_is_reported() {
    let lines = "verify.allow = [\n\
                 { rule = \"runpath\", reason = \"a test\" },\n\
                 { rule = \"needed\", binary = \"tool\", reason = \"of old\" },\n\
                 { rule = \"needed\", binary = \"other\", reason = \"elsewhere\" },\n]";
    let outcome = project(lines).xprov("verify tool").ok();
    let said = "the exception for `needed` of `tool` (of old) is not needed: take it out of \
                `verify.allow`";
    assert!(outcome.stderr.contains(said), "{outcome}");
    assert_eq!(outcome.stderr.matches("exception").count(), 1, "{outcome}");
}

#[test]
fn what_is_denied_fails_where_it_would_be_a_note_or_unproven() {
    let allow = "verify.allow = [{ rule = \"runpath\", reason = \"a test\" }]\n";
    let denied = project(&format!("{allow}verify.deny = [\"undefined\"]")).xprov("verify tool");
    assert_eq!(denied.code, Some(1), "{denied}");
    assert!(denied.stdout.contains("  FAIL undefined: "), "{denied}");
    let other = "verify.deny = [{ rule = \"undefined\", binary = \"other\" }]";
    project(&format!("{allow}{other}")).xprov("verify tool").ok();
}

#[test]
fn an_exception_without_a_reason_is_an_error() {
    let outcome = project("verify.allow = [{ rule = \"needed\" }]").xprov("verify tool");
    assert_eq!(outcome.code, Some(2), "{outcome}");
    assert!(outcome.stderr.contains("missing field `reason`"), "{outcome}");
}

#[test]
fn a_directory_is_its_programs_and_libraries() {
    let project = project("");
    let at = |path: &str| project.project.join(path);
    std::fs::create_dir_all(at("out/deep")).expect("made");
    std::fs::copy(at("tool"), at("out/deep/tool")).expect("copied");
    std::fs::copy(at("tool"), at("out/another")).expect("copied");
    std::os::unix::fs::symlink("another", at("out/link")).expect("linked");
    project.write("out/text", "no binary\n");
    project.write("out/short", "\x7fELF");
    let object = Command::new("gcc").arg("-c").arg(at("a.c")).arg("-o").arg(at("out/a.o")).status();
    assert!(object.expect("gcc").success());
    let outcome = project.xprov("verify out");
    let files: Vec<&str> =
        outcome.stdout.lines().filter(|line| line.starts_with("FAIL ")).collect();
    let [first, second] = &files[..] else { panic!("{outcome}") };
    assert!(first.contains("out/another (") && second.contains("out/deep/tool ("), "{outcome}");
    project.write("empty/text", "no binary\n");
    let empty = project.xprov("verify empty");
    assert_eq!(empty.code, Some(2));
    assert!(empty.stderr.contains("there is no program or shared library in `empty`"), "{empty}");
}
