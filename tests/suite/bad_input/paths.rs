//! Where home, project, store and temporary files may be, and where the store may not (exit code 6).

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use insta::assert_snapshot;

use crate::support::archive_fixture::TARGET;
use crate::support::namespace::skipped;
use crate::support::project::Project;
use crate::support::sandbox::Sandbox;

#[test]
fn a_store_below_a_file() {
    let mut project = Project::locked();
    fs::write(project.root().join("file"), "no directory\n").expect("a file");
    let path = project.root().join("file/xprov");
    project.sandbox().set("XPROV_HOME", &path.to_string_lossy());
    assert_snapshot!(project.xprov("-q restore"), @r"
    exit 6
    --- stderr
    error: cannot create the directory `[ROOT]/file/xprov/v1/locks`
      caused by: Not a directory (os error 20)

      help: set XPROV_HOME to a directory that can be created
    ");
}

#[test]
fn a_store_where_none_can_be() {
    let mut project = Project::locked();
    // No file can be created there, not even by root.
    project.sandbox().set("XPROV_HOME", "/proc/xprov");
    assert_snapshot!(project.xprov("-q restore"), @r"
    exit 6
    --- stderr
    error: cannot create the directory `/proc/xprov/v1/locks`
      caused by: No such file or directory (os error 2)

      help: set XPROV_HOME to a directory that can be created
    ");
}

#[test]
fn a_store_path_with_a_space() {
    let mut project = Project::locked();
    let path = project.root().join("my store");
    project.sandbox().set("XPROV_HOME", &path.to_string_lossy());
    assert_snapshot!(project.xprov("restore"), @r"
    exit 6
    --- stderr
    error: the store cannot be at `[ROOT]/my store`: compilers in a path with white space do not work

      help: set XPROV_HOME to an absolute path without spaces
    ");
    assert!(!path.exists());
}

#[test]
fn a_store_path_that_is_not_absolute() {
    let mut sandbox = Sandbox::new();
    sandbox.set("XPROV_HOME", "xprov");
    assert_snapshot!(sandbox.xprov("store path"), @r"
    exit 6
    --- stderr
    error: XPROV_HOME is `xprov`, which is not an absolute path

      help: set XPROV_HOME to an absolute path without spaces
    ");
}

#[test]
fn no_home_at_all() {
    let mut sandbox = Sandbox::new();
    sandbox.unset("XPROV_HOME");
    sandbox.unset("HOME");
    // The system knows the home of every user, but a service may run as nobody it knows.
    let outcome = sandbox.xprov("store path");
    assert_snapshot!(outcome, @r"
    exit 6
    --- stderr
    error: no home directory: neither HOME nor XPROV_HOME is set

      help: set XPROV_HOME to an absolute path without spaces
    ");
}

#[test]
fn a_home_and_a_project_with_spaces_and_letters_of_the_world() {
    let project = Project::in_sandbox(Sandbox::named("Hømé dir", "mein Projekt/日本 ü"));
    project.write(".cargo/config.toml", "[build]\nrustflags = [\"--cfg\", \"größe\"]\n");
    project.xprov(&format!("-q lock --target {TARGET}")).ok();
    project.xprov("-q restore").ok();
    assert_snapshot!(project.xprov(&format!("-q build --target {TARGET}")).ok(), @r"
    exit 0
    --- stderr
    cargo runs build for armv7-unknown-linux-gnueabihf
    ");
    assert_snapshot!(project.xprov(&format!("-q exec --target {TARGET} sh -c pwd")).ok(), @r"
    exit 0
    --- stdout
    [PROJECT]
    ");
    let env = project.xprov(&format!("-q env --target {TARGET}")).ok();
    assert!(env.stdout.contains("export CARGO_HOME=[XPROV_HOME]/cargo\n"), "{env}");
}

#[test]
fn the_default_store_of_a_home_with_a_space() {
    let mut project = Project::in_sandbox(Sandbox::named("my home", "project"));
    project.sandbox().unset("XPROV_HOME");
    assert_snapshot!(project.xprov(&format!("lock --target {TARGET}")), @r"
    exit 6
    --- stderr
    error: the store cannot be at `[HOME]/.local/share/xprov`: compilers in a path with white space do not work

      help: set XPROV_HOME to an absolute path without spaces
    ");
}

#[test]
fn a_store_on_another_file_system_than_temporary_files_and_the_project() {
    let memory = Path::new("/dev/shm");
    let is_other = |sandbox: &Sandbox| {
        let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
        memory.is_dir() && device(memory) != device(&sandbox.root())
    };
    let mut project = Project::locked();
    if !is_other(&project) {
        skipped("/dev/shm is no other file system than that of the tests");
        return;
    }
    let other = tempfile::tempdir_in(memory).expect("a directory");
    let path = other.path().to_string_lossy().into_owned();
    project.sandbox().set("TMPDIR", &path);
    project.xprov("-q restore").ok();
    project.xprov(&format!("-q build --target {TARGET}")).ok();
    // And the other way round.
    project.sandbox().unset("TMPDIR");
    project.sandbox().set("XPROV_HOME", &format!("{path}/xprov"));
    project.xprov("-q restore").ok();
    project.xprov(&format!("-q build --target {TARGET}")).ok();
    assert_eq!(fs::read_dir(other.path().join("xprov/v1/objects")).expect("objects").count(), 8);
}
