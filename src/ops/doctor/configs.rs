//! Configuration of cargo's that a plain build would obey: in the home directory, in directories
//! above the project, and what the project's own says about this machine's CPU.

use std::path::{Path, PathBuf};

use super::{Area, Guard, Leak, Patient, Weight, short};
use crate::hermetic;
use crate::hermetic::build_inputs::{BuildInput, build_inputs};
use crate::hermetic::cargo_config::{ConfigFile, FILE_NAMES, includes};
use crate::hermetic::cfg_expr::TargetCfgs;
use crate::ops::at::At;
use crate::ops::configs::Configs;
use crate::ops::error::Error;
use crate::ops::user;
use crate::sys::fs::read_text;
use crate::vocab::triple::RustTriple;

const BASELINE: &str = "take it out; `baseline` in the settings names what the output may assume";
const MOVE: &str = "take it out, or move it to the project's own .cargo/config.toml";

/// The findings.
pub fn leaks(patient: &Patient<'_>) -> Result<Vec<Leak>, Error> {
    let ambient = patient.context.ambient;
    let own = patient.project.map(|project| project.root.as_path());
    // Cargo looks from the directory that it is started in; the project's is the project's.
    let above = own.filter(|root| !ambient.cwd.starts_with(root)).unwrap_or(&ambient.cwd);
    let dirs = above.ancestors().filter(|dir| Some(*dir) != own);
    let mut leaks = Vec::new();
    // Also where the project is the home directory.
    let of_project = own.map(|root| root.join(".cargo"));
    let dirs = user::config_dirs(ambient, dirs).into_iter();
    for dir in dirs.filter(|dir| Some(dir) != of_project.as_ref()) {
        leaks.extend(of_dir(patient, &dir)?);
    }
    if let Some(project) = patient.project {
        for file in Configs::read(project, &[])?.files {
            leaks.extend(own_cpu(build_inputs(&file)?, &file.path));
        }
        let lines = project.root_text.lines().enumerate();
        for (index, _) in lines.filter(|(_, line)| asks_for_cpu(line)) {
            leaks.push(cpu_leak("rustflags", &project.root.join("Cargo.toml"), index + 1));
        }
    }
    Ok(leaks)
}

fn of_dir(patient: &Patient<'_>, dir: &Path) -> Result<Vec<Leak>, Error> {
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
                let concerns = inputs.into_iter().filter(|input| concerns(patient, &input.key));
                leaks.extend(concerns.map(|input| of_machine(&input, &file.path, is_root)));
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
fn concerns(patient: &Patient<'_>, key: &str) -> bool {
    let (Some(target), Some(rest)) = (patient.target, key.strip_prefix("target.")) else {
        return true;
    };
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let section = match quote {
        Some(quote) => rest[1..].split(quote).next(),
        None => rest.split('.').next(),
    };
    let section = section.unwrap_or_default();
    let is = |triple: &RustTriple| section == triple.as_str();
    let cfgs = TargetCfgs::of(target);
    // An expression that nobody can evaluate may be about anything.
    is(target)
        || is(&patient.context.host)
        || (section.starts_with("cfg(") && cfgs.matches(section).unwrap_or(true))
}

fn of_machine(input: &BuildInput, path: &Path, is_root: bool) -> Leak {
    let BuildInput { key, line, value, why } = input;
    Leak {
        effect: format!(
            "{why}{}",
            if asks_for_cpu(value) { ", for other CPUs than the target's" } else { "" }
        ),
        guard: if is_root { Guard::Refused } else { Guard::Prevented },
        help: if asks_for_cpu(value) { BASELINE } else { MOVE }.to_owned(),
        ..leak(&format!("{key} = {}", short(value)), At::line(path, *line))
    }
}

/// The project's configuration is the project's, but what CPU it runs on is not for one machine to
/// say.
fn own_cpu(inputs: Vec<BuildInput>, path: &Path) -> impl Iterator<Item = Leak> {
    let flags = inputs.into_iter().filter(|input| input.key.ends_with("rustflags"));
    flags.filter(|input| asks_for_cpu(&input.value)).map(|input| {
        cpu_leak(&format!("{} = {}", input.key, short(&input.value)), path, input.line)
    })
}

fn cpu_leak(what: &str, path: &Path, line: usize) -> Leak {
    Leak {
        effect: "builds for other CPUs than the target's baseline".to_owned(),
        guard: Guard::Reported,
        help: BASELINE.to_owned(),
        ..leak(what, At::line(path, line))
    }
}

/// Whether flags of rustc's ask for this machine's CPU, or for instructions beyond the target's.
fn asks_for_cpu(text: &str) -> bool {
    let lists = text.split("target-feature=").skip(1).map(|list| {
        let end = list.find(|c: char| !c.is_ascii_alphanumeric() && !"+-,._".contains(c));
        &list[..end.unwrap_or(list.len())]
    });
    // How the C library is linked is called a feature, too.
    let mut features = lists.flat_map(|list| list.split(',')).filter(|one| *one != "+crt-static");
    text.contains("target-cpu=native") || features.any(|one| one.starts_with('+'))
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
    Leak {
        area: Area::Configuration,
        weight: Weight::Leak,
        what: what.to_owned(),
        places: vec![place],
        effect: String::new(),
        guard: Guard::Prevented,
        help: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_and_added_features_are_noticed() {
        for text in [
            "['-Ctarget-cpu=native']",
            "\"-C target-feature=-a,+avx2 -Cx\"",
            "['-Ctarget-feature=+crt-static,+aes']",
        ] {
            assert!(asks_for_cpu(text), "{text}");
        }
        for text in ["-Ctarget-cpu=x86-64-v2", "'-Ctarget-feature=+crt-static'", "+avx2"] {
            assert!(!asks_for_cpu(text), "{text}");
        }
    }
}
