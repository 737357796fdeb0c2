//! Depends on everything that a stale build can miss, and declares only one file: as most do.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=mark.c");
    let var = |name: &str| env::var(name).unwrap_or_default();
    let target = var("TARGET").replace('-', "_");
    let flags = var(&format!("CFLAGS_{target}"));
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let said = host_part::preprocessed(&var(&format!("CC_{target}")), &flags, "mark.c");
    let made = format!(
        "const TARGET: &str = {said:?};\nconst HOST: &str = {:?};\nconst PROJECT: &str = {:?};\n",
        host_part::SAID,
        var("OF_THE_PROJECT"),
    );
    fs::write(Path::new(&var("OUT_DIR")).join("made.rs"), made).expect("written");
}
