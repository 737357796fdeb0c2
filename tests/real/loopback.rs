//! A web server for the files of one directory, on a free port of the loopback address.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

/// The server; it lives as long as the process.
pub struct Loopback {
    /// Its URL, without a slash at the end.
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Loopback {
    /// Serves what is below `dir`.
    pub fn serve(dir: &Path) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("the port"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (dir, seen) = (dir.to_path_buf(), Arc::clone(&asked));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (dir, seen) = (dir.clone(), Arc::clone(&seen));
                // A client that goes away is not our business.
                thread::spawn(move || drop(answer(&client, &dir, &seen)));
            }
        });
        Self { url, asked }
    }

    /// The paths that were asked for since the last call.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("no thread has panicked"))
    }
}

fn answer(client: &TcpStream, dir: &Path, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(client).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let inside = !path.split('/').any(|part| part == "..");
    let file = inside.then(|| fs::read(dir.join(path.trim_start_matches('/'))).ok()).flatten();
    seen.lock().expect("no thread has panicked").push(path);
    let mut client = client;
    match file {
        Some(bytes) => {
            let length = bytes.len();
            write!(
                client,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            )?;
            client.write_all(&bytes)
        }
        None => {
            write!(
                client,
                "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
    }
}
