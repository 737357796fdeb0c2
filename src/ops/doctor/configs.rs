//! Configuration of cargo's that a plain build would obey: in the home directory and in directories
//! above the project.

use std::path::{Path, PathBuf};

use super::{Area, Guard, Leak, Patient, cpu, short};
use crate::hermetic;
use crate::hermetic::build_inputs::{BuildInput, build_inputs};
use crate::hermetic::cargo_config::{ConfigFile, FILE_NAMES, includes};
use crate::hermetic::cfg_expr::TargetCfgs;
use crate::hermetic::flags::Allowed;
use crate::ops::at::At;
use crate::ops::error::Error;
use crate::ops::user;
use crate::sys::fs::read_text;
use crate::vocab::triple::RustTriple;

/// The targets that are examined.
type Targets = [(RustTriple, Allowed)];

const BASELINE: &str = "take it out; `baseline` in the settings names what the output may assume";
const MOVE: &str = "take it out, or move it to the project's own .cargo/config.toml";

/// The findings.
pub fn leaks(patient: &Patient<'_>) -> Result<Vec<Leak>, Error> {
    let ambient = patient.context.ambient;
    let own = patient.project.map(|project| project.root.as_path());
    // Cargo looks from the directory that it is started in; the project's is the project's.
    let above = own.filter(|root| !ambient.cwd.starts_with(root)).unwrap_or(&ambient.cwd);
    let dirs = above.ancestors().filter(|dir| Some(*dir) != own);
    let targets = cpu::targets(patient)?;
    let mut leaks = Vec::new();
    // Also where the project is the home directory.
    let of_project = own.map(|root| root.join(".cargo"));
    let dirs = user::config_dirs(ambient, dirs).into_iter();
    for dir in dirs.filter(|dir| Some(dir) != of_project.as_ref()) {
        leaks.extend(of_dir(patient, &dir, &targets)?);
    }
    if let Some(project) = patient.project {
        leaks.extend(cpu::of_project(patient, project, &targets)?);
    }
    Ok(leaks)
}

fn of_dir(patient: &Patient<'_>, dir: &Path, targets: &Targets) -> Result<Vec<Leak>, Error> {
    let mut paths: Vec<PathBuf> = FILE_NAMES.map(|name| dir.join(name)).into();
    paths.retain(|path| path.is_file());
    let mut leaks = Vec::new();
    if let [read, ignored] = paths.as_slice() {
        leaks.push(Leak {
            effect: "cargo reads the one without `.toml`, and not this one".to_owned(),
            help: format!("join it with {} in one file", read.display()),
            ..leak("two configurations in one directory", At::whole(ignored))
        });
        paths.truncate(1);
    }
    let Some(path) = paths.pop() else { return Ok(leaks) };
    let is_root = dir == patient.root.join(".cargo");
    if is_root {
        leaks.push(Leak {
            effect: "every build on this machine reads it, whatever directory it starts in".into(),
            guard: Guard::Refused,
            help: "move it to your home directory".to_owned(),
            ..leak("a configuration at the root of the file system", At::whole(&path))
        });
    }
    let mut files = vec![path];
    let mut next = 0;
    while let Some(path) = files.get(next).cloned() {
        next += 1;
        let Some(text) = read_text(&path)? else { continue };
        let file = ConfigFile::new(path, text);
        match (build_inputs(&file), includes(&file)) {
            (Ok(inputs), Ok(more)) => {
                let concerns = inputs.into_iter().filter(|input| concerns(patient, input));
                leaks.extend(concerns.map(|input| of_machine(input, targets, is_root)));
                files.extend(
                    more.into_iter().filter(|path| !files.contains(path)).collect::<Vec<_>>(),
                );
            }
            (Err(error), _) | (_, Err(error)) => leaks.push(unreadable(&error, &file.path)),
        }
    }
    Ok(leaks)
}

/// Whether a key is about the target that was asked for, if one was.
fn concerns(patient: &Patient<'_>, input: &BuildInput) -> bool {
    let host = &patient.context.host;
    patient.target.is_none_or(|target| input.concerns(host, target, &TargetCfgs::of(target)))
}

fn of_machine(input: BuildInput, targets: &Targets, is_root: bool) -> Leak {
    let is_beyond = cpu::is_beyond(&input, targets);
    let BuildInput { key, place, value, why, .. } = input;
    Leak {
        effect: format!("{why}{}", if is_beyond { ", beyond the target's baseline" } else { "" }),
        guard: if is_root { Guard::Refused } else { Guard::Prevented },
        help: if is_beyond { BASELINE } else { MOVE }.to_owned(),
        ..leak(&format!("{key} = {}", short(&value)), place.into())
    }
}

fn unreadable(error: &hermetic::Error, path: &Path) -> Leak {
    let line = match error {
        hermetic::Error::Config { line, .. } => Some(*line),
        _ => None,
    };
    Leak {
        effect: "cargo and xprov both fail at it".to_owned(),
        guard: Guard::Refused,
        help: "correct it".to_owned(),
        ..leak("not a cargo configuration", At { path: path.to_path_buf(), line })
    }
}

fn leak(what: &str, place: At) -> Leak {
    Leak::new(Area::Configuration, what, vec![place])
}
