//! The vectors of `docs/tree-hash.md`, which `tests/tree_hash.py` checks too.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use xprov::tree::{Node, Tree};
use xprov::vocab::digest::Blake3;
use xprov::vocab::relpath::RelPath;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    #[serde(rename = "about")]
    _about: String,
    nodes: Vec<VectorNode>,
    manifest: String,
    hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VectorNode {
    path: String,
    #[serde(default)]
    directory: bool,
    symlink: Option<String>,
    file: Option<Contents>,
    #[serde(default)]
    executable: bool,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Contents {
    Text { text: String },
    Repeat { repeat: String, times: usize, then: String },
}

impl Contents {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text { text } => text.clone().into_bytes(),
            Self::Repeat { repeat, times, then } => {
                [hex(repeat).repeat(*times), hex(then)].concat()
            }
        }
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(digit).collect()
}

fn vectors() -> Vec<(String, Vector)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/tree");
    let files = fs::read_dir(dir).expect("vectors").map(|file| file.expect("vector").path());
    files
        .map(|file| {
            let text = fs::read(&file).expect("vector");
            (file.display().to_string(), serde_json::from_slice(&text).expect("a vector"))
        })
        .collect()
}

fn path(node: &VectorNode) -> RelPath {
    RelPath::parse(node.path.as_bytes()).expect("path")
}

#[test]
fn every_vector_gives_its_manifest_and_hash() {
    let vectors = vectors();
    assert!(vectors.len() >= 10);
    for (name, vector) in vectors {
        let mut tree = Tree::new();
        for node in &vector.nodes {
            let kind = match (node.directory, &node.symlink, &node.file) {
                (true, None, None) => Node::Directory,
                (false, Some(target), None) => Node::Symlink { target: target.clone() },
                (false, None, Some(contents)) => {
                    let bytes = contents.bytes();
                    let (size, digest) = (bytes.len() as u64, Blake3::of(&bytes));
                    Node::File { size, executable: node.executable, digest }
                }
                _ => panic!("{name}: {} has no kind, or several", node.path),
            };
            tree.insert(path(node), kind).expect("insert");
        }
        assert_eq!(String::from_utf8(tree.manifest()).expect("UTF-8"), vector.manifest, "{name}");
        assert_eq!(tree.hash().to_string(), vector.hash, "{name}");
        assert_eq!(Tree::parse(vector.manifest.as_bytes()), Ok(tree), "{name}");
    }
}

/// Linux only: other file systems normalise names or fold their case.
#[cfg(target_os = "linux")]
#[test]
fn every_vector_on_disk_has_its_hash() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    for (name, vector) in vectors() {
        let dir = tempfile::tempdir().expect("tempdir");
        for node in &vector.nodes {
            let on_disk = path(node).under(dir.path());
            fs::create_dir_all(on_disk.parent().expect("parent")).expect("parents");
            if let Some(contents) = &node.file {
                fs::write(&on_disk, contents.bytes()).expect("write");
                // One x bit of the three is enough.
                let mode = if node.executable { 0o610 } else { 0o600 };
                fs::set_permissions(&on_disk, fs::Permissions::from_mode(mode)).expect("mode");
            } else if let Some(target) = &node.symlink {
                symlink(target, &on_disk).expect("symlink");
            } else {
                fs::create_dir_all(&on_disk).expect("directory");
            }
        }
        let scanned = xprov::tree::scan(dir.path()).expect("scan");
        assert_eq!(scanned.hash().to_string(), vector.hash, "{name}");
    }
}
