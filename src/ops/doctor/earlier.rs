//! What earlier builds left below the target directory: plain cargo's files, and build directories
//! of environments that no build uses any more. Deletes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Area, Leak, Patient, below};
use crate::hermetic::cargo_config::ProjectConfig;
use crate::hermetic::cfg_expr::TargetCfgs;
use crate::ops::at::At;
use crate::ops::configs::Configs;
use crate::ops::project::Project;

/// A build directory of xprov's.
struct BuildDir {
    dir: PathBuf,
    /// The target of its environment; empty where the store has no such environment any more.
    target: String,
    used: SystemTime,
}

/// The findings.
pub fn leaks(patient: &Patient<'_>) -> Vec<Leak> {
    let Some(project) = patient.project else { return Vec::new() };
    let target_dir = target_dir(patient, project);
    let mut leaks = Vec::new();
    let stale = stale(build_dirs(patient, &target_dir));
    if !stale.is_empty() {
        let bytes: u64 = stale.iter().map(|dir| size(dir)).sum();
        leaks.push(Leak {
            effect: "takes room; no build looks into them while its environment is another".into(),
            help: "delete them".to_owned(),
            ..note(
                format!("build directories of earlier environments, {}", megabytes(bytes)),
                stale,
            )
        });
    }
    let plain = plain(&target_dir);
    if !plain.is_empty() {
        let bytes: u64 = plain.iter().map(|dir| size(dir)).sum();
        leaks.push(Leak {
            effect: "a plain build goes on with what it finds there, also when a compiler, a \
                     linker or a variable has changed"
                .to_owned(),
            help: "delete them, unless you use plain cargo as well".to_owned(),
            ..note(format!("builds of plain cargo, {}", megabytes(bytes)), plain)
        });
    }
    leaks
}

/// The commands of the environment that was built in last, for the target that was asked for.
pub fn newest_bin(patient: &Patient<'_>) -> Option<PathBuf> {
    let mut dirs = build_dirs(patient, &target_dir(patient, patient.project?));
    dirs.retain(|dir| match patient.target {
        Some(target) => dir.target == target.as_str(),
        None => !dir.target.is_empty(),
    });
    let newest = dirs.into_iter().max_by_key(|dir| dir.used)?;
    Some(env_dir(patient, &newest.dir).join("bin"))
}

/// Where binaries and build directories of the project are.
fn target_dir(patient: &Patient<'_>, project: &Project) -> PathBuf {
    let context = patient.context;
    if let Some(dir) = context.ambient.var("CARGO_TARGET_DIR") {
        return context.ambient.absolute(Path::new(dir));
    }
    let target = patient.target.unwrap_or(&context.host);
    // Whether the configuration can be read is said where it is examined.
    let configs = Configs::read(project, &[]).unwrap_or_default();
    let read = ProjectConfig::read(&configs.files, &context.host, target, &TargetCfgs::of(target));
    let said = read.ok().and_then(|config| config.target_dir);
    said.unwrap_or_else(|| project.root.join("target"))
}

fn env_dir(patient: &Patient<'_>, build_dir: &Path) -> PathBuf {
    let name = build_dir.file_name().unwrap_or_default();
    patient.context.store.layout().envs_dir().join(name)
}

fn build_dirs(patient: &Patient<'_>, target_dir: &Path) -> Vec<BuildDir> {
    let dirs = dirs_below(&target_dir.join("xprov")).into_iter().filter(|dir| {
        // env-id's digits; `tmp` is beside them.
        let name = dir.file_name().unwrap_or_default().as_encoded_bytes();
        name.len() == 16 && name.iter().all(u8::is_ascii_hexdigit)
    });
    let known = dirs.map(|dir| BuildDir {
        target: target_of(&env_dir(patient, &dir)),
        used: last_use(&dir),
        dir,
    });
    known.collect()
}

/// The target of an environment, which CMake's file is named for; empty where there is none.
fn target_of(env_dir: &Path) -> String {
    let files = fs::read_dir(env_dir.join("cmake")).into_iter().flatten().flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    let mut targets = names.filter_map(|name| name.strip_suffix(".cmake").map(str::to_owned));
    targets.next().unwrap_or_default()
}

/// All but the newest of each target, and what is of no known environment.
fn stale(dirs: Vec<BuildDir>) -> Vec<PathBuf> {
    let mut newest: BTreeMap<String, SystemTime> = BTreeMap::new();
    for dir in dirs.iter().filter(|dir| !dir.target.is_empty()) {
        let time = newest.entry(dir.target.clone()).or_insert(dir.used);
        *time = dir.used.max(*time);
    }
    let is_stale = |dir: &BuildDir| newest.get(&dir.target).is_none_or(|time| dir.used < *time);
    dirs.into_iter().filter(is_stale).map(|dir| dir.dir).collect()
}

/// When something in a directory was made last, as far as its upper level shows.
fn last_use(dir: &Path) -> SystemTime {
    let time = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let children = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let times = children.chain([dir.to_path_buf()]).filter_map(|path| time(&path));
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Cargo's own directories for a profile, `target/<profile>` and `target/<triple>/<profile>`:
/// xprov keeps fingerprints elsewhere.
fn plain(target_dir: &Path) -> Vec<PathBuf> {
    let upper = dirs_below(target_dir).into_iter().filter(|dir| !dir.ends_with("xprov"));
    let all = upper.flat_map(|dir| dirs_below(&dir).into_iter().chain([dir]));
    let mut dirs: Vec<PathBuf> = all.filter(|dir| dir.join(".fingerprint").is_dir()).collect();
    dirs.sort();
    dirs
}

/// The directories in a directory; not what links lead to.
fn dirs_below(dir: &Path) -> Vec<PathBuf> {
    let is_dir =
        |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    below(dir).into_iter().filter(is_dir).collect()
}

/// The bytes on disk; what cannot be read counts nothing.
fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        // The unit of `st_blocks` is 512 bytes, whatever the file system's block is.
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    });
    sizes.sum()
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

fn note(what: String, dirs: Vec<PathBuf>) -> Leak {
    Leak::note(Area::EarlierBuilds, what, dirs.into_iter().map(At::whole).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_newest_of_each_target_is_in_use() {
        let dir = |name: &str, target: &str, seconds| BuildDir {
            dir: name.into(),
            target: target.to_owned(),
            used: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
        };
        let dirs =
            vec![dir("a", "arm", 1), dir("b", "arm", 2), dir("c", "x86", 1), dir("d", "", 9)];
        assert_eq!(stale(dirs), [PathBuf::from("a"), PathBuf::from("d")]);
    }

    #[test]
    fn fingerprints_tell_plain_cargo() {
        let root = tempfile::tempdir().expect("a directory");
        let make = |path: &str| fs::create_dir_all(root.path().join(path)).expect("made");
        for dir in ["debug/.fingerprint", "t/release/.fingerprint", "t2/debug", "xprov/a/debug"] {
            make(dir);
        }
        make("xprov/.fingerprint");
        let found = plain(root.path());
        assert_eq!(found, ["debug", "t/release"].map(|dir| root.path().join(dir)));
    }
}
