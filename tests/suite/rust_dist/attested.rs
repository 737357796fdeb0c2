//! How pins came to be trusted: first use, a published digest, a signature by minisign.

use insta::assert_snapshot;

use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;
use crate::support::server::Fault;

const SIGNED: &[u8] = include_bytes!("../../vectors/minisign/tools-1.0.0.tar.gz");
const GOOD: &str = include_str!("../../vectors/minisign/tools-1.0.0.tar.gz.minisig");
const OLDER: &str = include_str!("../../vectors/minisign/older.minisig");
const OTHER: &str = include_str!("../../vectors/minisign/other.minisig");
const KEY: &str = include_str!("../../vectors/minisign/key.pub");

/// A project whose pins say who published them.
fn published() -> Project {
    let project = Project::new();
    for recipe in ["rust", "gcc-arm", "gcc-host", "tools", "qemu"] {
        let path = format!("recipes/fake-{recipe}.toml");
        let with = "status = \"confirmed\"\nseen-in = [\"the notes of its release\"]";
        project.edit(&path, "status = \"verified-bytes\"", with);
    }
    project
}

#[test]
fn what_nobody_published_is_refused_where_signatures_are_required() {
    let project = published();
    project.edit("recipes/fake-qemu.toml", "seen-in = [\"the notes of its release\"]\n", "");
    project.settings(&format!("targets = [\"{TARGET}\"]\n"));
    assert_snapshot!(project.xprov("lock --require-signed"), @r"
    exit 5
    --- stderr
       Resolving fake-rust
       Resolving fake-gcc-arm for armv7-unknown-linux-gnueabihf
       Resolving fake-gcc-host for [HOST]
       Resolving fake-qemu for armv7-unknown-linux-gnueabihf
       Resolving fake-tools
    error: nobody has signed or published what these entries pin, and --require-signed refuses that:
      qemu 7.2.0 ([HOST])

      help: say in the recipe where the digest is published (`seen-in`), or whose minisign key signs the file (`minisign`)
    ");
    assert!(!project.project.join("toolchains.lock").exists());
    project.xprov("-q lock").ok();
    let lock = project.read("toolchains.lock");
    assert_eq!(lock.matches("authenticated = \"first-use\"").count(), 1, "{lock}");
    for command in ["lock --require-signed", "update --require-signed"] {
        assert_eq!(project.xprov(command).code, Some(5), "{command}");
        let command = format!("--locked {command}");
        assert_eq!(project.xprov(&command).code, Some(5), "{command}");
    }
    assert_eq!(project.read("toolchains.lock"), lock);

    let project = published();
    project.settings(&format!("targets = [\"{TARGET}\"]\n"));
    project.xprov("-q lock --require-signed").ok();
}

/// A project whose tools are signed by minisign.
fn signed(signature: &str) -> Project {
    let mut project = published();
    let archive = project.archives.iter_mut().find(|archive| archive.name == "tools");
    archive.expect("the tools").bytes = SIGNED.to_vec();
    project.server().serve("/tools-1.0.0.tar.gz", SIGNED);
    project.server().serve("/tools-1.0.0.tar.gz.minisig", signature);
    project.write_recipes();
    let key = KEY.lines().nth(1).expect("the second line is the key");
    let with = format!("status = \"verified-bytes\"\nminisign = \"{key}\"");
    project.edit("recipes/fake-tools.toml", "status = \"verified-bytes\"", &with);
    project.settings(&format!("targets = [\"{TARGET}\"]\n"));
    project
}

#[test]
fn a_signature_by_minisign_is_locked_and_checked_when_the_bytes_come() {
    let project = signed(GOOD);
    project.xprov("-q lock").ok();
    let lock = project.read("toolchains.lock");
    assert_eq!(lock.matches("authenticated = \"signature\"").count(), 1, "{lock}");
    assert!(
        !project.server().requests().iter().any(|request| request.path == "/tools-1.0.0.tar.gz")
    );
    project.xprov("-q --locked restore").ok();

    // The right digest of bytes that were not signed.
    let project = signed(GOOD);
    project.xprov("-q lock").ok();
    let good = GOOD.lines().nth(1).expect("a signature");
    let lock = project.read("toolchains.lock").replace(good, &flipped(good));
    project.write("toolchains.lock", lock);
    assert_snapshot!(project.xprov("--locked restore"), @r"
    exit 5
    --- stderr
    note: toolchains are kept in [XPROV_HOME] (0 MB to fetch, unpacked about six times that); XPROV_HOME moves it, deleting it undoes everything
    error: tools 1.0.0 is not signed as its recipe says
      caused by: the bytes of `tools-1.0.0.tar.gz` are not what was signed
      caused by: The signature verification failed

      help: correct `minisign` in the recipe, or name other `urls` in it
    ");
}

/// The signature with another bit, in a place that is neither algorithm nor key.
fn flipped(signature: &str) -> String {
    let (start, end) = signature.split_at(40);
    let other = if end.starts_with('A') { 'B' } else { 'A' };
    format!("{start}{other}{}", &end[1..])
}

#[test]
fn a_signature_of_another_file_or_by_another_key_is_refused_when_it_is_locked() {
    assert_snapshot!(signed(OLDER).xprov("lock"), @r"
    exit 5
    --- stderr
       Resolving fake-rust
       Resolving fake-gcc-arm for armv7-unknown-linux-gnueabihf
       Resolving fake-gcc-host for [HOST]
       Resolving fake-qemu for armv7-unknown-linux-gnueabihf
       Resolving fake-tools
    error: tools 1.0.0 is not signed as its recipe says
      caused by: the signature is of `tools-0.9.0.tar.gz`, and not of `tools-1.0.0.tar.gz`

      help: correct `minisign` in the recipe, or name other `urls` in it
    ");
    assert_snapshot!(signed(OTHER).xprov("lock"), @r"
    exit 5
    --- stderr
       Resolving fake-rust
       Resolving fake-gcc-arm for armv7-unknown-linux-gnueabihf
       Resolving fake-gcc-host for [HOST]
       Resolving fake-qemu for armv7-unknown-linux-gnueabihf
       Resolving fake-tools
    error: tools 1.0.0 is not signed as its recipe says
      caused by: the signature is not one by the key RWQwU6by2A/P91GzJPF9kBgbDoihnToua0iubLA0klPhI50qXJVtR3va
      caused by: The signature was created with a different key than the one provided

      help: correct `minisign` in the recipe, or name other `urls` in it
    ");
}

/// The digest in the recipe is what bytes are checked against, with a signature or without: where
/// none can be had, a lock is made all the same, for hosts whose files nobody here can fetch.
#[test]
fn a_signature_that_cannot_be_had_leaves_the_digest_of_the_recipe() {
    let others = ["rust", "gcc-arm", "gcc-host", "qemu"];
    let published = |project: &Project, recipes: &[&str]| {
        let with = "status = \"confirmed\"\nseen-in = [\"the notes of its release\"]";
        for recipe in recipes {
            let path = format!("recipes/fake-{recipe}.toml");
            project.edit(&path, "status = \"verified-bytes\"", with);
        }
    };
    let project = signed(GOOD);
    published(&project, &others);
    published(&project, &["tools"]);
    project.server().always("/tools-1.0.0.tar.gz.minisig", Fault::Status(404, None));
    let said = project.xprov("lock --require-signed").ok().stderr;
    let notes: Vec<&str> = said.lines().filter(|line| line.starts_with("note: ")).collect();
    assert_eq!(notes.len(), 1, "{said}");
    assert!(notes[0].starts_with("note: tools 1.0.0: without signature, by the digest"), "{said}");
    let lock = project.read("toolchains.lock");
    assert_eq!(lock.matches("authenticated = \"published-digest\"").count(), 8, "{lock}");
    assert!(!lock.contains("minisign"), "{lock}");
    // What is locked stays as it is, until it is asked for again; the bytes are checked.
    assert_eq!(project.xprov("lock --require-signed").ok().stderr, "");
    project.xprov("-q --locked restore").ok();

    // Nobody published the digest either: then a signature was all there was.
    let project = signed(GOOD);
    published(&project, &others);
    project.server().always("/tools-1.0.0.tar.gz.minisig", Fault::Status(503, None));
    assert_eq!(project.xprov("-q lock --require-signed").code, Some(5));
    let said = project.xprov("lock").ok().stderr;
    let is_note = |line: &&str| line.starts_with("note: tools 1.0.0: without signature");
    let notes: Vec<&str> = said.lines().filter(is_note).collect();
    assert!(notes.len() == 1 && notes[0].ends_with(')') && notes[0].contains("503"), "{said}");
    let lock = project.read("toolchains.lock");
    assert_eq!(lock.matches("authenticated = \"first-use\"").count(), 1, "{lock}");
    let asked = |request: &&crate::support::server::Request| request.path.ends_with(".minisig");
    let before = project.server().requests().iter().filter(asked).count();
    project.xprov("-q update").ok();
    assert!(project.server().requests().iter().filter(asked).count() > before);

    // The same lock once the server answers, but for what it says of the signature.
    let project = signed(GOOD);
    published(&project, &["tools"]);
    project.server().fault("/tools-1.0.0.tar.gz.minisig", Fault::Status(404, None));
    project.xprov("-q lock").ok();
    let without = project.read("toolchains.lock");
    project.xprov("-q update").ok();
    let with = project.read("toolchains.lock");
    let key = KEY.lines().nth(1).expect("the second line is the key");
    let start = with.find(", minisign = {").expect("the signature");
    let end = start + with[start..].find("\" }").expect("its end") + 3;
    assert!(with[start..end].contains(key), "{with}");
    let bare = format!("{}{}", &with[..start], &with[end..]);
    assert_eq!(bare.replacen("\"signature\"", "\"published-digest\"", 1), without);
}
