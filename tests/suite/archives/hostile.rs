//! What is refused, by name and reason, and what is no archive at all.

use xprov::archive::UnpackSpec;

use super::build::{TarBuilder, deb, gzip, replace, sample, xz, zip, zstd};
use super::{refused, refused_with};

fn tar() -> TarBuilder {
    TarBuilder::new()
}

/// Entries that are fine, so that a refusal comes while writing.
fn ok() -> TarBuilder {
    tar().directory("dir/").file("dir/file", "x")
}

fn refused_as(archive: TarBuilder, entry: &str, reason: &str) {
    let expected = format!("the entry `{entry}` is refused: {reason}");
    assert_eq!(refused(&archive.file("after", "").build()), expected);
}

#[test]
fn hostile_names_and_kinds_are_refused() {
    let name = |reason: &str| format!("its name is refused: {reason}");

    refused_as(ok().file("/etc/passwd", "x"), "/etc/passwd", &name("the path is absolute"));
    refused_as(ok().file("../x", "x"), "../x", &name("the path has a `..` component"));
    refused_as(
        ok().file("dir/../../x", "x"),
        "dir/../../x",
        &name("the path has a `..` component"),
    );
    refused_as(ok().directory("dir/.."), "dir/..", &name("the path has a `..` component"));
    refused_as(
        ok().raw(b"b\xffd", b'0', 0o644, "", b"x"),
        "b\u{fffd}d",
        &name("the path is not UTF-8 text, or has a NUL character"),
    );
    refused_as(ok().file("", "x"), "", &name("the path is empty"));
    refused_as(ok().file(".", "x"), ".", "it is the root of the tree, but not a directory");
    refused_as(
        ok().file("./", "x"),
        "./",
        "it is a directory or link, but has 1 bytes of contents",
    );
    refused_as(ok().symlink(".", "dir"), ".", "it is the root of the tree, but not a directory");

    for (kind, what) in [
        (b'3', "a character device"),
        (b'4', "a block device"),
        (b'6', "a fifo"),
        (b'V', "of the unknown type `V`"),
    ] {
        let reason = format!("it is {what}; only directories, files and links are unpacked");
        refused_as(ok().raw("dir/node", kind, 0o644, "", b""), "dir/node", &reason);
    }
}

#[test]
fn names_that_meet_other_entries_are_refused() {
    refused_as(ok().file("dir/file", "y"), "dir/file", "`dir/file` occurs twice");
    refused_as(ok().file("./dir//file", "y"), "./dir//file", "`dir/file` occurs twice");
    refused_as(ok().file("dir", "y"), "dir", "`dir` occurs twice");
    refused_as(ok().directory("dir/file/"), "dir/file/", "`dir/file` occurs twice");
    refused_as(ok().symlink("dir", "x"), "dir", "`dir` occurs twice");
    refused_as(ok().hard_link("dir/file", "dir/file"), "dir/file", "`dir/file` occurs twice");
    refused_as(
        ok().file("dir/file/x", "y"),
        "dir/file/x",
        "`dir/file/x` is below `dir/file`, which is not a directory",
    );
    refused_as(
        tar().symlink("l", ".").file("l/x", "y"),
        "l/x",
        "`l/x` is below `l`, which is not a directory",
    );
    refused_as(
        tar().symlink("l", "dir").directory("dir/").directory("l/sub/"),
        "l/sub/",
        "`l/sub` is below `l`, which is not a directory",
    );
}

#[test]
fn hostile_links_are_refused() {
    let outside = |target: &str| format!("the link's target `{target}` is outside of the tree");
    refused_as(ok().symlink("l", "../x"), "l", &outside("../x"));
    refused_as(ok().symlink("dir/l", "../../x"), "dir/l", &outside("../../x"));
    refused_as(ok().symlink("dir/l", "a/../../../x"), "dir/l", &outside("a/../../../x"));
    refused_as(ok().symlink("dir/l", "/../x"), "dir/l", &outside("/../x"));
    refused_as(
        ok().symlink("l", ""),
        "l",
        "the target of the link `l` is empty or has a NUL character",
    );

    let not_earlier = "which is not an earlier file of this tree";
    for target in ["after", "dir", "nowhere", "."] {
        let reason = format!("it is a hard link to `{target}`, {not_earlier}");
        refused_as(ok().hard_link("h", target), "h", &reason);
    }
    refused_as(
        tar().symlink("l", "x").hard_link("h", "l"),
        "h",
        &format!("it is a hard link to `l`, {not_earlier}"),
    );
    refused_as(
        ok().hard_link("h", "/etc/passwd"),
        "h",
        "it is a hard link to `/etc/passwd`, which is refused: the path is absolute",
    );
    refused_as(
        ok().hard_link("h", "../x"),
        "h",
        "it is a hard link to `../x`, which is refused: the path has a `..` component",
    );

    refused_as(
        ok().raw("h", b'1', 0o644, "dir/file", b"payload"),
        "h",
        "it is a directory or link, but has 7 bytes of contents",
    );
}

#[test]
fn pax_headers_that_readers_disagree_on_are_refused() {
    refused_as(
        ok().pax(&[("GNU.sparse.major", "1"), ("GNU.sparse.name", "s")]).file("p/s", "x"),
        "p/s",
        "its contents cannot be read: PAX sparse files are not supported",
    );
    refused_as(
        ok().pax(&[("path", "one"), ("path", "two")]).file("x", "x"),
        "one",
        "its PAX header is malformed: the entry has two names",
    );
    refused_as(
        ok().raw("pax", b'x', 0o644, "", b"99 path=x\n").file("x", "x"),
        "x",
        "its PAX header is malformed: a record cannot be read",
    );
    refused_as(
        ok().pax(&[("size", "1"), ("size", "9")]).file("x", "x"),
        "x",
        "its PAX header is malformed: the entry has two sizes",
    );
}

#[test]
fn what_is_dropped_has_no_bad_name_either() {
    let keep = UnpackSpec { strip: 0, keep: Some("dir".into()) };
    let archive = tar().file("dir/file", "x").file("../../x", "y").build();
    let text = refused_with(&archive, &keep);
    assert!(text.starts_with("the entry `../../x` is refused"), "{text}");

    let linked = tar().file("other", "x").hard_link("dir/h", "other").build();
    let text = refused_with(&linked, &keep);
    assert!(text.ends_with("`other`, which is not an earlier file of this tree"), "{text}");

    let text = refused_with(&tar().file("dir", "x").build(), &keep);
    assert!(text.ends_with("it is the root of the tree, but not a directory"), "{text}");

    let text = refused_with(&tar().file("etc", "x").build(), &keep);
    assert_eq!(text, "nothing of the archive is left with strip = 0, keep = \"dir\"");

    let spec = UnpackSpec { strip: 0, keep: Some("../x".into()) };
    let text = refused_with(&sample(), &spec);
    assert!(text.starts_with("`../x` cannot be kept"), "{text}");
}

#[test]
fn hostile_zip_entries_are_refused_by_name() {
    let text = refused(&replace(zip(&[("xx/a", 0o644, b"x")]), b"xx/a", b"../a"));
    assert!(text.starts_with("the entry `../a` is refused: its name"), "{text}");
    let text = refused(&replace(zip(&[("xetc", 0o644, b"x")]), b"xetc", b"/etc"));
    assert!(text.starts_with("the entry `/etc` is refused: its name"), "{text}");
    let text = refused(&zip(&[("l", 0o120_777, b"../x")]));
    assert!(text.ends_with("the link's target `../x` is outside of the tree"), "{text}");
    let text =
        refused(&replace(zip(&[("one", 0o644, b"x"), ("two", 0o644, b"y")]), b"two", b"one"));
    assert_eq!(text, "the entry `one` is refused: `one` occurs twice");
    let text = refused(&zip(&[("f", 0o644, b"x"), ("f/below", 0o644, b"y")]));
    assert!(text.starts_with("the entry `f/below` is refused: `f/below` is below `f`"), "{text}");
}

#[test]
fn damage_is_called_damage() {
    let flipped = |mut bytes: Vec<u8>| {
        let at = bytes.len() / 2;
        bytes[at] ^= 0x55;
        bytes
    };
    // Incompressible contents, so that the middle of the stream is data.
    let noise: String = (0..40_000_u32)
        .map(|n| char::from(33 + (n.wrapping_mul(2_654_435_761) >> 26) as u8))
        .collect();
    let tar = tar().file("noise", &noise).build();
    for archive in
        [flipped(xz(&tar)), flipped(gzip(&tar)), flipped(zip(&[("n", 0o644, noise.as_bytes())]))]
    {
        let text = refused(&archive);
        assert!(text.starts_with("the archive is damaged"), "{text}");
    }
    let mut header = tar.clone();
    header[0] ^= 1;
    assert!(refused(&header).starts_with("the archive is damaged"), "{}", refused(&header));
    // The checksum of a compressed stream comes after the end of the archive in it.
    let mut checksum = gzip(&tar);
    let at = checksum.len() - 8;
    checksum[at] ^= 1;
    assert!(refused(&checksum).starts_with("the archive is damaged"));
    let garbage = [zstd(&tar), b"garbage".to_vec()].concat();
    assert!(refused(&garbage).starts_with("the archive is damaged"));
}

#[test]
fn what_is_no_archive_is_called_what_it_is() {
    let page = b"<!DOCTYPE html><html><body>Are you a robot?</body></html>";
    let web = "the server sent a web page instead of an archive";
    assert_eq!(refused(page), web);
    assert_eq!(refused(&gzip(page)), web);
    assert_eq!(refused(b""), "there are no bytes where an archive is expected");
    let text = refused(b"Not Found\n");
    assert!(text.ends_with("it starts with `Not Found\\n`"), "{text}");
    let text = refused(&gzip(&zip(&[("a", 0o644, b"")])));
    assert!(text.ends_with("there is no tar archive in the compressed stream"), "{text}");
}

#[test]
fn packages_that_are_none_are_refused() {
    let library =
        [&b"!<arch>\n"[..], format!("{:<48}{:<10}`\n", "x.o/", 2).as_bytes(), b"xx"].concat();
    let text = refused(&library);
    assert!(text.ends_with("the ar archive is not a Debian package of format 2"), "{text}");
    let text = refused(&deb(&[("control.tar.gz", b"x")]));
    assert!(text.starts_with("the archive is truncated"), "{text}");
    let text = refused(&deb(&[("data.tar.xz", &deb(&[]))]));
    assert!(text.ends_with("a tar archive is expected here, not another archive"), "{text}");
    let mut odd = deb(&[("data.tar", b"x")]);
    odd[8 + 58] = b'?';
    assert!(refused(&odd).ends_with("has a malformed header"), "{}", refused(&odd));
}

#[test]
fn small_downloads_that_grow_are_stopped() {
    let mut header = ::tar::Header::new_gnu();
    header.set_path("huge").expect("path");
    header.set_mode(0o644);
    header.set_size(1 << 60);
    header.set_cksum();
    let text = refused(&tar().bytes(header.as_bytes()).build());
    assert_eq!(text, "the archive unpacks to more than 17179869184 bytes");

    // A name of 3 MiB is not read into memory.
    let long = "n".repeat(3 << 20);
    let text =
        refused(&xz(&tar().raw("@", b'L', 0o644, "", long.as_bytes()).file("x", "").build()));
    assert!(text.ends_with("the headers of an entry have more than 1 MiB"), "{text}");
}
