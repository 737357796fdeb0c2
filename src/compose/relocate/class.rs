//! The two word sizes and two byte orders of ELF: numbers at offsets, without meaning.

use super::RelocateError;

/// How one file writes its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class {
    /// 64-bit words.
    pub wide: bool,
    /// Most significant byte first.
    pub big_endian: bool,
}

/// What every read beyond the end answers.
const CUT_SHORT: RelocateError = RelocateError::Damaged { what: "it ends too early" };

impl Class {
    /// Bytes in an address, an offset or a `d_val`.
    pub fn word(self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    /// The number of `len` (at most 8) bytes at `at`.
    pub fn get(self, bytes: &[u8], at: usize, len: usize) -> Result<u64, RelocateError> {
        let end = at.checked_add(len).ok_or(CUT_SHORT)?;
        let field = bytes.get(at..end).ok_or(CUT_SHORT)?;
        let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Ok(if self.big_endian {
            field.iter().fold(0, fold)
        } else {
            field.iter().rev().fold(0, fold)
        })
    }

    /// The word at `at`.
    pub fn get_word(self, bytes: &[u8], at: usize) -> Result<u64, RelocateError> {
        self.get(bytes, at, self.word())
    }

    /// Writes `number` as a word at `at`; an error where it does not fit into 32 bits.
    pub fn put_word(self, bytes: &mut [u8], at: usize, number: u64) -> Result<(), RelocateError> {
        let len = self.word();
        if !self.wide && u32::try_from(number).is_err() {
            return Err(RelocateError::Unsupported { what: "it would outgrow 32 bits" });
        }
        let field = at.checked_add(len).and_then(|end| bytes.get_mut(at..end)).ok_or(CUT_SHORT)?;
        if self.big_endian {
            field.copy_from_slice(&number.to_be_bytes()[8 - len..]);
        } else {
            field.copy_from_slice(&number.to_le_bytes()[..len]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_were_written() {
        for (wide, big_endian) in [(false, false), (false, true), (true, false), (true, true)] {
            let class = Class { wide, big_endian };
            let mut bytes = [0; 12];
            class.put_word(&mut bytes, 2, 0x0102_0304).expect("room");
            assert_eq!(class.get_word(&bytes, 2), Ok(0x0102_0304));
            assert_eq!(bytes[1 + class.word()] == 1, !big_endian && !wide);
        }
    }

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let class = Class { wide: true, big_endian: false };
        assert!(class.get_word(&[0; 7], 0).is_err());
        assert!(class.get_word(&[0; 7], usize::MAX).is_err());
        let narrow = Class { wide: false, big_endian: false };
        assert!(narrow.put_word(&mut [0; 4], 0, 1 << 32).is_err());
    }
}
