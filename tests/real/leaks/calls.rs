//! C through what build scripts start by themselves: compilers by name, make, cmake.

use std::fs;
use std::path::Path;

use super::corpus::{Theme, Verb, check, check_with};
use super::kernel::KERNEL;
use super::row::{Row, row, variable};
use super::surroundings::Surroundings;

const MAIN: &str = r#"
extern "C" {
    fn kernel(a: *const f64, b: *const f64, n: i32) -> f64;
}
fn main() {
    let (a, b) = ([1.0; 16], [2.0; 16]);
    println!("{}", unsafe { kernel(a.as_ptr(), b.as_ptr(), 16) });
    println!("{:?}", include_bytes!(concat!(env!("OUT_DIR"), "/more")).len());
}
"#;

/// Compiles with the compiler and the flags that flags.txt says, and with clang where there is one.
const DIRECT: &str = r#"
use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let out = Path::new(&out);
    let text = fs::read_to_string("flags.txt").expect("flags");
    let flags: Vec<&str> = text.split_whitespace().collect();
    let object = out.join("kernel.o");
    let mut compiler = Command::new(flags[0]);
    compiler.args(&flags[1..]).args(["-O2", "-fPIC", "-c", "c/kernel.c", "-o"]).arg(&object);
    assert!(compiler.status().expect("a compiler").success());
    let archive = Command::new("ar").arg("rcs").arg(out.join("libkernel.a")).arg(&object).status();
    assert!(archive.expect("ar").success());
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=kernel");
    // As a crate does that has a faster kernel for those who have clang.
    let mut clang = Command::new("clang");
    clang.args(["-march=native", "-O2", "-c", "c/kernel.c", "-o"]).arg(out.join("more"));
    if !clang.status().is_ok_and(|status| status.success()) {
        fs::write(out.join("more"), "").expect("written");
    }
}
"#;

fn direct(rows: Vec<Row>) -> Theme {
    let files = vec![
        ("src/main.rs", MAIN.into()),
        ("build.rs", DIRECT.into()),
        ("flags.txt", "cc".into()),
        ("c/kernel.c", KERNEL.into()),
    ];
    Theme { name: "caller", files, manifest: "", verb: Verb::Build, rows }
}

fn flags(id: &'static str, flags: &'static str) -> Row {
    row(id, move |s| s.project_file("flags.txt", flags))
}

#[test]
fn compilers_by_name() {
    check(&direct(vec![
        flags("native-direct-cc", "cc -march=native").and_said(&["-march=native"]),
        flags("native-direct-gcc", "gcc -march=native").and_said(&["-march=native"]),
        // A machine with clang; the one of these tests may have none.
        row("native-direct-clang", |s| s.program_on_path("clang", "exec gcc \"$@\"")),
        row("var-compiler-path", |s| {
            // A part of the compiler that comes first.
            let part = "unset COMPILER_PATH\n\
                        exec \"$(/usr/bin/gcc -print-prog-name=cc1)\" -DHOSTILE \"$@\"";
            let path = s.program("elsewhere/cc1", part);
            s.set("COMPILER_PATH", path.strip_suffix("/cc1").expect("a folder"));
        }),
    ]));
}

/// Calls make with the project's own flags, which flags.mk has.
const MAKE: &str = r#"
use std::path::Path;
use std::process::Command;
use std::env;

fn main() {
    let out = env::var("OUT_DIR").expect("cargo sets it");
    for name in ["kernel.o", "libkernel.a", "more"] {
        let _ = std::fs::remove_file(Path::new(&out).join(name));
    }
    let status = Command::new("make").args(["-C", "c", &format!("OUT={out}")]).status();
    assert!(status.expect("make").success());
    println!("cargo:rustc-link-search=native={out}");
    println!("cargo:rustc-link-lib=static=kernel");
}
"#;

/// Its `CFLAGS` and the like are the user's, as usual.
const MAKEFILE: &str = "include flags.mk
all: $(OUT)/libkernel.a $(OUT)/more
$(OUT)/libkernel.a: $(OUT)/kernel.o
\t$(AR) rcs $@ $<
$(OUT)/kernel.o: kernel.c
\t$(CC) -O2 -fPIC $(OWN) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(OUT)/more: more.cc
\t$(CXX) $(CPPFLAGS) $(CXXFLAGS) $(LDFLAGS) -o $@ $<
";

fn makefile(rows: Vec<Row>) -> Theme {
    let files = vec![
        ("src/main.rs", MAIN.into()),
        ("build.rs", MAKE.into()),
        ("c/Makefile", MAKEFILE.into()),
        ("c/flags.mk", "OWN =\n".into()),
        ("c/kernel.c", KERNEL.into()),
        ("c/more.cc", MORE.into()),
    ];
    Theme { name: "maker", files, manifest: "", verb: Verb::Build, rows }
}

/// A program whose length tells how it was compiled and linked.
const MORE: &str = r"
#ifdef HOSTILE
char more[99999] = {1};
#endif
int main() { return 0; }
";

#[test]
fn variables_that_makefiles_read() {
    check(&makefile(vec![
        row("native-makefile", |s| s.project_file("c/flags.mk", "OWN = -march=native\n"))
            .and_said(&["-march=native"]),
        variable("var-makeflags", "MAKEFLAGS", " -- CFLAGS=-DHOSTILE"),
        variable("var-cflags-make", "CFLAGS", "-DHOSTILE"),
        variable("var-cppflags", "CPPFLAGS", "-DHOSTILE"),
        variable("var-cxxflags-make", "CXXFLAGS", "-DHOSTILE"),
        variable("var-ldflags", "LDFLAGS", "-static"),
        row("var-cc-make", |s| {
            let path = s.program("hostile-cc", "exec cc -DHOSTILE \"$@\"");
            s.set("CC", &path);
        }),
        row("path-make", |s| {
            s.program_on_path("make", "PATH=${PATH#*:}; exec make CFLAGS=-DHOSTILE \"$@\"");
        }),
        row("path-cc-make", |s| {
            s.program_on_path("cc", "PATH=${PATH#*:}; exec cc -DHOSTILE \"$@\"");
        }),
    ]));
}

/// Calls cmake as crates do it: with the toolchain file of the environment, if there is one.
const CMAKE: &str = r#"
use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let dir = Path::new(&out).join("made");
    let _ = fs::remove_dir_all(&dir);
    let target = env::var("TARGET").expect("cargo sets it").replace('-', "_");
    let mut configure = Command::new("cmake");
    configure.args(["-S", "c", "-G", "Unix Makefiles", "-B"]).arg(&dir);
    if let Ok(file) = env::var(format!("CMAKE_TOOLCHAIN_FILE_{target}")) {
        configure.arg(format!("-DCMAKE_TOOLCHAIN_FILE={file}"));
    }
    assert!(configure.status().expect("cmake").success());
    let built = Command::new("cmake").arg("--build").arg(&dir).status();
    assert!(built.expect("cmake").success());
    fs::copy(dir.join("more"), Path::new(&out).join("more")).expect("made");
    println!("cargo:rustc-link-search=native={}", dir.display());
    println!("cargo:rustc-link-lib=static=kernel");
}
"#;

const LISTS: &str = "cmake_minimum_required(VERSION 3.20)
project(kernel C)
include(flags.cmake)
add_library(kernel STATIC kernel.c)
target_compile_options(kernel PRIVATE -O2 -fPIC)
find_file(FOUND hostile.h NO_CMAKE_FIND_ROOT_PATH)
file(WRITE ${CMAKE_BINARY_DIR}/more \"${FOUND}\")
";

/// The built-in tools with cmake: a project chooses one recipe for them.
fn tools_with_cmake() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes/posix-tools.toml");
    let text = fs::read_to_string(path).expect("a recipe");
    let text = text.replace("\"coreutils\",", "\"cmake\", \"coreutils\",");
    text.replace("posix-tools", "tools-with-cmake").replace("default = true\n", "")
}

fn cmake(rows: Vec<Row>) -> Theme {
    let files = vec![
        ("src/main.rs", MAIN.into()),
        ("build.rs", CMAKE.into()),
        ("recipes/tools-with-cmake.toml", tools_with_cmake()),
        ("c/CMakeLists.txt", LISTS.into()),
        ("c/flags.cmake", String::new()),
        ("c/kernel.c", KERNEL.into()),
    ];
    let manifest = "[workspace.metadata.xprov]\ntools = { recipe = \"tools-with-cmake\" }\n";
    Theme { name: "cmaker", files, manifest, verb: Verb::Build, rows }
}

/// A folder with a header in it.
fn headers(s: &mut Surroundings) -> String {
    let file = s.file("elsewhere/include/hostile.h", "");
    file.strip_suffix("/include/hostile.h").expect("a folder").to_owned()
}

#[test]
fn variables_that_cmake_reads() {
    let theme = cmake(vec![
        row("native-cmake", |s| {
            s.project_file("c/flags.cmake", "string(APPEND CMAKE_C_FLAGS \" -march=native\")\n");
        })
        .and_said(&["-march=native"]),
        variable("var-cflags-cmake", "CFLAGS", "-DHOSTILE"),
        row("var-cc-cmake", |s| {
            let path = s.program("hostile-cc", "exec cc -DHOSTILE \"$@\"");
            s.set("CC", &path);
        }),
        row("var-cmake-prefix-path", |s| {
            let dir = headers(s);
            s.set("CMAKE_PREFIX_PATH", &dir);
        }),
        row("var-cmake-toolchain-file", |s| {
            let file = s.file("elsewhere/file.cmake", "set(CMAKE_C_FLAGS_INIT -DHOSTILE)\n");
            s.set("CMAKE_TOOLCHAIN_FILE", &file);
        }),
    ]);
    check_with(&theme, "cmake");
}
