use super::*;

fn roots() -> Roots {
    Roots::of(
        OsStr::new("on\u{1f}r=/usr/src/app\u{1f}w=/tmp\u{1f}n="),
        OsStr::new("/opt/store=/s"),
        Path::new("/e"),
    )
}

#[test]
fn directories_of_the_machine_are_known_unless_they_are_below_a_root() {
    for (path, expected) in [
        ("/usr/include", true),
        ("/usr/src/app/include", false),
        ("/usr/src/app/../../include", true),
        ("/opt/store/v1", false),
        ("/opt/homebrew/lib", true),
        ("/libx", false),
        ("/home/u/include", false),
        ("include", false),
        ("=/usr/include", false),
    ] {
        assert_eq!(is_machine(path, &mut roots), expected, "{path}");
    }
}

#[test]
fn arguments_name_directories_in_three_ways() {
    for (argument, expected) in [
        ("-I/usr/include", Named::Here("/usr/include")),
        ("-isystem/x", Named::Here("/x")),
        ("-isystem", Named::Next),
        ("-L", Named::Next),
        ("--library-directory=/x", Named::Here("/x")),
        ("--include-directory-after=/x", Named::Here("/x")),
        ("--prefix", Named::Next),
        ("-isysroot", Named::Next),
        ("-include", Named::No),
        ("-lz", Named::No),
    ] {
        assert_eq!(directory(argument), expected, "{argument}");
    }
}

#[test]
fn the_linkers_words_are_taken_out_one_by_one() {
    let words = |argument| {
        let dropped = without_machine::<&OsStr>(argument, &[], &mut roots)?;
        Some((dropped.left, dropped.dirs))
    };
    let of = |left: Option<&str>, dropped: &[&str]| {
        let dropped = dropped.iter().map(|dir| (*dir).to_owned()).collect();
        Some((left.map(str::to_owned), dropped))
    };
    assert_eq!(words("-Wl,-L/usr/lib"), of(None, &["/usr/lib"]));
    assert_eq!(words("-Wl,-z,now,-rpath-link,/lib"), of(Some("-Wl,-z,now"), &["/lib"]));
    assert_eq!(
        words("-Wl,-L,/usr/lib,--gc-sections"),
        of(Some("-Wl,--gc-sections"), &["/usr/lib"])
    );
    assert_eq!(words("-Wp,-I,/usr/include,-DX"), of(Some("-Wp,-DX"), &["/usr/include"]));
    assert_eq!(words("-Wl,--sysroot=/,-s"), of(Some("-Wl,-s"), &["/"]));
    assert_eq!(words("-Wl,-rpath,/usr/lib"), None);
    assert_eq!(words("-Wl,-rpath-link=/tmp/x"), None);
}

#[test]
fn words_for_other_programs_and_sysroots_are_taken_out_with_their_value() {
    for (words, what) in [
        (&["-isystem", "/usr/include", "a.c"][..], "-isystem /usr/include"),
        (&["-Xlinker", "-L/usr/lib", "a.o"], "-Xlinker -L/usr/lib"),
        (&["-Xlinker", "-L", "-Xlinker", "/usr/lib"], "-Xlinker -L -Xlinker /usr/lib"),
        (&["-Xpreprocessor", "-I/usr/include"], "-Xpreprocessor -I/usr/include"),
        (&["--sysroot=/", "a.c"], "--sysroot=/"),
        (&["--sysroot="], "--sysroot="),
        (&["--sysroot", "/usr/x", "a.c"], "--sysroot /usr/x"),
        (&["-isysroot", "/"], "-isysroot /"),
    ] {
        let dropped = without_machine(words[0], &words[1..], &mut roots).expect(what);
        assert_eq!((dropped.what.as_str(), dropped.left), (what, None));
        assert_eq!(dropped.length, what.split(' ').count() - 1);
    }
    for words in [
        &["-Xlinker", "-rpath", "-Xlinker", "/usr/lib"][..],
        &["-Xlinker", "-L", "/usr/lib"],
        &["--sysroot=/opt/store/s"],
        &["--sysroot", "."],
        &["-I/", "x"],
        &["-L", "-L/usr/lib"],
    ] {
        assert_eq!(without_machine(words[0], &words[1..], &mut roots), None, "{words:?}");
    }
}
