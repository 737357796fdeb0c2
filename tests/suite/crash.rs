//! Processes killed in the middle: the next run succeeds, goes on where the download was, and
//! sweeps what was left.

use std::fs;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::archive_fixture::TARGET;
use crate::support::archive_fixture::tool_prefix;
use crate::support::project::Project;
use crate::support::server::{Fault, Request};

fn start(project: &Project) -> Child {
    let mut command = project.command(&["-q", "restore"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the program starts")
}

/// SIGKILL, and the end of the process.
fn kill(mut child: Child) {
    child.kill().expect("killed");
    child.wait().expect("ended");
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what} takes too long");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A tar archive of 9 MB that compresses to itself: large enough for a partial file.
fn large() -> Vec<u8> {
    let mut seed = 1_u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    let mut builder = tar::Builder::new(Vec::new());
    let path = format!("usr/bin/{}-gcc", tool_prefix(TARGET));
    for (path, bytes) in [
        (path.as_str(), b"#!/bin/sh\n".to_vec()),
        ("usr/lib/noise", (0..9_000_000).map(|_| noise()).collect()),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o755);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        builder.append_data(&mut header, path, &bytes[..]).expect("memory");
    }
    builder.into_inner().expect("memory")
}

/// A project whose one missing artifact is large.
fn project() -> Project {
    let mut project = Project::locked();
    project.replace(&Project::gcc(), large());
    project.all_but_gcc();
    project
}

fn partial_bytes(project: &Project) -> u64 {
    let dir = project.xprov_home.join("v1/partial");
    let sizes = project.store_names("partial").into_iter().map(|name| dir.join(name));
    sizes.map(|path| fs::metadata(path).map_or(0, |metadata| metadata.len())).sum()
}

#[test]
fn a_killed_download_goes_on_where_it_was() {
    let project = project();
    let objects = project.store_names("objects");
    let before = project.requests();
    project.server().fault(&project.gcc_path(), Fault::StallAfter(5_000_000));
    let child = start(&project);
    until("the partial file", || partial_bytes(&project) > 4_000_000);
    kill(child);
    assert_eq!(project.store_names("objects"), objects, "nothing was published");
    assert!(!project.store_names("staging").is_empty(), "its private directory is left");
    let kept = partial_bytes(&project);

    project.xprov("-q restore").ok();
    let requests = &project.server().requests()[before..];
    let starts: Vec<Option<usize>> = requests.iter().map(Request::range_start).collect();
    assert_eq!(starts, [None, usize::try_from(kept).ok()], "the rest was asked for, and no more");
    assert_eq!(project.leftovers(), [""; 0]);

    let unbroken = project_restored();
    assert_eq!(project.store_names("objects"), unbroken.store_names("objects"));
}

fn project_restored() -> Project {
    let project = project();
    project.xprov("-q restore").ok();
    project
}

#[test]
fn a_partial_file_with_wrong_bytes_is_not_believed() {
    let project = project();
    let pin = project.archive(&Project::gcc()).sha256();
    let dir = project.xprov_home.join("v1/partial");
    fs::create_dir_all(&dir).expect("a directory");
    fs::write(dir.join(pin), vec![7; 3_000_000]).expect("written");
    project.xprov("-q restore").ok();
    assert_eq!(project.leftovers(), [""; 0]);
    assert_eq!(project.objects().len(), 8);
}

#[test]
fn who_waits_for_a_killed_process_takes_its_work_over() {
    let project = project();
    let before = project.requests();
    project.server().fault(&project.gcc_path(), Fault::StallAfter(5_000_000));
    let first = start(&project);
    until("the partial file", || partial_bytes(&project) > 4_000_000);
    let second = start(&project);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(project.requests() - before, 1, "the second waits");
    kill(first);
    let output = second.wait_with_output().expect("it ends");
    assert_eq!(project.outcome(&output).code, Some(0));
    assert_eq!(project.objects().len(), 8);
    // The second was there before the first was killed, so what that left is for the next.
    project.xprov("-q restore").ok();
    assert_eq!(project.leftovers(), [""; 0]);
}

#[test]
fn killed_at_any_time_the_store_stays_good() {
    let project = Project::locked();
    for archive in &project.archives {
        let fault = Fault::Trickle(100, Duration::from_millis(3));
        project.server().always(&format!("/{}", archive.file()), fault);
    }
    for round in 0..25_u64 {
        let child = start(&project);
        thread::sleep(Duration::from_millis(4 * round));
        kill(child);
        for dir in ["compositions", "closures"] {
            for name in project.store_names(dir) {
                let path = project.xprov_home.join("v1").join(dir).join(name);
                // So that there is something to do in each round.
                if dir == "closures" {
                    fs::remove_file(&path).expect("removed");
                } else {
                    xprov::sys::fs::remove_tree(&path).expect("removed");
                }
            }
        }
    }
    project.xprov("-q restore").ok();
    assert_eq!(project.leftovers(), [""; 0]);
    let unbroken = Project::locked();
    unbroken.xprov("-q restore").ok();
    assert_eq!(project.store_names("objects"), unbroken.store_names("objects"));
    project.xprov("store list").ok();
}
