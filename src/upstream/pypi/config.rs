//! Which package index this machine's pip uses: its configuration files and its variables, in
//! pip's own order. Reads the files whose places it works out from what it is given.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What pip is told about indexes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipConfig {
    /// The index; `None` where nothing but pip itself says one.
    pub index: Option<String>,
    /// Further indexes.
    pub extra: Vec<String>,
    /// Whether no index may be asked.
    pub no_index: bool,
}

/// A configuration file that exists but cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read pip's configuration {}", .path.display())]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// The cause.
    pub source: io::Error,
}

/// Reads the configuration; `variables` are those of the user's environment.
pub fn read(
    variables: &BTreeMap<String, String>,
    is_macos: bool,
) -> Result<PipConfig, ConfigError> {
    let mut config = PipConfig::default();
    for path in places(variables, is_macos) {
        match fs::read(&path) {
            Ok(bytes) => config.add_file(&String::from_utf8_lossy(&bytes)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) => {}
            Err(source) => return Err(ConfigError { path, source }),
        }
    }
    for (key, name) in [
        ("index-url", "PIP_INDEX_URL"),
        ("extra-index-url", "PIP_EXTRA_INDEX_URL"),
        ("no-index", "PIP_NO_INDEX"),
    ] {
        if let Some(value) = variable(variables, name) {
            config.set(key, value);
        }
    }
    Ok(config)
}

fn variable<'a>(variables: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

/// Where pip looks, the weakest first: the machine, the user, the virtual environment, the file
/// that `PIP_CONFIG_FILE` names (instead of the user's; the null device stands for none at all).
fn places(variables: &BTreeMap<String, String>, is_macos: bool) -> Vec<PathBuf> {
    let named = variable(variables, "PIP_CONFIG_FILE").map(PathBuf::from);
    if named.as_deref() == Some(Path::new("/dev/null")) {
        return Vec::new();
    }
    let mut places = Vec::new();
    if is_macos {
        places.push(PathBuf::from("/Library/Application Support/pip"));
    } else {
        let dirs = variable(variables, "XDG_CONFIG_DIRS").unwrap_or("/etc/xdg");
        places.extend(dirs.split(':').map(|dir| Path::new(dir).join("pip")));
        places.push(PathBuf::from("/etc"));
    }
    let home = variable(variables, "HOME").map(Path::new);
    if let (Some(home), true) = (home, named.as_ref().is_none_or(|named| !named.exists())) {
        places.push(home.join(".pip"));
        let library = home.join("Library/Application Support/pip");
        places.push(match variable(variables, "XDG_CONFIG_HOME") {
            _ if is_macos && library.is_dir() => library,
            Some(dir) if !is_macos => Path::new(dir).join("pip"),
            _ => home.join(".config/pip"),
        });
    }
    for name in ["CONDA_PREFIX", "VIRTUAL_ENV"] {
        places.extend(variable(variables, name).map(PathBuf::from));
    }
    places.into_iter().map(|dir| dir.join("pip.conf")).chain(named).collect()
}

impl PipConfig {
    /// Takes what a file says: in `[global]`, and stronger in `[install]`.
    fn add_file(&mut self, text: &str) {
        let mut lines: Vec<(String, String, String)> = Vec::new();
        let mut section = String::new();
        for line in text.lines() {
            let bare = line.trim();
            if bare.is_empty() || bare.starts_with(['#', ';']) {
                continue;
            }
            // A line that is indented goes on with the one before it.
            if line.starts_with([' ', '\t'])
                && let Some((_, _, value)) = lines.last_mut()
            {
                value.push('\n');
                value.push_str(bare);
            } else if let Some(name) = bare.strip_prefix('[').and_then(|b| b.strip_suffix(']')) {
                name.clone_into(&mut section);
            } else if let Some((key, value)) = bare.split_once(['=', ':']) {
                let key = key.trim().to_ascii_lowercase().replace('_', "-");
                let key = key.trim_start_matches("--").to_owned();
                lines.push((section.clone(), key, value.trim().to_owned()));
            }
        }
        for wanted in ["global", "install"] {
            for (_, key, value) in lines.iter().filter(|(section, ..)| section == wanted) {
                self.set(key, value);
            }
        }
    }

    fn set(&mut self, key: &str, value: &str) {
        match key {
            "index-url" => self.index = Some(value.to_owned()).filter(|value| !value.is_empty()),
            "extra-index-url" => {
                self.extra = value.split_whitespace().map(str::to_owned).collect();
            }
            "no-index" => {
                let on = ["y", "yes", "t", "true", "on", "1"];
                self.no_index = on.contains(&value.to_ascii_lowercase().as_str());
            }
            _ => {}
        }
    }
}

/// The default of `--index-url` in what `pip install --help` prints: pip's own, where it is
/// configured for no other.
pub fn default_of_help(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "--index-url")?;
    let rest = words[at + 1..].iter().take_while(|word| !word.starts_with("--"));
    let mut rest = rest.skip_while(|word| **word != "(default").skip(1);
    Some((*rest.next()?).split(')').next()?.to_owned()).filter(|url| !url.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_nearer_file_and_then_the_variable_win() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("written");
        };
        let at = |path: &str| dir.path().join(path).to_string_lossy().into_owned();
        write("etc/pip/pip.conf", "[global]\nindex-url = https://machine.example/\n");
        let (home, etc) = (at("home"), at("etc"));
        // What this machine has in its own places is out of the way.
        let mut variables =
            pairs(&[("HOME", &home), ("XDG_CONFIG_DIRS", &etc), ("PIP_INDEX_URL", "")]);
        let index = |variables: &_| read(variables, false).expect("read").index;
        write("home/.pip/pip.conf", "; old\n[global]\nINDEX_URL: https://old.example\n");
        assert_eq!(index(&variables).as_deref(), Some("https://old.example"));
        write(
            "home/.config/pip/pip.conf",
            "[install]\nindex-url = https://user.example\n[global]\nindex-url=https://no.example\n\
             extra-index-url =\n    https://one.example\n    https://two.example\n[list]\nno-index=1\n",
        );
        let config = read(&variables, false).expect("read");
        assert_eq!(config.index.as_deref(), Some("https://user.example"));
        assert_eq!(config.extra, ["https://one.example", "https://two.example"]);
        assert!(!config.no_index);
        write("venv/pip.conf", "[global]\nindex-url = https://venv.example\n");
        variables.insert("VIRTUAL_ENV".to_owned(), at("venv"));
        assert_eq!(index(&variables).as_deref(), Some("https://venv.example"));
        write("own.conf", "[global]\nno-index = Yes\n");
        variables.insert("PIP_CONFIG_FILE".to_owned(), at("own.conf"));
        let config = read(&variables, false).expect("read");
        assert!(config.no_index && config.extra.is_empty());
        variables.insert("PIP_INDEX_URL".to_owned(), "https://set.example".to_owned());
        assert_eq!(index(&variables).as_deref(), Some("https://set.example"));
        variables.insert("PIP_CONFIG_FILE".to_owned(), "/dev/null".to_owned());
        variables.remove("PIP_INDEX_URL");
        assert_eq!(read(&variables, false).expect("read"), PipConfig::default());
    }

    #[test]
    fn a_mac_has_other_places() {
        let variables = pairs(&[("HOME", "/nowhere"), ("XDG_CONFIG_HOME", "/other")]);
        let found: Vec<String> =
            places(&variables, true).iter().map(|path| path.display().to_string()).collect();
        assert_eq!(
            found,
            [
                "/Library/Application Support/pip/pip.conf",
                "/nowhere/.pip/pip.conf",
                "/nowhere/.config/pip/pip.conf",
            ]
        );
    }

    #[test]
    fn pip_says_its_default_in_its_help() {
        let text = "  -i, --index-url <url>       Base URL of the Python Package Index (default\n\
                    \x20                             https://index.example/simple). This should point\n\
                    \x20 --extra-index-url <url>     Extra (default x)\n";
        assert_eq!(default_of_help(text).as_deref(), Some("https://index.example/simple"));
        assert_eq!(default_of_help("--index-url <url> Base\n --extra-index-url (default x)"), None);
    }
}
