//! The weights with which a resize makes its outputs from its inputs.
//!
//! Source: Pillow 13's `precompute_coeffs` and `normalize_coeffs_8bpc` for `BILINEAR`.

use std::collections::HashMap;

/// The fraction bits of a weight.
pub(super) const BITS: u32 = 22;

/// The weights of one dimension.
pub(super) struct Filter {
    /// For each output, its first input and the number of its inputs.
    spans: Vec<(usize, usize)>,
    /// For each output `taps` weights, of which the span's length counts.
    weights: Vec<i32>,
    taps: usize,
}

impl Filter {
    pub(super) fn new(input: usize, output: usize) -> Self {
        let scale = input as f64 / output as f64;
        // When it enlarges, the triangle keeps the width of plain bilinear interpolation.
        let support = scale.max(1.0);
        let taps = support.ceil() as usize * 2 + 1;
        let mut filter = Filter {
            spans: Vec::with_capacity(output),
            weights: vec![0; output * taps],
            taps,
        };
        let mut exact = vec![0.0; taps];
        for (to, weights) in filter.weights.chunks_exact_mut(taps).enumerate() {
            let center = (to as f64 + 0.5) * scale;
            let first = (center - support + 0.5).max(0.0) as usize;
            let count = ((center + support + 0.5) as usize).min(input) - first;
            let reach = 1.0 / support;
            for (from, exact) in exact[..count].iter_mut().enumerate() {
                let distance = (((from + first) as f64 - center + 0.5) * reach).abs();
                *exact = (1.0 - distance).max(0.0);
            }
            let sum: f64 = exact[..count].iter().sum();
            for (weight, exact) in weights.iter_mut().zip(&exact[..count]) {
                *weight = (0.5 + exact / sum * f64::from(1 << BITS)) as i32;
            }
            filter.spans.push((first, count));
        }
        filter
    }

    /// The number of outputs.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Of an output, its first input and the weights from there on.
    #[inline(always)]
    pub(super) fn output(&self, index: usize) -> (usize, &[i32]) {
        let (first, count) = self.spans[index];
        (first, &self.weights[index * self.taps..][..count])
    }
}

/// Filters that were used before.
#[derive(Default)]
pub(super) struct Filters {
    small: HashMap<(usize, usize), Filter>,
    last: Option<Filter>,
}

impl Filters {
    /// The filter from `input` to `output` values. For small images weights cost as much as their use, and there are few
    /// pairs of sizes, so these are kept.
    pub(super) fn get(&mut self, input: usize, output: usize) -> &Filter {
        if input.max(output) <= 64 {
            let filter = self.small.entry((input, output));
            return filter.or_insert_with(|| Filter::new(input, output));
        }
        self.last.insert(Filter::new(input, output))
    }
}
