//! A producer and a consumer of bytes on two threads, with a few large buffers between them.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::{panic, thread};

use super::BUFFER;

/// How many full buffers may wait.
const DEPTH: usize = 4;

/// Reads `source` on this thread while `consume` reads the same bytes on another one.
///
/// Returns when both are done; reading stops early when `consume` returns early. Fails when no
/// thread can be started.
pub(super) fn overlap<T: Send>(
    source: impl Read,
    consume: impl FnOnce(PipeReader) -> T + Send,
) -> io::Result<T> {
    let (full, filled) = sync_channel(DEPTH);
    let (empty, emptied) = channel();
    thread::scope(|scope| {
        let reader = PipeReader { filled, empty, buffer: Vec::new(), position: 0 };
        let consumer = thread::Builder::new()
            .name("unpack".to_owned())
            .spawn_scoped(scope, move || consume(reader))?;
        produce(source, &full, &emptied);
        // The consumer reads until nobody can send any more.
        drop(full);
        consumer.join().or_else(|panic| panic::resume_unwind(panic))
    })
}

type Filled = io::Result<Vec<u8>>;

/// Sends buffers until the source ends or fails or nobody listens.
fn produce(mut source: impl Read, full: &SyncSender<Filled>, emptied: &Receiver<Vec<u8>>) {
    loop {
        let mut buffer = emptied.try_recv().unwrap_or_default();
        buffer.resize(BUFFER, 0);
        let (read, end) = match fill(&mut source, &mut buffer) {
            (read, Ok(())) => (read, None),
            (read, Err(error)) => (read, Some(Err(error))),
        };
        let done = read < buffer.len();
        buffer.truncate(read);
        let sent = (read == 0 || full.send(Ok(buffer)).is_ok())
            && end.is_none_or(|error| full.send(error).is_ok());
        if done || !sent {
            return;
        }
    }
}

/// Fills `buffer`, and says how far it came; it is full unless the source ended or failed.
pub(super) fn fill(source: &mut impl Read, buffer: &mut [u8]) -> (usize, io::Result<()>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Err(error)),
        }
    }
    (filled, Ok(()))
}

/// The consumer's end.
pub(super) struct PipeReader {
    filled: Receiver<Filled>,
    empty: Sender<Vec<u8>>,
    buffer: Vec<u8>,
    position: usize,
}

impl BufRead for PipeReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.position == self.buffer.len()
            && let Ok(next) = self.filled.recv()
        {
            let old = std::mem::replace(&mut self.buffer, next?);
            self.position = 0;
            // A producer that is done takes no buffers back.
            let _ = self.empty.send(old);
        }
        Ok(&self.buffer[self.position..])
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount;
    }
}

impl Read for PipeReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fails;

    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    #[test]
    fn bytes_arrive_in_order_and_errors_after_them() {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
        let read = overlap(&bytes[..], |mut reader| {
            let mut read = Vec::new();
            reader.read_to_end(&mut read).map(|_| read)
        });
        assert!(read.expect("thread").expect("read") == bytes);

        let (read, result) = overlap((&bytes[..10]).chain(Fails), |mut reader| {
            let mut read = Vec::new();
            let result = reader.read_to_end(&mut read);
            (read, result)
        })
        .expect("thread");
        assert_eq!(read, bytes[..10]);
        assert_eq!(result.expect_err("fails").kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn an_endless_source_ends_with_its_consumer() {
        let first = overlap(io::repeat(7), |mut reader| {
            let mut first = [0; 3];
            reader.read_exact(&mut first).map(|()| first)
        });
        assert_eq!(first.expect("thread").expect("read"), [7; 3]);
    }
}
