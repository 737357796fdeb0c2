//! Paths inside a tree: relative, normal, UTF-8, with `/` between components on every system.

use std::fmt;
use std::path::{Path, PathBuf};

/// A non-empty relative path without `.`, `..`, empty components or NUL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(String);

/// Why a path is not a [`RelPath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRelPath {
    /// Nothing, or only `.` components.
    #[error("the path is empty")]
    Empty,
    /// It starts with `/`.
    #[error("the path is absolute")]
    Absolute,
    /// It has a `..` component.
    #[error("the path has a `..` component")]
    ParentDir,
    /// It has a NUL character or is not UTF-8.
    #[error("the path is not UTF-8 text, or has a NUL character")]
    NotText,
}

impl RelPath {
    /// Parses `path`; `.` components, doubled and trailing slashes are dropped, as archivers write them.
    pub fn parse(path: &[u8]) -> Result<Self, InvalidRelPath> {
        let text = std::str::from_utf8(path).map_err(|_| InvalidRelPath::NotText)?;
        if text.contains('\0') {
            return Err(InvalidRelPath::NotText);
        }
        if text.starts_with('/') {
            return Err(InvalidRelPath::Absolute);
        }
        let mut normal = String::with_capacity(text.len());
        for component in text.split('/') {
            match component {
                "" | "." => {}
                ".." => return Err(InvalidRelPath::ParentDir),
                name => {
                    if !normal.is_empty() {
                        normal.push('/');
                    }
                    normal.push_str(name);
                }
            }
        }
        if normal.is_empty() { Err(InvalidRelPath::Empty) } else { Ok(Self(normal)) }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components, outermost first.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The path without its last component; `None` at the top of the tree.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// The path below `base`, in the form of the operating system.
    pub fn under(&self, base: &Path) -> PathBuf {
        let mut path = base.to_path_buf();
        path.extend(self.components());
        path
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archivers_spellings_are_normalised() {
        for spelling in ["./usr/bin/", "usr//bin", "usr/./bin"] {
            assert_eq!(
                RelPath::parse(spelling.as_bytes()).map(|p| p.to_string()),
                Ok("usr/bin".into())
            );
        }
    }

    #[test]
    fn what_would_leave_the_tree_is_refused() {
        assert_eq!(RelPath::parse(b"a/../../b"), Err(InvalidRelPath::ParentDir));
        assert_eq!(RelPath::parse(b"/etc/passwd"), Err(InvalidRelPath::Absolute));
        assert_eq!(RelPath::parse(b"./"), Err(InvalidRelPath::Empty));
        assert_eq!(RelPath::parse(b"\xff"), Err(InvalidRelPath::NotText));
    }
}
