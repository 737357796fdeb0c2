//! From the command line that a build script, cargo or rustc wrote to the one that runs. Pure.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::compiler::{self, Arguments, Rules, Step};
use super::config::{Kind, Tool};
use super::ledger::Notice;
use super::machine::Roots;
use super::policy::Crate;
use super::{Denied, Error, ReadFile, alone, rustc, zig};

/// What a rewriting may depend on besides the tool and its arguments.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The environment's directory.
    pub env_dir: PathBuf,
    /// The current directory. Only runners depend on it.
    pub cwd: PathBuf,
    /// The value of [`super::PREFIX_MAP_VARIABLE`].
    pub prefix_map: OsString,
    /// The value of [`crate::vocab::sandbox::SANDBOX_VARIABLE`].
    pub sandbox: OsString,
    /// The value of [`super::CWD_VARIABLE`].
    pub user_cwd: Option<PathBuf>,
    /// The crate that the call is for, where cargo says it.
    pub krate: Option<String>,
    /// Its version.
    pub version: Option<String>,
}

/// What is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where it starts, where that is not the current directory.
    pub cwd: Option<PathBuf>,
}

/// A call and what was done to it.
#[derive(Debug)]
pub struct Rewritten {
    /// What is to be started.
    pub call: Call,
    /// What the call does. Tools that are no compilers are only ever probed.
    pub step: Step,
    /// What was changed.
    pub notices: Vec<Notice>,
    /// Why the call may not happen.
    pub denied: Option<Denied>,
}

/// The call of `tool`, named `name`, with the caller's arguments.
pub fn rewrite(
    name: &str,
    tool: &Tool,
    arguments: &[OsString],
    facts: &Facts,
    read: ReadFile<'_>,
) -> Result<Rewritten, Error> {
    let mut all: Vec<OsString> = tool.before.iter().map(OsString::from).collect();
    let mut cwd = None;
    let changed = match tool.kind {
        Kind::Compiler => {
            let mut changed = compiler_arguments(tool, arguments, facts, read);
            all.extend(baseline_flags(tool, changed.cpu).iter().map(OsString::from));
            all.extend(prefix_flags(&facts.prefix_map));
            // `cpp` preprocesses whatever else it is told.
            if changed.step == Step::Link && is_cpp(name) {
                changed.step = Step::Compile;
            }
            changed
        }
        Kind::Linker => {
            let changed = compiler_arguments(tool, arguments, facts, read);
            // What would make a compiler stop before the link is another word here.
            let step = if changed.step == Step::Compile { Step::Link } else { changed.step };
            Arguments { step, words: alone::words(changed.words), ..changed }
        }
        Kind::Rustc => {
            let (target, host) = (tool.policy.as_ref(), tool.host_policy.as_ref());
            let mut changed = rustc::rewrite(arguments, target, host, &|| roots(facts), read);
            if tool.link_strips {
                changed.words = zig::macos::link_strips(changed.words);
            }
            changed
        }
        Kind::Wrapper => wrapped(arguments, &facts.env_dir),
        Kind::Runner => {
            let mut words = arguments.to_vec();
            // Cargo, started in `/`, names the program relative to it; the program belongs where
            // the user is. Under `cargo test` no such directory is set and cargo's own stays.
            if let Some(program) = words.first_mut() {
                *program = facts.cwd.join(&*program).into();
            }
            cwd.clone_from(&facts.user_cwd);
            unchanged(words)
        }
        Kind::Plain | Kind::Cargo | Kind::BuildScript => unchanged(arguments.to_vec()),
    };
    match &tool.zig {
        Some(target) if tool.kind == Kind::Compiler => {
            let own = tool.before.len();
            let caller = all.split_off(own).into_iter().chain(changed.words).collect();
            if target.contains("-macos") && changed.step == Step::Link {
                all.push(joined("-L", &facts.env_dir.join(super::FILES_DIR)));
            }
            all.extend(zig::translate(target, caller, changed.step, read)?);
        }
        _ => all.extend(changed.words),
    }
    all.extend(tool.after.iter().map(OsString::from));
    let program = match &tool.program {
        Some(program) => facts.env_dir.join(program),
        None if all.is_empty() => return Err(Error::NothingToStart { tool: name.to_owned() }),
        None => Path::new(&all.remove(0)).to_path_buf(),
    };
    let call = Call { program, arguments: all, cwd };
    Ok(Rewritten { call, step: changed.step, notices: changed.notices, denied: changed.denied })
}

fn joined(option: &str, path: &Path) -> OsString {
    let mut word = OsString::from(option);
    word.push(path);
    word
}

/// `cpp`, `aarch64-linux-gnu-cpp`, `cpp-12`.
fn is_cpp(name: &str) -> bool {
    let version = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-');
    name.trim_end_matches(version).ends_with("cpp")
}

fn compiler_arguments(
    tool: &Tool,
    arguments: &[OsString],
    facts: &Facts,
    read: ReadFile<'_>,
) -> Arguments {
    let krate = Crate { name: facts.krate.as_deref(), version: facts.version.as_deref() };
    let policy = tool.policy.as_ref();
    compiler::rewrite(arguments, &Rules { policy, krate, roots: &|| roots(facts), read })
}

fn roots(facts: &Facts) -> Roots {
    Roots::of(&facts.sandbox, &facts.prefix_map, &facts.env_dir)
}

/// The shim of rustc looks after itself; another program with rustc's arguments is looked after.
fn wrapped(arguments: &[OsString], env_dir: &Path) -> Arguments {
    let is_shim = |program: &OsString| Path::new(program).starts_with(env_dir);
    match arguments.split_first() {
        Some((program, rest)) if !is_shim(program) && !rustc::is_probe(rest) => {
            Arguments { step: Step::Compile, ..unchanged(arguments.to_vec()) }
        }
        _ => unchanged(arguments.to_vec()),
    }
}

fn unchanged(words: Vec<OsString>) -> Arguments {
    Arguments { words, notices: Vec::new(), step: Step::Probe, denied: None, cpu: false }
}

/// The baseline comes before the caller's arguments, so that a crate can say more for a file. On
/// Arm a `-mcpu` would lose against any `-march`, also one before it: there it stands alone.
fn baseline_flags(tool: &Tool, names_cpu: bool) -> &'static [&'static str] {
    let Some(policy) = &tool.policy else { return &[] };
    let Ok(level) = policy.level() else { return &[] };
    let is_arm = matches!(level.arch(), "aarch64" | "armv7");
    if is_arm && names_cpu { &[] } else { level.c_flags() }
}

/// One flag a pair. They come before the caller's arguments, so that a crate's own maps win.
fn prefix_flags(prefix_map: &OsStr) -> Vec<OsString> {
    let bytes = prefix_map.as_encoded_bytes();
    bytes
        .split(|byte| *byte == 0x1f)
        .filter(|pair| !pair.is_empty())
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .map(|pair| format!("-ffile-prefix-map={pair}").into())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shim::Policy;
    use crate::vocab::isa::Baseline;

    fn call(tool: &Tool, arguments: &[&str], facts: &Facts) -> Call {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        rewrite("tool", tool, &arguments, facts, &|_| None).expect("a call").call
    }

    #[test]
    fn compilers_get_the_sysroot_and_the_maps_before_what_the_caller_says() {
        let tool = Tool::new(Kind::Compiler, "/s/gcc-12").with_before(["--sysroot=/s".into()]);
        let facts = Facts { prefix_map: "/a b=/x\u{1f}/é=/y".into(), ..Facts::default() };
        let call = call(&tool, &["-c", "a.c"], &facts);
        let maps = ["-ffile-prefix-map=/a b=/x", "-ffile-prefix-map=/é=/y"];
        assert_eq!(call.program, Path::new("/s/gcc-12"));
        assert_eq!(call.arguments, ["--sysroot=/s", maps[0], maps[1], "-c", "a.c"]);
    }

    #[test]
    fn a_linker_gets_no_flags_of_a_compiler_and_always_links() {
        let tool = Tool::new(Kind::Linker, "/s/ld.lld").with_before(["-b".into()]);
        let facts = Facts { prefix_map: "/a=/x".into(), ..Facts::default() };
        // `-S` and `-E` are about symbols here.
        let arguments = ["-S", "-E", "-L", "/usr/lib", "a.o"].map(OsString::from);
        let linked = rewrite("ld.lld", &tool, &arguments, &facts, &|_| None).expect("a call");
        assert_eq!(linked.call.arguments, ["-b", "-S", "-E", "a.o"]);
        assert_eq!((linked.step, linked.notices.len()), (Step::Link, 1));
        let asked = [OsString::from("--version")];
        let asked = rewrite("ld.lld", &tool, &asked, &facts, &|_| None).expect("a call");
        assert_eq!(asked.step, Step::Probe);
    }

    #[test]
    fn a_preprocessor_links_nothing_whatever_its_version() {
        let tool = Tool::new(Kind::Compiler, "/s/cpp-12");
        let step = |name| {
            let arguments = [OsString::from("a.c")];
            rewrite(name, &tool, &arguments, &Facts::default(), &|_| None).expect("a call").step
        };
        for name in ["cpp", "cpp-12", "t-cpp-12.2"] {
            assert_eq!(step(name), Step::Compile, "{name}");
        }
        assert_eq!(step("g++-12"), Step::Link);
    }

    #[test]
    fn the_baseline_comes_first_unless_an_arm_cpu_is_named() {
        let policy = Policy::new(Baseline::of("aarch64", None).expect("known"));
        let tool = Tool::new(Kind::Compiler, "/s/gcc").with_policy(policy);
        let words = |arguments: &[&str]| call(&tool, arguments, &Facts::default()).arguments;
        assert_eq!(words(&["-c", "a.c"]), ["-march=armv8-a", "-c", "a.c"]);
        assert_eq!(words(&["-mcpu=cortex-a76", "a.c"]), ["-mcpu=cortex-a76", "a.c"]);
        assert_eq!(words(&["-mcpu=native", "a.c"]), ["-march=armv8-a", "a.c"]);
        let policy = Policy::new(Baseline::of("x86_64", Some("x86-64-v3")).expect("known"));
        let tool = Tool::new(Kind::Compiler, "/s/gcc").with_policy(policy);
        let words = call(&tool, &["-mcpu=atom"], &Facts::default()).arguments;
        assert_eq!(words, ["-march=x86-64-v3", "-mcpu=atom"]);
    }

    #[test]
    fn a_runner_starts_the_program_where_the_user_is() {
        let tool = Tool::new(Kind::Runner, "sys/qemu").with_before(["-L".into(), "/s".into()]);
        let facts = Facts {
            env_dir: "/e".into(),
            cwd: "/".into(),
            user_cwd: Some("/home/u".into()),
            ..Facts::default()
        };
        let under = call(&tool, &["w/app", "x"], &facts);
        assert_eq!(under.program, Path::new("/e/sys/qemu"));
        assert_eq!(under.arguments, ["-L", "/s", "/w/app", "x"]);
        assert_eq!(under.cwd.as_deref(), Some(Path::new("/home/u")));
        let native = call(&Tool::without_program(Kind::Runner), &["w/app", "x"], &facts);
        assert_eq!((native.program, native.arguments), ("/w/app".into(), vec!["x".into()]));
    }

    #[test]
    fn a_wrapper_starts_its_first_argument() {
        let tool = Tool::without_program(Kind::Plain);
        let wrapped = call(&tool, &["/rust/rustc", "-vV"], &Facts::default());
        assert_eq!(
            (wrapped.program, wrapped.arguments),
            ("/rust/rustc".into(), vec!["-vV".into()])
        );
        assert!(matches!(
            rewrite("w", &tool, &[], &Facts::default(), &|_| None),
            Err(Error::NothingToStart { .. })
        ));
    }
}
