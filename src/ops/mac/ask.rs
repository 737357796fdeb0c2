//! Asks a Mac's own programs which tools and SDK are chosen. They start with an empty environment:
//! what `DEVELOPER_DIR` and `SDKROOT` say to the user's shell is not asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::stamp::Stamp;
use super::{Mac, TOOLS};
use crate::sys::process::hermetic_command;

/// What `xcode-select --switch` writes.
const CHOICE: &str = "var/db/xcode_select_link";

/// What an update of macOS changes.
const SYSTEM_VERSION: &str = "System/Library/CoreServices/SystemVersion.plist";

/// Why a Mac cannot build.
#[derive(Debug, thiserror::Error)]
pub enum MacError {
    /// There are no command line tools, or they are damaged, as after an update of macOS.
    #[error("the command line tools of macOS are not installed: {said}")]
    Missing {
        /// What the system said.
        said: String,
    },
    /// Xcode's licence was never agreed to.
    #[error("the licence of Xcode has not been agreed to: {said}")]
    Licence {
        /// What the system said.
        said: String,
    },
    /// The tools lack one.
    #[error("the command line tools of macOS have no `{tool}`")]
    NoTool {
        /// The tool.
        tool: String,
    },
    /// A program of the system answered something else than it does everywhere.
    #[error("`{command}` answered `{said}`")]
    Answer {
        /// The command.
        command: String,
        /// What it said.
        said: String,
    },
    /// A program of the system cannot be started.
    #[error("cannot run `{command}`")]
    Start {
        /// The command.
        command: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl MacError {
    /// What helps.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::NoTool { .. } => {
                "install them with `xcode-select --install`"
            }
            Self::Licence { .. } => "read and agree to it with `sudo xcodebuild -license`",
            Self::Answer { .. } | Self::Start { .. } => {
                "choose the tools with `sudo xcode-select --reset`, or install them with \
                 `xcode-select --install`"
            }
        }
    }
}

impl Mac {
    /// Asks the machine at `root`.
    pub(super) fn ask(root: &Path) -> Result<Self, MacError> {
        let developer_dir = path("xcode-select -p", &run(root, "xcode-select", &["-p"])?)?;
        let xcrun = |arguments: &[&str]| run(root, "xcrun", arguments);
        let sdk_path = ["--sdk", "macosx", "--show-sdk-path"];
        let sdk = path("xcrun --show-sdk-path", &xcrun(&sdk_path)?)?;
        let sdk_version = line(
            "xcrun --show-sdk-version",
            &xcrun(&["--sdk", "macosx", "--show-sdk-version"])?,
            |line| line.starts_with(|c: char| c.is_ascii_digit()),
        )?;
        let mut programs = BTreeMap::new();
        for tool in TOOLS {
            let answer = match xcrun(&["--sdk", "macosx", "--find", tool]) {
                // Not all of them are in all versions; a recipe that names one will miss it.
                Err(MacError::Missing { .. }) if tool != "clang" => continue,
                answer => answer?,
            };
            programs.insert(tool.to_owned(), path(&format!("xcrun --find {tool}"), &answer)?);
        }
        let clang = programs.get("clang").cloned().unwrap_or_default();
        let version = output(&clang, &["--version"])?;
        let version = line("clang --version", &version, |line| line.contains("clang version"))?;
        let macos = macos(&run(root, "sw_vers", &[])?)?;
        // The SDK is told by its settings: a directory's time is that of the last entry only.
        let stamps = [
            root.join(CHOICE),
            root.join(SYSTEM_VERSION),
            developer_dir.clone(),
            sdk.clone(),
            sdk.join("SDKSettings.json"),
        ];
        let stamps = stamps.iter().chain(programs.values()).map(|path| Stamp::of(path)).collect();
        let root = root.to_path_buf();
        let clang = version;
        Ok(Self { root, developer_dir, sdk, sdk_version, clang, macos, programs, stamps })
    }
}

/// What a program of the system's `/usr/bin` says, if it succeeds.
fn run(root: &Path, name: &str, arguments: &[&str]) -> Result<String, MacError> {
    output(&root.join("usr/bin").join(name), arguments)
}

fn output(program: &Path, arguments: &[&str]) -> Result<String, MacError> {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let command = format!("{name} {}", arguments.join(" "));
    let Output { status, stdout, stderr } = match hermetic_command(program).args(arguments).output()
    {
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            return Err(MacError::Missing { said: format!("there is no `{}`", program.display()) });
        }
        Err(source) => return Err(MacError::Start { command: command.trim().to_owned(), source }),
        Ok(output) => output,
    };
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&stderr);
    let said = said.lines().map(str::trim).find(|line| !line.is_empty());
    let said = said.map_or_else(|| format!("`{}` failed", command.trim()), str::to_owned);
    if said.contains("license") {
        return Err(MacError::Licence { said });
    }
    Err(MacError::Missing { said })
}

/// The first line of an answer, which has to be an absolute path.
fn path(command: &str, answer: &str) -> Result<PathBuf, MacError> {
    line(command, answer, |line| line.starts_with('/')).map(PathBuf::from)
}

fn line(command: &str, answer: &str, fits: impl Fn(&str) -> bool) -> Result<String, MacError> {
    let first = answer.lines().next().unwrap_or_default().trim();
    if fits(first) {
        return Ok(first.to_owned());
    }
    Err(MacError::Answer { command: command.to_owned(), said: first.to_owned() })
}

/// `15.4.1 (24E263)`, from what `sw_vers` prints.
fn macos(answer: &str) -> Result<String, MacError> {
    let value = |key: &str| {
        let mut lines = answer.lines();
        let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        value.map(str::trim).filter(|value| !value.is_empty())
    };
    match (value("ProductVersion"), value("BuildVersion")) {
        (Some(version), Some(build)) => Ok(format!("{version} ({build})")),
        _ => Err(MacError::Answer {
            command: "sw_vers".to_owned(),
            said: answer.lines().next().unwrap_or_default().to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_and_others_refused() {
        let sw_vers = "ProductName:\t\tmacOS\nProductVersion:\t\t15.4.1\nBuildVersion:\t\t24E263\n";
        assert_eq!(macos(sw_vers).ok().as_deref(), Some("15.4.1 (24E263)"));
        let error = macos("ProductName: macOS\n").expect_err("no version");
        assert_eq!(error.to_string(), "`sw_vers` answered `ProductName: macOS`");
        let spaced = "/Applications/Xcode 16.app/Contents/Developer\n";
        let dir = path("xcode-select -p", spaced).expect("a path");
        assert_eq!(dir, Path::new("/Applications/Xcode 16.app/Contents/Developer"));
        let error = path("xcode-select -p", "Developer\n").expect_err("not absolute");
        assert_eq!(error.to_string(), "`xcode-select -p` answered `Developer`");
    }
}
