//! Weights that a backbone starts with: `init = "file.safetensors"`.

use super::fit::{Misfit, shorten};
use super::read;
use fmicl_core::tch::nn::{self, VarStore};
use fmicl_core::tch::{self, Tensor};
use fmicl_core::{Encoder, Error, Result, descend};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The backbone's prefix in a checkpoint; heads and momentum copies have others.
pub const BACKBONE: &str = "backbone.";

/// A file of weights for a backbone: with torchvision's or timm's names, as `fmicl export` writes it too, or a
/// checkpoint, of which the backbone is taken.
#[derive(Debug)]
pub struct Init {
    path: PathBuf,
    weights: HashMap<String, Tensor>,
}

/// Batch norm's counter, which nothing reads.
const COUNTER: &str = "num_batches_tracked";

/// Whether a weight that the backbone has no place for is one that pre-trained models have beside it: the classifier
/// of torchvision (`fc.`) or timm (`head.`), or a counter.
fn is_left_out(name: &str) -> bool {
    name.starts_with("fc.") || name.starts_with("head.") || name.ends_with(COUNTER)
}

impl Init {
    /// Reads the file.
    ///
    /// # Errors
    /// A config error that names the file, where that cannot be read, is not safetensors, or has a weight that is no number.
    pub fn read(path: &Path) -> Result<Self> {
        let mut weights = read(path).map_err(Error::named_in_config)?;
        if weights.keys().any(|name| name.starts_with(BACKBONE)) {
            let of_backbone = |(name, tensor): (String, Tensor)| Some((name.strip_prefix(BACKBONE)?.into(), tensor));
            weights = weights.into_iter().filter_map(of_backbone).collect();
        }
        let broken = |tensor: &Tensor| tensor.is_floating_point() && tensor.isfinite().all().int64_value(&[]) == 0;
        if let Some(name) = weights
            .iter()
            .filter(|(_, tensor)| broken(tensor))
            .map(|(name, _)| name)
            .min()
        {
            let path = path.display();
            return Err(Error::config(format!(
                "{path}: `{name}` is not finite: the run that wrote it diverged"
            )));
        }
        let path = path.to_path_buf();
        Ok(Init { path, weights })
    }

    /// The backbone that `build` makes, under `path`, with these weights.
    ///
    /// # Errors
    /// Those of `build`, and a config error where a weight is missing, has no place, or differs in shape.
    pub fn build(
        &self,
        path: &nn::Path,
        build: impl FnOnce(&nn::Path) -> Result<Box<dyn Encoder>>,
    ) -> Result<Box<dyn Encoder>> {
        // In a store of its own: a path cannot tell which variables lie below it.
        let mut store = VarStore::new(path.device());
        store.set_kind(path.kind());
        let encoder = build(&store.root())?;
        self.fill(store.variables()).map_err(|error| error.at("init"))?;
        for (name, var) in store.variables() {
            let (parent, leaf) = descend(path, &name);
            let trainable = var.requires_grad();
            let _ = parent.add(leaf, var, trainable);
        }
        Ok(encoder)
    }

    fn fill(&self, variables: HashMap<String, Tensor>) -> Result<()> {
        let meant = |name: &String| variables.contains_key(name) || !is_left_out(name);
        let weights = self.weights.iter().filter(|(name, _)| meant(name));
        let weights: HashMap<_, _> = weights.map(|(name, w)| (name.clone(), w.shallow_clone())).collect();
        if let Some(misfit) = Misfit::between(&variables, &weights) {
            let path = self.path.display();
            return Err(Error::config(format!("{path} does not fit the backbone; {misfit}")));
        }
        for (name, mut var) in variables {
            tch::no_grad(|| var.copy_(&weights[&name]));
        }
        Ok(())
    }

    /// What was taken for the model of `store` and what was not, in a line.
    pub fn summary(&self, store: &VarStore) -> String {
        let variables = store.variables();
        let has = |name: &&String| variables.contains_key(&format!("{BACKBONE}{name}"));
        let left: Vec<&String> = self.weights.keys().filter(|name| !has(name)).collect();
        let taken = self.weights.len() - left.len();
        let (counters, names): (Vec<_>, Vec<_>) = left.into_iter().partition(|name| name.ends_with(COUNTER));
        let mut names: Vec<String> = names.into_iter().cloned().collect();
        names.sort();
        if !counters.is_empty() {
            names.push(format!("{} {COUNTER}", counters.len()));
        }
        let left = match names.as_slice() {
            [] => String::new(),
            names => format!("; left out {}", shorten(names)),
        };
        format!("{taken} weights of {}{left}", self.path.display())
    }
}
