//! The toolchain file that the `cmake` crate passes on: `CMAKE_TOOLCHAIN_FILE_<target>`.

use std::fmt::Write as _;

use crate::vocab::triple::RustTriple;

/// The file's text. `tool` gives the path of a tool of the target by its last word (`gcc`).
pub fn toolchain_file(
    target: &RustTriple,
    tool: impl Fn(&str) -> String,
    sysroot: Option<&str>,
) -> String {
    let system = match target.as_str() {
        name if name.contains("-apple-") => "Darwin",
        name if name.contains("-windows-") => "Windows",
        _ => "Linux",
    };
    let processor = match target.arch() {
        "armv7" => "armv7-a",
        other => other,
    };
    let mut text = String::new();
    let mut set = |name: &str, value: &str| {
        let _ =
            writeln!(text, "set({name} \"{}\")", value.replace('\\', "\\\\").replace('"', "\\\""));
    };
    set("CMAKE_SYSTEM_NAME", system);
    set("CMAKE_SYSTEM_PROCESSOR", processor);
    set("CMAKE_C_COMPILER", &tool("gcc"));
    set("CMAKE_CXX_COMPILER", &tool("g++"));
    set("CMAKE_AR", &tool("ar"));
    set("CMAKE_RANLIB", &tool("ranlib"));
    set("CMAKE_STRIP", &tool("strip"));
    if let Some(sysroot) = sysroot {
        set("CMAKE_FIND_ROOT_PATH", sysroot);
        if system == "Darwin" {
            set("CMAKE_OSX_SYSROOT", sysroot);
        }
    }
    // Programs run on the host; everything else is the target's.
    set("CMAKE_FIND_ROOT_PATH_MODE_PROGRAM", "NEVER");
    for kind in ["LIBRARY", "INCLUDE", "PACKAGE"] {
        set(&format!("CMAKE_FIND_ROOT_PATH_MODE_{kind}"), "ONLY");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_cmake_would_guess_is_said() {
        let target = "armv7-unknown-linux-gnueabihf".parse().expect("known");
        let text = toolchain_file(&target, |tool| format!("/e/bin/arm-{tool}"), Some("/e/sys"));
        for line in [
            r#"set(CMAKE_SYSTEM_NAME "Linux")"#,
            r#"set(CMAKE_SYSTEM_PROCESSOR "armv7-a")"#,
            r#"set(CMAKE_CXX_COMPILER "/e/bin/arm-g++")"#,
            r#"set(CMAKE_FIND_ROOT_PATH "/e/sys")"#,
            r#"set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY "ONLY")"#,
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
