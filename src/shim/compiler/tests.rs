use super::*;

fn rewritten(policy: &Policy, arguments: &[&str]) -> Arguments {
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    let read = |path: &Path| match path.to_str()? {
        "plain" => Some(b"-c a.c".to_vec()),
        "native" => Some(b"-O2 '-march=native' \"a b.c\"".to_vec()),
        "outer" => Some(b"-c @native -I/usr/include".to_vec()),
        "cpu" => Some(b"-mcpu=neoverse-n1".to_vec()),
        "loop" => Some(b"-c @loop".to_vec()),
        _ => None,
    };
    let rules = Rules {
        policy: Some(policy),
        krate: Crate { name: Some("a"), version: Some("1.0.0") },
        roots: &Roots::default,
        read: &read,
    };
    rewrite(&arguments, &rules)
}

fn policy(native: Action) -> Policy {
    Policy { native, ..Policy::new(Baseline::of("aarch64", Some("armv8.2-a")).expect("known")) }
}

#[test]
fn native_is_left_out_in_every_spelling_and_named() {
    for (arguments, kept) in [
        (&["-c", "-march=native", "a.c"][..], &["-c", "a.c"][..]),
        (&["-mcpu=native", "-mtune=native", "a.c"], &["a.c"]),
        (&["--machine=arch=native", "a.c"], &["a.c"]),
        (&["--machine-cpu=native", "a.c"], &["a.c"]),
        (&["--machine", "tune=native", "a.c"], &["a.c"]),
        (&["@native"], &["-O2", "a b.c"]),
        (&["x.c", "@outer"], &["x.c", "-c", "-O2", "a b.c"]),
    ] {
        let found = rewritten(&policy(Action::Baseline), arguments);
        assert_eq!(found.words, kept, "{arguments:?}");
        assert!(!found.notices.is_empty() && found.denied.is_none(), "{arguments:?}");
    }
}

#[test]
fn everything_else_stays_as_it_is() {
    for arguments in [
        &["-mavx2", "-march=armv8.2-a+sve", "-mtune=cortex-a76", "a.c"][..],
        &["-D", "-march=native", "-o", "-mcpu=native", "-Xclang", "-march=native", "a.c"],
        &["@plain", "@missing", "-I../include", "-Iinclude", "-L", "target"],
        &["@loop"],
        &["-I=/usr/include", "-Wl,-rpath,/usr/lib", "/usr/share/a.c"],
        &["-isystem"],
    ] {
        let found = rewritten(&policy(Action::Baseline), arguments);
        assert_eq!(found.words, arguments);
        assert_eq!(found.notices, []);
    }
}

#[test]
fn the_policy_decides_what_native_becomes() {
    let arguments = ["-mcpu=native", "-mtune=native", "-c", "a.c"];
    let level = Action::Level("armv8.4-a".to_owned());
    for (action, words, became) in [
        (Action::Baseline, &["-c", "a.c"][..], Some(Some("-march=armv8.2-a"))),
        (level, &["-march=armv8.4-a", "-c", "a.c"], Some(Some("-march=armv8.4-a"))),
        (Action::Native, &arguments, None),
        (Action::Deny, &["-c", "a.c"], Some(None)),
    ] {
        let found = rewritten(&policy(action.clone()), &arguments);
        assert_eq!(found.words, words, "{action:?}");
        let first = found.notices.first();
        assert_eq!(first.map(|notice| notice.became.as_deref()), became, "{action:?}");
        assert_eq!(found.denied.is_some(), action == Action::Deny);
        let allow = first.and_then(|notice| notice.allow.as_deref());
        assert_eq!(allow, first.and(Some("isa.crates.a = \"native\"")));
    }
    let denied = rewritten(&policy(Action::Deny), &arguments).denied.expect("denied");
    assert_eq!(
        denied.to_string(),
        "crate `a` asks its C compiler for `-mcpu=native`, which the setting \
         `isa.native = \"deny\"` forbids; `isa.crates.a = \"baseline\"` leaves the flag out"
    );
    let tuned = rewritten(&policy(Action::Deny), &["-mtune=native", "a.c"]);
    assert!(tuned.denied.is_none() && tuned.words == ["a.c"]);
}

#[test]
fn directories_of_the_machine_are_left_out() {
    for (arguments, kept, what) in [
        (&["-I/usr/include", "a.c"][..], &["a.c"][..], "-I/usr/include"),
        (&["-isystem", "/usr/include", "a.c"], &["a.c"], "-isystem /usr/include"),
        (&["-L", "/usr/lib", "a.o"], &["a.o"], "-L /usr/lib"),
        (&["-B/usr/bin/", "a.o"], &["a.o"], "-B/usr/bin/"),
        (&["-Xlinker", "-L/lib", "a.o"], &["a.o"], "-Xlinker -L/lib"),
        (&["--sysroot", "/", "a.o"], &["a.o"], "--sysroot /"),
        (&["-Wl,-L/lib,-O1", "a.o"], &["-Wl,-O1", "a.o"], "-Wl,-L/lib,-O1"),
    ] {
        let found = rewritten(&policy(Action::Baseline), arguments);
        assert_eq!(found.words, kept);
        assert_eq!(found.notices[0].what, what);
        assert_eq!(found.notices[0].kind, NoticeKind::HostDirectory);
    }
}

#[test]
fn a_call_is_told_apart_by_what_it_does() {
    for (arguments, step) in [
        (&["--version"][..], Step::Probe),
        (&["-v"], Step::Probe),
        (&["-dumpmachine"], Step::Probe),
        (&["-print-file-name=crt1.o"], Step::Probe),
        (&["-c", "a.c"], Step::Compile),
        (&["-dumpdir", "x-", "-dumpbase", "y", "-c", "a.c"], Step::Compile),
        (&["-E", "-"], Step::Compile),
        (&["@plain"], Step::Compile),
        (&["a.o", "-o", "-c"], Step::Link),
        (&["a.c", "-MD", "-MF", "a.d"], Step::Link),
        (&["-shared", "-o", "x.so", "-lz"], Step::Link),
    ] {
        assert_eq!(rewritten(&policy(Action::Baseline), arguments).step, step, "{arguments:?}");
    }
}

#[test]
fn native_after_another_level_is_the_baseline_and_not_that_level() {
    let words = |arguments: &[&str]| rewritten(&policy(Action::Baseline), arguments).words;
    let baseline = "-march=armv8.2-a";
    assert_eq!(words(&["-march=armv8.6-a", "-march=native"]), ["-march=armv8.6-a", baseline]);
    assert_eq!(words(&["-march=native", "-march=armv8.6-a"]), ["-march=armv8.6-a"]);
}

#[test]
fn a_cpu_is_seen_in_files_and_not_in_values() {
    let cpu = |arguments: &[&str]| rewritten(&policy(Action::Baseline), arguments).cpu;
    assert!(cpu(&["@cpu", "a.c"]) && cpu(&["-mcpu=cortex-a53"]));
    assert!(!cpu(&["-mcpu=native"]) && !cpu(&["-D", "-mcpu=x"]) && !cpu(&["@plain"]));
}
