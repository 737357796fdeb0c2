//! `cfg(…)` as cargo's configuration uses it, evaluated for a target. No rustc is asked.

use crate::vocab::triple::RustTriple;

/// What is true of a target: `unix`, `target_os = "linux"`, …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetCfgs(Vec<(String, Option<String>)>);

impl TargetCfgs {
    /// What `rustc --print cfg --target …` printed.
    pub fn parse(printed: &str) -> Self {
        let line = |line: &str| match line.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value.trim_matches('"').to_owned())),
            None => (line.to_owned(), None),
        };
        Self(printed.lines().map(str::trim).filter(|text| !text.is_empty()).map(line).collect())
    }

    /// What follows from the triple alone: everything that rustc prints for it, but for
    /// `target_feature`, `target_has_atomic` and `panic`. Saves starting rustc (25 ms).
    pub fn of(triple: &RustTriple) -> Self {
        let name = triple.as_str();
        let arch = match triple.arch() {
            "armv7" => "arm",
            "i686" => "x86",
            other => other,
        };
        let (os, vendor) = match name {
            _ if name.contains("-apple-") => ("macos", "apple"),
            _ if name.contains("-windows-") => ("windows", "pc"),
            _ => ("linux", "unknown"),
        };
        let env = match name {
            _ if triple.is_musl() => "musl",
            _ if name.contains("-gnu") => "gnu",
            _ => "",
        };
        let abi = if name.ends_with("eabihf") { "eabihf" } else { "" };
        let family = if os == "windows" { "windows" } else { "unix" };
        let width = if matches!(arch, "arm" | "x86") { "32" } else { "64" };
        let mut cfgs = vec![(family.to_owned(), None), ("debug_assertions".to_owned(), None)];
        for (key, value) in [
            ("target_arch", arch),
            ("target_os", os),
            ("target_vendor", vendor),
            ("target_env", env),
            ("target_abi", abi),
            ("target_family", family),
            ("target_pointer_width", width),
            ("target_endian", "little"),
        ] {
            cfgs.push((key.to_owned(), Some(value.to_owned())));
        }
        Self(cfgs)
    }

    fn has(&self, key: &str, value: Option<&str>) -> bool {
        self.0.iter().any(|(have, its)| have == key && its.as_deref() == value)
    }

    /// Whether `cfg(…)`, written as a key of cargo's configuration, holds.
    /// An error is a sentence on what is wrong with it.
    pub fn matches(&self, key: &str) -> Result<bool, String> {
        let inner = key.strip_prefix("cfg(").and_then(|rest| rest.strip_suffix(')'));
        let inner = inner.ok_or_else(|| "it does not read `cfg(…)`".to_owned())?;
        let mut parser = Parser { rest: inner, cfgs: self };
        let value = parser.expression()?;
        match parser.token() {
            None => Ok(value),
            Some(token) => Err(format!("`{token}` follows a complete expression")),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    cfgs: &'a TargetCfgs,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        let rest = self.rest.trim_start();
        let first = rest.chars().next()?;
        let length = match first {
            '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        Some(&rest[..length])
    }

    fn token(&mut self) -> Option<&'a str> {
        let token = self.peek()?;
        self.rest = &self.rest.trim_start()[token.len()..];
        Some(token)
    }

    fn expect(&mut self, wanted: &str) -> Result<(), String> {
        match self.token() {
            Some(token) if token == wanted => Ok(()),
            Some(token) => Err(format!("`{wanted}` is expected where `{token}` is")),
            None => Err(format!("`{wanted}` is missing at the end")),
        }
    }

    fn list(&mut self) -> Result<Vec<bool>, String> {
        self.expect("(")?;
        let mut values = Vec::new();
        while self.peek() != Some(")") {
            values.push(self.expression()?);
            if self.peek() == Some(",") {
                self.token();
            } else {
                break;
            }
        }
        self.expect(")")?;
        Ok(values)
    }

    fn expression(&mut self) -> Result<bool, String> {
        let word = self.token().ok_or("an expression is missing")?;
        if !word.starts_with(is_word) {
            return Err(format!("`{word}` is not a name"));
        }
        match (word, self.peek()) {
            ("all", Some("(")) => Ok(self.list()?.into_iter().all(|value| value)),
            ("any", Some("(")) => Ok(self.list()?.into_iter().any(|value| value)),
            ("not", Some("(")) => match self.list()?.as_slice() {
                [value] => Ok(!value),
                _ => Err("`not` takes one expression".to_owned()),
            },
            ("true", _) => Ok(true),
            ("false", _) => Ok(false),
            (key, Some("=")) => {
                self.token();
                let value = self.token().unwrap_or_default();
                let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                let inner = inner.ok_or_else(|| format!("`{value}` is not a quoted value"))?;
                Ok(self.cfgs.has(key, Some(inner)))
            }
            (key, _) => Ok(self.cfgs.has(key, None)),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_evaluated_for_the_target() {
        let cfgs = TargetCfgs::of(&"aarch64-unknown-linux-gnu".parse().expect("known"));
        for (key, expected) in [
            ("cfg(unix)", true),
            ("cfg(windows)", false),
            (r#"cfg(target_os = "linux")"#, true),
            (r#"cfg(all(target_arch = "aarch64", not(target_env="musl")))"#, true),
            (r#"cfg(any(target_arch="arm",target_pointer_width="32",))"#, false),
            ("cfg(all())", true),
            ("cfg(any())", false),
            ("cfg(not(false))", true),
            ("cfg(true)", true),
        ] {
            assert_eq!(cfgs.matches(key), Ok(expected), "{key}");
        }
    }

    #[test]
    fn what_is_no_expression_is_an_error() {
        let cfgs = TargetCfgs::of(&"x86_64-unknown-linux-musl".parse().expect("known"));
        for key in
            ["cfg(", "cfg()", "cfg(a b)", "cfg(not(a, b))", "cfg(a = b)", "cfg(all(a)", "unix"]
        {
            assert!(cfgs.matches(key).is_err(), "{key}");
        }
    }

    #[test]
    fn rustcs_own_list_is_understood() {
        let cfgs = TargetCfgs::parse("unix\ntarget_feature=\"neon\"\n");
        assert_eq!(cfgs.matches(r#"cfg(all(unix, target_feature = "neon"))"#), Ok(true));
    }
}
