//! What gcc's arguments are for `zig cc`: the same compiler driver as clang in most, and another
//! one in how a target and a CPU are named and in what its linker takes. Pure.
//!
//! What zig says of itself here was tried with zig 0.16 (`docs/zig.md`).

mod cpu;
mod linker;
pub mod macos;

use std::ffi::OsString;
use std::path::Path;

use super::{Error, ReadFile, Step, response};
use crate::vocab::triple::RustTriple;
use cpu::Cpu;

/// How many files may name files.
const DEPTH: usize = 16;

/// Zig's name for a target: `aarch64-linux-gnu.2.17` for programs that shall need no newer glibc
/// than `floor`.
pub fn target(triple: &RustTriple, floor: Option<(u32, u32)>) -> String {
    let arch = match triple.arch() {
        "armv7" => "arm",
        "i686" => "x86",
        arch => arch,
    };
    if let Some(oldest) = triple.oldest_macos() {
        return format!("{arch}-macos.{oldest}");
    }
    let os = triple.as_str().splitn(3, '-').nth(2).unwrap_or_default();
    match floor.filter(|_| triple.is_gnu_libc()) {
        Some((major, minor)) => format!("{arch}-{os}.{major}.{minor}"),
        None => format!("{arch}-{os}"),
    }
}

/// The arguments after `zig cc` for `target`: `words` are those of a gcc, with the baseline's flags
/// among them.
pub fn translate(
    target: &str,
    words: Vec<OsString>,
    step: Step,
    read: ReadFile<'_>,
) -> Result<Vec<OsString>, Error> {
    let mut all = Vec::with_capacity(words.len());
    expand(words, read, DEPTH, &mut all);
    let arch = target.split('-').next().unwrap_or(target);
    let is_musl = target.contains("-musl");
    let mut macos = macos::Words::new(target);
    let mut cpu = Cpu::new(arch);
    let mut debug = false;
    let mut kept: Vec<OsString> = Vec::with_capacity(all.len());
    let mut rest = all.into_iter();
    while let Some(word) = rest.next() {
        let Some(text) = word.to_str() else {
            kept.push(word);
            continue;
        };
        if matches!(text, "-target" | "--target") {
            rest.next();
            continue;
        }
        if text.starts_with("--target=") || cpu.take(text) {
            continue;
        }
        if let Some(more) = macos.take(text) {
            rest.by_ref().take(more).for_each(drop);
            continue;
        }
        debug |= text.starts_with("-g");
        if text == "-Xlinker"
            && let Some(one) = rest.as_slice().first().filter(|word| has_comma(word))
        {
            // A path, say: there, a comma divides nothing.
            if step == Step::Link && linker::is_kept(&one.to_string_lossy())? {
                kept.extend([word, one.clone()]);
            }
            rest.next();
            continue;
        }
        let list = match text {
            "-Xlinker" => rest.next(),
            "-u" => rest.next().map(|symbol| format!("-u,{}", symbol.to_string_lossy()).into()),
            _ => text.strip_prefix("-Wl,").map(OsString::from),
        };
        if let Some(list) = list {
            // Nobody is told what a call that links nothing says to a linker.
            if step == Step::Link {
                kept.extend(linker::options(&list.to_string_lossy())?.map(OsString::from));
            }
        } else if let Some(other) = linker::library(text).filter(|_| !macos.is_target()) {
            kept.push(other.into());
        } else if !(is_musl && step == Step::Link && linker::is_of_rust(text)) {
            kept.push(word);
        }
    }
    // What is only asked, clang answers, which knows no versions of a C library.
    let target = &macos.target(target);
    let plain = target.split('.').next().unwrap_or(target);
    let named = if step == Step::Probe { plain } else { target };
    let mut translated: Vec<OsString> = ["-target", named].map(OsString::from).into();
    translated.push(format!("-mcpu={}", cpu.name()).into());
    // What zig adds by itself and no gcc does: traps in C code that was never written for them, and
    // debugging information with this machine's paths.
    translated.push("-fno-sanitize=undefined".into());
    if step == Step::Compile && !debug {
        translated.push("-g0".into());
    }
    translated.extend(kept);
    Ok(translated)
}

fn has_comma(word: &OsString) -> bool {
    word.as_encoded_bytes().contains(&b',')
}

/// Puts the words of `@file`s in their places.
fn expand(words: Vec<OsString>, read: ReadFile<'_>, depth: usize, out: &mut Vec<OsString>) {
    for word in words {
        let path = word.to_str().and_then(|text| text.strip_prefix('@')).filter(|_| depth > 0);
        match path.and_then(|path| read(Path::new(path))) {
            Some(text) => expand(response::words(&text), read, depth - 1, out),
            None => out.push(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triple(text: &str) -> RustTriple {
        text.parse().expect("a triple")
    }

    fn translated(target: &str, words: &[&str], step: Step) -> Vec<OsString> {
        let words = words.iter().map(OsString::from).collect();
        let read = |path: &Path| (path == Path::new("f")).then(|| b"-lgcc_s 'a b.o'".to_vec());
        translate(target, words, step, &read).expect("translated")
    }

    #[test]
    fn targets_are_called_as_zig_does() {
        for (rust, floor, zig) in [
            ("aarch64-unknown-linux-gnu", Some((2, 17)), "aarch64-linux-gnu.2.17"),
            ("armv7-unknown-linux-gnueabihf", Some((2, 28)), "arm-linux-gnueabihf.2.28"),
            ("armv7-unknown-linux-musleabihf", Some((2, 28)), "arm-linux-musleabihf"),
            ("i686-unknown-linux-musl", None, "x86-linux-musl"),
            ("x86_64-unknown-linux-gnu", None, "x86_64-linux-gnu"),
            ("aarch64-apple-darwin", None, "aarch64-macos.11.0"),
            ("x86_64-apple-darwin", None, "x86_64-macos.10.12"),
        ] {
            assert_eq!(target(&triple(rust), floor), zig);
        }
    }

    #[test]
    fn a_compilers_arguments_name_zigs_target_and_cpu() {
        let words = [
            "-march=armv8-a",
            "--target=aarch64-unknown-linux-gnu",
            "-target",
            "x",
            "-mtune=native",
            "-O2",
            "-c",
            "a.c",
        ];
        assert_eq!(
            translated("aarch64-linux-gnu.2.17", &words, Step::Compile),
            [
                "-target",
                "aarch64-linux-gnu.2.17",
                "-mcpu=generic+v8a",
                "-fno-sanitize=undefined",
                "-g0",
                "-O2",
                "-c",
                "a.c",
            ]
        );
        let with = translated("x86_64-linux-musl", &["-gdwarf-4", "-c", "a.c"], Step::Compile);
        assert!(!with.contains(&"-g0".into()), "{with:?}");
    }

    #[test]
    fn a_link_of_rusts_takes_zigs_start_files_and_unwinder() {
        let words = [
            "-nostartfiles",
            "/s/lib/self-contained/rcrt1.o",
            "/s/lib/self-contained/crti.o",
            "crtbeginS.o",
            "a.o",
            "@f",
            "-L",
            "/s/lib",
            "-Wl,--as-needed,--fix-cortex-a53-843419",
            "-lgcc_eh",
            "-lc",
            "-static-pie",
        ];
        let linked = translated("aarch64-linux-musl", &words, Step::Link);
        assert_eq!(
            linked[4..],
            [
                "a.o",
                "-lunwind",
                "a b.o",
                "-L",
                "/s/lib",
                "-Wl,--as-needed",
                "-lunwind",
                "-lc",
                "-static-pie"
            ]
        );
        // Elsewhere they are nobody's but the caller's.
        let linked = translated("aarch64-linux-gnu", &["-nostartfiles", "crt1.o"], Step::Link);
        assert_eq!(linked[4..], ["-nostartfiles", "crt1.o"]);
    }

    #[test]
    fn an_option_that_the_linker_lacks_is_an_error_that_names_it() {
        let read = |_: &Path| None;
        for words in [
            &["-Wl,--allow-multiple-definition"][..],
            &["-Wl,-z,muldefs"],
            &["-Xlinker", "--dynamic-list=/x"],
        ] {
            let words = words.iter().map(OsString::from).collect();
            let error = translate("x86_64-linux-gnu", words, Step::Link, &read);
            let said = error.expect_err("refused").to_string();
            assert!(said.starts_with("zig's linker has no option `-"), "{said}");
        }
    }
}
