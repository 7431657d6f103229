//! Functions of a cosine, with their slopes.

use std::fmt;
use tch::{Kind, Tensor};

type Map<'a> = Box<dyn Fn(Tensor) -> (Tensor, Tensor) + Sync + 'a>;

/// An elementwise function of the cosine, `map(scale * c + offset)`.
pub struct OfCosine<'a> {
    pub(super) scale: f64,
    pub(super) offset: f64,
    pub(super) map: Map<'a>,
}

impl<'a> OfCosine<'a> {
    /// `map` gives value and slope (with respect to its argument, which it owns and may overwrite), elementwise. Threads
    /// call it at the same time, without gradient.
    pub fn new(scale: f64, offset: f64, map: impl Fn(Tensor) -> (Tensor, Tensor) + Sync + 'a) -> Self {
        OfCosine {
            scale,
            offset,
            map: Box::new(map),
        }
    }

    /// The function and its slope `d/dc` at cosines of any shape, without gradient.
    pub fn value_and_slope(&self, cosine: &Tensor) -> (Tensor, Tensor) {
        let _no_grad = tch::no_grad_guard();
        let (value, slope) = (self.map)(cosine * self.scale + self.offset);
        (value, slope * self.scale)
    }
}

impl fmt::Debug for OfCosine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "map({} c + {})", self.scale, self.offset)
    }
}

/// `map(x)` and its elementwise slope by autograd, both without gradient. `map` must act elementwise.
pub fn with_slope(x: &Tensor, map: impl Fn(&Tensor) -> Tensor) -> (Tensor, Tensor) {
    let x = x.detach().set_requires_grad(true);
    let (y, total) = tch::with_grad(|| {
        let y = map(&x);
        let total = y.sum(None::<Kind>);
        (y, total)
    });
    if !y.requires_grad() {
        return (y, x.detach().zeros_like());
    }
    let slope = Tensor::run_backward(&[total], &[&x], false, false).remove(0);
    (y.detach(), slope)
}
