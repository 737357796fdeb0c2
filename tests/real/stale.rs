//! What was built before something changed that cargo does not look at: plain cargo takes it for
//! new, and xprov has another environment, another build directory and so the right bytes.

mod marked;
mod plain;
mod project;

use std::fs;

use xprov::vocab::triple::RustTriple;

use super::machine::{Machine, say};
use marked::Marks;
use plain::Plain;
use project::{OTHER, Project, TARGET};

/// Plain cargo after `change`: nothing to do, old bytes; although a build from nothing gives others.
fn plain_cargo_misses(what: &str, plain: &mut Plain, change: impl FnOnce(&mut Plain)) {
    let before = plain.build();
    assert!(before.compiled, "{what}");
    change(plain);
    let after = plain.build();
    assert!(!after.compiled && after.bytes == before.bytes, "plain cargo notices: {what}");
    assert!(plain.build_anew().bytes != before.bytes, "this changes nothing: {what}");
}

#[test]
fn plain_cargo_misses_what_compilers_became() {
    let _turn = Machine::wait();
    let mut plain = Plain::new("compiler");
    plain_cargo_misses("the C compiler's content", &mut plain, |plain| {
        plain.tool("cc", "exec cc -DMARK=2 \"$@\"");
    });
    let mut plain = Plain::new("linker");
    plain.tool("linker-gcc", "exec cc \"$@\" -Wl,--build-id=0x01");
    plain_cargo_misses("the linker's content", &mut plain, |plain| {
        plain.tool("linker-gcc", "exec cc \"$@\" -Wl,--build-id=0x02");
    });
    let mut plain = Plain::new("host-unit");
    plain_cargo_misses(
        "the host compiler's content, as a host unit sees it",
        &mut plain,
        |plain| {
            plain.tool("host-cc", "exec cc -DMARK=2 \"$@\"");
        },
    );
    let mut plain = Plain::new("machine");
    plain.tool("cc", "exec cc \"$@\" -march=x86-64");
    plain_cargo_misses("the machine that `native` means", &mut plain, |plain| {
        plain.tool("cc", "exec cc \"$@\" -march=x86-64-v3");
    });
}

#[test]
fn plain_cargo_misses_the_standard_library_and_its_own_configuration() {
    let _turn = Machine::wait();
    let mut plain = Plain::new("std");
    let core = plain.own_std();
    plain_cargo_misses("the standard library's content", &mut plain, |_| {
        let bytes = fs::read(&core).expect("the core library");
        fs::write(&core, plain::changed_core(&bytes)).expect("written");
    });
    let mut plain = Plain::new("env-table");
    plain.write(".cargo/config.toml", "[env]\nOF_THE_PROJECT = \"one\"\n");
    plain_cargo_misses("the [env] table", &mut plain, |plain| {
        plain.write(".cargo/config.toml", "[env]\nOF_THE_PROJECT = \"two\"\n");
    });
    let mut plain = Plain::new("wrapper");
    plain.tool("wrapper", "exec \"$@\"");
    plain_cargo_misses("a compiler wrapper", &mut plain, |plain| {
        plain.tool("wrapper2", "exec \"$@\" --cfg of_a_flag");
        let path = plain.tool_path("wrapper2");
        plain.set("RUSTC_WRAPPER", &path);
    });
    let mut plain = Plain::new("flags");
    let flags = format!("CFLAGS_{}", RustTriple::of_this_program().as_str().replace('-', "_"));
    plain_cargo_misses("the C compiler's flags", &mut plain, |plain| {
        plain.set(&flags, "-DMARK=2");
    });
}

/// What the flag with the env-id is for where a build directory is shared.
#[test]
fn a_flag_that_nobody_reads_runs_build_scripts_again_and_changes_no_byte() {
    let _turn = Machine::wait();
    let mut plain = Plain::new("sentinel");
    let sentinel = |id: &str| {
        format!("--cfg\u{1f}xprov_env=\"{id}\"\u{1f}--check-cfg\u{1f}cfg(xprov_env, values(any()))")
    };
    plain.set("CARGO_ENCODED_RUSTFLAGS", &sentinel("1111111111111111"));
    let first = plain.build();
    plain.set("CARGO_ENCODED_RUSTFLAGS", &sentinel("2222222222222222"));
    let second = plain.build();
    assert!(second.compiled && second.bytes == first.bytes);
    plain.tool("cc", "exec cc -DMARK=2 \"$@\"");
    plain.set("CARGO_ENCODED_RUSTFLAGS", &sentinel("3333333333333333"));
    let third = plain.build();
    assert!(third.compiled && third.bytes != first.bytes, "the build script did not run again");
    assert!(third.bytes == plain.build_anew().bytes);
}

const PLAIN: Marks = Marks { compiler: 1, linker: 1 };

#[test]
fn xprov_notices_what_compilers_became() {
    let project = Project::new("stale-compilers");
    let lock = |target, other| project.lock(target, other);
    lock(PLAIN, PLAIN);
    let before = project.build(TARGET);
    let foreign = if project.host.as_str() == TARGET { OTHER } else { TARGET };
    let of_foreign = project.build(foreign);
    let back = || lock(PLAIN, PLAIN);

    let compiler = Marks { compiler: 2, ..PLAIN };
    let (what, change) = ("the C compiler's content", || lock(compiler, PLAIN));
    project.notices(what, TARGET, &before, change, back);
    let linker = Marks { linker: 2, ..PLAIN };
    let (what, change) = ("the linker's content", || lock(PLAIN, linker));
    project.notices(what, OTHER, &project.build(OTHER), change, back);

    let what = "the host compiler's content, as a host unit sees it";
    let change = || {
        let marks = |target| if project.host.as_str() == target { compiler } else { PLAIN };
        lock(marks(TARGET), marks(OTHER));
    };
    project.notices(what, foreign, &of_foreign, change, back);
}

#[test]
fn xprov_notices_settings_and_configuration() {
    let project = Project::new("stale-settings");
    project.machine.lock(&project.dir, &[TARGET]);
    let before = project.build(TARGET);
    let notices = |what, lines| {
        let (change, back) = (|| project.settings(lines), || project.settings(""));
        project.notices(what, TARGET, &before, change, back);
    };
    let flags = "env.set = { CFLAGS_x86_64_unknown_linux_gnu = \"-DMARK=2\" }\n";
    notices("the C compiler's flags", flags);
    notices("the instruction set", "target.x86_64-unknown-linux-gnu.baseline = \"x86-64-v3\"\n");
    let notices = |what, text| {
        let (change, back) = (|| project.config(text), || project.config(""));
        project.notices(what, TARGET, &before, change, back);
    };
    notices("the [env] table", "[env]\nOF_THE_PROJECT = \"two\"\n");
    notices("rustc's flags", "[build]\nrustflags = [\"--cfg=of_a_flag\"]\n");

    say("a compiler wrapper, which reaches no build");
    let wrapper = project.dir.join("wrapper");
    fs::write(&wrapper, "#!/bin/sh\nexec \"$@\" --cfg of_a_flag\n").expect("written");
    let wrapper = wrapper.to_str().expect("UTF-8");
    project.config("[build]\nrustc-wrapper = \"wrapper\"\n");
    let after = project.build_with(TARGET, &[("RUSTC_WRAPPER", wrapper)]);
    assert_eq!(after.id, before.id);
    assert!(!after.built.compiled && after.built.bytes == before.built.bytes);
    let said = "`build.rustc-wrapper` is left out";
    assert!(after.done.stderr.contains(said), "{}", after.done.stderr);
    project.config("");

    say("a variable that nobody reads: another env-id, the same bytes");
    project.settings("env.set = { READ_BY_NOBODY = \"1\" }\n");
    let unread = project.build(TARGET);
    assert_ne!(unread.id, before.id);
    assert!(unread.built.compiled && unread.built.bytes == before.built.bytes);
    project.settings("");

    say("another target in the lock: the same env-id");
    project.machine.lock(&project.dir, &[TARGET, OTHER]);
    project.is_as("another target in the lock", TARGET, &before);
}

#[test]
fn xprov_notices_what_the_standard_library_became() {
    let project = Project::new("stale-std");
    let host = project.host.clone();
    let lock = || project.machine.lock(&project.dir, &[host.as_str()]);
    let built_in = lock();
    let print = ["exec", "--target", host.as_str(), "--", "rustc", "--print", "target-libdir"];
    let libdir = project.machine.xprov(&project.dir, &print).ok().stdout;
    let mut files = Vec::new();
    for entry in fs::read_dir(libdir.trim_end()).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_str().expect("UTF-8").to_owned();
        files.push((name, fs::read(entry.path()).expect("a file")));
    }
    files.sort();
    let in_tree = |change: fn(&[u8]) -> Vec<u8>| -> Vec<(String, Vec<u8>)> {
        let files = files.iter().map(|(name, bytes)| {
            let bytes = if plain::is_core(name) { change(bytes) } else { bytes.clone() };
            (format!("usr/lib/rustlib/{host}/lib/{name}"), bytes)
        });
        files.collect()
    };
    let own = || {
        marked::std_of(&project.dir, &built_in, &host, "std-1.tar", &in_tree(<[u8]>::to_vec));
        lock();
    };
    let changed = || {
        marked::std_of(&project.dir, &built_in, &host, "std-2.tar", &in_tree(plain::changed_core));
        lock();
    };
    own();
    let before = project.build(host.as_str());
    let (what, back) = ("the standard library's content", own);
    project.notices(what, host.as_str(), &before, changed, back);
}
