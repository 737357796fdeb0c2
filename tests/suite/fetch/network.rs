//! Redirects, proxies, trust, and waits.

use std::time::Duration;

use xprov::fetch::{FetchError, Fetcher, Options, ProxySettings, Reason};
use xprov::vocab::event::Event;

use super::{Recorder, artifact, fetch, fetcher, options, pin, urls};
use crate::support::server::{Fault, Server, Via, certificate_path};

fn through(proxies: ProxySettings) -> Fetcher {
    Fetcher::new(Options { proxies, ca_files: vec![certificate_path()], ..options() })
}

fn only_reason(error: &FetchError) -> &Reason {
    let FetchError::Failed { attempts, .. } = error else { panic!("{error}") };
    let [attempt] = attempts.as_slice() else { panic!("{error}") };
    &attempt.reason
}

#[test]
fn redirects_are_followed_with_the_range_but_not_for_ever() {
    let server = Server::start();
    let bytes = artifact(50_000);
    server.serve("/real", bytes.clone());
    server.always("/a", Fault::Redirect("/real".into()));
    server.fault("/real", Fault::CutAfter(20_000));
    assert_eq!(fetch(&fetcher(), &urls([server.url("/a")]), &pin(&bytes)).expect("found"), bytes);
    let last = server.requests().pop().expect("some");
    assert_eq!((last.path.as_str(), last.range_start()), ("/real", Some(20_000)));

    server.always("/loop", Fault::Redirect("/loop".into()));
    let error = fetch(&fetcher(), &urls([server.url("/loop")]), &pin(&bytes)).expect_err("a loop");
    assert!(matches!(only_reason(&error), Reason::Redirect(_)), "{error}");
    let asked = server.requests().iter().filter(|request| request.path == "/loop").count();
    assert_eq!(asked, 11, "the first and ten redirects, once");
}

#[test]
fn https_needs_a_trusted_certificate_and_never_leads_to_http() {
    let (server, plain) = (Server::start_tls(), Server::start());
    let bytes = artifact(50_000);
    server.serve("/a", bytes.clone());
    plain.serve("/a", bytes.clone());
    server.fault("/a", Fault::CutAfter(20_000));
    let one = urls([server.url("/a")]);
    let trusting = through(ProxySettings::default());
    assert_eq!(fetch(&trusting, &one, &pin(&bytes)).expect("trusted"), bytes);
    assert_eq!(server.requests()[1].range_start(), Some(20_000));

    let error = fetch(&fetcher(), &one, &pin(&bytes)).expect_err("unknown issuer");
    assert!(matches!(only_reason(&error), Reason::Tls(_)), "{error}");
    assert_eq!(server.requests().len(), 2, "nothing was asked of a stranger");

    server.always("/down", Fault::Redirect(plain.url("/a")));
    let error =
        fetch(&trusting, &urls([server.url("/down")]), &pin(&bytes)).expect_err("downgrade");
    assert!(matches!(only_reason(&error), Reason::Redirect(_)), "{error}");
    assert!(plain.requests().is_empty());
}

#[test]
fn certificates_may_come_from_a_directory() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::copy(certificate_path(), dir.path().join("0123abcd.0")).expect("copied");
    std::fs::write(dir.path().join("README"), "not a certificate").expect("written");
    let server = Server::start_tls();
    server.serve("/a", *b"abc");
    let trusting = Fetcher::new(Options { ca_dirs: vec![dir.path().into()], ..options() });
    assert_eq!(fetch(&trusting, &urls([server.url("/a")]), &pin(b"abc")).expect("trusted"), b"abc");
}

#[test]
fn http_goes_through_its_proxy_and_no_proxy_goes_past_it() {
    let proxy = Server::start();
    proxy.serve("/a", *b"abc");
    let settings =
        ProxySettings { http: Some(proxy.address().to_string()), ..ProxySettings::default() };
    let far = urls(["http://mirror.invalid/a".into()]);
    assert_eq!(fetch(&through(settings.clone()), &far, &pin(b"abc")).expect("proxied"), b"abc");
    let request = proxy.requests().pop().expect("one");
    assert_eq!((request.via, request.header("host")), (Via::HttpProxy, Some("mirror.invalid")));

    let direct = Server::start();
    direct.serve("/a", *b"abc");
    let settings = ProxySettings { no_proxy: Some("127.0.0.0/8".into()), ..settings };
    let near = urls([direct.url("/a")]);
    assert_eq!(fetch(&through(settings), &near, &pin(b"abc")).expect("direct"), b"abc");
    assert_eq!(direct.requests()[0].via, Via::Direct);
    assert_eq!(proxy.requests().len(), 1);
}

#[test]
fn https_goes_through_a_tunnel_and_the_proxy_gets_its_password() {
    let (proxy, server) = (Server::start(), Server::start_tls());
    server.serve("/a", *b"abc");
    let value = format!("http://user:secret@{}", proxy.address());
    let settings = ProxySettings { https: Some(value), ..ProxySettings::default() };
    let far = urls([format!("https://artifacts.test:{}/a", server.address().port())]);
    assert_eq!(fetch(&through(settings), &far, &pin(b"abc")).expect("tunnelled"), b"abc");
    let request = proxy.requests().pop().expect("one");
    assert_eq!(request.via, Via::Connect);
    assert_eq!(request.header("proxy-authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn everything_goes_through_a_socks_proxy() {
    let proxy = Server::start();
    proxy.serve("/a", *b"abc");
    let value = format!("socks5h://{}", proxy.address());
    let settings = ProxySettings { all: Some(value), ..ProxySettings::default() };
    let far = urls(["http://mirror.invalid/a".into()]);
    assert_eq!(fetch(&through(settings), &far, &pin(b"abc")).expect("proxied"), b"abc");
    assert_eq!(proxy.requests()[0].via, Via::Socks);
}

#[test]
fn passwords_in_urls_are_used_and_not_shown() {
    let server = Server::start();
    server.always("/a", Fault::Hangup);
    let url = format!("http://user:secret@{}/a", server.address());
    let error = fetch(&fetcher(), &urls([url]), &pin(b"abc")).expect_err("no answer");
    assert!(!error.to_string().contains("secret"), "{error}");
    let request = server.requests().pop().expect("one");
    assert_eq!(request.header("authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
    assert!(request.header("user-agent").is_some_and(|agent| agent.starts_with("xprov/")));
    assert_eq!(request.header("accept-encoding"), Some("identity"));
}

#[test]
fn a_long_wait_for_the_first_byte_is_announced() {
    let server = Server::start();
    server.serve("/a", *b"abc");
    server.fault("/slow", Fault::Redirect("/slower".into()));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    // Accepts into its backlog and never answers.
    let silent = format!("http://{}/a", listener.local_addr().expect("the port"));
    let fetcher = Fetcher::new(Options {
        stall_timeout: Duration::from_millis(1200),
        attempts: 1,
        ..options()
    });
    let (both, recorder) = (urls([silent.clone(), server.url("/a")]), Recorder::default());
    let pin = pin(b"abc");
    let download = fetcher.open("gcc", &both, &pin, None, &recorder).expect("from the other");
    download.finish().expect("the right bytes");
    let events = recorder.events();
    assert_eq!(events[0], Event::Waiting(format!("an answer from {silent}")));
    assert!(matches!(&events[1], Event::Retrying { subject, .. } if *subject == server.url("/a")));
}
