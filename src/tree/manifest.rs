//! The manifest: the one text that stands for a tree (`docs/tree-hash.md`). Pure.

use std::fmt::Write as _;

use super::{Node, Tree, TreeError};
use crate::vocab::relpath::RelPath;

const HEADER: &str = "xprov-tree 1\n";

/// Why some bytes are not a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The first line is not that of a version 1 manifest.
    #[error("it does not start with the line `xprov-tree 1`")]
    Header,
    /// It is not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// A line is not in the canonical form of its kind of node.
    #[error("line {0} is not a canonical manifest line")]
    Line(usize),
    /// A path is not after the one before it, in byte order.
    #[error("line {0} is out of order")]
    Order(usize),
    /// A path has no directory line above it.
    #[error("line {0} is in a directory that has no line")]
    MissingParent(usize),
    /// The lines contradict each other.
    #[error("line {line}")]
    Tree {
        /// The line, counted from 1.
        line: usize,
        /// The contradiction.
        #[source]
        source: TreeError,
    },
}

/// Writes the manifest of `tree`.
pub(super) fn encode(tree: &Tree) -> Vec<u8> {
    // 2 of kind, 65 of digest, the rest for size and path: enough to make growing rare.
    let mut text = String::with_capacity(HEADER.len() + tree.len() * 140);
    text.push_str(HEADER);
    for (path, node) in tree.iter() {
        match node {
            Node::Directory => text.push_str("d "),
            Node::File { size, executable, digest } => {
                let kind = if *executable { 'x' } else { 'f' };
                // Writing to a String cannot fail.
                let _ = write!(text, "{kind} {size} {digest} ");
            }
            Node::Symlink { .. } => text.push_str("l "),
        }
        escape(path.as_str(), &mut text);
        if let Node::Symlink { target } = node {
            text.push(' ');
            escape(target, &mut text);
        }
        text.push('\n');
    }
    text.into_bytes()
}

fn escape(text: &str, into: &mut String) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if must_escape(byte) {
            into.push_str(&text[plain..at]);
            let _ = write!(into, "%{byte:02X}");
            plain = at + 1;
        }
    }
    into.push_str(&text[plain..]);
}

fn must_escape(byte: u8) -> bool {
    matches!(byte, 0..=0x20 | 0x7f | b'%')
}

/// The text behind `escaped`, or nothing when another spelling of it is the canonical one.
fn unescape(escaped: &str) -> Option<String> {
    let mut text = String::with_capacity(escaped.len());
    let mut parts = escaped.split('%');
    text.push_str(parts.next()?);
    for part in parts {
        let byte = u8::from_str_radix(part.get(..2)?, 16).ok()?;
        text.push(char::from(byte));
        text.push_str(&part[2..]);
    }
    let mut again = String::with_capacity(escaped.len());
    escape(&text, &mut again);
    (again == escaped).then_some(text)
}

/// Reads a manifest and refuses what [`encode`] would not have written.
pub(super) fn parse(manifest: &[u8]) -> Result<Tree, ManifestError> {
    let text = std::str::from_utf8(manifest).map_err(|_| ManifestError::NotText)?;
    let body = text.strip_prefix(HEADER).ok_or(ManifestError::Header)?;
    let mut tree = Tree::new();
    let mut last: Option<RelPath> = None;
    for (index, line) in body.split_inclusive('\n').enumerate() {
        let number = index + 2;
        let (path, node) = parse_line(line).ok_or(ManifestError::Line(number))?;
        if last.as_ref().is_some_and(|last| *last >= path) {
            return Err(ManifestError::Order(number));
        }
        let missing = tree
            .missing_parents(&path)
            .map_err(|source| ManifestError::Tree { line: number, source })?;
        if !missing.is_empty() {
            return Err(ManifestError::MissingParent(number));
        }
        last = Some(path.clone());
        tree.insert(path, node).map_err(|source| ManifestError::Tree { line: number, source })?;
    }
    Ok(tree)
}

fn parse_line(line: &str) -> Option<(RelPath, Node)> {
    let mut fields = line.strip_suffix('\n')?.split(' ');
    let kind = fields.next()?;
    let node = match kind {
        "d" | "l" => Node::Directory,
        "f" | "x" => Node::File {
            size: parse_size(fields.next()?)?,
            executable: kind == "x",
            digest: fields.next()?.parse().ok()?,
        },
        _ => return None,
    };
    let text = unescape(fields.next()?)?;
    let path = RelPath::parse(text.as_bytes()).ok().filter(|path| path.as_str() == text)?;
    let node = match kind {
        "l" => Node::Symlink { target: unescape(fields.next()?)? },
        _ => node,
    };
    fields.next().is_none().then_some((path, node))
}

fn parse_size(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";

    #[test]
    fn a_manifest_round_trips() {
        let text = format!(
            "xprov-tree 1\nd a\nf 0 {DIGEST} a-b\nx 18446744073709551615 {DIGEST} a/%25%20%0A%7F\nl ü ../%25\n"
        );
        let tree = Tree::parse(text.as_bytes()).expect("canonical");
        assert_eq!(tree.len(), 4);
        assert_eq!(String::from_utf8(tree.manifest()), Ok(text));
    }

    #[test]
    fn other_spellings_are_refused() {
        use ManifestError::{Header, Line, MissingParent, NotText, Order, Tree as Node};
        let refusal = |body: &str| {
            let text = format!("xprov-tree 1\n{body}");
            Tree::parse(text.as_bytes()).expect_err(body)
        };
        for line in [
            "d a",
            "d a \n",
            "d  a\n",
            "d a/\n",
            "d ./a\n",
            "d /a\n",
            "d a/../b\n",
            "d \n",
            "d a%2fb\n",
            "d %61\n",
            "d %0a\n",
            "d %+1\n",
            "d %\n",
            "d a\tb\n",
            "d %C3%BC\n",
            "e a\n",
            "l a\n",
            "l a b c\n",
            "d a\r\n",
            "\n",
            &format!("f 00 {DIGEST} a\n"),
            &format!("f +1 {DIGEST} a\n"),
            &format!("f 18446744073709551616 {DIGEST} a\n"),
            &format!("f 1 {} a\n", DIGEST.to_uppercase()),
        ] {
            assert_eq!(refusal(line), Line(2), "{line:?}");
        }
        assert_eq!(refusal("d b\nd a\n"), Order(3));
        assert_eq!(refusal("d a\nd a\n"), Order(3));
        assert_eq!(refusal("d a/b\n"), MissingParent(2));
        assert!(matches!(refusal("l a b\nd a/c\n"), Node { line: 3, .. }));
        assert!(matches!(refusal("l a \n"), Node { line: 2, .. }));
        assert!(matches!(refusal("l a %00\n"), Node { line: 2, .. }));
        for (bytes, error) in [
            (&b""[..], Header),
            (b"xprov-tree 1", Header),
            (b"xprov-tree 2\n", Header),
            (b"xprov-tree 1\nd \xff\n", NotText),
        ] {
            assert_eq!(Tree::parse(bytes), Err(error));
        }
    }
}
