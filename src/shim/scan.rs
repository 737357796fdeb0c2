//! What the source of a build script or proc-macro asks that no sandbox can hide: the processor,
//! the clock, the machine's and the user's name. Reads Rust's tokens, not its meaning: code that
//! is only mentioned (in `quote!`, say) is found too.

use std::path::{Path, PathBuf};

use super::ledger::{Notice, NoticeKind};

/// No crate gets more notices.
const MOST: usize = 20;

const CPU: &str = "the answer is the processor's that builds";
const CLOCK: &str = "every build gets another answer";
const NAME: &str = "the answer is this machine's or its user's";
const THREADS: &str = "the answer is the number of this machine's processors";

/// Tokens in a row, and what is wrong with them.
const PATTERNS: [(&[&str], &str); 21] = [
    (&["is_x86_feature_detected", "!"], CPU),
    (&["is_aarch64_feature_detected", "!"], CPU),
    (&["is_arm_feature_detected", "!"], CPU),
    (&["__cpuid"], CPU),
    (&["__cpuid_count"], CPU),
    (&["raw_cpuid"], CPU),
    (&["cpufeatures"], CPU),
    (&["cfg", "!", "(", "target_feature"], CPU),
    (&["SystemTime", ":", ":", "now"], CLOCK),
    (&["Utc", ":", ":", "now"], CLOCK),
    (&["Local", ":", ":", "now"], CLOCK),
    (&["OffsetDateTime", ":", ":", "now_utc"], CLOCK),
    (&["OffsetDateTime", ":", ":", "now_local"], CLOCK),
    (&["Zoned", ":", ":", "now"], CLOCK),
    (&["Timestamp", ":", ":", "now"], CLOCK),
    (&["gethostname"], NAME),
    (&["hostname", ":", ":", "get"], NAME),
    (&["whoami", ":", ":"], NAME),
    (&["available_parallelism"], THREADS),
    (&["num_cpus", ":", ":", "get"], THREADS),
    (&["num_cpus", ":", ":", "get_physical"], THREADS),
];

/// The notices of a crate's sources: those that rustc's `.d` file names, relative to where rustc
/// ran. They are called by their paths below `package`.
pub fn notices(dep_info: &Path, cwd: &Path, package: &Path) -> Vec<Notice> {
    let text = std::fs::read_to_string(dep_info).unwrap_or_default();
    let mut notices: Vec<Notice> = Vec::new();
    for source in sources(&text) {
        let path = cwd.join(&source);
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let shown = path.strip_prefix(package).unwrap_or(&path).display();
        notices.extend(found(&text).into_iter().map(|(what, line, why)| Notice {
            kind: NoticeKind::Source,
            what: format!("{what} in {shown}:{line}"),
            became: None,
            why: why.to_owned(),
            allow: None,
        }));
    }
    notices.truncate(MOST);
    notices
}

/// The Rust files of a `.d` file, which has a line `<file>:` for each of them.
fn sources(dep_info: &str) -> Vec<PathBuf> {
    let names = dep_info.lines().filter_map(|line| line.strip_suffix(':'));
    let paths = names.map(|name| PathBuf::from(name.replace("\\ ", " ")));
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Pattern, line and reason of each thing found.
fn found(text: &str) -> Vec<(String, usize, &'static str)> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        for (pattern, why) in PATTERNS {
            let words = tokens[at..].iter().map(|token| token.0);
            if words.take(pattern.len()).eq(pattern.iter().copied()) {
                found.push((pattern.concat(), tokens[at].1, why));
            }
        }
    }
    // A name is imported, and then used: the first place of each says enough.
    let mut seen = std::collections::HashSet::new();
    found.retain(|(what, ..)| seen.insert(what.clone()));
    found
}

/// Words and single characters with their lines, without comments, texts and characters.
fn tokens(text: &str) -> Vec<(&str, usize)> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let rest = &text[at..];
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw_string(rest) {
            length
        } else if let Some(quoted) = rest.strip_prefix('"') {
            1 + until_quote(quoted, b'"')
        } else if bytes[at] == b'\'' {
            character(rest)
        } else if is_word(bytes[at]) {
            let word = rest.bytes().take_while(|byte| is_word(*byte)).count();
            tokens.push((&rest[..word], line));
            word
        } else {
            if !bytes[at].is_ascii_whitespace() {
                tokens.push((&rest[..1], line));
            }
            1
        };
        line += rest[..length].bytes().filter(|byte| *byte == b'\n').count();
        at += length;
    }
    tokens
}

/// The length of a comment that may have others in it.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of `r"…"`, `r#"…"#`, `br"…"` and `cr"…"`, if the text begins with one.
fn raw_string(text: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        let rest = text.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    })?;
    let hashes = text[prefix.len()..].bytes().take_while(|byte| *byte == b'#').count();
    let start = prefix.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()))
}

/// The length of `'a'`, `'\n'` and of the `'` of a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text[1..].chars();
    match chars.next() {
        Some('\\') => 1 + until_quote(&text[1..], b'\''),
        Some(first) if chars.next() == Some('\'') => first.len_utf8() + 2,
        _ => 1,
    }
}

/// The length up to and with the quote that no backslash precedes.
fn until_quote(text: &str, quote: u8) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_found_with_its_line() {
        let text = "use raw_cpuid::CpuId;\n\nfn f<'a>() {\n  let q = '\"';\n  \
                    if is_x86_feature_detected!(\"avx2\") {}\n  std::time::SystemTime :: now();\n}";
        let found: Vec<(String, usize)> =
            found(text).into_iter().map(|(what, line, _)| (what, line)).collect();
        let expected = [("raw_cpuid", 1), ("is_x86_feature_detected!", 5), ("SystemTime::now", 6)];
        assert_eq!(found, expected.map(|(what, line)| (what.to_owned(), line)));
        assert_eq!(super::found("cfg!(target_feature = \"avx\")").len(), 1);
        assert_eq!(super::found("Instant::now(); Utc::today(); my_raw_cpuid").len(), 0);
    }

    #[test]
    fn comments_and_texts_are_not_source() {
        let ask = "SystemTime::now()";
        for text in [
            format!("// {ask}"),
            format!("/* /* */ {ask} */"),
            format!("\"\\\" {ask}\""),
            format!("br##\" \"# {ask} \"##"),
            format!("\"unfinished \\\\\\\" {ask}"),
        ] {
            assert!(found(&text).is_empty(), "{text}");
        }
        let raw = format!("r\"\\\" ; {ask}");
        for text in
            [raw, format!("'\\'' ; {ask}"), format!("b'\"' ; {ask}"), format!("'é'; {ask} 'ü")]
        {
            assert_eq!(found(&text).len(), 1, "{text}");
        }
        // Whatever a file holds, reading it ends.
        for text in ["\"\\", "r#\"", "'", "'\\", "/*", "/**", "é'"] {
            assert!(found(text).is_empty());
        }
    }

    #[test]
    fn the_files_are_those_that_rustc_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let dep_info = dir.path().join("x.d");
        std::fs::write(dir.path().join("build me.rs"), "\nwhoami::username()").expect("written");
        let text = "/t/x: build\\ me.rs gone.rs a.txt\n\nbuild\\ me.rs:\ngone.rs:\na.txt:\n\
                    # env-dep:A=b:\n";
        std::fs::write(&dep_info, text).expect("written");
        let notices = notices(&dep_info, dir.path(), dir.path());
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert_eq!(notices[0].what, "whoami:: in build me.rs:2");
        assert!(super::notices(Path::new("/nowhere"), dir.path(), dir.path()).is_empty());
    }
}
