//! C and C++ through the crates that build scripts use for it: cc and pkg-config.

use super::corpus::{HOST, Theme, Verb, check};
use super::row::{Proof, Row, row, variable};
use super::surroundings::Surroundings;

/// Compiles with the flags of flags.txt, and looks for a library as configure scripts do.
const BUILD_SCRIPT: &str = r#"
use std::path::Path;
use std::{env, fs};

fn main() {
    let flags = fs::read_to_string("flags.txt").expect("flags");
    let mut c = cc::Build::new();
    c.opt_level(2).warnings(false).file("c/kernel.c");
    let mut cpp = cc::Build::new();
    cpp.opt_level(2).warnings(false).cpp(true).cpp_link_stdlib(None).file("c/more.cc");
    for flag in flags.split_whitespace() {
        c.flag(flag);
        cpp.flag(flag);
    }
    c.compile("kernel");
    cpp.compile("more");

    let out = env::var("OUT_DIR").expect("cargo sets it");
    let mut found = String::new();
    for library in ["hostile", "nsl"] {
        let mut link = c.get_compiler().to_command();
        link.arg("c/probe.c").arg("-o").arg(Path::new(&out).join("probe"));
        link.arg(format!("-l{library}"));
        let linked = link.output().expect("a compiler").status.success();
        found += &format!("library {library} {linked}\n");
    }
    for package in ["hostile", "libtirpc"] {
        let library = pkg_config::Config::new().cargo_metadata(false).probe(package);
        found += &format!("package {package} {:?}\n", library.map(|found| found.version).ok());
    }
    fs::write(Path::new(&out).join("found.txt"), found).expect("written");
}
"#;

const MAIN: &str = r#"
extern "C" {
    fn kernel(a: *const f64, b: *const f64, n: i32) -> f64;
    fn more() -> i32;
    fn header() -> i32;
    fn header_of_the_machine() -> *const std::ffi::c_char;
}
fn main() {
    let (a, b) = ([1.0; 16], [2.0; 16]);
    let text = unsafe { std::ffi::CStr::from_ptr(header_of_the_machine()) };
    println!("{} {} {}", unsafe { kernel(a.as_ptr(), b.as_ptr(), 16) }, unsafe { more() },
        unsafe { header() });
    println!("{text:?} {}", include_str!(concat!(env!("OUT_DIR"), "/found.txt")));
}
"#;

/// Its code differs with the instruction set, and with the CPU that it is tuned for.
pub const KERNEL: &str = r#"
#if __has_include(<hostile.h>)
int header(void) { return 1; }
#else
int header(void) { return 0; }
#endif
#if __has_include(<rpcsvc/yp.h>)
const char *header_of_the_machine(void) { return "header of the machine found"; }
#else
const char *header_of_the_machine(void) { return "header of the machine missing"; }
#endif
#ifdef HOSTILE
#define FACTOR 3
#else
#define FACTOR 2
#endif
double kernel(const double *a, const double *b, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i] * FACTOR;
    return sum;
}
unsigned pick(unsigned long x, const unsigned *t, unsigned n) {
    unsigned r = 0;
    for (unsigned i = 0; i < n; i++)
        if (t[i] > x) r += t[i] / 10 + (unsigned)__builtin_ctzl(x | 1) * 45;
        else x = x * 17 - t[i] % 1000;
    return r + __builtin_popcountl(x);
}
struct wide { long a[24]; };
void copy(struct wide *to, const struct wide *from) { *to = *from; }
void zero(struct wide *to) { *to = (struct wide){{0}}; }
"#;

const MORE: &str = r#"
#ifdef HOSTILE
extern "C" int more() { return 3; }
#else
extern "C" int more() { return 2; }
#endif
"#;

fn theme(rows: Vec<Row>) -> Theme {
    Theme {
        name: "kernel",
        files: vec![
            ("build.rs", BUILD_SCRIPT.into()),
            ("flags.txt", String::new()),
            ("src/main.rs", MAIN.into()),
            ("c/kernel.c", KERNEL.into()),
            ("c/more.cc", MORE.into()),
            ("c/probe.c", "int main(void) { return 0; }\n".into()),
        ],
        manifest: "[build-dependencies]\ncc = \"1.2\"\npkg-config = \"0.3\"\n",
        verb: Verb::Build,
        rows,
    }
}

/// A name with the target in it: `_t` as most write it, `-t` with the target's own dashes.
fn named(name: &str) -> String {
    let underscored = format!("_{}", HOST.replace('-', "_"));
    name.replace("-t", &format!("_{HOST}")).replace("_t", &underscored)
}

/// A row for a variable with the target in its name.
fn of_target(id: &'static str, name: &'static str, value: &'static str) -> Row {
    row(id, move |s| s.set(&named(name), value))
}

/// A row for a variable that names a program, which does what the machine's does and more.
fn program(id: &'static str, name: &'static str, script: &'static str) -> Row {
    row(id, move |s| {
        let path = s.program("hostile-program", script);
        s.set(&named(name), &path);
    })
}

const CC: &str = "exec cc -DHOSTILE \"$@\"";
const CXX: &str = "exec c++ -DHOSTILE \"$@\"";
const FLAG: &str = "-DHOSTILE";

#[test]
fn compilers_and_their_flags() {
    check(&theme(vec![
        program("var-cc", "CC", CC),
        program("var-cc-target", "CC_t", CC),
        program("var-cc-dashed", "CC-t", CC),
        program("var-host-cc", "HOST_CC", CC),
        program("var-cxx", "CXX", CXX),
        program("var-cxx-dashed", "CXX-t", CXX),
        program("var-ar", "AR", "exit 1").seen_by(Proof::Failure),
        program("var-ar-dashed", "AR-t", "exit 1").seen_by(Proof::Failure),
        variable("var-cflags", "CFLAGS", FLAG),
        of_target("var-cflags-target", "CFLAGS_t", FLAG),
        of_target("var-cflags-dashed", "CFLAGS-t", FLAG),
        variable("var-host-cflags", "HOST_CFLAGS", FLAG),
        variable("var-cxxflags", "CXXFLAGS", FLAG),
        of_target("var-cxxflags-target", "CXXFLAGS_t", FLAG),
        of_target("var-cxxflags-dashed", "CXXFLAGS-t", FLAG),
        variable("var-cc-no-defaults", "CRATE_CC_NO_DEFAULTS", "1"),
    ]));
}

/// A folder with a header in it.
fn headers(s: &mut Surroundings) -> String {
    let file = s.file("elsewhere/hostile.h", "");
    file.strip_suffix("/hostile.h").expect("a folder").to_owned()
}

/// A folder with a library in it. It is made by the machine's tools.
fn library(s: &mut Surroundings) -> String {
    let file = s.file("elsewhere/hostile.c", "int hostile(void) { return 1; }\n");
    let dir = file.strip_suffix("/hostile.c").expect("a folder").to_owned();
    s.shell(
        &s.checkout.clone(),
        &format!("cd {dir}; cc -c hostile.c; ar rcs libhostile.a hostile.o"),
    );
    dir
}

/// A folder with a package for pkg-config.
fn packages(s: &mut Surroundings) -> String {
    let text = "Name: hostile\nDescription: of the machine\nVersion: 9\n";
    let file = s.file("elsewhere/hostile.pc", text);
    file.strip_suffix("/hostile.pc").expect("a folder").to_owned()
}

fn searched(id: &'static str, name: &'static str, dir: fn(&mut Surroundings) -> String) -> Row {
    row(id, move |s| {
        let dir = dir(s);
        s.set(&named(name), &dir);
    })
}

#[test]
fn places_that_compilers_search() {
    check(&theme(vec![
        searched("var-cpath", "CPATH", headers),
        searched("var-c-include-path", "C_INCLUDE_PATH", headers),
        searched("var-library-path", "LIBRARY_PATH", library),
        searched("var-pkg-config-path", "PKG_CONFIG_PATH", packages),
        searched("var-pkg-config-path-target", "PKG_CONFIG_PATH_t", packages),
        searched("var-pkg-config-path-dashed", "PKG_CONFIG_PATH-t", packages),
        searched("var-host-pkg-config-path", "HOST_PKG_CONFIG_PATH", packages),
        searched("var-pkg-config-libdir", "PKG_CONFIG_LIBDIR", packages),
        program("var-pkg-config", "PKG_CONFIG", "echo 99"),
        program("var-pkg-config-dashed", "PKG_CONFIG-t", "echo 99"),
        // Nothing has to be done for that.
        row("packages-default", |_| {}).seen_by(Proof::Text("package libtirpc Some".into())),
    ]));
}

/// A row in which the project gives this flag to its compiler.
fn flag(id: &'static str, flag: &'static str) -> Row {
    row(id, move |s| s.project_file("flags.txt", flag))
}

/// What a project says to its compilers about this machine's CPU.
#[test]
fn instruction_sets_through_cc() {
    check(&theme(vec![
        flag("native-march-cc", "-march=native").and_said(&["-march=native"]),
        row("native-march-in-a-file", |s| {
            s.project_file("flags.txt", "@flags.rsp");
            s.project_file("flags.rsp", "-O2 -march=native\n");
        })
        .and_said(&["-march=native"]),
        flag("native-mtune-cc", "-mtune=native").and_said(&["-mtune=native"]),
        flag("native-mcpu-cc", "-mcpu=native").and_said(&["-mcpu=native"]),
    ]));
}

/// What a project says to its compilers about the machine's folders.
#[test]
fn folders_of_the_machine_through_cc() {
    let header = || Proof::Text("header of the machine found".into());
    let library = || Proof::Text("library nsl true".into());
    check(&theme(vec![
        flag("folder-include", "-I/usr/include").seen_by(header()).and_said(&["/usr/include"]),
        flag("folder-isystem", "-isystem/usr/include")
            .seen_by(header())
            .and_said(&["/usr/include"]),
        flag("folder-isystem-spaced", "-isystem /usr/include")
            .seen_by(header())
            .and_said(&["/usr/include"]),
        flag("folder-idirafter", "-idirafter/usr/include")
            .seen_by(header())
            .and_said(&["/usr/include"]),
        flag("folder-library", "-L/usr/lib/x86_64-linux-gnu -L/usr/lib/aarch64-linux-gnu")
            .seen_by(library())
            .and_said(&["-L/usr/lib"]),
    ]));
}
