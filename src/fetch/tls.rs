//! Whom to trust: the TLS configuration, with the platform's certificates and those of the
//! settings. The door to rustls; makes no connection.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::fetch::error::SetupError;

/// Where platforms keep their trusted certificates as one PEM file. The first that exists and
/// holds any is the platform's store.
const PLATFORM_BUNDLES: [&str; 7] = [
    // Debian, Ubuntu, Arch, Gentoo
    "/etc/ssl/certs/ca-certificates.crt",
    // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    // openSUSE
    "/etc/ssl/ca-bundle.pem",
    // macOS, Alpine, the BSDs
    "/etc/ssl/cert.pem",
    // NixOS
    "/etc/ssl/certs/ca-bundle.crt",
    // FreeBSD's package
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// The configuration that trusts the platform's certificates, or Mozilla's where the platform has
/// none, and those in `files` and `dirs`.
pub(super) fn client_config(
    files: &[PathBuf],
    dirs: &[PathBuf],
) -> Result<ClientConfig, SetupError> {
    let mut roots = RootCertStore::empty();
    let platform = PLATFORM_BUNDLES
        .iter()
        .any(|bundle| fs::read(bundle).is_ok_and(|pem| add(&mut roots, &pem) > 0));
    if !platform {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for file in files {
        let pem = fs::read(file).map_err(|source| unreadable(file, source))?;
        if add(&mut roots, &pem) == 0 {
            return Err(SetupError::NoCertificate { path: file.clone() });
        }
    }
    for dir in dirs {
        add_dir(&mut roots, dir).map_err(|source| unreadable(dir, source))?;
    }
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
        .map_err(|error| SetupError::Tls(error.to_string()))
}

fn unreadable(path: &Path, source: io::Error) -> SetupError {
    SetupError::Certificates { path: path.to_owned(), source }
}

/// Adds what is a certificate in a directory of the OpenSSL kind; other files lie there too, and
/// links that lead nowhere.
fn add_dir(roots: &mut RootCertStore, dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_file()
            && let Ok(pem) = fs::read(&path)
        {
            add(roots, &pem);
        }
    }
    Ok(())
}

/// Adds the certificates of a PEM file and counts those that can be used.
fn add(roots: &mut RootCertStore, pem: &[u8]) -> usize {
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).flatten()).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_certificates_must_be_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let missing = dir.path().join("missing.pem");
        let error = client_config(std::slice::from_ref(&missing), &[]);
        assert!(matches!(error, Err(SetupError::Certificates { path, .. }) if path == missing));

        let empty = dir.path().join("empty.pem");
        fs::write(&empty, "no certificate\n").expect("written");
        let error = client_config(&[empty], &[]);
        assert!(matches!(error, Err(SetupError::NoCertificate { .. })));

        let error = client_config(&[], &[dir.path().join("no-such-dir")]);
        assert!(matches!(error, Err(SetupError::Certificates { .. })));
    }

    #[test]
    fn a_platform_without_certificates_still_trusts_someone() {
        assert!(client_config(&[], &[]).is_ok());
        assert!(!webpki_roots::TLS_SERVER_ROOTS.is_empty());
    }
}
