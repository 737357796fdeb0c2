//! Rust's releases: locked from their manifests, restored from a server on loopback, and everything
//! that can be wrong with either.

mod attested;
mod choice;
mod release;
mod system;
mod trust;

use std::fmt::Write as _;

use xprov::vocab::digest::Sha256;

use crate::support::archive_fixture::{TARGET, VERSIONS, tar_gz};
use crate::support::project::Project;
use crate::support::sandbox::host;

const DATE: &str = "2026-04-16";

/// A component as a release packs it: name, triple, directory, files with their texts.
type Component = (&'static str, String, String, Vec<(String, String)>);

/// The components of the fixture's Rust.
fn components(version: &str) -> Vec<Component> {
    let host = host();
    let script =
        format!("#!/bin/sh\nprintf 'rustc {version}\\nhost: {host}\\nrelease: {version}\\n'\n");
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let mut components = vec![
        (
            "rustc",
            host.clone(),
            "rustc".to_owned(),
            vec![file("bin/rustc", &script), file("bin/rustdoc", &script)],
        ),
        ("cargo", host.clone(), "cargo".to_owned(), vec![file("bin/cargo", "#!/bin/sh\n")]),
        (
            "clippy-preview",
            host.clone(),
            "clippy-preview".to_owned(),
            vec![file("bin/cargo-clippy", "#!/bin/sh\necho linter\n")],
        ),
    ];
    for triple in [TARGET, &host] {
        let lib = format!("lib/rustlib/{triple}/lib/libstd.rlib");
        let files = vec![file(&lib, version)];
        components.push(("rust-std", triple.to_owned(), format!("rust-std-{triple}"), files));
    }
    components
}

/// A release on the project's server, below `/dist`; returns its manifest.
fn publish(project: &Project, version: &str) -> String {
    let mut text = format!(
        "manifest-version = \"2\"\ndate = \"{DATE}\"\n[renames.clippy]\nto = \"clippy-preview\"\n"
    );
    let mut described = Vec::new();
    for (name, triple, dir, files) in components(version) {
        let top = format!("{}-{version}-{triple}", name.trim_end_matches("-preview"));
        let mut inside = vec![
            (format!("{top}/components"), 0o644, format!("{dir}\n")),
            (format!("{top}/install.sh"), 0o755, "#!/bin/sh\nexit 1\n".to_owned()),
            (format!("{top}/{dir}/manifest.in"), 0o644, String::new()),
        ];
        for (path, text) in files {
            let mode = if path.starts_with("bin/") { 0o755 } else { 0o644 };
            inside.push((format!("{top}/{dir}/{path}"), mode, text));
        }
        let inside: Vec<(&str, u32, &str)> =
            inside.iter().map(|(path, mode, text)| (path.as_str(), *mode, text.as_str())).collect();
        let bytes = tar_gz(&inside);
        let digest = Sha256::of(&bytes);
        let path = format!("{DATE}/{top}.tar.xz");
        project.server().serve(&format!("/dist/{path}"), bytes);
        if !described.contains(&name) {
            let _ = write!(text, "[pkg.{name}]\nversion = \"{version} (0123abcd {DATE})\"\n");
            described.push(name);
        }
        let _ = write!(
            text,
            "[pkg.{name}.target.{triple}]\navailable = true\nxz_url = \
             \"https://server.example/dist/{path}\"\nxz_hash = \"{digest}\"\n"
        );
    }
    text
}

/// Serves `text` as the manifest of `channel`, with its digest beside it.
fn serve(project: &Project, channel: &str, text: &str) {
    let path = format!("/dist/channel-rust-{channel}.toml");
    let digest = format!("{}  channel-rust-{channel}.toml\n", Sha256::of(text.as_bytes()));
    project.server().serve(&path, text);
    project.server().serve(&format!("{path}.sha256"), digest);
}

/// A project that takes Rust from releases on its own server: both versions, the newer is stable.
fn project() -> Project {
    let project = Project::new();
    for version in VERSIONS {
        serve(&project, version, &publish(&project, version));
    }
    serve(&project, "stable", &publish(&project, VERSIONS[1]));
    let mut recipe = format!(
        "schema = 1\nname = \"releases\"\nsummary = \"Rust's releases\"\nslot = \
         \"rust\"\n\n[rust-dist]\nserver = \"{}\"\n\n[[variant]]\nhosts = [\"{}\"]\n",
        project.server().url("/dist"),
        host(),
    );
    for (name, runs, optional) in [
        ("rustc", "on-host", false),
        ("cargo", "on-host", false),
        ("rust-std", "on-target", false),
        ("clippy", "on-host", true),
    ] {
        let _ = write!(
            recipe,
            "\n[[variant.component]]\nname = \"{name}\"\nruns = \"{runs}\"\noptional = \
             {optional}\ndist = \"{name}\"\n"
        );
    }
    recipe += "\n[variant.provides]\nomit = [\"manifest.in\"]\nlinks = \
               [\"bin/cargo-clippy\"]\n\n[variant.provides.tools]\ncargo = { program = \"bin/cargo\" \
               }\nrustc = { program = \"bin/rustc\" }\nrustdoc = { program = \"bin/rustdoc\" }\n";
    project.write("recipes/releases.toml", recipe);
    settings(&project, "rust = { recipe = \"releases\" }");
    project
}

fn settings(project: &Project, rust: &str) {
    project.settings(&format!("targets = [\"{TARGET}\"]\n{rust}\n"));
}
