//! Mapping between the tokens of a batch and the rows that are computed.

use super::mixing;
use fmicl_core::tch::{self, Device, Kind, Tensor};

/// The most tokens of a short sentence.
const SHORT: i64 = 128;

/// A batch of `N` sentences of `L` tokens, padding included, of which `M` have a row.
///
/// On a CPU padding has no rows, so rowwise operations, most of the work, skip it. On other devices every token has
/// one, `M = N L`, since counting them would need a device sync.
#[derive(Debug)]
pub(super) struct Batch {
    pub sentences: i64,
    tokens: i64,
    device: Device,
    /// Bias of the attention scores, `[N, 1, 1, L]`: 0, or a large negative number for masked tokens; `None` if no
    /// token is known to be masked. With a relative position bias, `[N or 1, heads, L, L]`.
    pub bias: Option<Tensor>,
    packed: Option<Packed>,
    /// Number of rows of each sentence, if one thread works alone and without gradient.
    lengths: Option<Vec<usize>>,
}

#[derive(Debug)]
struct Packed {
    /// The tokens that have a row, `[M]`, counted through the batch.
    tokens: Tensor,
    /// The row of each token, `[N L]`; of padding that of a token before it, which its bias hides.
    rows: Tensor,
}

impl Batch {
    /// Batch of ids `[N, L]` and their mask; `kind` is that of the rows.
    pub fn new(ids: &Tensor, mask: Option<&Tensor>, kind: Kind) -> Self {
        let size = ids.size();
        let packed = mask.and_then(Packed::new);
        // On a CPU it is known whether something is hidden; what stands first may be, and has a row.
        let hides = |mask: &&Tensor| ids.device() != Device::Cpu || mask.all().int64_value(&[]) == 0;
        let hiding = mask.filter(hides);
        let bias = hiding.map(|mask| {
            let zeros = mask.zeros_like().to_kind(kind);
            let bias = zeros.masked_fill(&mask.to_kind(Kind::Bool).logical_not(), f64::from(f32::MIN));
            bias.view([size[0], 1, 1, size[1]])
        });
        Batch {
            sentences: size[0],
            tokens: size[1],
            device: ids.device(),
            bias,
            packed,
            lengths: None,
        }
    }

    /// The same on a CPU without gradient, where what follows is best done by this thread alone, if it is.
    pub fn alone(ids: &Tensor, mask: &Tensor, kind: Kind) -> Self {
        let counts = mask.not_equal(0).to_kind(Kind::Int64);
        // Only what stands first has a row without counting; it would have to be hidden.
        let all_rows_count = counts.select(1, 0).min().int64_value(&[]) == 1;
        let lengths = counts.sum_dim_intlist([1].as_slice(), false, Kind::Int64);
        let lengths = lengths.iter::<i64>().expect("whole numbers");
        let lengths = lengths.map(|length| length as usize).collect();
        let alone = tch::get_num_threads() == 1;
        Batch {
            lengths: (alone && all_rows_count && kind == Kind::Float).then_some(lengths),
            ..Batch::new(ids, Some(mask), kind)
        }
    }

    /// The same with more added to the scores, `[1, heads, L, L]`.
    pub fn with_bias(self, more: Option<Tensor>) -> Self {
        let Some(more) = more else { return self };
        let bias = match &self.bias {
            Some(bias) => bias + more,
            None => more,
        };
        Batch {
            bias: Some(bias),
            lengths: None,
            ..self
        }
    }

    /// The bias of the first tokens' scores alone, `[N or 1, heads or 1, 1, L]`.
    pub fn bias_of_first(&self) -> Option<Tensor> {
        self.bias.as_ref().map(|bias| bias.narrow(2, 0, 1))
    }

    /// Number of rows of each sentence, if attention with heads of this width reads the rows in place.
    pub fn lengths(&self, width: i64) -> Option<&[usize]> {
        self.lengths.as_deref().filter(|_| mixing::is_for(width))
    }

    /// Returns true if fused attention, which does not store all scores, is faster: on a CPU for long sentences only.
    pub fn fuses_attention(&self) -> bool {
        self.device != Device::Cpu || self.tokens > SHORT
    }

    /// Returns true if padding has no rows.
    pub fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    /// The rows `[M, ...]` of what every token has, `[N L, ...]`.
    pub fn pack(&self, x: Tensor) -> Tensor {
        match &self.packed {
            Some(packed) => pick(&x, &packed.tokens),
            None => x,
        }
    }

    /// Rows `[M, K]` laid out as sentences, `[N, L, K]`; what stands where padding is has no meaning.
    pub fn unpack(&self, x: &Tensor) -> Tensor {
        let size = [self.sentences, self.tokens, x.size()[1]];
        match &self.packed {
            Some(packed) => pick(x, &packed.rows).view(size),
            None => x.view(size),
        }
    }

    /// The rows of the first token of each sentence, `[N, K]`, of rows `[M, K]`.
    pub fn first_tokens(&self, x: &Tensor) -> Tensor {
        let size = [self.sentences, self.tokens];
        match &self.packed {
            Some(packed) => pick(x, &packed.rows.view(size).select(1, 0)),
            None => x.view([size[0], size[1], -1]).select(1, 0),
        }
    }
}

impl Packed {
    /// Packing of a mask `[N, L]`; `None` if it masks nothing.
    fn new(mask: &Tensor) -> Option<Self> {
        if mask.device() != Device::Cpu {
            return None;
        }
        let has_row = mask.to_kind(Kind::Bool).copy();
        // What stands for a sentence, whatever its mask says.
        let _ = has_row.select(1, 0).fill_(1);
        let has_row = has_row.reshape(-1);
        let tokens = has_row.nonzero().view(-1);
        (tokens.size()[0] < has_row.size()[0]).then(|| Packed {
            rows: has_row.cumsum(0, Kind::Int64) - 1,
            tokens,
        })
    }
}

/// The rows of `x` at `index`.
fn pick(x: &Tensor, index: &Tensor) -> Tensor {
    if x.dim() == 1 {
        return x.index_select(0, index);
    }
    // The same, but its gradient is summed by all threads.
    Tensor::embedding(x, index, -1, false, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::deal_each;

    #[test]
    fn only_tokens_and_what_stands_first_have_rows() {
        // Of the first sentence padding stands before the words, of the second behind them.
        let mask = Tensor::from_slice(&[false, true, true, true, true, false]).view([2, 3]);
        let before = mask.copy();
        let ids = Tensor::arange(6, (Kind::Int64, Device::Cpu)).view([2, 3]);
        let batch = Batch::new(&ids, Some(&mask), Kind::Float);
        assert!(mask.equal(&before), "the mask is the caller's");
        let rows = batch.pack(ids.view(-1));
        assert_eq!(Vec::<i64>::try_from(&rows).unwrap(), [0, 1, 2, 3, 4]);
        let rows = rows.view([-1, 1]).to_kind(Kind::Float);
        let numbers = |x: Tensor| Vec::<f32>::try_from(x.reshape(-1)).unwrap();
        assert_eq!(numbers(batch.unpack(&rows)), [0.0, 1.0, 2.0, 3.0, 4.0, 4.0]);
        assert_eq!(numbers(batch.first_tokens(&rows)), [0.0, 3.0]);
        let hidden = batch.bias.expect("something is hidden").lt(0.0);
        assert!(hidden.view([2, 3]).equal(&before.logical_not()));
        let whole = Batch::new(&ids, Some(&mask.ones_like()), Kind::Float);
        assert!(whole.bias.is_none() && whole.packed.is_none());
        let first = mask.ones_like();
        let _ = first.get(0).get(0).fill_(0);
        let first = Batch::new(&ids, Some(&first), Kind::Float);
        assert!(first.bias.is_some() && first.packed.is_none());
    }

    #[test]
    fn rows_are_taken_as_they_lie_by_one_thread_in_f32_if_all_count() {
        let lengths = |mask: [i64; 6], kind, width| {
            let here = |()| {
                let mask = Tensor::from_slice(&mask).view([2, 3]);
                let batch = Batch::alone(&mask, &mask, kind);
                batch.lengths(width).map(<[usize]>::to_vec)
            };
            let threads = tch::get_num_threads() as usize;
            let found = deal_each(vec![(); 2 * threads], Device::Cpu, here);
            assert!(
                threads == 1 || here(()).is_none(),
                "libtorch's threads would wait for one"
            );
            found.into_iter().next().flatten()
        };
        let holes = [1, 1, 0, 1, 0, 1];
        let faster = mixing::is_for(16);
        assert_eq!(lengths(holes, Kind::Float, 16), faster.then(|| vec![2, 2]));
        assert_eq!(lengths([1; 6], Kind::Float, 32), faster.then(|| vec![3, 3]));
        assert_eq!(lengths(holes, Kind::Float, 8), None);
        assert_eq!(lengths(holes, Kind::Double, 16), None);
        assert_eq!(lengths([0, 1, 1, 1, 1, 1], Kind::Float, 16), None);
    }
}
