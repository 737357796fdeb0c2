//! C that unwinds, in programs that gcc links for musl by itself.

use std::fs;

use super::machine::{Machine, base};
use super::projects::copy;

const TARGETS: [(&str, &str); 2] = [
    ("x86_64-unknown-linux-musl", "x86_64-linux-musl"),
    ("aarch64-unknown-linux-musl", "aarch64-linux-musl"),
];

/// Walks the stack, then leaves it frame by frame.
const C: &str = r#"
#include <stdio.h>
#include <string.h>
#include <unwind.h>
static int frames;
static _Unwind_Reason_Code count(struct _Unwind_Context *context, void *unused) {
    if (_Unwind_GetIP(context)) frames++;
    return _URC_NO_REASON;
}
static _Unwind_Reason_Code go_on(int version, _Unwind_Action actions, _Unwind_Exception_Class of,
                                 struct _Unwind_Exception *exception,
                                 struct _Unwind_Context *context, void *back) {
    if (actions & _UA_END_OF_STACK) __builtin_longjmp(back, 1);
    return _URC_NO_REASON;
}
static void leave(int *number) { printf("left %d\n", *number); }
__attribute__((noinline))
static int deep(int level, struct _Unwind_Exception *exception, void *back) {
    __attribute__((cleanup(leave))) int number = level;
    if (level == 0) {
        _Unwind_Backtrace(count, 0);
        printf("%s\n", frames >= 5 ? "frames" : "no frames");
        _Unwind_ForcedUnwind(exception, go_on, back);
    }
    return deep(level - 1, exception, back) + number;
}
int main(void) {
    struct _Unwind_Exception exception;
    void *back[5];
    memset(&exception, 0, sizeof exception);
    if (__builtin_setjmp(back)) { puts("back"); return 0; }
    return deep(3, &exception, back);
}
"#;

#[test]
fn c_walks_and_leaves_its_stack_however_it_is_linked() {
    let machine = Machine::wait();
    let dir = copy("tiny", &base().join("projects").join("tiny-unwind"));
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).expect("a manifest");
    let linker = |target| format!("[package.metadata.xprov.target.{target}]\nlinker = \"cc\"\n");
    let settings: String = TARGETS.iter().map(|(target, _)| linker(*target)).collect();
    fs::write(dir.join("Cargo.toml"), format!("{manifest}\n{settings}")).expect("written");
    fs::write(dir.join("unwind.c"), C).expect("written");
    machine.lock(&dir, &TARGETS.map(|(target, _)| target));
    let path = |name: &str| dir.join(name).to_str().expect("UTF-8").to_owned();
    for (target, prefix) in TARGETS {
        for flags in [&["-O2"][..], &["-static"], &["-no-pie"], &["-static-pie", "-O2"]] {
            let (gcc, program) = (format!("{prefix}-gcc"), path("unwind"));
            let compile = [&gcc, "-fexceptions", &path("unwind.c"), "-o", &program];
            let exec = ["exec", "--target", target, "--"];
            machine.xprov(&dir, &[&exec[..], &compile, flags].concat()).ok();
            let run = machine.xprov(&dir, &[&exec[..], &["xprov-runner", &program]].concat());
            run.prints("frames\nleft 0\nleft 1\nleft 2\nleft 3\nback\n");
        }
    }
}
