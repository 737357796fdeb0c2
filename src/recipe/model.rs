//! What a recipe says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::archive::UnpackSpec;
use crate::vocab::digest::Sha256;
use crate::vocab::name::Name;
use crate::vocab::triple::RustTriple;
use crate::vocab::url::Url;

/// One recipe: a toolchain, or a set of tools that belong together and have one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recipe {
    /// The version of the recipe format: 1.
    pub schema: u32,
    /// Its name, which is also its file's.
    pub name: Name,
    /// One sentence for `recipes list`.
    pub summary: String,
    /// Where its upstream lives.
    pub homepage: Option<String>,
    /// The licence of what it downloads, as an SPDX expression.
    pub licence: Option<String>,
    /// What it is used for.
    pub slot: Slot,
    /// For `host-tools`: the name under which settings ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Name>,
    /// The targets it serves; absent: every target of the slot.
    #[serde(default)]
    pub targets: Vec<RustTriple>,
    /// Whether it is taken where the settings choose none.
    #[serde(default)]
    pub default: bool,
    /// The targets for which it is taken where the settings choose none, although `default` is
    /// not set: those with pins that are well attested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default_for: Vec<RustTriple>,
    /// Where Debian packages are looked up; absent where all artifacts are pinned here.
    pub debian: Option<Debian>,
    /// Where components of Rust's releases are looked up; absent where none has a `package`.
    pub rust_dist: Option<RustDist>,
    /// The package whose wheels are components.
    pub pypi: Option<Pypi>,
    /// What to use on which hosts.
    #[serde(rename = "variant")]
    pub variants: Vec<Variant>,
}

/// The job that a recipe fills in an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// The Rust compiler, cargo, and the standard libraries of host and target.
    Rust,
    /// The C toolchain of a target, with its sysroot.
    Cc,
    /// What runs programs of a target that is not the host's.
    Runner,
    /// What build scripts call besides compilers.
    Tools,
    /// Single tools that build scripts call and that the settings ask for by their names.
    HostTools,
}

impl Slot {
    /// The name that settings, recipes and messages use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Cc => "cc",
            Self::Runner => "runner",
            Self::Tools => "tools",
            Self::HostTools => "host-tools",
        }
    }
}

/// The signed archive that packages come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Debian {
    /// A package whose version all packages that the components name must have, on every
    /// architecture; absent where each has its own.
    pub version_package: Option<String>,
    /// The suites to look in.
    pub suites: Vec<Suite>,
    /// The URL of the dated snapshot service, with `{archive}` and `{date}`.
    pub snapshot: Option<String>,
}

/// The server of the Rust project's releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RustDist {
    /// Its `dist` directory; `mirrors.rust` of the settings stands in for it.
    pub server: Url,
}

/// A package of the Python package index, for programs that are published as wheels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pypi {
    /// The package's name.
    pub package: String,
    /// The version that is taken where the settings ask for none; absent: the newest.
    pub version: Option<String>,
    /// How its wheels are unpacked.
    #[serde(default)]
    pub unpack: UnpackSpec,
}

/// One suite of one archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Suite {
    /// `debian` or `debian-security`: the name under which settings give mirrors.
    pub archive: String,
    /// The code name: `bookworm`.
    pub suite: String,
    /// `main` and its like.
    pub components: Vec<String>,
}

/// What a recipe uses on certain hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Variant {
    /// The hosts.
    pub hosts: Vec<RustTriple>,
    /// Each becomes one lock entry for each host, target or both.
    #[serde(rename = "component")]
    pub components: Vec<Component>,
    /// What the composed tree holds.
    #[serde(default)]
    pub provides: Provides,
}

/// One part of a toolchain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Component {
    /// The lock entry's name: `rustc`, `rust-std`, `gcc`, `sysroot`.
    pub name: Name,
    /// What it depends on.
    pub runs: Runs,
    /// Which targets it is for, `*` being any text; absent: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// What is made of its artifacts, which are inputs then and no part of the tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derivation: Option<Derivation>,
    /// The tree that it is composed into.
    #[serde(default)]
    pub tree: TreeRole,
    /// Whether it is taken only where the settings ask for it by its name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Whether it is the machine's own: nothing is downloaded, and the lock notes what it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub impure: bool,
    /// Debian packages; `{host-arch}` and `{target-arch}` are replaced, `name:arch` chooses an
    /// architecture other than the host's.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Packages that are neither taken nor followed; `*` matches any run of characters.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// The component's name in the release manifests of Rust: `rust-std`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dist: Option<String>,
    /// Whether it is the wheel of the recipe's package for the host.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wheel: bool,
    /// Whose installed tools it is: nothing is downloaded for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Installed>,
    /// Artifacts with their pins.
    #[serde(default, rename = "artifact")]
    pub artifacts: Vec<PinnedArtifact>,
}

/// Tools that a machine brings and that nobody may pass on (`docs/macos.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Installed {
    /// The programs of macOS, by their paths, and of Apple's command line tools, by their names.
    Macos,
}

/// What a component is made by, where it is not downloaded (`docs/derivations.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Derivation {
    /// The standard library, built from its source by the pinned compiler.
    RustStd,
}

impl Derivation {
    /// The word in recipes and locks.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RustStd => "rust-std",
        }
    }
}

/// The trees that a variant is composed into.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TreeRole {
    /// Programs with the libraries that they need to run.
    #[default]
    Main,
    /// Headers and libraries of the target, apart from the programs: where host and target are of
    /// one architecture, programs must not find the target's C library beside their own libraries.
    Sysroot,
}

/// Whose program a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runs {
    /// The host's, whatever the target: one entry a host.
    OnHost,
    /// The host's, made for one target: an entry for each host and target.
    OnHostForTarget,
    /// The target's, the same on each host: one entry a target (a std, say). The host is among
    /// the targets, since build scripts and proc-macros run there.
    OnTarget,
}

/// A directly downloadable artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PinnedArtifact {
    /// The version it is.
    pub version: String,
    /// The host that it runs on; absent: every host.
    pub host: Option<RustTriple>,
    /// The target that it is for; absent: the recipe's.
    pub target: Option<RustTriple>,
    /// Where it is, best first.
    pub urls: Vec<Url>,
    /// Its pin.
    pub sha256: Sha256,
    /// Its size in bytes, where it was seen.
    pub size: Option<u64>,
    /// How it is unpacked.
    #[serde(default)]
    pub unpack: UnpackSpec,
    /// How far the pin can be trusted.
    pub status: Status,
    /// Where the pin was seen.
    #[serde(default)]
    pub seen_in: Vec<String>,
    /// The minisign public key whose signature of the file is checked at lock time, at the file's
    /// URL with `.minisig` after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minisign: Option<String>,
}

/// How well a pin is attested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The same digest in two or more independent places.
    Confirmed,
    /// Hashed from stored bytes.
    VerifiedBytes,
    /// Seen in one place.
    SingleSource,
}

impl Status {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::SingleSource => "single source",
            Self::VerifiedBytes => "verified bytes",
        }
    }
}

/// What the composed trees of a variant hold; all paths are relative to the top of their tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Provides {
    /// Paths that are left out when objects are joined.
    pub omit: Vec<String>,
    /// Whether the tree is the same for every target: then it is composed once for all of them.
    pub every_target: bool,
    /// The directory for `--sysroot`; in the sysroot tree where there is one.
    pub sysroot: Option<String>,
    /// The directory in which programs of the target find their loader, for `qemu -L`.
    pub loader_root: Option<String>,
    /// The directories of the sysroot's tree where pkg-config finds the target's libraries.
    pub pkg_config: Vec<String>,
    /// The directory with the compiler's own headers, for bindgen.
    pub compiler_include: Option<String>,
    /// Directories with headers of the target that the compiler is told of, and bindgen has to
    /// be; in the sysroot's tree.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub system_include: Vec<String>,
    /// The tool that links Rust programs where that is no compiler: `ld.lld`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linker: Option<String>,
    /// Text files of the environment, by their names; `{files}` in a tool's arguments is their
    /// directory, and `{tree}` and `{sysroot}` are replaced in them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// The version of the sysroot's glibc: what programs linked against it may need.
    pub glibc: Option<String>,
    /// Programs that builds see as the shim, by the names under which they call them; `{prefix}`
    /// is the target's, `aarch64-linux-gnu`.
    pub tools: BTreeMap<String, Tool>,
    /// For `host-tools`: variables of the build; `{bin}` is the environment's directory of
    /// programs and `{tree}` the composed tree.
    pub env: BTreeMap<String, String>,
    /// Further programs, as paths whose last component may have a `*`: linked under their own
    /// names.
    pub links: Vec<String>,
    /// Programs under other names than their own: the name, and the path in the tree.
    pub names: BTreeMap<String, String>,
    /// What differs between targets, where one recipe serves several.
    pub target: BTreeMap<RustTriple, ForTarget>,
}

/// What a cross toolchain provides for one target; what is absent is as for the variant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ForTarget {
    /// The path of its programs up to the names that all toolchains share:
    /// `bin/aarch64-none-linux-gnu-` for `bin/aarch64-none-linux-gnu-gcc`.
    pub prefix: Option<String>,
    /// Arguments of its compilers that come before the caller's.
    pub args: Vec<String>,
    /// As in [`Provides`].
    pub sysroot: Option<String>,
    /// As in [`Provides`].
    pub loader_root: Option<String>,
    /// As in [`Provides`].
    pub pkg_config: Vec<String>,
    /// As in [`Provides`].
    pub compiler_include: Option<String>,
    /// As in [`Provides`].
    pub glibc: Option<String>,
}

/// One program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tool {
    /// Its path in the tree; none where it refuses.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub program: String,
    /// Why there is no such program, and what helps: what its callers are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuse: Option<String>,
    /// Arguments that come before the caller's; `{tree}`, `{sysroot}` and `{files}` are replaced.
    #[serde(default)]
    pub args: Vec<String>,
    /// What kind of program the shim has to deal with.
    #[serde(default)]
    pub kind: ToolKind,
    /// Other names for the same program.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// What the shim has to know of a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolKind {
    /// A C compiler: `--sysroot` and prefix maps are added.
    Cc,
    /// A C++ compiler, likewise.
    Cxx,
    /// A linker that rustc calls without a compiler.
    Linker,
    /// `zig cc`, `zig c++`: they get what a gcc would, and the target that it is for.
    ZigCc,
    /// `zig ar` and its like.
    Zig,
    /// An emulator for programs of the target.
    Runner,
    /// Anything else: called as it is.
    #[default]
    Plain,
}
