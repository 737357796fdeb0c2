//! Cargo's command line: what the user wrote, verbatim, with what makes cargo read nothing that
//! the plan does not name. It looks at no file but through the closure that is passed in.

mod argv;
mod question;

use std::path::{Path, PathBuf};

pub use argv::{Surroundings, fetch_argv};
pub use question::is_question;

use super::cargo_config::ConfigFile;
use super::{Error, text};

/// Options whose value is the next argument. `true` where the value is a path that means
/// something relative to where the user is.
const VALUED: &[(&str, bool)] = &[
    ("--manifest-path", true),
    ("--target-dir", true),
    ("--artifact-dir", true),
    ("--out-dir", true),
    ("--lockfile-path", true),
    ("--path", true),
    ("--root", true),
    ("--config", false),
    ("--target", false),
    ("--package", false),
    ("-p", false),
    ("--exclude", false),
    ("--bin", false),
    ("--example", false),
    ("--test", false),
    ("--bench", false),
    ("--features", false),
    ("-F", false),
    ("--jobs", false),
    ("-j", false),
    ("--profile", false),
    ("--message-format", false),
    ("--color", false),
    ("-Z", false),
];

/// Commands that compile, and so take `--target`.
const COMPILING: &[&str] = &[
    "bench", "build", "b", "check", "c", "clippy", "doc", "d", "fix", "run", "r", "rustc",
    "rustdoc", "test", "t",
];

/// A `--config` of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigArgument {
    /// A file, absolute.
    File(PathBuf),
    /// `KEY=VALUE`.
    Inline(ConfigFile),
}

impl ConfigArgument {
    /// As cargo gets it.
    pub fn as_text(&self) -> Result<&str, Error> {
        match self {
            Self::File(path) => text(path),
            Self::Inline(argument) => Ok(&argument.text),
        }
    }
}

/// What the user's arguments say, with paths made absolute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CargoArgs {
    /// The command: `build`.
    pub command: String,
    /// What follows it, without what this struct has fields for and cargo shall get in another
    /// place: `--config`, `--target`, `--manifest-path`, `--locked`, `--offline`, `--frozen`.
    pub rest: Vec<String>,
    /// `--config`, in order: the later ones win.
    pub configs: Vec<ConfigArgument>,
    /// `--target`, in order.
    pub targets: Vec<String>,
    /// `--manifest-path`, absolute.
    pub manifest_path: Option<PathBuf>,
    /// `--target-dir`, absolute; it stays in `rest` too.
    pub target_dir: Option<PathBuf>,
    /// `--message-format`.
    pub message_format: Option<String>,
    /// `--locked` (which `--frozen` implies).
    pub locked: bool,
    /// `--offline` (which `--frozen` implies).
    pub offline: bool,
}

impl CargoArgs {
    /// Reads `arguments`, the command and options on both sides of it, written by a user in `cwd` (absolute).
    /// `pinned_rust` is the version that the lockfile pins, for the hint about `+toolchain`, if
    /// there is a lockfile;
    /// `is_file` says whether a path is a file, for `--config FILE|KEY=VALUE`.
    pub fn parse(
        arguments: &[String],
        cwd: &Path,
        pinned_rust: Option<&str>,
        is_file: &dyn Fn(&Path) -> bool,
    ) -> Result<Self, Error> {
        if let Some(argument) = arguments.first().filter(|first| first.starts_with('+')) {
            let wanted = Some(release(&argument[1..])).filter(|release| !release.is_empty());
            let wanted = wanted.or(pinned_rust.map(release)).unwrap_or("VERSION");
            return Err(Error::ToolchainArgument {
                argument: argument.clone(),
                settings_line: format!("rust = \"{wanted}\""),
            });
        }
        let mut args = Self::default();
        let mut left = arguments.iter();
        while let Some(argument) = left.next() {
            // After `--`, and after the first word that `cargo run` hands to the program,
            // nothing is cargo's.
            let runs = matches!(args.command.as_str(), "run" | "r");
            if argument == "--" || (runs && !argument.starts_with('-')) {
                args.rest.push(argument.clone());
                args.rest.extend(left.cloned());
                break;
            }
            if !argument.starts_with('-') {
                if args.command.is_empty() {
                    args.command.clone_from(argument);
                } else {
                    args.rest.push(argument.clone());
                }
                continue;
            }
            let (option, joined) = split(argument);
            let known = VALUED.iter().find(|(name, _)| *name == option).map(|(_, path)| *path);
            let leads = args.command.is_empty() && question::LEADING.contains(&option);
            let Some(is_path) = known.or(leads.then_some(false)) else {
                args.flag(argument);
                continue;
            };
            let value = match joined {
                Some(value) => value.to_owned(),
                None => left
                    .next()
                    .cloned()
                    .ok_or_else(|| Error::MissingValue { option: option.to_owned() })?,
            };
            args.option(option, value, is_path, cwd, is_file)?;
        }
        if args.command.is_empty() { Err(Error::NoCommand) } else { Ok(args) }
    }

    /// An option without a value.
    fn flag(&mut self, argument: &str) {
        match argument {
            "--locked" => self.locked = true,
            "--offline" => self.offline = true,
            "--frozen" => (self.locked, self.offline) = (true, true),
            _ => self.rest.push(argument.to_owned()),
        }
    }

    fn option(
        &mut self,
        option: &str,
        value: String,
        is_path: bool,
        cwd: &Path,
        is_file: &dyn Fn(&Path) -> bool,
    ) -> Result<(), Error> {
        let value = if is_path { absolute(cwd, &value)? } else { value };
        match option {
            "--manifest-path" => {
                self.manifest_path = Some(value.into());
                return Ok(());
            }
            "--target" => {
                self.targets.push(value);
                return Ok(());
            }
            "--config" => {
                let file = cwd.join(&value);
                self.configs.push(if is_file(&file) {
                    ConfigArgument::File(absolute(cwd, &value)?.into())
                } else {
                    ConfigArgument::Inline(ConfigFile::argument(cwd, value))
                });
                return Ok(());
            }
            "--target-dir" => self.target_dir = Some(value.clone().into()),
            "--message-format" => self.message_format = Some(value.clone()),
            _ => {}
        }
        // One argument, so that it can be told apart again without the table.
        self.rest.push(match option {
            short if !short.starts_with("--") => format!("{short}{value}"),
            long => format!("{long}={value}"),
        });
        Ok(())
    }

    /// Whether the command compiles.
    pub fn compiles(&self) -> bool {
        COMPILING.contains(&self.command.as_str())
    }

    /// Whether xprov reads cargo's messages: only for `build`, whose output is nobody else's, and
    /// only where the user chose no format.
    pub fn reads_messages(&self) -> bool {
        matches!(self.command.as_str(), "build" | "b") && self.message_format.is_none()
    }
}

/// The numbers that a version begins with: `1.90.0` of `1.90.0-x86_64-unknown-linux-gnu`, nothing
/// of `nightly-2026-01-01`.
fn release(version: &str) -> &str {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.');
    version[..end.unwrap_or(version.len())].trim_end_matches('.')
}

/// `--option=value`, `-jN`: the option and its value.
fn split(argument: &str) -> (&str, Option<&str>) {
    if argument.starts_with("--") {
        return match argument.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (argument, None),
        };
    }
    match argument.get(..2) {
        Some(short) if argument.len() > 2 && VALUED.iter().any(|(name, _)| *name == short) => {
            let value = &argument[2..];
            (short, Some(value.strip_prefix('=').unwrap_or(value)))
        }
        _ => (argument, None),
    }
}

fn absolute(cwd: &Path, path: &str) -> Result<String, Error> {
    let mut joined = cwd.to_path_buf();
    for component in Path::new(path).components() {
        match component {
            std::path::Component::CurDir => {}
            // As cargo does: by the text, links are not looked at.
            std::path::Component::ParentDir => {
                joined.pop();
            }
            other => joined.push(other),
        }
    }
    Ok(text(&joined)?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn parse(line: &str) -> Result<CargoArgs, Error> {
        CargoArgs::parse(&words(line), Path::new("/w/sub"), Some("1.95.0+dfsg-1"), &|path| {
            path == Path::new("/w/sub/c.toml")
        })
    }

    fn argv(line: &str) -> String {
        let around = Surroundings {
            manifest_path: Path::new("/w/Cargo.toml"),
            target: "T",
            locked: false,
            offline: false,
            first_configs: &["/w/.cargo/config.toml".into()],
            last_config: Path::new("/b/cargo-config.toml"),
            own_target_dir: false,
        };
        parse(line).expect("good").to_argv(&around).expect("text").join(" ")
    }

    #[test]
    fn ours_is_the_last_configuration() {
        assert_eq!(
            argv("build -p app --config c.toml --config net.retry=1 --release"),
            "build --manifest-path /w/Cargo.toml --target T --offline \
             --message-format=json-render-diagnostics --config /w/.cargo/config.toml \
             --config /w/sub/c.toml --config net.retry=1 --config /b/cargo-config.toml \
             -papp --release"
        );
    }

    #[test]
    fn paths_of_the_user_become_absolute_and_programs_arguments_stay() {
        let line = argv("run --manifest-path ../Cargo.toml -- --target x --config y");
        assert!(line.starts_with("run --manifest-path /w/Cargo.toml --target T"), "{line}");
        assert!(line.ends_with(" -- --target x --config y"), "{line}");
        let line = argv("run -q file --target-dir out");
        assert!(line.ends_with(" -q file --target-dir out"), "{line}");
        let args = parse("build --target-dir=./out --target=a --target b").expect("good");
        assert_eq!(args.target_dir, Some("/w/sub/out".into()));
        assert_eq!(args.targets, ["a", "b"]);
        assert_eq!(args.rest, ["--target-dir=/w/sub/out"]);
    }

    #[test]
    fn options_before_the_command_are_as_those_after_it() {
        for (before, after) in [
            ("-v build", "build -v"),
            (
                "--config net.retry=1 --color never -q check -p a",
                "check --config=net.retry=1 --color never -q -p a",
            ),
            ("--locked --target-dir out run x -q", "run --locked --target-dir out x -q"),
        ] {
            assert_eq!(argv(before), argv(after));
        }
    }

    #[test]
    fn what_xprov_needs_to_know_is_read() {
        let args = parse("test --frozen -vv -j4 --profile dist").expect("good");
        assert!(args.locked && args.offline);
        assert_eq!(args.rest, ["-vv", "-j4", "--profile=dist"]);
        assert!(!args.reads_messages());
        assert!(!parse("build --message-format short").expect("good").reads_messages());
    }

    #[test]
    fn what_stands_around_counts_for_cargos_own_commands_once() {
        let argv = |line: &str, locked, offline| {
            let around = Surroundings {
                manifest_path: Path::new("/w/Cargo.toml"),
                target: "T",
                locked,
                offline,
                first_configs: &[],
                last_config: Path::new("/c"),
                own_target_dir: false,
            };
            parse(line).expect("good").to_argv(&around).expect("text").join(" ")
        };
        let end = "--config /c";
        for (line, expected) in [
            ("update", format!("update --manifest-path /w/Cargo.toml --offline --locked {end}")),
            ("update --frozen --locked", argv("update", true, true)),
            ("nextest run", format!("nextest --manifest-path /w/Cargo.toml {end} run")),
            ("nextest --locked", format!("nextest --manifest-path /w/Cargo.toml --locked {end}")),
        ] {
            assert_eq!(argv(line, true, true), expected, "{line}");
        }
        assert_eq!(argv("build", true, false).matches("--locked").count(), 1);
        assert_eq!(argv("build", true, true), argv("build --frozen", true, true));
    }

    #[test]
    fn a_formatter_gets_what_the_user_wrote_and_nothing_else() {
        assert_eq!(
            argv("fmt --all --check -- --edition 2021"),
            "fmt --all --check -- --edition 2021"
        );
        assert_eq!(
            argv("fmt --manifest-path a/Cargo.toml"),
            "fmt --manifest-path /w/sub/a/Cargo.toml"
        );
        assert!(
            argv("clippy -- -Dwarnings").ends_with("--config /b/cargo-config.toml -- -Dwarnings")
        );
    }

    #[test]
    fn a_toolchain_argument_is_refused_with_the_line_that_does_it() {
        for (line, expected) in [
            ("+1.90.0 build", "1.90.0"),
            ("+1.90-x86_64-unknown-linux-gnu build", "1.90"),
            ("+nightly build", "1.95.0"),
        ] {
            let Err(Error::ToolchainArgument { settings_line, .. }) = parse(line) else {
                panic!("{line} is refused")
            };
            assert_eq!(settings_line, format!("rust = \"{expected}\""));
        }
        assert!(matches!(parse("build -p"), Err(Error::MissingValue { .. })));
        assert!(matches!(parse("--release"), Err(Error::NoCommand)));
    }
}
