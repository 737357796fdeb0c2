//! Paths of the machine that built a file, wherever they stand in it: one pass over its bytes, and
//! one over what its compressed sections unpack to. Which paths are a leak is the rule's business.

use std::collections::BTreeMap;
use std::io::Read;

use memchr::{memchr_iter, memmem};

use super::policy::BuildRoot;
use super::sections::{Packed, Section};
use crate::archive::{Compression, decoder};

/// What all compressed sections of a file may unpack to, in bytes: more is not read.
const MOST_UNPACKED: u64 = 512 << 20;

/// What is unpacked at a time, in bytes.
const CHUNK: usize = 1 << 20;

/// The longest path that is shown, in bytes.
const MOST_SHOWN: usize = 120;

/// Directories that hold people's files, or scratch: what follows is somebody's choice.
const ANYWHERE: [(&str, &str); 6] = [
    ("/home", "a home directory"),
    ("/Users", "a home directory"),
    ("/root", "a home directory"),
    ("/tmp", "a temporary directory"),
    ("/var/tmp", "a temporary directory"),
    ("/var/folders", "a temporary directory"),
];

/// The shortest name of a machine that is looked for: shorter ones are words.
const SHORTEST_HOST: usize = 5;

/// Paths of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// Whose: `the workspace`, `a home directory`.
    pub what: &'static str,
    /// The first path.
    pub path: String,
    /// The section in which that is.
    pub section: Option<String>,
    /// How often paths of this kind occur.
    pub count: usize,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scan {
    /// One for each kind, in the order of their first places.
    pub leaks: Vec<Leak>,
    /// Sections that could not be unpacked, or not to their end.
    pub unread: Vec<String>,
}

/// Looks for paths in `data`, a file with `sections`: below the `roots` of its build, in home and
/// temporary directories, and for the name of the machine, `host`.
pub fn scan(data: &[u8], sections: &[Section], roots: &[BuildRoot], host: Option<&str>) -> Scan {
    let mut search = Search::new(roots, host);
    for (start, bytes) in plain(data, sections) {
        search.bytes(bytes, 0, true, &|offset| {
            let offset = start + offset;
            let holds = |section: &&Section| {
                offset >= section.offset && offset - section.offset < section.content
            };
            sections.iter().find(holds).map(|section| section.name.clone())
        });
    }
    let mut scan = Scan::default();
    let mut left = MOST_UNPACKED;
    for section in sections.iter().filter(|section| section.packed.is_some()) {
        if search.section(data, section, &mut left).is_none() {
            scan.unread.push(section.name.clone());
        }
    }
    scan.leaks = search.leaks();
    scan
}

/// What of `data` is not in a compressed section, each part with its offset.
fn plain<'data>(data: &'data [u8], sections: &[Section]) -> Vec<(u64, &'data [u8])> {
    let range = |section: &Section| {
        let start = usize::try_from(section.offset).ok()?;
        let end = start.checked_add(usize::try_from(section.content).ok()?)?;
        Some((start.min(data.len()), end.min(data.len())))
    };
    let packed = sections.iter().filter(|section| section.packed.is_some());
    let mut packed: Vec<(usize, usize)> = packed.filter_map(range).collect();
    packed.sort_unstable();
    packed.push((data.len(), data.len()));
    let (mut parts, mut at) = (Vec::new(), 0);
    for (start, end) in packed {
        if let (Some(bytes), Ok(offset)) = (data.get(at..start), u64::try_from(at)) {
            parts.push((offset, bytes));
        }
        at = at.max(end);
    }
    parts
}

struct Search<'a> {
    /// Longest first: a path belongs to the innermost directory.
    roots: Vec<&'a BuildRoot>,
    host: Option<memmem::Finder<'a>>,
    /// The bytes that follow the slash with which the directories begin.
    seconds: Vec<u8>,
    found: BTreeMap<&'static str, (usize, Leak)>,
}

impl<'a> Search<'a> {
    fn new(roots: &'a [BuildRoot], host: Option<&'a str>) -> Self {
        let is_name = |host: &&str| host.len() >= SHORTEST_HOST && *host != "localhost";
        let mut roots: Vec<&BuildRoot> =
            roots.iter().filter(|root| root.path.starts_with('/') && root.path.len() > 1).collect();
        roots.sort_by_key(|root| std::cmp::Reverse(root.path.len()));
        let host = host.filter(is_name).map(memmem::Finder::new);
        let starts = roots.iter().map(|root| root.path.as_str()).chain(ANYWHERE.map(|one| one.0));
        let mut seconds: Vec<u8> =
            starts.filter_map(|start| start.as_bytes().get(1).copied()).collect();
        seconds.sort_unstable();
        seconds.dedup();
        Self { roots, host, seconds, found: BTreeMap::new() }
    }

    /// Looks through `bytes`, of which those before `from` were looked at already, and after which
    /// there is nothing if they are the `last`.
    fn bytes(
        &mut self,
        bytes: &[u8],
        from: usize,
        last: bool,
        place: &dyn Fn(u64) -> Option<String>,
    ) {
        for at in memchr_iter(b'/', bytes) {
            let rest = &bytes[at..];
            // Most slashes are followed by nothing that any of the directories begins with.
            if !rest.get(1).is_some_and(|next| self.seconds.contains(next)) {
                continue;
            }
            // The byte after a match decides; where that was seen before, the match is no news.
            let is_new = |length: usize| at + length >= from;
            let root = self.roots.iter().find(|root| {
                let path = root.path.as_bytes();
                let ends = rest.get(path.len()).map_or(last, |next| !is_part(*next));
                rest.starts_with(path) && ends && is_new(path.len())
            });
            if let Some(root) = root {
                self.add(root.what, bytes, at, place);
                continue;
            }
            let known = ANYWHERE.iter().find(|(start, _)| {
                // `/var/tmp/` is found by itself, and somebody's `/x/tmp/` is not `/tmp/`.
                let inside = at > 0 && is_part(bytes[at - 1]) && !start.starts_with("/home");
                let below = rest.strip_prefix(start.as_bytes()).is_some_and(|rest| {
                    rest.first() == Some(&b'/') && rest.get(1).is_some_and(|next| is_part(*next))
                });
                below && !inside && is_new(start.len() + 1)
            });
            if let Some((_, what)) = known {
                self.add(what, bytes, at, place);
            }
        }
        let Some(host) = self.host.clone() else { return };
        for at in host.find_iter(bytes) {
            let end = at + host.needle().len();
            let inside = at > 0 && is_part(bytes[at - 1]);
            let ends = bytes.get(end).map_or(last, |next| !is_part(*next));
            if ends && !inside && end >= from {
                self.add("the name of the machine", bytes, at, place);
            }
        }
    }

    fn add(
        &mut self,
        what: &'static str,
        bytes: &[u8],
        at: usize,
        place: &dyn Fn(u64) -> Option<String>,
    ) {
        let order = self.found.len();
        let (_, leak) = self.found.entry(what).or_insert_with(|| {
            let section = u64::try_from(at).ok().and_then(place);
            (order, Leak { what, path: shown(&bytes[at..]), section, count: 0 })
        });
        leak.count += 1;
    }

    /// Looks through what a section unpacks to; `None` where that is damaged or too much.
    fn section(&mut self, data: &[u8], section: &Section, left: &mut u64) -> Option<()> {
        let compression = match section.packed? {
            Packed::Zlib => Compression::Zlib,
            Packed::Zstd => Compression::Zstd,
            Packed::Other => return None,
        };
        let start = usize::try_from(section.offset).ok()?;
        let end = start.checked_add(usize::try_from(section.content).ok()?)?;
        // Sections may overlap: what goes in costs as what comes out.
        *left = left.checked_sub(section.content)?;
        let mut reader = decoder(compression, data.get(start..end)?).ok()?;
        let place = |_| Some(section.name.clone());
        let longest = self.roots.first().map_or(0, |root| root.path.len() + 1);
        let shared = MOST_SHOWN.max(longest);
        let mut buffer: Vec<u8> = Vec::with_capacity(CHUNK + shared);
        loop {
            let seen = buffer.len();
            let most = u64::try_from(CHUNK).ok()?.min(*left);
            let read = reader.by_ref().take(most).read_to_end(&mut buffer).ok()?;
            *left -= u64::try_from(read).ok()?;
            self.bytes(&buffer, seen, read == 0, &place);
            if read == 0 {
                return (*left > 0).then_some(());
            }
            let keep = buffer.len().saturating_sub(shared);
            buffer.drain(..keep);
        }
    }

    fn leaks(self) -> Vec<Leak> {
        let mut leaks: Vec<(usize, Leak)> = self.found.into_values().collect();
        leaks.sort_by_key(|(order, _)| *order);
        leaks.into_iter().map(|(_, leak)| leak).collect()
    }
}

/// Whether a byte goes on with the name of a file.
fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'@') || byte > 0x7f
}

/// The path at the start of `bytes`. Texts of Rust have no end: one of a source file ends there.
fn shown(bytes: &[u8]) -> String {
    let length = bytes.iter().take(MOST_SHOWN).take_while(|byte| is_part(**byte) || **byte == b'/');
    let path = &bytes[..length.count()];
    let end = memmem::find(path, b".rs").map_or(path.len(), |at| at + 3);
    String::from_utf8_lossy(&path[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots() -> Vec<BuildRoot> {
        let root = |path: &str, what| BuildRoot { path: path.to_owned(), what };
        vec![root("/w/project", "the workspace"), root("/w/project/target", "the target directory")]
    }

    fn found(data: &[u8]) -> Vec<(&'static str, String, usize)> {
        let leaks = scan(data, &[], &roots(), Some("builder7")).leaks;
        leaks.into_iter().map(|leak| (leak.what, leak.path, leak.count)).collect()
    }

    #[test]
    fn each_kind_of_path_is_found_once_and_counted() {
        let data = b"x/w/project/src/a.rsmore\0/w/project/src/b.rs\0/w/project/target/x.o\0\
                     /home/u/x\0/Users/me/y\0/tmp/z\0on builder7\0";
        assert_eq!(
            found(data),
            [
                ("the workspace", "/w/project/src/a.rs".to_owned(), 2),
                ("the target directory", "/w/project/target/x.o".to_owned(), 1),
                ("a home directory", "/home/u/x".to_owned(), 2),
                ("a temporary directory", "/tmp/z".to_owned(), 1),
                ("the name of the machine", "builder7".to_owned(), 1),
            ]
        );
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [
            "/w/project2/src",
            "/w/projec",
            "/home/",
            "/home/%s",
            "/x/tmp/y",
            "/tmp/",
            "/tmp",
            "builder77",
            "mybuilder7",
            "/rustc/1234/library/core/src/a.rs",
            "/usr/lib/x",
        ] {
            assert_eq!(found(text.as_bytes()), [], "{text}");
        }
        assert_eq!(found(b"").len(), 0);
    }

    #[test]
    fn compressed_sections_are_searched_across_chunks_and_damaged_ones_named() {
        let mut text = vec![b'a'; CHUNK - 9];
        text.push(0);
        text.extend(b"/w/project/src/a.c\0");
        text.extend(vec![b'b'; CHUNK]);
        text.extend(b"\0/home/u/x\0");
        let mut data = b"head".to_vec();
        data.extend(zstd::encode_all(&text[..], 3).expect("compressed"));
        let content = u64::try_from(data.len() - 4).expect("small");
        let section = |packed, content| Section {
            name: ".debug_str".to_owned(),
            size: content,
            packed: Some(packed),
            offset: 4,
            content,
        };
        let whole = scan(&data, &[section(Packed::Zstd, content)], &roots(), None);
        let [first, second] = &whole.leaks[..] else { panic!("{whole:?}") };
        assert_eq!(
            (first.what, first.count, &*first.path),
            ("the workspace", 1, "/w/project/src/a.c")
        );
        assert_eq!(first.section.as_deref(), Some(".debug_str"));
        assert_eq!((second.what, second.count), ("a home directory", 1));
        assert!(whole.unread.is_empty());
        for section in [
            section(Packed::Zlib, content),
            section(Packed::Zstd, content - 9),
            section(Packed::Zstd, content + 1),
            section(Packed::Other, content),
        ] {
            let damaged = scan(&data, &[section], &roots(), None);
            assert_eq!(damaged.unread, [".debug_str"]);
        }
    }

    #[test]
    fn what_unpacks_to_too_much_is_given_up() {
        // Blocks of one repeated byte (RFC 8878, 3.1.1.2): 4 bytes stand for 128 KiB.
        let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
        let blocks = (2 * MOST_UNPACKED) >> 17;
        for block in 1..=blocks {
            let last = u32::from(block == blocks);
            bomb.extend(&((1 << 17 << 3) | 2 | last).to_le_bytes()[..3]);
            bomb.push(b'a');
        }
        let content = u64::try_from(bomb.len()).expect("small");
        let section = Section {
            name: ".debug_info".to_owned(),
            size: content,
            packed: Some(Packed::Zstd),
            offset: 0,
            content,
        };
        let scan = scan(&bomb, &[section.clone(), section], &[], None);
        assert_eq!(scan.unread, [".debug_info", ".debug_info"]);
    }
}
