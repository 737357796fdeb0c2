//! Reads what cargo prints with `--message-format=json-render-diagnostics`: which files it made.
//! Reads lines; starts nothing.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A line of cargo's standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Something was built, or was there already.
    Artifact(Artifact),
    /// The end of the build.
    Finished {
        /// Whether it succeeded.
        success: bool,
    },
    /// A message that says nothing about files.
    Other,
    /// Not a message of cargo's: to be passed on.
    Text,
}

/// What cargo made of one target of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Cargo's package identifier.
    pub package_id: String,
    /// The target's name.
    pub name: String,
    /// Its kinds: `bin`, `lib`, `cdylib`, `custom-build`, …
    pub kinds: Vec<String>,
    /// The files; for a program, the program first.
    pub files: Vec<PathBuf>,
    /// The program, where it is one.
    pub executable: Option<PathBuf>,
    /// Whether nothing had to be done.
    pub fresh: bool,
}

impl Artifact {
    /// The files that are for the user: programs, and libraries that C can load or link. Those of
    /// dependencies are among cargo's intermediate files only. `dirs` are cargo's build and target
    /// directories.
    pub fn outputs(&self, dirs: &[&Path]) -> Vec<&Path> {
        let is = |kind: &str| self.kinds.iter().any(|its| its == kind);
        if let Some(program) = &self.executable {
            return if is("custom-build") { Vec::new() } else { vec![program] };
        }
        if is("proc-macro") || !(is("cdylib") || is("staticlib")) {
            return Vec::new();
        }
        let loadable = |file: &&PathBuf| {
            let ending = file.extension().and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| matches!(ending, "so" | "dylib" | "dll" | "a"))
        };
        let files = self.files.iter().filter(loadable).map(PathBuf::as_path);
        files.filter(|file| is_final(file, dirs)).collect()
    }
}

/// Whether a library is where cargo puts what it was asked for: `<triple>/<profile>/<name>`.
/// Whatever else it makes is deeper, in `deps` or in a directory of its own.
fn is_final(file: &Path, dirs: &[&Path]) -> bool {
    let inner = dirs.iter().filter_map(|dir| file.strip_prefix(dir).ok());
    inner.map(|inner| inner.iter().count()).min().is_none_or(|depth| depth == 3)
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    package_id: String,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    executable: Option<PathBuf>,
    #[serde(default)]
    fresh: bool,
    #[serde(default)]
    success: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Reads one line.
pub fn parse(line: &str) -> Line {
    // Most lines are artifacts; only what looks like a message is parsed at all.
    if !line.starts_with("{\"reason\":") {
        return Line::Text;
    }
    let Ok(message) = serde_json::from_str::<Message>(line) else { return Line::Text };
    match (message.reason.as_str(), message.target) {
        ("compiler-artifact", Some(target)) => Line::Artifact(Artifact {
            package_id: message.package_id,
            name: target.name,
            kinds: target.kind,
            files: message.filenames,
            executable: message.executable,
            fresh: message.fresh,
        }),
        ("build-finished", _) => Line::Finished { success: message.success },
        ("compiler-artifact" | "compiler-message" | "build-script-executed", _) => Line::Other,
        _ => Line::Text,
    }
}

/// Where the user expects a file that an older cargo (before 1.91) put below the build directory;
/// `None` where it is there already.
pub fn expected_place(file: &Path, build_dir: &Path, target_dir: &Path) -> Option<PathBuf> {
    Some(target_dir.join(file.strip_prefix(build_dir).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs() -> [&'static Path; 2] {
        ["/t/x/0", "/t"].map(Path::new)
    }

    #[test]
    fn programs_and_libraries_are_learned() {
        let line = r#"{"reason":"compiler-artifact","package_id":"path+file:///w#app@0.1.0","manifest_path":"/w/Cargo.toml","target":{"kind":["bin"],"crate_types":["bin"],"name":"app","src_path":"/w/src/main.rs"},"profile":{"test":false},"features":[],"filenames":["/t/debug/app"],"executable":"/t/debug/app","fresh":true}"#;
        let Line::Artifact(artifact) = parse(line) else { panic!("an artifact") };
        assert!(artifact.fresh);
        assert_eq!(artifact.outputs(&dirs()), [Path::new("/t/debug/app")]);
        let library = Artifact {
            kinds: vec!["cdylib".into(), "rlib".into()],
            files: vec!["/t/a/debug/libx.so".into(), "/t/a/debug/libx.rlib".into()],
            executable: None,
            ..artifact.clone()
        };
        assert_eq!(library.outputs(&dirs()), [Path::new("/t/a/debug/libx.so")]);
        for (file, is_output) in [
            ("/t/x/0/a/debug/libx.so", true),
            ("/t/x/0/a/debug/deps/libdep-0f.so", false),
            ("/t/a/debug/deps/libdep.so", false),
            ("/t/x/0/a/debug/build/dep/0f/out/libdep.so", false),
        ] {
            let library = Artifact { files: vec![file.into()], ..library.clone() };
            assert_eq!(library.outputs(&dirs()).len(), usize::from(is_output), "{file}");
        }
        let script = Artifact { kinds: vec!["custom-build".into()], ..artifact };
        assert!(script.outputs(&dirs()).is_empty());
    }

    #[test]
    fn what_is_not_cargos_is_passed_on() {
        assert_eq!(parse("hello"), Line::Text);
        assert_eq!(parse("{\"reason\":\"mine\"}"), Line::Text);
        assert_eq!(parse("{\"reason\":"), Line::Text);
        assert_eq!(
            parse("{\"reason\":\"build-finished\",\"success\":true}"),
            Line::Finished { success: true }
        );
    }

    #[test]
    fn a_file_of_the_build_directory_has_a_place_in_the_target_directory() {
        let place = |file| expected_place(Path::new(file), Path::new("/t/x/0"), Path::new("/t"));
        assert_eq!(place("/t/x/0/a/debug/app"), Some("/t/a/debug/app".into()));
        assert_eq!(place("/t/a/debug/app"), None);
    }
}
