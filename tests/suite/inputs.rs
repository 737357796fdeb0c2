//! Pinned inputs of build scripts: fetched like every artifact, part of env-id, announced by a
//! variable in the form that the crate wants.

use insta::assert_snapshot;
use serde_json::Value;
use xprov::vocab::digest::Sha256;

use crate::support::archive_fixture::{TARGET, tar_gz};
use crate::support::project::Project;
use crate::support::sandbox::state;
use crate::support::server::Fault;

const PATH: &str = "/tags/v5.1.tar.gz";

fn zip() -> Vec<u8> {
    tar_gz(&[("ui-5.1/dist/a.js", 0o644, "alert"), ("ui-5.1/README", 0o644, "read me")])
}

/// The lines of an input, served by the project's server.
fn lines(project: &Project, bytes: &[u8], more: &str) -> String {
    format!(
        "[package.metadata.xprov.inputs.ui]\nurl = \"{}\"\nsha256 = \"{}\"\n\
         env = \"UI_DOWNLOAD_URL\"\n{more}\n",
        project.server().url(PATH),
        Sha256::of(bytes)
    )
}

/// A locked project with this input, not restored.
fn with_input(more: &str) -> Project {
    let project = Project::locked();
    project.server().serve(PATH, zip());
    project.settings(&lines(&project, &zip(), more));
    project
}

/// The variables of the environment.
fn variables(project: &Project) -> Value {
    let line = format!("-q --frozen env --target {TARGET} --format json");
    let mut command = project.command(&line.split_whitespace().collect::<Vec<_>>());
    let output = command.output().expect("started");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn value(variables: &Value, name: &str) -> String {
    variables[name].as_str().unwrap_or_default().to_owned()
}

#[test]
fn restore_fetches_an_input_once_and_each_form_says_where_it_is() {
    let project = with_input("as = \"file-url\"");
    project.xprov("-q --locked restore").ok();
    let requests = project.requests();
    assert_eq!(requests, 9, "the toolchain, and the input");
    let found = variables(&project);
    let url = value(&found, "UI_DOWNLOAD_URL");
    let path = url.strip_prefix("file://").expect("a file: URL").to_owned();
    assert!(path.ends_with("/v5.1.tar.gz"), "{path}");
    assert!(path.starts_with(project.xprov_home.to_str().expect("text")), "{path}");
    assert_eq!(std::fs::read(&path).expect("the file"), zip());
    let first = value(&found, "XPROV_ENV_ID");
    let store = state(&project.xprov_home.join("v1/objects"));
    project.xprov("-q --frozen restore").ok();
    assert_eq!(
        (project.requests(), state(&project.xprov_home.join("v1/objects"))),
        (requests, store)
    );

    // The same object, and another value.
    project.settings(&lines(&project, &zip(), "as = \"path\""));
    let found = variables(&project);
    assert_eq!(value(&found, "UI_DOWNLOAD_URL"), path);
    let second = value(&found, "XPROV_ENV_ID");
    assert_eq!(project.requests(), requests);

    // Another object of the same bytes.
    project.settings(&lines(&project, &zip(), "as = \"unpacked\"\nstrip = 1\nkeep = \"dist\""));
    project.xprov("-q --locked restore").ok();
    let found = variables(&project);
    let dir = value(&found, "UI_DOWNLOAD_URL");
    assert_eq!(std::fs::read_to_string(format!("{dir}/a.js")).expect("unpacked"), "alert");
    let third = value(&found, "XPROV_ENV_ID");

    // Other bytes under the same name.
    let other = tar_gz(&[("ui-5.1/dist/a.js", 0o644, "other")]);
    project.server().serve(PATH, other.clone());
    project.settings(&lines(&project, &other, "as = \"file-url\""));
    project.xprov("-q --locked restore").ok();
    let fourth = value(&variables(&project), "XPROV_ENV_ID");
    // Another variable.
    project.edit("Cargo.toml", "UI_DOWNLOAD_URL", "UI_ZIP");
    let fifth = value(&variables(&project), "XPROV_ENV_ID");
    project.settings("");
    let without = value(&variables(&project), "XPROV_ENV_ID");
    let mut all = vec![first, second, third, fourth, fifth, without];
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6, "{all:?}");
    assert_eq!(project.leftovers(), [""; 0]);
}

#[test]
fn why_says_where_an_input_comes_from_and_what_build_scripts_see() {
    let project = with_input("as = \"path\"");
    project.xprov("-q --locked restore").ok();
    let line = format!("-q why ui --target {TARGET}");
    let said = project.xprov(&line).ok().stdout.clone();
    // Outputs come without what differs from run to run.
    assert_snapshot!(said, @r#"
    ui, an input of builds for armv7-unknown-linux-gnueabihf
      value    [XPROV_HOME]/v1/objects/[DIGEST]-ui-fb3088a3/v5.1.tar.gz
      wins     settings, inputs.ui, Cargo.toml:7: http://127.0.0.1:[PORT]/tags/v5.1.tar.gz
      tells    sha256: [DIGEST]
               bytes with another digest are refused
      wins     as = "path": UI_DOWNLOAD_URL=[XPROV_HOME]/v1/objects/[DIGEST]-ui-fb3088a3/v5.1.tar.gz
               build scripts see it
    "#);
    let line = format!("-q why uii --target {TARGET}");
    assert!(project.xprov(&line).stdout.contains("help: there is ui"));
}

#[test]
fn two_stores_give_the_same_env_id() {
    let ids = [(); 2].map(|()| {
        let project = with_input("as = \"file-url\"");
        // The port is another one, and where a file came from is not what it is.
        project.xprov("-q restore").ok();
        value(&variables(&project), "XPROV_ENV_ID")
    });
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn a_file_on_this_machine_needs_no_network() {
    let project = Project::locked();
    project.xprov("-q restore").ok();
    project.write("kept/v5.1.tar.gz", zip());
    let at = project.project.join("kept/v5.1.tar.gz");
    let lines = lines(&project, &zip(), "as = \"file-url\"");
    project
        .settings(&lines.replace(&project.server().url(PATH), &format!("file://{}", at.display())));
    project.xprov("-q --frozen restore").ok();
    assert!(value(&variables(&project), "UI_DOWNLOAD_URL").ends_with("/v5.1.tar.gz"));
}

#[test]
fn a_further_place_serves_where_the_first_does_not() {
    let project = with_input("as = \"path\"");
    let second = project.server().url("/mirror/v5.1.tar.gz");
    project.server().serve("/mirror/v5.1.tar.gz", zip());
    project.edit("Cargo.toml", "as = ", &format!("urls = [\"{second}\"]\nas = "));
    project.server().always(PATH, Fault::WebPage);
    project.xprov("-q restore").ok();
    assert!(value(&variables(&project), "UI_DOWNLOAD_URL").ends_with("/v5.1.tar.gz"));
}

#[test]
fn wrong_bytes_are_not_kept() {
    let project = with_input("as = \"path\"");
    project.server().serve(PATH, b"something else".to_vec());
    let before = project.objects();
    assert_snapshot!(project.xprov("-q restore"), @r"
    exit 5
    --- stderr
    error: Cargo.toml:8: the input `ui` cannot be had
      caused by: `ui` does not match its pin
        from      http://127.0.0.1:[PORT]/tags/v5.1.tar.gz
        expected  sha256 [DIGEST]
        actual    sha256 [DIGEST], [N] bytes

      help: nothing was kept; if another file is meant, pin that one with its `sha256`
    ");
    assert_eq!(project.objects().len(), before.len() + 8, "the toolchain alone");
    assert_eq!(project.leftovers(), [""; 0]);
    project.server().serve(PATH, zip());
    project.xprov("-q restore").ok();
}

#[test]
fn offline_what_is_not_here_is_named() {
    let project = with_input("as = \"path\"");
    project.settings("");
    project.xprov("-q restore").ok();
    project.settings(&lines(&project, &zip(), "as = \"path\""));
    assert_snapshot!(project.xprov("-q --locked --offline restore"), @r"
    exit 4
    --- stderr
    error: Cargo.toml:8: the input `ui` cannot be had
      caused by: `ui` is not here, and the network may not be used (offline)

      help: run `xprov restore` where there is a network
    ");
    let built = project.xprov(&format!("-q --offline build --target {TARGET}"));
    assert_eq!(built.code, Some(4), "{built}");
}

#[test]
fn what_is_no_archive_cannot_be_unpacked() {
    let project = with_input("as = \"unpacked\"");
    let bytes = b"<svg/>".to_vec();
    project.server().serve(PATH, bytes.clone());
    project.settings(&lines(&project, &bytes, "as = \"unpacked\""));
    assert_snapshot!(project.xprov("-q restore"), @r#"
    exit 5
    --- stderr
    error: Cargo.toml:8: the input `ui` cannot be unpacked
      caused by: this is no archive: neither tar (plain, xz, gzip, zstd) nor zip nor a Debian package; it starts with `<svg/>`

      help: correct `strip` and `keep`; what is no archive needs `as = "path"` or `as = "file-url"`
    "#);
}

#[test]
fn variables_with_another_meaning_are_refused_before_anything_is_fetched() {
    let project = with_input("as = \"path\"");
    project.xprov("-q restore").ok();
    let requests = project.requests();
    let with = |variable: &str| {
        project.settings(&lines(&project, b"other", "as = \"path\""));
        project.edit("Cargo.toml", "UI_DOWNLOAD_URL", variable);
        project.xprov("-q restore")
    };
    assert_snapshot!(with("LD_PRELOAD"), @r"
    exit 2
    --- stderr
    error: Cargo.toml:10: the input `ui` cannot set LD_PRELOAD: code from elsewhere

      help: name the variable that the crate reads (docs/inputs.md)
    ");
    assert_snapshot!(with("OUT_DIR"), @r"
    exit 2
    --- stderr
    error: Cargo.toml:10: the input `ui` cannot set OUT_DIR: cargo sets it itself or reads it

      help: name the variable that the crate reads (docs/inputs.md)
    ");
    let said = with("A B");
    assert_eq!(said.code, Some(2), "{said}");
    assert!(said.stderr.contains("`A B` is not a variable's name"), "{said}");
    project.settings(&format!(
        "env.set = {{ UI_DOWNLOAD_URL = \"x\" }}\n{}",
        lines(&project, &zip(), "as = \"path\"")
    ));
    let said = project.xprov("-q restore");
    assert_eq!(said.code, Some(2), "{said}");
    assert!(said.stderr.contains("the input `ui` sets UI_DOWNLOAD_URL, and `env`"), "{said}");
    project.settings(&lines(&project, &zip(), "as = \"path\"").replace("sha256", "# sha256"));
    let said = project.xprov("-q restore");
    assert_eq!(said.code, Some(2), "{said}");
    assert!(said.stderr.contains("`sha256` is missing"), "{said}");
    assert_eq!(project.requests(), requests);
}
