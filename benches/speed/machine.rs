//! The machine that figures are from, in one line.

use std::fs;
use std::path::Path;
use std::thread;

/// Processor, cores, memory, kernel, and the file systems of `dirs`.
pub fn describe(dirs: &[&Path]) -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_once(':')).map_or("?".to_owned(), |(_, v)| v.trim().into())
    };
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let memory = value(&read("/proc/meminfo"), "MemTotal");
    let memory: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
    let mounts = read("/proc/mounts");
    let file_systems: Vec<&str> = dirs.iter().map(|dir| file_system(&mounts, dir)).collect();
    format!(
        "{}, {cores} cores, {} GB of memory, Linux {}, {}",
        value(&read("/proc/cpuinfo"), "model name"),
        (memory + (1 << 19)) >> 20,
        read("/proc/sys/kernel/osrelease").trim(),
        file_systems.join(" and "),
    )
}

/// The type of the file system that `dir` is on: that of the longest mount point above it.
fn file_system<'a>(mounts: &'a str, dir: &Path) -> &'a str {
    mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            Some((fields.next()?, fields.next()?))
        })
        .filter(|(point, _)| dir.starts_with(point))
        .max_by_key(|(point, _)| point.len())
        .map_or("?", |(_, kind)| kind)
}
