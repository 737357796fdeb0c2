//! The variables and files of a plan for any set of paths: the same code makes the draft that
//! env-id is computed from and the real one.

use std::path::Path;

use super::cargo_config::ProjectConfig;
use super::input::{CTools, Paths, PlanInput, ToolVariable};
use super::overlay::Overlay;
use super::plan::{OLDEST_MACOS, Origin, RUSTC, Variable, WRAPPER, Warning};
use super::vars::{self, Fate};
use super::{Error, cmake, text};

/// Variables that a project may set although xprov has a default for them.
pub(super) const DEFAULTS: &[(&str, &str)] = &[
    // 1980-01-01, the oldest time that a zip archive can hold.
    ("SOURCE_DATE_EPOCH", "315532800"),
    ("LC_ALL", "C"),
    ("TZ", "UTC"),
];

/// A plan in the making: the same code makes the one for env-id and the real one.
pub(super) struct Draft<'a> {
    pub input: &'a PlanInput<'a>,
    pub paths: &'a Paths,
    pub env_dir: &'a str,
    pub build_dir: &'a str,
}

impl Draft<'_> {
    fn target_tools(&self) -> &CTools {
        let input = self.input;
        if input.host == input.target { &input.host_tools } else { &input.target_tools }
    }

    /// A path of the environment: relative ones are relative to its directory.
    fn path(&self, path: &Path) -> Result<String, Error> {
        Ok(text(&Path::new(self.env_dir).join(path))?.to_owned())
    }

    fn bin(&self, name: &str) -> String {
        format!("{}/bin/{name}", self.env_dir)
    }

    fn tool(&self, tools: &CTools, word: &str) -> String {
        self.bin(&format!("{}-{word}", tools.prefix))
    }

    pub fn cmake_path(&self) -> String {
        format!("{}/cmake/{}.cmake", self.env_dir, self.input.target)
    }

    fn sysroot(&self, tools: &CTools) -> Result<Option<String>, Error> {
        tools.sysroot.as_deref().map(|sysroot| self.path(sysroot)).transpose()
    }

    pub fn cmake(&self) -> Result<String, Error> {
        let tools = self.target_tools();
        let sysroot = self.sysroot(tools)?;
        let tool = |word: &str| self.tool(tools, word);
        Ok(cmake::toolchain_file(self.input.target, tool, sysroot.as_deref()))
    }

    pub fn overlay(
        &self,
        variables: &[Variable],
        project: &ProjectConfig,
    ) -> Result<(String, Vec<Warning>), Error> {
        let rust = &self.input.rust;
        let runner = self.input.runner.as_deref().map(|name| self.bin(name));
        let overlay = Overlay {
            host: self.input.host,
            target: self.input.target,
            rustc: &self.bin(RUSTC),
            rustdoc: &self.path(&rust.rustdoc)?,
            linker: &self.bin(&self.target_tools().linker()),
            host_linker: &self.bin(&self.input.host_tools.linker()),
            runner: runner.as_deref(),
            wrapper: &self.bin(WRAPPER),
            target_dir: text(&self.paths.target_dir)?,
            build_dir: self.build_dir,
            has_build_dir: rust.has_build_dir(),
            variables,
        };
        Ok(overlay.render(project))
    }

    /// Everything but what carries the env-id.
    pub fn variables(&self) -> Result<Vec<Variable>, Error> {
        let mut variables = self.own_variables()?;
        let settings = &self.input.settings;
        let passed = settings
            .pass
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_ref()?, Origin::Setting("env.pass"))));
        let set =
            settings.set.iter().map(|(name, value)| (name, value, Origin::Setting("env.set")));
        let ambient = vars::select(self.input.ambient, Fate::Passes)
            .map(|(name, value)| (name, value, Origin::PassedThrough));
        // The later one wins: what settings say outranks what passes through anyway.
        for (name, value, origin) in ambient.chain(passed).chain(set) {
            variables.retain(|variable| variable.name != *name);
            variables.push(Variable { name: name.clone(), value: value.clone(), origin });
        }
        for input in &settings.inputs {
            let (name, value) = (input.variable.clone(), input.value(&self.paths.store)?);
            variables.push(Variable { name, value, origin: Origin::Setting("inputs") });
        }
        Ok(variables)
    }

    /// The variables that xprov sets.
    pub fn own_variables(&self) -> Result<Vec<Variable>, Error> {
        let (input, rust) = (self.input, &self.input.rust);
        let mut variables: Vec<Variable> = Vec::new();
        let mut add = |name: String, value: String, origin: Origin| {
            variables.push(Variable { name, value, origin });
        };
        for (name, value) in DEFAULTS {
            add((*name).to_owned(), (*value).to_owned(), Origin::Xprov);
        }
        for (name, value) in [
            ("HOME", text(&self.paths.home)?.to_owned()),
            ("TMPDIR", text(&self.paths.tmp)?.to_owned()),
            ("CARGO_HOME", text(&self.paths.cargo_home)?.to_owned()),
            ("PATH", format!("{}/bin", self.env_dir)),
            ("ZERO_AR_DATE", "1".to_owned()),
            ("XPROV_TARGET", input.target.to_string()),
        ] {
            add(name.to_owned(), value, Origin::Xprov);
        }
        if let Some(oldest) = input.target.oldest_macos() {
            add(OLDEST_MACOS.to_owned(), oldest.to_owned(), Origin::Xprov);
        }
        add("RUSTC".to_owned(), self.bin(RUSTC), Origin::Tool(RUSTC.to_owned()));
        let rustdoc = self.path(&rust.rustdoc)?;
        add("RUSTDOC".to_owned(), rustdoc, Origin::Tool("rustdoc".to_owned()));
        let screaming = input.target.screaming();
        if let Some(runner) = &input.runner {
            let name = format!("CARGO_TARGET_{screaming}_RUNNER");
            add(name, self.bin(runner), Origin::Tool(runner.clone()));
        }
        let target_tools = self.target_tools();
        let suffix = format!("_{}", input.target.snake());
        for (variable, word) in
            [("CC", "gcc"), ("CXX", "g++"), ("AR", "ar"), ("RANLIB", "ranlib"), ("STRIP", "strip")]
        {
            let origin = |tools: &CTools| Origin::Tool(format!("{}-{word}", tools.prefix));
            let value = self.tool(target_tools, word);
            add(format!("{variable}{suffix}"), value, origin(target_tools));
            if variable != "STRIP" {
                let value = self.tool(&input.host_tools, word);
                add(format!("HOST_{variable}"), value, origin(&input.host_tools));
            }
        }
        let linker = |tools: &CTools| (self.bin(&tools.linker()), Origin::Tool(tools.linker()));
        let (value, origin) = linker(target_tools);
        add(format!("CARGO_TARGET_{screaming}_LINKER"), value, origin);
        if input.host != input.target {
            let (value, origin) = linker(&input.host_tools);
            add(format!("CARGO_TARGET_{}_LINKER", input.host.screaming()), value, origin);
        }
        add(format!("CMAKE_TOOLCHAIN_FILE{suffix}"), self.cmake_path(), Origin::Xprov);
        self.pkg_config(target_tools, "", &suffix, &mut add)?;
        self.pkg_config(&input.host_tools, "HOST_", "", &mut add)?;
        if target_tools.has_pkg_config {
            add(format!("PKG_CONFIG_ALLOW_CROSS{suffix}"), "1".to_owned(), Origin::Xprov);
        }
        if input.target.is_musl() {
            add("PKG_CONFIG_ALL_STATIC".to_owned(), "1".to_owned(), Origin::Xprov);
        }
        let mut clang = vec![format!("--target={}", input.target)];
        clang.extend(self.sysroot(target_tools)?.map(|sysroot| format!("--sysroot={sysroot}")));
        let libraries = target_tools.system_headers.iter();
        for headers in libraries.chain(&target_tools.builtin_headers) {
            clang.extend(["-isystem".to_owned(), self.path(headers)?]);
        }
        // bindgen splits the text as a shell would.
        let clang: Vec<String> = clang.iter().map(|word| super::render::quote_sh(word)).collect();
        for ToolVariable { tool, name, value } in input.tool_variables {
            let value = value.replace("{bin}", &format!("{}/bin", self.env_dir));
            add(name.clone(), value, Origin::Tool(tool.clone()));
        }
        let origin = Origin::Tool("sysroot".to_owned());
        add(format!("BINDGEN_EXTRA_CLANG_ARGS{suffix}"), clang.join(" "), origin);
        Ok(variables)
    }

    /// What the pkg-config crate looks up, for the target or the host.
    fn pkg_config(
        &self,
        tools: &CTools,
        prefix: &str,
        suffix: &str,
        add: &mut impl FnMut(String, String, Origin),
    ) -> Result<(), Error> {
        if !tools.has_pkg_config {
            return Ok(());
        }
        let origin = || Origin::Tool("pkg-config".to_owned());
        add(format!("{prefix}PKG_CONFIG{suffix}"), self.bin("pkg-config"), origin());
        if let Some(sysroot) = self.sysroot(tools)? {
            add(format!("{prefix}PKG_CONFIG_SYSROOT_DIR{suffix}"), sysroot, origin());
        }
        let dirs: Result<Vec<String>, Error> =
            tools.pkg_config_libdirs.iter().map(|dir| self.path(dir)).collect();
        add(format!("{prefix}PKG_CONFIG_LIBDIR{suffix}"), dirs?.join(":"), origin());
        Ok(())
    }
}
