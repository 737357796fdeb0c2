//! Writing a lock: one fixed order, so that equal contents are equal bytes.

use std::fmt::Write as _;

use super::model::{Artifact, Derived, Entry, Identity, Location, Lockfile, Request, VERSION};
use crate::vocab::triple::RustTriple;

const HEADER: &str = "\
# The toolchains of this project, pinned. Written by `xprov lock`; commit it, do not edit it.
";

impl Lockfile {
    /// The text of the lock file.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}version = {VERSION}\n\n");
        write_request(&mut text, &self.request);
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        for entry in entries {
            write_entry(&mut text, entry);
        }
        text
    }
}

fn write_request(text: &mut String, request: &Request) {
    text.push_str("[request]\n");
    line(text, "hosts", &triples(&request.hosts));
    line(text, "targets", &triples(&request.targets));
    text.push_str("recipes = [\n");
    for recipe in &request.recipes {
        let mut fields = vec![field("slot", recipe.slot.as_str())];
        fields.extend(recipe.target.as_ref().map(|target| field("target", target.as_str())));
        fields.extend(recipe.tool.as_ref().map(|tool| field("tool", tool.as_str())));
        fields.extend(recipe.host.as_ref().map(|host| field("host", host.as_str())));
        fields.push(field("recipe", recipe.recipe.as_str()));
        fields.extend(recipe.version.as_ref().map(|version| field("version", version)));
        if !recipe.components.is_empty() {
            let components: Vec<String> =
                recipe.components.iter().map(|component| quote(component.as_str())).collect();
            fields.push(format!("components = [{}]", components.join(", ")));
        }
        if !recipe.packages.is_empty() {
            let packages: Vec<String> =
                recipe.packages.iter().map(|package| quote(package)).collect();
            fields.push(format!("packages = [{}]", packages.join(", ")));
        }
        fields.extend(recipe.digest.map(|digest| field("digest", &digest.to_string())));
        table(text, &fields);
    }
    text.push_str("]\n");
}

fn write_entry(text: &mut String, entry: &Entry) {
    let key = &entry.key;
    text.push_str("\n[[entry]]\n");
    line(text, "name", &quote(key.name.as_str()));
    line(text, "version", &quote(&key.version));
    for (name, triple) in [("host", &key.host), ("target", &key.target)] {
        if let Some(triple) = triple {
            line(text, name, &quote(triple.as_str()));
        }
    }
    line(text, "slot", &quote(entry.slot.as_str()));
    line(text, "recipe", &quote(entry.recipe.as_str()));
    line(text, "authenticated", &quote(entry.authenticated.as_str()));
    if let Some(Derived { name, tree }) = entry.derivation {
        let mut fields = vec![field("name", name.as_str())];
        fields.extend(tree.map(|tree| field("tree", &tree.to_string())));
        line(text, "derivation", &format!("{{ {} }}", fields.join(", ")));
    }
    if let Some(Identity { says, commit, digest }) = &entry.identity {
        let mut fields = vec![field("says", says)];
        fields.extend(commit.as_ref().map(|commit| field("commit", commit)));
        fields.push(field("digest", &digest.to_string()));
        line(text, "identity", &format!("{{ {} }}", fields.join(", ")));
        return;
    }
    text.push_str("artifacts = [\n");
    let mut artifacts: Vec<&Artifact> = entry.artifacts.iter().collect();
    artifacts.sort_by(|a, b| (&a.name, a.sha256).cmp(&(&b.name, b.sha256)));
    for artifact in artifacts {
        table(text, &artifact_fields(artifact));
    }
    text.push_str("]\n");
}

fn artifact_fields(artifact: &Artifact) -> Vec<String> {
    let mut fields = vec![field("name", &artifact.name), field("version", &artifact.version)];
    match &artifact.location {
        Location::Urls(urls) => {
            let urls: Vec<String> = urls.iter().map(|url| quote(&url.to_string())).collect();
            fields.push(format!("urls = [{}]", urls.join(", ")));
        }
        Location::Debian { archive, path, date } => {
            fields.extend([field("archive", archive), field("path", path), field("date", date)]);
        }
        Location::RustDist(path) => fields.push(field("rust-dist", path.as_str())),
        Location::Pypi { package, file } => {
            fields.extend([field("pypi", package), field("file", file)]);
        }
    }
    fields.push(field("sha256", &artifact.sha256.to_string()));
    fields.extend(artifact.size.map(|size| format!("size = {size}")));
    let mut unpack = Vec::new();
    if artifact.unpack.strip > 0 {
        unpack.push(format!("strip = {}", artifact.unpack.strip));
    }
    unpack.extend(artifact.unpack.keep.as_ref().map(|keep| field("keep", keep)));
    if !unpack.is_empty() {
        fields.push(format!("unpack = {{ {} }}", unpack.join(", ")));
    }
    fields.extend(artifact.minisign.as_ref().map(|signed| {
        let inner = [field("key", &signed.key), field("signature", &signed.signature)];
        format!("minisign = {{ {} }}", inner.join(", "))
    }));
    fields.extend(artifact.tree.map(|tree| field("tree", &tree.to_string())));
    fields
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name} = {value}");
}

fn table(text: &mut String, fields: &[String]) {
    let _ = writeln!(text, "  {{ {} }},", fields.join(", "));
}

fn field(name: &str, value: &str) -> String {
    format!("{name} = {}", quote(value))
}

/// A TOML basic string; values come from archives, so nothing is taken for granted.
fn quote(value: &str) -> String {
    let mut quoted = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn triples(triples: &[RustTriple]) -> String {
    let quoted: Vec<String> = triples.iter().map(|triple| quote(triple.as_str())).collect();
    format!("[{}]", quoted.join(", "))
}
