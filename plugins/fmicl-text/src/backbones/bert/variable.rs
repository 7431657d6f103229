//! A variable of the encoder.

use fmicl_core::tch::Tensor;
use std::ops::Deref;

/// A variable; its clone is another handle of the same tensor, such as another thread needs.
#[derive(Debug)]
pub(super) struct Variable(pub Tensor);

impl Clone for Variable {
    fn clone(&self) -> Self {
        Variable(self.0.shallow_clone())
    }
}

impl Deref for Variable {
    type Target = Tensor;

    fn deref(&self) -> &Tensor {
        &self.0
    }
}
