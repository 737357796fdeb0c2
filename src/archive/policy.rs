//! What an entry may be called and where a link may point. Pure: names in, paths or reasons out.

use crate::tree::TreeError;
use crate::vocab::relpath::{InvalidRelPath, RelPath};

use super::{UnpackError, UnpackSpec};

/// Why an entry is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its name is no path inside a tree.
    #[error("its name is refused")]
    Name(#[from] InvalidRelPath),
    /// It repeats another entry or lies below a file or link.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// It is a device, a fifo or something else that no tree has.
    #[error("it is {0}; only directories, files and links are unpacked")]
    Kind(String),
    /// The root of the tree, or the kept directory, is a file or a link.
    #[error("it is the root of the tree, but not a directory")]
    Root,
    /// The target of a symbolic link is not UTF-8.
    #[error("the link's target is not UTF-8 text")]
    TargetNotText,
    /// A symbolic link would lead out of the tree.
    #[error("the link's target `{target}` is outside of the tree")]
    TargetOutside {
        /// The target as the archive has it.
        target: String,
    },
    /// The name that a hard link links to is no path inside a tree.
    #[error("it is a hard link to `{target}`, which is refused")]
    HardLinkName {
        /// The name as the archive has it.
        target: String,
        /// What is wrong with it.
        source: InvalidRelPath,
    },
    /// A hard link to what is not an earlier file of the same tree.
    #[error("it is a hard link to `{target}`, which is not an earlier file of this tree")]
    HardLinkTarget {
        /// The name as the archive has it.
        target: String,
    },
    /// A directory or link that comes with contents: readers do not agree on what these are.
    #[error("it is a directory or link, but has {0} bytes of contents")]
    Contents(u64),
    /// Its extended header cannot be read.
    #[error("its PAX header is malformed: {0}")]
    Pax(&'static str),
    /// Its contents are stored in a way that is not supported.
    #[error("its contents cannot be read: {0}")]
    Unsupported(String),
    /// It has more bytes than its header says, or than a link's target may have.
    #[error("it has more than the {0} bytes that are allowed here")]
    TooLong(u64),
}

/// Where an entry goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere: the unpack specification leaves it out.
    Dropped,
    /// It is the root of the tree.
    Root,
    /// There.
    At(RelPath),
}

/// An unpack specification, ready to use.
#[derive(Debug)]
pub(super) struct Selection {
    strip: usize,
    keep: Option<RelPath>,
}

impl Selection {
    /// Checks the specification.
    pub fn new(spec: &UnpackSpec) -> Result<Self, UnpackError> {
        let parse = |keep: &String| {
            RelPath::parse(keep.as_bytes())
                .map_err(|source| UnpackError::InvalidKeep { keep: keep.clone(), source })
        };
        let keep = spec.keep.as_ref().map(parse).transpose()?;
        Ok(Self { strip: spec.strip as usize, keep })
    }

    /// Where the entry with this name goes. Names are judged even where the entry is dropped.
    pub fn place(&self, name: &[u8]) -> Result<Place, InvalidRelPath> {
        let path = match RelPath::parse(name) {
            Ok(path) => path,
            // `./`, as archives of a directory's contents begin.
            Err(InvalidRelPath::Empty) if !name.is_empty() => {
                let is_root = self.strip == 0 && self.keep.is_none();
                return Ok(if is_root { Place::Root } else { Place::Dropped });
            }
            Err(error) => return Err(error),
        };
        let mut rest = path.as_str();
        for _ in 0..self.strip {
            match rest.split_once('/') {
                Some((_, below)) => rest = below,
                None => return Ok(Place::Dropped),
            }
        }
        if let Some(keep) = &self.keep {
            match rest.strip_prefix(keep.as_str()) {
                Some("") => return Ok(Place::Root),
                Some(below) if below.starts_with('/') => rest = &below[1..],
                _ => return Ok(Place::Dropped),
            }
        }
        if rest.len() == path.as_str().len() {
            return Ok(Place::At(path));
        }
        RelPath::parse(rest.as_bytes()).map(Place::At)
    }

    /// The target that the symbolic link at `link` gets in the tree.
    ///
    /// A relative target stays as it is. An absolute one starts at the root of the archive after
    /// stripping (what is stripped is the archive's wrapping, which no link knows of) and before
    /// keeping; it becomes the relative path from the link to the same place. Both are judged by
    /// their text: a target that leads above the root of the tree is refused, and so is one that
    /// starts with a directory which is not kept.
    pub fn link_target(&self, link: &RelPath, target: &[u8]) -> Result<String, Refusal> {
        let target = std::str::from_utf8(target).map_err(|_| Refusal::TargetNotText)?;
        let outside = || Refusal::TargetOutside { target: target.to_owned() };
        let depth = link.components().count() - 1;
        if !target.starts_with('/') {
            let mut above = depth;
            for component in target.split('/') {
                match component {
                    "" | "." => {}
                    ".." => above = above.checked_sub(1).ok_or_else(outside)?,
                    _ => above += 1,
                }
            }
            return Ok(target.to_owned());
        }
        let mut path = Vec::new();
        for component in target.split('/') {
            match component {
                "" | "." => {}
                ".." => drop(path.pop().ok_or_else(outside)?),
                name => path.push(name),
            }
        }
        let mut path = path.into_iter();
        for component in self.keep.iter().flat_map(RelPath::components) {
            if path.next() != Some(component) {
                return Err(outside());
            }
        }
        let relative: Vec<_> = std::iter::repeat_n("..", depth).chain(path).collect();
        Ok(if relative.is_empty() { ".".to_owned() } else { relative.join("/") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(strip: u32, keep: Option<&str>) -> Selection {
        let spec = UnpackSpec { strip, keep: keep.map(str::to_owned) };
        Selection::new(&spec).expect("a selection")
    }

    fn path(text: &str) -> RelPath {
        RelPath::parse(text.as_bytes()).expect("a path")
    }

    #[test]
    fn names_are_stripped_and_kept() {
        let at = |text| Ok(Place::At(path(text)));
        let all = selection(0, None);
        assert_eq!(all.place(b"./usr/bin/x"), at("usr/bin/x"));
        assert_eq!(all.place(b"./"), Ok(Place::Root));
        assert_eq!(all.place(b""), Err(InvalidRelPath::Empty));
        let rust = selection(1, Some("rustc"));
        assert_eq!(rust.place(b"rustc-1.95/rustc/bin/rustc"), at("bin/rustc"));
        assert_eq!(rust.place(b"rustc-1.95/rustc/"), Ok(Place::Root));
        assert_eq!(rust.place(b"rustc-1.95/rustc-docs/x"), Ok(Place::Dropped));
        assert_eq!(rust.place(b"rustc-1.95/"), Ok(Place::Dropped));
        assert_eq!(rust.place(b"."), Ok(Place::Dropped));
        assert_eq!(rust.place(b"other/../x"), Err(InvalidRelPath::ParentDir));
        assert_eq!(selection(0, Some("usr/lib")).place(b"./usr/lib/x"), at("x"));
        assert_eq!(selection(0, Some("usr/lib")).place(b"./usr/libx"), Ok(Place::Dropped));
        assert_eq!(selection(2, None).place(b"a/b"), Ok(Place::Dropped));
    }

    #[test]
    fn absolute_targets_become_relative() {
        for (strip, keep, link, target, expected) in [
            (0, None, "a/b/l", "/usr/lib/x", Some("../../usr/lib/x")),
            (1, None, "a/b/l", "/usr//lib/./x/", Some("../../usr/lib/x")),
            (0, None, "l", "/usr", Some("usr")),
            (0, None, "l", "/", Some(".")),
            (0, None, "a/l", "/", Some("..")),
            (0, None, "l", "/a/../b", Some("b")),
            (0, None, "l", "/a/../../b", None),
            (0, Some("usr"), "lib/l", "/usr/lib/x", Some("../lib/x")),
            (0, Some("usr"), "lib/l", "/etc/x", None),
            (0, Some("usr"), "lib/l", "/", None),
        ] {
            let got = selection(strip, keep).link_target(&path(link), target.as_bytes());
            let expected = expected.map(str::to_owned);
            assert_eq!(got.ok(), expected, "{strip} {keep:?} {link} {target}");
        }
    }

    #[test]
    fn relative_targets_stay_and_may_not_leave() {
        let all = selection(0, None);
        for target in ["x", "../x", "../../x", ".", "..//./b/../c/../../d", "b/"] {
            let got = all.link_target(&path("a/b/l"), target.as_bytes());
            assert_eq!(got.as_deref(), Ok(target));
        }
        for target in ["../../../x", "x/../../../..", "../../.."] {
            let got = all.link_target(&path("a/b/l"), target.as_bytes());
            assert_eq!(got, Err(Refusal::TargetOutside { target: target.into() }));
        }
        assert_eq!(all.link_target(&path("l"), b"\xff"), Err(Refusal::TargetNotText));
    }
}
