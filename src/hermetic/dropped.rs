//! Which variables of a user's environment would change a plain build, so that no build of ours gets
//! them: what `doctor` calls a leak and what a build says it left out. Decides by name and value.

use std::collections::BTreeMap;
use std::path::Path;

use super::plan::{Origin, Variable};
use super::vars::{self, Fate, Rule};

/// A variable that is set and kept out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value.
    pub value: &'a str,
    /// What it would do, as the end of a sentence.
    pub why: &'static str,
}

/// Those of `variables` that are kept out, by name. None that `planned` has with the same value, as
/// in an environment of ours, and none that the settings decide about.
pub fn dropped<'a>(
    variables: &'a BTreeMap<String, String>,
    planned: &[Variable],
) -> Vec<Dropped<'a>> {
    let arrives = |name: &str, value: &str| {
        let planned = planned.iter().find(|variable| variable.name == name);
        planned.is_some_and(|planned| {
            planned.value == value || matches!(planned.origin, Origin::Setting(_))
        })
    };
    let left = variables.iter().filter_map(|(name, value)| {
        let rule = harm(name, Some(value))?;
        let dropped = !arrives(name, value) && !is_rustups(variables, name, value);
        dropped.then_some(Dropped { name, value, why: rule.reason })
    });
    left.collect()
}

/// The rule by which a variable of this name would change a plain build; `value` is `None` where it
/// is not known.
pub fn harm(name: &str, value: Option<&str>) -> Option<&'static Rule> {
    let rule = vars::rule_for(name).filter(|rule| rule.fate == Fate::Never)?;
    let harmless = match name {
        // It says where binaries go, not what they are; xprov heeds it.
        "CARGO_TARGET_DIR" => true,
        "MAKEFLAGS" | "MFLAGS" => value.is_some_and(is_job_server),
        // Cargo takes an empty one for the whole list of flags.
        name if name.ends_with("RUSTFLAGS") || name.ends_with("RUSTDOCFLAGS") => false,
        _ => value.is_some_and(str::is_empty),
    };
    (!harmless).then_some(rule)
}

/// Whether make's flags say only how many jobs run and what is printed: what every make gives to
/// the programs that it starts.
fn is_job_server(value: &str) -> bool {
    let long = |word: &str| {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        let known = ["jobserver-auth", "jobserver-fds", "jobs", "load-average", "output-sync"];
        let prints = ["print-directory", "no-print-directory", "silent", "quiet", "no-silent"];
        known.contains(&name) || (prints.contains(&name) && name == word)
    };
    // Jobs, load and output carry a value; the others are letters in a row.
    let short = |word: &str| {
        let rest = word.trim_start_matches(['k', 's', 'S', 'w']);
        let value = rest.strip_prefix(['j', 'l', 'O']);
        rest.is_empty()
            || value.is_some_and(|value| {
                let is_kind = ["none", "line", "target", "recurse"].contains(&value);
                is_kind || value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            })
    };
    let mut words = value.split_whitespace().enumerate();
    words.all(|(at, word)| match (word.strip_prefix("--"), word.strip_prefix('-')) {
        (Some(word), _) => long(word),
        (None, Some(word)) => short(word),
        // Make writes its first letters without a dash.
        (None, None) => at == 0 && !word.contains('=') && short(word),
    })
}

/// Whether rustup's `cargo` set it on the way to `cargo xprov`, and not the user. `cargo run` adds
/// where the libraries of the program that it starts are: below its target directory.
fn is_rustups(variables: &BTreeMap<String, String>, name: &str, value: &str) -> bool {
    let var = |name| variables.get(name).filter(|value| !value.is_empty());
    let (Some(toolchain), Some(_)) = (var("RUSTUP_TOOLCHAIN"), var("RUST_RECURSION_COUNT")) else {
        return false;
    };
    let lib = format!("toolchains/{toolchain}/lib");
    match name {
        "RUSTUP_TOOLCHAIN" => true,
        "LD_LIBRARY_PATH" => {
            let roots = ["CARGO_MANIFEST_DIR", "CARGO_TARGET_DIR"].map(var);
            let of_run = |dir: &str| {
                let below = |root: &String| Path::new(dir).starts_with(root);
                let rustlib = dir.contains(&format!("{lib}/rustlib/"));
                roots[0].is_some() && (rustlib || roots.iter().flatten().any(|root| below(root)))
            };
            value.split(':').all(|dir| Path::new(dir).ends_with(&lib) || of_run(dir))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(variables: &[(&str, &str)], planned: &[Variable]) -> Vec<String> {
        let variables = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        dropped(&variables, planned).iter().map(|dropped| dropped.name.to_owned()).collect()
    }

    #[test]
    fn what_chooses_flags_or_compilers_is_dropped_and_what_only_prints_is_not() {
        let all = [
            ("CARGO_BUILD_JOBS", "3"),
            ("CARGO_ENCODED_RUSTFLAGS", ""),
            ("CARGO_TARGET_DIR", "out"),
            ("CC_aarch64-unknown-linux-gnu", "clang"),
            ("CFLAGS", "-O3"),
            ("CXX", ""),
            ("EDITOR", "vi"),
            ("HTTPS_PROXY", "p"),
            ("MAKEFLAGS", "-j4"),
            ("PATH", "/bin"),
            ("RUSTC", "rustc"),
        ];
        let expected =
            ["CARGO_ENCODED_RUSTFLAGS", "CC_aarch64-unknown-linux-gnu", "CFLAGS", "RUSTC"];
        assert_eq!(names(&all, &[]), expected);
    }

    #[test]
    fn what_the_plan_has_and_what_the_settings_decide_is_not_dropped() {
        let variable =
            |name: &str, origin| Variable { name: name.into(), value: "a".into(), origin };
        let planned =
            [variable("HOST_CC", Origin::Xprov), variable("CFLAGS", Origin::Setting("env.set"))];
        assert_eq!(names(&[("HOST_CC", "a"), ("CFLAGS", "b")], &planned), [""; 0]);
        assert_eq!(names(&[("HOST_CC", "b")], &planned), ["HOST_CC"]);
    }

    #[test]
    fn flags_of_make_that_are_about_jobs_and_output_are_harmless() {
        for value in [
            "",
            "w",
            "kw",
            " -j4 --jobserver-auth=3,4",
            "sw -j8 -l2.5 -Otarget --jobserver-auth=fifo:/tmp/GMfifo12 --no-print-directory",
            " -j --jobserver-fds=3,4",
        ] {
            assert!(is_job_server(value), "{value}");
        }
        for value in
            ["e", "-n", " -- CFLAGS=-DX", "CFLAGS=-O3", "-j4 -I/opt/make", "--eval=x", "-r"]
        {
            assert!(!is_job_server(value), "{value}");
        }
    }

    #[test]
    fn what_rustups_cargo_sets_is_not_the_users() {
        let lib = "/h/.rustup/toolchains/stable/lib";
        let set = |count: &str, path: &str| {
            let all: [(&str, &str); 3] = [
                ("LD_LIBRARY_PATH", path),
                ("RUSTUP_TOOLCHAIN", "stable"),
                ("RUST_RECURSION_COUNT", count),
            ];
            names(&all, &[])
        };
        assert_eq!(set("1", lib), [""; 0]);
        assert_eq!(set("", lib), ["LD_LIBRARY_PATH", "RUSTUP_TOOLCHAIN"]);
        assert_eq!(set("1", &format!("{lib}:/opt/lib")), ["LD_LIBRARY_PATH"]);
        let run = format!("/w/target/release/deps:/w/target/release:{lib}/rustlib/x/lib:{lib}");
        let under_run = |path: &str| {
            let all: [(&str, &str); 4] = [
                ("CARGO_MANIFEST_DIR", "/w"),
                ("LD_LIBRARY_PATH", path),
                ("RUSTUP_TOOLCHAIN", "stable"),
                ("RUST_RECURSION_COUNT", "1"),
            ];
            names(&all, &[])
        };
        assert_eq!(set("1", &run), ["LD_LIBRARY_PATH"]);
        assert_eq!(under_run(&run), [""; 0]);
        assert_eq!(under_run(&format!("{run}:/opt/lib")), ["LD_LIBRARY_PATH"]);
    }
}
