//! Gray as three equal channels, torchvision's `RandomGrayscale` once it is chosen.

use super::pixels::Pending;
use crate::Planes;

/// Replaces the three channels by their luma.
pub fn grayscale(image: &mut Planes) {
    let mut pending = Pending::new(image);
    pending.gray();
    pending.finish();
}

#[cfg(test)]
mod tests {
    use crate::transforms::golden::compare;

    #[test]
    fn equals_torchvision_to_the_bit() {
        assert_eq!(compare("grayscale").1, 0);
    }
}
