//! The reader that was handed in, watched: its own failures are told apart from damage that a
//! decoder finds in the bytes.

use std::cell::RefCell;
use std::io::{self, Read};

/// Where the first failure of the input is kept.
#[derive(Default)]
pub(super) struct InputFailure(RefCell<Option<io::Error>>);

impl InputFailure {
    /// The failure, if there was one.
    pub fn take(&self) -> Option<io::Error> {
        self.0.take()
    }
}

/// A reader whose failures go to an [`InputFailure`]; readers above see a stand-in.
pub(super) struct Source<'a, R> {
    reader: R,
    failure: &'a InputFailure,
}

impl<'a, R> Source<'a, R> {
    /// Watches `reader`.
    pub fn new(reader: R, failure: &'a InputFailure) -> Self {
        Self { reader, failure }
    }
}

impl<R: Read> Read for Source<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(buffer) {
                // The decoders do not all retry.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure.0.replace(Some(error));
                    return Err(io::Error::other("the input failed"));
                }
                Ok(read) => return Ok(read),
            }
        }
    }
}
