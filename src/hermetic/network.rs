//! What of the user's own cargo configuration says how to reach registries: kept, because it is
//! no build input. Credentials come out as variables for the fetch step alone.

use std::path::Path;

use serde::Deserialize as _;
use toml::de::{DeTable, Deserializer};
use toml::{Spanned, Table, Value};

use super::cargo_config::ConfigFile;

/// The tables that are about the network.
const TABLES: &[&str] = &["source", "registries", "registry", "net", "http"];

/// The user's network settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// A configuration file for cargo's *first* `--config`, so that the project's own wins.
    /// Empty where the user has no such settings. For the user's eyes: the URL of a source may
    /// have a password in it.
    pub config: String,
    /// Variables with tokens and the proxy, for `cargo fetch` and its like only.
    pub credentials: Vec<(String, String)>,
}

impl Network {
    /// What the user's configuration files and `credentials.toml` say, highest precedence first.
    /// The latter is a file like the others: cargo takes no token from `--config`.
    pub(super) fn of(files: Vec<(&ConfigFile, Spanned<DeTable<'_>>)>) -> Self {
        let mut merged = Table::new();
        for (file, root) in files.into_iter().rev() {
            // Any TOML is a table of values.
            let parsed = Table::deserialize(Deserializer::from(root)).unwrap_or_default();
            for (key, mut value) in parsed {
                if TABLES.contains(&key.as_str()) {
                    make_absolute(&key, &mut value, file.base());
                    merge(&mut merged, key, value);
                }
            }
        }
        let mut credentials = Vec::new();
        // It may have a password in it, and no build has a use for it.
        if let Some(Value::Table(http)) = merged.get_mut("http")
            && let Some(Value::String(proxy)) = http.remove("proxy")
        {
            credentials.push(("CARGO_HTTP_PROXY".to_owned(), proxy));
        }
        if let Some(Value::Table(registry)) = merged.get_mut("registry") {
            take_secrets("CARGO_REGISTRY", registry, &mut credentials);
        }
        if let Some(Value::Table(registries)) = merged.get_mut("registries") {
            for (name, registry) in registries.iter_mut() {
                let Value::Table(registry) = registry else { continue };
                let name = name.to_uppercase().replace('-', "_");
                let prefix = format!("CARGO_REGISTRIES_{name}");
                take_secrets(&prefix, registry, &mut credentials);
            }
            registries.retain(|_, registry| !is_empty_table(registry));
        }
        merged.retain(|_, value| !is_empty_table(value));
        Self { config: merged.to_string(), credentials }
    }
}

/// Removes `token` and `secret-key`; tokens become variables.
fn take_secrets(prefix: &str, table: &mut Table, into: &mut Vec<(String, String)>) {
    table.remove("secret-key");
    if let Some(Value::String(token)) = table.remove("token") {
        into.push((format!("{prefix}_TOKEN"), token));
    }
}

fn is_empty_table(value: &Value) -> bool {
    value.as_table().is_some_and(Table::is_empty)
}

/// Cargo's merging: tables by key, lists joined, anything else replaced.
fn merge(into: &mut Table, key: String, value: Value) {
    match (into.get_mut(&key), value) {
        (Some(Value::Table(old)), Value::Table(new)) => {
            for (key, value) in new {
                merge(old, key, value);
            }
        }
        // The providers are the one list here, and cargo replaces it.
        (_, value) => {
            into.insert(key, value);
        }
    }
}

fn make_absolute(key: &str, value: &mut Value, base: &Path) {
    let Value::Table(table) = value else { return };
    let absolute = |table: &mut Table, name: &str| {
        if let Some(Value::String(path)) = table.get_mut(name)
            && let Some(text) = base.join(&*path).to_str()
        {
            text.clone_into(path);
        }
    };
    match key {
        "source" => {
            for (_, source) in table.iter_mut() {
                if let Value::Table(source) = source {
                    absolute(source, "directory");
                    absolute(source, "local-registry");
                }
            }
        }
        "http" => {
            absolute(table, "cainfo");
            absolute(table, "proxy-cainfo");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hermetic::outside::Outside;

    fn file(path: &str, text: &str) -> ConfigFile {
        ConfigFile::new(path, text)
    }

    fn read(files: &[ConfigFile]) -> Network {
        Outside::read(files).expect("TOML").network
    }

    #[test]
    fn only_the_network_is_kept_and_paths_become_absolute() {
        let network = read(&[
            file(
                "/h/.cargo/config.toml",
                "[build]\nrustflags = ['-Cx']\n[source.a]\ndirectory = 'v'\n[http]\ntimeout = 3\n",
            ),
            file(
                "/.cargo/config.toml",
                "[http]\ntimeout = 9\ncainfo = '/ca.pem'\n[net]\nretry = 1\n",
            ),
        ]);
        let config: Table = network.config.parse().expect("TOML");
        assert_eq!(config["source"]["a"]["directory"].as_str(), Some("/h/v"));
        assert_eq!(config["http"]["timeout"].as_integer(), Some(3));
        assert_eq!(config["http"]["cainfo"].as_str(), Some("/ca.pem"));
        assert!(!config.contains_key("build"));
    }

    #[test]
    fn tokens_leave_the_file() {
        let network = read(&[
            file(
                "/h/.cargo/credentials.toml",
                "[registry]\ntoken = 't1'\n[registries.my-own]\ntoken = 't2'\n",
            ),
            file("/h/.cargo/config.toml", "[registries.my-own]\nindex = 'sparse+http://r/'\n"),
        ]);
        let expected = [("CARGO_REGISTRY_TOKEN", "t1"), ("CARGO_REGISTRIES_MY_OWN_TOKEN", "t2")];
        assert_eq!(network.credentials, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert!(!network.config.contains("token") && network.config.contains("index"));
    }

    #[test]
    fn the_proxy_leaves_the_file() {
        let text = "[http]\nproxy = 'http://me:secret@proxy:3128'\n";
        let network = read(&[file("/h/.cargo/config.toml", text)]);
        assert_eq!(network.config, "");
        let proxy = ("CARGO_HTTP_PROXY", "http://me:secret@proxy:3128");
        assert_eq!(network.credentials, [(proxy.0.to_owned(), proxy.1.to_owned())]);
    }

    #[test]
    fn nothing_makes_an_empty_file() {
        assert_eq!(read(&[]).config, "");
    }
}
