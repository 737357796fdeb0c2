//! Several processes at one store: all succeed, no work is done twice, nothing is left behind.

use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::archive_fixture::TARGET;
use crate::support::project::Project;
use crate::support::server::Fault;

/// Starts the program without waiting for it.
fn start(project: &Project, line: &str) -> Child {
    let mut command = project.command(&line.split_whitespace().collect::<Vec<_>>());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

fn all_succeed(project: &Project, children: Vec<Child>) -> Vec<String> {
    children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().expect("it ends");
            project.outcome(&output).ok().stderr
        })
        .collect()
}

/// Makes every download take long enough for the processes to meet.
fn slow(project: &Project) {
    for archive in &project.archives {
        let fault = Fault::Trickle(60, Duration::from_millis(40));
        project.server().always(&format!("/{}", archive.file()), fault);
    }
}

#[test]
fn four_restores_of_one_lock_fetch_each_artifact_once() {
    let project = Project::locked();
    slow(&project);
    let messages = all_succeed(&project, (0..4).map(|_| start(&project, "restore")).collect());
    assert_eq!(project.requests(), 8, "one request for each artifact");
    assert_eq!(project.objects().len(), 8);
    assert_eq!(project.leftovers(), [""; 0]);
    let waited = messages.iter().any(|text| text.contains("Waiting for another xprov, which"));
    assert!(waited, "who waits says so: {messages:?}");
    // What they made is what one of them would have made.
    let alone = Project::locked();
    alone.xprov("restore").ok();
    assert_eq!(project.store_names("objects"), alone.store_names("objects"));
    assert_eq!(project.store_names("compositions").len(), alone.store_names("compositions").len());
}

#[test]
fn builds_at_once_share_one_environment() {
    let project = Project::locked();
    slow(&project);
    let line = format!("build --target {TARGET}");
    all_succeed(&project, (0..3).map(|_| start(&project, &line)).collect());
    assert_eq!(project.requests(), 8);
    let environments = project.store_names("envs");
    assert_eq!(environments.len(), 2, "one directory and its stamp: {environments:?}");
    assert_eq!(project.leftovers(), [""; 0]);
}

#[test]
fn locks_written_at_once_are_whole_and_equal() {
    let project = Project::new();
    let line = format!("lock --target {TARGET}");
    all_succeed(&project, (0..4).map(|_| start(&project, &line)).collect());
    let alone = project.read("toolchains.lock");
    project.xprov(&line).ok();
    assert_eq!(project.read("toolchains.lock"), alone);
    let stray: Vec<_> = std::fs::read_dir(&project.project)
        .expect("the project")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(".xprov"))
        .collect();
    assert_eq!(stray, [""; 0], "no temporary file is left");
}
