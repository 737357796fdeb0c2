//! The known words that are like an unknown one. Knows nothing of what the words mean.

/// How alike two words have to be, of 1.
const ALIKE: f64 = 0.85;

/// Up to three of the `known` words that are most like `word`, the nearest first; each once.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = word.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&lower, &known.to_lowercase()), known))
        .filter(|(score, _)| *score > ALIKE)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(3).map(|(_, known)| known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_strangers_not_at_all() {
        let known = ["CFLAGS", "CXXFLAGS", "RUSTFLAGS", "RUSTC", "CFLAGS"];
        assert_eq!(nearest("RUSTFLAG", known).first(), Some(&"RUSTFLAGS"));
        assert_eq!(nearest("cflag", known).first(), Some(&"CFLAGS"));
        assert_eq!(nearest("cflags", known).iter().filter(|word| **word == "CFLAGS").count(), 1);
        assert!(nearest("zzz", known).is_empty());
    }
}
