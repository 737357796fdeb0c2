//! Build scripts that ask the machine itself: its processor, its clock, its names, its network.

use std::fs;

use super::corpus::{Theme, Verb, check};
use super::row::{Proof, Row, row};
use super::surroundings::Surroundings;

const MAIN: &str =
    r#"fn main() { print!("{}", include_str!(concat!(env!("OUT_DIR"), "/answer.txt"))); }"#;

/// A build script that writes down what this expression says; with it, what it asks is in its
/// source, where xprov looks for what it cannot prevent.
fn build_script(question: &str) -> String {
    format!(
        "fn main() {{
    let answer: String = {question};
    let out = std::env::var(\"OUT_DIR\").expect(\"cargo sets it\");
    std::fs::write(std::path::Path::new(&out).join(\"answer.txt\"), answer).expect(\"written\");
}}
"
    )
}

fn theme(rows: Vec<Row>) -> Theme {
    let nothing = build_script("String::new()");
    let files = vec![("src/main.rs", MAIN.into()), ("build.rs", nothing)];
    Theme { name: "asker", files, manifest: "", verb: Verb::Build, rows }
}

fn asks(id: &'static str, question: &'static str) -> Row {
    row(id, move |s| s.project_file("build.rs", &build_script(question)))
}

/// The first line of a file of the machine.
fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).expect("a file of the machine");
    text.lines().next().expect("a line").to_owned()
}

const PROGRAM: &str = r#"{
    let output = std::process::Command::new("PROGRAM").args([ARGUMENTS]).output();
    output.map(|output| format!("WORD={}", String::from_utf8_lossy(&output.stdout)))
        .unwrap_or_default()
}"#;

/// Asks a program.
fn asks_program(id: &'static str, word: &str, program: &str, arguments: &str) -> Row {
    let question = PROGRAM.replace("PROGRAM", program).replace("ARGUMENTS", arguments);
    let script = build_script(&question.replace("WORD", word));
    row(id, move |s| s.project_file("build.rs", &script))
}

/// A feature above the baseline, how one asks the processor for it, and what that is called.
const FEATURE: &str = if ARM { "lse" } else { "sse3" };
const CPUID: &str = if ARM {
    "format!(\"{}\", std::arch::is_aarch64_feature_detected!(\"lse\"))"
} else {
    "format!(\"{}\", std::arch::is_x86_feature_detected!(\"sse3\"))"
};
const DETECTED: &str = if ARM { "is_aarch64_feature_detected" } else { "is_x86_feature_detected" };
const ARM: bool = cfg!(target_arch = "aarch64");

#[test]
fn processor() {
    let native = "\"--print\", \"cfg\", \"-Ctarget-cpu=native\"";
    check(&theme(vec![
        asks("cpuid", CPUID).only_said(&[DETECTED]),
        asks("proc-cpuinfo", "std::fs::read_to_string(\"/proc/cpuinfo\").unwrap_or_default()")
            .seen_by(Proof::Text(first_line("/proc/cpuinfo")))
            .and_said(&["/proc/cpuinfo"]),
        asks_program("native-rustc-in-build-script", "cfg", "rustc", native)
            .seen_by(Proof::Text(format!("target_feature=\"{FEATURE}\"")))
            .and_said(&["target-cpu=native"]),
    ]));
}

#[test]
fn clock_and_names() {
    let name = first_line("/proc/sys/kernel/hostname");
    let named = || Proof::Text(format!("name={name}"));
    let user = std::process::Command::new("id").arg("-un").output().expect("id starts");
    let user = String::from_utf8_lossy(&user.stdout).trim().to_owned();
    check(&theme(vec![
        asks("clock", "format!(\"{:?}\", std::time::SystemTime::now())").only_said(&["SystemTime"]),
        asks_program("host-name-uname", "name", "uname", "\"-n\"").seen_by(named()),
        asks(
            "host-name-file",
            "std::fs::read_to_string(\"/proc/sys/kernel/hostname\")
                .map(|name| format!(\"name={name}\")).unwrap_or_default()",
        )
        .seen_by(named()),
        asks_program("user-name-id", "user", "id", "\"-un\"")
            .seen_by(Proof::Text(format!("user={user}"))),
        asks("user-name-passwd", "std::fs::read_to_string(\"/etc/passwd\").unwrap_or_default()")
            .seen_by(Proof::Text(first_line("/etc/passwd"))),
        asks_program("packages-by-name", "version", "pkg-config", "\"--modversion\", \"libtirpc\"")
            .seen_by(Proof::Text(format!("version={}", tirpc()))),
    ]));
}

/// What the machine's own pkg-config finds of a library that every Debian machine with a C compiler
/// has beside its C library.
fn tirpc() -> String {
    let asked =
        std::process::Command::new("pkg-config").args(["--modversion", "libtirpc"]).output();
    let version = String::from_utf8_lossy(&asked.expect("pkg-config starts").stdout).into_owned();
    assert!(!version.trim().is_empty(), "these tests need libtirpc-dev, as libc6-dev does");
    version.trim().to_owned()
}

/// A build script that reaches the listener at this port.
fn reaches(s: &mut Surroundings, question: &str, port: u16) {
    s.project_file("build.rs", &build_script(&question.replace("PORT", &port.to_string())));
}

const TCP: &str = r#"{
    use std::io::Write;
    let stream = std::net::TcpStream::connect("127.0.0.1:PORT");
    if let Ok(mut stream) = stream {
        let _ = stream.write_all(b"a secret of the machine");
    }
    String::new()
}"#;

const UDP: &str = r#"{
    let socket = std::net::UdpSocket::bind("127.0.0.1:0");
    if let Ok(socket) = socket {
        let _ = socket.send_to(b"a secret of the machine", "127.0.0.1:PORT");
    }
    String::new()
}"#;

/// A proc-macro is loaded by rustc itself.
const MACRO: &str = r#"
#[proc_macro]
pub fn reach(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    use std::io::Write;
    if let Ok(mut stream) = std::net::TcpStream::connect("127.0.0.1:PORT") {
        let _ = stream.write_all(b"a secret of the machine");
    }
    proc_macro::TokenStream::new()
}
"#;

#[test]
fn network() {
    let heard = || Proof::Heard("a secret of the machine");
    check(&theme(vec![
        row("network-tcp", |s| {
            let port = s.ear.listen(&[]);
            reaches(s, TCP, port);
        })
        .seen_by(heard()),
        row("network-udp", |s| {
            let port = s.ear.listen_to_datagrams();
            reaches(s, UDP, port);
        })
        .seen_by(heard()),
        row("network-proc-macro", |s| {
            let port = s.ear.listen(&[]);
            s.project_file("macros/src/lib.rs", &MACRO.replace("PORT", &port.to_string()));
            s.project_file(
                "macros/Cargo.toml",
                "[package]\nname = \"macros\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
                 [lib]\nproc-macro = true\n",
            );
            s.more_manifest("[dependencies]\nmacros = { path = \"macros\" }\n");
            s.project_file("src/main.rs", &format!("macros::reach!();\n{MAIN}"));
        })
        .seen_by(heard()),
    ]));
}
