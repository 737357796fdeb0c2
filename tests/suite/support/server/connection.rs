//! One connection: proxy handshakes, requests, and answers with their faults.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::stream::Stream;
use super::{Fault, Request, Shared, Via};

/// The body of [`Fault::WebPage`].
const WEB_PAGE: &[u8] = b"<!DOCTYPE html>\n<html><body>Please log in.</body></html>\n";

/// Answers the requests of one connection until it ends.
pub fn handle(
    socket: TcpStream,
    shared: &Shared,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut first = [0];
    socket.peek(&mut first)?;
    let mut stream = Stream::new(socket, tls)?;
    // No HTTP method and no TLS record begins with a 5.
    let via = if first == [5] { socks(&mut stream)? } else { Via::Direct };
    while let Some((method, request)) = read_request(&mut stream, via)? {
        let fault = shared.note(&request);
        if method == "CONNECT" {
            return tunnel(stream, &request.path);
        }
        if !answer(&mut stream, shared, &request, fault.as_ref())? {
            stream.cut();
            return Ok(());
        }
    }
    Ok(())
}

/// SOCKS5 without authentication (RFC 1928), whatever the target: this server plays it.
fn socks(stream: &mut Stream) -> io::Result<Via> {
    let mut two = [0; 2];
    stream.read_exact(&mut two)?;
    stream.read_exact(&mut vec![0; usize::from(two[1])])?;
    stream.write_all(&[5, 0])?;
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let address_rest = match head[3] {
        1 => 3,
        4 => 15,
        _ => usize::from(head[4]),
    };
    stream.read_exact(&mut vec![0; address_rest + 2])?;
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0])?;
    Ok(Via::Socks)
}

fn read_request(stream: &mut Stream, via: Via) -> io::Result<Option<(String, Request)>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let (path, via) = match target.strip_prefix("http://") {
        Some(rest) => (rest.find('/').map_or("/", |slash| &rest[slash..]), Via::HttpProxy),
        None if method == "CONNECT" => (target, Via::Connect),
        None => (target, via),
    };
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(Some((method, Request { path: path.to_owned(), via, headers })))
}

/// Joins the client with the named port of 127.0.0.1, whatever host it names.
fn tunnel(mut client: Stream, target: &str) -> io::Result<()> {
    let port = target.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
    let mut server = TcpStream::connect(("127.0.0.1", port.unwrap_or_default()))?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let Stream::Plain(mut client) = client else { return Ok(()) };
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Both)
}

/// Answers one request; whether the connection can take another.
fn answer(
    stream: &mut Stream,
    shared: &Shared,
    request: &Request,
    fault: Option<&Fault>,
) -> io::Result<bool> {
    match fault {
        Some(Fault::Hangup) => return Ok(false),
        Some(Fault::Status(code, wait)) => {
            let wait = wait.map(|s| format!("Retry-After: {s}\r\n")).unwrap_or_default();
            return head(stream, *code, &format!("{wait}Content-Length: 0\r\n")).map(|()| true);
        }
        Some(Fault::Redirect(to)) => {
            let lines = format!("Location: {to}\r\nContent-Length: 0\r\n");
            return head(stream, 302, &lines).map(|()| true);
        }
        _ => {}
    }
    let found = match fault {
        Some(Fault::WebPage) => Some(Arc::new(WEB_PAGE.to_vec())),
        _ => shared.find(&request.path),
    };
    let Some(mut whole) = found else {
        return head(stream, 404, "Content-Length: 0\r\n").map(|()| true);
    };
    match fault {
        Some(Fault::CorruptAt(position)) => Arc::make_mut(&mut whole)[*position] ^= 0xff,
        Some(Fault::Append(more)) => Arc::make_mut(&mut whole).extend_from_slice(more),
        _ => {}
    }
    let start = match fault {
        Some(Fault::IgnoreRange | Fault::WebPage) => None,
        Some(Fault::WrongRange) => request.range_start().map(|_| 0),
        _ => request.range_start(),
    };
    if start.is_some_and(|start| start >= whole.len()) {
        let lines = format!("Content-Range: bytes */{}\r\nContent-Length: 0\r\n", whole.len());
        return head(stream, 416, &lines).map(|()| true);
    }
    let body = &whole[start.unwrap_or(0)..];
    let length = match fault {
        Some(Fault::ContentLength(length)) => *length,
        _ => body.len(),
    };
    let lines = match (fault, start) {
        (Some(Fault::Chunked | Fault::Append(_)), _) => "Transfer-Encoding: chunked\r\n".to_owned(),
        (_, None) => format!("Content-Length: {length}\r\n"),
        (_, Some(start)) => format!(
            "Content-Range: bytes {start}-{}/{}\r\nContent-Length: {length}\r\n",
            whole.len() - 1,
            whole.len()
        ),
    };
    head(stream, if start.is_some() { 206 } else { 200 }, &lines)?;
    send(stream, shared, body, fault)
}

fn send(
    stream: &mut Stream,
    shared: &Shared,
    body: &[u8],
    fault: Option<&Fault>,
) -> io::Result<bool> {
    match fault {
        Some(Fault::CutAfter(count)) => {
            stream.write_all(&body[..body.len().min(*count)])?;
            stream.flush()?;
            // Lets the bytes leave before the connection does.
            thread::sleep(Duration::from_millis(20));
            return Ok(false);
        }
        Some(Fault::StallAfter(count)) => {
            stream.write_all(&body[..body.len().min(*count)])?;
            stream.flush()?;
            while !shared.is_stopping() {
                thread::sleep(Duration::from_millis(10));
            }
            return Ok(false);
        }
        Some(Fault::Trickle(count, pause)) => {
            for chunk in body.chunks((*count).max(1)) {
                stream.write_all(chunk)?;
                stream.flush()?;
                thread::sleep(*pause);
            }
        }
        Some(Fault::Chunked | Fault::Append(_)) => {
            for chunk in body.chunks(10_000) {
                write!(stream, "{:x}\r\n", chunk.len())?;
                stream.write_all(chunk)?;
                stream.write_all(b"\r\n")?;
            }
            stream.write_all(b"0\r\n\r\n")?;
        }
        _ => stream.write_all(body)?,
    }
    stream.flush()?;
    Ok(!matches!(fault, Some(Fault::ContentLength(_))))
}

fn head(stream: &mut Stream, code: u16, lines: &str) -> io::Result<()> {
    write!(stream, "HTTP/1.1 {code} As scripted\r\n{lines}\r\n")?;
    stream.flush()
}
