//! What is said to a compiler for macOS, for zig, which brings its own headers and stubs of the
//! system's library and looks for no SDK. Pure.

use std::ffi::OsString;

/// `libiconv.tbd`, which zig does not have: rustc names the library in every program with the `libc`
/// crate. A stub is a list of names; these are the functions of `iconv.h` that macOS 10.12 has.
pub const LIBICONV: (&str, &str) = ("libiconv.tbd", include_str!("libiconv.tbd"));

/// The directory in zig's tree that stands in for an SDK: with the stubs of the system's library.
pub const SDK: &str = "lib/libc/darwin";

/// How the oldest macOS is said.
const VERSIONS: [&str; 3] = ["-mmacosx-version-min=", "-mmacos-version-min=", "-mtargetos=macos"];

/// What the words of one call say, for a target of macOS; nothing for others.
pub(super) struct Words {
    is_target: bool,
    oldest: Option<String>,
}

impl Words {
    /// Nothing said yet; `target` is zig's.
    pub fn new(target: &str) -> Self {
        Self { is_target: target.contains("-macos"), oldest: None }
    }

    /// Whether the target is macOS.
    pub fn is_target(&self) -> bool {
        self.is_target
    }

    /// Takes a word that zig says otherwise or not at all: how many words after it belong to it.
    pub fn take(&mut self, word: &str) -> Option<usize> {
        if !self.is_target {
            return None;
        }
        if let Some(version) = VERSIONS.iter().find_map(|start| word.strip_prefix(start)) {
            self.oldest = Some(version.to_owned());
            return Some(0);
        }
        // The target has a processor already, and zig's headers are nobody else's.
        match word {
            "-arch" | "-isysroot" => Some(1),
            _ => word.starts_with("-isysroot").then_some(0),
        }
    }

    /// Zig's target with the version that the last word gave: `aarch64-macos.11.0`.
    pub fn target(&self, target: &str) -> String {
        let plain = target.split('.').next().unwrap_or(target);
        match &self.oldest {
            Some(version) => format!("{plain}.{version}"),
            None => target.to_owned(),
        }
    }
}

/// rustc's arguments with `-Cstrip=…` as a word to zig's linker. rustc starts a program of LLVM's for it, which not every
/// Rust brings, and zig's linker, which signs what it links for Apple's own processors, strips as
/// well. It knows one way of it: symbols go with the debugging information.
pub fn link_strips(words: Vec<OsString>) -> Vec<OsString> {
    let is = |start: &str| {
        let of_mac = |word: &OsString| {
            let text = word.to_str().and_then(|text| text.strip_prefix(start));
            text.is_some_and(|text| text.ends_with("-apple-darwin"))
        };
        words.iter().any(of_mac)
    };
    // Build scripts have no `--target`; theirs is another linker.
    let apart = words.iter().any(|word| word == "--target") && is("");
    if !is("--target=") && !apart {
        return words;
    }
    let mut out = Vec::with_capacity(words.len() + 1);
    for word in words {
        let text = word.to_str().unwrap_or_default();
        let option = text.strip_prefix("-C").unwrap_or(text);
        if matches!(option, "strip=debuginfo" | "strip=symbols") {
            let way = &text[..text.len() - option.len()];
            out.push(format!("{way}strip=none").into());
            out.push("-Clink-arg=-Wl,-S".into());
        } else {
            out.push(word);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_on_the_oldest_system_holds() {
        let mut words = Words::new("aarch64-macos.11.0");
        assert_eq!(words.target("aarch64-macos.11.0"), "aarch64-macos.11.0");
        for (word, more) in [
            ("-mmacosx-version-min=11.0.0", Some(0)),
            ("-arch", Some(1)),
            ("-isysroot", Some(1)),
            ("-isysroot/x", Some(0)),
            ("-mmacos-version-min=12.3", Some(0)),
            ("-c", None),
        ] {
            assert_eq!(words.take(word), more, "{word}");
        }
        assert_eq!(words.target("aarch64-macos.11.0"), "aarch64-macos.12.3");
        assert_eq!(Words::new("x86_64-linux-musl").take("-arch"), None);
    }

    #[test]
    fn only_what_is_for_macos_is_stripped_by_the_linker() {
        let stripped = |words: &[&str]| link_strips(words.iter().map(OsString::from).collect());
        let target = "--target=x86_64-apple-darwin";
        assert_eq!(
            stripped(&["-C", "strip=debuginfo", "-Copt-level=3", target]),
            ["-C", "strip=none", "-Clink-arg=-Wl,-S", "-Copt-level=3", target]
        );
        let apart = ["-Cstrip=symbols", "--target", "aarch64-apple-darwin"];
        assert_eq!(stripped(&apart)[..2], ["-Cstrip=none", "-Clink-arg=-Wl,-S"]);
        for words in [&["-Cstrip=symbols"][..], &["-Cstrip=none", target]] {
            assert_eq!(stripped(words), words);
        }
    }
}
