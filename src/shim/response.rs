//! `@file` arguments, as the compilers read them. Pure: who reads the files is the caller's.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

/// The words of a file as gcc and binutils split them: at white space, where quotes of both kinds
/// hold a word together and a backslash takes the next byte as it is, within quotes too.
pub fn words(text: &[u8]) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let (mut quote, mut escaped) = (None, false);
    // What follows a NUL is not there for a C program.
    for &byte in text.iter().take_while(|byte| **byte != 0) {
        if escaped {
            word.get_or_insert_default().push(byte);
            escaped = false;
        } else if byte == b'\\' {
            word.get_or_insert_default();
            escaped = true;
        } else if quote == Some(byte) {
            quote = None;
        } else if quote.is_some() {
            word.get_or_insert_default().push(byte);
        } else if matches!(byte, b'\'' | b'"') {
            word.get_or_insert_default();
            quote = Some(byte);
        } else if byte.is_ascii_whitespace() || byte == 0x0b {
            words.extend(word.take().map(OsString::from_vec));
        } else {
            word.get_or_insert_default().push(byte);
        }
    }
    words.extend(word.map(OsString::from_vec));
    words
}

/// The text of a file that [`words`] splits into `words` again.
pub fn text(words: &[OsString]) -> Vec<u8> {
    let mut text = Vec::new();
    for word in words {
        if word.is_empty() {
            text.extend(b"\"\"");
        }
        for &byte in word.as_bytes() {
            if byte.is_ascii_whitespace() || matches!(byte, 0x0b | b'\\' | b'\'' | b'"') {
                text.push(b'\\');
            }
            text.push(byte);
        }
        text.push(b'\n');
    }
    text
}

/// The text of a file that zig splits into `words` again: quotes hold a word together, and a
/// backslash takes its meaning from a quote.
pub fn quoted(words: &[OsString]) -> Vec<u8> {
    let mut text = Vec::new();
    for word in words {
        text.push(b'"');
        let mut backslashes = 0;
        for &byte in word.as_bytes() {
            if byte == b'"' {
                text.extend(std::iter::repeat_n(b'\\', backslashes + 1));
            }
            backslashes = if byte == b'\\' { backslashes + 1 } else { 0 };
            text.push(byte);
        }
        text.extend(std::iter::repeat_n(b'\\', backslashes));
        text.extend(b"\"\n");
    }
    text
}

/// The arguments in a file of rustc's: one a line.
pub fn lines(text: &[u8]) -> Vec<OsString> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    if text.is_empty() {
        return Vec::new();
    }
    let line = |line: &[u8]| OsStr::from_bytes(line.strip_suffix(b"\r").unwrap_or(line)).to_owned();
    text.split(|byte| *byte == b'\n').map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_gcc_does() {
        for (text, expected) in [
            ("-c  a.c\n\t-o\x0ba.o", &["-c", "a.c", "-o", "a.o"][..]),
            (r#""a b" 'c "d' e\ f"#, &["a b", "c \"d", "e f"]),
            (r#"'a\'b' x"y"z ''"#, &["a'b", "xyz", ""]),
            (r"-I\\x", &[r"-I\x"]),
            ("a\0b", &["a"]),
            ("", &[]),
        ] {
            assert_eq!(words(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let all: Vec<OsString> =
            ["a b", "", "\"q\"", "it's", r"c:\d", "é\n"].map(OsString::from).to_vec();
        assert_eq!(words(&text(&all)), all);
    }

    #[test]
    fn zigs_files_have_quotes() {
        let words = ["a b", "say \"x\"", r"c:\d\"].map(OsString::from);
        let text = String::from_utf8(quoted(&words)).expect("text");
        assert_eq!(text, "\"a b\"\n\"say \\\"x\\\"\"\n\"c:\\d\\\\\"\n");
    }

    #[test]
    fn rustcs_files_have_one_argument_a_line() {
        assert_eq!(lines(b"--cfg\na=\"b c\"\r\n"), ["--cfg", "a=\"b c\""]);
        assert!(lines(b"").is_empty());
    }
}
