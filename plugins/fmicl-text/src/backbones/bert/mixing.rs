//! Attention without gradient, of sentences that lie one after the other, none padded.
//!
//! libtorch's products want a matrix for each head of each sentence, all of one size: to copy rows there and back takes
//! longer than short sentences' products themselves. Here they are read where the linear layer left them.

use fmicl_core::kernel;
use fmicl_core::simd::{self, Level};
use fmicl_core::tch::{Device, Kind, Tensor};
use std::array::from_fn;

/// Keys, or numbers of a value, that are worked on together: a register of AVX-512, two of AVX2.
const LANES: usize = 16;
/// Queries that are worked on together.
const QUERIES: usize = 4;

type Lanes = [f32; LANES];
/// A number for each of a few queries and keys: a row per query.
type Tile = [Lanes; QUERIES];

/// Returns true if [`mix`] supports heads of this width and is faster on this processor.
pub(super) fn is_for(width: i64) -> bool {
    width % LANES as i64 == 0 && simd::level() > Level::Portable
}

/// Values weighted by how well their keys answer the queries, `[M, hidden]`, of rows `[M, 3 hidden]`: queries, already
/// scaled, keys and values, of which each of `heads` heads has its share of `hidden`. Sentences have `lengths` rows.
pub(super) fn mix(projected: &Tensor, heads: i64, lengths: &[usize]) -> Tensor {
    let (count, hidden) = (projected.size()[0], projected.size()[1] / 3);
    assert!(count > 0 && lengths.iter().sum::<usize>() == count as usize);
    assert!(projected.size()[1] == 3 * hidden && hidden % heads == 0 && is_for(hidden / heads));
    assert!(projected.kind() == Kind::Float && projected.device() == Device::Cpu);
    let projected = projected.contiguous();
    let mixed = Tensor::empty([count, hidden], (Kind::Float, Device::Cpu));
    // SAFETY: such tensors are `numel` floats from `data_ptr` on; nobody else has the second, and whatever bytes it holds
    // are floats.
    let (rows, out) = unsafe {
        (
            std::slice::from_raw_parts(projected.data_ptr().cast(), projected.numel()),
            std::slice::from_raw_parts_mut(mixed.data_ptr().cast(), mixed.numel()),
        )
    };
    mix_rows(rows, heads as usize, hidden as usize, lengths, out);
    mixed
}

kernel! {
    fn mix_rows(rows: &[f32], heads: usize, hidden: usize, lengths: &[usize], out: &mut [f32]) {
        let width = hidden / heads;
        let most = lengths.iter().copied().max().unwrap_or(0).div_ceil(LANES);
        let mut keys = vec![[0.0; LANES]; most * width];
        let mut queries = vec![[0.0; QUERIES]; width];
        let mut tiles = vec![[[0.0; LANES]; QUERIES]; most];
        let (mut rows, mut out) = (rows, out);
        for &length in lengths {
            let (sentence, mixed);
            (sentence, rows) = rows.split_at(length * 3 * hidden);
            (mixed, out) = out.split_at_mut(length * hidden);
            let count = length.div_ceil(LANES);
            let (keys, tiles) = (&mut keys[..count * width], &mut tiles[..count]);
            for at in (0..hidden).step_by(width) {
                let head = Head { sentence, length, hidden, at, width };
                head.gather_keys(keys);
                for first in (0..length).step_by(QUERIES) {
                    head.gather_queries(first, &mut queries);
                    score(&queries, keys, tiles);
                    let sums = exponentials(tiles, length);
                    head.add_values(tiles, sums, first, mixed);
                }
            }
        }
    }
}

/// A head's part of a sentence.
struct Head<'a> {
    /// Rows `[length, 3 hidden]`.
    sentence: &'a [f32],
    length: usize,
    hidden: usize,
    /// Offset and width of the head in a query, key or value.
    at: usize,
    width: usize,
}

impl<'a> Head<'a> {
    /// Slice of the query (0), the key (1) or the value (2) of a token; beyond the end, of the last token.
    #[inline(always)]
    fn part(&self, which: usize, token: usize) -> &'a [f32] {
        let start = (3 * token.min(self.length - 1) + which) * self.hidden + self.at;
        &self.sentence[start..start + self.width]
    }

    /// The keys, [`LANES`] at a time: of each number of their width those of all of them.
    #[inline(always)]
    fn gather_keys(&self, keys: &mut [Lanes]) {
        for (block, columns) in keys.chunks_exact_mut(self.width).enumerate() {
            let rows: [&[[f32; 4]]; LANES] = from_fn(|row| self.part(1, block * LANES + row).as_chunks().0);
            for (four, columns) in columns.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                for first in (0..LANES).step_by(4) {
                    // Four by four, which shuffles within registers do.
                    let square: [[f32; 4]; 4] = from_fn(|row| rows[first + row][four]);
                    for (index, column) in columns.iter_mut().enumerate() {
                        column[first..first + 4].copy_from_slice(&square.map(|row| row[index]));
                    }
                }
            }
        }
    }

    /// The same of the queries from `first` on.
    #[inline(always)]
    fn gather_queries(&self, first: usize, queries: &mut [[f32; QUERIES]]) {
        let rows: [&[[f32; 4]]; QUERIES] = from_fn(|row| self.part(0, first + row).as_chunks().0);
        for (four, columns) in queries.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let square: [[f32; 4]; QUERIES] = from_fn(|row| rows[row][four]);
            for (index, column) in columns.iter_mut().enumerate() {
                *column = square.map(|row| row[index]);
            }
        }
    }

    /// Writes the values, weighted by `tiles` over `sums`, to the rows from `first` on of `mixed`, `[length, hidden]`.
    #[inline(always)]
    fn add_values(&self, tiles: &[Tile], sums: [f32; QUERIES], first: usize, mixed: &mut [f32]) {
        for column in (0..self.width).step_by(LANES) {
            let mut out = [[0.0; LANES]; QUERIES];
            let weights = tiles
                .iter()
                .flat_map(|tile| (0..LANES).map(|key| from_fn(|query| tile[query][key])));
            let start = 2 * self.hidden + self.at + column;
            for (value, weights) in self.sentence[start..].chunks(3 * self.hidden).zip(weights) {
                if let Some(value) = value.first_chunk() {
                    add_product(&mut out, weights, value);
                }
            }
            let rows = mixed[first * self.hidden..].chunks_exact_mut(self.hidden);
            for ((row, out), sum) in rows.zip(out).zip(sums) {
                row[self.at + column..][..LANES].copy_from_slice(&out.map(|number| number / sum));
            }
        }
    }
}

/// `tile[query] += factors[query] * row`.
#[inline(always)]
fn add_product(tile: &mut Tile, factors: [f32; QUERIES], row: &Lanes) {
    for query in 0..QUERIES {
        for lane in 0..LANES {
            tile[query][lane] += factors[query] * row[lane];
        }
    }
}

/// The products of the queries with all keys.
#[inline(always)]
fn score(queries: &[[f32; QUERIES]], keys: &[Lanes], tiles: &mut [Tile]) {
    for (tile, keys) in tiles.iter_mut().zip(keys.chunks_exact(queries.len())) {
        let mut sums = [[0.0; LANES]; QUERIES];
        for (query, keys) in queries.iter().zip(keys) {
            add_product(&mut sums, *query, keys);
        }
        *tile = sums;
    }
}

/// Softmax numerators of each query, `e^(score - maximum)`, almost 0 beyond `length` keys, and their sum.
#[inline(always)]
fn exponentials(tiles: &mut [Tile], length: usize) -> [f32; QUERIES] {
    let used = length - (tiles.len() - 1) * LANES;
    if let Some(last) = tiles.last_mut() {
        for row in last {
            row[used..].fill(f32::NEG_INFINITY);
        }
    }
    // A loop, for `from_fn` would be called, and by that compiled for the least processor.
    let mut totals = [0.0; QUERIES];
    for (query, total) in totals.iter_mut().enumerate() {
        let mut most = [f32::NEG_INFINITY; LANES];
        for tile in tiles.iter() {
            for lane in 0..LANES {
                most[lane] = larger(tile[query][lane], most[lane]);
            }
        }
        let most = most.into_iter().fold(f32::NEG_INFINITY, larger);
        let mut sums = [0.0; LANES];
        for tile in tiles.iter_mut() {
            for lane in 0..LANES {
                tile[query][lane] = exp(tile[query][lane] - most);
                sums[lane] += tile[query][lane];
            }
        }
        *total = sums.iter().sum();
    }
    totals
}

/// The larger one; one instruction, which `f32::max` is not.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// `e^x` for `x <= 0`, to a unit in the last place; below -87 that of -87, 1.6e-38. NaN stays NaN.
///
/// Cody and Waite's reduction to `2^n e^r`, and the polynomial for `e^r` of Moshier's Cephes (`expf.c`).
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Added, it rounds a float to a whole number, which then stands in its last bits.
    const ROUND: f32 = 12_582_912.0;
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p * r + c;
    }
    let two_to_n = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    (p * (r * r) + r + 1.0) * two_to_n
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::at_every_level;

    fn drawn(count: usize, hidden: usize) -> Tensor {
        Tensor::randn([count as i64, 3 * hidden as i64], (Kind::Float, Device::Cpu)) * 0.7
    }

    /// The same by libtorch, in f64.
    fn expected(rows: &Tensor, heads: i64, lengths: &[usize]) -> Tensor {
        let rows = rows.to_kind(Kind::Double);
        let mut first = 0;
        let sentences = lengths.iter().map(|&length| {
            let parts = rows.narrow(0, first, length as i64).view([length as i64, 3, heads, -1]);
            first += length as i64;
            let parts = parts.permute([1, 2, 0, 3]);
            let shares = parts
                .get(0)
                .matmul(&parts.get(1).transpose(1, 2))
                .softmax(-1, Kind::Double);
            shares.matmul(&parts.get(2)).transpose(0, 1).flatten(1, 2)
        });
        Tensor::cat(&sentences.collect::<Vec<_>>(), 0)
    }

    #[test]
    fn is_attention_at_any_length_and_width_to_the_same_bits_on_every_processor() {
        let lengths = [1, 3, 4, 15, 16, 17, 33, 130, 2];
        for (heads, width) in [(1, 16), (3, 32), (2, 48), (1, 64)] {
            let rows = drawn(lengths.iter().sum(), heads * width);
            let expected = expected(&rows, heads as i64, &lengths);
            let rows = Vec::<f32>::try_from(rows.view(-1)).unwrap();
            let mixed = at_every_level(|| {
                let mut out = vec![f32::NAN; rows.len() / 3];
                mix_rows(&rows, heads, heads * width, &lengths, &mut out);
                out
            });
            let mixed = Tensor::from_slice(&mixed).view_as(&expected);
            let off = (mixed - expected).abs().max().double_value(&[]);
            assert!(off < 1e-5, "{heads} heads of {width}: off by {off:e}");
        }
    }

    #[test]
    fn the_exponential_is_that_of_f64_to_a_unit_in_the_last_place() {
        for step in 0..=870_000 {
            let x = -(step as f32) * 1e-4;
            let exact = f64::from(x).exp();
            let off = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(off < 1.2e-7, "at {x}: off by {off:e}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!((0.0..1e-37).contains(&exp(f32::NEG_INFINITY)));
        for none in [
            f32::NAN,
            -f32::NAN,
            f32::from_bits(0x7fff_ffff),
            f32::from_bits(0xff80_0001),
        ] {
            assert!(exp(none).is_nan());
        }
    }

    #[test]
    fn a_sentence_that_is_no_numbers_spoils_no_other() {
        let lengths = [3, 16, 2];
        let spoilt = at_every_level(|| {
            let mut rows = vec![0.5; 21 * 48];
            // In a query of the second sentence, with all bits that such a number may have.
            rows[4 * 48] = f32::from_bits(0x7fff_ffff);
            let mut out = vec![0.0; 21 * 16];
            mix_rows(&rows, 1, 16, &lengths, &mut out);
            let rows = out.chunks(16).map(|row| row.iter().all(|number| number.is_nan()));
            rows.collect::<Vec<_>>()
        });
        let spoilt: Vec<_> = (0..21).filter(|&row| spoilt[row]).collect();
        assert_eq!(spoilt, [4]);
    }
}
