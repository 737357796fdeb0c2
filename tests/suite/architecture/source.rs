//! Rust source as far as the rules need it: tokens without comments, texts and test modules, and
//! the paths that they spell.

/// A word, `::`, or one other character. A literal text is the token `""`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    /// Counted from 1.
    pub line: usize,
}

/// A path such as `crate::sys::fs`, groups expanded: `a::{b, c}` is two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub parts: Vec<String>,
    pub line: usize,
}

impl Path {
    /// Whether these parts occur in it, one after another.
    pub fn names(&self, parts: &[&str]) -> bool {
        self.parts.windows(parts.len()).any(|window| window == parts)
    }
}

/// The tokens of what is compiled outside of tests.
pub fn production(text: &str) -> Vec<Token> {
    without_tests(&tokens(text))
}

fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        let (end, token) = match c {
            '/' if next == Some('/') => (find(&chars, at, "\n"), None),
            '/' if next == Some('*') => (block_comment(&chars, at), None),
            '"' => (literal(&chars, at + 1, '"'), Some("\"\"".to_owned())),
            '\'' if is_char(&chars, at) => (literal(&chars, at + 1, '\''), Some("''".to_owned())),
            ':' if next == Some(':') => (at + 2, Some("::".to_owned())),
            c if c.is_alphanumeric() || c == '_' => {
                let mut end = at + 1;
                while chars.get(end).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                    end += 1;
                }
                let word: String = chars[at..end].iter().collect();
                match raw_text(&chars, end, &word) {
                    Some(end) => (end, Some("\"\"".to_owned())),
                    None => (end, Some(word)),
                }
            }
            c if c.is_whitespace() => (at + 1, None),
            c => (at + 1, Some(c.to_string())),
        };
        tokens.extend(token.map(|text| Token { text, line }));
        line += chars[at..end].iter().filter(|c| **c == '\n').count();
        at = end;
    }
    tokens
}

/// The place of `what` at or after `from`, or the end.
fn find(chars: &[char], from: usize, what: &str) -> usize {
    let what: Vec<char> = what.chars().collect();
    let place = chars[from..].windows(what.len()).position(|window| window == what);
    place.map_or(chars.len(), |place| from + place)
}

fn block_comment(chars: &[char], from: usize) -> usize {
    let (mut at, mut depth) = (from + 2, 1);
    while at < chars.len() && depth > 0 {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at.min(chars.len())
}

/// Behind the closing quote of a literal whose contents begin at `from`.
fn literal(chars: &[char], from: usize, quote: char) -> usize {
    let mut at = from;
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// Whether the quote at `at` opens a character, and is not the start of a lifetime.
fn is_char(chars: &[char], at: usize) -> bool {
    chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'')
}

/// Behind a raw literal whose prefix `word` ends at `from`.
fn raw_text(chars: &[char], from: usize, word: &str) -> Option<usize> {
    if !matches!(word, "r" | "br" | "cr") {
        return None;
    }
    let hashes = chars[from..].iter().take_while(|c| **c == '#').count();
    let close = format!("\"{}", "#".repeat(hashes));
    let opens = chars.get(from + hashes) == Some(&'"');
    opens.then(|| (find(chars, from + hashes + 1, &close) + close.len()).min(chars.len()))
}

/// Leaves out every item under `#[cfg(test)]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let marked = tokens[at..].iter().map(|token| token.text.as_str()).take(MARK.len());
        if marked.eq(MARK) {
            at = item_end(tokens, at + MARK.len());
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Behind the item that begins at `from`: its `;`, or the brace that closes its body.
fn item_end(tokens: &[Token], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                let followed = tokens.get(at + 1).is_some_and(|token| token.text == ";");
                if depth == 0 && token.text == "}" && !followed {
                    return at + 1;
                }
            }
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Every path, single words too. What follows a generic argument is not part of one.
pub fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_word(&tokens[at]) {
            at = path(tokens, at, &[], &mut paths);
        } else {
            at += 1;
        }
    }
    paths
}

/// Reads the path at `at` behind `prefix`, and returns where it ends.
fn path(tokens: &[Token], mut at: usize, prefix: &[String], paths: &mut Vec<Path>) -> usize {
    let line = tokens[at].line;
    let mut parts = prefix.to_vec();
    parts.push(tokens[at].text.clone());
    at += 1;
    while tokens.get(at).is_some_and(|token| token.text == "::") {
        match tokens.get(at + 1) {
            Some(next) if is_word(next) || next.text == "*" => {
                parts.push(next.text.clone());
                at += 2;
            }
            Some(next) if next.text == "{" => return group(tokens, at + 2, &parts, paths),
            _ => break,
        }
    }
    paths.push(Path { parts, line });
    at
}

fn group(tokens: &[Token], mut at: usize, prefix: &[String], paths: &mut Vec<Path>) -> usize {
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "}" => return at + 1,
            // The new name of an import is no path.
            "as" => at += 2,
            _ if is_word(token) || token.text == "*" => at = path(tokens, at, prefix, paths),
            _ => at += 1,
        }
    }
    at
}

fn is_word(token: &Token) -> bool {
    token.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}
