//! Toolchains that are wheels of a package index on loopback: locked by name, restored from whatever
//! index the machine's pip is configured for, and what is said where there is none.

use std::io::Write as _;

use insta::assert_snapshot;
use xprov::vocab::digest::Sha256;

use crate::support::archive_fixture::{TARGET, tool_prefix};
use crate::support::project::Project;
use crate::support::sandbox::host;

/// What stands in for a compiler: it shows what it was given.
const COMPILER: &str = "#!/bin/sh\necho compiler \"$@\"\n";

/// A wheel with the compiler, which may be executed, in the package's directory.
fn wheel(text: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, mode, text) in
        [("fakelang/cc", 0o755, text), ("fakelang-1.1.dist-info/RECORD", 0o644, "")]
    {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(mode);
        zip.start_file(name, options).expect("memory");
        zip.write_all(text.as_bytes()).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

fn file(version: &str) -> String {
    let arch = host().split('-').next().unwrap_or_default().to_owned();
    format!("fake_lang-{version}-py3-none-manylinux_2_12_{arch}.musllinux_1_1_{arch}.whl")
}

/// A project whose compiler for [`TARGET`] is a wheel.
fn project() -> Project {
    let mut project = Project::new();
    let recipe = format!(
        "schema = 1\nname = \"wheel-cc\"\nsummary = \"a script in a wheel\"\nslot = \"cc\"\n\
         targets = [\"{TARGET}\"]\n\n[pypi]\npackage = \"Fake_Lang\"\n\
         unpack = {{ keep = \"fakelang\" }}\n\n[[variant]]\nhosts = [\"{}\"]\n\n\
         [[variant.component]]\nname = \"wheel\"\nruns = \"on-host-for-target\"\nwheel = true\n\n\
         [variant.provides]\nevery-target = true\nglibc = \"2.17\"\n\n[variant.provides.tools]\n\
         \"{{prefix}}-gcc\" = {{ kind = \"zig-cc\", program = \"cc\", args = [\"cc\"] }}\n",
        host()
    );
    project.write("recipes/wheel-cc.toml", recipe);
    project
        .settings(&format!("targets = [\"{TARGET}\"]\ntarget.{TARGET}.toolchain = \"wheel-cc\"\n"));
    // No configuration of the machine's own.
    project.sandbox().set("PIP_CONFIG_FILE", "/dev/null");
    project
}

/// Serves an index with these files: (version, bytes, attributes of the link).
fn serve(project: &Project, place: &str, files: &[(&str, &[u8], &str)]) {
    let link = |(version, bytes, attributes): &(&str, &[u8], &str)| {
        let (file, digest) = (file(version), Sha256::of(bytes));
        project.server().serve(&format!("/f/{file}"), bytes.to_vec());
        format!("<a {attributes} href=\"../../f/{file}#sha256={digest}\">{file}</a>")
    };
    let links: Vec<String> = files.iter().map(link).collect();
    let page = format!("<!DOCTYPE html><html><body>\n{}\n", links.join("\n"));
    // The recipe writes the name in another way.
    project.server().serve(&format!("/{place}/fake-lang/"), page);
}

fn index(project: &mut Project, place: &str) {
    let url = project.server().url(&format!("/{place}"));
    project.sandbox().set("PIP_INDEX_URL", &url);
}

#[test]
fn a_wheel_is_locked_by_name_and_restored_from_any_index() {
    let mut project = project();
    let (old, new) = (wheel(COMPILER), wheel(&format!("{COMPILER}# newer\n")));
    // The newest was taken back.
    serve(
        &project,
        "simple",
        &[("1.0", &old, ""), ("1.1", &new, ""), ("1.2", &old, "data-yanked=\"bad\"")],
    );
    index(&mut project, "simple");
    project.xprov("-q lock").ok();
    let lock = project.read("toolchains.lock");
    let line = lock.lines().find(|line| line.contains("pypi = ")).expect("a wheel");
    assert!(line.contains("pypi = \"Fake_Lang\"") && line.contains(&file("1.1")), "{line}");
    assert!(line.contains(&Sha256::of(&new).to_string()), "{line}");
    assert!(!line.contains("127.0.0.1"), "{line}");
    assert!(lock.contains("authenticated = \"published-digest\""), "{lock}");

    // Another machine has another index, and a configuration file says which.
    serve(&project, "mirror", &[("1.1", &new, "")]);
    project.sandbox().unset("PIP_INDEX_URL");
    let mirror = project.server().url("/mirror");
    project.write("pip.conf", format!("[global]\nindex-url = {mirror}\n"));
    let config = project.project.join("pip.conf").to_string_lossy().into_owned();
    project.sandbox().set("PIP_CONFIG_FILE", &config);
    project.xprov("-q restore --locked").ok();
    let gcc = format!("{}-gcc", tool_prefix(TARGET));
    let said = project.xprov(&format!("-q exec --target {TARGET} {gcc} -c --target=x a.c"));
    let said = said.stdout;
    assert!(
        said.starts_with(
            "compiler cc -target arm-linux-gnueabihf.2.17 -mcpu=generic+v7a+vfp3d16-neon-d32-vfp3 \
             -fno-sanitize=undefined -g0 "
        ) && said.ends_with(" -c a.c\n"),
        "{said}"
    );

    // The settings' index comes before pip's.
    let other = project.server().url("/other");
    project.settings(&format!(
        "targets = [\"{TARGET}\"]\ntarget.{TARGET}.toolchain = \"wheel-cc\"\n\
         mirrors.pypi = [\"{other}\"]\n"
    ));
    serve(&project, "other", &[("1.0", &old, "")]);
    project.xprov("-q update").ok();
    assert!(project.read("toolchains.lock").contains(&file("1.0")));
}

#[test]
fn without_an_index_the_error_names_the_line_that_gives_one() {
    let project = project();
    assert_snapshot!(project.xprov("-q lock"), @r#"
    exit 2
    --- stderr
    error: no package index is known: pip is configured for none, and no `pip` on PATH says which is its default

      help: name one in Cargo.toml: `mirrors = { pypi = ["https://…/simple"] }` in the settings, or set PIP_INDEX_URL
    "#);
}

#[test]
fn what_the_index_has_no_more_or_otherwise_is_an_error() {
    let mut project = project();
    let (bytes, others) = (wheel(COMPILER), wheel("#!/bin/sh\n"));
    serve(&project, "simple", &[("1.1", &bytes, "")]);
    index(&mut project, "simple");
    project.sandbox().redactor.know(file("1.1"), "[FILE]");
    project.xprov("-q lock").ok();
    serve(&project, "simple", &[("1.0", &bytes, "")]);
    assert_snapshot!(project.xprov("-q restore"), @r"
    exit 4
    --- stderr
    error: `Fake_Lang` cannot be had from a package index
      caused by: no index has the file `[FILE]` of `Fake_Lang` any more

      help: run `xprov update`, or name another index in the settings
    ");
    serve(&project, "simple", &[("1.1", &others, "")]);
    assert_eq!(project.xprov("-q restore").code, Some(5));
    project.server().serve("/simple/fake-lang/", "<html>Log in first</html>");
    assert_snapshot!(project.xprov("-q restore"), @r#"
    exit 5
    --- stderr
    error: `Fake_Lang` cannot be had from a package index
      caused by: http://127.0.0.1:[PORT]/simple/fake-lang/ is no list of a package's files
      caused by: it has no link to a file

      help: name an index in Cargo.toml: `mirrors = { pypi = ["https://…/simple"] }` in the settings
    "#);
    project.settings(&format!(
        "targets = [\"{TARGET}\"]\n\
         target.{TARGET}.cc = {{ recipe = \"wheel-cc\", version = \"9\" }}\n"
    ));
    serve(&project, "simple", &[("1.1", &bytes, ""), ("1.0", &bytes, "")]);
    assert_snapshot!(project.xprov("-q lock"), @r"
    exit 4
    --- stderr
    error: `Fake_Lang` cannot be had from a package index
      caused by: no index has a wheel of `Fake_Lang` 9 for [HOST] (there is 1.1, 1.0)

      help: ask for another version, or for fewer `hosts` in the settings
    ");
}
