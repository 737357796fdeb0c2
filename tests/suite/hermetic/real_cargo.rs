//! The machine's real cargo, rustc and C compiler behind the plan, with projects and directories
//! that want otherwise.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use xprov::hermetic::cargo_args::{CargoArgs, ConfigArgument, Surroundings};
use xprov::hermetic::cargo_config::ConfigFile;
use xprov::hermetic::messages::{self, Line};
use xprov::hermetic::{Plan, Rust, Warning};
use xprov::vocab::triple::RustTriple;

use super::Case;
use crate::support::executable::script;

/// What a machine must not get its way with: none of these programs exists.
const HOSTILE_PROJECT: &str = r#"
[build]
build-dir = "elsewhere"
rustc = "/nonexistent/rustc"
rustc-wrapper = "/nonexistent/wrapper"
rustflags = ["-Ctarget-cpu=native", "--cfg=of_the_project"]
[target.'cfg(all())']
linker = "/nonexistent/ld"
[target.HOST]
linker = "/nonexistent/ld"
runner = "/nonexistent/runner"
[env]
XPROV_TARGET = { value = "forced", force = true }
OF_THE_PROJECT = "kept"
"#;

const HOSTILE_ANCESTOR: &str = r#"
[build]
rustflags = ["--cfg=of_an_ancestor"]
rustc-wrapper = "/nonexistent/wrapper"
[profile.dev]
opt-level = 3
[env]
OF_AN_ANCESTOR = "leaked"
"#;

const MAIN: &str = r#"
include!(concat!(env!("OUT_DIR"), "/made.rs"));
fn main() {
    println!("{:?}", (cfg!(of_the_project), cfg!(of_the_user), cfg!(of_an_ancestor)));
    println!("{:?}", (option_env!("OF_THE_PROJECT"), option_env!("OF_AN_ANCESTOR")));
    println!("{} {}", env!("XPROV_TARGET"), std::env::current_dir().unwrap().display());
    made(std::env::args().count());
}
"#;

const BUILD: &str = r#"
fn main() {
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR").unwrap());
    assert!(!std::env::var("PATH").unwrap().contains("usr"));
    std::fs::write(out.join("made.rs"), "fn made(n: usize) { assert!(n < 9, \"many\") }").unwrap();
}
"#;

/// A machine's real Rust and C compiler behind the plan of xprov, below `root`.
struct Machine {
    root: PathBuf,
    case: Case,
    sysroot: PathBuf,
}

impl Machine {
    fn new(root: &Path, project: &str) -> Self {
        let output = Command::new("rustc").args(["--print", "sysroot"]).output().expect("rustc");
        let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        let version = Command::new(sysroot.join("bin/rustc")).arg("-vV").output().expect("rustc");
        let text = root.to_str().expect("text");
        let host = RustTriple::of_this_program();
        let mut case = Case::new(host.as_str(), text);
        case.host = host.clone();
        case.rust = Rust {
            cargo: sysroot.join("bin/cargo"),
            rustc: sysroot.join("bin/rustc"),
            rustdoc: sysroot.join("bin/rustdoc"),
            version_verbose: String::from_utf8_lossy(&version.stdout).into_owned(),
            machine: None,
        };
        case.runner = Some("runner".to_owned());
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lints.rust]\nunexpected_cfgs = \"allow\"\n";
        write(".cargo/config.toml", HOSTILE_ANCESTOR);
        write("w/Cargo.toml", manifest);
        write("w/src/main.rs", MAIN);
        write("w/build.rs", BUILD);
        if !project.is_empty() {
            let project = project.replace("HOST", host.as_str());
            write("w/.cargo/config.toml", &project);
            let path = root.join("w/.cargo/config.toml");
            case.project = vec![ConfigFile::new(path, project)];
        }
        Self { root: root.to_path_buf(), case, sysroot }
    }

    /// Runs cargo as xprov does, from a subdirectory, in an environment of the plan alone.
    fn cargo(&self, line: &[&str]) -> (Plan, Output) {
        let words: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
        let cwd = self.root.join("w/src");
        let parsed = CargoArgs::parse(&words, &cwd, None, &|path| path.is_file());
        let parsed = parsed.expect("good arguments");
        let mut configs = Vec::new();
        for config in parsed.configs.iter().rev() {
            configs.push(match config {
                ConfigArgument::Inline(inline) => inline.clone(),
                ConfigArgument::File(path) => {
                    ConfigFile::new(path, std::fs::read_to_string(path).expect("a file"))
                }
            });
        }
        configs.extend(self.case.project.iter().cloned());
        let plan = self.case.plan_with(&configs).expect("a plan");
        let bin = plan.bin_dir();
        for dir in [&bin, &plan.build_dir, &self.case.paths.home, &self.case.paths.tmp] {
            std::fs::create_dir_all(dir).expect("made");
        }
        let compiler = bin.join(format!("{}-gcc", self.case.host.tool_prefix()));
        script(&compiler, "PATH=/usr/bin:/bin exec cc \"$@\"");
        let rustc = format!("exec '{}' \"$@\"", self.case.rust.rustc.display());
        script(&bin.join("rustc"), &rustc);
        script(&bin.join("rustc-wrapper"), "exec \"$@\"");
        script(&bin.join("runner"), "exec \"$@\"");
        std::fs::write(&plan.config.path, &plan.config.text).expect("written");
        let first: Vec<PathBuf> = self.case.project.iter().map(|file| file.path.clone()).collect();
        let argv = parsed.to_argv(&Surroundings {
            manifest_path: &self.root.join("w/Cargo.toml"),
            target: self.case.target.as_str(),
            locked: parsed.locked,
            offline: parsed.offline,
            first_configs: &first,
            last_config: &plan.config.path,
            own_target_dir: !self.case.rust.has_build_dir(),
        });
        let output = Command::new(self.sysroot.join("bin/cargo"))
            .args(argv.expect("text"))
            .env_clear()
            .envs(plan.variables.iter().map(|variable| (&variable.name, &variable.value)))
            .current_dir("/")
            .output()
            .expect("cargo starts");
        (plan, output)
    }

    /// The program, where cargo says it is, and whether there was nothing to do.
    fn build(&self) -> (PathBuf, bool) {
        let (_, output) = self.cargo(&["build"]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let stdout = String::from_utf8_lossy(&output.stdout);
        let artifact = stdout.lines().find_map(|line| match messages::parse(line) {
            Line::Artifact(artifact) if !artifact.outputs(&[]).is_empty() => Some(artifact),
            _ => None,
        });
        let artifact = artifact.expect("a program was made");
        (artifact.outputs(&[])[0].to_path_buf(), artifact.fresh)
    }
}

/// What a plan warns of, each with its place.
fn warnings(plan: &Plan) -> Vec<String> {
    let text = |warning: &Warning| match warning {
        Warning::BeyondBaseline { origin, what, .. } => format!("{origin}: {what}"),
        Warning::Overridden { key, place } | Warning::RunnerIsList { key, place } => {
            format!("{place}: {key}")
        }
    };
    plan.warnings.iter().map(text).collect()
}

#[test]
fn real_cargo_obeys_the_plan_and_not_project_or_ancestors() {
    let dir = tempfile::tempdir().expect("a directory");
    let machine = Machine::new(dir.path(), HOSTILE_PROJECT);
    let (plan, output) = machine.cargo(&["run", "-q"]);
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    let host = &machine.case.host;
    let expected = format!("(true, false, false)\n(Some(\"kept\"), None)\n{host} /\n");
    assert_eq!(said, expected, "{errors}");
    assert!(!dir.path().join("w/elsewhere").exists(), "the project's build directory lost");
    let warnings = warnings(&plan);
    let named = |what: &str| warnings.iter().any(|warning| warning.contains(what));
    assert!(named("config.toml:6: target-cpu=native"), "{warnings:?}");
    assert!(named(": build.rustc-wrapper"), "{warnings:?}");
    assert!(named(": env.XPROV_TARGET"), "{warnings:?}");
}

#[test]
fn real_cargo_obeys_the_plan_and_not_the_users_config_arguments() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut machine = Machine::new(dir.path(), "build.rustflags = [\"--cfg=of_the_project\"]\n");
    machine.case.settings.set.push(("GREETING".to_owned(), "hello".to_owned()));
    let file = dir.path().join("u.toml");
    std::fs::write(&file, "build.rustc-wrapper = \"/nonexistent/wrapper\"\n").expect("written");
    let (plan, output) = machine.cargo(&[
        "run",
        "-q",
        "--config",
        "env.PATH.value=\"/usr/bin:/bin\"",
        "--config=env.PATH.force=true",
        "--config",
        file.to_str().expect("text"),
        "--config=build.rustflags=[\"--cfg=of_the_user\"]",
        "--config",
        "env.OF_THE_PROJECT=\"or the user\"",
    ]);
    let (said, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let host = &machine.case.host;
    let expected = format!("(true, true, false)\n(Some(\"or the user\"), None)\n{host} /\n");
    assert_eq!(said, expected, "{errors}");
    let expected =
        ["--config: env.PATH".to_owned(), format!("{}:1: build.rustc-wrapper", file.display())];
    assert_eq!(warnings(&plan), expected);
    assert_ne!(plan.env_id.to_string(), machine.case.id());
}

#[test]
fn binaries_come_out_in_the_target_directory_of_the_plan() {
    for release in ["1.91.0", "1.90.0"] {
        let dir = tempfile::tempdir().expect("a directory");
        // The configuration of a project loses against `CARGO_TARGET_DIR`, as with cargo.
        let mut machine = Machine::new(dir.path(), "build.target-dir = \"elsewhere\"\n");
        machine.case.rust.version_verbose = format!("release: {release}\n");
        machine.case.paths.target_dir = dir.path().join("of the user");
        let (program, _) = machine.build();
        let plan = machine.case.plan().expect("a plan");
        let (target_dir, build_dir) = (&machine.case.paths.target_dir, &plan.build_dir);
        let place = if machine.case.rust.has_build_dir() {
            assert_eq!(messages::expected_place(&program, build_dir, target_dir), None);
            program.clone()
        } else {
            messages::expected_place(&program, build_dir, target_dir).expect("is elsewhere")
        };
        assert_eq!(place, target_dir.join(format!("{}/debug/app", machine.case.host)));
        assert!(program.is_file() && !dir.path().join("w/elsewhere").exists(), "{release}");
    }
}

#[test]
fn two_checkouts_give_the_same_bytes_and_the_second_build_has_nothing_to_do() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut programs = Vec::new();
    for name in ["a", "a longer ü name"] {
        let root = dir.path().join(name);
        std::fs::create_dir_all(&root).expect("made");
        let machine = Machine::new(&root, "");
        let (program, fresh) = machine.build();
        assert!(!fresh);
        assert!(machine.build().1, "nothing to do");
        if machine.case.rust.has_build_dir() {
            let place = format!("w/target/{}/debug/app", machine.case.host);
            assert_eq!(program, root.join(place), "where users expect it");
        }
        programs.push(std::fs::read(program).expect("readable"));
    }
    assert!(programs[0] == programs[1], "the programs differ");
    let text = String::from_utf8_lossy(&programs[0]);
    assert!(!text.contains(dir.path().to_str().expect("text")), "a path of this machine leaked");
}
