//! Patterns in which `*` is any run of characters, also none.

/// Whether `text` is what the pattern says.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    (0..=text.len()).any(|at| text.is_char_boundary(at) && matches(rest, &text[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run_of_characters() {
        assert!(matches("*-musl*", "armv7-unknown-linux-musleabihf"));
        assert!(matches("*-musl*", "x86_64-unknown-linux-musl"));
        assert!(!matches("*-musl*", "x86_64-unknown-linux-gnu"));
        assert!(matches("libc6", "libc6") && !matches("libc6", "libc6-dev"));
    }
}
