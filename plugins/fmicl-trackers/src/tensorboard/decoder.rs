//! A reader of event files that shares nothing with what writes them: the wire format by hand, the checksum bit by bit.

/// A value of an event file.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub step: u64,
    pub tag: String,
    /// Only of a scalar.
    pub scalar: Option<f32>,
}

/// The values of an event file, in order.
///
/// # Panics
/// If a record is damaged.
pub fn values(file: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    for event in records(file) {
        let event = fields(event);
        let number = |(number, wire): &(u64, Wire)| match (number, wire) {
            (2, Wire::Varint(step)) => Some(*step),
            _ => None,
        };
        let step = event.iter().find_map(number).unwrap_or(0);
        let summaries = event.iter().filter_map(|(number, wire)| wire.bytes_of(*number, 5));
        for (number, value) in summaries.flat_map(fields) {
            let Some(value) = value.bytes_of(number, 1) else {
                continue;
            };
            let (mut tag, mut scalar) = (String::new(), None);
            for (number, wire) in fields(value) {
                match (number, wire) {
                    (1, Wire::Bytes(bytes)) => tag = String::from_utf8(bytes.to_vec()).unwrap(),
                    (2, Wire::Four(bytes)) => scalar = Some(f32::from_le_bytes(bytes)),
                    _ => {}
                }
            }
            found.push(Found { step, tag, scalar });
        }
    }
    found
}

/// The records of a file, whose checksums are right.
///
/// # Panics
/// If one is damaged.
pub fn records(mut file: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !file.is_empty() {
        let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        let checksum = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        let data = &file[12..12 + length];
        assert_eq!(checksum(8), masked(&file[..8]), "the length's checksum");
        assert_eq!(checksum(12 + length), masked(data), "the data's checksum");
        found.push(data);
        file = &file[16 + length..];
    }
    found
}

fn masked(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 * (crc & 1));
        }
    }
    let crc = !crc;
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A field's value on the wire.
enum Wire<'a> {
    Varint(u64),
    Eight,
    Bytes(&'a [u8]),
    Four([u8; 4]),
}

impl<'a> Wire<'a> {
    /// The bytes of the field `wanted`.
    fn bytes_of(&self, number: u64, wanted: u64) -> Option<&'a [u8]> {
        match self {
            Wire::Bytes(bytes) if number == wanted => Some(bytes),
            _ => None,
        }
    }
}

fn fields(mut message: &[u8]) -> Vec<(u64, Wire<'_>)> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let wire = match key & 7 {
            0 => Wire::Varint(varint(&mut message)),
            1 => {
                message = &message[8..];
                Wire::Eight
            }
            2 => {
                let length = varint(&mut message) as usize;
                let (bytes, rest) = message.split_at(length);
                message = rest;
                Wire::Bytes(bytes)
            }
            5 => {
                let (bytes, rest) = message.split_at(4);
                message = rest;
                Wire::Four(bytes.try_into().unwrap())
            }
            other => panic!("wire type {other}"),
        };
        found.push((key >> 3, wire));
    }
    found
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = message[0];
        *message = &message[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
    }
    panic!("a number without an end")
}
