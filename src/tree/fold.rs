//! Disks that take several names for one: those of most Macs ignore case, and whether `é` is one
//! character or two. What such a disk cannot keep apart follows from the tree alone, so that each
//! of them lacks the same files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::Node;
use crate::sys::fs::{Describe as _, FsError};
use crate::vocab::relpath::RelPath;

/// Which differences of names a disk ignores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Folding {
    /// Upper and lower case.
    pub case: bool,
    /// How an accented letter is made of characters (Unicode's normal forms).
    pub composition: bool,
}

/// A directory and something else have one name on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mixed {
    /// The path that comes first.
    pub first: RelPath,
    /// The other one.
    pub second: RelPath,
}

impl Folding {
    /// What the file systems of most Macs ignore.
    pub const MAC: Self = Self { case: true, composition: true };

    /// What the file system of `dir` ignores, found out with two files that are removed again.
    pub fn probe(dir: &Path) -> Result<Self, FsError> {
        let folds = |written: &str, asked: &str| {
            let file = dir.join(written);
            File::create_new(&file).describe("create", &file)?;
            let found = dir.join(asked).symlink_metadata().is_ok();
            fs::remove_file(&file).describe("remove", &file)?;
            Ok(found)
        };
        Ok(Self {
            case: folds(".xprov-Names", ".xprov-nAMES")?,
            composition: folds(".xprov-\u{e9}", ".xprov-e\u{301}")?,
        })
    }

    /// Whether there is any such difference.
    pub fn any(self) -> bool {
        self.case || self.composition
    }

    /// A text that is equal for paths which the disk may take for one. A few more are equal than
    /// any one version of a file system folds, such as `ß` and `ss`.
    pub fn key(self, path: &str) -> String {
        if path.is_ascii() {
            return if self.case { path.to_ascii_lowercase() } else { path.to_owned() };
        }
        let normalizer = self.composition.then(DecomposingNormalizerBorrowed::new_nfd);
        let decomposed = |text: &str| match &normalizer {
            Some(normalizer) => normalizer.normalize(text).into_owned(),
            None => text.to_owned(),
        };
        let mut key = decomposed(path);
        if self.case {
            key = decomposed(&key.to_uppercase().to_lowercase());
        }
        key
    }

    /// The paths whose name on the disk is another's, too.
    pub fn shared<'a>(
        self,
        nodes: impl Iterator<Item = (&'a RelPath, &'a Node)>,
    ) -> BTreeSet<RelPath> {
        let mut by_key: BTreeMap<String, Vec<&RelPath>> = BTreeMap::new();
        for (path, _) in nodes {
            by_key.entry(self.key(path.as_str())).or_default().push(path);
        }
        let shared = by_key.into_values().filter(|same| same.len() > 1).flatten();
        shared.cloned().collect()
    }

    /// The files and links of these nodes that the disk does not get: all that would have one name
    /// on it and are not the same. None of them gets the name, since who asks for one of them would
    /// get another. Directories with one name become one; equal files do, too.
    pub fn left_out<'a>(
        self,
        nodes: impl Iterator<Item = (&'a RelPath, &'a Node)>,
    ) -> Result<BTreeSet<RelPath>, Mixed> {
        let mut left_out = BTreeSet::new();
        if !self.any() {
            return Ok(left_out);
        }
        let mut by_key: BTreeMap<String, Vec<(&RelPath, &Node)>> = BTreeMap::new();
        for (path, node) in nodes {
            by_key.entry(self.key(path.as_str())).or_default().push((path, node));
        }
        for same in by_key.into_values().filter(|same| same.len() > 1) {
            let (first, node) = same[0];
            if same.iter().all(|(_, other)| *other == node) {
                continue;
            }
            let is_directory = |(_, node): &&(&RelPath, &Node)| **node == Node::Directory;
            if let Some((second, _)) = same.iter().find(is_directory) {
                let other =
                    same.iter().find(|one| !is_directory(one)).map_or(first, |(path, _)| path);
                return Err(Mixed { first: other.clone(), second: (*second).clone() });
            }
            left_out.extend(same.into_iter().map(|(path, _)| path.clone()));
        }
        Ok(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree;
    use crate::vocab::digest::Blake3;

    const MAC: Folding = Folding::MAC;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text.as_bytes()).expect("a path")
    }

    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::new();
        for (name, text) in files {
            let digest = Blake3::of(text.as_bytes());
            let size = text.len() as u64;
            let node = Node::File { size, executable: false, digest };
            tree.insert(path(name), node).expect("no conflict");
        }
        tree
    }

    fn left_out(folding: Folding, files: &[(&str, &str)]) -> Result<Vec<String>, Mixed> {
        let paths = tree(files).left_out(folding)?;
        Ok(paths.iter().map(|path| path.as_str().to_owned()).collect())
    }

    #[test]
    fn what_differs_only_by_case_or_composition_is_one_name() {
        for (one, other) in [
            ("a/xt_TCPMSS.h", "a/xt_tcpmss.h"),
            ("\u{e9}", "e\u{301}"),
            ("\u{c9}", "e\u{301}"),
            ("Straße", "STRASSE"),
            ("\u{1e9b}\u{323}", "\u{1e9b}\u{323}"),
        ] {
            assert_eq!(MAC.key(one), MAC.key(other), "{one} {other}");
        }
        assert_ne!(MAC.key("e"), MAC.key("\u{e9}"));
        let case = Folding { case: true, composition: false };
        assert_ne!(case.key("\u{e9}"), case.key("e\u{301}"));
        assert_eq!(Folding::default().key("A\u{e9}"), "A\u{e9}");
    }

    #[test]
    fn differing_files_of_one_name_are_left_out_and_equal_ones_are_one() {
        let files =
            [("n/xt_MARK.h", "1"), ("N/xt_mark.h", "2"), ("n/a", "x"), ("n/A", "x"), ("b", "")];
        assert_eq!(
            left_out(MAC, &files),
            Ok(vec!["N/xt_mark.h".to_owned(), "n/xt_MARK.h".to_owned()])
        );
        assert_eq!(left_out(Folding::default(), &files), Ok(Vec::new()));
        let three = [("a", "1"), ("A", "1"), ("\u{e9}", "1"), ("e\u{301}", "2")];
        assert_eq!(left_out(MAC, &three), Ok(vec!["e\u{301}".to_owned(), "\u{e9}".to_owned()]));
    }

    #[test]
    fn a_file_with_the_name_of_a_directory_is_refused() {
        let error = left_out(MAC, &[("lib/a", "1"), ("LIB", "2")]).expect_err("no room");
        assert_eq!(error, Mixed { first: path("LIB"), second: path("lib") });
    }

    #[test]
    fn a_disk_is_asked_and_nothing_stays_on_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let folding = Folding::probe(dir.path()).expect("probed");
        if cfg!(target_os = "linux") {
            assert_eq!(folding, Folding::default());
        }
        assert_eq!(fs::read_dir(dir.path()).expect("readable").count(), 0);
    }
}
