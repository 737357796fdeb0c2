//! The rules beyond a target's basics, on what the machine's own gcc links.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use xprov::inspect::ceilings::{Ceiling, Number, Runtime, ceilings_of};
use xprov::inspect::dynamic::exports;
use xprov::inspect::policy::{BuildRoot, Libraries};
use xprov::inspect::sections::Packed;
use xprov::inspect::{Facts, Finding, Policy, Rule, Verdict, check, check_bytes, facts};
use xprov::vocab::rule::NAMES;
use xprov::vocab::triple::RustTriple;

const CXX: &str = "#include <stdexcept>\n#include <string>\n#include <iostream>\n\
                   int main(int n, char **v) {\n\
                   try { std::string s(v[0]); std::cout << s << n; throw std::runtime_error(s); }\n\
                   catch (const std::exception &e) { return 1; }\n}\n";

/// Compiles and links `source` with `compiler` and `flags`.
fn linked(compiler: &str, source: &str, flags: &[&str]) -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = if compiler == "g++" { "a.cc" } else { "a.c" };
    fs::write(dir.path().join(file), source).expect("written");
    let arguments = [flags, &[file, "-o", "a"]].concat();
    let mut command = Command::new(compiler);
    let output = command.args(arguments).current_dir(dir.path()).output().expect("a compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(dir.path().join("a")).expect("linked")
}

/// The policy of the machine on which the tests run.
fn native() -> Policy {
    let target = format!("{}-unknown-linux-gnu", RustTriple::of_this_program().arch());
    Policy::of(&target.parse().expect("a known target")).expect("a policy")
}

/// The finding of `rule` for `bytes`.
fn finding(bytes: &[u8], policy: &Policy, rule: Rule) -> Finding {
    let findings = check(&facts(bytes).expect("facts"), policy);
    findings.into_iter().find(|finding| finding.rule == rule).expect("every rule has a finding")
}

/// The library that the machine's compiler links with.
fn own_library(name: &str) -> Vec<u8> {
    let option = format!("-print-file-name={name}");
    let output = Command::new("g++").arg(option).output().expect("g++");
    let path = String::from_utf8(output.stdout).expect("text");
    fs::read(Path::new(path.trim())).expect("the library")
}

#[test]
fn the_ceilings_of_libstdcxx_are_those_of_the_library() {
    let program = linked("g++", CXX, &["-O1"]);
    let ceilings = ceilings_of(&own_library("libstdc++.so.6"));
    assert_eq!(ceilings.keys().copied().collect::<Vec<_>>(), [Runtime::Glibcxx, Runtime::Cxxabi]);
    let own = native().with_runtimes(ceilings);
    for rule in [Rule::GlibcxxCeiling, Rule::CxxabiCeiling, Rule::LibgccCeiling] {
        let found = finding(&program, &own, rule);
        assert_eq!(found.verdict, Verdict::Pass, "{}", found.evidence);
    }
    let seen = finding(&program, &own, Rule::GlibcxxCeiling).evidence;
    assert!(seen.starts_with("needs GLIBCXX_3.4"), "{seen}");
    assert!(seen.ends_with(" is allowed"), "{seen}");

    let old = |number| Ceiling {
        newest: Number::parse(number).expect("a number"),
        named: std::collections::BTreeSet::new(),
    };
    let old = native().with_runtimes(BTreeMap::from([
        (Runtime::Glibcxx, old("3.3")),
        (Runtime::Cxxabi, old("1.2")),
    ]));
    let failed = finding(&program, &old, Rule::GlibcxxCeiling);
    assert_eq!(failed.verdict, Verdict::Fail);
    assert!(failed.evidence.contains("; at most GLIBCXX_3.3 is allowed"), "{}", failed.evidence);
    assert!(failed.evidence.contains("_ZNS"), "{}", failed.evidence);
    assert!(failed.help.is_some());
    assert_eq!(finding(&program, &old, Rule::CxxabiCeiling).verdict, Verdict::Fail);
    let unknown = finding(&program, &native(), Rule::GlibcxxCeiling);
    assert_eq!(unknown.verdict, Verdict::Pass);
    assert!(unknown.evidence.ends_with("; no ceiling is known"), "{}", unknown.evidence);
}

#[test]
fn the_ceiling_of_libgcc_is_that_of_the_library() {
    let source = "#include <unwind.h>\nint f(void *e) { _Unwind_DeleteException(e); return 0; }\n";
    let library = linked("gcc", source, &["-shared", "-fPIC", "-Wl,--no-as-needed", "-lgcc_s"]);
    let ceilings = ceilings_of(&own_library("libgcc_s.so.1"));
    let found = finding(&library, &native().with_runtimes(ceilings), Rule::LibgccCeiling);
    assert_eq!(found.verdict, Verdict::Pass);
    let seen = &found.evidence;
    assert!(seen.starts_with("needs GCC_3.0 (_Unwind_DeleteException); GCC_"), "{seen}");
    let none =
        finding(&linked("gcc", "int main(void) { return 0; }\n", &[]), &native(), found.rule);
    assert_eq!((none.verdict, &*none.evidence), (Verdict::Pass, "no GCC_… version is needed"));
}

const LIBRARY: &str = "int own(void) { return 1; }\nint other(void) { return 2; }\n";
const USER: &str = "int own(void);\nint other(void);\nint main(void) { return own() + other(); }\n";

/// The libraries that a program needs, of which `own` is at hand, and the machine's C library.
fn libraries(own: &[u8]) -> Libraries {
    let mut libraries = Libraries::default();
    let mut add = |name: &str, bytes: &[u8]| {
        libraries.found.insert(name.to_owned(), exports(bytes).expect("a library"));
    };
    add("libown.so", own);
    add("libc.so.6", &own_library("libc.so.6"));
    libraries
}

#[test]
fn a_symbol_that_no_needed_library_has_is_named() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("libown.so");
    let shared = ["-shared", "-fPIC", "-Wl,-soname,libown.so"];
    fs::write(&path, linked("gcc", LIBRARY, &shared)).expect("written");
    let program = linked("gcc", USER, &["-Wl,--no-as-needed", path.to_str().expect("text")]);
    let undefined = |bytes: &[u8], libraries: Option<Libraries>| {
        finding(bytes, &native().with_libraries(libraries), Rule::Undefined)
    };
    let nothing = undefined(&program, None);
    assert_eq!(nothing.verdict, Verdict::Unproven);
    assert!(nothing.help.is_some_and(|help| help.contains("--sysroot")));

    let whole = undefined(&program, Some(libraries(&fs::read(&path).expect("the library"))));
    assert_eq!(whole.verdict, Verdict::Pass, "{}", whole.evidence);
    assert!(whole.evidence.ends_with("all in libc.so.6, libown.so"), "{}", whole.evidence);

    let less = linked("gcc", "int own(void) { return 1; }\n", &shared);
    let failed = undefined(&program, Some(libraries(&less)));
    assert_eq!((failed.verdict, &*failed.evidence), (Verdict::Fail, "no needed library has other"));

    let mut unknown = libraries(&less);
    unknown.missing.push("libmore.so".to_owned());
    let unproven = undefined(&program, Some(unknown));
    assert_eq!(unproven.verdict, Verdict::Unproven);
    assert_eq!(unproven.evidence, "other may be in libmore.so, which is not at hand");

    // What loads a library may have what it lacks, as Python does for its modules.
    let module = linked("gcc", "int more(void);\nint f(void) { return more(); }\n", &shared);
    let note = undefined(&module, Some(libraries(&less)));
    assert_eq!(note.verdict, Verdict::Note);
    assert_eq!(note.evidence, "no needed library has more: the program that loads it has to");
}

#[test]
fn a_symbol_of_a_newer_version_than_the_library_has_is_named() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let versioned = |script: &str| {
        let path = dir.path().join("versions");
        fs::write(&path, script).expect("written");
        let script = format!("-Wl,--version-script={}", path.display());
        linked("gcc", LIBRARY, &["-shared", "-fPIC", "-Wl,-soname,libown.so", &script])
    };
    let path = dir.path().join("libown.so");
    let new = versioned("V1 { global: own; local: *; };\nV2 { global: other; } V1;\n");
    let old = versioned("V1 { global: own; other; local: *; };\n");
    fs::write(&path, &new).expect("written");
    let program = linked("gcc", USER, &["-Wl,--no-as-needed", path.to_str().expect("text")]);
    let undefined = |library: &[u8]| {
        let policy = native().with_libraries(Some(libraries(library)));
        finding(&program, &policy, Rule::Undefined)
    };
    assert_eq!(undefined(&new).verdict, Verdict::Pass);
    assert_eq!(undefined(&old).evidence, "no needed library has other@V2");
    // A library without versions answers every version, as it does for the loader.
    let plain = linked("gcc", LIBRARY, &["-shared", "-fPIC", "-Wl,-soname,libown.so"]);
    assert_eq!(undefined(&plain).verdict, Verdict::Pass);
}

#[test]
fn each_kind_of_runpath_has_its_verdict() {
    use Verdict::{Fail, Note, Pass};
    let root = BuildRoot { path: "/builds/project".to_owned(), what: "the workspace" };
    let policy = native().with_build(vec![root], None);
    for (runpath, verdict) in [
        ("$ORIGIN", Pass),
        ("$ORIGIN/../lib:${ORIGIN}/x", Pass),
        ("/opt/vendor/lib", Note),
        ("/builds/project2/lib", Note),
        ("$ORIGIN:/opt/vendor/lib", Note),
        ("/builds/project", Fail),
        ("/builds/project/target/lib", Fail),
        ("/home/u/lib", Fail),
        ("/tmp", Fail),
        ("lib", Fail),
        ("$ORIGIN:", Fail),
        ("./lib:/opt/lib", Fail),
    ] {
        let flag = format!("-Wl,-rpath,{runpath}");
        for tags in ["-Wl,--enable-new-dtags", "-Wl,--disable-new-dtags"] {
            let program = linked("gcc", "int main(void) { return 0; }\n", &[&flag, tags]);
            let found = finding(&program, &policy, Rule::Runpath);
            assert_eq!(found.verdict, verdict, "{runpath}: {}", found.evidence);
            assert_eq!(found.help.is_some(), verdict != Pass, "{runpath}");
        }
    }
    let none =
        finding(&linked("gcc", "int main(void) { return 0; }\n", &[]), &policy, Rule::Runpath);
    assert_eq!((none.verdict, &*none.evidence), (Pass, "none"));
}

const COPY: &str = "#include <string.h>\n#include <stdio.h>\nint main(int n, char **v) {\n\
                    char a[64]; strcpy(a, v[n - 1]); puts(a); return 0; }\n";

#[test]
fn each_protection_is_seen_and_missed() {
    use Rule::{BindNow, Fortify, NxStack, Pie, Relro, StackProtector, WxSegments};
    use Verdict::{Fail, Note, Pass, Unproven};
    for (rule, with, without, verdict) in [
        (Pie, &["-pie", "-fPIE"][..], &["-no-pie", "-fno-pie"][..], Note),
        (Relro, &["-Wl,-z,relro"], &["-Wl,-z,norelro"], Note),
        (BindNow, &["-Wl,-z,now"], &["-Wl,-z,lazy"], Note),
        (NxStack, &["-Wl,-z,noexecstack"], &["-Wl,-z,execstack"], Fail),
        (WxSegments, &[], &["-Wl,-N", "-shared", "-nostdlib", "-fPIC"], Fail),
        (StackProtector, &["-fstack-protector-all"], &["-fno-stack-protector"], Note),
        (
            StackProtector,
            &["-fstack-protector-all", "-s"],
            &["-fno-stack-protector", "-s"],
            Unproven,
        ),
        (Fortify, &["-O2", "-D_FORTIFY_SOURCE=2"], &["-O2", "-U_FORTIFY_SOURCE"], Note),
        (Fortify, &["-O2", "-D_FORTIFY_SOURCE=2", "-s"], &["-U_FORTIFY_SOURCE", "-s"], Unproven),
    ] {
        for (flags, expected) in [(with, Pass), (without, verdict)] {
            let found = finding(&linked("gcc", COPY, flags), &native(), rule);
            assert_eq!(found.verdict, expected, "{flags:?}: {}", found.evidence);
        }
    }
    // Its C library has C sources and the function, whatever the flags were.
    for flag in ["-fstack-protector-all", "-fno-stack-protector"] {
        let program = linked("gcc", COPY, &[flag, "-static"]);
        for rule in [StackProtector, Fortify] {
            assert_eq!(finding(&program, &native(), rule).verdict, Unproven, "{flag}");
        }
    }
    // Settings know the rules by name.
    let findings = check(&facts(&linked("gcc", COPY, &[])).expect("facts"), &native());
    assert!(findings.iter().all(|finding| NAMES.contains(&finding.rule.id())), "{findings:?}");
    let library = linked("gcc", LIBRARY, &["-shared", "-fPIC"]);
    assert_eq!(finding(&library, &native(), Pie).verdict, Pass);
    let object = linked("gcc", LIBRARY, &["-c"]);
    let findings = check(&facts(&object).expect("facts"), &native());
    assert!(findings.iter().all(|finding| finding.rule != Pie), "{findings:?}");
}

#[test]
fn paths_are_found_in_debug_data_compressed_or_not() {
    // Compressed is only what becomes smaller.
    let function = |n| {
        let name = format!("an_argument_with_a_long_name_{n}");
        format!("int a_function_with_a_long_name_{n}(int {name}) {{ return {name}; }}\n")
    };
    let functions: String = (0..60).map(function).collect();
    let source = format!("{functions}int main(void) {{ return 0; }}\n");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let dir = dir.path().canonicalize().expect("the folder");
    let root = BuildRoot { path: dir.to_string_lossy().into_owned(), what: "the workspace" };
    let policy = native().with_build(vec![root], None);
    // Wherever the compiler works, it writes down that it was in this directory.
    let map = format!("-fdebug-prefix-map=/={}/src/", dir.display());
    let found = |flags: &[&str]| {
        let bytes = linked("gcc", &source, &[&["-gdwarf-4", &*map], flags].concat());
        let facts = facts(&bytes).expect("facts");
        let Facts::Elf(elf) = &facts else { panic!("{facts:?}") };
        let strings = elf.sections.iter().find(|section| section.name == ".debug_str");
        let packed = flags.contains(&"-gz=zlib").then_some(Packed::Zlib);
        assert_eq!(strings.and_then(|section| section.packed), packed, "{flags:?}");
        let findings = check_bytes(&bytes, &facts, &policy);
        let [finding] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!(finding.rule, Rule::Paths);
        finding.clone()
    };
    for flags in [&["-gz=none"], &["-gz=zlib"]] {
        let noted = found(flags);
        assert_eq!(noted.verdict, Verdict::Note, "{flags:?}: {}", noted.evidence);
        assert!(noted.evidence.starts_with("the workspace: /"), "{flags:?}: {}", noted.evidence);
        assert!(noted.evidence.contains(" in .debug_str"), "{flags:?}: {}", noted.evidence);
        assert!(noted.help.is_some());
    }
    let clean = found(&["-s"]);
    assert_eq!((clean.verdict, &*clean.evidence), (Verdict::Pass, "no path of a building machine"));
}
