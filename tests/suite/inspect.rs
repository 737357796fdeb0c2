//! Facts and findings of programs that the machine's own gcc links, and of hand-made headers.

use std::process::Command;

use proptest::prelude::*;
use xprov::inspect::dynamic::exports;
use xprov::inspect::elf::{ElfFacts, Kind, Machine};
use xprov::inspect::glibc::glibc_need;
use xprov::inspect::{Facts, Finding, Policy, Rule, Verdict, check, check_bytes, facts};
use xprov::vocab::triple::RustTriple;

const HELLO: &str = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n";

/// Compiles and links `source` with `flags`.
fn linked(source: &str, flags: &[&str]) -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("a.c"), source).expect("written");
    let arguments = [flags, &["a.c", "-o", "a"]].concat();
    let output = Command::new("gcc").args(arguments).current_dir(dir.path()).output().expect("gcc");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(dir.path().join("a")).expect("linked")
}

fn elf(bytes: &[u8]) -> ElfFacts {
    match facts(bytes).expect("facts") {
        Facts::Elf(elf) => *elf,
        other => panic!("{other:?}"),
    }
}

fn policy(target: &str) -> Policy {
    Policy::of(&target.parse().expect("a known target")).expect("a policy")
}

/// The policy of the machine on which the tests run, with `env` as its C library.
fn native_policy(env: &str) -> Policy {
    let host = RustTriple::of_this_program();
    policy(&format!("{}-unknown-linux-{env}", host.arch()))
}

/// The finding of `rule` for `bytes`.
fn finding(bytes: &[u8], policy: &Policy, rule: Rule) -> Finding {
    let findings = check(&facts(bytes).expect("facts"), policy);
    findings.into_iter().find(|finding| finding.rule == rule).expect("every rule has a finding")
}

fn verdicts(bytes: &[u8], policy: &Policy) -> Vec<Verdict> {
    check(&facts(bytes).expect("facts"), policy).iter().map(|finding| finding.verdict).collect()
}

/// The header of a program that contains nothing.
fn header(machine: u16, wide: bool, flags: u32) -> Vec<u8> {
    let mut bytes = b"\x7fELF".to_vec();
    bytes.extend([if wide { 2 } else { 1 }, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(2_u16.to_le_bytes());
    bytes.extend(machine.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(vec![0; if wide { 24 } else { 12 }]);
    bytes.extend(flags.to_le_bytes());
    let (header, program, section) = if wide { (64_u16, 56_u16, 64_u16) } else { (52, 32, 40) };
    for field in [header, program, 0, section, 0, 0] {
        bytes.extend(field.to_le_bytes());
    }
    bytes
}

#[test]
fn each_way_to_link_is_told_apart() {
    use Kind::{Dynamic, DynamicPie, Relocatable, SharedLibrary, Static, StaticPie};
    for (flags, kind) in [
        (&["-pie", "-fPIE"][..], DynamicPie),
        (&["-no-pie"], Dynamic),
        (&["-static", "-no-pie"], Static),
        (&["-static-pie", "-fPIE"], StaticPie),
        (&["-shared", "-fPIC", "-Wl,-soname,liba.so.1", "-Wl,-rpath,/there"], SharedLibrary),
        (&["-c"], Relocatable),
    ] {
        let elf = elf(&linked(HELLO, flags));
        assert_eq!(elf.kind, kind, "{flags:?}");
        let is_dynamic = matches!(kind, Dynamic | DynamicPie | SharedLibrary);
        assert_eq!(elf.needed, if is_dynamic { &["libc.so.6"][..] } else { &[] }, "{flags:?}");
        assert_eq!(elf.interpreter.is_some(), matches!(kind, Dynamic | DynamicPie), "{flags:?}");
        assert_eq!(elf.soname.as_deref(), (kind == SharedLibrary).then_some("liba.so.1"));
        assert_eq!(elf.runpath.as_deref(), (kind == SharedLibrary).then_some("/there"));
    }
}

#[test]
fn a_plain_program_passes_on_its_own_target() {
    use Verdict::{Fail, Pass};
    let bytes = linked(HELLO, &[]);
    let none_fails = |bytes: &[u8]| {
        let verdicts = verdicts(bytes, &native_policy("gnu"));
        verdicts[..5] == [Pass; 5] && !verdicts.contains(&Fail)
    };
    assert!(none_fails(&bytes));
    let library = linked("int f(void) { return 1; }", &["-shared", "-fPIC"]);
    assert!(none_fails(&library));
    let object = linked(HELLO, &["-c"]);
    assert_eq!(finding(&object, &native_policy("gnu"), Rule::Linkage).verdict, Fail);
}

#[test]
fn glibc_in_a_musl_target_is_named() {
    use Verdict::{Fail, Pass};
    let bytes = linked(HELLO, &[]);
    let musl = native_policy("musl");
    assert_eq!(verdicts(&bytes, &musl)[..5], [Pass, Fail, Fail, Fail, Fail]);
    let interpreter = finding(&bytes, &musl, Rule::Interpreter);
    assert!(interpreter.evidence.ends_with("is glibc's loader, and the target has musl"));
    assert!(interpreter.help.is_some());
    for flags in [&["-static"][..], &["-static-pie", "-fPIE"]] {
        assert_eq!(verdicts(&linked(HELLO, flags), &musl)[..5], [Pass; 5], "{flags:?}");
    }
}

#[test]
fn the_ceiling_names_the_symbols_that_break_it() {
    let bytes = linked(HELLO, &[]);
    let need = glibc_need(&elf(&bytes));
    let (major, minor) = need.version.expect("a program needs glibc");
    assert!(!need.symbols.is_empty());
    let at = |ceiling| {
        let policy = native_policy("gnu").with_max_glibc(Some(ceiling));
        finding(&bytes, &policy, Rule::GlibcCeiling)
    };
    assert_eq!(at((major, minor)).verdict, Verdict::Pass);
    assert_eq!(at((major, minor + 1)).verdict, Verdict::Pass);
    let broken = at((major, minor - 1));
    assert_eq!(broken.verdict, Verdict::Fail);
    assert!(broken.evidence.contains(&need.symbols[0]), "{}", broken.evidence);
    assert!(broken.help.is_some());
}

#[test]
fn private_symbols_of_glibc_fail() {
    let source = "void __libc_early_init(_Bool);\nint main(void) { __libc_early_init(1); }\n";
    let bytes = linked(source, &[]);
    let private = finding(&bytes, &native_policy("gnu"), Rule::GlibcCeiling);
    assert_eq!(private.verdict, Verdict::Fail);
    assert_eq!(private.evidence, "GLIBC_PRIVATE is needed, for __libc_early_init");
}

#[test]
fn a_file_without_section_headers_hides_no_version() {
    let mut bytes = linked(HELLO, &[]);
    let whole = elf(&bytes);
    assert_eq!(whole.bits, 64, "this test knows the 64-bit header only");
    bytes[40..48].fill(0);
    bytes[60..64].fill(0);
    let mut expected = whole.version_needs;
    for need in &mut expected {
        need.symbols.clear();
    }
    assert_eq!(elf(&bytes).version_needs, expected);
}

#[test]
fn a_library_that_systems_may_not_have_fails() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let library = dir.path().join("libown.so");
    let flags = ["-shared", "-fPIC", "-Wl,-soname,libown.so"];
    std::fs::write(&library, linked("int own(void) { return 1; }", &flags)).expect("written");
    let source = "int own(void);\nint main(void) { return own(); }\n";
    let bytes = linked(source, &["-Wl,--no-as-needed", library.to_str().expect("text")]);
    let mut policy = native_policy("gnu");
    let needed = finding(&bytes, &policy, Rule::Needed);
    assert_eq!(needed.verdict, Verdict::Fail);
    assert!(needed.evidence.starts_with("needs libown.so, which"), "{}", needed.evidence);
    policy.allowed_needed.push("libown.so".to_owned());
    assert_eq!(finding(&bytes, &policy, Rule::Needed).verdict, Verdict::Pass);
}

#[test]
fn processors_are_told_apart() {
    use Verdict::{Fail, Pass, Unproven};
    let (hard, soft, unsaid) = (0x0500_0400, 0x0500_0200, 0x0500_0000);
    for (bytes, target, verdict) in [
        (header(183, true, 0), "aarch64-unknown-linux-gnu", Pass),
        (header(183, true, 0), "aarch64-unknown-linux-musl", Pass),
        (header(183, true, 0), "x86_64-unknown-linux-gnu", Fail),
        (header(62, true, 0), "x86_64-unknown-linux-musl", Pass),
        (header(62, false, 0), "x86_64-unknown-linux-gnu", Fail),
        (header(3, false, 0), "i686-unknown-linux-gnu", Pass),
        (header(40, false, hard), "armv7-unknown-linux-gnueabihf", Pass),
        (header(40, false, hard), "armv7-unknown-linux-musleabihf", Pass),
        (header(40, false, soft), "armv7-unknown-linux-gnueabihf", Fail),
        (header(40, false, unsaid), "armv7-unknown-linux-gnueabihf", Unproven),
        (header(40, false, 0x0400_0400), "armv7-unknown-linux-gnueabihf", Fail),
        (header(40, false, hard), "aarch64-unknown-linux-gnu", Fail),
    ] {
        let arch = finding(&bytes, &policy(target), Rule::Arch);
        assert_eq!(arch.verdict, verdict, "{target}: {}", arch.evidence);
    }
    let mut freebsd = header(183, true, 0);
    freebsd[7] = 9;
    let arch = finding(&freebsd, &policy("aarch64-unknown-linux-gnu"), Rule::Arch);
    assert_eq!(arch.evidence, "aarch64, 64 bits, OS ABI 9; expected aarch64, 64 bits");
    assert_eq!(elf(&header(8, false, 0)).machine, Machine(8));
}

#[test]
fn targets_without_rules_say_so() {
    let target = "x86_64-pc-windows-gnu";
    let error = Policy::of(&target.parse().expect("known")).expect_err("no rules");
    assert_eq!(error.to_string(), format!("there are no verification rules for `{target}`"));
}

#[test]
fn a_finding_is_json_of_the_documented_shape() {
    let mut arch = finding(&header(62, true, 0), &policy("aarch64-unknown-linux-gnu"), Rule::Arch);
    let json = |finding: &Finding| serde_json::to_string(finding).expect("serialisable");
    assert_eq!(
        json(&arch),
        "{\"rule\":\"arch\",\"verdict\":\"fail\",\
         \"evidence\":\"x86_64, 64 bits; expected aarch64, 64 bits\",\
         \"help\":\"build it with `--target aarch64-unknown-linux-gnu`\"}"
    );
    arch.help = None;
    assert!(!json(&arch).contains("help"));
}

#[test]
fn whatever_the_bytes_are_it_does_not_panic() {
    let policy = native_policy("gnu");
    let beginning = prop_oneof![
        Just(Vec::new()),
        Just(header(62, true, 0)),
        Just(header(40, false, 0)),
        Just(vec![0; 64]),
        Just(header(62, true, 0)[..16].to_vec()),
        Just(header(40, false, 0)[..16].to_vec()),
    ];
    let rest = proptest::collection::vec(prop_oneof![3 => Just(0_u8), 1 => any::<u8>()], 0..2048);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 3000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&(beginning, rest), |(beginning, rest)| {
            let bytes = [beginning, rest].concat();
            if let Ok(facts) = facts(&bytes) {
                check(&facts, &policy);
                check_bytes(&bytes, &facts, &policy);
            }
            let _ = exports(&bytes);
            Ok(())
        })
        .expect("no panic");
}

#[test]
fn no_change_of_bytes_makes_it_panic() {
    let bytes = linked(HELLO, &[]);
    let len = bytes.len();
    let policy = native_policy("gnu");
    let place = prop_oneof![0..1600_usize, len - 2500..len, 0..len];
    let change = (place, prop_oneof![Just(0_u8), Just(0xff), any::<u8>()]);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&(proptest::collection::vec(change, 1..6), 0..=len), |(changes, cut)| {
            let mut bytes = bytes.clone();
            for (place, byte) in changes {
                bytes[place] = byte;
            }
            for bytes in [&bytes[..], &bytes[..cut]] {
                if let Ok(facts) = facts(bytes) {
                    prop_assert!(check(&facts, &policy).len() >= 5);
                    prop_assert_eq!(check_bytes(bytes, &facts, &policy).len(), 1);
                    let _ = exports(bytes);
                }
            }
            Ok(())
        })
        .expect("no panic");
}
