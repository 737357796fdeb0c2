//! Has cmake build a library, and keeps what cmake says of itself.

use std::{env, fs, path::Path};

fn main() {
    let built = cmake::build("native");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let made_by = built.join("build/made-by.txt");
    fs::copy(made_by, Path::new(&out).join("made-by.txt")).expect("written by cmake");
    println!("cargo::rustc-link-search={}", built.join("lib").display());
    println!("cargo::rustc-link-lib=static=tide");
    println!("cargo::rerun-if-changed=native");
}
