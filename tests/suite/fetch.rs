//! Fetching: every promise of `docs/fetch.md`, against a loopback server that misbehaves.

mod integrity;
mod network;
mod resume;

use std::io::Read;
use std::sync::Mutex;
use std::time::Duration;

use xprov::fetch::{Download, FetchError, Fetcher, Options, Pin, Reason};
use xprov::vocab::digest::Sha256;
use xprov::vocab::event::{Event, Observer, Silent};
use xprov::vocab::url::Url;

use crate::support::server::{Fault, Server};

/// Settings with short waits.
fn options() -> Options {
    Options {
        stall_timeout: Duration::from_millis(300),
        connect_timeout: Duration::from_secs(1),
        attempts: 3,
        backoff: Duration::from_millis(1),
        ..Options::default()
    }
}

fn fetcher() -> Fetcher {
    Fetcher::new(options())
}

fn urls<const N: usize>(texts: [String; N]) -> Vec<Url> {
    texts.map(|text| text.parse().expect("a URL")).to_vec()
}

fn pin(bytes: &[u8]) -> Pin {
    Pin { sha256: Sha256::of(bytes), size: Some(bytes.len() as u64) }
}

/// Bytes in which no two places are alike.
fn artifact(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(&mut next).take(length).collect()
}

/// Reads an artifact to its end and finishes it.
fn fetch(fetcher: &Fetcher, urls: &[Url], pin: &Pin) -> Result<Vec<u8>, FetchError> {
    let mut download = fetcher.open("artifact", urls, pin, None, &Silent)?;
    let mut bytes = Vec::new();
    // What goes wrong here is what `finish` reports.
    let _ = download.read_to_end(&mut bytes);
    download.finish().map(|_| bytes)
}

#[derive(Default)]
struct Recorder(Mutex<Vec<Event>>);

impl Recorder {
    fn events(&self) -> Vec<Event> {
        self.0.lock().expect("not poisoned").clone()
    }
}

impl Observer for Recorder {
    fn event(&self, event: Event) {
        self.0.lock().expect("not poisoned").push(event);
    }
}

#[test]
fn an_artifact_arrives_whole_and_its_progress_is_told() {
    let server = Server::start();
    let bytes = artifact(100_000);
    server.serve("/a", bytes.clone());
    let urls = urls([server.url("/a")]);
    let (fetcher, pin, recorder) = (fetcher(), pin(&bytes), Recorder::default());
    let download = fetcher.open("gcc", &urls, &pin, None, &recorder).expect("opened");
    let summary = download.finish().expect("the right bytes");
    assert_eq!((summary.size, summary.resumed), (100_000, 0));
    let events = recorder.events();
    let started = matches!(&events[0], Event::FetchStarted { artifact, size: Some(100_000), .. }
        if artifact == "gcc");
    assert!(started, "{events:?}");
    let last = events.last().expect("some");
    assert!(
        matches!(last, Event::FetchFinished { bytes: 100_000, complete: true, .. }),
        "{last:?}"
    );
}

#[test]
fn one_fetcher_serves_many_threads() {
    let server = Server::start();
    let fetcher = fetcher();
    std::thread::scope(|scope| {
        for index in 0..8 {
            let path = format!("/{index}");
            let bytes = artifact(200_000 + index);
            server.serve(&path, bytes.clone());
            let (urls, fetcher) = (urls([server.url(&path)]), &fetcher);
            scope.spawn(move || {
                assert!(fetch(fetcher, &urls, &pin(&bytes)).expect("fetched") == bytes);
            });
        }
    });
    assert_eq!(server.requests().len(), 8);
}

#[test]
fn a_directory_can_be_served_and_nothing_outside_of_it() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(dir.path().join("pool")).expect("made");
    std::fs::write(dir.path().join("pool/x.deb"), b"deb").expect("written");
    std::fs::write(dir.path().join("secret"), b"no").expect("written");
    let server = Server::start();
    server.serve_dir("/debian", &dir.path().join("pool"));
    let get = |path| fetcher().get(&server.url(path).parse().expect("a URL"), 100);
    assert_eq!(get("/debian/x.deb").expect("served"), b"deb");
    assert!(matches!(get("/debian/%2e%2e/secret"), Err(FetchError::NotFound { .. })));
}

#[test]
fn documents_are_asked_for_again_from_the_start_and_are_limited() {
    let server = Server::start();
    server.serve("/index", artifact(5000));
    server.fault("/index", Fault::CutAfter(3000));
    server.fault("/index", Fault::Status(503, None));
    let url: Url = server.url("/index").parse().expect("a URL");
    assert_eq!(fetcher().get(&url, 5000).expect("third time lucky"), artifact(5000));
    assert!(server.requests().iter().all(|request| request.header("range").is_none()));

    let asked = server.requests().len();
    assert!(matches!(fetcher().get(&url, 4999), Err(FetchError::TooLarge { limit: 4999, .. })));
    server.always("/index", Fault::Chunked);
    assert!(matches!(fetcher().get(&url, 4999), Err(FetchError::TooLarge { .. })));
    assert_eq!(server.requests().len(), asked + 2, "a limit is final");

    for code in [404, 410] {
        server.always("/index", Fault::Status(code, None));
        assert!(matches!(fetcher().get(&url, 5000), Err(FetchError::NotFound { .. })));
    }
    server.always("/index", Fault::Status(403, None));
    let asked = server.requests().len();
    let error = fetcher().get(&url, 5000).expect_err("forbidden");
    let FetchError::Failed { attempts, .. } = &error else { panic!("{error}") };
    assert!(matches!(attempts[0].reason, Reason::Status { code: 403, .. }));
    assert_eq!(server.requests().len(), asked + 1, "a refusal is final");
}

#[test]
fn files_are_read_directly_even_offline() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("with space");
    let bytes = artifact(70_000);
    std::fs::write(&path, &bytes).expect("written");
    let url = format!("file://{}", path.display()).replace(' ', "%20");
    let offline = Fetcher::new(Options { offline: true, ..options() });
    let here = urls([url.clone()]);
    assert_eq!(fetch(&offline, &here, &pin(&bytes)).expect("read"), bytes);
    assert_eq!(offline.get(&here[0], 70_000).expect("read"), bytes);
    assert!(matches!(offline.get(&here[0], 10), Err(FetchError::TooLarge { .. })));

    let wrong = fetch(&offline, &here, &pin(b"other"));
    assert!(matches!(wrong, Err(FetchError::Mismatch { .. })));
    let missing = urls([format!("{url}.missing")]);
    let error = fetch(&offline, &missing, &pin(&bytes)).expect_err("missing");
    assert!(matches!(error, FetchError::NotFound { .. }), "{error}");
}

#[test]
fn offline_refuses_the_network_and_says_for_what() {
    let server = Server::start();
    server.serve("/a", *b"a");
    let offline = Fetcher::new(Options { offline: true, ..options() });
    let error = fetch(&offline, &urls([server.url("/a")]), &pin(b"a")).expect_err("offline");
    assert!(matches!(&error, FetchError::Offline { label } if label == "artifact"), "{error}");
    assert!(server.requests().is_empty());
    let recorder = Recorder::default();
    let (both, pin) = (urls([server.url("/a"), server.url("/b")]), pin(b"a"));
    let opened = offline.open("gcc", &both, &pin, None, &recorder);
    opened.and_then(Download::finish).expect_err("offline");
    let retries = recorder.events().into_iter().filter(|e| matches!(e, Event::Retrying { .. }));
    assert_eq!(retries.count(), 0, "the other URL is no other try");
}
