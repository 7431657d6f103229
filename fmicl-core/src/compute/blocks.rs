//! Elementwise operations on long vectors, one cache-sized block at a time.
//!
//! Each libtorch operation reads and writes its whole arguments. An optimizer's step is about ten operations: on a
//! network's flat buffers it would pass through memory ten times, and need temporaries of their size. A block that
//! fits a core's cache passes through memory once.

use crate::deal;
use tch::{Device, Tensor};

/// Elements of a piece: of some three vectors they fit the second level of the cache, and the calls do not count.
const BLOCK: i64 = 1 << 16;

/// Calls `work` for each block of `flats`, vectors `[P]` of the same length and device, with views that it may change
/// in place; without gradient. A block covers the same range of all vectors. Blocks are divided between libtorch's
/// threads ([`deal`]), so `work` must be elementwise; their sizes do not depend on the number of threads. On a GPU
/// there is one block.
pub fn in_blocks<const K: usize>(flats: [&Tensor; K], work: impl Fn([Tensor; K]) + Sync) {
    in_blocks_of(BLOCK, flats, work);
}

fn in_blocks_of<const K: usize>(size: i64, flats: [&Tensor; K], work: impl Fn([Tensor; K]) + Sync) {
    let Some(first) = flats.first() else { return };
    let (len, device) = (first.size()[0], first.device());
    let size = if device == Device::Cpu { size } else { len.max(1) };
    let blocks = (len + size - 1) / size;
    // Neighbours stay together, two runs of them a thread; threads cut them into pieces themselves.
    let runs = blocks.min(2 * i64::from(tch::get_num_threads().max(1)));
    let bound = |run: i64| (blocks * run / runs * size).min(len);
    let runs = (0..runs).map(|run| (bound(run), bound(run + 1) - bound(run)));
    let runs: Vec<[Tensor; K]> = runs
        .map(|(start, len)| flats.map(|flat| flat.narrow(0, start, len)))
        .collect();
    deal(runs, device, |runs| {
        for run in runs {
            let len = run[0].size()[0];
            for start in (0..len).step_by(size as usize) {
                work(run.each_ref().map(|part| part.narrow(0, start, size.min(len - start))));
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    fn noise(len: i64, seed: i64) -> Tensor {
        crate::testing::unit_rows(1, len, Kind::Float, seed).view(-1)
    }

    #[test]
    fn every_element_is_seen_once_at_its_place() {
        for (len, size) in [
            (0, 8),
            (1, 8),
            (7, 8),
            (8, 8),
            (9, 8),
            (1000, 8),
            (1000, 1),
            (65_537, 4096),
        ] {
            let (index, seen) = (
                Tensor::arange(len, (Kind::Float, Device::Cpu)),
                Tensor::zeros([len], (Kind::Float, Device::Cpu)),
            );
            in_blocks_of(size, [&index, &seen], |[index, mut seen]| {
                let _ = seen.g_add_(&index).g_add_scalar_(1.0);
            });
            assert_eq!(seen, index + 1.0, "{len} elements by {size}");
        }
    }

    #[test]
    fn blocks_of_any_size_give_the_same_bits() {
        const LEN: i64 = 300_001;
        let through = |size| {
            let (p, g, m) = (noise(LEN, 1), noise(LEN, 2), noise(LEN, 3).abs());
            in_blocks_of(size, [&p, &g, &m], |[mut p, g, mut m]| {
                let _ = m.lerp_(&g.square(), 0.1);
                let root = m.sqrt() / 0.7 + 1e-8;
                let _ = p.addcmul_(&(g / root), &Tensor::full([0i64; 0], -0.3, (Kind::Float, Device::Cpu)));
            });
            [p, m]
        };
        let whole = through(LEN);
        for size in [1 << 16, 1 << 12, 999, 64] {
            assert_eq!(through(size), whole, "blocks of {size}");
        }
    }
}
