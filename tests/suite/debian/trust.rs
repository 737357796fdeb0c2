//! Whom to believe: signatures, dates, digests, and the places that serve them.

use xprov::upstream::debian::release::{Freshness, Release, ReleaseError};
use xprov::upstream::debian::{archive_keyring, sources};
use xprov::upstream::signature::{Keyring, SignatureError};

use super::archive::{Mirror, ReleaseText, keyring, sign, time};

/// As served in November 2026, whole: Debian's own signature over Debian's own text.
const GENUINE: &str = include_str!("../../vectors/debian/bookworm-security.InRelease");

/// A good signature by an RSA key, over a SHA-1 digest.
const WEAK_MESSAGE: &str = include_str!("../../vectors/debian/weak-digest.InRelease");
const WEAK_KEY: &str = include_str!("../../vectors/debian/weak-digest.key.asc");

fn noon() -> Freshness {
    Freshness::ValidAt(time("2026-11-20T12:00:00Z"))
}

fn served(release: &ReleaseText) -> String {
    let mut mirror = Mirror::default();
    mirror.publish(release, &[("amd64", "")]);
    let bytes = mirror.file("InRelease").clone();
    String::from_utf8(bytes).expect("text")
}

fn verify(message: &str, keyring: &Keyring) -> Result<Release, ReleaseError> {
    Release::verify(message, "bookworm", keyring, noon())
}

fn signature_error(message: &str, keyring: &Keyring) -> SignatureError {
    match verify(message, keyring) {
        Err(ReleaseError::Signature { source, .. }) => *source,
        other => panic!("expected an error about the signature, got {other:?}"),
    }
}

#[test]
fn a_genuine_release_verifies_against_the_embedded_keys() {
    let keyring = archive_keyring().expect("the embedded keys");
    let release = Release::verify(GENUINE, "bookworm-security", &keyring, noon()).expect("good");
    assert_eq!(release.signer, "B0CAB9266E8C3929798B3EEEBDE6D2B9216EC7A8");
    assert_eq!(release.date.to_string(), "20261117T223339Z");
    assert!(release.by_hash);
    let (digest, size) = release.file("main/binary-armhf/Packages.xz").expect("listed");
    assert!(digest.to_string().starts_with("a260d0d31cf9542f"));
    assert_eq!(size, 348_048);

    let tampered = GENUINE.replace("348048 main", "348049 main");
    assert_ne!(tampered, GENUINE);
    let error = Release::verify(&tampered, "bookworm-security", &keyring, noon());
    let Err(ReleaseError::Signature { source, .. }) = error else { panic!("{error:?}") };
    assert_eq!(
        source.to_string(),
        "the signature of key B0CAB9266E8C3929798B3EEEBDE6D2B9216EC7A8 does not match the text"
    );
    let late = Freshness::ValidAt(time("2026-11-24T22:33:40Z"));
    let error = Release::verify(GENUINE, "bookworm-security", &keyring, late);
    assert!(matches!(error, Err(ReleaseError::Expired { .. })), "{error:?}");
}

#[test]
fn a_release_is_believed_only_with_a_known_keys_good_signature() {
    let good = served(&ReleaseText::of("bookworm"));
    assert!(verify(&good, &keyring()).is_ok());

    let tampered = good.replace("Origin: Debian", "Origin: Debiam");
    let error = signature_error(&tampered, &keyring());
    assert!(matches!(error, SignatureError::Bad { .. }), "{error}");

    let error = signature_error(&good, &archive_keyring().expect("the embedded keys"));
    assert_eq!(
        error.to_string(),
        "no signature is by a known key (signed by 07ADE5DB62891C2791B398E09DC33DD09EFE6A92)"
    );

    let error = signature_error("Origin: Debian\nSuite: bookworm\n", &keyring());
    assert!(matches!(error, SignatureError::NotClearSigned { .. }), "{error}");
}

#[test]
fn nothing_outside_of_the_signed_text_is_read() {
    let good = served(&ReleaseText::of("bookworm"));
    let before = format!("Origin: Evil\n\n{good}");
    let after = format!("{good}\nCodename: evil\n");
    let header = good.replacen("Hash: SHA512\n", "Hash: SHA512\nOrigin: Evil\n", 1);
    assert_ne!(header, good);
    for message in [before, after, header] {
        let error = signature_error(&message, &keyring());
        assert!(matches!(error, SignatureError::NotClearSigned { .. }), "{error}");
    }
    // White space after the end and line ends of another system change nothing that is signed.
    for message in [format!("{good}\n\n"), good.replace('\n', "\r\n")] {
        assert!(verify(&message, &keyring()).is_ok());
    }
}

#[test]
fn a_key_counts_only_while_it_is_valid_and_with_a_sound_digest() {
    let text = "Origin: Debian\nCodename: bookworm\nDate: Tue, 17 Nov 2026 12:00:00 UTC\nSHA256:\n";
    assert!(verify(&sign(text, time("2026-11-17T12:00:00Z")), &keyring()).is_ok());
    for moment in ["2019-12-31T23:00:00Z", "2030-01-01T01:00:00Z"] {
        let error = signature_error(&sign(text, time(moment)), &keyring());
        assert!(matches!(error, SignatureError::NotValidThen { .. }), "{error}");
    }
    let weak = Keyring::parse([WEAK_KEY]).expect("an RSA key");
    let error = signature_error(WEAK_MESSAGE, &weak);
    assert!(matches!(error, SignatureError::WeakDigest { .. }), "{error}");
}

#[test]
fn a_release_must_be_debians_current_one_of_the_suite() {
    let verify = |release: &ReleaseText| verify(&served(release), &keyring());

    let error = verify(&ReleaseText { origin: "Ubuntu", ..ReleaseText::of("bookworm") });
    assert!(matches!(error, Err(ReleaseError::Origin { .. })), "{error:?}");

    let other = ReleaseText { served_as: "bookworm".to_owned(), ..ReleaseText::of("trixie") };
    let error = verify(&other).expect_err("another suite");
    assert_eq!(error.to_string(), "the release of trixie (role) was served as bookworm");

    let old = ReleaseText {
        valid_until: Some("Fri, 20 Nov 2026 11:59:59 UTC"),
        ..ReleaseText::of("bookworm")
    };
    let error = verify(&old).expect_err("behind");
    assert_eq!(
        error.to_string(),
        "the release of bookworm has expired at 2026-11-20T11:59:59Z: the mirror is behind"
    );
    let past = Release::verify(&served(&old), "bookworm", &keyring(), Freshness::Dated);
    assert!(past.is_ok(), "a dated snapshot shows the past");

    let role = Release::verify(&served(&old), "role", &keyring(), Freshness::Dated);
    assert!(role.is_ok(), "a suite may also be asked for by its role");
    let forever = ReleaseText { valid_until: None, ..ReleaseText::of("bookworm") };
    assert!(verify(&forever).is_ok());
}

#[test]
fn the_apt_configuration_is_read_in_both_formats() {
    let apt = tempfile::tempdir().expect("a directory");
    let path = |name: &str| apt.path().join(name);
    std::fs::create_dir(path("sources.list.d")).expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(path(name), text).expect("a file");
    write("sources.list", "deb http://one.example/debian bookworm main\n");
    write("sources.list.d/b.list", "deb [arch=arm64] file:/srv/d trixie main\n");
    write(
        "sources.list.d/a.sources",
        "Types: deb\nURIs: http://two.example/s\nSuites: bookworm-security\n",
    );
    write("sources.list.d/c.list.save", "deb http://no.example/debian bookworm main\n");
    let read = sources::read(apt.path()).expect("sources");
    let bases: Vec<&str> = read.iter().map(|source| source.base.as_str()).collect();
    assert_eq!(bases, ["http://one.example/debian", "http://two.example/s", "file:///srv/d"]);
    assert_eq!(sources::read(&path("absent")).expect("nothing is no error"), []);

    std::fs::create_dir(path("sources.list.d/d.list")).expect("a directory");
    let error = sources::read(apt.path()).expect_err("a directory is no file");
    assert!(error.to_string().ends_with("d.list"), "{error}");
}
