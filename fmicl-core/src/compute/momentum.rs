//! Momentum encoder, `k = m k + (1 - m) q` after every step.
//!
//! Source: He et al., "Momentum Contrast for Unsupervised Visual Representation Learning" (MoCo), CVPR 2020,
//! arXiv 1911.05722, equation (2).

use crate::compute::parameters::move_into;
use crate::{Error, Parameters, Result, descend, in_blocks};
use std::collections::HashMap;
use tch::{Tensor, nn};

/// Momentum encoder: an exponential moving average (EMA) of another network.
///
/// Its variables have the names of the originals with the prefix `momentum.` (`momentum.backbone.conv1.weight`), so
/// that checkpoints contain them. They have no gradient. Untrained variables of the original, such as running
/// statistics or a frozen layer, are copied once and then independent.
#[derive(Debug)]
pub struct Momentum<T> {
    network: T,
    /// The copies, by the name of what they follow.
    copies: HashMap<String, Tensor>,
    /// Empty before the first update: [`Parameters`] are laid out after a learner is built.
    runs: Vec<Run>,
}

/// Copies that are contiguous in memory, as are the variables that they follow.
#[derive(Debug)]
struct Run {
    group: usize,
    offset: i64,
    /// `[P]`; the copies are views of it.
    values: Tensor,
}

impl<T> Momentum<T> {
    /// Builds a copy of the network that `build` created under `root` before, with the same values.
    ///
    /// # Errors
    /// Errors of `build`, and [`Error::Run`] if it creates a variable that is not under `root`, or has another shape
    /// there.
    pub fn new(root: &nn::Path, build: impl FnOnce(&nn::Path) -> Result<T>) -> Result<Self> {
        // In a store of its own: a path cannot tell which variables lie below it.
        let mut store = nn::VarStore::new(root.device());
        store.set_kind(root.kind());
        let network = build(&store.root())?;
        let mut copies = HashMap::new();
        for (name, mut copy) in store.variables() {
            let (followed, leaf) = descend(root, &name);
            let Some(value) = followed.get(leaf).filter(|value| value.size() == copy.size()) else {
                let shape = copy.size();
                return Err(Error::Run(format!(
                    "a momentum encoder has {name} of shape {shape:?}, which its original does not have"
                )));
            };
            tch::no_grad(|| copy.copy_(&value));
            let copy = copy.set_requires_grad(false);
            // Laid out from the first step on as it will be: another layout gives other last bits.
            move_into(
                &copy.new_zeros([copy.numel() as i64], (copy.kind(), copy.device())),
                0,
                &copy,
            );
            let (path, leaf) = descend(&(root / "momentum"), &name);
            copies.insert(followed.path(leaf), path.add(leaf, copy, false));
        }
        Ok(Momentum {
            network,
            copies,
            runs: Vec::new(),
        })
    }

    /// The network; its outputs have no gradient where its inputs have none.
    pub fn network(&self) -> &T {
        &self.network
    }

    /// Updates every copy, `k = momentum k + (1 - momentum) q`, in contiguous runs of `parameters` and without a device
    /// sync. `parameters` are those of the learner's store, the same in every call; `momentum` is from 0 to 1.
    pub fn update(&mut self, parameters: &Parameters, momentum: f64) {
        if self.runs.is_empty() {
            self.runs = self.flatten(parameters);
        }
        for Run { group, offset, values } in &self.runs {
            let followed = parameters.groups[*group].values.narrow(0, *offset, values.size()[0]);
            in_blocks([values, &followed], |[mut values, followed]| {
                let _ = values.lerp_(&followed, 1.0 - momentum);
            });
        }
    }

    /// Moves the copies of trainable variables into buffers with the layout of `parameters`.
    fn flatten(&mut self, parameters: &Parameters) -> Vec<Run> {
        let mut runs = Vec::new();
        for (index, group) in parameters.groups.iter().enumerate() {
            let copied = |name: &str| self.copies.contains_key(name);
            let neighbours = group.slices.chunk_by(|a, b| copied(&a.name) == copied(&b.name));
            for slices in neighbours.filter(|slices| copied(&slices[0].name)) {
                let (offset, len) = (slices[0].offset, slices.iter().map(|slice| slice.len).sum());
                let values = group.values.narrow(0, offset, len).zeros_like();
                for slice in slices {
                    move_into(&values, slice.offset - offset, &self.copies[&slice.name]);
                }
                runs.push(Run {
                    group: index,
                    offset,
                    values,
                });
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::nn::{LinearConfig, VarStore, conv2d, linear};
    use tch::{Device, Kind};

    /// A convolution and a linear layer with a frozen bias, with another layer between them in the order of names.
    fn networks() -> (VarStore, Momentum<nn::Conv2D>) {
        let store = VarStore::new(Device::Cpu);
        let build = |path: &nn::Path| {
            let head = linear(path / "head", 3, 2, LinearConfig::default());
            let _ = head.bs.map(|bias| bias.set_requires_grad(false));
            Ok(conv2d(path / "conv", 3, 4, 3, Default::default()))
        };
        let _ = build(&store.root()).expect("builds");
        let _ = linear(&(store.root() / "extra"), 2, 2, LinearConfig::default());
        let momentum = Momentum::new(&store.root(), build).expect("the same shapes");
        (store, momentum)
    }

    fn pairs(store: &VarStore) -> Vec<(String, Tensor, Tensor)> {
        let variables = store.variables();
        let copies = variables.iter().filter_map(|(name, copy)| {
            let followed = name.strip_prefix("momentum.")?;
            Some((followed.to_string(), variables[followed].copy(), copy.copy()))
        });
        copies.collect()
    }

    #[test]
    fn every_variable_moves_its_share_of_the_way() {
        let (store, mut momentum) = networks();
        assert_eq!(pairs(&store).len(), 4, "what is not in the copy has none");
        assert!(pairs(&store).iter().all(|(_, followed, copy)| followed == copy));
        let mut parameters = Parameters::new(&store);
        for share in [0.1, 1.0] {
            for group in &mut parameters.groups {
                let _ = group.values.g_add_(&group.values.randn_like());
            }
            let before: HashMap<_, _> = pairs(&store).into_iter().map(|(name, _, copy)| (name, copy)).collect();
            momentum.update(&parameters, 1.0 - share);
            for (name, followed, copy) in pairs(&store) {
                let share = if name == "head.bias" { 0.0 } else { share };
                let expected = &before[&name] + (followed - &before[&name]) * share;
                assert!(
                    copy.allclose(&expected, 1e-6, 1e-6, false),
                    "{name} does not move by {share}"
                );
            }
        }
        assert_eq!(
            momentum.network().ws.stride(),
            store.variables()["conv.weight"].stride(),
            "both are laid out alike"
        );
    }

    #[test]
    fn copies_are_moved_in_runs_of_neighbours() {
        let (store, mut momentum) = networks();
        let parameters = Parameters::new(&store);
        momentum.update(&parameters, 0.5);
        let runs: Vec<_> = momentum.runs.iter().map(|run| run.values.size()[0]).collect();
        // Weights: conv, (extra), head. Biases: conv, (extra); that of the head is frozen.
        assert_eq!(runs, [108, 6, 4]);
    }

    #[test]
    fn copies_are_not_trained() {
        let (store, momentum) = networks();
        assert_eq!(
            Parameters::new(&store)
                .groups
                .iter()
                .map(|group| group.slices.len())
                .sum::<usize>(),
            5
        );
        let x = Tensor::ones([1, 3, 5, 5], (Kind::Float, Device::Cpu));
        assert!(!nn::Module::forward(momentum.network(), &x).requires_grad());
    }

    #[test]
    fn a_copy_of_something_else_is_refused() {
        let store = VarStore::new(Device::Cpu);
        let _ = linear(&(store.root() / "head"), 3, 2, LinearConfig::default());
        let wider = |path: &nn::Path| Ok(linear(path / "head", 4, 2, LinearConfig::default()));
        let message = Momentum::new(&store.root(), wider)
            .expect_err("another shape")
            .to_string();
        assert!(message.contains("head.weight of shape [2, 4]"), "{message}");
    }
}
