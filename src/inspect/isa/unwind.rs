//! Where functions begin and end, from `.eh_frame`: what is left when symbols are stripped.

use super::image::Region;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let found = self.bytes.get(self.at..self.at.checked_add(N)?)?.try_into().ok()?;
        self.at += N;
        Some(found)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn uleb(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A value in one of DWARF's pointer encodings, without what it is relative to.
    fn encoded(&mut self, encoding: u8, bits: u32) -> Option<u64> {
        Some(match encoding & 0x0f {
            0x00 if bits == 64 => u64::from_le_bytes(self.take()?),
            0x00 | 0x03 => u32::from_le_bytes(self.take()?).into(),
            0x02 => u16::from_le_bytes(self.take()?).into(),
            0x04 | 0x0c => u64::from_le_bytes(self.take()?),
            0x0a => i64::from(i16::from_le_bytes(self.take()?)).cast_unsigned(),
            0x0b => i64::from(i32::from_le_bytes(self.take()?)).cast_unsigned(),
            _ => return None,
        })
    }
}

/// The pointer encoding that a CIE names for its functions.
fn encoding(cie: &[u8]) -> Option<u8> {
    let mut reader = Reader { bytes: cie, at: 8 };
    let _version = reader.byte()?;
    let rest = reader.bytes.get(reader.at..)?;
    let length = rest.iter().position(|byte| *byte == 0)?;
    let augmentation = &rest[..length];
    reader.at += length + 1;
    if augmentation.first() != Some(&b'z') {
        return Some(0);
    }
    reader.uleb()?;
    reader.uleb()?;
    reader.uleb()?;
    reader.uleb()?;
    for letter in &augmentation[1..] {
        match letter {
            b'R' => return reader.byte(),
            b'L' => {
                reader.byte()?;
            }
            b'P' => {
                let personality = reader.byte()?;
                reader.encoded(personality, 64)?;
            }
            b'S' | b'B' | b'G' => {}
            _ => return None,
        }
    }
    Some(0)
}

/// Address and size of each function. Records that cannot be read are left out.
pub fn ranges(frame: &Region<'_>, bits: u32) -> Vec<(u64, u64)> {
    let bytes = frame.bytes;
    let mut found = Vec::new();
    let mut last = (usize::MAX, None);
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if length == 0 {
            // Start files end with an empty record that others follow.
            at += 4;
            continue;
        }
        let Some(end) = at.checked_add(4).and_then(|s| s.checked_add(length)) else { break };
        if length == 0xffff_ffff || end > bytes.len() {
            break;
        }
        let back = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        if back != 0
            && let Some(cie) = (at + 4).checked_sub(back)
        {
            if last.0 != cie {
                last = (cie, bytes.get(cie..).and_then(encoding));
            }
            if let Some(encoding) = last.1 {
                let mut reader = Reader { bytes: &bytes[..end], at: at + 8 };
                let place = frame.address.wrapping_add(at as u64 + 8);
                let begin = reader.encoded(encoding, bits);
                let size = reader.encoded(encoding & 0x07, bits);
                if let (Some(begin), Some(size)) = (begin, size) {
                    let relative = if encoding & 0x70 == 0x10 { place } else { 0 };
                    let mut address = begin.wrapping_add(relative);
                    if bits == 32 {
                        address &= 0xffff_ffff;
                    }
                    found.push((address, size));
                }
            }
        }
        at = end;
    }
    found.sort_unstable();
    found.dedup();
    found
}
