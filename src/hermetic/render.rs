//! An environment as text that others read: shells, dotenv, JSON, a CI's environment file, cargo's
//! configuration. Knows nothing of the shells that xprov itself starts.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::exports::Exports;

/// A format of `xprov env`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For `eval` in every shell of that family.
    Sh,
    /// For `source` in fish.
    Fish,
    /// One object.
    Json,
    /// `NAME="value"`.
    Dotenv,
    /// The heredoc form of GitHub's environment file.
    Github,
    /// The line for GitHub's file of search paths.
    GithubPath,
    /// `[env]` of cargo's configuration.
    CargoConfig,
}

impl Format {
    /// Every format, with the name of its file in `.xprov/`.
    pub const FILES: [(Self, &'static str); 7] = [
        (Self::Sh, "env.sh"),
        (Self::Fish, "env.fish"),
        (Self::Json, "env.json"),
        (Self::Dotenv, "env.dotenv"),
        (Self::Github, "env.github"),
        (Self::GithubPath, "env.github-path"),
        (Self::CargoConfig, "cargo-config.toml"),
    ];
}

/// The text of an environment in a format.
pub fn render(format: Format, exports: &Exports) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    match format {
        Format::Sh => return sh(exports),
        Format::Fish => return fish(exports),
        Format::Json => {
            let all = exports.all.iter();
            let object: Map<String, Value> =
                all.map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
            let _ = writeln!(text, "{:#}", Value::Object(object));
        }
        Format::Dotenv => {
            for (name, value) in &exports.shell {
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
            for (name, value) in &exports.shell {
                let mut end = "XPROV_END".to_owned();
                while value.contains(&end) {
                    end.push('_');
                }
                let _ = writeln!(text, "{name}<<{end}\n{value}\n{end}");
            }
        }
        Format::GithubPath => {
            let _ = writeln!(text, "{}", exports.bin);
        }
        Format::CargoConfig => {
            let _ = writeln!(text, "[env]");
            // As cargo's configuration it is for builds, which do not see the user's homes.
            for (name, value) in exports.all.iter().filter(|(n, _)| !n.starts_with("XPROV_USER_")) {
                let name = toml::Value::from(name.as_str());
                let value = toml::Value::from(value.as_str());
                let _ = writeln!(text, "{name} = {{ value = {value}, force = true }}");
            }
        }
    }
    text
}

/// The environment as a POSIX shell takes it, with nothing but what the shell itself can do. To
/// evaluate it twice is the same as once.
fn sh(exports: &Exports) -> String {
    let (exact, prefixes, stays) = exports.names();
    let mut text = format!("unset {}\n", exact.join(" "));
    let prefixes: Vec<String> = prefixes.iter().map(|prefix| format!("{prefix}*")).collect();
    let _ = write!(
        text,
        "while IFS= read -r xprov_name; do\n    \
             xprov_name=${{xprov_name%%=*}}\n    xprov_name=${{xprov_name##* }}\n    \
             case $xprov_name in\n    \
             '' | *[!A-Za-z0-9_]* | {}) ;;\n    \
             {}) unset \"$xprov_name\" ;;\n    esac\n\
         done <<XPROV_END\n$(export -p)\nXPROV_END\n",
        stays.join(" | "),
        prefixes.join(" | "),
    );
    for (name, value) in exports.shell.iter().filter(|(name, _)| is_shell_name(name)) {
        let _ = writeln!(text, "export {name}={}", quote_sh(value));
    }
    let _ = write!(
        text,
        "xprov_rest=${{PATH:+${{PATH}}:}} xprov_path={}\n\
         while [ -n \"$xprov_rest\" ]; do\n    case ${{xprov_rest%%:*}} in\n    \
             {}/*/bin) ;;\n    *) xprov_path=${{xprov_path}}:${{xprov_rest%%:*}} ;;\n    esac\n    \
             xprov_rest=${{xprov_rest#*:}}\n\
         done\nexport PATH=\"$xprov_path\"\nunset xprov_name xprov_rest xprov_path\n",
        quote_sh(&exports.bin),
        quote_sh(&exports.envs),
    );
    text
}

/// The same for fish. A universal variable is the user's for good: it becomes empty here, because
/// fish knows no other way to keep it from programs.
fn fish(exports: &Exports) -> String {
    let (exact, prefixes, stays) = exports.names();
    let prefixes = prefixes.iter().map(|prefix| format!("{prefix}.*"));
    let names: Vec<String> = exact.into_iter().map(str::to_owned).chain(prefixes).collect();
    let mut text = format!(
        "for xprov_name in (set --names --export)\n    \
             string match --quiet --regex '^({})$' -- $xprov_name; and continue\n    \
             string match --quiet --regex '^({})$' -- $xprov_name; or continue\n    \
             if set --query --universal $xprov_name\n        \
                 set --global --export $xprov_name ''\n    \
             else\n        set --erase --global $xprov_name\n    end\nend\n",
        stays.join("|"),
        names.join("|"),
    );
    for (name, value) in exports.shell.iter().filter(|(name, _)| is_shell_name(name)) {
        let _ = writeln!(text, "set --global --export {name} {}", quote_fish(value));
    }
    let _ = writeln!(
        text,
        "set --global --export PATH {} (string match --invert -- {} $PATH)",
        quote_fish(&exports.bin),
        quote_fish(&format!("{}/*/bin", exports.envs)),
    );
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

/// The word as fish reads it.
pub fn quote_fish(word: &str) -> String {
    format!("'{}'", word.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Whether a shell can have a variable, or a function, of this name.
pub fn is_shell_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const VALUE: &str = "it's \"$HOME\" \\ `x`";

    pub fn exports(variables: &[(&str, &str)]) -> Exports {
        let pairs = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        let shell: Vec<_> = pairs.collect();
        let mut all = shell.clone();
        all.push(("HOME".to_owned(), "/nowhere".to_owned()));
        all.push(("XPROV_USER_HOME".to_owned(), "/u".to_owned()));
        let (bin, envs) = ("/x y/envs/1/bin".to_owned(), "/x y/envs".to_owned());
        Exports { all, shell, bin, envs, keep: vec!["CC_KEPT".to_owned()] }
    }

    /// Runs a script in the machine's sh with these variables and nothing else.
    fn run(script: &str, variables: &[(&str, &str)]) -> String {
        let output = std::process::Command::new("/bin/sh")
            .args(["-euc", script])
            .env_clear()
            .envs(variables.iter().copied())
            .output()
            .expect("sh runs");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[test]
    fn a_shell_reads_back_what_was_written() {
        let text = render(Format::Sh, &exports(&[("A", VALUE), ("B", "plain/path"), ("C-D", "x")]));
        let script = format!("{text}printf '%s|%s|%s' \"$A\" \"$B\" \"$HOME\"");
        assert_eq!(run(&script, &[("HOME", "/u")]), format!("{VALUE}|plain/path|/u"));
    }

    #[test]
    fn a_shell_loses_what_the_catalogue_takes_away_and_nothing_else() {
        let text = render(Format::Sh, &exports(&[("CC_b", "ours")]));
        let print = "printf '%s ' \"${CFLAGS-no}\" \"${CC_a-no}\" \"$CC_b\" \"$CC_KEPT\" \
                     \"$CARGO_TARGET_DIR\" \"$CARGO_BUILD_JOBS\" \"$EDITOR\" \"${xprov_name-no}\"";
        let variables = [
            ("CFLAGS", "-O9"),
            ("CC_a", "x\nCC_KEPT=y"),
            ("CC_b", "theirs"),
            ("CC_KEPT", "kept"),
            ("CARGO_TARGET_DIR", "out"),
            ("CARGO_BUILD_JOBS", "3"),
            ("EDITOR", "ed"),
        ];
        let expected = "no no ours kept out 3 ed no ";
        assert_eq!(run(&format!("{text}{print}"), &variables), expected);
    }

    #[test]
    fn the_search_path_is_extended_once() {
        let exports = exports(&[]);
        let text = render(Format::Sh, &exports);
        let script = format!("{text}{text}printf %s \"$PATH\"");
        for (before, after) in [
            ("/a:/b c", "/x y/envs/1/bin:/a:/b c"),
            ("/x y/envs/2/bin:/a:/x y/envs/1/bin:/a", "/x y/envs/1/bin:/a:/a"),
            ("/x y/envs:/a/bin:", "/x y/envs/1/bin:/x y/envs:/a/bin:"),
            ("", "/x y/envs/1/bin"),
        ] {
            assert_eq!(run(&script, &[("PATH", before)]), after);
            assert_eq!(exports.path(Some(before)), after);
        }
        assert_eq!(exports.path(None), "/x y/envs/1/bin");
    }

    #[test]
    fn each_format_quotes_in_its_own_way() {
        let render = |format| render(format, &exports(&[("A", VALUE)]));
        let fish = render(Format::Fish);
        assert!(fish.contains("export A 'it\\'s \"$HOME\" \\\\ `x`'\n"), "{fish}");
        assert_eq!(render(Format::Dotenv), "A=\"it's \\\"\\$HOME\\\" \\\\ \\`x\\`\"\n");
        assert_eq!(render(Format::Github), format!("A<<XPROV_END\n{VALUE}\nXPROV_END\n"));
        assert_eq!(render(Format::GithubPath), "/x y/envs/1/bin\n");
        let json: Value = serde_json::from_str(&render(Format::Json)).expect("JSON");
        assert_eq!((&json["A"], &json["HOME"]), (&VALUE.into(), &"/nowhere".into()));
        let toml: toml::Table = render(Format::CargoConfig).parse().expect("TOML");
        assert_eq!(toml["env"]["A"]["value"].as_str(), Some(VALUE));
        assert!(toml["env"].get("HOME").is_some() && toml["env"].get("XPROV_USER_HOME").is_none());
    }
}
