//! A scalar tensor that the threads of the estimator read.

use std::sync::{Mutex, PoisonError};
use tch::Tensor;

/// A scalar tensor that the threads of the estimator read: its value is never copied from the device.
#[derive(Debug)]
pub struct Scalar(Mutex<Tensor>);

impl Scalar {
    /// The value of `tensor`, of shape `[]`; without its gradient.
    pub fn new(tensor: &Tensor) -> Self {
        Scalar(Mutex::new(tensor.detach()))
    }

    /// The value, of shape `[]`.
    pub fn get(&self) -> Tensor {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).shallow_clone()
    }
}
