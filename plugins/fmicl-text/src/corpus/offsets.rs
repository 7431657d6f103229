//! Ascending offsets, four bytes each.

/// Ascending offsets into a file or a text of any size. Stored are the lower 32 bits of each, and for every 4 GiB the
/// index of its first offset.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    low: Vec<u32>,
    /// `high[k]`: how many offsets are below `(k + 1) * 2^32`, as far as such follow.
    high: Vec<usize>,
}

impl Offsets {
    /// Adds an offset, which is not below the last one.
    pub fn push(&mut self, offset: u64) {
        while (self.high.len() as u64) < offset >> 32 {
            self.high.push(self.low.len());
        }
        self.low.push(offset as u32);
    }

    /// The offset at `index`, below `len()`.
    pub fn get(&self, index: usize) -> u64 {
        let high = self.high.partition_point(|&first| first <= index);
        ((high as u64) << 32) | u64::from(self.low[index])
    }

    pub fn len(&self) -> usize {
        self.low.len()
    }

    /// Gives back what was reserved for more.
    pub fn shrink(&mut self) {
        self.low.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_beyond_4_gib_come_back() {
        let pushed = [
            0,
            7,
            7,
            u32::MAX.into(),
            1 << 32,
            (1 << 32) + 5,
            (3 << 32) + 1,
            (3 << 32) + 2,
        ];
        let mut offsets = Offsets::default();
        pushed.iter().for_each(|&offset| offsets.push(offset));
        let found: Vec<_> = (0..offsets.len()).map(|index| offsets.get(index)).collect();
        assert_eq!(found, pushed);
    }
}
