//! The layers, one after the other.

use super::batch::Batch;
use super::embeddings::Embeddings;
use super::layer::Layer;
use super::pooling::Pooler;
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::{Autocast, Encoder, View, deal_each};

/// Tokens that a thread embeds at once: enough rows for its products, few enough for its cache.
const LEAST: i64 = 512;
const MOST: i64 = 2048;

/// From ids to features.
#[derive(Debug, Clone)]
pub(super) struct Net {
    pub embeddings: Embeddings,
    pub layers: Vec<Layer>,
    pub pooler: Pooler,
    pub width: i64,
}

impl Net {
    /// Features `[N, hidden]` of ids `[N, L]`.
    fn embed(&self, ids: &Tensor, mask: Option<&Tensor>, train: bool) -> Tensor {
        let batch = Batch::new(ids, mask, self.embeddings.kind());
        let mut x = self.embeddings.forward(ids, &batch, train);
        for (index, layer) in self.layers.iter().enumerate() {
            // Of the last layer the first tokens alone may be looked at: less to compute.
            let first = index + 1 == self.layers.len() && self.pooler.takes_first_tokens();
            x = layer.forward(&x, &batch, first, train);
        }
        self.pooler.forward(&x, &batch, mask, train)
    }

    /// The same in evaluation, sentences of like length at a time, each by one thread: those wait for no other after each
    /// operation, as they would within libtorch's.
    fn embed_apart(&self, ids: &Tensor, mask: &Tensor) -> Tensor {
        let places = Tensor::arange_start(1, ids.size()[1] + 1, (Kind::Int64, Device::Cpu));
        let ends = (mask.ne(0).to_kind(Kind::Int64) * places).amax([1].as_slice(), false);
        let (ends, order) = ends.sort_stable(true, 0, true);
        let ends: Vec<i64> = ends.iter::<i64>().expect("whole numbers").collect();
        // Two pieces of work or more for each thread; where that were too little work, libtorch's threads share all of it.
        let pieces = 2 * i64::from(tch::get_num_threads().max(1));
        let at_a_time = (ends.iter().sum::<i64>() / pieces).min(MOST);
        if at_a_time < LEAST {
            return self.embed(ids, Some(mask), false);
        }
        let mut parts = Vec::new();
        let mut first = 0;
        while first < ends.len() {
            let longest = ends[first].max(1);
            let count = ((at_a_time / longest) as usize).clamp(1, ends.len() - first);
            let which = order.narrow(0, first as i64, count as i64);
            let part = |x: &Tensor| x.narrow(1, 0, longest).index_select(0, &which);
            parts.push((self.clone(), part(ids), part(mask)));
            first += count;
        }
        let embed = |(net, ids, mask): (Net, Tensor, Tensor)| net.embed(&ids, Some(&mask), false);
        let features = Tensor::cat(&deal_each(parts, Device::Cpu, embed), 0);
        features.index_select(0, &order.argsort(0, false))
    }
}

impl Encoder for Net {
    fn forward(&self, view: &View, train: bool) -> Tensor {
        let (ids, mask) = (&view.input, view.mask.as_ref());
        // What libtorch is told for this thread, to record gradients or to cast, would not hold for others.
        let apart = !train && ids.device() == Device::Cpu && !Autocast::is_on(Device::Cpu) && !records_gradients();
        match mask {
            Some(mask) if apart => self.embed_apart(ids, mask),
            _ => self.embed(ids, mask, train),
        }
    }

    fn width(&self) -> i64 {
        self.width
    }

    fn is_transformer(&self) -> bool {
        true
    }
}

/// Whether this thread is not within `no_grad`.
fn records_gradients() -> bool {
    let leaf = Tensor::zeros([1], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    leaf.neg().requires_grad()
}

#[cfg(test)]
mod tests {
    use super::super::tests::small;
    use super::*;
    use crate::backbones::{Family, Pooling};
    use fmicl_core::tch::nn::VarStore;
    use fmicl_core::tch::no_grad;
    use fmicl_core::{Backbone, Input};

    #[test]
    fn whether_gradients_are_recorded_is_known() {
        assert!(records_gradients());
        assert!(no_grad(|| !records_gradients()));
    }

    #[test]
    fn sentences_apart_have_the_features_that_they_have_together() {
        // Enough for every thread to have some.
        let (sentences, longest) = (200 * i64::from(tch::get_num_threads()), 18);
        let draw = |low, high, size: &[i64]| Tensor::randint_low(low, high, size, (Kind::Int64, Device::Cpu));
        let lengths = draw(1, longest + 1, &[sentences, 1]);
        let places = Tensor::arange(longest, (Kind::Int64, Device::Cpu));
        let mask = places.lt_tensor(&lengths).to_kind(Kind::Int64);
        let view = View {
            input: draw(3, 60, &[sentences, longest]) * &mask,
            mask: Some(mask),
        };
        for pooling in [Pooling::Cls, Pooling::Mean] {
            for kind in [Family::Bert, Family::Roberta] {
                let store = VarStore::new(Device::Cpu);
                let input = Input::Tokens {
                    vocabulary: 60,
                    longest,
                };
                let encoder = small(pooling, kind)
                    .build_for(&store.root(), input)
                    .expect("it is small");
                let together = encoder.forward(&view, false);
                assert!(
                    together.requires_grad(),
                    "gradients are recorded where they are asked for"
                );
                let apart = no_grad(|| encoder.forward(&view, false));
                assert!(!apart.requires_grad());
                let off = (together - apart).abs().max().double_value(&[]);
                assert!(off < 1e-5, "{pooling:?} {kind:?}: off by {off:e}");
            }
        }
    }
}
