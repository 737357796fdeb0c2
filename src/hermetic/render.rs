//! Variables as text that other programs read: shells, dotenv, JSON, a CI's environment file,
//! cargo's configuration.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// A format of `xprov env`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `export NAME='value'`, for every shell of that family.
    Sh,
    /// `set -gx NAME 'value'`.
    Fish,
    /// One object.
    Json,
    /// `NAME="value"`.
    Dotenv,
    /// The heredoc form of GitHub's environment file.
    Github,
    /// `[env]` of cargo's configuration.
    CargoConfig,
}

/// The text. `unset` are names that must not be there; only shells can say so.
pub fn render(format: Format, variables: &[(&str, &str)], unset: &[&str]) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    match format {
        Format::Sh => {
            for name in unset.iter().filter(|name| is_shell_name(name)) {
                let _ = writeln!(text, "unset {name}");
            }
            for (name, value) in variables.iter().filter(|(name, _)| is_shell_name(name)) {
                let _ = writeln!(text, "export {name}={}", quote_sh(value));
            }
        }
        Format::Fish => {
            for name in unset.iter().filter(|name| is_shell_name(name)) {
                let _ = writeln!(text, "set -e {name}");
            }
            for (name, value) in variables.iter().filter(|(name, _)| is_shell_name(name)) {
                let value = value.replace('\\', "\\\\").replace('\'', "\\'");
                // fish splits what it is given for PATH at colons by itself.
                let _ = writeln!(text, "set -gx {name} '{value}'");
            }
        }
        Format::Json => {
            let object: Map<String, Value> = variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
                .collect();
            let _ = writeln!(text, "{:#}", Value::Object(object));
        }
        Format::Dotenv => {
            for (name, value) in variables {
                let mut quoted = String::new();
                for c in value.chars() {
                    match c {
                        '"' | '\\' | '$' | '`' => quoted.extend(['\\', c]),
                        '\n' => quoted.push_str("\\n"),
                        c => quoted.push(c),
                    }
                }
                let _ = writeln!(text, "{name}=\"{quoted}\"");
            }
        }
        Format::Github => {
            for (name, value) in variables {
                let mut end = "XPROV_END".to_owned();
                while value.contains(&end) {
                    end.push('_');
                }
                let _ = writeln!(text, "{name}<<{end}\n{value}\n{end}");
            }
        }
        Format::CargoConfig => {
            let _ = writeln!(text, "[env]");
            for (name, value) in variables {
                let name = toml::Value::from(*name);
                let value = toml::Value::from(*value);
                let _ = writeln!(text, "{name} = {{ value = {value}, force = true }}");
            }
        }
    }
    text
}

/// The word as a POSIX shell reads it.
pub fn quote_sh(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:=,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn is_shell_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "it's \"$HOME\" \\ `x`";

    #[test]
    fn a_shell_reads_back_what_was_written() {
        let text = render(Format::Sh, &[("A", VALUE), ("B", "plain/path")], &["CFLAGS", "CC_a-b"]);
        let script = format!("{text}printf '%s|%s|%s' \"$A\" \"$B\" \"${{CFLAGS-none}}\"");
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .env("CFLAGS", "-O9")
            .output()
            .expect("sh runs");
        let expected = format!("{VALUE}|plain/path|none");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    }

    #[test]
    fn each_format_quotes_in_its_own_way() {
        let render = |format| render(format, &[("A", VALUE)], &["CC"]);
        assert_eq!(render(Format::Fish), "set -e CC\nset -gx A 'it\\'s \"$HOME\" \\\\ `x`'\n");
        assert_eq!(render(Format::Dotenv), "A=\"it's \\\"\\$HOME\\\" \\\\ \\`x\\`\"\n");
        assert_eq!(render(Format::Github), format!("A<<XPROV_END\n{VALUE}\nXPROV_END\n"));
        let json: Value = serde_json::from_str(&render(Format::Json)).expect("JSON");
        assert_eq!(json["A"], VALUE);
        let toml: toml::Table = render(Format::CargoConfig).parse().expect("TOML");
        assert_eq!(toml["env"]["A"]["value"].as_str(), Some(VALUE));
    }
}
