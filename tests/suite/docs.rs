//! The pages in `docs/` say what the program does: examples parse, tables agree, links lead
//! somewhere, commands exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xprov::lockfile::Lockfile;
use xprov::ops::Kind;
use xprov::recipe::Collection;
use xprov::settings::Settings;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).expect("a page")
}

/// Every Markdown file of the source.
fn pages() -> Vec<PathBuf> {
    fn walk(dir: &Path, pages: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    walk(&path, pages);
                }
            } else if name.ends_with(".md") {
                pages.push(path);
            }
        }
    }
    let mut pages = Vec::new();
    walk(root(), &mut pages);
    pages
}

/// The code blocks in `language`.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info == language, String::new())),
            (Some(_), Some(_)) => {
                blocks.extend(open.take().filter(|(wanted, _)| *wanted).map(|(_, block)| block));
            }
            (None, Some((_, block))) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The cells of every row of every table, without headings and rules.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = text.lines().collect();
    let mut rows = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let heading = lines.get(at + 1).is_some_and(|next| next.starts_with("|---"));
        if line.starts_with("| ") && !heading {
            let cells = line.trim_matches('|').split('|');
            rows.push(cells.map(|cell| cell.trim().to_owned()).collect());
        }
    }
    rows
}

/// What stands between backticks in one paragraph or cell.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_exit_codes_are_those_of_the_page() {
    let command = |exists| Kind::Command { exists };
    let kinds = [
        Kind::Input,
        Kind::Drift,
        Kind::Fetch,
        Kind::Integrity,
        Kind::Machine,
        command(true),
        command(false),
    ];
    // A new kind does not compile here, and belongs into the list.
    for kind in kinds {
        match kind {
            Kind::Input
            | Kind::Drift
            | Kind::Fetch
            | Kind::Integrity
            | Kind::Machine
            | Kind::Command { .. } => {}
        }
    }
    let actual: BTreeSet<(String, String)> = kinds
        .iter()
        .map(|kind| (kind.exit_code().to_string(), format!("`{}`", kind.as_str())))
        .collect();
    let written: BTreeSet<(String, String)> = rows(&page("exit-codes.md"))
        .into_iter()
        .filter(|cells| !cells[1].is_empty())
        .map(|cells| (cells[0].clone(), cells[1].clone()))
        .collect();
    assert_eq!(written, actual);
}

#[test]
fn the_settings_parse_as_written_and_are_all_in_the_table() {
    let text = page("settings.md");
    let example = blocks(&text, "toml").concat();
    let settings = Settings::parse("settings.md", &example).expect("the example");
    assert!(!settings.targets.is_empty());

    let table: toml::Table = example.parse().expect("TOML");
    let mut set = BTreeSet::new();
    let xprov = table["workspace"]["metadata"]["xprov"].as_table().expect("a table");
    for (key, value) in xprov {
        match (key.as_str(), value) {
            ("target", toml::Value::Table(targets)) => {
                let keys = targets.values().filter_map(toml::Value::as_table);
                set.extend(keys.flat_map(toml::Table::keys).map(|key| format!("target.*.{key}")));
            }
            (name @ ("inputs" | "mirrors" | "host-tools"), _) => {
                set.insert(format!("{name}.*"));
            }
            (name @ ("env" | "isa"), toml::Value::Table(table)) => {
                set.extend(table.keys().map(|key| format!("{name}.{key}")));
            }
            _ => {
                set.insert(key.clone());
            }
        }
    }
    let rows = rows(&text);
    let documented: BTreeSet<String> =
        rows.iter().flat_map(|cells| quoted(&cells[0])).map(str::to_owned).collect();
    assert_eq!(documented, set);
}

#[test]
fn the_recipe_of_the_page_is_one() {
    let text = blocks(&page("recipe.md"), "toml").join("\n");
    let path = "recipes/gcc-aarch64-linux-gnu.toml".to_owned();
    let collection = Collection::load(&[(path, text)]).expect("the example");
    let recipe = collection.get("gcc-aarch64-linux-gnu").expect("its name").recipe;
    assert_eq!(recipe.variants[0].components.len(), 3);
}

#[test]
fn the_lock_of_the_page_is_one() {
    let text = blocks(&page("lockfile.md"), "toml").concat();
    let lock = Lockfile::parse("lockfile.md", &text).expect("the example");
    assert_eq!(lock.entries[0].artifacts.len(), 2);
    // Comments aside, it is what xprov writes.
    let plain = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.split(" #").next().unwrap_or(line).trim_end());
        lines.filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(plain(&text), plain(&lock.to_text()));
}

/// The targets of the links in a Markdown text, code left out.
fn links(text: &str) -> Vec<String> {
    let mut prose = String::new();
    let mut code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if !code {
            prose.extend(line.split('`').step_by(2));
            prose.push('\n');
        }
    }
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

#[test]
fn every_link_leads_to_a_file_and_every_page_is_in_the_index() {
    let mut broken = Vec::new();
    for page in pages() {
        let dir = page.parent().expect("a directory");
        for link in links(&fs::read_to_string(&page).expect("UTF-8")) {
            let file = link.split('#').next().unwrap_or(&link);
            if !link.contains("://") && !file.is_empty() && !dir.join(file).exists() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));

    let docs = root().join("docs");
    let listed: BTreeSet<PathBuf> =
        links(&page("README.md")).into_iter().map(|link| docs.join(link)).collect();
    let index = docs.join("README.md");
    let missing: Vec<PathBuf> = pages()
        .into_iter()
        .filter(|page| page.starts_with(&docs) && *page != index && !listed.contains(page))
        .collect();
    assert!(missing.is_empty(), "not in docs/README.md: {missing:?}");
}

#[test]
fn links_in_code_are_none() {
    let text = "[a](b.md), `[c](d.md)`\n```text\n[e](f.md)\n```\n[g](h.md#i)";
    assert_eq!(links(text), ["b.md", "h.md#i"]);
}

/// What `xprov` and `arguments` and `--help` prints.
fn help(arguments: &[&str]) -> String {
    let program = Command::new(env!("CARGO_BIN_EXE_xprov")).args(arguments).arg("--help").output();
    String::from_utf8(program.expect("xprov runs").stdout).expect("UTF-8")
}

/// The names under `Commands:` in a help text.
fn commands(help: &str) -> BTreeSet<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let name = |line: &str| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned);
    lines.filter_map(name).filter(|name| !name.is_empty()).collect()
}

/// The command lines of xprov in a Markdown text: inline code and lines of code blocks.
fn command_lines(text: &str) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    let mut code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if code {
            lines.push(line.trim_start().trim_start_matches("$ "));
        } else {
            lines.extend(quoted(line));
        }
    }
    let words = |line: &str| {
        let command = line.split(" # ").next().unwrap_or(line);
        command.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = lines.into_iter().map(words);
    lines.filter(|words| words.first().is_some_and(|first| first == "xprov")).collect()
}

/// What of a command line xprov would not understand: a verb, the verb of a verb, or an option of
/// xprov's own. What is cargo's or another program's is not looked at.
fn unknown(words: &[String]) -> Option<String> {
    let mut words = words[1..].iter().peekable();
    let mut verbs: Vec<&str> = Vec::new();
    let mut text = help(&[]);
    while let Some(word) = words.next() {
        if word == "--" || ["build", "check", "test", "run", "cargo", "exec"].contains(&&**word) {
            return (!commands(&text).contains(word) && word != "--").then(|| word.clone());
        }
        if let Some(option) = word.strip_prefix('-') {
            let name = word.split('=').next().unwrap_or(word);
            let row = text.lines().find(|line| line.split([' ', ',']).any(|text| text == name));
            match row {
                Some(row) if row.contains('<') && !word.contains('=') => drop(words.next()),
                None if !matches!(option, "V" | "-version") => return Some(word.clone()),
                _ => {}
            }
        } else if !commands(&text).is_empty() {
            if !commands(&text).contains(word) {
                return Some(word.clone());
            }
            verbs.push(word);
            text = help(&verbs);
        }
    }
    None
}

#[test]
fn every_command_that_a_page_shows_exists() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for page in pages() {
        for words in command_lines(&fs::read_to_string(&page).expect("UTF-8")) {
            seen += 1;
            if let Some(word) = unknown(&words) {
                wrong.push(format!("{}: {}: {word}", page.display(), words.join(" ")));
            }
        }
    }
    assert!(seen > 0, "no command was found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_that_do_not_exist_are_noticed() {
    let check = |line: &str| {
        let text = format!("```sh\n$ {line}\n```\n");
        command_lines(&text).iter().find_map(|words| unknown(words))
    };
    assert_eq!(check("xprov built"), Some("built".to_owned()));
    assert_eq!(check("xprov recipes lost"), Some("lost".to_owned()));
    assert_eq!(check("xprov lock --tragets x"), Some("--tragets".to_owned()));
    for line in [
        "xprov build --release --any-of-cargos",
        "xprov -C dir recipes list # a comment",
        "xprov lock --target aarch64-unknown-linux-gnu --locked",
        "xprov store path rustc",
        "cargo built",
    ] {
        assert_eq!(check(line), None, "{line}");
    }
}
