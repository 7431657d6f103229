//! The listing says of every divergence if the paper's uniformity theorem covers it.

use fmicl_core::{Divergence, Part, registry};
use fmicl_divergences as _;
use tch::{Device, Kind, Tensor};

/// Tells if `h(t) = f*(f'(e^-t))` is strictly convex on [0, 4], the squared distances on a sphere: the theorem's condition
/// under the f-Gaussian similarity (Lu et al., TMLR 2023, theorem on uniformity).
fn is_covered(divergence: &dyn Divergence) -> bool {
    let t = Tensor::linspace(0.0, 4.0, 401, (Kind::Double, Device::Cpu));
    let (_, slope) = divergence.penalty_and_slope(-t);
    // The slope with respect to the log ratio -t falls with t, each step by more than rounding.
    let rise = slope.diff(1, 0, None::<Tensor>, None::<Tensor>);
    rise.max().double_value(&[]) < -1e-9
}

#[test]
fn the_listing_says_which_divergences_the_theorem_covers() {
    for listing in registry::list::<dyn Divergence>() {
        let (name, about) = (listing.name, listing.summary);
        let part = Part::<dyn Divergence>::new(name, toml::Table::new()).unwrap();
        let ending = match is_covered(&*part) {
            true => "; covered by the uniformity theorem",
            false => "; not covered by the uniformity theorem",
        };
        assert!(about.ends_with(ending), "{name}: {about}");
    }
}
