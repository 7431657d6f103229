//! MoCo's queue: the keys of the last batches, the oldest of them replaced first.

use fmicl_core::normalize;
use fmicl_core::tch::{self, Kind, Tensor, nn};

/// A ring of `K` unit-length rows, in the learner's store as `queue` and `queue_ptr`.
#[derive(Debug)]
pub(super) struct Queue {
    /// `[K, d]`.
    pub keys: Tensor,
    /// `[1]`, the row of the next key. It stays on the device, so that nothing waits for it.
    next: Tensor,
}

impl Queue {
    /// Queue filled with random directions, as in the reference.
    pub(super) fn new(root: &nn::Path, count: i64, d: i64) -> Self {
        let rows = normalize(&Tensor::randn([count, d], (root.kind(), root.device())));
        let start = Tensor::zeros([1], (Kind::Int64, root.device()));
        Queue {
            keys: root.add("queue", rows, false),
            next: root.add("queue_ptr", start, false),
        }
    }

    /// Replaces the `N` oldest rows by `[N, d]`, wrapping at the end. `N` is arbitrary (in the reference it must divide
    /// `K`).
    pub(super) fn push(&mut self, keys: &Tensor) {
        let (n, count) = (keys.size()[0], self.keys.size()[0]);
        // Of more keys than it has places for, the last remain.
        let skipped = (n - count).max(0);
        let kept = keys.narrow(0, skipped, n - skipped).to_kind(self.keys.kind());
        let places = Tensor::arange_start(skipped, n, (Kind::Int64, keys.device())) + &self.next;
        tch::no_grad(|| {
            let _ = self.keys.index_copy_(0, &places.remainder(count), &kept);
            let _ = self.next.g_add_scalar_(n).remainder_(count);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::tch::{Device, nn::VarStore};

    /// A queue of five rows; the key `i` is `[i, i]`, and what was there at first `-1`.
    fn pushed(batches: &[&[i64]]) -> (Vec<i64>, i64) {
        let store = VarStore::new(Device::Cpu);
        let mut queue = Queue::new(&store.root(), 5, 2);
        let _ = queue.keys.fill_(-1.0);
        for batch in batches {
            queue.push(&Tensor::from_slice(batch).unsqueeze(1).repeat([1, 2]));
        }
        let rows = store.variables()["queue"].select(1, 1).to_kind(Kind::Int64);
        let rows = Vec::<i64>::try_from(rows).expect("five numbers");
        (rows, store.variables()["queue_ptr"].int64_value(&[0]))
    }

    #[test]
    fn the_oldest_keys_are_replaced_past_the_end_too() {
        assert_eq!(pushed(&[&[1, 2]]), (vec![1, 2, -1, -1, -1], 2));
        assert_eq!(pushed(&[&[1, 2], &[3, 4, 5, 6]]), (vec![6, 2, 3, 4, 5], 1));
        assert_eq!(pushed(&[&[1, 2, 3, 4, 5]]), (vec![1, 2, 3, 4, 5], 0));
    }

    #[test]
    fn of_a_batch_larger_than_the_queue_the_last_keys_remain() {
        let batch: Vec<i64> = (1..=12).collect();
        assert_eq!(pushed(&[&[0], &batch]), (vec![10, 11, 12, 8, 9], 3));
    }

    #[test]
    fn starts_with_different_rows_of_unit_length() {
        let store = VarStore::new(Device::Cpu);
        let queue = Queue::new(&store.root(), 200, 16);
        let norms = queue.keys.norm_scalaropt_dim(2.0, [1i64].as_slice(), false);
        assert!(norms.allclose(&norms.ones_like(), 1e-6, 1e-6, false));
        // Cosines of independent directions in 16 dimensions have the deviation 1/4.
        let cosines = queue.keys.matmul(&queue.keys.tr());
        let spread = (cosines.square().mean(Kind::Float).double_value(&[]) - 1.0 / 200.0).sqrt();
        assert!((spread - 0.25).abs() < 0.01, "{spread}");
    }
}
