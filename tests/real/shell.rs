//! `xprov shell` and direnv as a user meets them: bash, zsh, fish, direnv and tmux out of the Debian
//! archive, a home whose startup files are against it, and keys that are typed into a terminal.

mod terminal;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::machine::{Machine, base};
use super::projects::{copy, remove_tree};
use terminal::Terminal;

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// A project's own recipe: tools with which people work.
const RECIPE: &str = r#"
schema = 1
name = "shells"
summary = "Shells, and what people use around them, of Debian 12"
homepage = "https://www.gnu.org/software/bash/"
licence = "GPL-3.0-or-later"
slot = "tools"
default = true

[debian]
suites = [{ archive = "debian", suite = "bookworm", components = ["main"] }]

[[variant]]
hosts = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]

[[variant.component]]
name = "shells"
runs = "on-host"
packages = ["bash", "coreutils", "dash", "direnv", "fish", "grep", "libgdbm6", "libpcre3", "mawk", "ncurses-base", "sed", "tmux", "zsh"]
exclude = ["libc6", "dpkg*", "debianutils", "debconf*", "perl*", "python3*", "lynx", "groff-base", "man-db", "xsel", "base-files", "bc", "file"]

[variant.provides]
links = ["bin/*", "usr/bin/*"]

[variant.provides.tools]
sh = { program = "bin/dash" }
"#;

/// What the startup files of all shells of the POSIX family do.
const HOSTILE: &str = "
export PATH=/usr/bin:/tmp/theirs:$PATH
export CC=clang CFLAGS=-O9 CC_aarch64_unknown_linux_gnu=theirs RUSTC_WRAPPER=theirs
alias cargo='echo their alias'
rustc() { echo their function; }
alias mine='echo my alias'
export MINE=1
";

const HOSTILE_FISH: &str = "
set -gx PATH /usr/bin /tmp/theirs $PATH
set -gx CC clang
set -gx CFLAGS -O9
set -gx CC_aarch64_unknown_linux_gnu theirs
set -gx RUSTC_WRAPPER theirs
function cargo; echo their function; end
function rustc; echo their function; end
function mine; echo my function; end
set -gx MINE 1
function fish_prompt; echo -n \"$status theirs> \"; end
";

/// The tools and a home for whoever uses them.
struct User {
    machine: Machine,
    /// The `bin` with the shells.
    bin: PathBuf,
    home: PathBuf,
    /// A search path with xprov and direnv before the machine's own programs.
    path: String,
    /// Where terminals are described.
    terminfo: PathBuf,
}

impl User {
    fn new() -> Self {
        let machine = Machine::wait();
        let dir = base().join("projects/shells");
        copy("tiny", &dir);
        fs::create_dir_all(dir.join("recipes")).expect("a folder");
        fs::write(dir.join("recipes/shells.toml"), RECIPE).expect("written");
        let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        machine.lock(&dir, &[&host]);
        machine.xprov(&dir, &["restore"]).ok();
        let bin = machine.xprov(&dir, &["env", "--format", "github-path"]).ok().stdout;
        let bin = PathBuf::from(bin.trim_end());

        let home = base().join("user");
        remove_tree(&home).expect("removable");
        fs::create_dir_all(home.join("bin")).expect("a folder");
        fs::create_dir_all(home.join(".config/fish")).expect("a folder");
        symlink(env!("CARGO_BIN_EXE_xprov"), home.join("bin/xprov")).expect("a link");
        symlink(bin.join("direnv"), home.join("bin/direnv")).expect("a link");
        let tree = fs::canonicalize(bin.join("zsh")).expect("zsh");
        let tree = tree.ancestors().nth(2).expect("the tree of the tools").to_path_buf();
        let arch = std::env::consts::ARCH;
        // This zsh is not where it was built to be; its modules are found all the same.
        let zsh = tree.join(format!("usr/lib/{arch}-linux-gnu/zsh/5.9"));
        let write = |name: &str, text: String| fs::write(home.join(name), text).expect("written");
        write(".bashrc", format!("{HOSTILE}PROMPT_COMMAND='PS1=\"theirs> \"'\n"));
        write(".zshenv", format!("module_path=('{}')\n{HOSTILE}", zsh.display()));
        write(".zshrc", format!("{HOSTILE}precmd() {{ PROMPT='theirs> '; }}\n"));
        write(".config/fish/config.fish", HOSTILE_FISH.to_owned());
        let path = format!("{}:/usr/bin:/bin", home.join("bin").display());
        Self { machine, bin, home, path, terminfo: tree.join("lib/terminfo") }
    }

    /// A terminal in `dir` whose user has this shell, with a plain sh in it.
    fn terminal(&self, dir: &Path, shell: &str) -> Terminal {
        let shell = self.bin.join(shell);
        let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        Terminal::start(
            &self.bin,
            dir,
            &[
                ("HOME", text(&self.home)),
                ("PATH", self.path.clone()),
                ("SHELL", text(&shell)),
                ("TERMINFO", text(&self.terminfo)),
                ("XPROV_HOME", text(&self.machine.store)),
                ("EDITOR", "ed".to_owned()),
                ("CC", "clang".to_owned()),
                ("PS1", "outside> ".to_owned()),
            ],
        )
    }
}

/// A project that is locked and restored.
fn project(user: &User) -> PathBuf {
    let dir = copy("tiny", &base().join("projects/in-a-shell"));
    user.machine.lock(&dir, &[TARGET]);
    user.machine.xprov(&dir, &["restore", "--target", TARGET]).ok();
    dir
}

#[test]
fn a_session_in_each_shell() {
    let user = User::new();
    let dir = project(&user);
    user.machine.xprov(&dir, &["build", "--release", "--target", TARGET]).ok();
    let expected = fs::read(dir.join("target").join(TARGET).join("release/tiny")).expect("built");
    for (shell, status) in [("bash", "$?"), ("zsh", "$?"), ("fish", "$status")] {
        let terminal = user.terminal(&dir, shell);
        terminal.shows("outside> ");
        terminal.enter(&format!("xprov shell --target {TARGET}; echo \"left=$?\""));
        let prompt =
            format!("(xprov:aarch64-gnu) {}theirs> ", if shell == "fish" { "0 " } else { "" });
        terminal.shows(&prompt);
        let bin = user.machine.store.join("v1/envs");
        let bin = bin.to_str().expect("UTF-8");

        terminal.enter("echo \"<$CC_aarch64_unknown_linux_gnu>\"");
        let text = terminal.shows("/bin/aarch64-linux-gnu-gcc>");
        assert!(text.contains(&format!("<{bin}/")), "{shell}:\n{text}");
        terminal.enter("type cargo rustc; echo \"types\"' end'");
        let text = terminal.shows("types end");
        for tool in ["cargo", "rustc"] {
            assert!(text.contains(&format!("{tool} is {bin}/")), "{shell}:\n{text}");
        }
        terminal.enter("echo \"<$CC,$CFLAGS,$RUSTC_WRAPPER,$MINE,$EDITOR,$XPROV_SHLVL>\"; mine; echo \"<$HOME>\"");
        terminal.shows("<,,,1,ed,1>");
        terminal.shows("my ");
        terminal.shows(&format!("<{}>", user.home.display()));

        terminal.enter(&format!("xprov shell; echo \"again={status}\""));
        let text = terminal.shows("again=0");
        assert!(text.contains("already"), "{shell}:\n{text}");
        terminal.enter(&format!(
            "xprov shell --target x86_64-unknown-linux-gnu; echo \"other={status}\""
        ));
        let text = terminal.shows("other=2");
        assert!(text.contains("help: leave this one first: `exit`"), "{shell}:\n{text}");
        terminal.enter(&format!("xprov shell -- -c 'exit 5'; echo \"command={status}\""));
        terminal.shows("command=5");

        let inside = base().join("in-a-shell").join(shell);
        remove_tree(&inside).expect("removable");
        let build = format!("cargo build --release --target-dir '{}'", inside.display());
        terminal.enter(&format!("{build}; echo \"built={status}\""));
        terminal.shows("built=0");
        let bytes = fs::read(inside.join(TARGET).join("release/tiny")).expect("built");
        assert!(bytes == expected, "{shell}: plain cargo made other bytes");

        terminal.enter("exit 7");
        terminal.shows("left=7");
    }
}

#[test]
fn direnv_with_the_two_lines_of_the_page() {
    let user = User::new();
    let dir = project(&user);
    let page = include_str!("../../docs/shell.md");
    let lines: Vec<&str> =
        page.lines().skip_while(|line| !line.starts_with("watch_file")).take(2).collect();
    let lines = lines.join("\n").replace("xprov env", &format!("xprov env --target {TARGET}"));
    fs::write(dir.join(".envrc"), format!("{lines}\n")).expect("written");
    fs::write(user.home.join("hook"), "eval \"$(direnv hook bash)\"\nPS1='> '\n").expect("written");
    let terminal = user.terminal(base().as_path(), "bash");
    let bash = user.bin.join("bash");
    terminal.enter(&format!("exec '{}' --rcfile \"$HOME/hook\"", bash.display()));
    terminal.enter(&format!("cd '{}'", dir.display()));
    terminal.shows("is blocked");
    terminal.enter("direnv allow");
    terminal.shows("+XPROV_ENV_ID");
    terminal.enter("echo \"<${CC-none},$EDITOR,$CC_aarch64_unknown_linux_gnu>\"; type cargo");
    terminal.shows("/bin/aarch64-linux-gnu-gcc>");
    terminal.shows("<none,ed,/");
    terminal.shows("cargo is /");
    terminal.enter("cd ..");
    terminal.enter("echo \"<${XPROV_ENV_ID-gone},$CC>\"");
    terminal.shows("<gone,clang>");

    // Nothing is there, and the hook does not fetch it.
    terminal.enter(&format!("export XPROV_HOME='{}'", base().join("nothing").display()));
    terminal.enter(&format!("cd '{}'", dir.display()));
    terminal.shows("help: run `xprov restore` where there is a network");
    terminal.enter("rm toolchains.lock; direnv reload");
    terminal.shows("help: run `xprov lock ");
    terminal.enter("echo \"<${XPROV_ENV_ID-gone}>\"");
    terminal.shows("<gone>");
}
