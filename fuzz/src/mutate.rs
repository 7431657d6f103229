//! Random changes of an input, from a seed: the same on every machine.

use fmicl_core::Rng;

/// Bytes that stand at the edge of something.
const EDGES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b'"', b'-'];

/// `input` after one to four changes: a bit or a byte, a number of four bytes, a piece that is cut out, repeated, or taken
/// from `other`, or the end cut off.
pub fn mutate(input: &[u8], other: &[u8], seed: u64) -> Vec<u8> {
    let (mut random, mut bytes) = (Rng::new(&[seed]), input.to_vec());
    for _ in 0..1 + random.below(4) {
        change(&mut bytes, other, &mut random);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Rng) {
    let length = bytes.len();
    // The start, where headers are, is hit as often as all the rest.
    let at = match random.below(2) {
        0 => random.below(length.min(64)),
        _ => random.below(length),
    };
    let piece = |whole: &[u8], random: &mut Rng| {
        let from = random.below(whole.len());
        let to = whole.len().min(from + 1 + random.below(32));
        whole.get(from..to).unwrap_or_default().to_vec()
    };
    match random.below(8) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..length.min(at + 1 + random.below(32)))),
        2 => drop(bytes.splice(at..at, piece(&bytes.clone(), random))),
        3 => drop(bytes.splice(at..at, piece(other, random))),
        4 if at + 4 <= length => {
            let number = [0, 1, u32::MAX, i32::MAX as u32, 1 << 31, 0x1000_0000][random.below(6)];
            let number = if random.below(2) == 0 {
                number.to_le_bytes()
            } else {
                number.to_be_bytes()
            };
            bytes[at..at + 4].copy_from_slice(&number);
        }
        5 if at < length => bytes[at] = EDGES[random.below(EDGES.len())],
        6 if at < length => bytes[at] = random.below(256) as u8,
        _ if at < length => bytes[at] ^= 1 << random.below(8),
        _ => bytes.push(random.below(256) as u8),
    }
}

#[cfg(test)]
mod tests {
    use super::mutate;

    #[test]
    fn changes_are_many_and_the_same_from_the_same_seed() {
        let input: Vec<u8> = (0..200).collect();
        let changed = |seed| mutate(&input, b"another input", seed);
        let distinct: std::collections::BTreeSet<_> = (0..500).map(changed).collect();
        assert!(distinct.len() > 450, "{}", distinct.len());
        assert_eq!(changed(7), changed(7));
        (0..500).for_each(|seed| drop(mutate(b"", b"", seed)));
    }
}
