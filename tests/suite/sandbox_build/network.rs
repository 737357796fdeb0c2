//! The network of a build: there is none, whichever way it is tried, and what was wanted is named.
//! These tests start themselves as the build script.

use std::io::{IoSlice, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendFlags, SocketFlags, SocketType, sendmsg_addr, sendto,
    socket, socket_with,
};
use xprov::shim::ledger::NoticeKind;
use xprov::vocab::sandbox::Mode;

use super::bench::{Bench, complete, output, text};

/// A build script that is this program with this one test in it, and a variable that makes it
/// probe.
fn probe(bench: &mut Bench, what: &str) -> Command {
    let own = std::env::current_exe().expect("a path");
    bench.roots.read.push(own.parent().expect("a folder").to_path_buf());
    let mut command = bench.build_script(&format!(
        "exec {} --exact sandbox_build::network::as_a_build_script --nocapture --test-threads=1",
        own.display()
    ));
    command.env("PROBE", what);
    command
}

/// What the other tests of this file start; by itself it does nothing.
#[test]
#[expect(clippy::print_stdout, reason = "who started it reads it")]
fn as_a_build_script() {
    let Ok(what) = std::env::var("PROBE") else { return };
    let (how, to) = what.split_once(' ').expect("how, and an address");
    if how == "name" {
        println!("<{:?}>", to.to_socket_addrs().map(Iterator::count));
        return;
    }
    let to: SocketAddr = to.parse().expect("an address");
    let family = AddressFamily::INET;
    let datagrams = || socket(family, SocketType::DGRAM, None).expect("a socket");
    let said = match how {
        "tcp" => format!("{:?}", TcpStream::connect_timeout(&to, Duration::from_secs(5)).map(drop)),
        "udp" => {
            let bound = UdpSocket::bind("0.0.0.0:0").expect("bound");
            let sent = bound.send_to(b"sent to", to);
            // As a name server is asked, and as it could be abused.
            let connected = bound.connect(to).and_then(|()| bound.send(b"sent"));
            format!("{sent:?} {connected:?}")
        }
        "other-calls" => {
            let one = sendto(datagrams(), b"sendto", SendFlags::empty(), &to);
            let mut control = SendAncillaryBuffer::default();
            let words = [IoSlice::new(b"sendmsg")];
            let two = sendmsg_addr(datagrams(), &to, &words, &mut control, SendFlags::empty());
            let connected = rustix::net::connect(datagrams(), &to);
            let written = rustix::io::write(datagrams(), b"write");
            format!("{one:?} {two:?} {connected:?} {written:?}")
        }
        "raced" => raced(to),
        "listen" => format!("{:?}", TcpListener::bind(to).map(drop)),
        "raw" => format!("{:?}", socket(family, SocketType::RAW, None).map(drop)),
        other => panic!("{other}?"),
    };
    println!("<{said}>");
}

/// One thread connects, while the other changes what the descriptor is.
fn raced(to: SocketAddr) -> String {
    let flags = SocketFlags::CLOEXEC;
    let shared =
        socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).expect("a socket");
    let mut reached = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..300 {
                if let Ok(network) = socket(AddressFamily::INET, SocketType::STREAM, None) {
                    // The same descriptor is a network socket from here on, if there are any.
                    let mut copy = rustix::io::dup(&shared).expect("a descriptor");
                    let _ = rustix::io::dup2(network.as_fd(), &mut copy);
                    let _ = rustix::net::connect(&copy, &to);
                    let _ = rustix::io::write(&copy, b"raced");
                }
            }
        });
        for _ in 0..300 {
            reached += usize::from(rustix::net::connect(&shared, &to).is_ok());
        }
    });
    format!("{reached}")
}

/// Somebody outside who hears everything that arrives on a port.
struct Ear {
    tcp: SocketAddr,
    udp: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Ear {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let datagrams = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Self {
            tcp: listener.local_addr().expect("an address"),
            udp: datagrams.local_addr().expect("an address"),
            heard: Arc::clone(&heard),
        };
        let of_connections = Arc::clone(&heard);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut bytes = [0; 64];
                let length = stream.read(&mut bytes).unwrap_or(0);
                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                of_connections.lock().expect("unpoisoned").push(format!("tcp {text}"));
            }
        });
        thread::spawn(move || {
            let mut bytes = [0; 64];
            while let Ok(length) = datagrams.recv(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                heard.lock().expect("unpoisoned").push(format!("udp {text}"));
            }
        });
        ear
    }

    fn heard(&self) -> Vec<String> {
        thread::sleep(Duration::from_millis(100));
        self.heard.lock().expect("unpoisoned").clone()
    }
}

#[test]
fn nothing_leaves_whichever_way_it_is_sent_and_the_address_is_named() {
    if !complete() {
        return;
    }
    let ear = Ear::open();
    for (how, to) in
        [("tcp", ear.tcp), ("udp", ear.udp), ("other-calls", ear.udp), ("raced", ear.tcp)]
    {
        let mut bench = Bench::new(Mode::On);
        let said = text(&output(&mut probe(&mut bench, &format!("{how} {to}"))));
        assert!(said.contains('<') && !said.contains("Ok("), "{how}: {said}");
        let noted = bench.noted(NoticeKind::Refused);
        assert!(noted.contains(&format!("connect to {to}")), "{how}: {noted:?}");
        assert!(!noted.iter().any(|what| what.contains("the network")), "{how}: {noted:?}");
    }
    assert_eq!(ear.heard(), [""; 0]);
    // The same probes do reach where there is a network.
    for (how, to) in [("tcp", ear.tcp), ("udp", ear.udp), ("other-calls", ear.udp)] {
        let mut bench = Bench::new(Mode::On);
        bench.roots.network = true;
        let said = text(&output(&mut probe(&mut bench, &format!("{how} {to}"))));
        assert!(said.contains("Ok("), "{how}: {said}");
    }
    let mut heard = ear.heard();
    heard.sort();
    assert_eq!(heard, ["tcp ", "udp sendmsg", "udp sendto", "udp sent", "udp sent to"]);
}

#[test]
fn the_name_of_a_host_is_told_from_the_question_to_the_name_server() {
    if !complete() {
        return;
    }
    for (mode, kind) in [(Mode::On, NoticeKind::Refused), (Mode::Report, NoticeKind::Seen)] {
        let mut bench = Bench::new(mode);
        // No machine has a server for it, and none is asked under `on`.
        let said = text(&output(&mut probe(&mut bench, "name files.example.invalid:443")));
        assert!(said.contains("<Err("), "{said}");
        let noted = bench.noted(kind);
        assert!(noted.contains(&"connect to files.example.invalid".to_owned()), "{noted:?}");
    }
}

#[test]
fn who_only_listens_or_makes_another_socket_is_refused_too() {
    if !complete() {
        return;
    }
    let noted = |what: &str| {
        let mut bench = Bench::new(Mode::On);
        let said = text(&output(&mut probe(&mut bench, what)));
        assert!(said.contains("<Err("), "{what}: {said}");
        bench.noted(NoticeKind::Refused)
    };
    assert_eq!(noted("listen 127.0.0.1:7007"), ["listen at 127.0.0.1:7007"]);
    assert_eq!(noted("raw 127.0.0.1:1"), ["connect to the network (IPv4)"]);
}

#[test]
fn what_a_downloader_is_told_to_fetch_is_noted_though_there_is_none() {
    if !complete() {
        return;
    }
    let bench = Bench::new(Mode::On);
    let fetch = "env curl -sSL -o x https://user:secret@example.org/a/v1.zip; \
                 $OUTSIDE/wget --quiet http://example.org/b.tgz file:///c; env curl --version";
    bench.run(&format!("PATH={}:/usr/bin:/bin; {fetch}", bench.path("env/bin").display()));
    let mut noted = bench.noted(NoticeKind::Refused);
    noted.retain(|what| what.starts_with("fetch "));
    assert_eq!(noted, ["fetch http://example.org/b.tgz", "fetch https://example.org/a/v1.zip"]);
    let mut open = Bench::new(Mode::On);
    open.roots.network = true;
    open.run("$OUTSIDE/wget http://example.org/b.tgz");
    assert!(!open.noted(NoticeKind::Refused).iter().any(|what| what.starts_with("fetch ")));
}
