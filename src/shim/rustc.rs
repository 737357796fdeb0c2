//! The arguments of rustc: target CPUs and features beyond the baseline are taken out, unless the
//! settings allow them, and so are directories and linkers of this machine. Pure.

use std::ffi::OsString;
use std::path::Path;

use super::compiler::{Arguments, Step};
use super::ledger::{Notice, NoticeKind};
use super::machine::{self, Roots};
use super::policy::Policy;
use super::{ReadFile, response};
use crate::vocab::isa::codegen::{Codegen, switched_on};
use crate::vocab::rustc_option::apart;

/// What rustc prints beside compiling; with any other `--print` it compiles nothing.
const PRINTED_BESIDE: &[&str] = &["link-args", "native-static-libs"];

/// Whether rustc is asked about itself: `-vV`, `--print`, source text on standard input.
pub fn is_probe(arguments: &[OsString]) -> bool {
    let mut after_print = false;
    let mut asks = |word: &OsString| {
        let text = word.to_str().unwrap_or_default();
        let asked = std::mem::replace(&mut after_print, text == "--print").then_some(text);
        match asked.or_else(|| text.strip_prefix("--print=")) {
            Some(what) => !PRINTED_BESIDE.contains(&what),
            None => matches!(
                text,
                "-" | "-V" | "-vV" | "-Vv" | "--version" | "-h" | "--help" | "--explain"
            ),
        }
    };
    arguments.is_empty() || arguments.iter().any(&mut asks)
}

/// Rewrites the caller's arguments. `target` is the policy for what is compiled with `--target`,
/// `host` for what is compiled without.
pub fn rewrite(
    arguments: &[OsString],
    target: Option<&Policy>,
    host: Option<&Policy>,
    roots: &dyn Fn() -> Roots,
    read: ReadFile<'_>,
) -> Arguments {
    let step = if is_probe(arguments) { Step::Probe } else { Step::Compile };
    let all = one_by_one(expanded(arguments, read));
    let triple = triple(&all);
    let policy = if triple.is_some() { target } else { host };
    let mut notices = Vec::new();
    let mut words = Vec::with_capacity(all.len());
    let mut rest = all.as_slice();
    while let [word, after @ ..] = rest {
        rest = after;
        let text = word.to_str().unwrap_or_default();
        let next = after.first().and_then(|next| next.to_str());
        let Some((way, value, split)) = option(text, next) else {
            words.push(word.clone());
            continue;
        };
        let change = match way {
            "-L" => host_directory(value, roots),
            _ => host_linker(value, roots).or_else(|| filter(value, policy?, triple)),
        };
        if let Some((left, notice)) = change {
            notices.push(notice);
            words.extend(left.map(|left| OsString::from(format!("-C{left}"))));
        } else {
            words.extend(std::iter::once(word).chain(&rest[..usize::from(split)]).cloned());
        }
        rest = &rest[usize::from(split)..];
    }
    // Cargo gave a file because the arguments are too long for a command line; where nothing in it
    // changed, it stays one.
    if notices.is_empty() {
        words = arguments.to_vec();
    }
    Arguments { words, notices, step, denied: None, cpu: false }
}

/// `-C` or `-L`, the value, and whether that is the next word.
fn option<'a>(text: &'a str, next: Option<&'a str>) -> Option<(&'static str, &'a str, bool)> {
    match text {
        "-C" | "--codegen" => Some(("-C", next?, true)),
        "-L" => Some(("-L", next?, true)),
        _ => {
            let joined = [("-C", "-C"), ("-C", "--codegen="), ("-L", "-L")];
            let (way, value) = joined
                .into_iter()
                .find_map(|(way, start)| Some((way, text.strip_prefix(start)?)))?;
            Some((way, value, false))
        }
    }
}

/// The value of `--target`.
fn triple(arguments: &[OsString]) -> Option<&str> {
    let at = arguments.iter().position(|word| {
        word.to_str().is_some_and(|text| text == "--target" || text.starts_with("--target="))
    })?;
    match arguments[at].to_str()?.strip_prefix("--target=") {
        Some(triple) => Some(triple),
        None => arguments.get(at + 1)?.to_str(),
    }
}

/// The arguments with what is in `@path` files; rustc reads one argument a line, and no file in a
/// file.
fn expanded(arguments: &[OsString], read: ReadFile<'_>) -> Vec<OsString> {
    let lines = |word: &OsString| {
        let path = word.to_str().and_then(|text| text.strip_prefix('@'));
        let text = path.and_then(|path| read(Path::new(path)));
        text.map_or_else(|| vec![word.clone()], |text| response::lines(&text))
    };
    arguments.iter().flat_map(lines).collect()
}

/// The arguments without options that share a word.
fn one_by_one(words: Vec<OsString>) -> Vec<OsString> {
    if !words.iter().any(|word| word.to_str().is_some_and(|text| apart(text).is_some())) {
        return words;
    }
    let one = |word: OsString| match word.to_str().and_then(apart) {
        Some(words) => words.into_iter().map(OsString::from).collect(),
        None => vec![word],
    };
    words.into_iter().flat_map(one).collect()
}

/// `-L native=/usr/lib`: rustc itself takes static libraries from there.
fn host_directory(value: &str, roots: &dyn Fn() -> Roots) -> Option<(Option<String>, Notice)> {
    let kinds = ["dependency", "crate", "native", "framework", "all"];
    let path = value.split_once('=').filter(|(kind, _)| kinds.contains(kind));
    let path = path.map_or(value, |(_, path)| path);
    let notice = Notice {
        kind: NoticeKind::HostDirectory,
        what: format!("-L{value}"),
        became: None,
        why: "it is a directory of this machine".to_owned(),
        allow: Some(format!("sandbox.read = [\"{path}\"]")),
    };
    machine::is_machine(path, &mut || roots()).then_some((None, notice))
}

/// `-Clinker=/usr/bin/cc`: without it, the linker is the one that cargo names, a shim.
fn host_linker(option: &str, roots: &dyn Fn() -> Roots) -> Option<(Option<String>, Notice)> {
    let (key, path) = option.trim_start().split_once('=')?;
    if key.trim() != "linker" || !machine::is_machine(path, &mut || roots()) {
        return None;
    }
    let notice = Notice {
        kind: NoticeKind::HostDirectory,
        what: format!("-C{}", option.trim_start()),
        became: None,
        why: "it is a program of this machine".to_owned(),
        allow: None,
    };
    Some((None, notice))
}

/// What is left of a `-C` option beyond the baseline, and the notice; `None` where it stays.
fn filter(option: &str, policy: &Policy, triple: Option<&str>) -> Option<(Option<String>, Notice)> {
    let level = policy.level().ok()?;
    let (left, allow) = match Codegen::read(option)? {
        Codegen::Cpu(cpu) => {
            let allowed = cpu != "native" && policy.cpus.iter().any(|known| known == cpu);
            if level.rustc_cpu_is_within(cpu) || allowed {
                return None;
            }
            let line = |triple| format!("target.{triple}.rustflags = [\"-Ctarget-cpu={cpu}\"]");
            (None, triple.filter(|_| cpu != "native").map(line))
        }
        Codegen::Features(value) => {
            let beyond = |feature: &&str| {
                let name = switched_on(feature).unwrap_or_default();
                !name.is_empty()
                    && !level.has_feature(name)
                    && !policy.features.iter().any(|known| known == name)
            };
            let (dropped, kept): (Vec<&str>, Vec<&str>) = value.split(',').partition(beyond);
            if dropped.is_empty() {
                return None;
            }
            let names: Vec<String> =
                dropped.iter().map(|name| format!("\"{}\"", &name.trim()[1..])).collect();
            let left = (!kept.is_empty()).then(|| format!("target-feature={}", kept.join(",")));
            (left, Some(format!("isa.features = [{}]", names.join(", "))))
        }
    };
    let notice = Notice {
        kind: NoticeKind::Isa,
        what: format!("-C{}", option.trim_start()),
        became: left.as_ref().map(|left| format!("-C{left}")),
        why: format!("it is beyond the baseline, {}", level.name()),
        allow,
    };
    Some((left, notice))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;
    use crate::vocab::isa::Baseline;

    fn rewritten(arguments: &[&str]) -> Arguments {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let mut target = Policy::new(Baseline::of("x86_64", Some("x86-64-v2")).expect("known"));
        target.features.push("aes".to_owned());
        target.cpus.push("haswell".to_owned());
        let host = Policy::new(Baseline::of("x86_64", None).expect("known"));
        let read = |path: &Path| {
            (path == Path::new("f")).then(|| b"--target=t\na b.rs\n-Ctarget-cpu=native".to_vec())
        };
        let roots = || Roots::of(OsStr::new("on\u{1f}r=/usr/src"), OsStr::new(""), Path::new("/e"));
        rewrite(&arguments, Some(&target), Some(&host), &roots, &read)
    }

    #[test]
    fn what_is_beyond_the_baseline_is_left_out() {
        for (arguments, kept) in [
            (&["--target", "t", "-Ctarget-cpu=native", "a.rs"][..], &["--target", "t", "a.rs"][..]),
            (&["--target=t", "-C", "target-cpu=x86-64-v3", "a.rs"], &["--target=t", "a.rs"]),
            (&["a.rs", "--codegen", "target-cpu=x86-64-v2"], &["a.rs"]),
            (&["a.rs", "-Ctarget_cpu=haswell"], &["a.rs"]),
            (
                &["--target=t", "--codegen=target-feature=+avx2,-sse3,+crt-static,+aes", "a.rs"],
                &["--target=t", "-Ctarget-feature=-sse3,+crt-static,+aes", "a.rs"],
            ),
            (&["a.rs", "-Ctarget-feature=+aes"], &["a.rs"]),
            (&["-gC", "target-cpu=native", "a.rs"], &["-g", "a.rs"]),
            (&["-OgCtarget-cpu=native", "a.rs"], &["-O", "-g", "a.rs"]),
            (&["-L", "native=/usr/lib", "-L", "/usr/src/x", "a.rs"], &["-L", "/usr/src/x", "a.rs"]),
            (&["-Lall=/usr/lib", "-Ldependency=/t", "a.rs"], &["-Ldependency=/t", "a.rs"]),
            (
                &["-Clinker=/e/gcc", "-C", "linker=/usr/bin/cc", "a.rs"],
                &["-Clinker=/e/gcc", "a.rs"],
            ),
            (&["@f", "-O"], &["--target=t", "a b.rs", "-O"]),
        ] {
            let found = rewritten(arguments);
            assert_eq!(found.words, kept, "{arguments:?}");
            assert_eq!(found.notices.len(), 1, "{arguments:?}");
        }
    }

    #[test]
    fn what_the_baseline_has_and_the_settings_allow_stays() {
        for arguments in [
            &["--target=t", "-Ctarget-cpu=haswell", "-Ctarget-feature=+popcnt,+aes", "a.rs"][..],
            &["--target=t", "-Copt-level=3", "--cfg", "target-cpu=native", "a.rs"],
            &["a.rs", "-Ctarget-cpu=x86-64", "-Ctarget-feature=-sse2,+crt-static", "-C"],
            &["-gO", "-Clinker=cc", "-L", "usr/lib", "a.rs"],
        ] {
            let found = rewritten(arguments);
            assert_eq!((found.words, found.notices), (words(arguments), vec![]));
        }
    }

    fn words(arguments: &[&str]) -> Vec<OsString> {
        arguments.iter().map(OsString::from).collect()
    }

    #[test]
    fn the_notice_says_what_would_allow_it() {
        let found = rewritten(&["--target=t", "-Ctarget-feature=+avx2,+fma,+sse2", "a.rs"]);
        let notice = &found.notices[0];
        assert_eq!(notice.became.as_deref(), Some("-Ctarget-feature=+sse2"));
        assert_eq!(notice.allow.as_deref(), Some("isa.features = [\"avx2\", \"fma\"]"));
        assert_eq!(notice.why, "it is beyond the baseline, x86-64-v2");
    }

    #[test]
    fn questions_to_rustc_are_passed_on() {
        for arguments in [
            &["-vV"][..],
            &["-", "--crate-name", "___", "--print=cfg"],
            &["--print", "target-list"],
            &["--version"],
            &[],
        ] {
            let found = rewritten(arguments);
            assert_eq!((found.step, found.words), (Step::Probe, words(arguments)));
        }
        let native = rewritten(&["-", "--print=cfg", "-Ctarget-cpu=native"]);
        assert_eq!((native.step, native.words), (Step::Probe, words(&["-", "--print=cfg"])));
        for arguments in [&["a.rs"][..], &["--print", "native-static-libs", "a.rs"]] {
            assert_eq!(rewritten(arguments).step, Step::Compile);
        }
    }
}
