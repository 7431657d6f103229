//! The laws of a similarity.

use super::distance;
use crate::estimator::with_slope;
use crate::{Critic, Normaliser, Similarity};
use tch::{Device, Kind, Tensor};

/// Checks for cosines from -1 to 1: finite in f32 and f64, increasing, the slope is autograd's, and where the similarity
/// says that it is affine, it is; a similarity with a normaliser is an affine log ratio.
///
/// # Panics
/// With the law that is broken.
pub fn check_similarity(part: &dyn Similarity) {
    part.validate().expect("the options are in range");
    assert!(
        part.normaliser() == Normaliser::Off || (part.affine().is_some() && part.critic() == Critic::Ratio),
        "{part:?}: has a normaliser and is not an affine log ratio"
    );
    for kind in [Kind::Double, Kind::Float] {
        let cosine = Tensor::linspace(-1.0, 1.0, 201, (kind, Device::Cpu));
        let (value, slope) = part.value_and_slope(&cosine);
        assert_eq!(
            (value.kind(), slope.size()),
            (kind, cosine.size()),
            "{part:?}: kind or shape changes"
        );
        assert!(
            value.isfinite().all().int64_value(&[]) == 1,
            "{part:?}: not finite on [-1, 1]"
        );
        assert!(
            slope.min().double_value(&[]) > 0.0,
            "{part:?}: does not increase with the cosine"
        );
        let (by_hand, by_autograd) = with_slope(&cosine, |cosine| part.value(cosine));
        assert!(
            distance(&value, &by_hand) < 1e-6,
            "{part:?}: value_and_slope has another value"
        );
        assert!(
            distance(&slope, &by_autograd) < 1e-6,
            "{part:?}: the slope is not autograd's"
        );
        if let Some((scale, offset)) = part.affine() {
            let off = distance(&value, &(&cosine * scale + offset));
            assert!(off < 1e-6, "{part:?}: is not {scale} c + {offset}: off by {off:e}");
        }
    }
}
