//! Weights that a backbone starts with: `init = "file.safetensors"`.

use super::fit::{Misfit, shorten};
use super::{About, read};
use fmicl_core::tch::nn::{self, VarStore};
use fmicl_core::tch::{self, Tensor};
use fmicl_core::{Backbone, Encoder, Error, Part, Result, beside, descend};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The backbone's prefix in a checkpoint; heads and momentum copies have others.
pub const BACKBONE: &str = "backbone.";

/// Below which names of a file the backbone's weights may lie, in the order in which they are looked for: at the top, or where
/// PyTorch's wrappers, MoCo and others have them; below `module.`, too, which training on several GPUs puts before all.
const PREFIXES: [&str; 5] = ["", BACKBONE, "encoder_q.", "base_encoder.", "encoder."];
const PARALLEL: &str = "module.";

/// A file of weights for a backbone: with torchvision's or timm's names, as `fmicl export` writes it too, or a checkpoint of
/// this program or of another one, of which the backbone is taken.
#[derive(Debug)]
pub struct Init {
    path: PathBuf,
    weights: HashMap<String, Tensor>,
    about: Option<About>,
}

/// Batch norm's counter, which nothing reads.
const COUNTER: &str = "num_batches_tracked";

/// Returns true if a weight that the backbone has no place for is one that pre-trained models have beside it: the
/// classifier of torchvision (`fc.`) or timm (`head.`), or a counter.
fn is_left_out(name: &str) -> bool {
    name.starts_with("fc.") || name.starts_with("head.") || name.ends_with(COUNTER)
}

fn prefixes() -> impl Iterator<Item = String> {
    let parallel = PREFIXES.iter().map(|prefix| format!("{PARALLEL}{prefix}"));
    PREFIXES.iter().map(|prefix| prefix.to_string()).chain(parallel)
}

impl Init {
    /// Reads the file.
    ///
    /// # Errors
    /// A config error that names the file, where that cannot be read or is not safetensors.
    pub fn read(path: &Path) -> Result<Self> {
        let missing = |error: Error| match path.exists() {
            true => error.named_in_config(),
            false => Error::config(format!("{error}{}", beside(path))),
        };
        Ok(Init {
            weights: read(path).map_err(missing)?,
            about: About::read(path),
            path: path.to_path_buf(),
        })
    }

    /// Checks that the weights were trained with the options of this backbone, where the file says with which.
    ///
    /// # Errors
    /// A config error at `init` with the option that differs.
    pub fn require_for(&self, backbone: &Part<dyn Backbone>) -> Result<()> {
        let Some(about) = &self.about else { return Ok(()) };
        about
            .require_for(backbone, &self.path)
            .map_err(|error| error.at("init"))
    }

    /// Where the weights of a backbone with these variables lie: below the prefix with most of them.
    fn prefix(&self, variables: &HashMap<String, Tensor>) -> String {
        let found = |prefix: &String| {
            let names = variables.keys().map(|name| format!("{prefix}{name}"));
            names.filter(|name| self.weights.contains_key(name)).count()
        };
        let mut best = (0, String::new());
        for prefix in prefixes() {
            let count = found(&prefix);
            if count > best.0 {
                best = (count, prefix);
            }
        }
        best.1
    }

    /// The weights below a prefix, by the names that they have there.
    fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Tensor)> {
        let below = move |(name, tensor): (&'a String, &'a Tensor)| Some((name.strip_prefix(prefix)?, tensor));
        self.weights.iter().filter_map(below)
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
        let path = self.path.display();
        let prefix = self.prefix(&variables);
        let meant = |name: &str| variables.contains_key(name) || !is_left_out(name);
        let weights = self.below(&prefix).filter(|(name, _)| meant(name));
        let weights: HashMap<_, _> = weights.map(|(name, w)| (name.to_string(), w.shallow_clone())).collect();
        if let Some(misfit) = Misfit::between(&variables, &weights) {
            let hint = self.unknown_prefix(&variables);
            return Err(Error::config(format!(
                "{path} does not fit the backbone; {misfit}{hint}"
            )));
        }
        let broken = |tensor: &Tensor| tensor.is_floating_point() && tensor.isfinite().all().int64_value(&[]) == 0;
        let broken = weights.iter().filter(|(_, tensor)| broken(tensor));
        if let Some(name) = broken.map(|(name, _)| name).min() {
            return Err(Error::config(format!(
                "{path}: `{name}` is not finite: the run that wrote it diverged"
            )));
        }
        for (name, mut var) in variables {
            tch::no_grad(|| var.copy_(&weights[&name]));
        }
        Ok(())
    }

    /// What to say where the weights lie below a prefix that is none of the known ones.
    fn unknown_prefix(&self, variables: &HashMap<String, Tensor>) -> String {
        let known: Vec<_> = prefixes().collect();
        let before = |name: &String| {
            let starts = self.weights.keys().filter_map(|key| key.strip_suffix(name.as_str()));
            starts
                .filter(|start| start.ends_with('.') && !known.iter().any(|known| known == start))
                .map(str::to_string)
                .collect::<BTreeSet<_>>()
        };
        // Such as are before every one of them.
        let shared = variables.keys().map(before).reduce(|all, some| &all & &some);
        let names: Vec<String> = shared
            .into_iter()
            .flatten()
            .map(|prefix| format!("`{prefix}`"))
            .collect();
        match names.is_empty() {
            true => String::new(),
            false => format!(
                "; all of them are there below {}: remove that prefix from the names (`fmicl convert --strip`)",
                shorten(&names)
            ),
        }
    }

    /// One line on the tensors that were used for the model of `store` and those that were not.
    pub fn summary(&self, store: &VarStore) -> String {
        let variables = store.variables().into_iter();
        let own = |(name, var): (String, Tensor)| Some((name.strip_prefix(BACKBONE)?.to_string(), var));
        let variables: HashMap<_, _> = variables.filter_map(own).collect();
        let prefix = self.prefix(&variables);
        let all = self.below(&prefix).map(|(name, _)| name);
        let (taken, left): (Vec<&str>, Vec<&str>) = all.partition(|name| variables.contains_key(*name));
        let beside = self.weights.len() - taken.len() - left.len();
        let (counters, names): (Vec<&str>, Vec<&str>) = left.into_iter().partition(|name| name.ends_with(COUNTER));
        let mut names: Vec<String> = names.into_iter().map(str::to_string).collect();
        names.sort();
        if !counters.is_empty() {
            names.push(format!("{} {COUNTER}", counters.len()));
        }
        let mut left = match names.as_slice() {
            [] => String::new(),
            names => format!("; left out {}", shorten(names)),
        };
        // Of a checkpoint of this program everybody knows what there is beside the backbone.
        let mut below = String::new();
        if !["", BACKBONE].contains(&&*prefix) {
            below = format!(" below `{prefix}`");
            left += &format!("; {beside} others are not below it");
        }
        format!("{} weights of {}{below}{left}", taken.len(), self.path.display())
    }
}
