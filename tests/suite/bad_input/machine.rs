//! A machine that refuses: full and read-only disks, damage in the store.
//! Exit code 6 (5 for damage); nothing is lost, and once there is room the next run succeeds.

use std::fs;

use insta::assert_snapshot;

use crate::support::archive_fixture::{TARGET, tar_gz};
use crate::support::namespace;
use crate::support::project::Project;
use crate::support::sandbox::state;

/// A compiler that unpacks to 4 MB, from almost nothing.
fn large() -> Vec<u8> {
    let text = "0".repeat(4_000_000);
    tar_gz(&[("usr/bin/arm-linux-gnueabihf-gcc", 0o755, &text)])
}

#[test]
fn a_disk_that_is_full_while_unpacking() {
    let mut project = Project::locked();
    project.replace(&Project::gcc(), large());
    project.all_but_gcc();
    let lock = project.read("toolchains.lock");
    let outcome = namespace::run(
        &project,
        "mkdir ../small && mount -t tmpfs -o size=2m none ../small
         cp -a \"$XPROV_HOME/.\" ../small && export XPROV_HOME=$(cd ../small && pwd)
         objects=$(ls $XPROV_HOME/v1/objects)
         $XPROV -q restore || echo \"exit code $?\"
         test \"$objects\" = \"$(ls $XPROV_HOME/v1/objects)\"
         echo \"left: $(ls -A $XPROV_HOME/v1/staging $XPROV_HOME/v1/partial)\"
         mount -o remount,size=64m $XPROV_HOME
         $XPROV -q restore && echo \"$(ls $XPROV_HOME/v1/objects | wc -l) objects\"",
    );
    let Some(outcome) = outcome else { return };
    assert_snapshot!(outcome, @r"
    exit 0
    --- stdout
    exit code 6
    left: [ROOT]/small/v1/partial:

    [ROOT]/small/v1/staging:
    8 objects
    --- stderr
    error: cannot unpack gcc 12.2.0
      caused by: cannot write `[ROOT]/small/v1/staging/s-[RANDOM]/tree/usr/bin/arm-linux-gnueabihf-gcc`
      caused by: No space left on device (os error 28)

      help: free some space, or move the store with XPROV_HOME
    ");
    assert_eq!(project.read("toolchains.lock"), lock);
}

#[test]
fn a_disk_that_is_full_while_downloading() {
    let mut project = Project::locked();
    let noise = b"neither an archive nor a web page. ".repeat(260_000);
    project.all_but_gcc();
    // It is no archive, but that counts only once all of it is there.
    project.replace(&Project::gcc(), noise);
    let outcome = namespace::run(
        &project,
        "mkdir ../small && mount -t tmpfs -o size=2m none ../small
         cp -a \"$XPROV_HOME/.\" ../small && export XPROV_HOME=$(cd ../small && pwd)
         $XPROV -q restore || echo \"exit code $?\"",
    );
    let Some(outcome) = outcome else { return };
    assert_snapshot!(outcome, @r"
    exit 0
    --- stdout
    exit code 6
    --- stderr
    error: cannot write the partial download [ROOT]/small/v1/partial/[DIGEST]
      caused by: No space left on device (os error 28)

      help: free some space, or move the store with XPROV_HOME
    ");
}

#[test]
fn a_read_only_store() {
    let project = Project::locked();
    project.all_but_gcc();
    let before = state(&project.xprov_home);
    let read_only = "mount --bind $XPROV_HOME $XPROV_HOME
                     mount -o remount,bind,ro $XPROV_HOME\n";
    let script = format!("{read_only}$XPROV -q restore || echo \"exit code $?\"");
    let Some(outcome) = namespace::run(&project, &script) else { return };
    assert_snapshot!(outcome, @r"
    exit 0
    --- stdout
    exit code 6
    --- stderr
    error: cannot open the lock `[XPROV_HOME]/v1/locks/[DIGEST]`
      caused by: Read-only file system (os error 30)

      help: make it writable; XPROV_HOME moves the store, CARGO_TARGET_DIR what is built
    ");
    assert_eq!(state(&project.xprov_home), before, "not a byte was touched");

    // What is there can be used.
    project.xprov("-q restore").ok();
    project.xprov(&format!("-q env --target {TARGET}")).ok();
    let script = format!(
        "{read_only}$XPROV -q restore
         $XPROV -q env --target {TARGET} | grep XPROV_TARGET"
    );
    let outcome = namespace::run(&project, &script).expect("as before");
    assert_snapshot!(outcome, @r"
    exit 0
    --- stdout
    export XPROV_TARGET=armv7-unknown-linux-gnueabihf
    ");
}

#[test]
fn a_lock_that_is_a_directory() {
    let project = Project::new();
    fs::create_dir(project.project.join("toolchains.lock")).expect("a directory");
    assert_snapshot!(project.xprov("lock"), @r"
    exit 6
    --- stderr
    error: cannot read `[PROJECT]/toolchains.lock`
      caused by: Is a directory (os error 21)
    ");
}

#[test]
fn a_damaged_store_says_so() {
    let project = Project::locked();
    project.all_but_gcc();
    let manifests = project.xprov_home.join("v1/manifests");
    for name in project.store_names("manifests") {
        fs::write(manifests.join(name), "damaged\n").expect("written");
    }
    let outcome = project.xprov("store list");
    assert_eq!(outcome.code, Some(5), "{outcome}");
    assert_snapshot!(outcome, @r"
    exit 5
    --- stderr
    error: the manifest of object `[DIGEST]-cargo-1.96.0` is damaged

      help: delete the object's directory and run `xprov restore`
    ");
    fs::remove_dir_all(manifests).expect("removed");
    assert_snapshot!(project.xprov("store list"), @r"
    exit 5
    --- stderr
    error: the manifest of object `[DIGEST]-cargo-1.96.0` is missing from the store

      help: delete the object's directory and run `xprov restore`
    ");
}

#[test]
fn nobody_reads_the_output() {
    let project = Project::new();
    let mut command = project.command(&["recipes", "list"]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    command.stdout(full);
    assert_snapshot!(project.run(command), @r"
    exit 6
    --- stderr
    error: cannot write to standard output
      caused by: No space left on device (os error 28)
    ");
}
