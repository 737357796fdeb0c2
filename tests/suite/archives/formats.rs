//! What is unpacked, and to what.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use proptest::prelude::*;
use xprov::archive::{UnpackError, UnpackSpec, unpack, unpack_on};
use xprov::tree::{Folding, Node, scan};
use xprov::vocab::digest::Blake3;
use xprov::vocab::relpath::RelPath;

use super::build::{TarBuilder, deb, gzip, sample, xz, zip, zstd};
use super::{Room, names, refused, report, shape, unpacked, unpacked_with};

const SAMPLE: [&str; 6] = [
    "d bin",
    "x bin/tool",
    "d share",
    "d share/empty",
    "f share/large",
    "l share/link ../bin/tool",
];

fn path(text: &str) -> RelPath {
    RelPath::parse(text.as_bytes()).expect("path")
}

#[test]
fn every_compression_and_container_gives_the_same_tree() {
    let tar = sample();
    let plain = unpacked(&tar);
    assert_eq!(shape(&plain), SAMPLE);
    let (first, second) = tar.split_at(tar.len() / 3);
    let joined = |compress: fn(&[u8]) -> Vec<u8>| [compress(first), compress(second)].concat();
    // A skippable frame, as parallel compressors write.
    let skippable = [&b"\x50\x2a\x4d\x18\x04\0\0\0skip"[..], &zstd(&tar)].concat();
    let control = gzip(&TarBuilder::new().file("./control", "Package: x\n").build());
    for (name, archive) in [
        ("xz", xz(&tar)),
        ("xz streams", joined(xz)),
        ("xz streams with padding", [xz(first), vec![0; 8], xz(second)].concat()),
        ("gzip", gzip(&tar)),
        ("gzip members", joined(gzip)),
        ("zstd", zstd(&tar)),
        ("zstd frames", joined(zstd)),
        ("zstd skippable", skippable),
        ("deb xz", deb(&[("control.tar.gz", &control), ("data.tar.xz", &xz(&tar))])),
        ("deb gz", deb(&[("control.tar.gz", &control), ("data.tar.gz", &joined(gzip))])),
        ("deb zst", deb(&[("control.tar.gz", &control), ("data.tar.zst", &zstd(&tar))])),
        ("deb plain", deb(&[("control.tar.gz", &control), ("data.tar", &tar)])),
        ("deb with more", deb(&[("_odd", b"123"), ("data.tar", &tar), ("_late", b"x")])),
    ] {
        assert_eq!(unpacked(&archive), plain, "{name}");
    }
}

#[test]
fn xz_blocks_are_all_read() {
    let tar = sample();
    let mut options = xz2::stream::LzmaOptions::new_preset(1).expect("preset");
    options.dict_size(64 * 1024);
    let mut filters = xz2::stream::Filters::new();
    filters.lzma2(&options);
    let check = xz2::stream::Check::Crc32;
    let mut stream = xz2::stream::Stream::new_stream_encoder(&filters, check).expect("xz");
    let mut packed = Vec::with_capacity(tar.len() + 4096);
    for (index, block) in tar.chunks(200_000).enumerate() {
        // A full flush ends a block.
        let last = (index + 1) * 200_000 >= tar.len();
        let action =
            if last { xz2::stream::Action::Finish } else { xz2::stream::Action::FullFlush };
        let before = stream.total_in();
        while usize::try_from(stream.total_in() - before).expect("small") < block.len() {
            let done = usize::try_from(stream.total_in() - before).expect("small");
            stream.process_vec(&block[done..], &mut packed, action).expect("xz");
        }
        while stream.process_vec(&[], &mut packed, action).expect("xz")
            != xz2::stream::Status::StreamEnd
        {}
    }
    assert_eq!(unpacked(&packed), unpacked(&tar));
}

#[test]
fn a_zip_has_modes_links_and_directories() {
    let unpacked = unpacked(&zip(&[
        ("top/", 0o040_755, b""),
        ("top/tool", 0o100_755, b"#!/bin/sh\n"),
        ("top/sub/file", 0o100_644, "text".repeat(100_000).as_bytes()),
        ("top/link", 0o120_777, b"/top/sub/file"),
    ]));
    assert_eq!(
        shape(&unpacked),
        ["d top", "l top/link ../top/sub/file", "d top/sub", "f top/sub/file", "x top/tool"]
    );
    assert!(super::unpacked(&zip(&[])).tree.is_empty());
}

#[test]
fn the_part_that_is_asked_for_becomes_the_root() {
    let archive = TarBuilder::new()
        .directory("rust-1.95/")
        .file("rust-1.95/install.sh", "")
        .file("rust-1.95/rustc/manifest.in", "m")
        .executable("rust-1.95/rustc/bin/rustc", "r")
        .hard_link("rust-1.95/rustc/bin/again", "rust-1.95/rustc/bin/rustc")
        .symlink("rust-1.95/rustc/lib/link", "/rustc/bin/rustc")
        .file("rust-1.95/rustc-docs/page", "")
        .build();
    let spec = UnpackSpec { strip: 1, keep: Some("rustc".into()) };
    let kept = unpacked_with(&archive, &spec);
    assert_eq!(
        shape(&kept),
        [
            "d bin",
            "x bin/again",
            "x bin/rustc",
            "d lib",
            "l lib/link ../bin/rustc",
            "f manifest.in"
        ]
    );
    let stripped = unpacked_with(&archive, &UnpackSpec { strip: 1, keep: None });
    assert_eq!(stripped.tree.get(&path("rustc/manifest.in")), kept.tree.get(&path("manifest.in")));
    assert!(stripped.tree.get(&path("install.sh")).is_some());
}

#[test]
fn hard_links_share_bytes_and_digest() {
    let archive = TarBuilder::new().executable("a/tool", "x").hard_link("tool-12", "./a/tool");
    let room = Room::new();
    let unpacked = room.unpack(&archive.build(), &UnpackSpec::default()).expect("unpack");
    assert_eq!(unpacked.tree.get(&path("tool-12")), unpacked.tree.get(&path("a/tool")));
    let inode = |name| fs::metadata(room.dest().join(name)).expect("stat").ino();
    assert_eq!(inode("tool-12"), inode("a/tool"));
}

#[test]
fn long_names_and_pax_records_are_read() {
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(200));
    let gnu = {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o644);
        builder.append_data(&mut header, &long, &b"x"[..]).expect("append");
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, "link", &long).expect("append");
        builder.into_inner().expect("tar")
    };
    let pax = TarBuilder::new()
        .raw("g", b'g', 0o644, "", b"19 path=never/used\n")
        .pax(&[("path", &long), ("mtime", "1.5"), ("SCHILY.xattr.user.x", "y"), ("size", "1")])
        .file("short", "x")
        .pax(&[("linkpath", &long)])
        .symlink("link", "short")
        .build();
    let expected =
        [format!("d {}", "d".repeat(120)), format!("f {long}"), format!("l link {long}")];
    assert_eq!(shape(&unpacked(&gnu)), expected);
    assert_eq!(shape(&unpacked(&pax)), expected);
}

#[test]
fn a_gnu_sparse_file_has_its_holes() {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_mode(0o644);
    header.set_size(512 + 3);
    let gnu = header.as_gnu_mut().expect("gnu");
    gnu.name[..6].copy_from_slice(b"sparse");
    gnu.set_real_size(1_000_003);
    for (block, offset, length) in [(0, 4096, 512), (1, 1_000_000, 3)] {
        gnu.sparse[block].set_offset(offset);
        gnu.sparse[block].set_length(length);
    }
    header.set_cksum();
    let data = [&[b'a'; 512][..], b"end"].concat();
    let archive = TarBuilder::new().bytes(header.as_bytes()).contents(&data).file("next", "n");

    let mut contents = vec![0; 1_000_003];
    contents[4096..4608].fill(b'a');
    contents[1_000_000..].copy_from_slice(b"end");
    let node = Node::File { size: 1_000_003, executable: false, digest: Blake3::of(&contents) };
    assert_eq!(unpacked(&archive.build()).tree.get(&path("sparse")), Some(&node));
}

#[test]
fn modes_are_normal_and_special_bits_are_dropped_and_noted() {
    let archive = TarBuilder::new()
        .raw("sticky/", b'5', 0o1777, "", b"")
        .raw("private", b'0', 0o400, "", b"p")
        .raw("su", b'0', 0o4711, "", b"s")
        .raw("group-x", b'0', 0o010, "", b"g")
        .build();
    let room = Room::new();
    let unpacked = room.unpack(&archive, &UnpackSpec::default()).expect("unpack");
    assert_eq!(unpacked.notes.dropped_mode_bits, [path("sticky"), path("su")]);
    for (name, mode) in [("sticky", 0o755), ("private", 0o644), ("su", 0o755), ("group-x", 0o755)] {
        let metadata = fs::metadata(room.dest().join(name)).expect("stat");
        assert_eq!(metadata.permissions().mode() & 0o7777, mode, "{name}");
        assert!(metadata.is_dir() || metadata.mtime() == 1, "{name}");
    }
}

#[test]
fn the_umask_does_not_matter() {
    let this_binary = std::env::current_exe().expect("test binary");
    let name = "archives::formats::modes_are_normal_and_special_bits_are_dropped_and_noted";
    let output = std::process::Command::new("sh")
        .args(["-c", "umask 077 && exec \"$0\" --exact \"$1\""])
        .arg(this_binary)
        .arg(name)
        .output()
        .expect("run");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn collisions_of_case_are_noted_where_the_disk_keeps_them_apart() {
    let archive = TarBuilder::new().file("xt_MARK.h", "1").file("xt_mark.h", "2").build();
    let unpacked = Room::new().unpack(&archive, &UnpackSpec::default()).expect("unpacked");
    let pair = (path("xt_MARK.h"), path("xt_mark.h"));
    assert_eq!(unpacked.notes.case_collisions, [pair]);
    if cfg!(target_os = "linux") {
        assert_eq!(unpacked.notes.left_out, []);
    }
}

#[test]
fn a_disk_that_ignores_case_gets_none_of_those_that_collide_and_the_tree_is_the_same() {
    // The order of the archive is not that of the names.
    let archive = TarBuilder::new()
        .file("n/xt_mark.h", "2")
        .file("n/xt_MARK.h", "1")
        .file("N/xt_Mark.h", "1")
        .file("n/same.h", "s")
        .file("n/SAME.h", "s")
        .file("n/other.h", "o")
        .file("caf\u{e9}", "1")
        .file("cafe\u{301}", "2")
        .build();
    let spec = UnpackSpec::default();
    let apart = Room::new().unpack(&archive, &spec).expect("unpacked");
    let room = Room::new();
    let mac = unpack_on(Folding::MAC, &archive[..], &spec, &room.dest(), &room.scratch());
    let mac = mac.expect("unpacked");
    assert_eq!(mac.tree, apart.tree, "the hash is that of the archive");
    let left_out: Vec<&str> = mac.notes.left_out.iter().map(RelPath::as_str).collect();
    let expected = ["N/xt_Mark.h", "cafe\u{301}", "caf\u{e9}", "n/xt_MARK.h", "n/xt_mark.h"];
    assert_eq!(left_out, expected);
    assert_eq!(names(&room.dest()), ["n"], "one directory of two, and no file of another name");
    assert_eq!(names(&room.dest().join("n")), ["other.h", "same.h"]);
}

#[test]
fn a_file_and_a_directory_of_one_name_are_refused_on_a_disk_that_ignores_case() {
    for files in [["lib/a", "LIB"], ["LIB", "lib/a"]] {
        let archive = TarBuilder::new().file(files[0], "1").file(files[1], "2").build();
        let (room, spec) = (Room::new(), UnpackSpec::default());
        let result = unpack_on(Folding::MAC, &archive[..], &spec, &room.dest(), &room.scratch());
        let error = result.expect_err("no room");
        assert!(matches!(error, UnpackError::CaseCollision { .. }), "{error}");
    }
}

#[test]
fn a_disk_that_answers_that_the_name_is_there_has_folded_it() {
    let archive = TarBuilder::new().file("xt_MARK.h", "1").file("xt_mark.h", "2").build();
    let room = Room::new();
    // What creating the second name meets on a file system that ignores case.
    fs::write(room.dest().join("xt_mark.h"), "").expect("write");
    let error = room.unpack(&archive, &UnpackSpec::default()).expect_err("refused");
    let text = error.to_string();
    assert!(text.starts_with("`xt_MARK.h` and `xt_mark.h` are one name on"), "{text}");
}

#[test]
fn old_directories_end_in_a_slash_and_parents_need_no_entry() {
    let archive = TarBuilder::new()
        .raw("old/", b'0', 0o755, "", b"")
        .file("made/for/file", "x")
        .directory("made/")
        .build();
    assert_eq!(shape(&unpacked(&archive)), ["d made", "d made/for", "f made/for/file", "d old"]);
}

#[test]
fn the_reader_may_have_more_and_its_own_errors_are_told_apart() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "reset by peer"))
        }
    }
    let tar = sample();
    for archive in [tar.clone(), xz(&tar), gzip(&tar), zstd(&tar), zip(&[("a", 0o644, b"x")])] {
        let room = Room::new();
        let input = (&archive[..archive.len() / 2]).chain(Fails);
        let scratch = room.dest().join("../scratch");
        let error = unpack(input, &UnpackSpec::default(), &room.dest(), &scratch)
            .expect_err("the input fails");
        assert!(matches!(error, UnpackError::Input(_)), "{error:?}");
        assert_eq!(report(&error), "cannot read the archive: reset by peer");
    }
    let package = deb(&[("data.tar.xz", &xz(&tar)), ("_after", &vec![0; 5_000_000])]);
    let mut rest = &package[..];
    let room = Room::new();
    unpack(&mut rest, &UnpackSpec::default(), &room.dest(), &room.dest()).expect("unpack");
    assert!(rest.len() > 4_000_000);
}

#[test]
fn bytes_that_are_missing_are_called_missing() {
    let tar = sample();
    let zipped = zip(&[("a", 0o644, "x".repeat(5000).as_bytes())]);
    let packed = deb(&[("data.tar.gz", &gzip(&tar))]);
    for (name, archive) in [
        ("tar", &tar),
        ("xz", &xz(&tar)),
        ("gzip", &gzip(&tar)),
        ("zstd", &zstd(&tar)),
        ("zip", &zipped),
        ("deb", &packed),
        ("deb plain", &deb(&[("data.tar", &tar)])),
    ] {
        for length in [archive.len() / 3, archive.len() / 2, archive.len() * 9 / 10] {
            let length = if name == "zip" { length.min(60) } else { length };
            let text = refused(&archive[..length]);
            assert_eq!(
                text,
                "the archive is truncated: its bytes end before the archive does",
                "{name}, {length} of {} bytes",
                archive.len()
            );
        }
    }
    // Between two entries, where nothing but the end marker is missing.
    let text = refused(&TarBuilder::new().file("a", "x").unfinished());
    assert!(text.starts_with("the archive is truncated"), "{text}");
}

#[derive(Debug, Clone)]
enum Kind {
    Directory,
    File(Vec<u8>, bool),
    Symlink(String),
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Directory),
        (proptest::collection::vec(any::<u8>(), 0..3000), any::<bool>())
            .prop_map(|(bytes, executable)| Kind::File(bytes, executable)),
        "[a-z%]{1,5}".prop_map(Kind::Symlink),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_tree_survives_its_archive(
        entries in proptest::collection::btree_map("[a-c]{1,2}(/[a-cé% .\n-]{1,3}z){0,3}", kind(), 0..30),
        compress in 0..4_usize,
    ) {
        let mut builder = tar::Builder::new(Vec::new());
        let mut expected = xprov::tree::Tree::new();
        for (name, kind) in &entries {
            let node = match kind {
                Kind::Directory => Node::Directory,
                Kind::File(bytes, executable) => Node::File {
                    size: bytes.len() as u64,
                    executable: *executable,
                    digest: Blake3::of(bytes),
                },
                Kind::Symlink(target) => Node::Symlink { target: target.clone() },
            };
            if expected.insert(path(name), node).is_err() {
                continue;
            }
            let mut header = tar::Header::new_gnu();
            header.set_size(0);
            match kind {
                Kind::Directory => {
                    header.set_entry_type(tar::EntryType::Directory);
                    header.set_mode(0o700);
                    builder.append_data(&mut header, name, &b""[..]).expect("append");
                }
                Kind::File(bytes, executable) => {
                    header.set_mode(if *executable { 0o755 } else { 0o644 });
                    header.set_size(bytes.len() as u64);
                    builder.append_data(&mut header, name, &bytes[..]).expect("append");
                }
                Kind::Symlink(target) => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    builder.append_link(&mut header, name, target).expect("append");
                }
            }
        }
        let tar = builder.into_inner().expect("tar");
        let archive = match compress {
            0 => tar,
            1 => xz(&tar),
            2 => gzip(&tar),
            _ => zstd(&tar),
        };
        let room = Room::new();
        let unpacked = room.unpack(&archive, &UnpackSpec::default()).expect("unpack");
        prop_assert_eq!(unpacked.tree.hash(), expected.hash());
        prop_assert_eq!(scan(&room.dest()).expect("scan").hash(), expected.hash());
    }
}
