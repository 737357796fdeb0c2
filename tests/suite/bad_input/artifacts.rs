//! Downloads that fail or are not what was pinned: exit codes 4 and 5. The store and the lock stay
//! as they were, and once the cause is gone the next run succeeds.

use insta::assert_snapshot;

use crate::support::archive_fixture::{TARGET, tar_gz};
use crate::support::project::Project;
use crate::support::sandbox::Outcome;
use crate::support::server::Fault;

/// What `restore` says when the compiler of the target is what is wrong with the world.
fn restore(project: &Project) -> Outcome {
    let lock = project.read("toolchains.lock");
    let objects = project.objects();
    let outcome = project.xprov("-q restore");
    assert_eq!(project.objects(), objects, "no object was published");
    assert_eq!(project.leftovers(), [""; 0]);
    assert_eq!(project.read("toolchains.lock"), lock);
    outcome
}

/// The same with a server that always misbehaves in this way, and then does no more.
fn with_fault(fault: Fault) -> Outcome {
    let project = Project::locked();
    project.all_but_gcc();
    project.server().always(&project.gcc_path(), fault);
    let outcome = restore(&project);
    // Later faults come first: the server is good again.
    for _ in 0..4 {
        project.server().fault(&project.gcc_path(), Fault::Chunked);
    }
    project.xprov("-q restore").ok();
    assert_eq!(project.objects().len(), 8);
    outcome
}

/// The same with other bytes in the compiler's place, whose digest is pinned.
fn with_archive(bytes: &[u8]) -> Outcome {
    let mut project = Project::locked();
    project.xprov("-q restore").ok();
    project.replace(&Project::gcc(), bytes.to_vec());
    restore(&project)
}

#[test]
fn a_wrong_digest() {
    assert_snapshot!(with_fault(Fault::CorruptAt(40)), @r"
    exit 5
    --- stderr
    error: `gcc 12.2.0` does not match its pin
      from      http://127.0.0.1:[PORT]/gcc-armv7-unknown-linux-gnueabihf-12.2.0.tar.gz
      expected  sha256 [DIGEST], [N] bytes
      actual    sha256 [DIGEST], [N] bytes

      help: nothing was kept; if the upstream replaced the file, `xprov update` pins the new one
    ");
}

#[test]
fn a_web_page_in_place_of_an_archive() {
    assert_snapshot!(with_fault(Fault::WebPage), @r"
    exit 5
    --- stderr
    error: `gcc 12.2.0` does not match its pin
      from      http://127.0.0.1:[PORT]/gcc-armv7-unknown-linux-gnueabihf-12.2.0.tar.gz
      expected  sha256 [DIGEST], [N] bytes
      actual    sha256 [DIGEST], [N] bytes
      the server answered with a web page (HTML), not the artifact

      help: nothing was kept; if the upstream replaced the file, `xprov update` pins the new one
    ");
}

#[test]
fn more_bytes_than_were_pinned() {
    assert_snapshot!(with_fault(Fault::Append(b"more".to_vec())), @r"
    exit 5
    --- stderr
    error: `gcc 12.2.0` does not match its pin
      from      http://127.0.0.1:[PORT]/gcc-armv7-unknown-linux-gnueabihf-12.2.0.tar.gz
      expected  sha256 [DIGEST], [N] bytes
      actual    more than [N] bytes

      help: nothing was kept; if the upstream replaced the file, `xprov update` pins the new one
    ");
}

#[test]
fn a_truncated_archive() {
    let project = Project::locked();
    project.all_but_gcc();
    let bytes = &project.archive(&Project::gcc()).bytes;
    project.server().serve(&project.gcc_path(), &bytes[..bytes.len() / 2]);
    assert_snapshot!(restore(&project), @r"
    exit 5
    --- stderr
    error: `gcc 12.2.0` does not match its pin
      from      http://127.0.0.1:[PORT]/gcc-armv7-unknown-linux-gnueabihf-12.2.0.tar.gz
      expected  sha256 [DIGEST], [N] bytes
      actual    sha256 [DIGEST], [N] bytes

      help: nothing was kept; if the upstream replaced the file, `xprov update` pins the new one
    ");
}

#[test]
fn a_truncated_archive_of_unknown_size() {
    let project = Project::locked();
    project.all_but_gcc();
    let bytes = &project.archive(&Project::gcc()).bytes;
    project.edit("toolchains.lock", &format!(", size = {}", bytes.len()), "");
    project.server().serve(&project.gcc_path(), &bytes[..bytes.len() / 2]);
    assert_snapshot!(restore(&project), @r"
    exit 5
    --- stderr
    error: `gcc 12.2.0` does not match its pin
      from      http://127.0.0.1:[PORT]/gcc-armv7-unknown-linux-gnueabihf-12.2.0.tar.gz
      expected  sha256 [DIGEST]
      actual    sha256 [DIGEST], [N] bytes

      help: nothing was kept; if the upstream replaced the file, `xprov update` pins the new one
    ");
}

#[test]
fn connections_that_break() {
    assert_snapshot!(with_fault(Fault::CutAfter(10)), @r"
    exit 4
    --- stderr
    error: `gcc 12.2.0` cannot be fetched
      http://127.0.0.1:[PORT]/gcc-armv7-unknown-linux-gnueabihf-12.2.0.tar.gz: the connection broke: end of file before message length reached

      help: check the network and the proxy variables, or name a mirror in the settings
    ");
}

#[test]
fn a_server_in_trouble() {
    assert_snapshot!(with_fault(Fault::Status(503, None)), @r"
    exit 4
    --- stderr
    error: `gcc 12.2.0` cannot be fetched
      http://127.0.0.1:[PORT]/gcc-armv7-unknown-linux-gnueabihf-12.2.0.tar.gz: the server answered with status 503

      help: try again later
    ");
}

#[test]
fn a_server_that_refuses() {
    assert_snapshot!(with_fault(Fault::Status(403, None)), @r"
    exit 4
    --- stderr
    error: `gcc 12.2.0` cannot be fetched
      http://127.0.0.1:[PORT]/gcc-armv7-unknown-linux-gnueabihf-12.2.0.tar.gz: the server answered with status 403

      help: check the network and the proxy variables, or name a mirror in the settings
    ");
}

#[test]
fn an_artifact_that_is_not_there() {
    assert_snapshot!(with_fault(Fault::Status(404, None)), @r"
    exit 4
    --- stderr
    error: `gcc 12.2.0` is not there: http://127.0.0.1:[PORT]/gcc-armv7-unknown-linux-gnueabihf-12.2.0.tar.gz

      help: run `xprov update` if the upstream moved it
    ");
}

#[test]
fn no_network() {
    let mut project = Project::locked();
    project.all_but_gcc();
    project.server = None;
    let lock = project.read("toolchains.lock");
    assert_snapshot!(project.xprov("-q restore"), @r"
    exit 4
    --- stderr
    error: `gcc 12.2.0` cannot be fetched
      http://127.0.0.1:[PORT]/gcc-armv7-unknown-linux-gnueabihf-12.2.0.tar.gz: no connection: Connection refused (os error 111)

      help: check the network and the proxy variables, or name a mirror in the settings
    ");
    assert_snapshot!(project.xprov("-q --offline restore"), @r"
    exit 4
    --- stderr
    error: `gcc 12.2.0` is not here, and the network may not be used (offline)

      help: run `xprov restore` where there is a network
    ");
    assert_snapshot!(project.xprov(&format!("build -q --offline --target {TARGET}")), @r"
    exit 4
    --- stderr
    error: `gcc 12.2.0` is not here, and the network may not be used (offline)

      help: run `xprov restore` where there is a network
    ");
    assert_eq!(project.read("toolchains.lock"), lock);
    assert_eq!(project.leftovers(), [""; 0]);
}

#[test]
fn a_proxy_and_certificates_that_are_none() {
    let mut project = Project::locked();
    project.all_but_gcc();
    project.sandbox().set("http_proxy", "ftp://user:secret@proxy");
    assert_snapshot!(restore(&project), @r"
    exit 4
    --- stderr
    error: the value of HTTP_PROXY is not a proxy URL (http:, https:, socks5: or socks5h:)

      help: check the network and the proxy variables, or name a mirror in the settings
    ");
    project.sandbox().unset("http_proxy");
    let missing = project.root().join("missing.pem");
    project.sandbox().set("SSL_CERT_FILE", &missing.to_string_lossy());
    assert_snapshot!(restore(&project), @r"
    exit 4
    --- stderr
    error: cannot read the trusted certificates in [ROOT]/missing.pem
      caused by: No such file or directory (os error 2)

      help: correct SSL_CERT_FILE, SSL_CERT_DIR or CARGO_HTTP_CAINFO
    ");
}

#[test]
fn a_pinned_archive_that_is_truncated() {
    let bytes = tar_gz(&[("usr/bin/gcc", 0o755, "#!/bin/sh\n")]);
    assert_snapshot!(with_archive(&bytes[..bytes.len() - 20]), @r"
    exit 5
    --- stderr
    error: cannot unpack gcc 12.2.0
      caused by: the archive is truncated: its bytes end before the archive does

      help: correct the recipe, or choose another version of it
    ");
}

#[test]
fn a_pinned_file_that_is_no_archive() {
    assert_snapshot!(with_archive(b"\x7fELF, say"), @r"
    exit 5
    --- stderr
    error: cannot unpack gcc 12.2.0
      caused by: this is no archive: neither tar (plain, xz, gzip, zstd) nor zip nor a Debian package; it starts with `\x7fELF, say`

      help: correct the recipe, or choose another version of it
    ");
}

#[test]
fn a_pinned_archive_that_writes_elsewhere() {
    let mut bytes = Vec::new();
    let mut builder = tar::Builder::new(&mut bytes);
    let mut header = tar::Header::new_gnu();
    let name = b"usr/../../escaped";
    header.as_gnu_mut().expect("gnu").name[..name.len()].copy_from_slice(name);
    header.set_size(0);
    header.set_cksum();
    builder.append(&header, &b""[..]).and_then(|()| builder.finish()).expect("memory");
    drop(builder);
    assert_snapshot!(with_archive(&bytes), @r"
    exit 5
    --- stderr
    error: cannot unpack gcc 12.2.0
      caused by: the entry `usr/../../escaped` is refused
      caused by: its name is refused
      caused by: the path has a `..` component

      help: correct the recipe, or choose another version of it
    ");
}

#[test]
fn a_tree_that_is_not_the_locked_one() {
    let project = Project::locked();
    project.xprov("restore").ok();
    // Now that they are known, `update` notes the trees.
    project.xprov("update").ok();
    project.all_but_gcc();
    let text = project.read("toolchains.lock");
    let gcc = text.find(&project.archive(&Project::gcc()).sha256()).expect("the artifact");
    let tree = gcc + text[gcc..].find("tree = \"").expect("a tree") + 8;
    project.write(
        "toolchains.lock",
        format!("{}{}{}", &text[..tree], "0".repeat(64), &text[tree + 64..]),
    );
    assert_snapshot!(restore(&project), @r"
    exit 5
    --- stderr
    error: the tree of gcc 12.2.0 has the hash [DIGEST], and the lock says [DIGEST]

      help: correct the recipe, or choose another version of it
    ");
}

#[test]
fn a_warm_store_does_not_excuse_a_wrong_pin() {
    let project = Project::locked();
    project.xprov("restore").ok();
    project.xprov("update").ok();
    let good = project.read("toolchains.lock");
    let digest = project.archive(&Project::gcc()).sha256();
    // Another digest beside the right tree, then another tree beside the right digest.
    project.write("toolchains.lock", good.replace(&digest, &"0".repeat(64)));
    assert_eq!(project.xprov("restore --locked").code, Some(5));
    let gcc = good.find(&digest).expect("the artifact");
    let tree = gcc + good[gcc..].find("tree = \"").expect("a tree") + 8;
    let bad = format!("{}{}{}", &good[..tree], "0".repeat(64), &good[tree + 64..]);
    project.write("toolchains.lock", bad);
    assert_eq!(project.xprov("restore --locked").code, Some(5));
    project.write("toolchains.lock", good);
    project.xprov("restore --locked").ok();
}
