//! The weights with which a resize makes its outputs from its inputs.
//!
//! Source: Pillow 13's `precompute_coeffs` and `normalize_coeffs_8bpc` for `BILINEAR`.

use std::ops::Range;

/// The fraction bits of a weight.
pub(super) const BITS: u32 = 22;

/// One dimension of a resize from `input` to `output` values, of which the `len` from `first` on are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    pub input: usize,
    pub output: usize,
    pub first: usize,
    pub len: usize,
}

impl Axis {
    /// All of the output.
    pub(super) fn whole(input: usize, output: usize) -> Self {
        let (first, len) = (0, output);
        Axis {
            input,
            output,
            first,
            len,
        }
    }

    /// Returns true if outputs are inputs as they are.
    pub(super) fn copies(&self) -> bool {
        self.input == self.output
    }

    /// How many inputs on either side of its centre an output is made of.
    fn support(&self) -> f64 {
        // When it enlarges, the triangle keeps the width of plain bilinear interpolation.
        (self.input as f64 / self.output as f64).max(1.0)
    }

    /// Where among the inputs an output has its centre.
    fn center(&self, to: usize) -> f64 {
        (to as f64 + 0.5) * (self.input as f64 / self.output as f64)
    }

    /// The inputs that an output is made of.
    fn span(&self, to: usize) -> Range<usize> {
        let (center, support) = (self.center(to), self.support());
        (center - support + 0.5).max(0.0) as usize..((center + support + 0.5) as usize).min(self.input)
    }

    /// The inputs that the wanted outputs are made of, and no others.
    pub(super) fn inputs(&self) -> Range<usize> {
        let last = self.first + self.len - 1;
        match self.copies() {
            true => self.first..last + 1,
            false => self.span(self.first).start..self.span(last).end,
        }
    }
}

/// The weights of one dimension.
pub(super) struct Filter {
    /// For each wanted output, its first input, counted from the first of [`Axis::inputs`], and the number of its inputs.
    spans: Vec<(usize, usize)>,
    /// For each output `taps` weights, of which the span's length counts.
    weights: Vec<i32>,
    taps: usize,
}

impl Filter {
    pub(super) fn new(axis: Axis) -> Self {
        let support = axis.support();
        let taps = support.ceil() as usize * 2 + 1;
        let start = axis.inputs().start;
        let mut filter = Filter {
            spans: Vec::with_capacity(axis.len),
            weights: vec![0; axis.len * taps],
            taps,
        };
        let mut exact = vec![0.0; taps];
        for (to, weights) in (axis.first..).zip(filter.weights.chunks_exact_mut(taps)) {
            let (center, Range { start: first, end }) = (axis.center(to), axis.span(to));
            let count = end - first;
            let reach = 1.0 / support;
            for (from, exact) in exact[..count].iter_mut().enumerate() {
                let distance = (((from + first) as f64 - center + 0.5) * reach).abs();
                *exact = (1.0 - distance).max(0.0);
            }
            let sum: f64 = exact[..count].iter().sum();
            for (weight, exact) in weights.iter_mut().zip(&exact[..count]) {
                *weight = (0.5 + exact / sum * f64::from(1 << BITS)) as i32;
            }
            filter.spans.push((first - start, count));
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

/// The largest size of a small image.
const SMALL: usize = 64;

/// Filters that were used before.
pub(super) struct Filters {
    /// By the input's size. To hash an axis would cost as much as to resize a row.
    small: [Vec<(Axis, Filter)>; SMALL + 1],
    last: Option<Filter>,
}

impl Default for Filters {
    fn default() -> Self {
        Filters {
            small: [const { Vec::new() }; SMALL + 1],
            last: None,
        }
    }
}

impl Filters {
    /// The filter of an axis. For small images weights cost as much as their use, and there are few pairs of sizes, so
    /// these are kept.
    pub(super) fn get(&mut self, axis: Axis) -> &Filter {
        if axis.input.max(axis.output) <= SMALL {
            let known = &mut self.small[axis.input];
            let place = known.iter().position(|(of, _)| *of == axis).unwrap_or_else(|| {
                known.push((axis, Filter::new(axis)));
                known.len() - 1
            });
            return &known[place].1;
        }
        self.last.insert(Filter::new(axis))
    }
}
