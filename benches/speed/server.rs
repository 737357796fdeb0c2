//! A file server on the loopback interface: GET, whole files, connections that stay open.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

/// Serves the files below `dir` until the process ends; returns the base URL.
pub fn serve(dir: &Path) -> io::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let base = format!("http://{}", listener.local_addr()?);
    let dir = dir.to_path_buf();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let dir = dir.clone();
            // A client that hangs up ends its own thread only.
            thread::spawn(move || answer_all(stream, &dir));
        }
    });
    Ok(base)
}

fn answer_all(mut stream: TcpStream, dir: &Path) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(request) = lines.next() {
        let request = request?;
        // The other lines of the head say nothing that matters here.
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let path = request.split(' ').nth(1).unwrap_or("/");
        match File::open(below(dir, path)) {
            Ok(mut file) => {
                let length = file.metadata()?.len();
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")?;
                io::copy(&mut file, &mut stream)?;
            }
            Err(_) => write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
        }
    }
    Ok(())
}

/// The file of a request; file names have percent signs of their own, which come as `%25`.
fn below(dir: &Path, path: &str) -> PathBuf {
    dir.join(path.trim_start_matches('/').replace("%25", "%"))
}
