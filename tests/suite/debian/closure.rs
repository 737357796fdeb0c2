//! Which packages a set of packages needs.

use std::collections::BTreeMap;

use xprov::upstream::debian::closure::{ClosureError, Shelf, Wanted, closure};
use xprov::upstream::debian::packages::Packages;

use super::archive::{packages, relations};

/// The closure of `roots` for amd64 in one index, as `name=version`.
fn closure_of(
    index: &[&str],
    roots: &[&str],
    exclude: &[&str],
) -> Result<Vec<String>, ClosureError> {
    let packages = Packages::parse(&packages(index)).expect("an index");
    let shelves = [Shelf {
        archive: "debian",
        suite: "bookworm",
        arch: "amd64",
        date: "20261117T120000Z".parse().expect("a date"),
        packages: &packages,
    }];
    let exclude: Vec<String> = exclude.iter().map(|&glob| glob.to_owned()).collect();
    let wanted = Wanted {
        arch: "amd64",
        roots: &relations(roots),
        exclude: &exclude,
        settled: &BTreeMap::new(),
    };
    let picks = closure(&shelves, &wanted)?.picks;
    Ok(picks.iter().map(|p| format!("{}={}", p.package.name, p.package.version)).collect())
}

#[test]
fn the_newest_admitted_version_and_all_it_needs_are_taken() {
    let index = [
        "app 1.9 amd64 [Depends: lib (>= 2)]",
        "app 1.10 amd64 [Pre-Depends: data; Depends: lib (>= 2), lib (<< 3)]",
        "lib 1 amd64",
        "lib 2.5 amd64 [Depends: app]",
        "lib 3 amd64",
        "data 1 all",
        "unrelated 1 amd64",
    ];
    assert_eq!(
        closure_of(&index, &["app"], &[]),
        Ok(vec!["app=1.10".into(), "data=1".into(), "lib=2.5".into()])
    );
    assert_eq!(
        closure_of(&index, &["app (= 1.9)"], &[]),
        Ok(vec!["app=1.9".into(), "lib=3".into()])
    );
}

#[test]
fn the_first_alternative_that_exists_is_taken() {
    let index =
        ["app 1 amd64 [Depends: gone | old (>= 2) | b | a]", "a 1 all", "b 1 all", "old 1 all"];
    assert_eq!(closure_of(&index, &["app"], &[]), Ok(vec!["app=1".into(), "b=1".into()]));
}

#[test]
fn what_is_excluded_satisfies_and_is_not_followed() {
    let index = [
        "app 1 amd64 [Depends: debconf (>= 9) | debconf-2.0, libc6, perl-base:any, a]",
        "debconf 10 all [Depends: perl]",
        "libc6 2 amd64 [Depends: gone]",
        "a 1 amd64 [Depends: gone | libc6]",
    ];
    assert_eq!(
        closure_of(&index, &["app"], &["debconf*", "libc6", "p*l*base"]),
        Ok(vec!["a=1".into(), "app=1".into()])
    );
    assert_eq!(closure_of(&index, &["app"], &["*"]), Ok(vec!["app=1".into()]), "a root is exempt");
}

#[test]
fn a_virtual_package_is_the_first_provider_by_name() {
    let index = [
        "app 1 amd64 [Depends: mail, tls (>= 2)]",
        "postfix 1 amd64 [Provides: mail]",
        "exim 1 amd64 [Provides: smtp, mail (= 4)]",
        "old-tls 1 amd64 [Provides: tls (= 1)]",
        "plain-tls 1 amd64 [Provides: tls]",
        "ytls 1 amd64 [Provides: tls (= 2.1)]",
    ];
    assert_eq!(
        closure_of(&index, &["app"], &[]),
        Ok(vec!["app=1".into(), "exim=1".into(), "ytls=1".into()])
    );
    assert_eq!(
        closure_of(&index, &["app"], &["exim", "ytls"]),
        Ok(vec!["app=1".into(), "postfix=1".into()]),
        "another provider is taken; where all are excluded, the need is met"
    );
}

#[test]
fn what_cannot_be_satisfied_names_who_asked() {
    let index = ["app 1 amd64 [Depends: lib]", "lib 2 amd64 [Depends: a (>= 3) | b]", "a 2 amd64"];
    let error = closure_of(&index, &["app"], &[]).expect_err("a is too old, b does not exist");
    assert_eq!(
        error.to_string(),
        "lib 2 needs `a (>= 3) | b`, which does not exist for amd64 (app → lib)"
    );
    let error = closure_of(&index, &["lib (= 3)"], &[]).expect_err("there is no lib 3");
    assert_eq!(error.to_string(), "no package `lib (= 3)` for amd64 in bookworm (there is 2)");
}

#[test]
fn a_later_bound_corrects_an_earlier_choice() {
    let index = [
        "app 1 amd64 [Depends: lib, old]",
        "old 1 amd64 [Depends: lib (<< 2)]",
        "lib 1 amd64",
        "lib 2 amd64 [Depends: gone]",
    ];
    assert!(closure_of(&index, &["app"], &[]).is_err(), "lib 2 is looked at first, and is broken");
    let index = [index[0], index[1], index[2], "lib 2 amd64 [Depends: extra]", "extra 1 amd64"];
    assert_eq!(
        closure_of(&index, &["app"], &[]),
        Ok(vec!["app=1".into(), "lib=1".into(), "old=1".into()])
    );
    let clash = ["app 1 amd64 [Depends: lib (>= 2), old]", index[1], index[2], "lib 2 amd64"];
    let error = closure_of(&clash, &["app"], &[]).expect_err("no lib is both");
    assert!(matches!(error, ClosureError::Unsatisfiable { .. }), "{error}");
}

#[test]
fn what_is_left_out_is_told_with_its_bound_and_who_needs_it() {
    let index = [
        "app 1 amd64 [Depends: lib, tool (>= 2) | other]",
        "lib 2 amd64 [Pre-Depends: core (>= 3); Depends: virtual]",
        "core 3 amd64",
        "tool 2 amd64",
        "provider 1 amd64 [Provides: virtual]",
    ];
    let packages = Packages::parse(&packages(&index)).expect("an index");
    let date = "20261117T120000Z".parse().expect("a date");
    let (archive, suite, arch) = ("debian", "bookworm", "amd64");
    let shelves = [Shelf { archive, suite, arch, date, packages: &packages }];
    let exclude = ["core", "to*", "provider"].map(str::to_owned);
    let settled = BTreeMap::new();
    let roots = relations(&["app"]);
    let wanted = Wanted { arch, roots: &roots, exclude: &exclude, settled: &settled };
    let found = closure(&shelves, &wanted).expect("a closure");
    let taken: Vec<&str> = found.picks.iter().map(|pick| &*pick.package.name).collect();
    assert_eq!(taken, ["app", "lib"]);
    let left: Vec<String> =
        found.left_out.iter().map(|left| format!("{}: {}", left.asked_by, left.relation)).collect();
    assert_eq!(left, ["app 1: tool (>= 2)", "lib 2: core (>= 3)", "lib 2: virtual"]);
}
