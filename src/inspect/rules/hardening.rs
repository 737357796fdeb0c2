//! What a file does against being taken over. Only what no loader should have to accept fails:
//! code that can be written, and a stack that can be executed. The rest is a note.

use super::{Finding, Rule, Verdict, named};
use crate::inspect::elf::Kind;
use crate::inspect::{ElfFacts, Policy};

/// One finding for each rule.
pub(super) fn check(elf: &ElfFacts, policy: &Policy) -> Vec<Finding> {
    let rules = [pie, relro, bind_now, stack, writable_code, stack_protector];
    let mut findings: Vec<Finding> = rules.map(|rule| rule(elf)).into();
    findings.push(fortify(elf, policy));
    findings
}

/// A static program holds its C library, and whose a symbol is cannot be told.
fn is_static(elf: &ElfFacts) -> bool {
    matches!(elf.kind, Kind::Static | Kind::StaticPie)
}

fn pie(elf: &ElfFacts) -> Finding {
    let finding = |verdict, evidence: &str| Finding::new(Rule::Pie, verdict, evidence);
    match elf.kind {
        Kind::DynamicPie | Kind::StaticPie => finding(Verdict::Pass, "position-independent"),
        Kind::SharedLibrary => finding(Verdict::Pass, "a shared library"),
        _ => finding(Verdict::Note, "a program at a fixed address, which an attacker knows")
            .with_help("`-C relocation-model=pic`, which is rustc's default for most targets"),
    }
}

fn relro(elf: &ElfFacts) -> Finding {
    if elf.hardening.relro {
        return Finding::new(Rule::Relro, Verdict::Pass, "relocated data becomes read-only");
    }
    Finding::new(Rule::Relro, Verdict::Note, "relocated data stays writable")
        .with_help("`-C link-arg=-Wl,-z,relro`")
}

fn bind_now(elf: &ElfFacts) -> Finding {
    let finding = |verdict, evidence: &str| Finding::new(Rule::BindNow, verdict, evidence);
    match elf.kind {
        Kind::Static | Kind::StaticPie => finding(Verdict::Pass, "nothing is bound when it runs"),
        _ if elf.hardening.bind_now => finding(Verdict::Pass, "all functions are bound at start"),
        _ => finding(Verdict::Note, "functions are bound at their first call, in writable data")
            .with_help("`-C relro-level=full`, rustc's default"),
    }
}

fn stack(elf: &ElfFacts) -> Finding {
    let finding = |verdict, evidence: &str| Finding::new(Rule::NxStack, verdict, evidence);
    let help = "an assembly source lacks `.section .note.GNU-stack,\"\",@progbits`, or a flag asks \
                for it (`-z execstack`)";
    match elf.hardening.executable_stack {
        Some(false) => finding(Verdict::Pass, "the stack is not executable"),
        Some(true) => finding(Verdict::Fail, "the stack is executable").with_help(help),
        None => finding(Verdict::Unproven, "no PT_GNU_STACK: the kernel decides").with_help(help),
    }
}

fn writable_code(elf: &ElfFacts) -> Finding {
    match elf.hardening.writable_code {
        0 => Finding::new(Rule::WxSegments, Verdict::Pass, "no segment is writable and executable"),
        count => {
            let evidence = format!("segments that are writable and executable: {count}");
            Finding::new(Rule::WxSegments, Verdict::Fail, evidence)
                .with_help("a linker script or `-N` (`--omagic`) joined code and data")
        }
    }
}

fn stack_protector(elf: &ElfFacts) -> Finding {
    let finding = |verdict, evidence| Finding::new(Rule::StackProtector, verdict, evidence);
    let hardening = &elf.hardening;
    match &hardening.c_sources {
        _ if hardening.stack_protector => {
            finding(Verdict::Pass, "__stack_chk_fail is called".to_owned())
        }
        Some(sources) if sources.is_empty() => {
            finding(Verdict::Pass, "no C source is in the symbol table".to_owned())
        }
        Some(_) if is_static(elf) => {
            let evidence = "a static program: its own C code cannot be told from the C library's";
            finding(Verdict::Unproven, evidence.to_owned())
        }
        Some(sources) => {
            let evidence = format!("C code without stack protector ({})", named(sources));
            finding(Verdict::Note, evidence).with_help("CFLAGS with `-fstack-protector-strong`")
        }
        None => finding(
            Verdict::Unproven,
            "__stack_chk_fail is not called, and without symbol table nothing tells whether there \
             is C code"
                .to_owned(),
        ),
    }
}

fn fortify(elf: &ElfFacts, policy: &Policy) -> Finding {
    let finding = |verdict, evidence| Finding::new(Rule::Fortify, verdict, evidence);
    let hardening = &elf.hardening;
    let (with, without) = (&hardening.fortified, &hardening.unfortified);
    if !with.is_empty() {
        return finding(Verdict::Pass, format!("checked: {}", named(with)));
    }
    if policy.interpreter.is_none() {
        return finding(Verdict::Pass, "musl has no functions that check sizes".to_owned());
    }
    if is_static(elf) {
        let evidence = "a static program: its own calls cannot be told from the C library's";
        return finding(Verdict::Unproven, evidence.to_owned());
    }
    if without.is_empty() {
        return finding(Verdict::Pass, "calls nothing that glibc can check".to_owned());
    }
    match &hardening.c_sources {
        Some(sources) if sources.is_empty() => {
            finding(Verdict::Pass, "no C source is in the symbol table".to_owned())
        }
        Some(_) => finding(Verdict::Note, format!("called without checks: {}", named(without)))
            .with_help("CFLAGS with `-O2 -D_FORTIFY_SOURCE=2`"),
        None => finding(
            Verdict::Unproven,
            format!("called without checks, by Rust or by C: {}", named(without)),
        ),
    }
}
