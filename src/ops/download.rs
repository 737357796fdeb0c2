//! What a failed build wanted of a network: which crate, from where, and the settings that would
//! pin it. Reads what the sandbox noted and the crate's own build script, and says which is which.

mod known;
mod source;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use self::known::Known;
use self::source::Source;
use super::project::Project;
use crate::settings::InputForm;
use crate::shim::ledger::{Line, Notice, Wanted};
use crate::vocab::name::Name;
use crate::vocab::url::Url;

/// What one crate wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Download {
    /// The crate.
    #[serde(rename = "crate")]
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// The hosts, addresses or URLs that it was refused.
    pub wanted: Vec<String>,
    /// The file, where it is known.
    pub url: Option<String>,
    /// The variable that says where the file is instead, where it is known.
    pub env: Option<String>,
    /// Variables that its build script reads, one of which may be that variable.
    pub candidates: Vec<String>,
    /// What else is to be known of the crate.
    pub remark: Option<&'static str>,
    /// The lines of settings that pin it. What is not known in them is an ellipsis.
    pub settings: String,
}

/// What the crates of the ledger's lines were refused. `registries` have the unpacked crates.
pub fn explain(project: &Project, registries: &[PathBuf], lines: &[Line]) -> Vec<Download> {
    let mut crates: BTreeMap<(&str, Option<&str>), Vec<Wanted<'_>>> = BTreeMap::new();
    for line in lines {
        let Some(name) = line.krate.as_deref() else { continue };
        let wanted = line.notices.iter().filter_map(Notice::wanted);
        for wanted in wanted {
            crates.entry((name, line.version.as_deref())).or_default().push(wanted);
        }
    }
    let of_crate = |((name, version), wanted): (_, Vec<Wanted<'_>>)| {
        let source = Source::of(registries, name, version);
        download(table(project), name, version, &wanted, &source)
    };
    crates.into_iter().map(of_crate).collect()
}

/// The table that the settings of the project stand in.
fn table(project: &Project) -> &'static str {
    #[derive(serde::Deserialize)]
    struct Manifest {
        workspace: Option<toml::Table>,
        package: Option<toml::Table>,
    }
    let manifest: Option<Manifest> = toml::from_str(&project.root_text).ok();
    let has_settings = |table: &toml::Table| {
        table.get("metadata").and_then(|metadata| metadata.get("xprov")).is_some()
    };
    match manifest {
        Some(Manifest { package: Some(package), .. }) if has_settings(&package) => "package",
        Some(Manifest { workspace: None, .. }) => "package",
        _ => "workspace",
    }
}

fn download(
    table: &str,
    name: &str,
    version: Option<&str>,
    wanted: &[Wanted<'_>],
    source: &Source,
) -> Download {
    let known = Known::of(name);
    let mut list: Vec<String> = wanted
        .iter()
        .map(|wanted| match wanted {
            Wanted::Url(text) | Wanted::Address(text) => (*text).to_owned(),
            Wanted::Something => "an address that is not known".to_owned(),
        })
        .collect();
    list.sort();
    list.dedup();
    let asked = wanted.iter().find_map(|wanted| match wanted {
        Wanted::Url(url) => Some((*url).to_owned()),
        _ => None,
    });
    let url = asked.or_else(|| wanted.iter().find_map(|wanted| source.url(*wanted)));
    let mut candidates = source.variables();
    let single = match candidates.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    };
    let env = known.map(|known| known.variable.to_owned()).or(single);
    if env.is_some() {
        candidates.clear();
    }
    let form = known.map(|known| known.form).or_else(|| env.as_deref().map(usual_form));
    let input = Name::mangle(known.map_or(name, |known| known.input));
    let settings = lines(table, &input, url.as_deref(), env.as_deref(), form);
    Download {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        wanted: list,
        url,
        env,
        candidates,
        remark: known.map(|known| known.remark),
        settings,
    }
}

/// What a variable of that name usually wants to hear.
fn usual_form(variable: &str) -> InputForm {
    let has = |word: &str| variable.split('_').any(|part| part == word);
    if has("URL") || has("URI") {
        InputForm::FileUrl
    } else if has("DIR") || has("LOCATION") || has("ROOT") {
        InputForm::Unpacked
    } else {
        InputForm::Path
    }
}

fn lines(
    table: &str,
    input: &Name,
    url: Option<&str>,
    env: Option<&str>,
    form: Option<InputForm>,
) -> String {
    // A key of TOML may have no dot or plus sign.
    let plain = input.as_str().chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let key = if plain { input.to_string() } else { format!("{:?}", input.as_str()) };
    let mut text = format!("[{table}.metadata.xprov.inputs.{key}]\n");
    let _ = writeln!(text, "url = {:?}", url.unwrap_or("https://…"));
    let shown = url.unwrap_or("URL");
    // A digest is computed where there is a network, by whoever trusts the place.
    let _ = writeln!(text, "sha256 = \"…\" # curl -fsSL {shown} | sha256sum");
    let _ = writeln!(text, "env = {:?}", env.unwrap_or("…"));
    let form = form.map_or("…".to_owned(), |form| form.to_string());
    let _ = writeln!(text, "as = {form:?}");
    text
}

/// Whether the URL is of this host, which may have a port after it.
fn is_of_host(url: &Url, address: &str) -> bool {
    let text = url.to_string();
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default();
    authority == address || host == address
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZIP: &str = "https://github.com/swagger-api/swagger-ui/archive/refs/tags/v5.17.14.zip";

    #[test]
    fn a_known_crate_gets_all_lines() {
        let source = Source::default();
        let wanted = [Wanted::Url(ZIP)];
        let found = download("workspace", "utoipa-swagger-ui", Some("9.0.2"), &wanted, &source);
        assert_eq!(
            found.settings,
            format!(
                "[workspace.metadata.xprov.inputs.swagger-ui]\nurl = \"{ZIP}\"\n\
                 sha256 = \"…\" # curl -fsSL {ZIP} | sha256sum\n\
                 env = \"SWAGGER_UI_DOWNLOAD_URL\"\nas = \"file-url\"\n"
            )
        );
        assert_eq!(found.wanted, [ZIP]);
    }

    #[test]
    fn an_unknown_crate_gets_what_its_build_script_says() {
        let text = format!(
            "const DEFAULT: &str = \"{ZIP}\"; let a = env::var(\"WIDGET_URL\"); \
             let b = env::var(\"OUT_DIR\"); \"https://docs.rs/x\""
        );
        let source = Source::parse(&text);
        let found = download("package", "widget", None, &[Wanted::Address("github.com")], &source);
        assert_eq!(found.url.as_deref(), Some(ZIP));
        assert_eq!(found.env.as_deref(), Some("WIDGET_URL"));
        assert!(found.settings.ends_with("env = \"WIDGET_URL\"\nas = \"file-url\"\n"));
        let elsewhere = [Wanted::Address("example.org"), Wanted::Something];
        let found = download("package", "widget", None, &elsewhere, &source);
        assert_eq!(found.url, None);
        assert!(found.settings.contains("url = \"https://…\"\n"), "{}", found.settings);
    }

    #[test]
    fn where_several_variables_could_be_meant_none_is_chosen() {
        let source = Source::parse("\"A_LIB_DIR\" \"A_DOWNLOAD_URL\"");
        let found = download("package", "a", None, &[Wanted::Something], &source);
        assert_eq!((found.env, found.candidates.len()), (None, 2));
        assert!(found.settings.contains("env = \"…\"\nas = \"…\"\n"), "{}", found.settings);
    }
}
