//! One artifact on its way: its bytes pass once, to the consumer and through the digest, and at
//! the end stands the judgement against the pin. Knows no store and no archive format.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::fetch::answer::looks_like_web_page;
use crate::fetch::error::FetchError;
use crate::fetch::progress::Progress;
use crate::fetch::reason::{Actual, WrongBytes};
use crate::fetch::source::{Origin, Source};
use crate::fetch::{Fetcher, Pin, partial};
use crate::vocab::digest::{Sha256, Sha256Reader};
use crate::vocab::event::Observer;
use crate::vocab::url::Url;

/// Smaller artifacts are quicker fetched anew than kept (bytes).
const WORTH_KEEPING: u64 = 8 << 20;
/// Enough of the beginning to tell a web page.
const HEAD: usize = 512;

/// The bytes of an artifact, unverified until [`finish`](Download::finish) says otherwise.
///
/// When no URL can serve the rest, `read` fails with a text, and `finish` returns the error itself.
pub struct Download<'a> {
    label: &'a str,
    urls: &'a [Url],
    pin: &'a Pin,
    reader: Sha256Reader<Source<'a>>,
    partial: Option<PathBuf>,
    origin: Arc<Origin>,
    progress: Progress<'a>,
    head: Vec<u8>,
    failed: Option<FetchError>,
}

/// What a finished download was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The digest, equal to the pin.
    pub sha256: Sha256,
    /// The size in bytes.
    pub size: u64,
    /// How many of the bytes an earlier run had left in the partial file.
    pub resumed: u64,
}

/// How a download ended that brought all its bytes.
pub(super) enum Judgement {
    /// They match the pin; the partial file still holds them.
    Right(Summary),
    /// They do not; the partial file is gone.
    Wrong {
        /// What came.
        wrong: Box<WrongBytes>,
        /// The position of the URL that alone delivered them; `None` if several did, or an
        /// earlier run.
        culprit: Option<usize>,
    },
}

impl<'a> Download<'a> {
    pub(super) fn open(
        fetcher: &'a Fetcher,
        what: (&'a str, &'a [Url], &'a Pin),
        partial: Option<&Path>,
        observer: &'a dyn Observer,
    ) -> Result<Self, FetchError> {
        let (label, urls, pin) = what;
        let partial = partial.filter(|_| pin.size.is_none_or(|size| size >= WORTH_KEEPING));
        let mut source = Source::new(fetcher, what, partial, observer)?;
        source.prepare()?;
        Ok(Self {
            label,
            urls,
            pin,
            partial: partial.map(Path::to_owned),
            origin: source.origin(),
            progress: Progress::start(observer, label, source.size()),
            reader: Sha256Reader::new(source),
            head: Vec::new(),
            failed: None,
        })
    }

    /// Reads what the consumer has left and compares digest and size with the pin.
    ///
    /// The partial file is removed, whether the bytes are right or wrong; only when they could not
    /// all be fetched does it stay.
    pub fn finish(self) -> Result<Summary, FetchError> {
        let (label, partial) = (self.label, self.partial.clone());
        match self.judge()? {
            Judgement::Right(summary) => {
                partial.as_deref().map_or(Ok(()), partial::remove)?;
                Ok(summary)
            }
            Judgement::Wrong { wrong, .. } => {
                Err(FetchError::Mismatch { label: label.to_owned(), wrong, others: Vec::new() })
            }
        }
    }

    pub(super) fn judge(mut self) -> Result<Judgement, FetchError> {
        let mut rest = vec![0; 64 << 10];
        while self.failed.is_none() && self.read(&mut rest).is_ok_and(|read| read > 0) {}
        if let Some(error) = self.failed {
            return Err(error);
        }
        // Dropping the reader closes the partial file, so that it can be removed.
        let (sha256, size) = self.reader.finish();
        let excess = self.origin.excess.load(Ordering::Relaxed);
        let resumed = self.origin.replayed.load(Ordering::Relaxed);
        if sha256 == self.pin.sha256 && self.pin.size.is_none_or(|pin| pin == size) && !excess {
            self.progress.complete();
            return Ok(Judgement::Right(Summary { sha256, size, resumed }));
        }
        self.partial.as_deref().map_or(Ok(()), partial::remove)?;
        let served = self.origin.urls.load(Ordering::Relaxed);
        let last = served.checked_ilog2().map(|bit| bit as usize);
        let actual = if excess { Actual::LongerThan(size) } else { Actual::Bytes { sha256, size } };
        Ok(Judgement::Wrong {
            wrong: Box::new(WrongBytes {
                url: last.and_then(|index| self.urls.get(index)).cloned(),
                resumed,
                expected: *self.pin,
                actual,
                web_page: looks_like_web_page(&self.head),
            }),
            culprit: last.filter(|_| resumed == 0 && served.is_power_of_two()),
        })
    }
}

impl Read for Download<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = &self.failed {
            return Err(io::Error::other(error.to_string()));
        }
        match self.reader.read(buffer) {
            Ok(read) => {
                let missing = HEAD.saturating_sub(self.head.len()).min(read);
                self.head.extend_from_slice(&buffer[..missing]);
                self.progress.advance(read, self.origin.replayed.load(Ordering::Relaxed));
                Ok(read)
            }
            Err(error) => {
                let text = error.to_string();
                // The source fails with nothing but this type.
                self.failed = Some(error.downcast::<FetchError>().unwrap_or_else(|source| {
                    let path = self.partial.clone().unwrap_or_default();
                    FetchError::Partial { action: "read", path, source }
                }));
                Err(io::Error::other(text))
            }
        }
    }
}
