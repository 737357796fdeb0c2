//! How rustc's options stand on a command line. Knows no option's meaning.

/// rustc's options of one letter without a value, which may share a word with one that follows.
const LETTERS: &str = "ghOvV";

/// The options in a word, each as one of its own.
pub fn options(word: &str) -> Vec<String> {
    apart(word).unwrap_or_else(|| vec![word.to_owned()])
}

/// A word such as `-gOCtarget-cpu=native` taken apart: `-g`, `-O`, `-Ctarget-cpu=native`. `None`
/// where a word is one option.
pub fn apart(word: &str) -> Option<Vec<String>> {
    let letters = word.strip_prefix('-')?;
    let end = letters.find(|letter| !LETTERS.contains(letter)).unwrap_or(letters.len());
    let (letters, rest) = letters.split_at(end);
    if letters.is_empty() || rest.starts_with('-') || letters.len() + rest.len() < 2 {
        return None;
    }
    let mut words: Vec<String> = letters.chars().map(|letter| format!("-{letter}")).collect();
    words.extend((!rest.is_empty()).then(|| format!("-{rest}")));
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_share_a_word_are_told_apart() {
        for (word, words) in [
            ("-gC", &["-g", "-C"][..]),
            ("-OgCtarget-cpu=native", &["-O", "-g", "-Ctarget-cpu=native"]),
            ("-vV", &["-v", "-V"]),
        ] {
            assert_eq!(
                apart(word).as_deref(),
                Some(&*words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>())
            );
        }
        for word in ["-g", "-C", "-Copt-level=3", "--cfg", "-", "a.rs", "-Ldependency=g", "-lv"] {
            assert_eq!(apart(word), None, "{word}");
        }
    }
}
