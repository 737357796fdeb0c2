//! Files of a derivation's inputs, found by name: packages differ in where they put them.

use std::path::PathBuf;

use crate::ops::context::Context;
use crate::ops::error::Error;
use crate::store::Object;
use crate::tree::{Node, Tree};

/// The trees of the inputs.
pub struct Inputs {
    trees: Vec<(PathBuf, Tree)>,
    label: String,
}

impl Inputs {
    /// Reads what is in the objects; `label` names the derivation in errors.
    pub fn new(context: &Context<'_>, objects: &[Object], label: &str) -> Result<Self, Error> {
        let mut trees = Vec::new();
        for object in objects {
            trees.push((object.dir.clone(), context.store.tree(&object.path)?));
        }
        Ok(Self { trees, label: label.to_owned() })
    }

    /// The file whose path ends so: (object, path in it). Of several the one that is least deep.
    pub fn find(&self, end: &str) -> Result<(PathBuf, String), Error> {
        let end = format!("/{end}");
        let files = self.trees.iter().flat_map(|(dir, tree)| {
            let files = tree.iter().filter(|(_, node)| matches!(node, Node::File { .. }));
            files.map(move |(path, _)| (dir, path.as_str()))
        });
        let named = files.filter(|(_, path)| path.ends_with(&end));
        let best = named.min_by_key(|(_, path)| (path.matches('/').count(), *path));
        let (dir, path) = best.ok_or_else(|| Error::NoInput {
            label: self.label.clone(),
            file: end.trim_start_matches('/').to_owned(),
        })?;
        Ok((dir.clone(), path.to_owned()))
    }

    /// The same as a path on disk.
    pub fn path(&self, end: &str) -> Result<PathBuf, Error> {
        let (dir, path) = self.find(end)?;
        Ok(dir.join(path))
    }
}
