//! Somebody outside of a build who listens on loopback, and remembers what was heard.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Paths that are answered with a text, in which `{port}` is the listener's.
pub type Served = &'static [(&'static str, &'static str)];

/// The listener. It listens until these tests end.
#[derive(Default)]
pub struct Ear {
    listening: bool,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Ear {
    /// Listens to connections; requests for other paths than those served are answered with 404.
    /// Returns the port.
    pub fn listen(&mut self, served: Served) -> u16 {
        self.listening = true;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heard = Arc::clone(&self.heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let request = answer(stream, port, served);
                heard.lock().expect("unpoisoned").push(format!("tcp: {request}"));
            }
        });
        port
    }

    /// Listens to datagrams. Returns the port.
    pub fn listen_to_datagrams(&mut self) -> u16 {
        self.listening = true;
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("an address").port();
        let heard = Arc::clone(&self.heard);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length) = socket.recv(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                heard.lock().expect("unpoisoned").push(format!("udp: {text}"));
            }
        });
        port
    }

    /// What was heard until now.
    pub fn heard(&self) -> String {
        if self.listening {
            // What arrived is still being read in another thread.
            thread::sleep(Duration::from_millis(200));
        }
        self.heard.lock().expect("unpoisoned").join("\n")
    }
}

/// Reads a request, or whatever it is, and answers it.
fn answer(mut stream: TcpStream, port: u16, served: Served) -> String {
    let mut bytes = [0; 4096];
    let length = stream.read(&mut bytes).unwrap_or(0);
    let request = String::from_utf8_lossy(&bytes[..length]).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let found = served.iter().find(|(served, _)| *served == path);
    let status = if found.is_some() { "200 OK" } else { "404 Not Found" };
    let body = found.map_or("", |(_, text)| text).replace("{port}", &port.to_string());
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    request
}
