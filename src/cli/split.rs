//! Where xprov's arguments end and cargo's begin.

/// Verbs whose arguments are cargo's.
const CARGO_VERBS: &[&str] = &["build", "check", "test", "run", "cargo"];

/// Options of ours whose value is the next argument.
const VALUED: &[&str] = &["--color", "--directory", "-C"];

/// Divides the arguments after a cargo verb from those before, the verb included. Ours go before
/// the verb; everything after it reaches cargo as it is, but for a first `--help`.
pub fn split(arguments: Vec<String>) -> (Vec<String>, Vec<String>) {
    let mut index = 0;
    while let Some(argument) = arguments.get(index) {
        if VALUED.contains(&argument.as_str()) {
            index += 2;
        } else if argument.starts_with('-') {
            index += 1;
        } else {
            break;
        }
    }
    let is_cargo = arguments.get(index).is_some_and(|verb| CARGO_VERBS.contains(&verb.as_str()));
    let asks_help =
        arguments.get(index + 1).is_some_and(|first| matches!(first.as_str(), "--help" | "-h"));
    if !is_cargo || asks_help {
        return (arguments, Vec::new());
    }
    let mut ours = arguments;
    let theirs = ours.split_off(index + 1);
    (ours, theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> (String, String) {
        let (ours, theirs) = split(line.split(' ').map(str::to_owned).collect());
        (ours.join(" "), theirs.join(" "))
    }

    #[test]
    fn what_follows_a_cargo_verb_is_cargos() {
        let pair = |ours: &str, theirs: &str| (ours.to_owned(), theirs.to_owned());
        assert_eq!(parts("build -q --locked"), pair("build", "-q --locked"));
        assert_eq!(parts("-C build run --json -- -q"), pair("-C build run", "--json -- -q"));
        assert_eq!(parts("--locked restore --target x"), pair("--locked restore --target x", ""));
        assert_eq!(parts("build --help"), pair("build --help", ""));
    }
}
