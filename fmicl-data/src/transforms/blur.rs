//! Gaussian blur, torchvision's `GaussianBlur` in a `RandomApply`.

use super::gaussian::Blurrer;
use super::require_probability;
use fmicl_core::{Documented, Op, Result, Rng, Size, Transform, register, require};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// torchvision's `RandomApply([GaussianBlur(kernel, sigma)], p)`. The defaults are SimCLR's.
#[derive(Debug, Documented, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Blur {
    /// The side of the kernel in pixels, odd; its half must be less than the view's side. Absent by default: SimCLR's, a tenth of the
    /// view's side (23 for 224 pixels, 9 for 96), and at least 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<usize>,
    /// The least and the greatest standard deviation in pixels, uniform between; above 0.
    pub sigma: [f64; 2],
    /// The probability that the view is blurred, from 0 to 1.
    pub p: f64,
}

impl Default for Blur {
    fn default() -> Self {
        Blur {
            kernel: None,
            sigma: [0.1, 2.0],
            p: 0.5,
        }
    }
}

register!(Transform, "blur", Blur, "torchvision's GaussianBlur");

impl Transform for Blur {
    fn validate(&self) -> Result<()> {
        let Blur {
            kernel,
            sigma: [least, greatest],
            p,
        } = *self;
        require(kernel.is_none_or(|kernel| kernel % 2 == 1), "kernel", || {
            format!("{} is not odd", kernel.unwrap_or_default())
        })?;
        require(1e-3 <= least && least <= greatest && greatest <= 1e3, "sigma", || {
            format!("[{least}, {greatest}] is not a range above 0")
        })?;
        require_probability(p)
    }

    fn validate_for(&self, size: usize) -> Result<()> {
        let kernel = self.kernel_for(size);
        require(kernel / 2 < size, "kernel", || {
            format!(
                "{kernel} is too large for views of {size} pixels; at most {} would work",
                2 * size - 1
            )
        })
    }

    fn validate_for_bands(&self, _channels: usize) -> Result<()> {
        Ok(())
    }

    fn draw(&self, size: Size, rng: &mut Rng) -> Op {
        let kernel = self.kernel_for(size.width);
        match self.sample(rng) {
            Some(sigma) => Op::Whole(Box::new(move |image| {
                BLURRER.with_borrow_mut(|blurrer| blurrer.blur(image, kernel, sigma));
            })),
            None => Op::Keep,
        }
    }

    fn drawn(&self, size: Size, rng: &mut Rng) -> Option<String> {
        let kernel = self.kernel_for(size.width);
        self.sample(rng)
            .map(|sigma| format!("sigma {sigma:.3}, kernel {kernel}"))
    }
}

thread_local! {
    /// The memory of a thread.
    static BLURRER: RefCell<Blurrer> = RefCell::default();
}

impl Blur {
    /// The side of the kernel for views of `size` x `size`: SimCLR's code rounds a tenth of the size down to an even number
    /// and adds one. Below 20 pixels that is a kernel of one pixel, which blurs nothing.
    pub fn kernel_for(&self, size: usize) -> usize {
        self.kernel.unwrap_or((size / 20 * 2 + 1).max(3))
    }

    /// The sigma of a view, or `None` where it is not blurred.
    fn sample(&self, rng: &mut Rng) -> Option<f64> {
        rng.chance(self.p).then(|| rng.uniform(self.sigma[0], self.sigma[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_transform;

    #[test]
    fn obeys_the_transform_laws() {
        check_transform(&Blur::default());
        check_transform(&Blur {
            kernel: Some(23),
            ..Blur::default()
        });
    }

    #[test]
    fn sigma_and_choice_have_torchvisions_distributions() {
        let (blur, mut rng) = (Blur::default(), Rng::new(&[2]));
        let sigmas: Vec<f64> = (0..20_000).filter_map(|_| blur.sample(&mut rng)).collect();
        assert!(
            sigmas.len().abs_diff(10_000) < 360,
            "{} of 20000 are blurred",
            sigmas.len()
        );
        assert!(sigmas.iter().all(|sigma| (0.1..2.0).contains(sigma)));
        let mean = sigmas.iter().sum::<f64>() / sigmas.len() as f64;
        assert!((mean - 1.05).abs() < 0.03, "{mean}");
    }

    #[test]
    fn without_a_kernel_it_is_simclrs_for_the_size_of_the_views() {
        // `kernel_size = height // 10; radius = int(kernel_size / 2); kernel_size = radius * 2 + 1` in
        // google-research/simclr, data_util.py.
        let of_simclr = [(224, 23), (160, 17), (96, 9), (64, 7), (40, 5), (32, 3), (20, 3)];
        for (size, kernel) in of_simclr.into_iter().chain([(19, 3), (8, 3), (2, 3)]) {
            assert_eq!(Blur::default().kernel_for(size), kernel, "{size}");
            Blur::default().validate_for(size).unwrap();
        }
        let given = Blur {
            kernel: Some(5),
            ..Blur::default()
        };
        assert_eq!(given.kernel_for(224), 5);
    }

    #[test]
    fn ranges_are_checked() {
        let error = |blur: Blur, size| {
            let checked = blur.validate().and_then(|()| blur.validate_for(size));
            checked.unwrap_err().to_string()
        };
        assert_eq!(
            error(
                Blur {
                    kernel: Some(4),
                    ..Blur::default()
                },
                32
            ),
            "kernel: 4 is not odd"
        );
        let large = "kernel: 65 is too large for views of 32 pixels; at most 63 would work";
        assert_eq!(
            error(
                Blur {
                    kernel: Some(65),
                    ..Blur::default()
                },
                32
            ),
            large
        );
        assert_eq!(
            error(
                Blur {
                    sigma: [0.0, 1.0],
                    ..Blur::default()
                },
                32
            ),
            "sigma: [0, 1] is not a range above 0"
        );
        assert!(
            Blur {
                kernel: Some(63),
                ..Blur::default()
            }
            .validate_for(32)
            .is_ok()
        );
    }
}
