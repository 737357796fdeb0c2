//! What of a release is not believed.

use std::error::Error as _;

use insta::assert_snapshot;
use xprov::upstream::rust_dist::{release, release_keyring};
use xprov::upstream::signature::Keyring;

use super::{project, publish, serve};
use crate::debian::archive::{Mirror, keyring, sign_beside, time};
use crate::support::server::Fault;

const MANIFEST: &str = "/dist/channel-rust-stable.toml";

#[test]
fn a_manifest_that_nothing_or_another_digest_attests() {
    let project = project();
    project.server().serve(&format!("{MANIFEST}.sha256"), "0123\n");
    assert_snapshot!(project.xprov("lock"), @r#"
    exit 5
    --- stderr
       Resolving releases
    error: recipe `releases` cannot be resolved
      caused by: http://127.0.0.1:[PORT]/dist/channel-rust-stable.toml has the digest [DIGEST], and 0123 is published beside it

      help: try again later, or name another mirror in the settings: `mirrors = { rust = ["https://…/dist"] }`
    "#);
    project.server().always(&format!("{MANIFEST}.sha256"), Fault::Status(404, None));
    assert_snapshot!(project.xprov("lock"), @r#"
    exit 5
    --- stderr
       Resolving releases
    error: recipe `releases` cannot be resolved
      caused by: http://127.0.0.1:[PORT]/dist/channel-rust-stable.toml has neither a signature nor a digest beside it

      help: try again later, or name another mirror in the settings: `mirrors = { rust = ["https://…/dist"] }`
    "#);
    assert!(!project.project.join("toolchains.lock").exists());
}

/// A manifest with nothing but what makes it one.
const SMALL: &str = "manifest-version = \"2\"\ndate = \"2026-04-16\"\n[pkg.rustc]\nversion = \
                     \"1.95.0 (0123abcd 2026-04-14)\"\ntarget = {}\n";

#[test]
fn a_good_signature_of_a_known_key_needs_no_digest() {
    const URL: &str = "http://server.example/dist/channel-rust-1.95.0.toml";
    let ask = |signature: &str, keyring: &Keyring| {
        let mut server = Mirror::default();
        server.files.insert(URL.to_owned(), SMALL.into());
        server.files.insert(format!("{URL}.asc"), signature.into());
        let servers = ["http://empty.example/dist", "http://server.example/dist"]
            .map(|url| url.parse().expect("a URL"));
        release(&server, &servers, keyring, &"1.95.0".parse().expect("a channel"))
    };
    let at = time("2026-04-16T12:00:00Z");
    let good = sign_beside(SMALL.as_bytes(), at);
    let signed = ask(&good, &keyring()).expect("a release");
    assert_eq!(signed.manifest.version(), "1.95.0");
    assert!(signed.signer.is_some());

    let refused = |signature: &str, keyring: &Keyring| {
        let error = ask(signature, keyring).expect_err("it is refused");
        assert!(error.is_integrity(), "{error}");
        error.source().expect("a cause").to_string()
    };
    let rusts = release_keyring().expect("the key of Rust's releases");
    assert!(refused(&good, &rusts).contains("no signature is by a known key"));
    let of_other = sign_beside(b"something else", at);
    assert!(refused(&of_other, &keyring()).contains("does not match the text"));
    let before = sign_beside(SMALL.as_bytes(), time("2019-01-01T00:00:00Z"));
    assert!(refused(&before, &keyring()).contains("was not valid when it signed"));
}

#[test]
fn a_signature_that_is_there_has_to_hold() {
    let project = project();
    // The digest beside it does not help.
    project.server().serve(&format!("{MANIFEST}.asc"), "-----BEGIN PGP SIGNATURE-----\nx\n");
    assert_snapshot!(project.xprov("lock"), @r#"
    exit 5
    --- stderr
       Resolving releases
    error: recipe `releases` cannot be resolved
      caused by: the signature of http://127.0.0.1:[PORT]/dist/channel-rust-stable.toml does not hold
      caused by: it is not a detached signature
      caused by: failed reading: armor header Error(Error { input: [120, 10], code: CrLf })

      help: try again later, or name another mirror in the settings: `mirrors = { rust = ["https://…/dist"] }`
    "#);
    assert!(!project.project.join("toolchains.lock").exists());
}

#[test]
fn a_web_page_or_another_release_in_place_of_the_manifest() {
    let project = project();
    serve(&project, "stable", "<!doctype html>\n<html>Please log in</html>\n");
    assert_snapshot!(project.xprov("lock"), @r#"
    exit 5
    --- stderr
       Resolving releases
    error: recipe `releases` cannot be resolved
      caused by: http://127.0.0.1:[PORT]/dist/channel-rust-stable.toml is no manifest of Rust stable: it is a web page

      help: try again later, or name another mirror in the settings: `mirrors = { rust = ["https://…/dist"] }`
    "#);
    serve(&project, "stable", &publish(&project, "1.96.0-beta.1"));
    assert_snapshot!(project.xprov("lock"), @r#"
    exit 5
    --- stderr
       Resolving releases
    error: recipe `releases` cannot be resolved
      caused by: http://127.0.0.1:[PORT]/dist/channel-rust-stable.toml is no manifest of Rust stable: it is of Rust 1.96.0-beta.1 of 2026-04-16

      help: try again later, or name another mirror in the settings: `mirrors = { rust = ["https://…/dist"] }`
    "#);
}

#[test]
fn a_web_page_or_other_bytes_in_place_of_an_archive() {
    let project = project();
    project.xprov("-q lock").ok();
    let path = format!("/dist/2026-04-16/rustc-1.96.0-{}.tar.xz", crate::support::sandbox::host());
    project.server().fault(&path, Fault::WebPage);
    assert_snapshot!(project.xprov("restore"), @r"
    exit 5
    --- stderr
    note: toolchains are kept in [XPROV_HOME] (0 MB to fetch, unpacked about six times that); XPROV_HOME moves it, deleting it undoes everything
    error: `rustc 1.96.0` does not match its pin
      from      http://127.0.0.1:[PORT]/dist/2026-04-16/rustc-1.96.0-[HOST].tar.xz
      expected  sha256 [DIGEST]
      actual    sha256 [DIGEST], [N] bytes
      the server answered with a web page (HTML), not the artifact

      help: nothing was kept; if the upstream replaced the file, `xprov update` pins the new one
    ");
    project.server().fault(&path, Fault::CorruptAt(30));
    assert_eq!(project.xprov("restore").code, Some(5));
    project.xprov("-q restore").ok();
}
