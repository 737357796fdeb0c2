//! Whose address a question to a name server asks for (RFC 1035, section 4.1). Pure.

/// The fixed part before the questions.
const HEADER: usize = 12;

/// The name in the first question of a message, in lower case; `None` where it is no question.
pub fn host(message: &[u8]) -> Option<String> {
    let header = message.get(..HEADER)?;
    let is_question = header[2] & 0x80 == 0;
    let questions = u16::from_be_bytes([header[4], header[5]]);
    if !is_question || questions == 0 {
        return None;
    }
    let mut labels = Vec::new();
    let mut rest = &message[HEADER..];
    loop {
        let (&length, tail) = rest.split_first()?;
        if length == 0 {
            break;
        }
        // Two high bits mean a reference, which a first name cannot have.
        let (label, tail) = tail.split_at_checked(usize::from(length)).filter(|_| length < 64)?;
        let printable = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
        labels.push(label.iter().all(printable).then(|| String::from_utf8_lossy(label))?);
        rest = tail;
    }
    (!labels.is_empty()).then(|| labels.join(".").to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x06GitHub\x03com\0\0\x01\0\x01";

    #[test]
    fn the_name_is_that_of_the_first_question() {
        assert_eq!(host(QUESTION).as_deref(), Some("github.com"));
        let answer = [&QUESTION[..2], b"\x81", &QUESTION[3..]].concat();
        assert_eq!(host(&answer), None);
        for length in 0..QUESTION.len() - 5 {
            assert_eq!(host(&QUESTION[..length]), None, "{length}");
        }
        let strange = [&QUESTION[..12], b"\x02a\x1b\0\0\x01\0\x01"].concat();
        assert_eq!(host(&strange), None);
    }
}
