//! A crate whose build script downloads: `utoipa-swagger-ui`, as published. It wants a zip archive
//! of a release server; the same files come from the package registry here, packed in the layout
//! that the crate expects.

use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use xprov::vocab::digest::Sha256;

use super::machine::{Machine, base};
use super::projects::copy;

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// What build.rs of 9.0.2 downloads.
const WANTED: &str = "https://github.com/swagger-api/swagger-ui/archive/refs/tags/v5.17.14.zip";

/// The package with the same files.
const PACKAGE: &str = "swagger-ui-dist@5.17.14";

#[test]
fn a_crate_that_downloads_is_refused_with_the_lines_that_pin_it_and_builds_with_them() {
    let machine = Machine::share();
    let dir = copy("swagger", &base().join("projects/swagger"));
    machine.lock(&dir, &[TARGET]);
    let build = ["build", "--locked", "--target", TARGET];

    let refused = machine.xprov(&dir, &build);
    assert_eq!(refused.code, 101, "{}", refused.stderr);
    let sentence = format!("utoipa-swagger-ui 9.0.2 wanted `{WANTED}`");
    assert!(refused.stderr.contains(&sentence), "{}", refused.stderr);

    let files = package();
    let zip = zip(&files);
    let (server, requests) = serve(zip.clone());
    let lines: Vec<&str> = refused
        .stderr
        .lines()
        .skip_while(|line| !line.contains("metadata.xprov.inputs.swagger-ui]"))
        .take_while(|line| !line.is_empty())
        .map(str::trim)
        .collect();
    assert_eq!(lines.len(), 5, "{}", refused.stderr);
    // All that the user has to find out is the digest; the file is not where it usually is.
    let digest = format!("sha256 = \"{}\"", Sha256::of(&zip));
    let lines = lines.join("\n").replace("sha256 = \"…\"", &digest);
    let lines = lines.replacen(WANTED, &format!("http://{server}/v5.17.14.zip"), 1);
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).expect("a manifest");
    fs::write(dir.join("Cargo.toml"), format!("{manifest}\n{lines}\n")).expect("written");

    machine.xprov(&dir, &["restore", "--locked"]).ok();
    let done = machine.xprov(&dir, &["build", "--frozen", "--target", TARGET]).ok();
    assert!(!done.stderr.contains("refused"), "{}", done.stderr);
    // A store that has the file of an earlier run asks nobody.
    assert!(requests.load(Ordering::Relaxed) <= 1, "restore alone asks");

    let names = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];
    let mut run = vec!["run", "--quiet", "--frozen", "--target", TARGET, "--"];
    run.extend(names);
    let of = |name: &str| {
        let file = files.iter().find(|(known, _)| known == name);
        &file.expect("in the package").1
    };
    let mut expected = String::new();
    for name in names {
        let text = String::from_utf8_lossy(of(name)).into_owned();
        let first = text.lines().next().unwrap_or_default();
        writeln!(expected, "{name} {}: {first}", of(name).len()).expect("room");
    }
    machine.xprov(&dir, &run).prints(&expected);
    let binary = fs::read(dir.join("target").join(TARGET).join("debug/swagger")).expect("built");
    let css = &of("swagger-ui.css")[..200];
    let at = binary.iter().enumerate().filter(|(_, byte)| **byte == css[0]).map(|(at, _)| at);
    assert!({ at }.any(|at| binary[at..].starts_with(css)), "the program carries the file");
}

/// The files of the package, through the machine's own client.
fn package() -> Vec<(String, Vec<u8>)> {
    let dir = base().join("npm");
    fs::create_dir_all(&dir).expect("a folder");
    let mut npm = Command::new("npm");
    npm.args(["pack", PACKAGE, "--silent", "--pack-destination"]).arg(&dir).current_dir(&dir);
    let output = npm.output().expect("this test needs npm, and a registry that it reaches");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let bytes = fs::read(dir.join(Path::new(&name))).expect("an archive");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(Cursor::new(bytes)));
    let mut files = Vec::new();
    for entry in archive.entries().expect("a tar archive") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a name").to_string_lossy().into_owned();
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).expect("readable");
        if let Some(name) = path.strip_prefix("package/") {
            files.push((name.to_owned(), contents));
        }
    }
    files.sort();
    files
}

/// The files as an archive of the repository has them: below `dist` in one folder, whose own entry
/// comes first.
fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    writer.add_directory("swagger-ui-5.17.14", options).expect("a folder");
    for (name, contents) in files {
        let name = format!("swagger-ui-5.17.14/dist/{name}");
        writer.start_file(name, options).expect("an entry");
        writer.write_all(contents).expect("written");
    }
    writer.finish().expect("an archive").into_inner()
}

/// Serves the bytes on loopback under any path until these tests end, and counts.
fn serve(bytes: Vec<u8>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::Relaxed);
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                bytes.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes));
        }
    });
    (address, requests)
}
