//! Minisign signatures of single files, as zig's releases have them.
//!
//! A signature is of a file's bytes, so what it says of a file is known only when those are there.
//! [`Signature::fetch`] looks at the signature alone, at lock time: it is by the right key, and for
//! a file of this name. [`Signature::check`] goes along when the bytes come.

use std::io::Read;

use minisign_verify::{PublicKey, StreamVerifier};

use super::{Get, GetError};
use crate::vocab::url::Url;

/// A signature that belongs to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The public key, in base 64.
    pub key: String,
    /// The four lines of the `.minisig` file.
    pub text: String,
}

/// Why a signature counts for nothing.
#[derive(Debug, thiserror::Error)]
pub enum MinisignError {
    /// It could not be had.
    #[error("the signature cannot be had")]
    Get(#[from] GetError),
    /// The key is none.
    #[error("`{key}` is no minisign public key")]
    Key {
        /// What was given as one.
        key: String,
        /// What is wrong with it.
        source: minisign_verify::Error,
    },
    /// There is no signature, or it is by another key, or in the format of before 2019.
    #[error("the signature is not one by the key {key}")]
    Signature {
        /// The key.
        key: String,
        /// What is wrong with it.
        source: minisign_verify::Error,
    },
    /// It is good, but of another file: an older version can be offered with its own signature.
    #[error("the signature is of `{found}`, and not of `{file}`")]
    OtherFile {
        /// The file that it was to be of.
        file: String,
        /// The name in its trusted comment.
        found: String,
    },
    /// The bytes are not what was signed.
    #[error("the bytes of `{file}` are not what was signed")]
    Bytes {
        /// The file.
        file: String,
        /// What is wrong.
        source: minisign_verify::Error,
    },
    /// They could not be read to their end.
    #[error("the bytes of `{file}` cannot be read to their end")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Real ones have 300 bytes.
const LIMIT: u64 = 1 << 14;

impl Signature {
    /// Fetches the signature beside `url`.
    pub fn fetch(get: &dyn Get, url: &Url, key: &str) -> Result<Self, MinisignError> {
        let beside: Url =
            format!("{}.minisig", url.as_str()).parse().unwrap_or_else(|_| url.clone());
        let bytes = get.get(&beside, LIMIT)?;
        let text = String::from_utf8_lossy(&bytes).lines().take(4).collect::<Vec<_>>().join("\n");
        let signature = Self { key: key.to_owned(), text };
        signature.with(file_of(url), |_| Ok(()))?;
        Ok(signature)
    }

    /// Gives the bytes to `consume` and checks all of them on the way.
    pub fn check<T>(
        &self,
        url: &Url,
        bytes: &mut (dyn Read + Send),
        consume: impl FnOnce(&mut (dyn Read + Send)) -> T,
    ) -> Result<T, MinisignError> {
        let file = file_of(url);
        self.with(file, |verifier| {
            let mut tee = Tee { bytes, verifier };
            let consumed = consume(&mut tee);
            let rest = std::io::copy(&mut tee, &mut std::io::sink());
            rest.map_err(|source| MinisignError::Read { file: file.to_owned(), source })?;
            let signed = tee.verifier.finalize();
            signed.map_err(|source| MinisignError::Bytes { file: file.to_owned(), source })?;
            Ok(consumed)
        })
    }

    fn with<T>(
        &self,
        file: &str,
        work: impl FnOnce(StreamVerifier<'_>) -> Result<T, MinisignError>,
    ) -> Result<T, MinisignError> {
        let key = PublicKey::from_base64(&self.key)
            .map_err(|source| MinisignError::Key { key: self.key.clone(), source })?;
        let wrong = |source| MinisignError::Signature { key: self.key.clone(), source };
        let signature = minisign_verify::Signature::decode(&self.text).map_err(wrong)?;
        let verifier = key.verify_stream(&signature).map_err(wrong)?;
        // `timestamp:1795180494	file:zig-x86_64-linux-0.15.2.tar.xz	hashed`
        let mut fields = signature.trusted_comment().split('\t');
        let found = fields.find_map(|field| field.strip_prefix("file:"));
        let found = found.unwrap_or_default();
        if found != file {
            let (file, found) = (file.to_owned(), found.to_owned());
            return Err(MinisignError::OtherFile { file, found });
        }
        work(verifier)
    }
}

fn file_of(url: &Url) -> &str {
    let path = url.as_str().split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

struct Tee<'a, 'b> {
    bytes: &'a mut (dyn Read + Send),
    verifier: StreamVerifier<'b>,
}

impl Read for Tee<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.verifier.update(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("../../tests/vectors/minisign/key.pub");
    const SIGNED: &[u8] = include_bytes!("../../tests/vectors/minisign/tools-1.0.0.tar.gz");
    const GOOD: &str = include_str!("../../tests/vectors/minisign/tools-1.0.0.tar.gz.minisig");

    /// Serves this text for whatever is asked.
    struct Beside(&'static str);

    impl Get for Beside {
        fn get(&self, url: &Url, _: u64) -> Result<Vec<u8>, GetError> {
            assert!(url.as_str().ends_with(".minisig"), "{url}");
            Ok(self.0.as_bytes().to_vec())
        }
    }

    fn key() -> &'static str {
        KEY.lines().nth(1).expect("the second line is the key")
    }

    fn fetch(text: &'static str, file: &str) -> Result<Signature, MinisignError> {
        let url = format!("https://a.example/x/{file}").parse().expect("a URL");
        Signature::fetch(&Beside(text), &url, key())
    }

    #[test]
    fn what_minisign_signed_is_read_to_its_end_and_believed() {
        let signature = fetch(GOOD, "tools-1.0.0.tar.gz").expect("a signature");
        let url = "https://a.example/tools-1.0.0.tar.gz".parse().expect("a URL");
        let check = |bytes: &[u8]| {
            let mut first = [0; 2];
            let mut bytes = bytes;
            signature.check(&url, &mut bytes, |reader| reader.read(&mut first).is_ok())
        };
        assert!(check(SIGNED).expect("it is what was signed"));
        let mut other = SIGNED.to_vec();
        *other.last_mut().expect("a byte") ^= 1;
        assert!(matches!(check(&other), Err(MinisignError::Bytes { .. })));
        assert!(matches!(check(&SIGNED[..20]), Err(MinisignError::Bytes { .. })));
        // The name is signed, too.
        let forged = Signature {
            text: signature.text.replace("file:tools-1.0.0", "file:tools-2.0.0"),
            ..signature.clone()
        };
        let url = "https://a.example/tools-2.0.0.tar.gz".parse().expect("a URL");
        let mut bytes = SIGNED;
        assert!(matches!(forged.check(&url, &mut bytes, |_| ()), Err(MinisignError::Bytes { .. })));
    }

    #[test]
    fn signatures_of_other_files_and_by_other_keys_are_refused() {
        let refused = |text, file| fetch(text, file).expect_err("refused").to_string();
        let name = "tools-1.0.0.tar.gz";
        let older = include_str!("../../tests/vectors/minisign/older.minisig");
        assert!(refused(older, name).contains("of `tools-0.9.0.tar.gz`"));
        let other = include_str!("../../tests/vectors/minisign/other.minisig");
        assert!(refused(other, name).contains("not one by the key"));
        let legacy = include_str!("../../tests/vectors/minisign/legacy.minisig");
        assert!(refused(legacy, name).contains("not one by the key"));
        assert!(refused("<html>", name).contains("not one by the key"));
    }
}
