//! One stream of bytes out of what an earlier run kept and what several URLs serve, across broken
//! connections. Bounded by the pin's size; does not judge the bytes, which is `download`'s part.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::fetch::answer::{Answer, Body, looks_like_web_page};
use crate::fetch::error::FetchError;
use crate::fetch::mirrors::{Mirrors, Next};
use crate::fetch::partial::Partial;
use crate::fetch::progress::announce_if_slow;
use crate::fetch::reason::{Actual, Reason, WrongBytes};
use crate::fetch::{Fetcher, Pin};
use crate::vocab::digest::Sha256;
use crate::vocab::event::{Event, Observer};
use crate::vocab::url::Url;

/// More than any toolchain archive has: the limit for artifacts without a pinned size.
const LARGEST: u64 = 16 << 30;
/// A body of the wrong length is read up to here, so that the report can name its digest.
const EXAMINED: u64 = 1 << 20;

/// Where delivered bytes came from; shared with the owner of the stream.
#[derive(Default)]
pub(super) struct Origin {
    /// Bytes from the partial file of an earlier run.
    pub replayed: AtomicU64,
    /// A bit for each of the first 64 URLs that delivered bytes.
    pub urls: AtomicU64,
    /// Whether the server had more bytes than were pinned.
    pub excess: AtomicBool,
}

/// The stream.
pub(super) struct Source<'a> {
    fetcher: &'a Fetcher,
    label: &'a str,
    pin: &'a Pin,
    observer: &'a dyn Observer,
    mirrors: Mirrors<'a>,
    partial: Option<Partial>,
    body: Option<Open>,
    delivered: u64,
    announced: Option<u64>,
    ask_for_all: bool,
    ended: bool,
    origin: Arc<Origin>,
}

/// A body and how many of its first bytes were delivered before.
struct Open {
    body: Body,
    skip: u64,
}

impl<'a> Source<'a> {
    /// A stream that has asked nobody yet, beginning with the partial file at `partial`.
    pub fn new(
        fetcher: &'a Fetcher,
        (label, urls, pin): (&'a str, &'a [Url], &'a Pin),
        partial: Option<&Path>,
        observer: &'a dyn Observer,
    ) -> Result<Self, FetchError> {
        let limit = pin.size.unwrap_or(LARGEST);
        Ok(Self {
            fetcher,
            label,
            pin,
            observer,
            mirrors: fetcher.mirrors(urls),
            partial: partial.map(|path| Partial::open(path, limit)).transpose()?,
            body: None,
            delivered: 0,
            announced: pin.size,
            ask_for_all: false,
            ended: false,
            origin: Arc::default(),
        })
    }

    /// The record of where bytes came from.
    pub fn origin(&self) -> Arc<Origin> {
        Arc::clone(&self.origin)
    }

    /// The size in bytes, as pinned or announced.
    pub fn size(&self) -> Option<u64> {
        self.announced
    }

    /// Opens the first body now, unless bytes of an earlier run come first.
    pub fn prepare(&mut self) -> Result<(), FetchError> {
        while self.body.is_none() && !self.partial.as_ref().is_some_and(Partial::has_replay) {
            self.connect()?;
        }
        Ok(())
    }

    fn pull(&mut self, buffer: &mut [u8]) -> Result<usize, FetchError> {
        if buffer.is_empty() || self.ended {
            return Ok(0);
        }
        if let Some(partial) = &mut self.partial {
            let read = partial.replay(buffer)?;
            if read > 0 {
                self.delivered += read as u64;
                self.origin.replayed.fetch_add(read as u64, Ordering::Relaxed);
                return Ok(read);
            }
        }
        let limit = self.pin.size.unwrap_or(LARGEST);
        if self.delivered == limit {
            return self.end_at_limit();
        }
        let room = usize::try_from(limit - self.delivered).unwrap_or(usize::MAX);
        let room = room.min(buffer.len());
        let buffer = &mut buffer[..room];
        loop {
            let Some(open) = &mut self.body else {
                self.connect()?;
                continue;
            };
            match open.read(buffer) {
                Ok(0) if self.announced.is_some_and(|size| self.delivered < size) => {
                    self.failed(Reason::Broken(format!(
                        "it ended after {} bytes",
                        self.delivered
                    )))?;
                }
                Ok(0) => {
                    self.ended = true;
                    return Ok(0);
                }
                Ok(read) => {
                    self.accept(&buffer[..read])?;
                    return Ok(read);
                }
                Err(reason) => self.failed(reason)?,
            }
        }
    }

    fn accept(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        if let Some(partial) = &mut self.partial
            && self.body.as_ref().is_some_and(|open| open.body.is_remote())
        {
            partial.keep(self.delivered, bytes)?;
        }
        self.delivered += bytes.len() as u64;
        self.mirrors.arrived(bytes.len());
        if let Some((index, _)) = self.mirrors.current() {
            self.origin.urls.fetch_or(1 << index.min(63), Ordering::Relaxed);
        }
        Ok(())
    }

    /// All bytes that may come have come: one more would be one too many. That the connection
    /// breaks here harms nobody.
    fn end_at_limit(&mut self) -> Result<usize, FetchError> {
        self.ended = true;
        let excess =
            self.body.as_mut().is_some_and(|open| open.read(&mut [0]).is_ok_and(|n| n > 0));
        if excess
            && self.pin.size.is_none()
            && let Some((_, url)) = self.mirrors.current()
        {
            let (label, url) = (self.label.to_owned(), url.clone());
            return Err(FetchError::TooLarge { label, url, limit: LARGEST });
        }
        self.origin.excess.store(excess, Ordering::Relaxed);
        Ok(0)
    }

    /// Asks the current URL for the bytes that are missing.
    fn connect(&mut self) -> Result<(), FetchError> {
        let Some((_, url)) = self.mirrors.current() else {
            return Err(self.mirrors.exhausted(self.label));
        };
        let offset = if self.ask_for_all { 0 } else { self.delivered };
        let waiting = || format!("an answer from {url}");
        let answer = announce_if_slow(self.observer, waiting, || self.fetcher.ask(url, offset));
        match answer.and_then(|answer| self.examine(url, answer)) {
            Ok(open) => {
                self.body = Some(open);
                Ok(())
            }
            Err(reason) => self.failed(reason),
        }
    }

    /// Refuses a whole whose length is not the pinned one before any of it is delivered.
    fn examine(&mut self, url: &Url, answer: Answer) -> Result<Open, Reason> {
        let Answer { starts_at, total, .. } = answer;
        match (self.pin.size, total) {
            (Some(size), Some(total)) if size != total => {
                Err(Reason::Wrong(Box::new(wrong_length(url, *self.pin, answer, total))))
            }
            (None, Some(total)) if total > LARGEST => Err(Reason::TooLarge(LARGEST)),
            _ => {
                // The last answer knows best.
                self.announced = self.pin.size.or(total).or(self.announced);
                Ok(Open { body: answer.body, skip: self.delivered.saturating_sub(starts_at) })
            }
        }
    }

    /// Takes note of a failure: waits for the next try, turns to the next URL, or gives up.
    fn failed(&mut self, reason: Reason) -> Result<(), FetchError> {
        self.body = None;
        let Some((_, url)) = self.mirrors.current() else {
            return Err(self.mirrors.exhausted(self.label));
        };
        self.ask_for_all |= matches!(reason, Reason::Range { .. });
        let is_offline = matches!(reason, Reason::Offline);
        let text = match &reason {
            // The whole report has several lines, and comes at the end if it matters then.
            Reason::Wrong(_) => "it serves other bytes than the pinned ones".to_owned(),
            reason => reason.to_string(),
        };
        let (subject, pause) = match self.mirrors.failed(reason) {
            Next::Again(pause) => (url, pause),
            Next::Other => {
                self.ask_for_all = false;
                let Some((_, next)) = self.mirrors.current() else {
                    return Err(self.mirrors.exhausted(self.label));
                };
                (next, Duration::ZERO)
            }
        };
        // Offline the other URLs are looked at only because one may be a file's.
        if !is_offline {
            self.observer.event(Event::Retrying {
                subject: subject.to_string(),
                reason: text,
                delay_ms: u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            });
        }
        thread::sleep(pause);
        Ok(())
    }
}

impl Open {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Reason> {
        while self.skip > 0 {
            let mut scratch = [0; 16 << 10];
            let wanted = usize::try_from(self.skip).unwrap_or(usize::MAX).min(scratch.len());
            match self.body.read(&mut scratch[..wanted])? {
                0 => return Ok(0),
                read => self.skip -= read as u64,
            }
        }
        self.body.read(buffer)
    }
}

impl Read for Source<'_> {
    /// Fails with a [`FetchError`] inside the I/O error.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.pull(buffer).map_err(io::Error::other)
    }
}

fn wrong_length(url: &Url, expected: Pin, answer: Answer, total: u64) -> WrongBytes {
    let short = answer.starts_at == 0 && total <= EXAMINED;
    let bytes = if short { answer.read_all(EXAMINED).ok() } else { None };
    let actual = match &bytes {
        Some(bytes) => Actual::Bytes { sha256: Sha256::of(bytes), size: bytes.len() as u64 },
        None => Actual::Announced(total),
    };
    let web_page = bytes.is_some_and(|bytes| looks_like_web_page(&bytes));
    WrongBytes { url: Some(url.clone()), resumed: 0, expected, actual, web_page }
}
