//! What differs from run to run, replaced by its name, so that output can be compared.

/// Replacements of known texts, the longest first, and of everything that looks like a digest, a
/// port, a time or a random name.
#[derive(Debug, Default, Clone)]
pub struct Redactor {
    known: Vec<(String, String)>,
}

impl Redactor {
    /// Replaces `text` by `name` from now on.
    pub fn know(&mut self, text: impl Into<String>, name: &str) {
        self.known.push((text.into(), name.to_owned()));
        // A path before the directory that it is in.
        self.known.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    }

    /// The text with everything replaced.
    pub fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (known, name) in &self.known {
            text = text.replace(known.as_str(), name);
        }
        // How many artifacts were finished within a second is chance, and which sandbox there is
        // depends on the kernel.
        let lines = text.split_inclusive('\n').filter(|line| {
            !line.starts_with("     Fetched ") && !line.starts_with("note: build scripts run ")
        });
        lines.map(words).collect()
    }
}

/// Replaces word by word; what stands between words stays.
fn words(line: &str) -> String {
    let mut result = String::new();
    let mut rest = line;
    while !rest.is_empty() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '.';
        let word_end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        result.push_str(&replacement(word, &result, after));
        let gap_end = after.find(is_word).unwrap_or(after.len());
        result.push_str(&after[..gap_end]);
        rest = &after[gap_end..];
    }
    result
}

fn replacement(word: &str, before: &str, after: &str) -> String {
    let is_hex = word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_number =
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match word.len() {
        64 if is_hex => "[DIGEST]".to_owned(),
        32 if is_hex => "[ID]".to_owned(),
        16 if is_hex => "[ENV-ID]".to_owned(),
        12 if is_hex => "[HASH]".to_owned(),
        10 if before.ends_with("/staging/s-") => "[RANDOM]".to_owned(),
        _ if before.ends_with("127.0.0.1:") => "[PORT]".to_owned(),
        _ if is_number && after.starts_with(" bytes") => "[N]".to_owned(),
        _ if is_number && word.contains('.') && after.starts_with(" s") => "[TIME]".to_owned(),
        _ => word.to_owned(),
    }
}

#[test]
fn what_differs_is_replaced_and_nothing_else() {
    let mut redactor = Redactor::default();
    redactor.know("/tmp/x", "[ROOT]");
    redactor.know("/tmp/x/home", "[HOME]");
    let digest = "0123456789abcdef".repeat(4);
    let text = format!(
        "/tmp/x/home /tmp/x/v1/staging/s-aB3456789x/tree {digest}, 812 bytes of version 1.96.0\n     \
         Fetched 2 artifacts, 0.0 MB; last gcc\nhttp://127.0.0.1:4711/a in 0.3 s\n"
    );
    assert_eq!(
        redactor.apply(&text),
        "[HOME] [ROOT]/v1/staging/s-[RANDOM]/tree [DIGEST], [N] bytes of version 1.96.0\n\
         http://127.0.0.1:[PORT]/a in [TIME] s\n"
    );
}
