//! Tells a question to cargo itself (`cargo -V`) from a command with options before it
//! (`cargo -v build`).

use super::{VALUED, split};

/// Options before the command whose value is the next argument, beside those of all commands.
pub(super) const LEADING: &[&str] = &["-C", "--explain"];

/// Whether the arguments name no command and ask something: version, help, the list of commands,
/// what an error code means.
pub fn is_question(arguments: &[String]) -> bool {
    let mut asks = false;
    let mut left = arguments.iter();
    while let Some(argument) = left.next() {
        if !argument.starts_with('-') {
            return false;
        }
        let (option, joined) = split(argument);
        asks |= match option.strip_prefix('-') {
            Some("-version" | "-help" | "-list" | "-explain") => true,
            // `-vV` is two flags in one.
            Some(flags) => {
                flags.chars().all(|flag| "vqVh".contains(flag)) && flags.contains(['V', 'h'])
            }
            None => false,
        };
        let valued = LEADING.contains(&option) || VALUED.iter().any(|(name, _)| *name == option);
        if valued && joined.is_none() {
            left.next();
        }
    }
    asks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_without_a_command_it_is_a_question() {
        let asks =
            |line: &str| is_question(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        for line in [
            "-V",
            "-vV",
            "--version --verbose",
            "-q --help",
            "--color never --list",
            "--explain E0004",
        ] {
            assert!(asks(line), "{line}");
        }
        for line in ["-v build", "--locked build -h", "-q", "--config a=1 build", "-C d build"] {
            assert!(!asks(line), "{line}");
        }
    }
}
