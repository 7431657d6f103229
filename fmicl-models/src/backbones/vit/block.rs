//! Pre-norm block of a vision transformer: attention, then an MLP, each in a residual branch.

use super::{MLP_RATIO, linear, norm};
use fmicl_core::tch::nn::{self, Module, Path};
use fmicl_core::tch::{IndexOp, Tensor};

#[derive(Debug)]
pub(super) struct Block {
    norm1: nn::LayerNorm,
    attention: Attention,
    norm2: nn::LayerNorm,
    fc1: nn::Linear,
    fc2: nn::Linear,
}

impl Block {
    pub(super) fn new(path: &Path, width: i64, heads: i64) -> Self {
        let hidden = MLP_RATIO * width;
        Block {
            norm1: norm(path / "norm1", width),
            attention: Attention::new(&(path / "attn"), width, heads),
            norm2: norm(path / "norm2", width),
            fc1: linear(path / "mlp" / "fc1", width, hidden, 1),
            fc2: linear(path / "mlp" / "fc2", hidden, width, 1),
        }
    }

    /// Tokens `[N, L, width]` to tokens of the same shape.
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let tokens = self.norm1.forward(x);
        self.mlp(x + self.attention.forward(&tokens))
    }

    /// First token of the result of [`forward`](Block::forward), `[N, 1, width]`.
    pub(super) fn first_token(&self, x: &Tensor) -> Tensor {
        let tokens = self.norm1.forward(x);
        self.mlp(x.narrow(1, 0, 1) + self.attention.first_token(&tokens))
    }

    /// This is not in place: a norm's backward needs its input.
    fn mlp(&self, x: Tensor) -> Tensor {
        let hidden = self.fc1.forward(&self.norm2.forward(&x)).gelu("none");
        x + self.fc2.forward(&hidden)
    }
}

/// Multi-head self-attention.
#[derive(Debug)]
struct Attention {
    /// Queries, keys and values, one above the other.
    qkv: nn::Linear,
    proj: nn::Linear,
    width: i64,
    heads: i64,
}

impl Attention {
    fn new(path: &Path, width: i64, heads: i64) -> Self {
        Attention {
            qkv: linear(path / "qkv", width, 3 * width, 3),
            proj: linear(path / "proj", width, width, 1),
            width,
            heads,
        }
    }

    /// Queries of all tokens: `[N, L, width]` to the same shape.
    fn forward(&self, tokens: &Tensor) -> Tensor {
        let qkv = self.split(&self.qkv.forward(tokens));
        self.attend(&qkv.get(0), &qkv.get(1), &qkv.get(2))
    }

    /// Query of the first token only: `[N, L, width]` to `[N, 1, width]`.
    fn first_token(&self, tokens: &Tensor) -> Tensor {
        let part = |x: &Tensor, rows: std::ops::Range<i64>| {
            let bias = self.qkv.bs.as_ref().map(|bias| bias.i(rows.clone()));
            self.split(&x.linear(&self.qkv.ws.i(rows), bias))
        };
        let q = part(&tokens.narrow(1, 0, 1), 0..self.width);
        let kv = part(tokens, self.width..3 * self.width);
        self.attend(&q.get(0), &kv.get(0), &kv.get(1))
    }

    /// `[N, L, k width]` to `[k, N, heads, L, width / heads]`, a view.
    fn split(&self, x: &Tensor) -> Tensor {
        x.unflatten(-1, [-1, self.heads, self.width / self.heads])
            .permute([2, 0, 3, 1, 4])
    }

    /// `softmax(q k^T / sqrt(width / heads)) v`, the heads side by side again, projected.
    fn attend(&self, q: &Tensor, k: &Tensor, v: &Tensor) -> Tensor {
        let mask: Option<Tensor> = None;
        let heads = Tensor::scaled_dot_product_attention(q, k, v, mask, 0.0, false, None, false);
        self.proj.forward(&heads.transpose(1, 2).flatten(2, -1))
    }
}
