//! When projections have collapsed.

/// Effective rank of the projections below which they have collapsed, if they have more dimensions.
const FLAT: f64 = 2.0;
/// Mean cosine of two projections above which they have collapsed.
const ONE_POINT: f64 = 0.95;

/// Returns true for projections that have collapsed: nearly one point, or nearly one line.
pub fn has_collapsed(rank: f64, cosine: f64, dimensions: f64) -> bool {
    cosine > ONE_POINT || rank < FLAT.min(0.6 * dimensions)
}

#[cfg(test)]
mod tests {
    use super::has_collapsed;

    #[test]
    fn few_dimensions_are_no_collapse() {
        assert!(!has_collapsed(1.9, 0.04, 2.0));
        assert!(has_collapsed(1.05, 0.04, 2.0));
        assert!(has_collapsed(1.9, 0.04, 64.0));
    }
}
