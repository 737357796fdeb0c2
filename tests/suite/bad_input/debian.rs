//! A Debian archive that lacks what is locked, or says what nobody signed.

use insta::assert_snapshot;

use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;
use crate::support::sandbox::Outcome;
use crate::support::server::Fault;

/// The package that stands in for the compiler's artifact.
const PACKAGE: &str = "pool/main/g/gcc/gcc_12.2.0_amd64.deb";

/// A Debian archive, with a snapshot service on loopback or without.
fn archive(project: &Project, snapshot: bool) -> String {
    let snapshot = if snapshot {
        format!("snapshot = \"{}\"\n", project.server().url("/snapshot/{archive}/{date}/"))
    } else {
        String::new()
    };
    format!(
        "[debian]\n{snapshot}\
         suites = [{{ archive = \"debian\", suite = \"bookworm\", components = [\"main\"] }}]\n\n"
    )
}

/// A recipe whose packages come from that archive.
fn recipe(project: &Project, snapshot: bool) {
    let debian = archive(project, snapshot);
    let text = format!(
        "schema = 1\nname = \"a-debian\"\nsummary = \"packages\"\nslot = \"tools\"\n\n{debian}\
         [[variant]]\nhosts = [\"{}\"]\n[[variant.component]]\nname = \"tools\"\nruns = \"on-host\"\n\
         packages = [\"coreutils\"]\n",
        crate::support::sandbox::host()
    );
    project.write("recipes/a-debian.toml", text);
}

/// A project whose lock has the compiler in a Debian archive.
fn locked(snapshot: bool) -> Project {
    let project = Project::locked();
    project.all_but_gcc();
    // The places are those of the recipes that are locked, whatever others there are.
    let debian = archive(&project, snapshot);
    project.edit("recipes/fake-gcc-arm.toml", "[[variant]]", &format!("{debian}[[variant]]"));
    let url = project.server().url(&project.gcc_path());
    project.edit(
        "toolchains.lock",
        &format!("urls = [\"{url}\"]"),
        &format!("archive = \"debian\", path = \"{PACKAGE}\", date = \"20261117T223339Z\""),
    );
    project
}

fn mirror(project: &Project) {
    let url = project.server().url("/debian");
    project.settings(&format!("mirrors = {{ debian = [\"{url}\"] }}\n"));
}

fn restore(project: &Project) -> Outcome {
    let (lock, objects) = (project.read("toolchains.lock"), project.objects());
    let outcome = project.xprov("-q restore");
    assert_eq!((project.read("toolchains.lock"), project.objects()), (lock, objects));
    assert_eq!(project.leftovers(), [""; 0]);
    outcome
}

#[test]
fn a_superseded_package_is_named_as_such() {
    let project = locked(true);
    mirror(&project);
    assert_snapshot!(restore(&project), @r"
    exit 4
    --- stderr
    error: gcc 12.2.0 is no longer in the archive: it was superseded
      caused by: `gcc 12.2.0` is not there: http://127.0.0.1:[PORT]/debian/pool/main/g/gcc/gcc_12.2.0_amd64.deb, http://127.0.0.1:[PORT]/snapshot/debian/20261117T223339Z/pool/main/g/gcc/gcc_12.2.0_amd64.deb, http://127.0.0.1:[PORT]/snapshot/debian/20261118T103339Z/pool/main/g/gcc/gcc_12.2.0_amd64.deb

      help: run `xprov update` to pin the version that the archive has now
    ");
}

#[test]
fn a_superseded_package_is_told_from_a_snapshot_service_in_trouble() {
    let project = locked(true);
    mirror(&project);
    for date in ["20261117T223339Z", "20261118T103339Z"] {
        let path = format!("/snapshot/debian/{date}/{PACKAGE}");
        project.server().always(&path, Fault::Status(503, None));
    }
    assert_snapshot!(restore(&project), @r"
    exit 4
    --- stderr
    error: gcc 12.2.0 is no longer in the archive: it was superseded
      caused by: `gcc 12.2.0` cannot be fetched
        http://127.0.0.1:[PORT]/debian/pool/main/g/gcc/gcc_12.2.0_amd64.deb: not found
        http://127.0.0.1:[PORT]/snapshot/debian/20261117T223339Z/pool/main/g/gcc/gcc_12.2.0_amd64.deb: the server answered with status 503
        http://127.0.0.1:[PORT]/snapshot/debian/20261118T103339Z/pool/main/g/gcc/gcc_12.2.0_amd64.deb: the server answered with status 503

      help: run `xprov update` to pin the version that the archive has now
    ");
}

#[test]
fn a_mirror_in_trouble_is_not_a_superseded_package() {
    let project = locked(true);
    mirror(&project);
    project.server().always(&format!("/debian/{PACKAGE}"), Fault::Status(503, None));
    assert_snapshot!(restore(&project), @r"
    exit 4
    --- stderr
    error: `gcc 12.2.0` cannot be fetched
      http://127.0.0.1:[PORT]/debian/pool/main/g/gcc/gcc_12.2.0_amd64.deb: the server answered with status 503
      http://127.0.0.1:[PORT]/snapshot/debian/20261117T223339Z/pool/main/g/gcc/gcc_12.2.0_amd64.deb: not found
      http://127.0.0.1:[PORT]/snapshot/debian/20261118T103339Z/pool/main/g/gcc/gcc_12.2.0_amd64.deb: not found

      help: check the network and the proxy variables, or name a mirror in the settings
    ");
}

#[test]
fn the_snapshot_service_has_what_the_mirror_has_no_more() {
    let project = locked(true);
    mirror(&project);
    let path = format!("/snapshot/debian/20261117T223339Z/{PACKAGE}");
    project.server().serve(&path, project.archive(&Project::gcc()).bytes.clone());
    project.xprov("-q restore").ok();
}

#[test]
fn no_place_serves_the_archive() {
    assert_snapshot!(restore(&locked(false)), @r#"
    exit 2
    --- stderr
    error: no place is known that serves the archive `debian`

      help: name one in Cargo.toml: `mirrors = { debian = ["https://…"] }` in the settings
    "#);
    let project = Project::new();
    recipe(&project, false);
    project.settings("tools = { recipe = \"a-debian\" }\n");
    assert_snapshot!(project.xprov(&format!("-q lock --target {TARGET}")), @r"
    exit 4
    --- stderr
    error: recipe `a-debian` cannot be resolved
      caused by: no place is known that serves the archive `debian`, where bookworm would be

      help: name a mirror of the archive in the settings
    ");
}

#[test]
fn malformed_dates_and_paths_in_the_lock() {
    let project = locked(true);
    project.edit("toolchains.lock", "20261117T223339Z", "yesterday");
    assert_snapshot!(restore(&project), @r"
    exit 2
    --- stderr
    error: the lock has a malformed date
      caused by: `yesterday` is not a date such as 20261117T223339Z

      help: restore it from version control, or delete it and run `xprov lock`
    ");
    project.edit("toolchains.lock", "yesterday", "20261117T223339Z");
    project.edit("toolchains.lock", PACKAGE, "../../etc/passwd");
    assert_snapshot!(restore(&project), @r"
    exit 2
    --- stderr
    error: the lock has a malformed path
      caused by: the path has a `..` component

      help: restore it from version control, or delete it and run `xprov lock`
    ");
}

#[test]
fn a_release_that_nobody_signed() {
    let project = Project::new();
    recipe(&project, false);
    let url = project.server().url("/debian");
    project.settings(&format!(
        "tools = {{ recipe = \"a-debian\" }}\nmirrors = {{ debian = [\"{url}\"] }}\n"
    ));
    project.server().serve("/debian/dists/bookworm/InRelease", "Origin: Debian\n");
    assert_snapshot!(project.xprov(&format!("-q lock --target {TARGET}")), @r"
    exit 5
    --- stderr
    error: recipe `a-debian` cannot be resolved
      caused by: no usable release of bookworm, neither at http://127.0.0.1:[PORT]/debian
      caused by: the release of bookworm is not signed as it should be
      caused by: it is not one clear-signed message and nothing else
      caused by: not enough bytes in buffer: cleartext header

      help: name another mirror of the archive in the settings, or try again later
    ");
    assert!(!project.project.join("toolchains.lock").exists());
}

#[test]
fn a_snapshot_service_without_a_url() {
    let project = Project::new();
    recipe(&project, true);
    project.edit("recipes/a-debian.toml", "{date}", "today");
    assert_snapshot!(project.xprov(&format!("-q lock --target {TARGET}")), @r"
    exit 0
    --- stdout
    + cargo 1.96.0 ([HOST])
    + gcc 12.2.0 ([HOST] for armv7-unknown-linux-gnueabihf)
    + gcc 12.2.0 ([HOST] for [HOST])
    + qemu 7.2.0 ([HOST])
    + rust-std 1.96.0 (armv7-unknown-linux-gnueabihf)
    + rust-std 1.96.0 ([HOST])
    + rustc 1.96.0 ([HOST])
    + tools 1.0.0 ([HOST])
    ");
}

#[test]
fn a_package_with_a_name_that_none_has() {
    let project = Project::new();
    recipe(&project, true);
    project.settings("tools = { recipe = \"a-debian\" }\n");
    project.edit("recipes/a-debian.toml", "\"coreutils\"", "\"core utils\"");
    assert_snapshot!(project.xprov(&format!("-q lock --target {TARGET}")), @r"
    exit 2
    --- stderr
    error: a recipe has a malformed package name
      caused by: `core utils:amd64` is not a relation between packages

      help: correct the recipe
    ");
}

#[test]
fn package_sources_that_cannot_be_read() {
    let project = locked(true);
    std::fs::create_dir(project.root().join("apt/sources.list")).expect("a directory");
    assert_snapshot!(restore(&project), @r"
    exit 6
    --- stderr
    error: the package sources of this machine cannot be read
      caused by: cannot read [ROOT]/apt/sources.list
      caused by: Is a directory (os error 21)

      help: make the files readable, or name mirrors in the settings
    ");
}
