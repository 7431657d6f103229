//! Records of a TFRecord file: the length `u64`, its checksum, the bytes, their checksum; little-endian, the checksums
//! CRC-32C, masked.
//!
//! Source: TensorFlow's `lib/io/record_writer.h`.

use std::io::{self, BufRead, ErrorKind, Read};

/// Longer ones are damaged: the longest that is written here is a picture.
const LONGEST: u64 = 1 << 28;

fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Appends a record.
pub fn write(data: &[u8], to: &mut Vec<u8>) {
    let length = (data.len() as u64).to_le_bytes();
    to.extend(length);
    to.extend(masked(&length).to_le_bytes());
    to.extend(data);
    to.extend(masked(data).to_le_bytes());
}

/// The next record; `None` at the end, and where it is cut off or damaged.
///
/// # Errors
/// The disk's.
pub fn read(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let (mut length, mut checksum) = ([0; 8], [0; 4]);
    if !fill(from, &mut length)? || !fill(from, &mut checksum)? || masked(&length) != u32::from_le_bytes(checksum) {
        return Ok(None);
    }
    let length = u64::from_le_bytes(length);
    if length > LONGEST {
        return Ok(None);
    }
    let mut data = Vec::new();
    from.take(length).read_to_end(&mut data)?;
    let whole = data.len() as u64 == length && fill(from, &mut checksum)?;
    Ok((whole && masked(&data) == u32::from_le_bytes(checksum)).then_some(data))
}

/// Skips the bytes before the next ones that can be the head of a record: a length and its checksum. Returns how many they are;
/// `None` if there is no such head.
///
/// # Errors
/// The disk's.
pub fn skip_to_head(from: &mut impl BufRead) -> io::Result<Option<u64>> {
    let mut head = [0; 12];
    if !fill(from, &mut head)? {
        return Ok(None);
    }
    for skipped in 0.. {
        let (length, checksum) = head.split_at(8);
        if masked(length).to_le_bytes() == checksum {
            return Ok(Some(skipped));
        }
        let mut next = [0];
        if !fill(from, &mut next)? {
            return Ok(None);
        }
        head.rotate_left(1);
        head[11] = next[0];
    }
    Ok(None)
}

/// The bytes that a record of so many takes.
pub fn size(data: &[u8]) -> u64 {
    data.len() as u64 + 16
}

/// Returns false at the end.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_whole_or_not_at_all() {
        let mut bytes = Vec::new();
        write(b"one", &mut bytes);
        let first = bytes.len();
        write(&[7; 300], &mut bytes);
        let all = |bytes: &[u8]| {
            let mut rest = bytes;
            std::iter::from_fn(|| read(&mut rest).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(all(&bytes), [b"one".to_vec(), vec![7; 300]]);
        assert_eq!(size(b"one"), first as u64);
        for end in first..bytes.len() {
            assert_eq!(all(&bytes[..end]), [b"one".to_vec()], "{end}");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            let left = if at < first { 0 } else { 1 };
            assert_eq!(all(&damaged).len(), left, "{at}");
        }
    }

    #[test]
    fn the_head_of_the_next_record_is_found_behind_any_bytes() {
        let mut bytes = b"not a record, longer than a head".to_vec();
        let before = bytes.len() as u64;
        write(b"one", &mut bytes);
        assert_eq!(skip_to_head(&mut &bytes[..]).unwrap(), Some(before));
        assert_eq!(skip_to_head(&mut &bytes[before as usize..]).unwrap(), Some(0));
        assert_eq!(skip_to_head(&mut &bytes[before as usize + 1..]).unwrap(), None);
    }

    /// The checksum of RFC 3720, B.4, of 32 bytes of zeros, masked by hand.
    #[test]
    fn the_checksum_is_that_of_the_castagnoli_polynomial_masked() {
        let plain: u32 = 0x8a91_36aa;
        let expected = plain.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(masked(&[0; 32]), expected);
    }
}
