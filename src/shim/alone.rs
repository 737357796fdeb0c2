//! Arguments that a project wrote for a compiler that links, as a linker alone takes them: rustc
//! hands it the words of `-C link-arg` as they stand. Pure.

use std::ffi::OsString;

/// What tells a compiler to leave out what no linker adds.
const DROPPED: [&str; 2] = ["-nostartfiles", "-nodefaultlibs"];

/// The words without the compiler's ways to say them.
pub fn words(words: Vec<OsString>) -> Vec<OsString> {
    let mut all = Vec::with_capacity(words.len());
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("-Xlinker") => all.extend(words.next()),
            Some("-rdynamic") => all.push("--export-dynamic".into()),
            Some(text) if DROPPED.contains(&text) || text.starts_with("-fuse-ld=") => {}
            Some(text) => match text.strip_prefix("-Wl,") {
                Some(list) => all.extend(list.split(',').map(OsString::from)),
                None => all.push(word),
            },
            None => all.push(word),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_for_gcc_is_said_to_the_linker() {
        for (theirs, ours) in [
            (&["-Wl,-z,now", "a.o"][..], &["-z", "now", "a.o"][..]),
            (&["-Wl,--gc-sections"], &["--gc-sections"]),
            (&["-Xlinker", "-Map=a.map"], &["-Map=a.map"]),
            (&["-fuse-ld=lld", "-nostartfiles", "-rdynamic", "-s"], &["--export-dynamic", "-s"]),
            (
                &["-static", "--as-needed", "-lc", "-o", "a b"],
                &["-static", "--as-needed", "-lc", "-o", "a b"],
            ),
        ] {
            let theirs = theirs.iter().map(OsString::from).collect();
            assert_eq!(words(theirs), ours);
        }
    }
}
