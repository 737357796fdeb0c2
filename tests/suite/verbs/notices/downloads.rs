//! What a failed build says of a crate that wanted a network.

use insta::assert_snapshot;
use serde_json::Value;
use xprov::shim::ledger::{Line, NoticeKind};

use super::{appending, building, call, document};
use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;

const REFUSED: NoticeKind = NoticeKind::Refused;

fn line(krate: &str, version: &str, what: &str) -> Line {
    let line = call(krate, &[(REFUSED, what)]);
    Line { tool: "build-script".to_owned(), version: Some(version.to_owned()), ..line }
}

fn failing(lines: &[Line]) -> Project {
    building(&format!("{}echo 'error: it failed' >&2\nexit 101", appending(lines)))
}

#[test]
fn a_known_crate_and_its_url_come_with_every_line_that_pins_it() {
    let project = failing(&[
        line("utoipa-swagger-ui", "9.0.2", "fetch https://example.org/v5.zip"),
        line("quiet", "1.0.0", "read /proc/cpuinfo"),
    ]);
    let outcome = project.xprov(&format!("-q build --target {TARGET}"));
    assert_snapshot!(outcome, @r#"
    exit 101
    --- stderr
    cargo runs build
    error: it failed

    note: utoipa-swagger-ui 9.0.2 wanted `https://example.org/v5.zip` while it was built, and a build has no network
      help: pin the file in the root Cargo.toml, and it comes from the store:

        [package.metadata.xprov.inputs.swagger-ui]
        url = "https://example.org/v5.zip"
        sha256 = "…" # curl -fsSL https://example.org/v5.zip | sha256sum
        env = "SWAGGER_UI_DOWNLOAD_URL"
        as = "file-url"

      it reads `file:` URLs with its feature `url`, which is on unless `default-features = false`
    "#);
    let found = project.xprov(&format!("--json build --target {TARGET}"));
    let document = document(&found);
    let download = &document["targets"][0]["downloads"][0];
    assert_eq!(download["url"], "https://example.org/v5.zip");
    let outcome = project.xprov(&format!("--json check --target {TARGET}"));
    let mut events = outcome.stderr.lines().filter_map(|line| serde_json::from_str(line).ok());
    let last: Value = events.next_back().expect("an event");
    assert_eq!((&last["reason"], &last["env"]), (&"download".into(), &download["env"]));
}

#[test]
fn an_unknown_crate_is_read_and_what_is_not_known_is_left_open() {
    let project = failing(&[
        line("widget", "1.0.0", "connect to files.example.org"),
        line("other", "2.0.0", "connect to 192.0.2.1:443"),
    ]);
    let build = "let a = env::var(\"WIDGET_LIB_DIR\"); let b = env::var(\"WIDGET_ARCHIVE\");\n\
                 get(\"https://files.example.org/widget.tar.gz\")";
    let dir = project.xprov_home.join("cargo/registry/src/mirror/widget-1.0.0");
    std::fs::create_dir_all(&dir).expect("made");
    std::fs::write(dir.join("build.rs"), build).expect("written");
    let outcome = project.xprov(&format!("-q build --target {TARGET}"));
    assert_snapshot!(outcome, @r#"
    exit 101
    --- stderr
    cargo runs build
    error: it failed

    note: other 2.0.0 wanted `192.0.2.1:443` while it was built, and a build has no network
      help: pin the file in the root Cargo.toml, and it comes from the store:

        [package.metadata.xprov.inputs.other]
        url = "https://…"
        sha256 = "…" # curl -fsSL URL | sha256sum
        env = "…"
        as = "…"

    note: widget 1.0.0 wanted `files.example.org` while it was built, and a build has no network
      help: pin the file in the root Cargo.toml, and it comes from the store:

        [package.metadata.xprov.inputs.widget]
        url = "https://files.example.org/widget.tar.gz"
        sha256 = "…" # curl -fsSL https://files.example.org/widget.tar.gz | sha256sum
        env = "…"
        as = "…"

      its build script reads WIDGET_LIB_DIR, WIDGET_ARCHIVE: one of them may be `env`
    "#);
}

#[test]
fn a_build_that_went_well_is_given_no_advice() {
    let project = building(&appending(&[line("ort-sys", "2.0.0", "connect to example.org")]));
    let outcome = project.xprov(&format!("-q build --target {TARGET}")).ok();
    assert!(!outcome.stderr.contains("wanted"), "{outcome}");
}
