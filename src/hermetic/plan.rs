//! The whole environment of a build, from its input: variables, rustflags, files, and where each
//! came from. Writes nothing down.

use std::fmt;
use std::path::PathBuf;

use super::cargo_config::{Place, ProjectConfig};
use super::draft::{DEFAULTS, Draft};
use super::env_id::{self, EnvId};
use super::flags::{self, Allowed, Flag};
use super::input::{Paths, PlanInput};
use super::prefix::{self, PrefixMap};
use super::roots::roots;
use super::{Error, text};
use crate::vocab::handover::{LEDGER_VARIABLE, PREFIX_MAP_VARIABLE};
use crate::vocab::sandbox::SANDBOX_VARIABLE;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// xprov always says so.
    Xprov,
    /// A tool of the environment, by its name in `bin` or its part (`rustc`, `sysroot`).
    Tool(String),
    /// A settings key: `env.set`.
    Setting(&'static str),
    /// The project's cargo configuration, or the user's `--config`.
    Project(Place),
    /// The user's command line: `cargo rustc -- ARGS`.
    Argument,
    /// The user's environment, by the catalogue.
    PassedThrough,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xprov => f.write_str("xprov"),
            Self::Tool(name) => write!(f, "tool {name}"),
            Self::Setting(key) => write!(f, "settings, {key}"),
            Self::Project(place) => write!(f, "{place}"),
            Self::Argument => f.write_str("your arguments"),
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

/// Something in the project's configuration or the user's arguments that does not get its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A CPU or instruction set beyond the baseline was taken out of the rustflags.
    BeyondBaseline {
        /// Who asked for it.
        origin: Origin,
        /// What was taken out: `target-cpu=native`, `target-feature=+avx2`.
        what: String,
        /// Why, as the end of a sentence.
        why: String,
        /// The line of settings that allows it.
        allow: Option<String>,
    },
    /// A key of cargo's configuration that xprov overrides.
    Overridden {
        /// The key: `build.rustc-wrapper`.
        key: String,
        /// Where it is.
        place: Place,
    },
    /// The project's runner is a list, which cargo joins with any other: it stays.
    RunnerIsList {
        /// The key: `target.<triple>.runner`.
        key: String,
        /// Where it is.
        place: Place,
    },
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
    /// The toolchain file for `cmake`, in the environment's directory.
    pub cmake: TextFile,
    /// What of the CPU the code may use.
    pub allowed: Allowed,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// The name of the shim that is rustc in a build.
pub const RUSTC: &str = "rustc";

/// The oldest macOS that output runs on, as rustc, cc-rs and cmake read it.
pub const OLDEST_MACOS: &str = "MACOSX_DEPLOYMENT_TARGET";

/// The ledger's name in the build directory.
const LEDGER: &str = "ledger.jsonl";

/// The name of the shim that starts its own arguments, in place of a wrapper.
pub const WRAPPER: &str = "rustc-wrapper";

impl Plan {
    /// Makes the plan. The env-id is that of the same plan on no machine in particular.
    pub fn new(input: &PlanInput<'_>) -> Result<Self, Error> {
        check_names(input)?;
        let project = ProjectConfig::read(input.project, input.host, input.target, input.cfgs)?;
        let settings = &input.settings;
        let baseline = flags::baseline(settings.baseline.as_deref(), input.target)?;
        let allowed = Allowed::new(input.target, baseline, &settings.features, &settings.rustflags);
        let common = flags::merged(&project.rustflags, baseline.as_ref(), &settings.rustflags);
        let (mut common, mut warnings) = flags::filter(common, &allowed);
        if let Some(linker) = input.target_tools.linker.as_ref().filter(|_| input.is_cross()) {
            // rustc takes it for a compiler otherwise.
            let origin = Origin::Tool(linker.clone());
            common.push(Flag::new(format!("-Clinker-flavor={linker}"), origin));
        }

        let nowhere = Paths::nowhere();
        let draft = Draft { input, paths: &nowhere, env_dir: "@env@", build_dir: "@build@" };
        let env_id = env_id::compute(
            input,
            &draft.variables()?,
            &common,
            &draft.cmake()?,
            &project,
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
        add(PREFIX_MAP_VARIABLE, prefix::to_variable(&prefix_maps));
        add(LEDGER_VARIABLE, text(&build_dir.join(LEDGER))?.to_owned());
        let sandbox = roots(&input.paths, &build_dir, &settings.sandbox)?.to_variable();
        add(SANDBOX_VARIABLE, text(sandbox.as_ref())?.to_owned());
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
            allowed,
            warnings,
        })
    }

    /// Where the shims note what they do.
    pub fn ledger(&self) -> PathBuf {
        self.build_dir.join(LEDGER)
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

/// Refuses settings that name what the plan sets itself.
fn check_names(input: &PlanInput<'_>) -> Result<(), Error> {
    let nowhere = Paths::nowhere();
    let draft = Draft { input, paths: &nowhere, env_dir: "@env@", build_dir: "@build@" };
    let mut own = draft.own_variables()?;
    own.retain(|variable| !DEFAULTS.iter().any(|(name, _)| *name == variable.name));
    let settings = &input.settings;
    let names = settings.pass.iter().map(|(name, _)| name);
    let names = names.chain(settings.set.iter().map(|(name, _)| name));
    for name in names.chain(settings.inputs.iter().map(|input| &input.variable)) {
        let late = [
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "XPROV_ENV_ID",
            PREFIX_MAP_VARIABLE,
            LEDGER_VARIABLE,
            SANDBOX_VARIABLE,
        ];
        let taken = own.iter().any(|variable| variable.name == *name);
        if taken || late.contains(&name.as_str()) {
            return Err(Error::Reserved { name: name.clone() });
        }
    }
    Ok(())
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
