//! The profile of macOS's `sandbox-exec`. Pure; written after Apple's own profiles in
//! `/System/Library/Sandbox/Profiles`, and not tried on a Mac.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::Rules;

/// What programs of the system and its developer tools need.
const SYSTEM: [&str; 10] = [
    "/System",
    "/usr/lib",
    "/usr/share",
    "/bin",
    "/usr/bin",
    "/Library/Apple",
    "/Library/Developer",
    "/Applications/Xcode.app",
    "/private/var/db/dyld",
    "/private/var/db/xcode_select_link",
];

/// Files that all programs may write.
const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/dtracehelper", "/dev/tty"];

/// The profile's text: what is not named is refused for files and the network, and only those.
/// The kernel compares real paths (`/tmp` is a link to `/private/tmp`), which `resolve` knows.
pub fn profile(rules: &Rules, resolve: &dyn Fn(&Path) -> PathBuf) -> String {
    let mut text = String::from("(version 1)\n(allow default)\n");
    text.push_str("(deny file-read-data file-write*)\n");
    let system = SYSTEM.iter().map(|path| below(Path::new(path)));
    let read = system.chain(rules.read.iter().map(|path| below(&resolve(path))));
    let devices: Vec<String> = DEVICES.iter().map(|path| literal(path)).collect();
    let write: Vec<String> =
        rules.write.iter().map(|path| below(&resolve(path))).chain(devices).collect();
    let random = ["/", "/dev/random", "/dev/urandom"].map(literal);
    for filter in read.chain(random).chain(write.iter().cloned()) {
        let _ = writeln!(text, "(allow file-read-data {filter})");
    }
    for filter in write {
        let _ = writeln!(text, "(allow file-write* {filter})");
    }
    if !rules.network {
        text.push_str("(deny network*)\n(allow network* (remote unix) (local unix))\n");
    }
    text
}

fn below(path: &Path) -> String {
    format!("(subpath {})", quoted(&path.to_string_lossy()))
}

fn literal(path: &str) -> String {
    format!("(literal {})", quoted(path))
}

/// A string of the profile's language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_refused_and_paths_are_quoted() {
        let rules =
            Rules { read: vec!["/store".into()], write: vec!["/w/a \"b\\".into()], network: false };
        let same = |path: &Path| path.to_path_buf();
        let text = profile(&rules, &same);
        let head = "(version 1)\n(allow default)\n(deny file-read-data file-write*)\n";
        assert!(text.starts_with(head), "{text}");
        assert!(text.contains("(allow file-read-data (subpath \"/store\"))\n"));
        assert!(!text.contains("(allow file-write* (subpath \"/store\"))"));
        assert!(text.contains(r#"(allow file-write* (subpath "/w/a \"b\\"))"#), "{text}");
        assert!(text.contains("(deny network*)"));
        assert!(!profile(&Rules { network: true, ..rules }, &same).contains("network"));
        let rules = Rules { write: vec!["/tmp/w".into()], ..Rules::default() };
        let text = profile(&rules, &|path| {
            Path::new("/private").join(path.strip_prefix("/").unwrap_or(path))
        });
        assert!(text.contains("(allow file-write* (subpath \"/private/tmp/w\"))"), "{text}");
    }
}
