//! Linear classifiers that are trained side by side, each with its own learning rate.
//!
//! `R` heads of `d` features and `C` classes are one matrix `[d, R C]`: the logits of all are one product with a batch of
//! features, and their gradients another one. The sum of the heads' losses is minimised, in which each has its own term, so that
//! each learns as if it were alone.
//!
//! Source: the grid of DINOv2's linear evaluation, arXiv 2304.07193, appendix B.3, where the heads share the encoder's passes, too.

use tch::{Kind, Tensor};

/// As in `main_lincls.py` of facebookresearch/moco.
const MOMENTUM: f64 = 0.9;

/// Linear heads, and the state of SGD with momentum 0.9: as `torch.optim.SGD` without weight decay, one for each head.
pub struct Heads {
    /// `[d, R, C]`.
    weights: Tensor,
    /// `[R, C]`.
    bias: Tensor,
    velocity: Tensor,
    bias_velocity: Tensor,
    /// `[R, 1]`, the learning rates with the other sign.
    descent: Tensor,
}

impl Heads {
    /// A head for each of `rates`, all with these weights `[d, C]` on the device that computes, and biases 0.
    pub fn new(weights: &Tensor, rates: &[f64]) -> Self {
        let (heads, device) = (rates.len() as i64, weights.device());
        let (width, classes) = (weights.size()[0], weights.size()[1]);
        let weights = weights.unsqueeze(1).repeat([1, heads, 1]);
        let bias = Tensor::zeros([heads, classes], (Kind::Float, device));
        let descent: Vec<f32> = rates.iter().map(|rate| -*rate as f32).collect();
        Heads {
            velocity: Tensor::zeros([width, heads, classes], (Kind::Float, device)),
            bias_velocity: bias.zeros_like(),
            descent: Tensor::from_slice(&descent).unsqueeze(1).to_device(device),
            weights,
            bias,
        }
    }

    /// The logits `[N, R, C]` of features `[N, d]`.
    pub fn logits(&self, features: &Tensor) -> Tensor {
        let (heads, classes) = self.bias.size2().unwrap_or_default();
        let logits = self.bias.flatten(0, 1).addmm(features, &self.weights.flatten(1, 2));
        logits.view([-1, heads, classes])
    }

    /// A step on features `[N, d]` with labels `[N]`, at `factor` times the learning rates. Returns the heads' mean losses `[R]`
    /// before the step; without a device sync.
    pub fn step(&mut self, features: &Tensor, labels: &Tensor, factor: f64) -> Tensor {
        let (count, heads) = (features.size()[0], self.bias.size()[0]);
        let logs = self.logits(features).log_softmax(2, Kind::Float);
        let labels = labels.view([count, 1, 1]).expand([count, heads, 1], false);
        let of_labels = logs.gather(2, &labels, false);
        let losses = -of_labels.mean_dim([0i64, 2].as_slice(), false, Kind::Float);
        // The probabilities, and less the true class's 1 the gradient of the logits.
        let mut gradient = logs.exp();
        let _ = gradient.scatter_add_(2, &labels, &(of_labels.ones_like() * -1.0));
        gradient /= count as f64;
        let of_weights = features.tr().matmul(&gradient.flatten(1, 2)).view_as(&self.weights);
        let descent = &self.descent * factor;
        let descend = |values: &mut Tensor, velocity: &mut Tensor, gradient: &Tensor| {
            let _ = velocity.g_mul_scalar_(MOMENTUM).g_add_(gradient);
            let _ = values.addcmul_(velocity, &descent);
        };
        let of_bias = gradient.sum_dim_intlist([0i64].as_slice(), false, Kind::Float);
        descend(&mut self.weights, &mut self.velocity, &of_weights);
        descend(&mut self.bias, &mut self.bias_velocity, &of_bias);
        losses
    }

    /// Which heads `[R]` are finite: those whose training has not diverged.
    pub fn are_finite(&self) -> Vec<bool> {
        // A sum of numbers of which one is not finite is not, either.
        let sums = self.weights.sum_dim_intlist([0i64, 2].as_slice(), false, Kind::Double);
        let finite = sums.isfinite().to_kind(Kind::Int64);
        finite
            .iter::<i64>()
            .map(|all| all.map(|it| it != 0).collect())
            .unwrap_or_default()
    }

    /// The head at an index alone: its logits `[N, C]` of features `[N, d]`.
    pub fn logits_of(&self, head: usize, features: &Tensor) -> Tensor {
        let weights = self.weights.select(1, head as i64);
        self.bias.get(head as i64).addmm(features, &weights)
    }

    /// Bytes for so many heads, and for a batch of their logits.
    pub fn memory(heads: usize, (width, classes): (usize, usize), batch_size: usize) -> u64 {
        // Values, velocities, gradients; logits, their logarithms and gradients, and what they are made of.
        let (state, batch) = (3 * (width as u64 + 1), 5 * batch_size as u64);
        4 * (state + batch) * heads as u64 * classes as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::unit_rows;
    use serde_json::Value;

    fn tensor(value: &Value) -> Tensor {
        let rows: Vec<Vec<f32>> = serde_json::from_value(value.clone()).unwrap();
        Tensor::from_slice2(&rows)
    }

    #[test]
    fn losses_are_those_of_torch_optim_head_by_head() {
        let golden: Value = serde_json::from_str(include_str!("../golden/linear-sgd.json")).unwrap();
        let (features, weights) = (tensor(&golden["features"]), tensor(&golden["weights"]));
        let numbers = |key: &str| -> Vec<f64> { serde_json::from_value(golden[key].clone()).unwrap() };
        let labels: Vec<i64> = serde_json::from_value(golden["labels"].clone()).unwrap();
        let labels = Tensor::from_slice(&labels);
        let order: Vec<Vec<i64>> = serde_json::from_value(golden["order"].clone()).unwrap();
        let mut heads = Heads::new(&weights, &numbers("lr"));
        let losses = tensor(&golden["losses"]);
        assert_eq!(order.len(), 20);
        for (step, (batch, factor)) in order.iter().zip(numbers("factors")).enumerate() {
            let batch = Tensor::from_slice(batch);
            let found = heads.step(
                &features.index_select(0, &batch),
                &labels.index_select(0, &batch),
                factor,
            );
            let off = (&found - losses.get(step as i64)).abs().max().double_value(&[]);
            assert!(off < 1e-4, "step {step}: {found:?} is off by {off}");
        }
        let logits = heads.logits(&features).flatten(0, 1);
        let off = (&logits - tensor(&golden["logits"])).abs().max().double_value(&[]);
        assert!(off < 1e-3, "logits are off by {off}");
        for head in 0..3 {
            let own = logits.view([features.size()[0], 3, -1]).select(1, head);
            assert!(
                heads
                    .logits_of(head as usize, &features)
                    .allclose(&own, 1e-5, 1e-5, false)
            );
        }
    }

    #[test]
    fn a_head_that_diverges_leaves_the_others() {
        let features = unit_rows(8, 4, Kind::Float, 1) * 1e3;
        let labels = Tensor::from_slice(&[0i64, 1, 2, 0, 1, 2, 0, 1]);
        let weights = Tensor::zeros([4, 3], (Kind::Float, tch::Device::Cpu));
        let (mut both, mut alone) = (Heads::new(&weights, &[1e38, 1e-3]), Heads::new(&weights, &[1e-3]));
        for _ in 0..10 {
            let _ = both.step(&features, &labels, 1.0);
            let _ = alone.step(&features, &labels, 1.0);
        }
        assert_eq!(both.are_finite(), [false, true]);
        let (one, other) = (both.logits_of(1, &features), alone.logits_of(0, &features));
        assert!(one.allclose(&other, 1e-5, 1e-4, false));
    }
}
