//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::hermetic::render::Format;

/// Cross-compiles Rust with pinned toolchains in a clean environment.
#[derive(Debug, Parser)]
#[command(name = "xprov", version, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// Options of every verb.
    #[command(flatten)]
    pub global: Global,
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options of every verb. Among cargo's arguments, `--locked`, `--offline` and `--frozen` count for
/// both.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Global {
    /// Fail where toolchains.lock would have to change.
    #[arg(long, global = true)]
    pub locked: bool,
    /// Use no network.
    #[arg(long, global = true)]
    pub offline: bool,
    /// The same as --locked and --offline.
    #[arg(long, global = true)]
    pub frozen: bool,
    /// Print data as one JSON document, and events as JSON lines on standard error.
    #[arg(long, global = true)]
    pub json: bool,
    /// Say only what went wrong.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// When to colour messages.
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
    /// Work as if started in this directory.
    #[arg(long, short = 'C', global = true, value_name = "DIR")]
    pub directory: Option<std::path::PathBuf>,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Build for a target, and verify the binaries. Arguments are cargo build's.
    Build(CargoArgs),
    /// Check for a target. Arguments are cargo check's.
    Check(CargoArgs),
    /// Test for a target, under an emulator where it is foreign. Arguments are cargo test's.
    Test(CargoArgs),
    /// Run a program of a target, under an emulator where it is foreign. Arguments are cargo run's.
    Run(CargoArgs),
    /// Any other cargo command in the same environment: `xprov cargo -- tree`.
    Cargo(CargoArgs),
    /// Write toolchains.lock for the targets and hosts of the settings.
    Lock(LockArgs),
    /// Write toolchains.lock anew, with the newest versions that the settings allow.
    Update(LockArgs),
    /// Fetch and unpack everything that toolchains.lock pins for this host.
    Restore(RestoreArgs),
    /// Print the environment of a target, or write it into .xprov/.
    Env(EnvArgs),
    /// Run a command in the environment of a target, and in nothing else.
    Exec(ExecArgs),
    /// Start your own shell in the environment of a target.
    Shell(ShellArgs),
    /// Check what binaries are and where they will run.
    Verify(VerifyArgs),
    /// Say what a build sees of a variable, a flag, a tool or a crate, and who decides that.
    Why(WhyArgs),
    /// Say what on this machine would leak into a plain cargo build, and what to do.
    Doctor(DoctorArgs),
    /// The recipes that toolchains come from.
    #[command(subcommand)]
    Recipes(RecipesVerb),
    /// The store that toolchains are kept in.
    #[command(subcommand)]
    Store(StoreVerb),
}

/// Arguments that are cargo's.
#[derive(Debug, Args)]
pub struct CargoArgs {
    /// Passed to cargo unchanged; options of xprov's own go before the verb. `--target`,
    /// `--manifest-path`, `--locked`, `--offline`, `--frozen`, `-q` and `-v` mean the same to
    /// xprov.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "CARGO ARGUMENTS")]
    args: Vec<String>,
}

/// Which project, which targets.
#[derive(Debug, Args)]
pub struct LockArgs {
    /// A target beside those of the settings and of the existing lock; can be repeated.
    #[arg(long, value_name = "TRIPLE")]
    pub target: Vec<String>,
    /// Refuse what nobody has signed or published.
    #[arg(long)]
    pub require_signed: bool,
    /// The project's Cargo.toml.
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<String>,
}

/// What to restore.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Only what these targets need; can be repeated. By default every target in the lock.
    #[arg(long, value_name = "TRIPLE")]
    pub target: Vec<String>,
    /// The project's Cargo.toml.
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<String>,
}

/// Which environment, in which form.
#[derive(Debug, Args)]
pub struct EnvArgs {
    /// The target.
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// The project's Cargo.toml.
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<String>,
    /// The form.
    #[arg(long, value_enum, default_value_t = EnvFormatArg::Sh)]
    pub format: EnvFormatArg,
    /// Write every form into .xprov/ beside toolchains.lock.
    #[arg(long, conflicts_with = "format")]
    pub write: bool,
}

/// Forms of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EnvFormatArg {
    /// For `eval` in a POSIX shell.
    Sh,
    /// For `source` in fish.
    Fish,
    /// One JSON object: the whole environment, as `exec` has it.
    Json,
    /// `NAME="value"` lines, without PATH.
    Dotenv,
    /// For `$GITHUB_ENV`, without PATH.
    Github,
    /// For `$GITHUB_PATH`.
    GithubPath,
    /// An `[env]` table for cargo's configuration.
    CargoConfig,
}

impl From<EnvFormatArg> for Format {
    fn from(format: EnvFormatArg) -> Self {
        match format {
            EnvFormatArg::Sh => Self::Sh,
            EnvFormatArg::Fish => Self::Fish,
            EnvFormatArg::Json => Self::Json,
            EnvFormatArg::Dotenv => Self::Dotenv,
            EnvFormatArg::Github => Self::Github,
            EnvFormatArg::GithubPath => Self::GithubPath,
            EnvFormatArg::CargoConfig => Self::CargoConfig,
        }
    }
}

/// What to run where.
#[derive(Debug, Args)]
pub struct ExecArgs {
    /// The target.
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// The project's Cargo.toml.
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<String>,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<String>,
}

/// Which environment, and what for the shell to do in it.
#[derive(Debug, Args)]
pub struct ShellArgs {
    /// The target.
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// The project's Cargo.toml.
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<String>,
    /// Arguments of the shell, after `--`.
    #[arg(last = true, value_name = "SHELL ARGUMENTS")]
    pub arguments: Vec<String>,
}

/// Forms of what `verify` found; `--json` is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyFormat {
    /// A line for each finding.
    Text,
    /// Annotations of GitHub Actions, for everything that did not pass.
    Github,
}

/// What to verify against what.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Binaries, and directories with binaries in them or below.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<std::path::PathBuf>,
    /// The target that they must be for; by default the one that their headers name.
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// The newest glibc that they may need.
    #[arg(long, value_name = "VERSION")]
    pub max_glibc: Option<String>,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t = VerifyFormat::Text)]
    pub format: VerifyFormat,
    /// A directory with the libraries of the target, for what depends on them.
    #[arg(long, value_name = "DIR")]
    pub sysroot: Option<std::path::PathBuf>,
}

/// What to explain.
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// A variable (`CFLAGS`), a flag (`-march=native`, `target-cpu`), a tool (`cc`) or a crate.
    #[arg(allow_hyphen_values = true, value_name = "WORD")]
    pub subject: String,
    /// The target whose environment is asked.
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// The project's Cargo.toml.
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<String>,
}

/// What to examine.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Only what concerns this target.
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// The project's Cargo.toml; without any project, the machine alone is examined.
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<String>,
}

/// Verbs of `recipes`.
#[derive(Debug, Subcommand)]
pub enum RecipesVerb {
    /// List all recipes, the project's own and the built-in ones.
    List(ProjectArgs),
    /// Show one recipe.
    Show {
        /// Its name.
        name: String,
        /// The project.
        #[command(flatten)]
        project: ProjectArgs,
    },
    /// Check recipes without network: pins, names, paths, defaults. Exit code 1 if one is wrong.
    Check {
        /// Recipe files; by default every recipe that the project can use.
        #[arg(value_name = "FILE")]
        files: Vec<std::path::PathBuf>,
        /// The project.
        #[command(flatten)]
        project: ProjectArgs,
    },
}

/// Which project.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    /// The project's Cargo.toml.
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<String>,
}

/// Verbs of `store`.
#[derive(Debug, Subcommand)]
pub enum StoreVerb {
    /// List the objects.
    List,
    /// Print the directories of the objects with this name, or of the store.
    Path {
        /// A name, the beginning of one, or the beginning of a tree hash.
        name: Option<String>,
    },
    /// Print how many bytes the store takes.
    Size,
}
