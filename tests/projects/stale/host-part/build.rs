//! Asks the compiler that the environment names, and declares only its file: as most do.

use std::process::Command;
use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=host.c");
    let compiler = env::var("HOST_CC").expect("a host compiler");
    let output = Command::new(compiler).args(["-E", "-P", "host.c"]).output().expect("it starts");
    let said = String::from_utf8(output.stdout).expect("text");
    let constant = format!("/// Its line.\npub const SAID: &str = {:?};\n", said.trim());
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("said.rs"), constant).expect("written");
}
