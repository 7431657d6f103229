//! A tensor in a line.

use fmicl_core::tch::{Kind, Tensor, no_grad};
use std::fmt;

/// Summary of a tensor: shape, range, non-finite values.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    name: String,
    shape: Vec<i64>,
    /// The smallest, the mean and the largest of the finite values, where there are any.
    range: Option<[f64; 3]>,
    /// Values that are not finite.
    bad: i64,
}

impl Seen {
    /// Header of the table.
    pub const HEAD: &str = "tensor                                                    shape              smallest        mean     largest  not finite";

    /// Looks at a tensor, which waits for the device.
    pub fn new(name: String, tensor: &Tensor) -> Self {
        no_grad(|| {
            let values = tensor.to_kind(Kind::Double);
            let finite = values.masked_select(&values.isfinite());
            let value = |tensor: Tensor| tensor.double_value(&[]);
            Seen {
                name,
                shape: tensor.size(),
                bad: (values.numel() - finite.numel()) as i64,
                range: (finite.numel() > 0).then(|| [finite.min(), finite.mean(Kind::Double), finite.max()].map(value)),
            }
        })
    }

    /// Its name, where it is not all finite.
    pub fn bad(&self) -> Option<&str> {
        (self.bad > 0).then_some(&*self.name)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:<56}  {:<16}", self.name, format!("{:?}", self.shape))?;
        match self.range {
            Some([smallest, mean, largest]) => write!(f, "  {smallest:>10.3e}  {mean:>10.3e}  {largest:>10.3e}")?,
            None => write!(f, "  {:>10}  {:>10}  {:>10}", "", "", "")?,
        }
        write!(f, "  {:>10}", self.bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_range_of_what_is_finite_and_counts_the_rest() {
        let tensor = Tensor::from_slice(&[1.0, f64::NAN, -3.0, f64::INFINITY]).view([2, 2]);
        let seen = Seen::new("x".into(), &tensor);
        assert_eq!((seen.range, seen.bad()), (Some([-3.0, -1.0, 1.0]), Some("x")));
        assert!(
            seen.to_string()
                .ends_with("-3.000e0    -1.000e0     1.000e0           2"),
            "{seen}"
        );
        let whole = Seen::new("y".into(), &Tensor::from_slice(&[1i64, 2]));
        assert_eq!((whole.range, whole.bad()), (Some([1.0, 1.5, 2.0]), None));
        assert_eq!(Seen::new("z".into(), &(tensor * f64::NAN)).range, None);
    }
}
