//! Bytes that are not the pinned ones, and who is blamed.

use std::io::{self, Read};

use xprov::fetch::{Actual, FetchError, Pin};
use xprov::vocab::digest::Sha256;
use xprov::vocab::event::Silent;
use xprov::vocab::url::Url;

use super::{artifact, fetch, fetcher, pin, urls};
use crate::support::server::{Fault, Server};

/// What a caller's own error looks like.
#[derive(Debug)]
enum Error {
    Fetch(FetchError),
    Unpack(io::Error),
}

impl From<FetchError> for Error {
    fn from(error: FetchError) -> Self {
        Self::Fetch(error)
    }
}

fn read(reader: &mut (dyn Read + Send)) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(Error::Unpack)?;
    Ok(bytes)
}

/// Fetches, and counts how often the consumer was called.
fn fetch_with(urls: &[Url], pin: &Pin) -> (Result<Vec<u8>, Error>, usize) {
    let mut calls = 0;
    let result = fetcher().fetch_with("gcc", urls, pin, None, &Silent, |reader| {
        calls += 1;
        read(reader)
    });
    (result, calls)
}

#[test]
fn the_second_mirror_mends_what_the_first_spoils() {
    let server = Server::start();
    let bytes = artifact(50_000);
    server.serve("/bad", bytes.clone());
    server.serve("/good", bytes.clone());
    server.always("/bad", Fault::CorruptAt(40_000));
    let both = urls([server.url("/bad"), server.url("/good")]);
    let (result, calls) = fetch_with(&both, &pin(&bytes));
    assert_eq!(result.expect("from the second"), bytes);
    assert_eq!((calls, server.requests().len()), (2, 2));

    let (result, calls) = fetch_with(&both[..1], &pin(&bytes));
    let Err(Error::Fetch(FetchError::Mismatch { wrong, .. })) = result else { panic!("wrong") };
    assert_eq!(wrong.url.as_ref(), Some(&both[0]));
    assert_eq!(calls, 1, "wrong bytes are final");
}

#[test]
fn bytes_joined_from_two_mirrors_are_fetched_from_each_alone() {
    let server = Server::start();
    let bytes = artifact(50_000);
    for path in ["/bad", "/good"] {
        server.serve(path, bytes.clone());
    }
    let mut spoiled = bytes.clone();
    spoiled[100] ^= 1;
    server.serve("/bad", spoiled);
    server.always("/bad", Fault::CutAfter(4000));
    let both = urls([server.url("/bad"), server.url("/good")]);
    let (result, calls) = fetch_with(&both, &pin(&bytes));
    assert_eq!(result.expect("from the second alone"), bytes);
    assert_eq!(calls, 3);
}

#[test]
fn a_web_page_is_called_one() {
    let server = Server::start();
    let bytes = artifact(50_000);
    server.serve("/a", bytes.clone());
    server.always("/a", Fault::WebPage);
    let one = urls([server.url("/a")]);
    for size in [Some(50_000), None] {
        let pin = Pin { sha256: Sha256::of(&bytes), size };
        let error = fetch(&fetcher(), &one, &pin).expect_err("a page");
        let FetchError::Mismatch { wrong, .. } = &error else { panic!("{error}") };
        let Actual::Bytes { sha256, .. } = wrong.actual else { panic!("{error}") };
        let text = error.to_string();
        assert!(text.contains("web page (HTML), not the artifact"), "{text}");
        assert!(text.contains(&pin.sha256.to_string()), "{text}");
        assert!(text.contains(&sha256.to_string()), "{text}");
        assert!(text.contains(&server.url("/a")), "{text}");
    }
}

#[test]
fn the_unpacker_is_not_blamed_for_a_web_page_but_for_its_own_errors() {
    let server = Server::start();
    let bytes = artifact(50_000);
    server.serve("/a", bytes.clone());
    let one = urls([server.url("/a")]);
    let pin = Pin { sha256: Sha256::of(&bytes), size: None };
    let stumble = |reader: &mut (dyn Read + Send)| -> Result<(), Error> {
        reader.read_exact(&mut [0; 8]).map_err(Error::Unpack)?;
        Err(Error::Unpack(io::Error::other("no archive")))
    };
    let result = fetcher().fetch_with("gcc", &one, &pin, None, &Silent, stumble);
    let Err(Error::Unpack(error)) = result else { panic!("the bytes are right") };
    assert_eq!(error.to_string(), "no archive");

    server.always("/a", Fault::WebPage);
    let result = fetcher().fetch_with("gcc", &one, &pin, None, &Silent, stumble);
    let Err(Error::Fetch(FetchError::Mismatch { wrong, .. })) = result else { panic!("wrong") };
    assert!(wrong.web_page);
}

#[test]
fn a_connection_that_fails_for_good_is_the_error_and_not_what_the_unpacker_made_of_it() {
    let server = Server::start();
    server.serve("/a", artifact(50_000));
    server.always("/a", Fault::CutAfter(100));
    let (result, calls) = fetch_with(&urls([server.url("/a")]), &pin(&artifact(50_000)));
    assert!(matches!(result, Err(Error::Fetch(FetchError::Failed { .. }))));
    assert_eq!(calls, 1);
}

#[test]
fn another_size_is_refused_before_the_consumer_sees_a_byte() {
    let server = Server::start();
    let bytes = artifact(50_000);
    server.serve("/short", bytes[..49_999].to_vec());
    server.serve("/long", artifact(3 << 20));
    server.serve("/good", bytes.clone());
    let three = urls(["/short", "/long", "/good"].map(|path| server.url(path)));
    let (result, calls) = fetch_with(&three, &pin(&bytes));
    assert_eq!(result.expect("from the third"), bytes);
    assert_eq!(calls, 1);

    let error = fetch(&fetcher(), &three[..2], &pin(&bytes)).expect_err("both wrong");
    let FetchError::Mismatch { wrong, others, .. } = &error else { panic!("{error}") };
    assert!(matches!(wrong.actual, Actual::Bytes { size: 49_999, .. }));
    assert_eq!(others.len(), 1);
    assert!(error.to_string().contains(&format!("{} bytes", 3 << 20)), "{error}");
}

#[test]
fn more_bytes_than_pinned_are_not_read() {
    let server = Server::start();
    let bytes = artifact(50_000);
    server.serve("/a", bytes.clone());
    server.always("/a", Fault::Append(artifact(1 << 20)));
    let one = urls([server.url("/a")]);
    let (fetcher, pin) = (fetcher(), pin(&bytes));
    let mut download = fetcher.open("gcc", &one, &pin, None, &Silent).expect("opened");
    let mut seen = Vec::new();
    download.read_to_end(&mut seen).expect("ends at the pinned size");
    assert_eq!(seen.len(), 50_000);
    let error = download.finish().expect_err("there was more");
    let FetchError::Mismatch { wrong, .. } = &error else { panic!("{error}") };
    assert_eq!(wrong.actual, Actual::LongerThan(50_000));
}

#[test]
fn a_spoiled_partial_file_is_thrown_away() {
    const SIZE: usize = 8 << 20;
    let dir = tempfile::tempdir().expect("a directory");
    let partial = dir.path().join("partial");
    let server = Server::start();
    let bytes = artifact(SIZE);
    server.serve("/a", bytes.clone());
    let (one, pin, fetcher) = (urls([server.url("/a")]), pin(&bytes), fetcher());

    std::fs::write(&partial, b"spoiled").expect("written");
    let download = fetcher.open("gcc", &one, &pin, Some(&partial), &Silent).expect("opened");
    let error = download.finish().expect_err("spoiled");
    assert!(error.to_string().contains("7 bytes kept from an earlier run"), "{error}");
    assert!(!partial.exists());

    std::fs::write(&partial, b"spoiled").expect("written");
    let found = fetcher.fetch_with("gcc", &one, &pin, Some(&partial), &Silent, read);
    assert!(found.expect("fetched anew") == bytes, "other bytes");
    assert!(!partial.exists());
}

#[test]
fn right_bytes_stay_for_the_next_run_when_the_consumer_fails() {
    let dir = tempfile::tempdir().expect("a directory");
    let partial = dir.path().join("partial");
    let server = Server::start();
    let bytes = artifact(8 << 20);
    server.serve("/a", bytes.clone());
    let (one, pin) = (urls([server.url("/a")]), pin(&bytes));
    let fail = |_: &mut (dyn Read + Send)| -> Result<(), Error> {
        Err(Error::Unpack(io::Error::other("read-only store")))
    };
    let result = fetcher().fetch_with("gcc", &one, &pin, Some(&partial), &Silent, fail);
    assert!(matches!(result, Err(Error::Unpack(_))));

    let result = fetcher().fetch_with("gcc", &one, &pin, Some(&partial), &Silent, read);
    assert!(result.expect("from the file") == bytes, "other bytes");
    assert_eq!(server.requests().len(), 1, "nothing was fetched twice");
}
