//! Flags, compilers and profiles for rustc, out of variables and cargo configurations.

use super::corpus::{HOST, Theme, Verb, check};
use super::row::{Proof, Row, row, variable};
use super::surroundings::Surroundings;

const MAIN: &str = r#"
fn main() {
    let sum: f64 = (1..9).map(|n| f64::from(n) * 0.5).sum();
    println!("{} {:?} {sum}", cfg!(hostile), option_env!("LEAKED"));
    println!("{} {}", cfg!(target_feature = "sse3"), cfg!(target_feature = "lse"));
}
"#;

/// A flag that shows in the program.
const FLAG: &str = "--cfg=hostile";

/// A feature that the host's architecture has, above its baseline.
const FEATURE: &str = if cfg!(target_arch = "aarch64") { "+lse" } else { "+sse3" };

/// A compiler, and a wrapper of one, that adds the flag; what cargo asks about the compiler is
/// answered without it.
const COMPILER: &str = "exec rustc \"$@\" --cfg=hostile";
const WRAPPER: &str = "exec \"$@\" --cfg=hostile";
const LINKER: &str = "exec cc -Wl,--defsym=hostile=1 -Wl,--build-id=sha1 \"$@\"";

fn theme(rows: Vec<Row>) -> Theme {
    Theme {
        name: "flagged",
        files: vec![("src/main.rs", MAIN.into())],
        manifest: "",
        verb: Verb::Build,
        rows,
    }
}

fn target_variable(end: &str) -> String {
    format!("CARGO_TARGET_{}_{end}", HOST.to_uppercase().replace('-', "_"))
}

#[test]
fn variables_for_cargo_and_rustc() {
    let linker = |s: &mut Surroundings| {
        let linker = s.program("hostile-cc", LINKER);
        s.set(&target_variable("LINKER"), &linker);
    };
    check(&theme(vec![
        variable("var-rustflags", "RUSTFLAGS", FLAG),
        variable("var-encoded-rustflags", "CARGO_ENCODED_RUSTFLAGS", FLAG),
        variable("var-build-rustflags", "CARGO_BUILD_RUSTFLAGS", FLAG),
        row("var-target-rustflags", |s| s.set(&target_variable("RUSTFLAGS"), FLAG)),
        row("var-target-linker", linker),
        row("var-rustc", |s| {
            let compiler = s.program("rustc", COMPILER);
            s.set("RUSTC", &compiler);
        }),
        row("var-rustc-wrapper", |s| {
            let wrapper = s.program("wrapper", WRAPPER);
            s.set("RUSTC_WRAPPER", &wrapper);
        }),
        row("var-build-rustc-wrapper", |s| {
            let wrapper = s.program("wrapper", WRAPPER);
            s.set("CARGO_BUILD_RUSTC_WRAPPER", &wrapper);
        }),
        row("var-rustc-workspace-wrapper", |s| {
            let wrapper = s.program("wrapper", WRAPPER);
            s.set("RUSTC_WORKSPACE_WRAPPER", &wrapper);
        }),
        variable("var-profile", "CARGO_PROFILE_DEV_OPT_LEVEL", "3"),
        variable("var-option-env", "LEAKED", "by option_env"),
        variable("var-build-target", "CARGO_BUILD_TARGET", "nowhere-unknown-none")
            .seen_by(Proof::Failure),
        row("path-rustc", |s| {
            s.program_on_path("rustc", "PATH=${PATH#*:}; exec rustc \"$@\" --cfg=hostile");
        }),
        row("path-cc", |s| {
            let script = "PATH=${PATH#*:}; exec cc -Wl,--defsym=hostile=1 \
                          -Wl,--build-id=sha1 \"$@\"";
            s.program_on_path("cc", script);
        }),
    ]));
}

#[test]
fn documentation() {
    let page = "//! A crate.\n#[cfg(hostile)]\npub fn hostile() {}\n";
    let rows = vec![
        row("var-rustdoc", |s| {
            let tool = s.program("rustdoc", "exec rustdoc \"$@\" --cfg=hostile");
            s.set("RUSTDOC", &tool);
        }),
        variable("var-rustdocflags", "RUSTDOCFLAGS", FLAG),
        variable("var-encoded-rustdocflags", "CARGO_ENCODED_RUSTDOCFLAGS", FLAG),
    ];
    let files = vec![("src/lib.rs", page.into())];
    check(&Theme { name: "documented", files, manifest: "", verb: Verb::Doc, rows });
}

/// The program that rustup puts in the place of cargo, as far as the choice of a toolchain goes: a
/// variable, then a file of the project. The other toolchain here is the pinned one with a flag
/// more.
const RUSTUP: &str = r#"
choice=$RUSTUP_TOOLCHAIN
[ -n "$choice" ] || choice=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml 2>/dev/null)
[ "$choice" != other ] || export CARGO_BUILD_RUSTFLAGS=--cfg=hostile
exec cargo "$@"
"#;

/// A user whose cargo is rustup's.
fn rustup(s: &mut Surroundings) {
    s.cargo = Some(s.program("rustup/cargo", RUSTUP).into());
}

#[test]
fn choices_of_rustup() {
    check(&theme(vec![
        row("var-rustup-toolchain", |s| {
            rustup(s);
            s.set("RUSTUP_TOOLCHAIN", "other");
        }),
        row("file-rust-toolchain", |s| {
            rustup(s);
            s.project_file("rust-toolchain.toml", "[toolchain]\nchannel = \"other\"\n");
        }),
    ]));
}

/// Rows for one place of a cargo configuration, home or above.
fn configurations(ids: [&'static str; 6], add: fn(&mut Surroundings, &str)) -> Vec<Row> {
    let [flags, target_flags, linker, env, wrapper, profile] = ids;
    let simple = |id, text: String| row(id, move |s| add(s, &text));
    vec![
        simple(flags, format!("build.rustflags = ['{FLAG}']\n")),
        simple(target_flags, format!("target.{HOST}.rustflags = ['{FLAG}']\n")),
        row(linker, move |s| {
            let path = s.program("hostile-cc", LINKER);
            add(s, &format!("target.{HOST}.linker = '{path}'\n"));
        }),
        simple(env, "env.LEAKED = { value = 'by a configuration', force = true }\n".into()),
        row(wrapper, move |s| {
            let path = s.program("wrapper", WRAPPER);
            add(s, &format!("build.rustc-wrapper = '{path}'\n"));
        }),
        simple(profile, "profile.dev.opt-level = 3\n".into()),
    ]
}

#[test]
fn configurations_at_home_and_above() {
    let mut rows = configurations(
        [
            "home-rustflags",
            "home-target-rustflags",
            "home-linker",
            "home-env",
            "home-rustc-wrapper",
            "home-profile",
        ],
        Surroundings::home_config,
    );
    rows.extend(configurations(
        [
            "above-rustflags",
            "above-target-rustflags",
            "above-linker",
            "above-env",
            "above-rustc-wrapper",
            "above-profile",
        ],
        Surroundings::config_above,
    ));
    rows.push(row("cwd-config", |s| {
        let text = format!("build.rustflags = ['{FLAG}']\n");
        s.file("somewhere/.cargo/config.toml", &text);
        s.cwd = Some(s.root.join("somewhere"));
        let manifest = s.checkout.join("Cargo.toml");
        s.arguments = ["--manifest-path", manifest.to_str().expect("UTF-8")].map(Into::into).into();
    }));
    check(&theme(rows));
}

/// What the project asks for itself is filtered to the baseline, and the file is named.
#[test]
fn the_projects_own_flags() {
    const FILE: &str = ".cargo/config.toml";
    check(&theme(vec![
        row("project-target-cpu", |s| {
            s.project_file(FILE, "build.rustflags = ['-Ctarget-cpu=native']\n");
        })
        .and_said(&["target-cpu=native", FILE]),
        row("project-target-cpu-spaced", |s| {
            let text = format!("target.{HOST}.rustflags = ['-C', 'target-cpu=native']\n");
            s.project_file(FILE, &text);
        })
        .and_said(&["target-cpu=native", FILE]),
        row("project-target-feature", |s| {
            let text = format!("build.rustflags = ['-Ctarget-feature={FEATURE}']\n");
            s.project_file(FILE, &text);
        })
        .and_said(&[FEATURE, FILE]),
    ]));
}
