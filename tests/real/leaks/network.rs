//! What of a user's cargo configuration says where bytes come from: it goes on working.

use super::corpus::{Theme, Verb, check};
use super::ear::Served;
use super::row::{Proof, Row, row};
use super::surroundings::Surroundings;

fn theme(rows: Vec<Row>) -> Theme {
    let files = vec![("src/main.rs", "fn main() {}\n".into())];
    Theme { name: "fetcher", files, manifest: "", verb: Verb::Build, rows }
}

/// A crate in a folder, as `cargo vendor` leaves it.
fn shelf(s: &mut Surroundings) -> String {
    s.file("shelf/leaflet/src/lib.rs", "pub const TEXT: &str = \"from the shelf\";\n");
    let manifest = "[package]\nname = \"leaflet\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    s.file("shelf/leaflet/Cargo.toml", manifest);
    let file = s.file("shelf/leaflet/.cargo-checksum.json", "{\"files\":{}}");
    file.strip_suffix("/leaflet/.cargo-checksum.json").expect("a folder").to_owned()
}

/// Makes the project need a crate that only the shelf, or the registry of the row, has.
fn need(s: &mut Surroundings, from: &str) {
    s.more_manifest(&format!("[dependencies]\nleaflet = {from}\n"));
    s.project_file("src/main.rs", "fn main() { println!(\"{}\", leaflet::TEXT); }\n");
    s.without_lock();
}

const FROM_CRATES_IO: &str = "\"1\"";
const FROM_YARD: &str = "{ version = \"1\", registry = \"yard\" }";
const FROM_GIT: &str = "{ git = \"http://127.0.0.1:9/leaflet.git\" }";

/// A registry that wants a token, as the yard of a company.
const REGISTRY: Served = &[(
    "/config.json",
    "{\"dl\":\"http://127.0.0.1:{port}/crates\",\"api\":\"http://127.0.0.1:{port}\",\"auth-required\":true}",
)];

fn yard(s: &mut Surroundings) {
    let port = s.ear.listen(REGISTRY);
    need(s, FROM_YARD);
    s.home_config(&format!(
        "registries.yard.index = \"sparse+http://127.0.0.1:{port}/\"\nnet.retry = 0\n"
    ));
}

#[test]
fn settings_for_fetching() {
    check(&theme(vec![
        row("fetch-source-replacement", |s| {
            let dir = shelf(s);
            need(s, FROM_CRATES_IO);
            s.home_config(&format!(
                "source.crates-io.replace-with = \"shelf\"\nsource.shelf.directory = '{dir}'\n"
            ));
        })
        .seen_by(Proof::Text("from the shelf".into()))
        .kept(),
        row("fetch-source-replacement-above", |s| {
            let dir = shelf(s);
            need(s, FROM_CRATES_IO);
            s.config_above(&format!(
                "source.crates-io.replace-with = \"shelf\"\nsource.shelf.directory = '{dir}'\n"
            ));
        })
        .seen_by(Proof::Text("from the shelf".into()))
        .kept(),
        row("fetch-registry", yard).seen_by(Proof::Heard("GET /config.json")).kept(),
        row("fetch-credentials-file", |s| {
            yard(s);
            s.file("home/.cargo/credentials.toml", "[registries.yard]\ntoken = \"a-token\"\n");
            s.home_config("registry.global-credential-providers = [\"cargo:token\"]\n");
        })
        .seen_by(Proof::Heard("authorization: a-token"))
        .kept(),
        row("fetch-credentials-variable", |s| {
            yard(s);
            s.home_config("registry.global-credential-providers = [\"cargo:token\"]\n");
            s.set("CARGO_REGISTRIES_YARD_TOKEN", "a-token");
        })
        .seen_by(Proof::Heard("authorization: a-token"))
        .kept(),
        row("fetch-http-proxy", |s| {
            let port = s.ear.listen(&[]);
            need(s, "{ version = \"1\", registry = \"far\" }");
            s.home_config(&format!(
                "registries.far.index = \"sparse+http://far.invalid/\"\nnet.retry = 0\n\
                 http.proxy = \"http://127.0.0.1:{port}\"\n"
            ));
        })
        .seen_by(Proof::Heard("GET http://far.invalid/config.json"))
        .kept(),
        row("fetch-proxy-variable", |s| {
            let port = s.ear.listen(&[]);
            need(s, "{ version = \"1\", registry = \"far\" }");
            s.home_config("registries.far.index = \"sparse+http://far.invalid/\"\nnet.retry = 0\n");
            s.set("http_proxy", &format!("http://127.0.0.1:{port}"));
        })
        .seen_by(Proof::Heard("GET http://far.invalid/config.json"))
        .kept(),
        row("fetch-net-git", |s| {
            need(s, FROM_GIT);
            let file = s.root.join("heard.txt");
            s.program_on_path("git", &format!("echo \"git $*\" >> {}; exit 1", file.display()));
            s.home_config("net.git-fetch-with-cli = true\nnet.retry = 0\n");
        })
        .seen_by(Proof::Heard("127.0.0.1:9/leaflet.git"))
        .kept(),
    ]));
}
