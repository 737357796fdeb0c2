//! Tells the observer how a fetch goes, not more often than a person can see.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::vocab::event::{Event, Observer, next_id};

/// Twenty times a second.
const INTERVAL: Duration = Duration::from_millis(50);
/// A wait that is longer is announced.
const PATIENCE: Duration = Duration::from_secs(1);

/// The events of one fetch: started now, finished when dropped.
pub(super) struct Progress<'a> {
    observer: &'a dyn Observer,
    id: u64,
    last: Instant,
    bytes: u64,
    replayed: u64,
    complete: bool,
}

impl<'a> Progress<'a> {
    /// Reports the start.
    pub fn start(observer: &'a dyn Observer, artifact: &str, size: Option<u64>) -> Self {
        let id = next_id();
        observer.event(Event::FetchStarted { id, artifact: artifact.to_owned(), size });
        Self { observer, id, last: Instant::now(), bytes: 0, replayed: 0, complete: false }
    }

    /// Takes note of bytes, `replayed` of them from an earlier run in all so far.
    pub fn advance(&mut self, bytes: usize, replayed: u64) {
        self.bytes += bytes as u64;
        self.replayed = replayed;
        if self.last.elapsed() >= INTERVAL {
            self.last = Instant::now();
            self.observer.event(Event::FetchProgress { id: self.id, bytes: self.bytes });
        }
    }

    /// Makes the end a success.
    pub fn complete(&mut self) {
        self.complete = true;
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.observer.event(Event::FetchFinished {
            id: self.id,
            bytes: self.bytes - self.replayed,
            complete: self.complete,
        });
    }
}

/// Does `work`, and says what for if it takes longer than a second.
pub(super) fn announce_if_slow<T>(
    observer: &dyn Observer,
    text: impl FnOnce() -> String + Send,
    work: impl FnOnce() -> T,
) -> T {
    thread::scope(|scope| {
        let (done, waiting) = mpsc::channel::<()>();
        scope.spawn(move || {
            if waiting.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                observer.event(Event::Waiting(text()));
            }
        });
        let result = work();
        drop(done);
        result
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Recorder(Mutex<Vec<Event>>);

    impl Observer for Recorder {
        fn event(&self, event: Event) {
            self.0.lock().expect("not poisoned").push(event);
        }
    }

    #[test]
    fn progress_is_throttled_and_the_end_is_always_told() {
        let recorder = Recorder::default();
        let mut progress = Progress::start(&recorder, "gcc", Some(5));
        for _ in 0..1000 {
            progress.advance(5, 2);
        }
        progress.complete();
        drop(progress);
        let events = recorder.0.into_inner().expect("not poisoned");
        assert!(events.len() < 100, "{} events", events.len());
        assert!(matches!(events.first(), Some(Event::FetchStarted { size: Some(5), .. })));
        let last = events.last();
        assert!(
            matches!(last, Some(Event::FetchFinished { bytes: 4998, complete: true, .. })),
            "{last:?}"
        );
    }

    #[test]
    fn quick_work_is_not_announced() {
        let recorder = Recorder::default();
        assert_eq!(announce_if_slow(&recorder, || "x".into(), || 7), 7);
        assert!(recorder.0.into_inner().expect("not poisoned").is_empty());
    }
}
