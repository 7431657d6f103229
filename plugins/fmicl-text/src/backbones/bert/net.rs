//! The layers, one after the other.

use super::batch::Batch;
use super::embeddings::Embeddings;
use super::layer::Layer;
use super::modules::Module;
use super::pooling::Pooler;
use super::relative::Relative;
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::{Autocast, Encoder, View, deal_each};

/// Tokens that a thread embeds at once: enough rows for its products, few enough for its cache.
const LEAST: i64 = 512;
const MOST: i64 = 3072;

/// From ids to features.
#[derive(Debug, Clone)]
pub(super) struct Net {
    pub embeddings: Embeddings,
    pub relative: Option<Relative>,
    pub layers: Vec<Layer>,
    pub pooler: Pooler,
    /// Layers behind it.
    pub modules: Vec<Module>,
    pub width: i64,
}

impl Net {
    /// Features `[N, width]` of ids `[N, L]`.
    fn embed(&self, ids: &Tensor, mask: Option<&Tensor>, batch: Batch, train: bool) -> Tensor {
        let relative = self.relative.as_ref().map(|relative| relative.bias(ids.size()[1]));
        let batch = &batch.with_bias(relative);
        let mut x = self.embeddings.forward(ids, batch, train);
        for (index, layer) in self.layers.iter().enumerate() {
            // Of the last layer the first tokens alone may be looked at: less to compute.
            let first = index + 1 == self.layers.len() && self.pooler.takes_first_tokens();
            x = layer.forward(&x, batch, first, train);
        }
        let pooled = self.pooler.forward(&x, batch, mask, train);
        self.modules.iter().fold(pooled, |x, module| module.forward(&x, train))
    }

    /// The same, of all at once.
    fn embed_together(&self, ids: &Tensor, mask: Option<&Tensor>, train: bool) -> Tensor {
        self.embed(ids, mask, Batch::new(ids, mask, self.embeddings.kind()), train)
    }

    /// The same in evaluation, sentences of like length at a time, each by one thread: those wait for no other after each
    /// operation, as they would within libtorch's.
    fn embed_apart(&self, ids: &Tensor, mask: &Tensor) -> Tensor {
        let places = Tensor::arange_start(1, ids.size()[1] + 1, (Kind::Int64, Device::Cpu));
        let ends = (mask.ne(0).to_kind(Kind::Int64) * places).amax([1].as_slice(), false);
        let (ends, order) = ends.sort_stable(true, 0, true);
        let ends: Vec<i64> = ends.iter::<i64>().expect("whole numbers").collect();
        let threads = i64::from(tch::get_num_threads().max(1));
        let mut left = ends.iter().sum::<i64>();
        // Where this were too little work for each thread, libtorch's threads share all of it.
        if left < 2 * threads * LEAST {
            return self.embed_together(ids, Some(mask), false);
        }
        let mut parts = Vec::new();
        let mut first = 0;
        while first < ends.len() {
            // The less is left, the less at a time, so that all threads are done at about the same time.
            let tokens = (left / (2 * threads)).clamp(LEAST, MOST);
            let longest = ends[first].max(1);
            let count = ((tokens / longest) as usize).clamp(1, ends.len() - first);
            let which = order.narrow(0, first as i64, count as i64);
            let part = |x: &Tensor| x.narrow(1, 0, longest).index_select(0, &which);
            parts.push((self.clone(), part(ids), part(mask)));
            left -= ends[first..first + count].iter().sum::<i64>();
            first += count;
        }
        let embed = |(net, ids, mask): (Net, Tensor, Tensor)| {
            let batch = Batch::alone(&ids, &mask, net.embeddings.kind());
            net.embed(&ids, Some(&mask), batch, false)
        };
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
            _ => self.embed_together(ids, mask, train),
        }
    }

    fn width(&self) -> i64 {
        self.width
    }

    fn is_transformer(&self) -> bool {
        true
    }
}

/// Returns true if gradients are enabled on this thread.
fn records_gradients() -> bool {
    let leaf = Tensor::zeros([1], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    leaf.neg().requires_grad()
}

#[cfg(test)]
mod tests {
    use super::super::tests::small;
    use super::*;
    use crate::backbones::{Bert, Family, Pooling};
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
        let lengths = draw(2, longest + 1, &[sentences, 1]);
        let places = Tensor::arange(longest, (Kind::Int64, Device::Cpu));
        let holes = Tensor::rand([sentences, longest], (Kind::Float, Device::Cpu)).lt(0.1);
        // Something is left of each sentence.
        let _ = holes.select(1, 1).fill_(0);
        let behind = holes.copy();
        let _ = behind.select(1, 0).fill_(0);
        for hidden in [holes.zeros_like(), behind, holes] {
            let mask = places.lt_tensor(&lengths).to_kind(Kind::Int64) * hidden.logical_not();
            let view = View {
                input: draw(3, 60, &[sentences, longest]) * &mask,
                mask: Some(mask),
            };
            // Of heads of 16 numbers and of 8.
            for (pooling, heads) in [(Pooling::Cls, 1), (Pooling::Mean, 1), (Pooling::Mean, 2)] {
                for kind in [Family::Bert, Family::Roberta, Family::Mpnet] {
                    let part = Bert {
                        heads: Some(heads),
                        ..small(pooling, kind)
                    };
                    is_the_same_apart(&part, longest, &view);
                }
            }
        }
    }

    fn is_the_same_apart(part: &Bert, longest: i64, view: &View) {
        let store = VarStore::new(Device::Cpu);
        let input = Input::Tokens {
            vocabulary: 60,
            longest,
        };
        let encoder = part.build_for(&store.root(), input).expect("it is small");
        let together = encoder.forward(view, false);
        assert!(
            together.requires_grad(),
            "gradients are recorded where they are asked for"
        );
        let apart = no_grad(|| encoder.forward(view, false));
        assert!(!apart.requires_grad());
        let off = (together - apart).abs().max().double_value(&[]);
        assert!(off < 1e-5, "{part:?}: off by {off:e}");
    }
}
