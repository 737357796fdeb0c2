//! Which version is taken, from which place, and what is said about the others.

use xprov::upstream::debian::version::VersionRequest;
use xprov::upstream::debian::{
    Access, Bases, DebianError, PackageOn, Request, Resolution, Resolver, Skipped, locate,
};
use xprov::vocab::url::Url;

use super::archive::{BASE, Mirror, ReleaseText, bases, component, keyring, packages, suite, time};

const STABLE: [(&str, &[&str]); 2] = [
    (
        "amd64",
        &["rustc 1.85.0+dfsg-1 amd64 [Depends: llvm]", "std 1.85.0+dfsg-1 amd64", "llvm 19 amd64"],
    ),
    ("armhf", &["std 1.85.0+dfsg-1+b2 armhf"]),
];
const SECURITY: [(&str, &[&str]); 2] = [
    (
        "amd64",
        &[
            "rustc 1.96.0+dfsg-1 amd64 [Depends: llvm (>= 22)]",
            "std 1.96.0+dfsg-1 amd64",
            "llvm 22 amd64",
        ],
    ),
    ("armhf", &["std 1.96.0+dfsg-1 armhf"]),
];

fn publish(mirror: &mut Mirror, release: &ReleaseText, indexes: &[(&str, &[&str])]) {
    let texts: Vec<(&str, String)> =
        indexes.iter().map(|(arch, lines)| (*arch, packages(lines))).collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(arch, text)| (*arch, &**text)).collect();
    mirror.publish(release, &texts);
}

/// An archive with an old Rust in its stable suite and a new one in its security suite.
fn mirror() -> Mirror {
    let mut mirror = Mirror::default();
    publish(&mut mirror, &ReleaseText::of("bookworm"), &STABLE);
    publish(&mut mirror, &ReleaseText::of("bookworm-security"), &SECURITY);
    mirror
}

/// rustc, and the std of these architectures in the same version.
fn rust_for(arches: &[&str]) -> Request {
    let on = |package: &str, arch: &str| PackageOn { package: package.into(), arch: arch.into() };
    let mut same_version = vec![on("rustc", "amd64")];
    same_version.extend(arches.iter().map(|arch| on("std", arch)));
    let stds: Vec<String> = arches.iter().map(|arch| format!("std:{arch}")).collect();
    let stds: Vec<&str> = stds.iter().map(String::as_str).collect();
    Request {
        suites: vec![suite("debian", "bookworm"), suite("debian-security", "bookworm-security")],
        components: vec![component(&["rustc"], &[]), component(&stds, &["*"])],
        same_version,
        version: None,
    }
}

fn resolve_at(
    bases: &Bases,
    mirror: &Mirror,
    request: &Request,
) -> Result<Resolution, DebianError> {
    let keyring = keyring();
    let now = time("2026-11-20T12:00:00Z");
    Resolver::new(Access { get: mirror, keyring: &keyring, bases, now }).resolve(request)
}

fn resolve(mirror: &Mirror, request: &Request) -> Result<Resolution, DebianError> {
    resolve_at(&bases(), mirror, request)
}

fn shown(resolution: &Resolution) -> Vec<String> {
    let artifacts = resolution.components.iter().flat_map(|component| &component.artifacts);
    artifacts.map(|a| format!("{}:{}={} {}", a.package, a.arch, a.version, a.archive)).collect()
}

#[test]
fn the_newest_version_is_taken_where_all_is_there() {
    let resolution = resolve(&mirror(), &rust_for(&["amd64", "armhf"])).expect("1.96");
    assert_eq!(resolution.version.as_deref(), Some("1.96.0+dfsg-1"));
    assert_eq!(
        shown(&resolution),
        [
            "llvm:amd64=22 debian-security",
            "rustc:amd64=1.96.0+dfsg-1 debian-security",
            "std:amd64=1.96.0+dfsg-1 debian-security",
            "std:armhf=1.96.0+dfsg-1 debian-security",
        ]
    );
    assert_eq!(resolution.skipped, []);
    let release = &resolution.releases[..];
    assert_eq!(release.len(), 1, "only what vouches for an artifact is recorded");
    assert_eq!(release[0].signer, "07ADE5DB62891C2791B398E09DC33DD09EFE6A92");

    let artifact = &resolution.components[0].artifacts[0];
    let urls = locate(&artifact.archive, &artifact.path, artifact.index_date, &bases());
    assert_eq!(urls[0].to_string(), format!("{BASE}/pool/main/llvm_22_amd64.deb"));
}

#[test]
fn an_index_that_is_behind_excludes_only_what_would_come_from_it() {
    let mut mirror = mirror();
    mirror.file("bookworm-security/main/binary-armhf/Packages.xz").extend(vec![b'x'; 100_000]);

    let resolution = resolve(&mirror, &rust_for(&["amd64", "armhf"])).expect("1.85");
    assert_eq!(resolution.version.as_deref(), Some("1.85.0+dfsg-1"));
    assert!(shown(&resolution).contains(&"std:armhf=1.85.0+dfsg-1+b2 debian".to_owned()));
    let [Skipped { version, suite, arch, reason }] = &resolution.skipped[..] else {
        panic!("one is passed over: {:?}", resolution.skipped)
    };
    assert_eq!(
        (version.as_deref(), &**suite, &**arch),
        (Some("1.96.0+dfsg-1"), "bookworm-security", "armhf")
    );
    assert!(
        reason.starts_with(
            "the index of bookworm-security/armhf does not match its signed digest: expected "
        ) && reason.ends_with("; the mirror is behind"),
        "{reason}"
    );

    let resolution = resolve(&mirror, &rust_for(&["amd64"])).expect("armhf is not needed");
    assert_eq!(resolution.version.as_deref(), Some("1.96.0+dfsg-1"));
    assert_eq!(resolution.skipped, []);

    let other = Request { same_version: vec![], ..rust_for(&["armhf"]) };
    let resolution = resolve(&mirror, &other).expect("no version is asked for");
    assert_eq!(resolution.version, None);
    assert_eq!(resolution.skipped[0].version, None, "but it is said what was done without");
}

#[test]
fn settings_restrict_the_versions() {
    let ask = |version: &str| Request {
        version: Some(VersionRequest::new(version)),
        ..rust_for(&["amd64", "armhf"])
    };
    let resolution = resolve(&mirror(), &ask("1.85")).expect("1.85");
    assert_eq!(resolution.version.as_deref(), Some("1.85.0+dfsg-1"));
    let error = resolve(&mirror(), &ask("=1.90.0")).expect_err("no such version");
    assert_eq!(
        error.to_string(),
        "no version `=1.90.0` is there for all of rustc:amd64, std:amd64, std:armhf \
         (there is 1.96.0+dfsg-1, 1.85.0+dfsg-1)"
    );
    let error = resolve(&mirror(), &rust_for(&["amd64", "arm64"])).expect_err("not built");
    let DebianError::NoVersion { skipped, .. } = &error else { panic!("{error}") };
    assert_eq!(skipped.len(), 2);
    assert_eq!(skipped[1].reason, "bookworm has no index of main for arm64");
}

#[test]
fn a_version_whose_needs_are_not_there_is_passed_over() {
    let mut mirror = mirror();
    let broken = [("amd64", &["rustc 1.96.0+dfsg-1 amd64 [Depends: gone]"][..])];
    publish(&mut mirror, &ReleaseText::of("bookworm-security"), &broken);
    let resolution = resolve(&mirror, &rust_for(&[])).expect("1.85");
    assert_eq!(resolution.version.as_deref(), Some("1.85.0+dfsg-1"));
    assert!(resolution.skipped[0].reason.contains("needs `gone`"), "{:?}", resolution.skipped);
}

#[test]
fn requests_of_one_lock_share_what_was_read() {
    let mirror = mirror();
    let (keyring, bases) = (keyring(), bases());
    let now = time("2026-11-20T12:00:00Z");
    let mut resolver =
        Resolver::new(Access { get: &mirror, keyring: &keyring, bases: &bases, now });
    resolver.resolve(&rust_for(&["amd64"])).expect("an answer");
    assert_eq!(mirror.take_asked().len(), 4, "two releases, two indexes");
    resolver.resolve(&rust_for(&["amd64", "armhf"])).expect("an answer");
    assert_eq!(mirror.take_asked().len(), 2, "two more indexes");
}

#[test]
fn an_index_is_asked_for_by_digest_first_and_gzip_does() {
    let mut mirror = Mirror::default();
    let release = ReleaseText { by_hash: true, gzip: true, ..ReleaseText::of("bookworm") };
    publish(&mut mirror, &release, &STABLE[..1]);
    let request = Request { suites: vec![suite("debian", "bookworm")], ..rust_for(&["amd64"]) };
    mirror.file("binary-amd64/Packages.gz").clear();
    resolve(&mirror, &request).expect("the file under its digest is right");
    assert!(mirror.take_asked().iter().all(|url| !url.ends_with("Packages.gz")));

    mirror.files.retain(|url, _| !url.contains("by-hash"));
    let error = resolve(&mirror, &request).expect_err("the file under its name is not");
    assert!(matches!(error, DebianError::NoVersion { .. }), "{error}");
}

#[test]
fn the_next_place_serves_where_the_first_cannot() {
    let mut mirror = mirror();
    let vendor = ReleaseText {
        base: "http://vendor.example".to_owned(),
        origin: "Vendor",
        ..ReleaseText::of("bookworm")
    };
    publish(&mut mirror, &vendor, &STABLE);
    let url = |text: &str| text.parse::<Url>().expect("a URL");
    let mut bases = bases();
    let places = bases.settings.get_mut("debian").expect("the archive");
    places.insert(0, url("http://vendor.example"));
    resolve_at(&bases, &mirror, &rust_for(&["amd64"])).expect("the second place is Debian's");

    bases.settings.insert("debian".to_owned(), vec![url("http://vendor.example")]);
    let error = resolve_at(&bases, &mirror, &rust_for(&["amd64"])).expect_err("not Debian's");
    assert_eq!(
        error.to_string(),
        "no usable release of bookworm, neither at http://vendor.example"
    );

    // An index that the first place lacks comes from wherever its signed bytes are.
    let copy: Vec<(String, Vec<u8>)> = mirror
        .files
        .iter()
        .map(|(url, bytes)| (url.replace(BASE, "http://copy.example"), bytes.clone()))
        .collect();
    mirror.files.retain(|url, _| !url.contains("binary-amd64"));
    mirror.files.extend(copy);
    let bases = super::archive::bases();
    assert!(resolve_at(&bases, &mirror, &rust_for(&["amd64"])).is_err());
    let mut both = bases;
    for places in both.settings.values_mut() {
        places.push(url("http://copy.example"));
    }
    resolve_at(&both, &mirror, &rust_for(&["amd64"])).expect("the copy has them");
}

#[test]
fn a_network_in_trouble_is_an_error_and_not_another_answer() {
    let mut mirror = mirror();
    mirror.unreachable = vec![format!("{BASE}/dists/bookworm-security/main")];
    let error = resolve(&mirror, &rust_for(&["amd64"])).expect_err("no route");
    assert!(matches!(error, DebianError::Index(_)), "{error}");
    mirror.unreachable = vec![BASE.to_owned()];
    let error = resolve(&mirror, &rust_for(&["amd64"])).expect_err("no route");
    assert!(matches!(error, DebianError::NoRelease { .. }), "{error}");
    let error = resolve_at(&Bases::default(), &mirror, &rust_for(&["amd64"])).expect_err("nowhere");
    assert!(matches!(error, DebianError::NoPlace { .. }), "{error}");
}

#[test]
fn a_dated_snapshot_serves_after_its_release_has_expired() {
    let mut mirror = Mirror::default();
    let old = ReleaseText {
        base: "http://past.example/debian/20261120T120000Z".to_owned(),
        valid_until: Some("Tue, 17 Nov 2026 13:00:00 UTC"),
        ..ReleaseText::of("bookworm")
    };
    publish(&mut mirror, &old, &STABLE);
    let snapshot = "http://past.example/{archive}/{date}".parse().expect("a template");
    let bases = Bases { snapshot: Some(snapshot), ..Bases::default() };
    let request = Request { suites: vec![suite("debian", "bookworm")], ..rust_for(&["amd64"]) };
    let resolution = resolve_at(&bases, &mirror, &request).expect("a snapshot");
    assert_eq!(resolution.version.as_deref(), Some("1.85.0+dfsg-1"));
}
