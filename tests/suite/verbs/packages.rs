//! Packages that settings add to a sysroot: what can have them, when their list is drift, and where
//! they are in the composed tree. How they are resolved is `debian`'s business.

use std::fs;

use insta::assert_snapshot;

use crate::support::archive_fixture::{Archive, TARGET, tar_gz};
use crate::support::project::Project;

const DEBIAN: &str = "[debian]\n\
                      suites = [{ archive = \"debian\", suite = \"bookworm\", components = [\"main\"] }]\n\n";

/// A project whose C toolchain for [`TARGET`] says that it is from Debian's archive.
fn project() -> Project {
    let project = Project::new();
    let recipe = "recipes/fake-gcc-arm.toml";
    project.edit(recipe, "[[variant]]", &format!("{DEBIAN}[[variant]]"));
    let provides =
        "[variant.provides]\nsysroot = \".\"\nloader-root = \"usr/arm-linux-gnueabihf\"\n";
    project.edit(recipe, "[variant.provides]\n", provides);
    project
}

fn settings(packages: &str) -> String {
    format!("targets = [\"{TARGET}\"]\ntarget.{TARGET}.packages = [{packages}]\n")
}

/// The lock that an archive with the package `libtide-dev` would make of `lock`, at a URL.
fn with_package(project: &Project, lock: &str) -> String {
    let dir = "usr/lib/arm-linux-gnueabihf";
    let archive = Archive {
        name: "libtide1".to_owned(),
        version: "1.2-3".to_owned(),
        bytes: tar_gz(&[
            ("usr/include/tide.h", 0o644, "int tide(void);\n"),
            (&format!("{dir}/libtide.so.1"), 0o644, "a library\n"),
            (&format!("{dir}/pkgconfig/tide.pc"), 0o644, "Name: tide\n"),
        ]),
    };
    project.server().serve(&format!("/{}", archive.file()), archive.bytes.clone());
    let url = project.server().url(&format!("/{}", archive.file()));
    let asked = format!("target = \"{TARGET}\", recipe = \"fake-gcc-arm\"");
    let lock = lock.replace(&asked, &format!("{asked}, packages = [\"libtide-dev\"]"));
    let entry = format!(
        "[[entry]]\nname = \"packages\"\nversion = \"20261117T120000Z\"\ntarget = \"{TARGET}\"\n\
         slot = \"cc\"\nrecipe = \"fake-gcc-arm\"\nauthenticated = \"signature\"\nartifacts = [\n  \
         {{ name = \"libtide1\", version = \"1.2-3\", urls = [\"{url}\"], sha256 = \"{}\" }},\n]\n\n",
        archive.sha256()
    );
    let place = lock.find("[[entry]]\nname = \"qemu\"").expect("the entry after it");
    format!("{}{entry}{}", &lock[..place], &lock[place..])
}

#[test]
fn a_changed_list_is_drift_and_leaves_the_compiler_as_it_is() {
    let project = project();
    project.settings(&settings(""));
    project.xprov("-q lock").ok();
    let without = project.read("toolchains.lock");
    assert!(!without.contains("packages"), "{without}");

    project.settings(&settings("\"libtide-dev\""));
    assert_snapshot!(project.xprov("--locked build"), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      cc for `armv7-unknown-linux-gnueabihf`: package `libtide-dev` is asked for and not locked

      help: run `xprov lock` and commit toolchains.lock
    ");
    project.write("toolchains.lock", with_package(&project, &without));
    project.xprov("--locked restore").ok();
    let requests = project.requests();
    // What is locked already is not asked for again.
    project.xprov("-q --offline lock").ok();
    project.settings(&settings("\"libtide-dev\", \"libebb-dev\""));
    assert_snapshot!(project.xprov("--locked build"), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      cc for `armv7-unknown-linux-gnueabihf`: package `libebb-dev` is asked for and not locked

      help: run `xprov lock` and commit toolchains.lock
    ");
    project.settings(&settings(""));
    assert_snapshot!(project.xprov("--locked build"), @r"
    exit 3
    --- stderr
    error: toolchains.lock does not match the settings, and --locked keeps it from being changed:
      cc for `armv7-unknown-linux-gnueabihf`: package `libtide-dev` is locked and not asked for

      help: run `xprov lock` and commit toolchains.lock
    ");
    assert_snapshot!(project.xprov("--offline lock"), @r"
    exit 0
    --- stdout
    - packages 20261117T120000Z (armv7-unknown-linux-gnueabihf)
    --- stderr
         Updated toolchains.lock (8 toolchain entries)
    ");
    let after = project.read("toolchains.lock");
    assert!(!after.contains("libtide"), "{after}");
    for pin in without.lines().filter_map(|line| line.split("sha256 = ").nth(1)?.get(..66)) {
        assert!(after.contains(pin), "{pin}");
    }
    assert_eq!(project.requests(), requests);
}

#[test]
fn packages_join_the_sysroot_and_loaders_find_their_libraries() {
    let project = project();
    project.settings(&settings(""));
    project.xprov("-q lock").ok();
    project.settings(&settings("\"libtide-dev\""));
    project.write("toolchains.lock", with_package(&project, &project.read("toolchains.lock")));
    project.xprov("restore").ok();
    let compositions = project.xprov_home.join("v1/compositions");
    let name = project.store_names("compositions");
    let name = name.iter().find(|name| name.ends_with("-cc-arm-linux-gnueabihf")).expect("a tree");
    let tree = compositions.join(name);
    let read = |path: &str| fs::read_to_string(tree.join(path)).expect(path);
    assert_eq!(read("usr/include/tide.h"), "int tide(void);\n");
    // By the directory, as Debian's loaders look, and in the one that is the compiler's own.
    let root = "usr/arm-linux-gnueabihf";
    assert_eq!(read(&format!("{root}/usr/lib/arm-linux-gnueabihf/libtide.so.1")), "a library\n");
    assert_eq!(read(&format!("{root}/lib/libtide.so.1")), "a library\n");
    assert!(!tree.join(root).join("lib/arm-linux-gnueabihf").exists());
}

#[test]
fn only_a_toolchain_of_debians_can_have_packages() {
    let project = Project::new();
    project.settings(&settings("\"libtide-dev\""));
    assert_snapshot!(project.xprov("lock"), @r#"
    exit 2
    --- stderr
    error: `target.armv7-unknown-linux-gnueabihf.packages`: recipe `fake-gcc-arm` does not come from Debian's archive

      help: choose a C toolchain of Debian's with `cc = { recipe = "…" }`: packages have to fit its C library
    "#);
    let project = self::project();
    project.settings(&settings("\"libc6-dev\""));
    assert_snapshot!(project.xprov("lock"), @r"
    exit 2
    --- stderr
    error: `target.armv7-unknown-linux-gnueabihf.packages`: `libc6-dev` belongs to the C toolchain

      help: leave it out: the sysroot has it
    ");
    project.settings(&settings("\"libtide-dev:armhf\""));
    assert_snapshot!(project.xprov("lock"), @r"
    exit 2
    --- stderr
    error: Cargo.toml:8:49: `libtide-dev:armhf` is not a Debian package's name such as `libssl-dev`
    ");
}
