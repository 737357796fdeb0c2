//! Where xprov's arguments end and cargo's begin.

/// Verbs whose arguments are cargo's.
const CARGO_VERBS: &[&str] = &["build", "check", "test", "run", "cargo"];

/// Options of ours whose value is the next argument.
const VALUED: &[&str] = &["--color", "--directory", "-C"];

/// Divides the arguments after a cargo verb from those before, the verb included. Ours go before
/// cargo's; the first that could be cargo's and everything after it reaches cargo as it is.
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
    if !is_cargo {
        return (arguments, Vec::new());
    }
    // Options that cargo does not have are ours after the verb as well.
    index += 1;
    while let Some(argument) = arguments.get(index) {
        match argument.as_str() {
            "--json" | "--help" | "-h" => index += 1,
            "--directory" | "-C" => index += 2,
            _ => break,
        }
    }
    let mut ours = arguments;
    let theirs = ours.split_off(index.min(ours.len()));
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
        assert_eq!(parts("-C build run --json -- -q"), pair("-C build run --json", "-- -q"));
        assert_eq!(parts("--locked restore --target x"), pair("--locked restore --target x", ""));
        assert_eq!(parts("build --help"), pair("build --help", ""));
        assert_eq!(parts("build --json -q --json"), pair("build --json", "-q --json"));
        assert_eq!(parts("run -C dir prog"), pair("run -C dir", "prog"));
    }
}
