//! What in the user's surroundings would have changed a build: variables, cargo configuration
//! outside of the project, `rust-toolchain.toml`. What counts is decided elsewhere.

use std::path::PathBuf;

use super::{Notice, NoticeKind, Subject, at};
use crate::hermetic::Plan;
use crate::hermetic::build_inputs::BuildInput;
use crate::hermetic::cfg_expr::TargetCfgs;
use crate::hermetic::dropped::{Dropped, dropped};
use crate::ops::toolchain_file;
use crate::sys::ambient::Ambient;
use crate::sys::fs::FsError;
use crate::vocab::triple::RustTriple;

/// The notices that are known before cargo starts. `outside` are keys of configurations that are
/// not the project's; `release` is the pinned Rust.
pub fn surroundings(
    ambient: &Ambient,
    plan: &Plan,
    outside: &[BuildInput],
    (host, target): (&RustTriple, &RustTriple),
    release: &str,
) -> Result<Vec<Notice>, crate::ops::Error> {
    let mut notices = super::of_warnings(ambient, &plan.warnings);
    notices.extend(dropped(&ambient.variables, &plan.variables).iter().map(variable));
    let cfgs = TargetCfgs::of(target);
    let concerns = outside.iter().filter(|input| input.concerns(host, target, &cfgs));
    notices.extend(concerns.map(|input| configuration(ambient, input)));
    notices.extend(toolchain(ambient, release)?);
    Ok(notices)
}

fn variable(dropped: &Dropped<'_>) -> Notice {
    let name = dropped.name;
    let passable = ["CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS"];
    let base = name.split('_').next().unwrap_or(name);
    Notice {
        kind: NoticeKind::Variable,
        subject: Subject::Variable { variable: name.to_owned() },
        what: name.to_owned(),
        became: None,
        why: dropped.why.to_owned(),
        allow: passable.contains(&base).then(|| format!("env.pass = [\"{name}\"]")),
    }
}

fn configuration(ambient: &Ambient, input: &BuildInput) -> Notice {
    Notice {
        kind: NoticeKind::Configuration,
        subject: at(ambient, &input.place),
        what: input.key.clone(),
        became: None,
        why: "only the workspace's own configuration reaches a build".to_owned(),
        allow: None,
    }
}

/// Only a file that asks for another Rust is worth a word.
fn toolchain(ambient: &Ambient, release: &str) -> Result<Option<Notice>, FsError> {
    let wanted = toolchain_file::nearest(&ambient.cwd)?;
    let other = wanted.filter(|wanted| !toolchain_file::allows(&wanted.channel, release));
    Ok(other.map(|wanted| {
        let version = toolchain_file::version(&wanted.channel);
        let file: PathBuf = ambient.shown(&wanted.path).to_path_buf();
        Notice {
            kind: NoticeKind::Toolchain,
            allow: version.map(|version| format!("rust = \"{version}\"")),
            subject: Subject::File { file, line: wanted.line },
            what: wanted.channel,
            became: Some(release.to_owned()),
            why: "toolchains.lock pins Rust".to_owned(),
        }
    }))
}
