//! Parameters and gradients of a learner, as flat buffers.
//!
//! Every trainable variable becomes a view of one of two buffers, so that an optimizer's step, clipping,
//! zeroing and an all-reduce are each a few operations on one tensor.

use tch::nn::{self, VarStore};
use tch::{Device, Kind, Tensor};

/// Trainable variables of a [`VarStore`], in two groups: with and without weight decay. Those with a learning rate of their
/// own are in further groups.
#[derive(Debug)]
pub struct Parameters {
    /// Groups: first the one with weight decay (weights of two or more dimensions), then the one without (biases, and
    /// scales and shifts of norms), then those with another rate. An empty group is left out.
    pub groups: Vec<Group>,
}

/// Parameter group: variables and their gradients in flat buffers.
#[derive(Debug)]
pub struct Group {
    /// Values, `[P]`; the variables are views of it.
    pub values: Tensor,
    /// Gradients, `[P]`; the variables' gradients are views of it.
    pub grads: Tensor,
    /// `true` if weight decay applies.
    pub decays: bool,
    /// Factor of the learning rate.
    pub rate: f64,
    /// Position of each variable.
    pub slices: Vec<Slice>,
    /// The variables themselves, in the order of `slices`.
    pub variables: Vec<Tensor>,
}

/// Position of a variable in its group.
#[derive(Debug, Clone)]
pub struct Slice {
    /// The variable's path, such as `backbone.conv1.weight`.
    pub name: String,
    /// Index of its first element.
    pub offset: i64,
    /// Number of its elements.
    pub len: i64,
}

impl Parameters {
    /// Moves the trainable variables of `store` into flat buffers, sorted by name. Call it once, after the
    /// learner is built; values are unchanged. Convolution weights are laid out channels-last, which
    /// libtorch's convolutions prefer.
    pub fn new(store: &VarStore) -> Self {
        Parameters::with_rates(store, &[])
    }

    /// As [`new`](Parameters::new), where some variables, by name, have a factor of the learning rate.
    pub fn with_rates(store: &VarStore, rates: &[(String, f64)]) -> Self {
        let rate_of = |name: &str| {
            rates
                .iter()
                .find(|(named, _)| named == name)
                .map_or(1.0, |(_, rate)| *rate)
        };
        let mut named: Vec<_> = store
            .variables()
            .into_iter()
            .filter(|(_, var)| var.requires_grad())
            .collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        // In the order of the groups: those of rate 1 come first.
        let mut kinds = vec![(true, 1.0), (false, 1.0)];
        let mut parts = vec![Vec::new(), Vec::new()];
        for (name, var) in named {
            let kind = (var.dim() >= 2, rate_of(&name));
            let index = kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
                kinds.push(kind);
                parts.push(Vec::new());
                kinds.len() - 1
            });
            parts[index].push((name, var));
        }
        let groups = kinds.into_iter().zip(parts).filter(|(_, vars)| !vars.is_empty());
        Parameters {
            groups: groups
                .map(|((decays, rate), vars)| Group::new(vars, (decays, rate), store.device()))
                .collect(),
        }
    }

    /// Sets all gradients to zero.
    pub fn zero_grad(&mut self) {
        for group in &mut self.groups {
            let _ = group.grads.zero_();
        }
    }

    /// The Euclidean norm of all gradients, a scalar on the device.
    pub fn grad_norm(&self) -> Tensor {
        let squares: Vec<_> = self.groups.iter().map(|group| group.grads.dot(&group.grads)).collect();
        Tensor::stack(&squares, 0).sum(None).sqrt()
    }

    /// Scales the gradients so that their norm is at most `max_norm`, as `torch.nn.utils.clip_grad_norm_`
    /// (which divides by `norm + 1e-6`), and returns the norm before, without a device sync.
    pub fn clip_grad_norm(&mut self, max_norm: f64) -> Tensor {
        let norm = self.grad_norm();
        let scale = (max_norm / (&norm + 1e-6)).clamp_max(1.0);
        for group in &mut self.groups {
            let _ = group.grads.g_mul_(&scale);
        }
        norm
    }
}

impl Group {
    fn new(vars: Vec<(String, Tensor)>, (decays, rate): (bool, f64), device: Device) -> Self {
        let total: usize = vars.iter().map(|(_, var)| var.numel()).sum();
        let kind = vars.first().map_or(Kind::Float, |(_, var)| var.kind());
        let values = Tensor::zeros([total as i64], (kind, device));
        let grads = values.zeros_like();
        let (mut slices, mut variables) = (Vec::with_capacity(vars.len()), Vec::with_capacity(vars.len()));
        let mut offset = 0;
        for (name, var) in vars {
            let len = var.numel() as i64;
            // A gradient exists only after a backward; this one is zero.
            (var.sum(kind) * 0.0).backward();
            move_into(&values, offset, &var);
            var.grad().set_data(&view_as(&grads, offset, len, &var.size()));
            slices.push(Slice { name, offset, len });
            variables.push(var);
            offset += len;
        }
        Group {
            values,
            grads,
            decays,
            rate,
            slices,
            variables,
        }
    }
}

/// Makes `var`, whose value is kept, a view of `flat` from `offset`.
pub(crate) fn move_into(flat: &Tensor, offset: i64, var: &Tensor) {
    let mut view = view_as(flat, offset, var.numel() as i64, &var.size());
    tch::no_grad(|| view.copy_(var));
    var.shallow_clone().set_data(&view);
}

/// `len` elements of `flat` from `offset` in the shape `size`; four dimensions are stored channels-last.
fn view_as(flat: &Tensor, offset: i64, len: i64, size: &[i64]) -> Tensor {
    let part = flat.narrow(0, offset, len);
    match *size {
        [out, channels, height, width] => part.view([out, height, width, channels]).permute([0, 3, 1, 2]),
        _ => part.view(size),
    }
}

/// The path that holds the variable with this dotted name below `root`, and the last part of the name.
pub fn descend<'a, 'b>(root: &nn::Path<'a>, name: &'b str) -> (nn::Path<'a>, &'b str) {
    match name.rsplit_once('.') {
        Some((parents, leaf)) => (parents.split('.').fold(root.clone(), |path, part| path / part), leaf),
        None => (root.clone(), name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::nn::Module;

    #[test]
    fn flat_buffers_change_neither_values_nor_gradients() {
        tch::manual_seed(0);
        let store = VarStore::new(Device::Cpu);
        let conv = nn::conv2d(store.root() / "conv", 3, 4, 3, Default::default());
        let norm = nn::linear(store.root() / "head", 4, 2, Default::default());
        let input = Tensor::randn([2, 3, 8, 8], (Kind::Float, Device::Cpu));
        let run = || {
            norm.forward(&conv.forward(&input).mean_dim([2i64, 3].as_slice(), false, Kind::Float))
                .square()
                .sum(Kind::Float)
        };
        let before = run();
        before.backward();
        let grad_before = conv.ws.grad().copy();

        let mut parameters = Parameters::new(&store);
        let after = run();
        assert!((&before - &after).abs().double_value(&[]) < 1e-6);
        after.backward();
        assert!(conv.ws.grad().allclose(&grad_before, 1e-5, 1e-6, false));
        assert!(parameters.grad_norm().double_value(&[]) > 0.0);
        parameters.zero_grad();
        assert_eq!(conv.ws.grad().abs().sum(Kind::Float).double_value(&[]), 0.0);

        let _ = tch::no_grad(|| parameters.groups[0].values.fill_(0.5));
        assert_eq!(
            conv.ws.double_value(&[0, 0, 0, 0]),
            0.5,
            "the variables are views of the buffer"
        );
    }

    #[test]
    fn variables_with_a_rate_of_their_own_are_a_group() {
        let store = VarStore::new(Device::Cpu);
        let _head = nn::linear(store.root() / "head", 4, 2, Default::default());
        let scalar = store.root().var("scale", &[], nn::Init::Const(3.0));
        let parameters = Parameters::with_rates(&store, &[("scale".into(), 0.5)]);
        let groups: Vec<_> = parameters
            .groups
            .iter()
            .map(|group| (group.decays, group.rate))
            .collect();
        assert_eq!(groups, [(true, 1.0), (false, 1.0), (false, 0.5)]);
        (&scalar * 2.0).backward();
        let group = &parameters.groups[2];
        assert_eq!(
            [&group.values, &group.grads].map(|flat| flat.double_value(&[0])),
            [3.0, 2.0]
        );
    }

    #[test]
    fn biases_do_not_decay() {
        let store = VarStore::new(Device::Cpu);
        let _head = nn::linear(store.root() / "head", 4, 2, Default::default());
        let parameters = Parameters::new(&store);
        let names = |group: &Group| group.slices.iter().map(|slice| slice.name.clone()).collect::<Vec<_>>();
        assert_eq!(
            (names(&parameters.groups[0]), parameters.groups[0].decays),
            (vec!["head.weight".to_string()], true)
        );
        assert_eq!(
            (names(&parameters.groups[1]), parameters.groups[1].decays),
            (vec!["head.bias".to_string()], false)
        );
    }
}
