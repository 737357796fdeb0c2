//! What zig's linker takes of what gcc, rustc and build scripts pass on to a linker. Tables. Pure.

use crate::shim::Error;

/// Options that change nothing of what a program does: how fast it is linked, what is said of it,
/// a workaround for the first revisions of one processor, and the format that the target has anyway.
/// rustc passes the first since 1.98, and for i686 the emulation.
const WITHOUT_EFFECT: &[&str] = &[
    "-maarch64linux",
    "-marmelf_linux_eabi",
    "-melf_i386",
    "-melf_x86_64",
    "--fix-cortex-a53-843419",
    "--no-keep-memory",
    "--no-threads",
    "--threads",
    "--warn-common",
    "--icf",
];

/// The same behind `-z`; that text is not written to is what zig's linker does anyway.
const KEYWORDS_WITHOUT_EFFECT: &[&str] =
    &["noseparate-code", "nostart-stop-gc", "separate-code", "text"];

/// Options that another link than zig's would need.
const MISSING: &[&str] = &[
    "--allow-multiple-definition",
    "--dynamic-list",
    "--exclude-libs",
    "--export-dynamic-symbol",
    "--pop-state",
    "--push-state",
];
const MISSING_KEYWORDS: &[&str] = &["muldefs"];

/// rustc's own start files for musl (`self-contained`), also where it has only their names.
const START_FILES: &[&str] = &[
    "Scrt1.o",
    "crt1.o",
    "crtbegin.o",
    "crtbeginS.o",
    "crtbeginT.o",
    "crtend.o",
    "crtendS.o",
    "crti.o",
    "crtn.o",
    "gcrt1.o",
    "rcrt1.o",
];

/// What becomes of a list of options for the linker, commas between them; `None` where none stays.
pub(super) fn options(list: &str) -> Result<Option<String>, Error> {
    let mut kept: Vec<String> = Vec::new();
    let mut rest = list.split(',').peekable();
    while let Some(word) = rest.next() {
        if word == "-z" && rest.peek().is_some() {
            let keyword = rest.next().unwrap_or_default();
            if keep(keyword, KEYWORDS_WITHOUT_EFFECT, MISSING_KEYWORDS, "-z ")? {
                kept.extend(["-z".to_owned(), keyword.to_owned()]);
            }
        } else if let Some(symbol) = word.strip_prefix("--undefined=") {
            kept.extend(["-u".to_owned(), symbol.to_owned()]);
        } else if let Some(end) = word.strip_prefix("--wrap").filter(|end| is_end(end)) {
            // The one spelling that it reads.
            kept.push(format!("-wrap{end}"));
        } else if let Some(keyword) = word.strip_prefix("-z").filter(|word| !word.is_empty()) {
            if keep(keyword, KEYWORDS_WITHOUT_EFFECT, MISSING_KEYWORDS, "-z ")? {
                kept.extend(["-z".to_owned(), keyword.to_owned()]);
            }
        } else if keep(word, WITHOUT_EFFECT, MISSING, "")? {
            kept.push(word.to_owned());
        }
    }
    Ok((!kept.is_empty()).then(|| format!("-Wl,{}", kept.join(","))))
}

/// Whether a name ends here, or its value begins.
fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('=')
}

/// Whether zig's linker gets a word that is no list.
pub(super) fn is_kept(word: &str) -> Result<bool, Error> {
    keep(word, WITHOUT_EFFECT, MISSING, "")
}

fn keep(word: &str, dropped: &[&str], missing: &[&str], before: &str) -> Result<bool, Error> {
    let name = word.split('=').next().unwrap_or(word);
    if missing.contains(&name) {
        return Err(Error::NoZigOption { option: format!("{before}{name}") });
    }
    Ok(!dropped.contains(&name))
}

/// What stands for gcc's libraries, which zig does not have: its unwinder for that of gcc.
pub(super) fn library(word: &str) -> Option<&'static str> {
    matches!(word, "-lgcc_s" | "-lgcc_eh").then_some("-lunwind")
}

/// Whether a word makes a musl program of rustc's own C library and start files; zig has its own,
/// and two of each do not link.
pub(super) fn is_of_rust(word: &str) -> bool {
    let file = word.rsplit('/').next().unwrap_or(word);
    let beside = word.rsplit('/').nth(1);
    word == "-nostartfiles"
        || START_FILES.contains(&file) && (beside.is_none() || beside == Some("self-contained"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_effect_is_left_out() {
        for (list, expected) in [
            ("--as-needed", Some("-Wl,--as-needed")),
            ("--icf=all,-O1,--threads=4", Some("-Wl,-O1")),
            ("-z,relro,-z,text,-z,now", Some("-Wl,-z,relro,-z,now")),
            ("-znoexecstack,-zseparate-code", Some("-Wl,-z,noexecstack")),
            ("--fix-cortex-a53-843419", None),
            ("-melf_i386", None),
            ("--undefined=main", Some("-Wl,-u,main")),
            ("-z", Some("-Wl,-z")),
            ("--wrap=malloc", Some("-Wl,-wrap=malloc")),
            ("--wrap,malloc", Some("-Wl,-wrap,malloc")),
        ] {
            assert_eq!(options(list).expect("known").as_deref(), expected, "{list}");
        }
    }

    #[test]
    fn only_rusts_own_start_files_are_left_out() {
        for word in ["crt1.o", "/r/self-contained/crti.o", "-nostartfiles"] {
            assert!(is_of_rust(word), "{word}");
        }
        for word in ["/w/crt1.o", "-nostdlib", "/r/self-contained/libc.a", "a.o"] {
            assert!(!is_of_rust(word), "{word}");
        }
    }
}
