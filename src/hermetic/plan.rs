//! The whole environment of a build, from its input: variables, rustflags, files, and where each
//! came from. Writes nothing down.

use std::fmt;
use std::path::{Path, PathBuf};

use super::cargo_config::{Place, ProjectConfig};
use super::env_id::{self, EnvId};
use super::flags::{self, Flag};
use super::input::{CTools, Paths, PlanInput};
use super::overlay::Overlay;
use super::prefix::{self, PrefixMap};
use super::vars::{self, Fate};
use super::{Error, cmake, text};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// xprov always says so.
    Xprov,
    /// A tool of the environment, by its name in `bin` or its part (`rustc`, `sysroot`).
    Tool(String),
    /// A settings key: `env.set`.
    Setting(&'static str),
    /// The project's cargo configuration.
    Project(Place),
    /// The user's environment, by the catalogue.
    PassedThrough,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xprov => f.write_str("xprov"),
            Self::Tool(name) => write!(f, "tool {name}"),
            Self::Setting(key) => write!(f, "settings, {key}"),
            Self::Project(place) => write!(f, "{}:{}", place.file.display(), place.line),
            Self::PassedThrough => f.write_str("your environment"),
        }
    }
}

/// A variable of the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Who says so.
    pub origin: Origin,
}

/// Something in the project that does not get its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// `target-cpu=native` was taken out of the rustflags.
    NativeDropped {
        /// Who asked for it.
        origin: Origin,
    },
    /// A key of the project's cargo configuration that xprov overrides.
    Overridden {
        /// The key: `build.rustc-wrapper`.
        key: String,
        /// Where it is.
        place: Place,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NativeDropped { origin } => write!(
                f,
                "{origin}: `target-cpu=native` is left out: it would build for this machine's CPU"
            ),
            Self::Overridden { key, place } => {
                write!(f, "{}:{}: `{key}` is overridden", place.file.display(), place.line)
            }
        }
    }
}

/// A file that has to be there before cargo starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    /// Where.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// The environment of a build.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name.
    pub env_id: EnvId,
    /// `<envs_dir>/<env-id>`; two checkouts of one project share it.
    pub env_dir: PathBuf,
    /// `<target_dir>/xprov/<env-id>`: cargo's intermediate files.
    pub build_dir: PathBuf,
    /// Every variable of the build, sorted by name; there are no others.
    pub variables: Vec<Variable>,
    /// The rustflags in order, as `CARGO_ENCODED_RUSTFLAGS` has them.
    pub rustflags: Vec<Flag>,
    /// What compilers replace in paths.
    pub prefix_maps: Vec<PrefixMap>,
    /// Cargo's last `--config`, below the build directory: it is about this checkout.
    pub config: TextFile,
    /// CMake's toolchain file, in the environment's directory.
    pub cmake: TextFile,
    /// The CPU that C compilers are told, for `before` of their shims (`-march=…`).
    pub baseline_cpu: Option<String>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// The name of the shim that starts its own arguments, in place of a wrapper.
pub const WRAPPER: &str = "rustc-wrapper";

impl Plan {
    /// Makes the plan. The env-id is that of the same plan on no machine in particular.
    pub fn new(input: &PlanInput<'_>) -> Result<Self, Error> {
        check_names(input)?;
        let project = ProjectConfig::read(input.project, input.host, input.target, input.cfgs)?;
        let cpu = match &input.settings.baseline {
            Some(baseline) => flags::baseline_cpu(baseline, input.target)?,
            None => None,
        };
        let (common, mut warnings) = user_flags(input, &project, cpu.as_deref());

        let nowhere = Paths::nowhere();
        let draft = Draft { input, paths: &nowhere, env_dir: "@env@", build_dir: "@build@" };
        let env_id = env_id::compute(
            input,
            &draft.variables()?,
            &common,
            &draft.cmake()?,
            &prefix::placeholders(&input.paths)?,
        );
        let env_dir = input.paths.envs_dir.join(env_id.to_string());
        let build_dir = input.paths.target_dir.join("xprov").join(env_id.to_string());

        let real = Draft {
            input,
            paths: &input.paths,
            env_dir: text(&env_dir)?,
            build_dir: text(&build_dir)?,
        };
        let prefix_maps = prefix::maps(real.paths, real.env_dir, real.build_dir)?;
        let mut rustflags = common;
        rustflags.extend(own_flags(&prefix_maps, &env_id));
        let mut variables = real.variables()?;
        let encoded: Vec<&str> = rustflags.iter().map(|flag| flag.value.as_str()).collect();
        let mut add = |name: &str, value: String| {
            variables.push(Variable { name: name.to_owned(), value, origin: Origin::Xprov });
        };
        add("CARGO_ENCODED_RUSTFLAGS", encoded.join("\u{1f}"));
        add("XPROV_ENV_ID", env_id.to_string());
        add(prefix::VARIABLE, prefix::to_variable(&prefix_maps));
        variables.sort_by(|a, b| a.name.cmp(&b.name));

        let (config, overridden) = real.overlay(&variables, &project)?;
        warnings.extend(overridden);
        let cmake = TextFile { path: real.cmake_path().into(), text: real.cmake()? };
        let config = TextFile { path: build_dir.join("cargo-config.toml"), text: config };
        Ok(Self {
            env_id,
            env_dir,
            build_dir,
            variables,
            rustflags,
            prefix_maps,
            config,
            cmake,
            baseline_cpu: cpu,
            warnings,
        })
    }

    /// The directory of the tools.
    pub fn bin_dir(&self) -> PathBuf {
        self.env_dir.join("bin")
    }

    /// A variable's value.
    pub fn value(&self, name: &str) -> Option<&str> {
        let variable = self.variables.iter().find(|variable| variable.name == name)?;
        Some(&variable.value)
    }
}

/// Variables that a project may set although xprov has a default for them.
const DEFAULTS: &[(&str, &str)] = &[
    // 1980-01-01, the oldest time that a zip archive can hold.
    ("SOURCE_DATE_EPOCH", "315532800"),
    ("LC_ALL", "C"),
    ("TZ", "UTC"),
];

/// Refuses settings that name what the plan sets itself.
fn check_names(input: &PlanInput<'_>) -> Result<(), Error> {
    let nowhere = Paths::nowhere();
    let draft = Draft { input, paths: &nowhere, env_dir: "@env@", build_dir: "@build@" };
    let mut own = draft.own_variables()?;
    own.retain(|variable| !DEFAULTS.iter().any(|(name, _)| *name == variable.name));
    let settings = &input.settings;
    let names = settings.pass.iter().map(|(name, _)| name);
    for name in names.chain(settings.set.iter().map(|(name, _)| name)) {
        let late = ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WRAPPER", "XPROV_ENV_ID"];
        let taken = own.iter().any(|variable| variable.name == *name);
        if taken || late.contains(&name.as_str()) || name == prefix::VARIABLE {
            return Err(Error::Reserved { name: name.clone() });
        }
    }
    Ok(())
}

/// The flags of the project, the baseline and the settings; rustc lets the last of two win.
fn user_flags(
    input: &PlanInput<'_>,
    project: &ProjectConfig,
    cpu: Option<&str>,
) -> (Vec<Flag>, Vec<Warning>) {
    let mut flags = project.rustflags.clone();
    flags.extend(
        cpu.map(|cpu| Flag::new(format!("-Ctarget-cpu={cpu}"), Origin::Setting("baseline"))),
    );
    let settings = input.settings.rustflags.iter();
    flags.extend(settings.map(|flag| Flag::new(flag, Origin::Setting("rustflags"))));
    flags::without_native(flags)
}

/// The flags that make paths equal, and the one that re-runs build scripts.
fn own_flags<'a>(maps: &'a [PrefixMap], env_id: &EnvId) -> impl Iterator<Item = Flag> + 'a {
    let remap = |map: &PrefixMap| format!("--remap-path-prefix={}={}", map.from, map.to);
    let sentinel = [
        format!("--cfg=xprov_env=\"{env_id}\""),
        "--check-cfg=cfg(xprov_env,values(any()))".to_owned(),
    ];
    maps.iter().map(remap).chain(sentinel).map(|flag| Flag::new(flag, Origin::Xprov))
}

/// A plan in the making: the same code makes the one for env-id and the real one.
struct Draft<'a> {
    input: &'a PlanInput<'a>,
    paths: &'a Paths,
    env_dir: &'a str,
    build_dir: &'a str,
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

    fn cmake_path(&self) -> String {
        format!("{}/cmake/{}.cmake", self.env_dir, self.input.target)
    }

    fn sysroot(&self, tools: &CTools) -> Result<Option<String>, Error> {
        tools.sysroot.as_deref().map(|sysroot| self.path(sysroot)).transpose()
    }

    fn cmake(&self) -> Result<String, Error> {
        let tools = self.target_tools();
        let sysroot = self.sysroot(tools)?;
        let tool = |word: &str| self.tool(tools, word);
        Ok(cmake::toolchain_file(self.input.target, tool, sysroot.as_deref()))
    }

    fn overlay(
        &self,
        variables: &[Variable],
        project: &ProjectConfig,
    ) -> Result<(String, Vec<Warning>), Error> {
        let rust = &self.input.rust;
        let cache = self.input.settings.cache.as_deref();
        let runner = self.input.runner.as_deref().map(|name| self.bin(name));
        let overlay = Overlay {
            host: self.input.host,
            target: self.input.target,
            rustc: &self.path(&rust.rustc)?,
            rustdoc: &self.path(&rust.rustdoc)?,
            linker: &self.tool(self.target_tools(), "gcc"),
            host_linker: &self.tool(&self.input.host_tools, "gcc"),
            runner: runner.as_deref(),
            wrapper: &match cache {
                Some(cache) => self.path(cache)?,
                None => self.bin(WRAPPER),
            },
            cached: cache.is_some(),
            build_dir: self.build_dir,
            has_build_dir: rust.has_build_dir(),
            variables,
        };
        Ok(overlay.render(project))
    }

    /// Everything but what carries the env-id.
    fn variables(&self) -> Result<Vec<Variable>, Error> {
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
        Ok(variables)
    }

    /// The variables that xprov sets.
    fn own_variables(&self) -> Result<Vec<Variable>, Error> {
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
        for (name, path) in [("RUSTC", &rust.rustc), ("RUSTDOC", &rust.rustdoc)] {
            add(name.to_owned(), self.path(path)?, Origin::Tool(name.to_lowercase()));
        }
        if let Some(cache) = &input.settings.cache {
            add("RUSTC_WRAPPER".to_owned(), self.path(cache)?, Origin::Setting("cache"));
        }
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
        let linker = |tools: &CTools| {
            (self.tool(tools, "gcc"), Origin::Tool(format!("{}-gcc", tools.prefix)))
        };
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
        if let Some(headers) = &target_tools.builtin_headers {
            clang.extend(["-isystem".to_owned(), self.path(headers)?]);
        }
        // bindgen splits the text as a shell would.
        let clang: Vec<String> = clang.iter().map(|word| super::render::quote_sh(word)).collect();
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
