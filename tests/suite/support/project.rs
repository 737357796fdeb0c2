//! A cargo project with recipes of its own for the toolchain of `archive_fixture`, whose archives
//! are served on loopback.

use std::fmt::Write as _;
use std::fs;
use std::ops::Deref;

use super::archive_fixture::{Archive, TARGET, tool_prefix, toolchain};
use super::sandbox::{Sandbox, host};
use super::server::Server;

/// The project in its sandbox.
pub struct Project {
    sandbox: Sandbox,
    /// What serves the archives; `None` once it was taken away.
    pub server: Option<Server>,
    /// The archives as they were pinned.
    pub archives: Vec<Archive>,
}

impl Deref for Project {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Project {
    /// A project without settings.
    pub fn new() -> Self {
        Self::in_sandbox(Sandbox::new())
    }

    /// The same in a sandbox that was made before.
    pub fn in_sandbox(mut sandbox: Sandbox) -> Self {
        sandbox.redactor.know(host(), "[HOST]");
        sandbox.redactor.know(tool_prefix(&host()), "[HOST-PREFIX]");
        let project = Self { sandbox, server: Some(Server::start()), archives: toolchain() };
        project.settings("");
        project.write("src/main.rs", "fn main() {}\n");
        project.write("Cargo.lock", "version = 4\n");
        for archive in &project.archives {
            project.server().serve(&format!("/{}", archive.file()), archive.bytes.clone());
        }
        project.write_recipes();
        project
    }

    /// The sandbox, to change it.
    pub fn sandbox(&mut self) -> &mut Sandbox {
        &mut self.sandbox
    }

    /// The server, which must still be there.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("the server was not taken away")
    }

    /// Writes Cargo.toml with these lines of settings.
    pub fn settings(&self, lines: &str) {
        self.write(
            "Cargo.toml",
            format!(
                "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                 [package.metadata.xprov]\n{lines}"
            ),
        );
    }

    /// Locks for [`TARGET`], and says so.
    pub fn locked() -> Self {
        let project = Self::new();
        project.xprov(&format!("lock --target {TARGET}")).ok();
        project
    }

    /// The archive with this name, newest version.
    pub fn archive(&self, name: &str) -> &Archive {
        self.archives.iter().rfind(|archive| archive.name == name).expect(name)
    }

    /// The path on the server of the compiler of [`TARGET`].
    pub fn gcc_path(&self) -> String {
        format!("/{}", self.archive(&Self::gcc()).file())
    }

    /// Restores everything, and then takes the compiler of [`TARGET`] out of the store again: the
    /// next restore needs that one artifact.
    pub fn all_but_gcc(&self) {
        self.xprov("restore").ok();
        let program = format!("usr/bin/{}-gcc", tool_prefix(TARGET));
        for dir in ["objects", "compositions", "closures"] {
            for name in self.store_names(dir) {
                let path = self.xprov_home.join("v1").join(dir).join(&name);
                if dir == "closures" {
                    fs::remove_file(&path).expect("removed");
                } else if dir == "compositions" || path.join(&program).exists() {
                    xprov::sys::fs::remove_tree(&path).expect("removed");
                }
            }
        }
    }

    /// Serves other bytes as the archive with this name, pins them, and locks anew.
    pub fn replace(&mut self, name: &str, bytes: Vec<u8>) {
        let archive = self.archives.iter_mut().rfind(|archive| archive.name == name).expect(name);
        archive.bytes.clone_from(&bytes);
        let path = format!("/{}", archive.file());
        self.server().serve(&path, bytes);
        self.write_recipes();
        self.xprov("lock").ok();
    }

    /// The name of the archive with the compiler of [`TARGET`].
    pub fn gcc() -> String {
        format!("gcc-{TARGET}")
    }

    /// How many requests the server has answered.
    pub fn requests(&self) -> usize {
        self.server().requests().len()
    }

    /// The lines of one artifact in a recipe.
    pub fn artifact(&self, archive: &Archive, extra: &str) -> String {
        let url = self.server().url(&format!("/{}", archive.file()));
        format!(
            "[[variant.component.artifact]]\nversion = \"{}\"\nurls = [\"{url}\"]\n\
             sha256 = \"{}\"\nsize = {}\nstatus = \"verified-bytes\"\n{extra}\n",
            archive.version,
            archive.sha256(),
            archive.bytes.len(),
        )
    }

    fn component(&self, name: &str, runs: &str, triples: &[&str]) -> String {
        let mut text = format!("[[variant.component]]\nname = \"{name}\"\nruns = \"{runs}\"\n\n");
        for archive in &self.archives {
            for triple in triples {
                if archive.name == format!("{name}-{triple}") {
                    text.push_str(&self.artifact(archive, &format!("target = \"{triple}\"")));
                }
            }
            if archive.name == name {
                text.push_str(&self.artifact(archive, ""));
            }
        }
        text
    }

    /// Writes the recipes as the archives are now.
    pub fn write_recipes(&self) {
        let host = host();
        let both = [TARGET, &host];
        let rust = [
            self.component("rustc", "on-host", &[]),
            self.component("cargo", "on-host", &[]),
            self.component("rust-std", "on-target", &both),
        ]
        .concat();
        let rust_tools = "cargo = { program = \"usr/bin/cargo\" }\n\
                          rustc = { program = \"usr/bin/rustc\" }\n\
                          rustdoc = { program = \"usr/bin/rustdoc\" }\n";
        self.recipe("fake-rust", "rust", &both, &rust, "", rust_tools);
        for (name, triple) in [("fake-gcc-arm", TARGET), ("fake-gcc-host", &host)] {
            let prefix = tool_prefix(triple);
            let mut tools = String::new();
            for (tool, kind) in [("gcc", "cc"), ("g++", "cxx")] {
                let _ = writeln!(
                    tools,
                    "\"{prefix}-{tool}\" = {{ kind = \"{kind}\", program = \"usr/bin/{prefix}-{tool}\" }}"
                );
            }
            let links = format!("links = [\"usr/bin/{prefix}-*\"]\nglibc = \"2.36\"\n");
            let component = self.component("gcc", "on-host-for-target", &[triple]);
            self.recipe(name, "cc", &[triple], &component, &links, &tools);
        }
        let tools = self.component("tools", "on-host", &[]);
        let shell = "sh = { program = \"bin/sh\" }\n";
        self.recipe("fake-tools", "tools", &[], &tools, "links = [\"bin/*\"]\n", shell);
        let qemu = self.component("qemu", "on-host", &[]);
        let runner = "qemu-arm = { kind = \"runner\", program = \"usr/bin/qemu-arm\" }\n";
        self.recipe("fake-qemu", "runner", &[TARGET], &qemu, "", runner);
    }

    fn recipe(
        &self,
        name: &str,
        slot: &str,
        targets: &[&str],
        components: &str,
        provides: &str,
        tools: &str,
    ) {
        let host = host();
        self.write(
            &format!("recipes/{name}.toml"),
            format!(
                "schema = 1\nname = \"{name}\"\nsummary = \"scripts in place of {slot}\"\n\
                 slot = \"{slot}\"\ntargets = {targets:?}\ndefault = true\n\n\
                 [[variant]]\nhosts = [\"{host}\"]\n\n{components}\n\
                 [variant.provides]\n{provides}\n[variant.provides.tools]\n{tools}"
            ),
        );
    }
}
