//! What rustc's options for code generation say of the CPU. Judges nothing.

/// An option that says something of the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codegen<'a> {
    /// `target-cpu`.
    Cpu(&'a str),
    /// `target-feature`: a list with commas.
    Features(&'a str),
}

impl<'a> Codegen<'a> {
    /// Reads what follows `-C`. Rustc takes `_` for `-` in the names of these options.
    pub fn read(option: &'a str) -> Option<Self> {
        let (name, value) = option.trim().split_once('=')?;
        match name.trim().replace('_', "-").as_str() {
            "target-cpu" => Some(Self::Cpu(value.trim())),
            "target-feature" => Some(Self::Features(value)),
            _ => None,
        }
    }
}

/// Whether the next argument belongs to this one: `-C`, `--codegen`.
pub fn takes_next(argument: &str) -> bool {
    matches!(argument, "-C" | "--codegen")
}

/// The option within one argument: `-Copt-level=3`, `--codegen=opt-level=3`.
pub fn joined(argument: &str) -> Option<&str> {
    ["-C", "--codegen="].iter().find_map(|way| argument.strip_prefix(way))
}

/// The feature that an item of a list switches on.
pub fn switched_on(item: &str) -> Option<&str> {
    item.trim().strip_prefix('+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_in_their_spellings() {
        let read = |argument| joined(argument).and_then(Codegen::read);
        assert_eq!(read("-Ctarget-cpu=native"), Some(Codegen::Cpu("native")));
        assert_eq!(read("-C target_cpu = x"), Some(Codegen::Cpu("x")));
        assert_eq!(read("--codegen=target-feature=+a,-b"), Some(Codegen::Features("+a,-b")));
        for other in ["-Copt-level=3", "--cfg=target-cpu=native", "-C", "-Ctarget-cpu"] {
            assert_eq!(read(other), None, "{other}");
        }
        assert_eq!(["+a", " +b ", "-c"].map(switched_on), [Some("a"), Some("b"), None]);
        assert!(takes_next("-C") && takes_next("--codegen") && !takes_next("-Cx"));
    }
}
