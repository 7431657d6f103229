//! Source of variables: a folder's weights, or the initialisation of transformers' `_init_weights`.

use super::variable::Variable;
use super::weights::Weights;
use fmicl_core::Result;
use fmicl_core::tch::nn::{Init, Path};
use std::fmt::Display;

/// `initializer_range` of every BERT and RoBERTa.
const SPREAD: f64 = 0.02;

/// A place in the tree of variables, and what they start with.
pub(super) struct Source<'a> {
    path: Path<'a>,
    /// The path below the encoder, such as `encoder.layer.0`.
    name: String,
    weights: Option<&'a Weights>,
}

impl<'a> Source<'a> {
    /// The encoder's own, at `path`.
    pub fn new(path: &Path<'a>, weights: Option<&'a Weights>) -> Self {
        Source {
            path: path.clone(),
            name: String::new(),
            weights,
        }
    }

    /// The place called `part` below this one; it may be of several names with dots between.
    pub fn at(&self, part: impl Display) -> Self {
        let part = part.to_string();
        Source {
            path: part.split('.').fold(self.path.clone(), |path, name| &path / name),
            name: self.full(&part),
            weights: self.weights,
        }
    }

    /// The same place without weights: variables are initialised at random.
    pub fn anew(&self) -> Self {
        Source {
            path: self.path.clone(),
            name: self.name.clone(),
            weights: None,
        }
    }

    /// Returns true if variables come from weights.
    pub fn has_weights(&self) -> bool {
        self.weights.is_some()
    }

    fn full(&self, name: &str) -> String {
        match self.name.as_str() {
            "" => name.to_string(),
            path => format!("{path}.{name}"),
        }
    }

    /// A variable, from the weights if there are some.
    ///
    /// # Errors
    /// [`Error::Data`](fmicl_core::Error::Data) if the weights do not have it, or in another shape.
    pub fn var(&self, name: &str, size: &[i64], init: Init) -> Result<Variable> {
        let variable = match self.weights {
            Some(weights) => self.path.var_copy(name, &weights.take(&self.full(name), size)?),
            None => self.path.var(name, size, init),
        };
        Ok(Variable(variable))
    }

    /// A variable that is drawn from `N(0, 0.02^2)`, from the weights if there are some.
    ///
    /// # Errors
    /// As [`Source::var`].
    pub fn normal(&self, name: &str, size: &[i64]) -> Result<Variable> {
        let init = Init::Randn {
            mean: 0.0,
            stdev: SPREAD,
        };
        self.var(name, size, init)
    }
}
