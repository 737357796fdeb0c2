//! Broken and stalled connections, mirrors, and downloads that outlive their process.

use std::io::Read;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use xprov::fetch::{Actual, FetchError, Fetcher, Options, Pin, Reason};
use xprov::vocab::event::{Event, Silent};

use super::{Recorder, artifact, fetch, fetcher, options, pin, urls};
use crate::support::server::{Fault, Request, Server};

fn ranges(server: &Server) -> Vec<Option<usize>> {
    server.requests().iter().map(Request::range_start).collect()
}

#[test]
fn a_cut_connection_goes_on_where_it_ended() {
    let server = Server::start();
    let bytes = artifact(50_000);
    server.serve("/a", bytes.clone());
    server.fault("/a", Fault::CutAfter(20_000));
    server.fault("/a", Fault::CutAfter(10_000));
    let found = fetch(&fetcher(), &urls([server.url("/a")]), &pin(&bytes));
    assert_eq!(found.expect("resumed"), bytes);
    assert_eq!(ranges(&server), [None, Some(20_000), Some(30_000)]);
}

#[test]
fn a_stalled_connection_is_given_up_and_resumed() {
    let server = Server::start();
    let bytes = artifact(50_000);
    server.serve("/a", bytes.clone());
    server.fault("/a", Fault::StallAfter(20_000));
    let began = Instant::now();
    let urls = urls([server.url("/a")]);
    let (pin, recorder, fetcher) = (pin(&bytes), Recorder::default(), fetcher());
    let download = fetcher.open("gcc", &urls, &pin, None, &recorder).expect("opened");
    download.finish().expect("resumed");
    assert!(began.elapsed() < Duration::from_millis(1500));
    assert_eq!(ranges(&server), [None, Some(20_000)]);
    let retried = recorder.events().into_iter().find_map(|event| match event {
        Event::Retrying { reason, .. } => Some(reason),
        _ => None,
    });
    assert_eq!(retried.as_deref(), Some("nothing arrived for 0.3 s"));
}

#[test]
fn a_slow_server_is_no_stalled_one() {
    let server = Server::start();
    let bytes = artifact(600);
    server.serve("/a", bytes.clone());
    server.fault("/a", Fault::Trickle(100, Duration::from_millis(100)));
    let found = fetch(&fetcher(), &urls([server.url("/a")]), &pin(&bytes));
    assert_eq!(found.expect("slow but whole"), bytes);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn servers_that_ignore_or_confuse_ranges_are_coped_with() {
    let bytes = artifact(50_000);
    for fault in [Fault::IgnoreRange, Fault::WrongRange] {
        let server = Server::start();
        server.serve("/a", bytes.clone());
        server.fault("/a", Fault::CutAfter(20_000));
        server.fault("/a", fault.clone());
        let found = fetch(&fetcher(), &urls([server.url("/a")]), &pin(&bytes));
        assert_eq!(found.expect("whole"), bytes, "{fault:?}");
    }
}

#[test]
fn an_announced_length_that_does_not_come_is_a_broken_connection() {
    let server = Server::start();
    let bytes = artifact(5000);
    server.serve("/a", bytes.clone());
    server.fault("/a", Fault::ContentLength(6000));
    let urls = urls([server.url("/a")]);
    let unsized_pin = Pin { size: None, ..pin(&bytes) };
    assert_eq!(fetch(&fetcher(), &urls, &unsized_pin).expect("nothing was missing"), bytes);
    assert_eq!(ranges(&server), [None, Some(5000)]);

    server.serve("/a", bytes[..4000].to_vec());
    server.fault("/a", Fault::ContentLength(5000));
    let error = fetch(&fetcher(), &urls, &pin(&bytes)).expect_err("truncated");
    let FetchError::Mismatch { wrong, .. } = &error else { panic!("{error}") };
    assert_eq!(wrong.actual, Actual::Announced(4000));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn wherever_connections_break_the_bytes_are_the_same(
        length in 1_usize..40_000,
        sized: bool,
        script in proptest::collection::vec((0_usize..20_000, 0..4), 0..4),
    ) {
        let server = Server::start();
        let bytes = artifact(length);
        server.serve("/a", bytes.clone());
        for (count, kind) in &script {
            server.fault("/a", match kind {
                0 => Fault::CutAfter(*count),
                1 => Fault::IgnoreRange,
                2 => Fault::WrongRange,
                _ => Fault::Hangup,
            });
        }
        let fetcher = Fetcher::new(Options { attempts: 9, ..options() });
        let whole = pin(&bytes);
        let pin = if sized { whole } else { Pin { size: None, ..whole } };
        let found = fetch(&fetcher, &urls([server.url("/a")]), &pin);
        prop_assert!(found.expect("patience suffices") == bytes);
    }
}

#[test]
fn tries_are_bounded_and_then_the_next_mirror_goes_on() {
    let (bad, good) = (Server::start(), Server::start());
    let bytes = artifact(50_000);
    bad.serve("/a", bytes.clone());
    good.serve("/b", bytes.clone());
    bad.always("/a", Fault::CutAfter(5000));
    let both = urls([bad.url("/a"), good.url("/b")]);
    assert_eq!(fetch(&fetcher(), &both, &pin(&bytes)).expect("from the other"), bytes);
    assert_eq!(bad.requests().len(), 3);
    assert_eq!(ranges(&good), [Some(15_000)]);

    let error = fetch(&fetcher(), &both[..1], &pin(&bytes)).expect_err("always cut");
    let FetchError::Failed { attempts, .. } = &error else { panic!("{error}") };
    assert!(matches!(attempts[0].reason, Reason::Broken(_)), "{error}");
    assert!(error.to_string().contains(&bad.url("/a")));
}

#[test]
fn a_dead_mirror_and_a_missing_one_do_not_matter() {
    let server = Server::start();
    let bytes = artifact(1000);
    server.serve("/b", bytes.clone());
    let dead = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = dead.local_addr().expect("the port");
    drop(dead);
    let all = urls([format!("http://{address}/a"), server.url("/missing"), server.url("/b")]);
    assert_eq!(fetch(&fetcher(), &all, &pin(&bytes)).expect("from the third"), bytes);

    let error = fetch(&fetcher(), &all[..2], &pin(&bytes)).expect_err("nobody has it");
    let FetchError::Failed { attempts, .. } = &error else { panic!("{error}") };
    assert!(matches!(attempts[0].reason, Reason::Connect(_)));
    assert!(matches!(attempts[1].reason, Reason::NotFound));

    let missing = urls([server.url("/missing"), server.url("/gone")]);
    let error = fetch(&fetcher(), &missing, &pin(&bytes)).expect_err("nobody has it");
    assert!(matches!(&error, FetchError::NotFound { urls, .. } if urls.len() == 2), "{error}");
}

#[test]
fn a_busy_server_is_asked_again_when_it_says() {
    let server = Server::start();
    server.serve("/a", *b"abc");
    server.fault("/a", Fault::Status(503, None));
    server.fault("/a", Fault::Status(429, Some(1)));
    let began = Instant::now();
    assert_eq!(fetch(&fetcher(), &urls([server.url("/a")]), &pin(b"abc")).expect("then"), b"abc");
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_killed_download_goes_on_in_the_next_process() {
    const SIZE: usize = 9 << 20;
    let dir = tempfile::tempdir().expect("a directory");
    let partial = dir.path().join("partial");
    let server = Server::start();
    let bytes = artifact(SIZE);
    server.serve("/a", bytes.clone());
    let urls = urls([server.url("/a")]);
    let pin = pin(&bytes);

    let first = fetcher();
    let mut download = first.open("gcc", &urls, &pin, Some(&partial), &Silent).expect("opened");
    let mut some = vec![0; 3 << 20];
    download.read_exact(&mut some).expect("the first third");
    drop(download);
    let kept = std::fs::metadata(&partial).expect("kept").len();
    assert_eq!(kept, 3 << 20);

    let (second, recorder) = (fetcher(), Recorder::default());
    let mut download = second.open("gcc", &urls, &pin, Some(&partial), &recorder).expect("opened");
    let mut all = Vec::new();
    download.read_to_end(&mut all).expect("the rest");
    assert!(all == bytes, "other bytes");
    assert_eq!(download.finish().expect("the right bytes").resumed, kept);
    assert_eq!(ranges(&server), [None, Some(3 << 20)]);
    assert!(!partial.exists(), "no longer needed");
    let last = recorder.events().pop().expect("some");
    let network = SIZE as u64 - kept;
    assert!(matches!(last, Event::FetchFinished { bytes, .. } if bytes == network), "{last:?}");
}

#[test]
fn a_partial_file_of_unknown_size_that_was_complete_needs_no_more() {
    let dir = tempfile::tempdir().expect("a directory");
    let partial = dir.path().join("partial");
    let bytes = artifact(10_000);
    std::fs::write(&partial, &bytes).expect("written");
    let server = Server::start();
    server.serve("/a", bytes.clone());
    let pin = Pin { size: None, ..pin(&bytes) };
    let (fetcher, urls) = (fetcher(), urls([server.url("/a")]));
    let download = fetcher.open("gcc", &urls, &pin, Some(&partial), &Silent).expect("opened");
    assert_eq!(download.finish().expect("the right bytes").resumed, 10_000);
    assert_eq!(ranges(&server), [Some(10_000)]);
}

#[test]
fn small_artifacts_leave_no_partial_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let partial = dir.path().join("partial");
    let server = Server::start();
    server.serve("/a", *b"abc");
    let (fetcher, urls, pin) = (fetcher(), urls([server.url("/a")]), pin(b"abc"));
    let mut download = fetcher.open("a", &urls, &pin, Some(&partial), &Silent).expect("opened");
    download.read_exact(&mut [0; 2]).expect("two bytes");
    drop(download);
    assert!(!partial.exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_shows_as_such() {
    let dir = tempfile::tempdir().expect("a directory");
    let partial = dir.path().join("partial");
    std::os::unix::fs::symlink("/dev/full", &partial).expect("a link");
    let server = Server::start();
    let bytes = artifact(1 << 20);
    server.serve("/a", bytes.clone());
    let pin = Pin { size: None, ..pin(&bytes) };
    let fetcher = Fetcher::new(Options { attempts: 1, ..options() });
    let urls = urls([server.url("/a")]);
    let download = fetcher.open("gcc", &urls, &pin, Some(&partial), &Silent).expect("opened");
    let error = download.finish().expect_err("no room");
    let FetchError::Partial { source, path, .. } = &error else { panic!("{error}") };
    assert_eq!((source.kind(), path), (std::io::ErrorKind::StorageFull, &partial));
}
