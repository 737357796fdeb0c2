//! The rules: pure functions from facts and policy to one finding each. A rule says pass only when
//! it saw the proof; what cannot be seen in the file is unproven.

mod arm;
mod ceilings;
mod hardening;
mod linkage;
mod paths;

use serde::Serialize;

use super::elf::{ElfFacts, Kind, Machine};
use super::glibc::{GlibcNeed, glibc_need};
use super::paths::scan;
use super::{Facts, Policy, mach_o_rules};

/// Symbols named in a finding; more do not help.
const NAMED_SYMBOLS: usize = 5;

/// The stable names of the rules, as in `--json` and in settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Processor, word size, byte order and calling convention are the target's.
    Arch,
    /// It is a program or library, and static where the target asks for it.
    Linkage,
    /// The loader is the target's.
    Interpreter,
    /// Only allowed libraries are needed.
    Needed,
    /// It starts on the oldest glibc that was promised.
    GlibcCeiling,
    /// It starts on the oldest macOS that was promised.
    MacosCeiling,
    /// It has the signature without which the target's processors start nothing.
    Signature,
    /// It needs no newer libgcc than the target has.
    LibgccCeiling,
    /// It needs no newer libstdc++ than the target has.
    GlibcxxCeiling,
    /// The same for the language part of libstdc++.
    CxxabiCeiling,
    /// Libraries are looked for where other machines have them.
    Runpath,
    /// The needed libraries have what it wants of them.
    Undefined,
    /// The processor that it was compiled for is the target's; only for 32-bit ARM.
    ArmAttributes,
    /// A program can be loaded at any address.
    Pie,
    /// Relocated data becomes read-only.
    Relro,
    /// All functions are bound at start.
    BindNow,
    /// The stack is not executable.
    NxStack,
    /// Code cannot be written.
    WxSegments,
    /// C code has a stack protector.
    StackProtector,
    /// C code calls the checking variants of glibc's functions.
    Fortify,
    /// Nothing tells where it was built.
    Paths,
}

impl Rule {
    /// The stable name of the rule in reports and settings.
    pub fn id(self) -> &'static str {
        match self {
            Self::Arch => "arch",
            Self::Linkage => "linkage",
            Self::Interpreter => "interpreter",
            Self::Needed => "needed",
            Self::GlibcCeiling => "glibc-ceiling",
            Self::MacosCeiling => "macos-ceiling",
            Self::Signature => "signature",
            Self::LibgccCeiling => "libgcc-ceiling",
            Self::GlibcxxCeiling => "glibcxx-ceiling",
            Self::CxxabiCeiling => "cxxabi-ceiling",
            Self::Runpath => "runpath",
            Self::Undefined => "undefined",
            Self::ArmAttributes => "arm-attributes",
            Self::Pie => "pie",
            Self::Relro => "relro",
            Self::BindNow => "bind-now",
            Self::NxStack => "nx-stack",
            Self::WxSegments => "wx-segments",
            Self::StackProtector => "stack-protector",
            Self::Fortify => "fortify",
            Self::Paths => "paths",
        }
    }
}

/// What became of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The file shows that the rule holds.
    Pass,
    /// The file shows that it does not, and the target does not ask for it.
    Note,
    /// The file shows that it does not.
    Fail,
    /// The file shows neither.
    Unproven,
}

/// One rule's result for one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Its result.
    pub verdict: Verdict,
    /// What was seen, as a sentence without a final full stop.
    pub evidence: String,
    /// What to do about it, where there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Why a failure was allowed, by whoever applies exceptions: it is a note then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
}

impl Finding {
    pub(super) fn new(rule: Rule, verdict: Verdict, evidence: impl Into<String>) -> Self {
        Self { rule, verdict, evidence: evidence.into(), help: None, allowed: None }
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Checks every rule of the file's format; the findings come in the order of [`Rule`], at most one
/// each: hardening is a matter of what is linked, and build attributes of 32-bit ARM. A file of
/// another system's format has one finding.
pub fn check(facts: &Facts, policy: &Policy) -> Vec<Finding> {
    match facts {
        Facts::Elf(elf) if !policy.target.is_macos() => check_elf(elf, policy),
        Facts::MachO(file) if policy.target.is_macos() => mach_o_rules::check(file, policy),
        Facts::Elf(_) => vec![foreign("an ELF file, which is for Linux", policy)],
        Facts::MachO(_) => vec![foreign("a Mach-O file, which is for macOS", policy)],
    }
}

fn check_elf(elf: &ElfFacts, policy: &Policy) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        [arch, linkage, interpreter, needed, glibc_ceiling].map(|rule| rule(elf, policy)).into();
    findings.extend(ceilings::check(elf, policy));
    findings.extend([linkage::runpath(elf, policy), linkage::undefined(elf, policy)]);
    findings.extend(arm::attributes(elf, policy));
    if !matches!(elf.kind, Kind::Relocatable | Kind::Other) {
        findings.extend(hardening::check(elf, policy));
    }
    findings
}

fn foreign(seen: &str, policy: &Policy) -> Finding {
    Finding::new(Rule::Arch, Verdict::Fail, format!("{seen}; expected one for {}", policy.target))
        .with_help(format!("build it with `--target {}`", policy.target))
}

/// Checks what facts do not hold: the paths in the bytes `data` of the file.
pub fn check_bytes(data: &[u8], facts: &Facts, policy: &Policy) -> Vec<Finding> {
    let sections = match facts {
        Facts::Elf(elf) => elf.sections.as_slice(),
        // Nothing in it is compressed.
        Facts::MachO(_) => &[],
    };
    let host = policy.build_host.as_deref();
    vec![paths::check(&scan(data, sections, &policy.build_roots, host))]
}

fn arch(elf: &ElfFacts, policy: &Policy) -> Finding {
    let finding = |verdict, evidence: String| Finding::new(Rule::Arch, verdict, evidence);
    let order = if elf.big_endian { ", big-endian" } else { "" };
    let seen = format!("{}, {} bits{order}", elf.machine, elf.bits);
    // System V and GNU; every other value is another operating system.
    let is_linux = matches!(elf.os_abi, 0 | 3);
    if (elf.machine, elf.bits) != (policy.machine, policy.bits) || elf.big_endian || !is_linux {
        let abi = if is_linux { String::new() } else { format!(", OS ABI {}", elf.os_abi) };
        let expected = format!("expected {}, {} bits", policy.machine, policy.bits);
        return finding(Verdict::Fail, format!("{seen}{abi}; {expected}"))
            .with_help(format!("build it with `--target {}`", policy.target));
    }
    match (&elf.arm, policy.machine) {
        (Some(arm), Machine::ARM) => match (arm.eabi, arm.hard_float) {
            (5, Some(true)) => finding(Verdict::Pass, format!("{seen}, EABI 5, hard float")),
            (5, None) => {
                finding(Verdict::Unproven, format!("{seen}; the file records no float ABI"))
            }
            (5, Some(false)) => {
                finding(Verdict::Fail, format!("{seen}, soft float; the target passes hard float"))
            }
            (other, _) => finding(Verdict::Fail, format!("{seen}, EABI {other}; expected EABI 5")),
        },
        _ => finding(Verdict::Pass, seen),
    }
}

fn linkage(elf: &ElfFacts, policy: &Policy) -> Finding {
    let must_be_static = policy.interpreter.is_none();
    let verdict = match elf.kind {
        Kind::Relocatable | Kind::Other => Verdict::Fail,
        Kind::Dynamic | Kind::DynamicPie if must_be_static => Verdict::Fail,
        _ => Verdict::Pass,
    };
    let finding = Finding::new(Rule::Linkage, verdict, elf.kind.to_string());
    match elf.kind {
        Kind::Dynamic | Kind::DynamicPie if must_be_static => finding
            .with_help(format!("programs for `{}` are static: see the interpreter", policy.target)),
        _ => finding,
    }
}

fn interpreter(elf: &ElfFacts, policy: &Policy) -> Finding {
    let finding = |verdict, evidence: String| Finding::new(Rule::Interpreter, verdict, evidence);
    let started = matches!(elf.kind, Kind::Dynamic | Kind::DynamicPie);
    match (elf.interpreter.as_deref(), policy.interpreter) {
        (None, _) if started => {
            finding(Verdict::Fail, "needs libraries but names no loader".to_owned())
        }
        (None, _) => finding(Verdict::Pass, format!("none, as for every {}", elf.kind)),
        (Some(seen), Some(expected)) if seen == expected => finding(Verdict::Pass, seen.to_owned()),
        (Some(seen), Some(expected)) => {
            finding(Verdict::Fail, format!("{seen}; expected {expected}"))
                .with_help("a linker of another target, or a `--dynamic-linker` flag, was used")
        }
        (Some(seen), None) if seen.contains("/ld-linux") => {
            finding(Verdict::Fail, format!("{seen} is glibc's loader, and the target has musl"))
                .with_help("the linker took the start files of a glibc: link with a musl one")
        }
        (Some(seen), None) => finding(Verdict::Fail, format!("{seen}; expected none"))
            .with_help("`-C target-feature=-crt-static` makes programs for musl dynamic"),
    }
}

fn needed(elf: &ElfFacts, policy: &Policy) -> Finding {
    let surplus: Vec<&str> = elf
        .needed
        .iter()
        .filter(|library| {
            !policy.allowed_needed.contains(library) && !policy.provided.contains_key(*library)
        })
        .map(String::as_str)
        .collect();
    if !surplus.is_empty() {
        return Finding::new(
            Rule::Needed,
            Verdict::Fail,
            format!("needs {}, which the target's systems may not have", surplus.join(", ")),
        )
        .with_help("link it statically, or allow it for this binary");
    }
    let named = |library: &String| match policy.provided.get(library) {
        Some(package) => format!("{library} (of {package})"),
        None => library.clone(),
    };
    let seen: Vec<String> = elf.needed.iter().map(named).collect();
    let seen = if seen.is_empty() { "none".to_owned() } else { seen.join(", ") };
    Finding::new(Rule::Needed, Verdict::Pass, seen)
}

fn glibc_ceiling(elf: &ElfFacts, policy: &Policy) -> Finding {
    let finding = |verdict, evidence: String| Finding::new(Rule::GlibcCeiling, verdict, evidence);
    let GlibcNeed { version, symbols, private, unknown } = glibc_need(elf);
    if !private.is_empty() {
        return finding(Verdict::Fail, format!("GLIBC_PRIVATE is needed, for {}", named(&private)))
            .with_help(
                "private symbols work with one build of glibc only: link what uses them anew",
            );
    }
    let Some((major, minor)) = version else {
        return if unknown.is_empty() {
            finding(Verdict::Pass, "no version of glibc is needed".to_owned())
        } else {
            finding(Verdict::Unproven, unknown_needs(&unknown))
        };
    };
    let seen = format!("needs glibc {major}.{minor} ({})", named(&symbols));
    match policy.max_glibc {
        _ if policy.interpreter.is_none() => {
            finding(Verdict::Fail, format!("{seen}, and the target has musl"))
        }
        Some((most_major, most_minor)) if (major, minor) > (most_major, most_minor) => {
            finding(Verdict::Fail, format!("{seen}; at most {most_major}.{most_minor} is allowed"))
                .with_help("build for an older glibc: a sysroot that has it, or zig as the linker")
        }
        _ if !unknown.is_empty() => finding(Verdict::Unproven, unknown_needs(&unknown)),
        Some((major, minor)) => {
            finding(Verdict::Pass, format!("{seen}; {major}.{minor} is allowed"))
        }
        None => finding(Verdict::Pass, format!("{seen}; no ceiling is set")),
    }
}

/// The first few of `symbols`, and how many more there are.
fn named(symbols: &[String]) -> String {
    let more = symbols.len().saturating_sub(NAMED_SYMBOLS);
    let shown = symbols[..symbols.len() - more].join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn unknown_needs(unknown: &[String]) -> String {
    format!("needs {}, and which glibc has it first is not known", unknown.join(", "))
}
