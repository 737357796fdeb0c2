//! Startup files of the shells that `xprov shell` starts: each reads the user's own first and sets
//! the environment last, so that what the user's files do cannot undo it. Texts only; knows no
//! file system.

use super::exports::Exports;
use super::render::{Format, is_shell_name, quote_fish, quote_sh, render};
use crate::vocab::triple::RustTriple;

/// Remembers the user's `ZDOTDIR` until zsh has started.
pub const USER_ZDOTDIR: &str = "XPROV_USER_ZDOTDIR";
/// Remembers the user's `ENV` until a POSIX shell has started.
pub const USER_ENV: &str = "XPROV_USER_ENV";
/// Remembers the user's `BASH_ENV` until bash has started.
pub const USER_BASH_ENV: &str = "XPROV_USER_BASH_ENV";

/// What a startup file has to set.
pub struct Startup<'a> {
    /// The environment.
    pub exports: &'a Exports,
    /// The tools that no alias or function of the user's may hide.
    pub tools: &'a [&'a str],
    /// What the prompt begins with; `None` where the user wants none.
    pub mark: Option<String>,
}

/// What the prompt of an environment begins with: `(xprov:aarch64-gnu) `.
pub fn mark(target: &RustTriple) -> String {
    let parts: Vec<&str> = target.as_str().split('-').collect();
    let short = match parts.as_slice() {
        [arch, _, "linux", libc] => format!("{arch}-{libc}"),
        [arch, _, rest @ ..] if !rest.is_empty() => format!("{arch}-{}", rest.join("-")),
        _ => target.to_string(),
    };
    format!("(xprov:{short}) ")
}

impl Startup<'_> {
    /// bash's `--rcfile`. bash itself has read the machine's file by then.
    pub fn bashrc(&self) -> String {
        let user = "if [ -r ~/.bashrc ]; then . ~/.bashrc; fi\n";
        // Only several elements get one more: an old bash runs the first alone. `set -u` forbids to
        // count those of a text. Else a text: a PROMPT_COMMAND that is exported reaches other shells.
        let prompt = self.mark.as_deref().map(|mark| {
            let again = quote_sh(&marked("PS1", mark));
            format!(
                "case $(declare -p PROMPT_COMMAND 2>/dev/null) in\n'declare -a'*'[1]='*) PROMPT_COMMAND+=({again}) ;;\n\
                 *) PROMPT_COMMAND=\"${{PROMPT_COMMAND:+$PROMPT_COMMAND\n}}\"{again} ;;\nesac\n"
            )
        });
        format!("{user}{}{}", self.body(), prompt.unwrap_or_default())
    }

    /// bash's `BASH_ENV`, for users who have one.
    pub fn bash_env(&self) -> String {
        format!("{}{}", restored("BASH_ENV", USER_BASH_ENV), self.body())
    }

    /// `ENV` of a POSIX shell.
    pub fn sh_env(&self) -> String {
        let prompt = self.mark.as_deref().map(|mark| marked("PS1", mark) + "\n");
        format!("{}{}{}", restored("ENV", USER_ENV), self.body(), prompt.unwrap_or_default())
    }

    /// The files of zsh's `ZDOTDIR`, which is `dir`: (name, text).
    pub fn zsh(&self, dir: &str) -> [(&'static str, String); 4] {
        let dir = quote_sh(dir);
        let users = format!(
            "if (( ${{+{USER_ZDOTDIR}}} )); then ZDOTDIR=${USER_ZDOTDIR}; else unset ZDOTDIR; fi\n"
        );
        let read = |name: &str| {
            let file = format!("\"${{ZDOTDIR:-$HOME}}/{name}\"");
            format!("{users}if [[ -r {file} ]]; then . {file}; fi\n{}", self.body())
        };
        // The user's file may have chosen another directory.
        let ours = format!(
            "if (( ${{+ZDOTDIR}} )); then {USER_ZDOTDIR}=$ZDOTDIR; else unset {USER_ZDOTDIR}; fi\n\
             ZDOTDIR={dir}\n"
        );
        let theirs = format!("unset {USER_ZDOTDIR}\n");
        // Where the machine's zshrc keeps the history beside the user's files, it saw ours.
        let history = format!(
            "if [[ ${{HISTFILE-}} == {dir}/* ]]; then\n    \
             HISTFILE=\"${{{USER_ZDOTDIR}:-$HOME}}/${{HISTFILE:t}}\"\nfi\n"
        );
        let prompt = self.mark.as_deref().map(|mark| {
            let again = marked("PS1", mark);
            format!("_xprov_prompt() {{ {again}; }}\nprecmd_functions+=(_xprov_prompt)\n")
        });
        let unless =
            |condition: &str| format!("if [[ {condition} ]]; then\n{theirs}else\n{ours}fi\n");
        [
            (".zshenv", read(".zshenv") + &unless("! -o interactive && ! -o login")),
            (".zprofile", read(".zprofile") + &unless("! -o interactive && ! -o login")),
            (
                ".zshrc",
                history + &read(".zshrc") + &prompt.unwrap_or_default() + &unless("! -o login"),
            ),
            (".zlogin", read(".zlogin") + &theirs),
        ]
    }

    /// fish's `--init-command`, which it runs after the user's configuration.
    pub fn fish(&self) -> String {
        let tools: Vec<String> = self.tools.iter().map(|tool| quote_fish(tool)).collect();
        let tools = format!("functions --erase {}\n", tools.join(" "));
        let prompt = self.mark.as_deref().map(|mark| {
            format!(
                "functions --query fish_prompt; or function fish_prompt; echo '> '; end\n\
                 functions --copy fish_prompt _xprov_fish_prompt\n\
                 function _xprov_status; return $argv[1]; end\n\
                 function fish_prompt\n    set --local last $status\n    echo -n {}\n    \
                     _xprov_status $last\n    _xprov_fish_prompt\nend\n",
                quote_fish(mark)
            )
        });
        let environment = render(Format::Fish, self.exports);
        format!("{tools}{environment}{}", prompt.unwrap_or_default())
    }

    /// What all shells of the POSIX family do after the user's files.
    fn body(&self) -> String {
        let functions: Vec<&str> =
            self.tools.iter().copied().filter(|name| is_shell_name(name)).collect();
        let tools: Vec<String> = self.tools.iter().map(|tool| quote_sh(tool)).collect();
        format!(
            "unalias {} 2>/dev/null || :\nunset -f {} 2>/dev/null || :\n{}",
            tools.join(" "),
            functions.join(" "),
            render(Format::Sh, self.exports)
        )
    }
}

/// The command that puts the mark before a prompt, unless it is there.
fn marked(variable: &str, mark: &str) -> String {
    let mark = quote_sh(mark);
    format!("case ${variable} in *{mark}*) ;; *) {variable}={mark}${variable} ;; esac")
}

/// Gives a variable that names a startup file back to the user, and reads their file.
fn restored(variable: &str, remembered: &str) -> String {
    format!(
        "if [ -n \"${{{remembered}-}}\" ]; then\n    {variable}=${remembered}\n    \
         unset {remembered}\n    if [ -r \"${variable}\" ]; then . \"${variable}\"; fi\n\
         else\n    unset {variable}\nfi\n"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::super::render::tests::exports;
    use super::*;

    fn startup(mark: Option<&str>) -> Startup<'static> {
        static EXPORTS: LazyLock<Exports> = LazyLock::new(|| exports(&[("CC_a", "/x/bin/a-gcc")]));
        let mark = mark.map(str::to_owned);
        Startup { exports: &EXPORTS, tools: &["cargo", "a-gcc"], mark }
    }

    #[test]
    fn the_mark_is_short() {
        for (triple, expected) in [
            ("aarch64-unknown-linux-gnu", "(xprov:aarch64-gnu) "),
            ("x86_64-unknown-linux-musl", "(xprov:x86_64-musl) "),
            ("armv7-unknown-linux-gnueabihf", "(xprov:armv7-gnueabihf) "),
            ("aarch64-apple-darwin", "(xprov:aarch64-darwin) "),
        ] {
            assert_eq!(mark(&triple.parse().expect("a triple")), expected);
        }
    }

    #[test]
    fn the_users_file_comes_first_and_the_environment_last() {
        let before = |text: &str, first: &str, second: &str| {
            let at = |what| text.find(what).unwrap_or_else(|| panic!("`{what}` in {text}"));
            assert!(at(first) < at(second), "{text}");
        };
        let bash = startup(Some("(m) ")).bashrc();
        before(&bash, ". ~/.bashrc", "unalias cargo a-gcc");
        before(&bash, "unset -f cargo 2>", "export CC_a=/x/bin/a-gcc");
        before(&bash, "export PATH=", "PROMPT_COMMAND+=");
        before(&startup(None).sh_env(), ". \"$ENV\"", "export CC_a=");
        before(&startup(None).bash_env(), ". \"$BASH_ENV\"", "export CC_a=");
        for (_, zsh) in startup(None).zsh("/o u/zsh") {
            before(&zsh, "; then . \"", "export CC_a=");
        }
        before(&startup(Some("(m) ")).fish(), "export CC_a ", "echo -n '(m) '");
    }

    #[test]
    fn without_a_mark_the_prompt_is_the_users() {
        for text in [
            startup(None).bashrc(),
            startup(None).sh_env(),
            startup(None).fish(),
            startup(None).zsh("/d").map(|(_, text)| text).concat(),
        ] {
            assert!(!text.contains("PS1") && !text.contains("rompt"), "{text}");
        }
    }

    #[test]
    fn a_prompt_is_marked_once() {
        let mark = marked("PS1", "(xprov:a-b) ");
        let script = format!("PS1='$ '; {mark}; {mark}; printf %s \"$PS1\"");
        let output = std::process::Command::new("/bin/sh").args(["-euc", &script]).output();
        let output = output.expect("sh runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "(xprov:a-b) $ ");
    }
}
