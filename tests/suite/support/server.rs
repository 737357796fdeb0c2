//! A loopback HTTP/1.1 server that serves what a test gives it and misbehaves on request; also an
//! HTTPS server, an HTTP proxy and a SOCKS5 proxy, all on the same port.

mod connection;
mod stream;

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// One way to misbehave, for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Announce the whole body, send so many bytes of it, and close the connection.
    CutAfter(usize),
    /// Send so many bytes of the body, and then nothing more until the server stops.
    StallAfter(usize),
    /// Close the connection without an answer.
    Hangup,
    /// Answer with this status, and with a Retry-After header of so many seconds.
    Status(u16, Option<u64>),
    /// Answer a range request with the whole.
    IgnoreRange,
    /// Answer a range request from byte 0 on, as 206, and say so.
    WrongRange,
    /// Redirect to this URL.
    Redirect(String),
    /// Send so many bytes at a time with this pause between.
    Trickle(usize, Duration),
    /// Answer 200 with an HTML page.
    WebPage,
    /// Announce this length, send the whole body, and close the connection.
    ContentLength(usize),
    /// Send the whole in chunks, without announcing its length.
    Chunked,
    /// Flip the bits of this byte of the artifact.
    CorruptAt(usize),
    /// Send this after the artifact, as if it were part of it.
    Append(Vec<u8>),
}

/// How a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// Straight from the client.
    Direct,
    /// With an absolute URL, as to an HTTP proxy.
    HttpProxy,
    /// As a CONNECT to an HTTP proxy; the tunnel leads back to this server.
    Connect,
    /// Through a SOCKS5 handshake.
    Socks,
}

/// A request as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its path; for CONNECT, host and port.
    pub path: String,
    /// How it came in.
    pub via: Via,
    /// Its header lines, with the names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The first byte that a Range header asks for.
    pub fn range_start(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// The server; it stops when dropped.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What the connections' threads share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    stopping: AtomicBool,
}

#[derive(Default)]
struct State {
    files: HashMap<String, Arc<Vec<u8>>>,
    dirs: Vec<(String, PathBuf)>,
    faults: HashMap<String, VecDeque<Fault>>,
    constant: HashMap<String, Fault>,
    requests: Vec<Request>,
    connections: Vec<TcpStream>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Notes a request and returns what to do wrong.
    fn note(&self, request: &Request) -> Option<Fault> {
        let mut state = self.state();
        state.requests.push(request.clone());
        let once = state.faults.get_mut(&request.path).and_then(VecDeque::pop_front);
        once.or_else(|| state.constant.get(&request.path).cloned())
    }

    fn find(&self, path: &str) -> Option<Arc<Vec<u8>>> {
        let state = self.state();
        let file = state.files.get(path).cloned();
        file.or_else(|| {
            state.dirs.iter().find_map(|(prefix, dir)| {
                let rest = path.strip_prefix(prefix)?.trim_start_matches('/');
                let inside = !rest.split('/').any(|part| part == "..");
                inside.then(|| std::fs::read(dir.join(rest)).ok().map(Arc::new))?
            })
        })
    }
}

impl Server {
    /// Starts an HTTP server on a free port of 127.0.0.1.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts an HTTPS server whose certificate is [`certificate_path`].
    pub fn start_tls() -> Self {
        Self::start_with(Some(stream::tls_config()))
    }

    fn start_with(tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("the port");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared::default());
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared, tls.as_ref())
        });
        Self { address, scheme, shared, acceptor: Some(acceptor) }
    }

    /// Serves `bytes` at `path`, which begins with a slash.
    pub fn serve(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.shared.state().files.insert(path.to_owned(), Arc::new(bytes.into()));
    }

    /// Serves the files below `dir` under `prefix`, which begins with a slash.
    pub fn serve_dir(&self, prefix: &str, dir: &Path) {
        self.shared.state().dirs.push((prefix.to_owned(), dir.to_owned()));
    }

    /// Misbehaves at the next request for `path` that has no fault yet.
    pub fn fault(&self, path: &str, fault: Fault) {
        self.shared.state().faults.entry(path.to_owned()).or_default().push_back(fault);
    }

    /// Misbehaves at every request for `path` for which [`Server::fault`] has nothing.
    pub fn always(&self, path: &str, fault: Fault) {
        self.shared.state().constant.insert(path.to_owned(), fault);
    }

    /// The URL of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// Host and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        for connection in &self.shared.state().connections {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

/// The certificate of [`Server::start_tls`], in PEM form.
pub fn certificate_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/tls/server.pem")
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, tls: Option<&Arc<rustls::ServerConfig>>) {
    for socket in listener.incoming() {
        if shared.is_stopping() {
            return;
        }
        let Ok(socket) = socket else { continue };
        let (Ok(one), Ok(two)) = (socket.try_clone(), socket.try_clone()) else { continue };
        shared.state().connections.push(one);
        let (shared, tls) = (Arc::clone(shared), tls.cloned());
        thread::spawn(move || {
            // A client that goes away is part of the tests.
            let _ = connection::handle(socket, &shared, tls);
            // The client must see the end although other handles of the socket live on.
            let _ = two.shutdown(Shutdown::Both);
        });
    }
}
