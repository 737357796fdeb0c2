//! Joining the trees of several objects into one. Pure: no file is touched.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{Folding, Mixed, Node, Tree};
use crate::vocab::relpath::RelPath;

/// One object that takes part.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// What messages call it.
    pub label: &'a str,
    /// Its tree.
    pub tree: &'a Tree,
}

/// The joined tree: for each path its node and the number of the layer that it comes from.
#[derive(Debug, Default)]
pub struct Merged {
    nodes: BTreeMap<RelPath, (usize, Node)>,
}

/// Where a symbolic link ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEnd {
    /// At this path of the tree.
    Inside(RelPath),
    /// Out of the tree.
    Outside,
    /// At a path that the tree does not have, or in a circle.
    Nowhere,
}

/// Why trees do not go together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Two objects have different things at one path.
    #[error("`{path}` is different in {first} and in {second}")]
    Conflict {
        /// The path.
        path: RelPath,
        /// The object that came first.
        first: String,
        /// The other one.
        second: String,
    },
    /// The disk takes a directory and something else for one.
    #[error(
        "`{first}` and `{second}` are one name on a disk that ignores case, and one of them is a \
         directory"
    )]
    OneName {
        /// The one.
        first: RelPath,
        /// The other.
        second: RelPath,
    },
    /// A symbolic link leads out of the joined tree.
    #[error("the link `{path}` in {layer} leads out of the tree, to `{target}`")]
    Escape {
        /// The link.
        path: RelPath,
        /// The object that it is in.
        layer: String,
        /// Its target.
        target: String,
    },
}

/// What people read and compilers do not: left out of joined trees, which saves a third of the
/// links.
const UNUSED: &[&str] = &[
    "usr/share/bash-completion",
    "usr/share/bug",
    "usr/share/doc",
    "usr/share/doc-base",
    "usr/share/gdb",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
];

impl Merged {
    /// Joins `layers` in order, without the paths in `omit` and what is below them.
    pub fn new(layers: &[Layer<'_>], omit: &[String]) -> Result<Self, MergeError> {
        let mut merged = Self::default();
        for (number, layer) in layers.iter().enumerate() {
            for (path, node) in layer.tree.iter() {
                let is_below = |dir: &str| below(path.as_str(), dir);
                if UNUSED.iter().any(|dir| is_below(dir)) || omit.iter().any(|dir| is_below(dir)) {
                    continue;
                }
                match merged.nodes.get(path) {
                    None => {
                        merged.nodes.insert(path.clone(), (number, node.clone()));
                    }
                    Some((_, known)) if known == node => {}
                    Some((first, _)) => {
                        return Err(MergeError::Conflict {
                            path: path.clone(),
                            first: layers[*first].label.to_owned(),
                            second: layer.label.to_owned(),
                        });
                    }
                }
            }
        }
        merged.check_links(layers)?;
        Ok(merged)
    }

    /// Adds a symbolic link and the directories above it; what is there stays as it is.
    pub fn link(&mut self, path: RelPath, target: &str) {
        if self.nodes.contains_key(&path) {
            return;
        }
        let mut above = path.parent();
        while let Some(dir) = above {
            above = dir.parent();
            self.nodes.entry(dir).or_insert((0, Node::Directory));
        }
        self.nodes.insert(path, (0, Node::Symlink { target: target.to_owned() }));
    }

    /// Takes away what a disk with such names does not get of the joined tree, and what it did not
    /// get of a layer; says which that is.
    pub fn leave_out(
        &mut self,
        folding: Folding,
        layers: &[Layer<'_>],
    ) -> Result<BTreeSet<RelPath>, MergeError> {
        let refused = |Mixed { first, second }| MergeError::OneName { first, second };
        let nodes = self.nodes.iter().map(|(path, (_, node))| (path, node));
        let mut left_out = folding.left_out(nodes).map_err(refused)?;
        for layer in layers.iter().filter(|_| folding.any()) {
            left_out.extend(layer.tree.left_out(folding).map_err(refused)?);
        }
        left_out.retain(|path| self.nodes.remove(path).is_some());
        let mut seen = BTreeSet::new();
        self.nodes.retain(|path, _| !folding.any() || seen.insert(folding.key(path.as_str())));
        Ok(left_out)
    }

    /// Every path with its layer's number, parents before children.
    pub fn iter(&self) -> impl Iterator<Item = (&RelPath, usize, &Node)> {
        self.nodes.iter().map(|(path, (layer, node))| (path, *layer, node))
    }

    /// Follows each link the way the operating system will: a link through another link may leave
    /// the tree although its text alone does not. Links to nowhere are normal (a package that was
    /// left out) and stay.
    fn check_links(&self, layers: &[Layer<'_>]) -> Result<(), MergeError> {
        for (path, layer, node) in self.iter() {
            if let Node::Symlink { target } = node
                && self.resolve(path, target) == LinkEnd::Outside
            {
                return Err(MergeError::Escape {
                    path: path.clone(),
                    layer: layers[layer].label.to_owned(),
                    target: target.clone(),
                });
            }
        }
        Ok(())
    }

    /// Where a link of this tree ends.
    pub fn resolve(&self, link: &RelPath, target: &str) -> LinkEnd {
        let mut here: Vec<String> = link.components().map(str::to_owned).collect();
        here.pop();
        let mut todo: Vec<String> = target.rsplit('/').map(str::to_owned).collect();
        // The kernel gives up after 40 links, too.
        let mut hops = 0;
        while let Some(component) = todo.pop() {
            match component.as_str() {
                "" | "." => {}
                ".." => {
                    if here.pop().is_none() {
                        return LinkEnd::Outside;
                    }
                }
                name => {
                    here.push(name.to_owned());
                    let node = Self::path(&here).and_then(|path| self.nodes.get(&path));
                    if let Some((_, Node::Symlink { target })) = node {
                        hops += 1;
                        if hops > 40 {
                            return LinkEnd::Nowhere;
                        }
                        here.pop();
                        todo.extend(target.rsplit('/').map(str::to_owned));
                    }
                }
            }
        }
        let end = Self::path(&here).filter(|path| self.nodes.contains_key(path));
        end.map_or(LinkEnd::Nowhere, LinkEnd::Inside)
    }

    fn path(components: &[String]) -> Option<RelPath> {
        RelPath::parse(components.join("/").as_bytes()).ok()
    }
}

fn below(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::digest::Blake3;

    fn tree(nodes: &[(&str, Node)]) -> Tree {
        let mut tree = Tree::new();
        for (path, node) in nodes {
            let path = RelPath::parse(path.as_bytes()).expect("a path");
            tree.insert(path, node.clone()).expect("no conflict");
        }
        tree
    }

    fn file(contents: &str) -> Node {
        let digest = Blake3::of(contents.as_bytes());
        Node::File { size: contents.len() as u64, executable: false, digest }
    }

    fn link(target: &str) -> Node {
        Node::Symlink { target: target.to_owned() }
    }

    fn merge(trees: &[Tree]) -> Result<Merged, MergeError> {
        let labels = ["one", "two", "three"];
        let layers: Vec<Layer<'_>> =
            trees.iter().zip(labels).map(|(tree, label)| Layer { label, tree }).collect();
        Merged::new(&layers, &["omitted".to_owned()])
    }

    #[test]
    fn equal_files_meet_and_different_ones_are_named() {
        let one = tree(&[("usr/lib/a", file("a")), ("usr/share/doc/x", file("1"))]);
        let same = tree(&[("usr/lib/a", file("a")), ("usr/share/doc/x", file("2"))]);
        let merged = merge(&[one.clone(), same]).expect("equal files");
        assert_eq!(
            merged.iter().filter(|(_, _, node)| matches!(node, Node::File { .. })).count(),
            1
        );
        let error = merge(&[one, tree(&[("usr/lib/a", file("b"))])]).expect_err("a conflict");
        assert_eq!(error.to_string(), "`usr/lib/a` is different in one and in two");
    }

    #[test]
    fn what_a_disk_takes_for_one_is_left_out_across_objects() {
        let names = |merged: &Merged| -> Vec<String> {
            merged.iter().map(|(path, ..)| path.as_str().to_owned()).collect()
        };
        let trees = [
            tree(&[("n/a.h", file("1")), ("same", file("s")), ("only", file("o"))]),
            tree(&[("n/A.h", file("2")), ("Same", file("s"))]),
            // Its object has neither on the disk, although the other is omitted here.
            tree(&[("x", file("1")), ("X", file("2"))]),
        ];
        let layers: Vec<Layer<'_>> =
            trees.iter().map(|tree| Layer { label: "one", tree }).collect();
        let mut merged = Merged::new(&layers, &["X".to_owned()]).expect("no conflict");
        let left_out = merged.leave_out(Folding::MAC, &layers).expect("files only");
        let left_out: Vec<&str> = left_out.iter().map(RelPath::as_str).collect();
        assert_eq!(left_out, ["n/A.h", "n/a.h", "x"]);
        assert_eq!(names(&merged), ["Same", "n", "only"]);
        let mut merged = Merged::new(&layers, &[]).expect("no conflict");
        assert_eq!(merged.leave_out(Folding::default(), &layers), Ok(BTreeSet::new()));
        assert_eq!(names(&merged).len(), 8);
    }

    #[test]
    fn what_is_omitted_may_differ() {
        let trees = ["1", "2"].map(|text| tree(&[("omitted", file(text)), ("kept", file("k"))]));
        let merged = merge(&trees).expect("only omitted paths differ");
        assert_eq!(merged.iter().map(|(path, ..)| path.as_str()).collect::<Vec<_>>(), ["kept"]);
    }

    #[test]
    fn a_link_that_leaves_by_way_of_another_link_is_refused() {
        let sly = tree(&[("p/q", link("..")), ("a/l", link("../p/q/../x"))]);
        assert!(matches!(merge(&[sly]), Err(MergeError::Escape { .. })));
        let fine = tree(&[
            ("p/q", link("..")),
            ("a/l", link("../p/q/x")),
            ("b", link("c")),
            ("c", link("b")),
        ]);
        assert!(merge(&[fine]).is_ok());
    }
}
