//! From the command line that a build script or rustc wrote to the one that runs. Pure.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::Error;
use super::config::{Kind, Tool};

/// What a rewriting may depend on besides the tool and its arguments.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The environment's directory.
    pub env_dir: PathBuf,
    /// The current directory.
    pub cwd: PathBuf,
    /// The value of [`super::PREFIX_MAP_VARIABLE`].
    pub prefix_map: OsString,
    /// The value of [`super::CWD_VARIABLE`].
    pub user_cwd: Option<PathBuf>,
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

/// The call of `tool`, named `name`, with the caller's arguments.
pub fn rewrite(
    name: &str,
    tool: &Tool,
    arguments: &[OsString],
    facts: &Facts,
) -> Result<Call, Error> {
    let mut caller = arguments.iter().cloned();
    let mut all: Vec<OsString> = tool.before.iter().map(OsString::from).collect();
    let mut cwd = None;
    match tool.kind {
        Kind::Compiler => all.extend(prefix_flags(&facts.prefix_map)),
        Kind::Runner => {
            // Cargo, started in `/`, names the program relative to it; the program belongs where
            // the user is. Under `cargo test` no such directory is set and cargo's own stays.
            if let Some(program) = caller.next() {
                all.push(facts.cwd.join(program).into());
            }
            cwd.clone_from(&facts.user_cwd);
        }
        Kind::Plain | Kind::Cargo => {}
    }
    all.extend(caller);
    all.extend(tool.after.iter().map(OsString::from));
    let program = match &tool.program {
        Some(program) => facts.env_dir.join(program),
        None if all.is_empty() => return Err(Error::NothingToStart { tool: name.to_owned() }),
        None => Path::new(&all.remove(0)).to_path_buf(),
    };
    Ok(Call { program, arguments: all, cwd })
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

    fn call(tool: &Tool, arguments: &[&str], facts: &Facts) -> Call {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        rewrite("tool", tool, &arguments, facts).expect("a call")
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
            rewrite("w", &tool, &[], &Facts::default()),
            Err(Error::NothingToStart { .. })
        ));
    }
}
