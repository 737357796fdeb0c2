//! A place that an outcome names: a file or directory, and the line where there is one.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::hermetic::cargo_config::Place;
use crate::sys::ambient::Ambient;

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The file or directory, absolute.
    pub path: PathBuf,
    /// The line, from 1; `None` for the whole.
    pub line: Option<usize>,
}

impl At {
    /// A line of a file.
    pub fn line(path: impl Into<PathBuf>, line: usize) -> Self {
        Self { path: path.into(), line: Some(line) }
    }

    /// A whole file or directory.
    pub fn whole(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), line: None }
    }

    /// The place as messages show it.
    pub fn shown(&self, ambient: &Ambient) -> String {
        Self { path: ambient.shown(&self.path).to_path_buf(), line: self.line }.to_string()
    }
}

impl From<Place> for At {
    fn from(place: Place) -> Self {
        Self::line(place.file, place.line)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: &Path = &self.path;
        match self.line {
            Some(line) => write!(f, "{}:{line}", path.display()),
            None => write!(f, "{}", path.display()),
        }
    }
}
