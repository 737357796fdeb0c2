//! What a sandbox lets a build see: its mode and its roots, and the text that carries them to the
//! shims. Confines nothing itself and opens no path.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// The variable with a build's [`Roots`].
pub const SANDBOX_VARIABLE: &str = "XPROV_SANDBOX";

/// Stands between the entries of [`SANDBOX_VARIABLE`]; no sane path has it.
const SEPARATOR: u8 = 0x1f;

/// What the sandbox does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Nothing.
    #[default]
    Off,
    /// Notes what [`Mode::On`] would refuse.
    Report,
    /// Refuses and notes.
    On,
}

impl Mode {
    /// As settings and variables write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Report => "report",
            Self::On => "on",
        }
    }

    /// The mode of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Off, Self::Report, Self::On].into_iter().find(|mode| mode.as_str() == name)
    }
}

/// What a build's own programs may reach. The paths are absolute and have no `..`; each stands
/// for itself and all below it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Roots {
    /// What happens with the rest.
    pub mode: Mode,
    /// May be read and run.
    pub read: Vec<PathBuf>,
    /// May be read, run and written.
    pub write: Vec<PathBuf>,
    /// Whether sockets other than Unix ones may be made.
    pub network: bool,
}

impl Roots {
    /// The value of [`SANDBOX_VARIABLE`]: the mode, then `r=PATH`, `w=PATH` or `n=` an entry.
    pub fn to_variable(&self) -> OsString {
        let mut bytes = self.mode.as_str().as_bytes().to_vec();
        let mut entry = |name: u8, path: &Path| {
            bytes.extend([SEPARATOR, name, b'=']);
            bytes.extend(path.as_os_str().as_bytes());
        };
        self.read.iter().for_each(|path| entry(b'r', path));
        self.write.iter().for_each(|path| entry(b'w', path));
        if self.network {
            entry(b'n', Path::new(""));
        }
        OsString::from_vec(bytes)
    }

    /// Reads [`Self::to_variable`]'s text. `None`: another xprov wrote it, or nobody.
    pub fn parse(value: &OsStr) -> Option<Self> {
        let mut entries = value.as_bytes().split(|byte| *byte == SEPARATOR);
        let mode = Mode::from_name(std::str::from_utf8(entries.next()?).ok()?)?;
        let mut roots = Self { mode, ..Self::default() };
        for entry in entries {
            let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
            match entry {
                [b'r', b'=', path_bytes @ ..] => roots.read.push(path(path_bytes)),
                [b'w', b'=', path_bytes @ ..] => roots.write.push(path(path_bytes)),
                b"n=" => roots.network = true,
                _ => return None,
            }
        }
        Some(roots)
    }

    /// Whether the path is below a root, of whatever kind. Compares texts: the caller takes `.`
    /// and `..` away first.
    pub fn covers(&self, path: &Path) -> bool {
        self.read.iter().chain(&self.write).any(|root| path.starts_with(root))
    }

    /// Whether the path is below a root that may be written.
    pub fn covers_writing(&self, path: &Path) -> bool {
        self.write.iter().any(|root| path.starts_with(root))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let roots = Roots {
            mode: Mode::On,
            read: vec!["/store".into(), "/home/ü b/w".into()],
            write: vec!["/home/ü b/w/target".into()],
            network: true,
        };
        let text = roots.to_variable();
        assert_eq!(text, "on\u{1f}r=/store\u{1f}r=/home/ü b/w\u{1f}w=/home/ü b/w/target\u{1f}n=");
        assert_eq!(Roots::parse(&text), Some(roots));
        assert_eq!(Roots::parse(OsStr::new("off")), Some(Roots::default()));
        for damaged in ["", "maybe", "on\u{1f}", "on\u{1f}x=/a", "on\u{1f}n=1"] {
            assert_eq!(Roots::parse(OsStr::new(damaged)), None, "{damaged}");
        }
    }

    #[test]
    fn a_root_covers_what_is_below_it_and_no_name_that_begins_alike() {
        let roots =
            Roots { read: vec!["/a/b".into()], write: vec!["/w".into()], ..Roots::default() };
        assert!(roots.covers(Path::new("/a/b")) && roots.covers(Path::new("/a/b/c")));
        assert!(!roots.covers(Path::new("/a/bc")) && !roots.covers(Path::new("/a")));
        assert!(roots.covers(Path::new("/w/x")) && roots.covers_writing(Path::new("/w/x")));
        assert!(!roots.covers_writing(Path::new("/a/b")));
    }
}
